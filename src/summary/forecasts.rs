//! Forecasts held against what came: mean absolute error and coverage of the 10–90 band by horizon, beside the last value.

use super::zone::ZoneRecord;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// Forecasts are sampled at whole multiples of this, epoch ms: a match night issues one per zone every ten seconds.
const SAMPLED_EVERY_MS: i64 = 60_000;
/// Panes of flows are kept per series for at least so long, and for three steps.
const KEPT_AT_LEAST_MS: i64 = 2 * 3_600_000;

/// The series of a zone that are judged.
const WHAT: [&str; 3] = ["in", "out", "count"];

/// The forecasts of a run.
#[derive(Debug, Default)]
pub struct Forecasts {
    /// By venue and zone, the place in `flows`.
    ids: BTreeMap<Box<str>, BTreeMap<Box<str>, usize>>,
    /// By that place, the two again: a pane's zones come in one order, so the next is mostly the one behind the last.
    names: Vec<(Box<str>, Box<str>)>,
    last_id: usize,
    /// By zone and series.
    flows: Vec<[Flow; WHAT.len()]>,
    pending: BTreeMap<i64, Vec<Pending>>,
    scores: BTreeMap<u32, ForecastScore>,
    /// Three times the longest step seen.
    kept_ms: i64,
    by_model: u64,
    by_fallback: u64,
    /// Those that were issued between the minutes.
    left_out: u64,
}

#[derive(Debug, Default)]
struct Flow {
    /// By their end, and the persons in each.
    panes: VecDeque<(i64, f64)>,
    pane_ms: i64,
}

#[derive(Debug)]
struct Pending {
    zone: usize,
    /// By its place in [`WHAT`].
    what: usize,
    horizon_s: u32,
    step_ms: i64,
    quantiles: [f64; 3],
    last: Option<f64>,
}

/// How one horizon fared.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForecastScore {
    /// Forecasts judged: those whose target was counted in full, and where the step before the issue was too.
    pub judged: u64,
    /// Sum of absolute errors of the median, persons.
    pub error: f64,
    /// Sum of absolute errors of the last value, persons.
    pub last_value_error: f64,
    /// How many came between the 10 % and the 90 % quantile: on neither, and with those on one.
    between: [u64; 2],
}

impl Forecasts {
    /// Takes a zone's record in.
    pub fn take(&mut self, record: &ZoneRecord<'_>) {
        let zone = self.id_of(record);
        for (what, persons) in [record.inwards, record.out, record.count].into_iter().enumerate() {
            let Some(persons) = persons else { continue };
            let flow = &mut self.flows[zone][what];
            flow.insert(record.event_time, persons);
            flow.pane_ms = record.event_time - record.from;
            flow.forget_until(record.event_time - self.kept_ms.max(KEPT_AT_LEAST_MS));
        }
        if record.revision == 0 {
            self.judge_until(record.event_time);
            self.remember(zone, record);
        }
    }

    fn id_of(&mut self, record: &ZoneRecord<'_>) -> usize {
        for guess in [self.last_id + 1, 0] {
            if self.names.get(guess).is_some_and(|(venue, zone)| **zone == *record.zone && **venue == *record.venue) {
                self.last_id = guess;
                return guess;
            }
        }
        if let Some(id) = self.ids.get(&*record.venue).and_then(|zones| zones.get(&*record.zone)) {
            self.last_id = *id;
            return *id;
        }
        let id = self.flows.len();
        self.names.push(((&*record.venue).into(), (&*record.zone).into()));
        self.last_id = id;
        self.flows.push(Default::default());
        self.ids.entry((&*record.venue).into()).or_default().insert((&*record.zone).into(), id);
        id
    }

    /// How each horizon (s) fared.
    pub const fn scores(&self) -> &BTreeMap<u32, ForecastScore> {
        &self.scores
    }

    fn remember(&mut self, zone: usize, record: &ZoneRecord<'_>) {
        let step_ms = record.forecast.iter().map(|entry| i64::from(entry.h_s) * 1_000).min().unwrap_or(0);
        // The pane in which a minute ends; panes need not lie on the minute.
        let is_sampled = record.event_time.div_euclid(SAMPLED_EVERY_MS) != record.from.div_euclid(SAMPLED_EVERY_MS);
        if step_ms == 0 {
            return;
        }
        if !is_sampled {
            self.left_out += 1;
            return;
        }
        self.kept_ms = self.kept_ms.max(3 * step_ms);
        if record.model.is_some_and(|model| model.get().starts_with('{')) {
            self.by_model += 1
        } else {
            self.by_fallback += 1
        }
        let last = |what: usize| self.flows[zone][what].sum(record.event_time - step_ms, record.event_time);
        let last: [Option<f64>; 3] = [0, 1, 2].map(last);
        for entry in &record.forecast {
            let Some((what, quantiles)) = WHAT.iter().position(|what| *what == entry.what).zip(entry.quantiles()) else { continue };
            let target_end = record.event_time + i64::from(entry.h_s) * 1_000;
            let pending = Pending { zone, what, horizon_s: entry.h_s, step_ms, quantiles, last: last[what] };
            self.pending.entry(target_end).or_default().push(pending);
        }
    }

    /// Judges what ended before the pane that is being read: all records of that end are in then.
    fn judge_until(&mut self, now: i64) {
        while let Some(entry) = self.pending.first_entry() {
            if *entry.key() >= now {
                return;
            }
            let (end, due) = entry.remove_entry();
            for pending in due {
                let flow = &self.flows[pending.zone][pending.what];
                let Some((actual, last)) = flow.sum(end - pending.step_ms, end).zip(pending.last) else { continue };
                let [q10, q50, q90] = pending.quantiles;
                let score = self.scores.entry(pending.horizon_s).or_default();
                score.judged += 1;
                score.error += (q50 - actual).abs();
                score.last_value_error += (last - actual).abs();
                score.between[0] += u64::from(q10 < actual && actual < q90);
                score.between[1] += u64::from((q10..=q90).contains(&actual));
            }
        }
    }
}

impl Flow {
    /// Persons in the panes that end within `(from, to]`; nothing where one of them is a gap.
    fn sum(&self, from: i64, to: i64) -> Option<f64> {
        let place = |at: i64| self.panes.partition_point(|(end, _)| *end <= at);
        let panes = || self.panes.range(place(from)..place(to));
        let is_whole = panes().count() as i64 * self.pane_ms == to - from;
        is_whole.then(|| panes().map(|(_, persons)| persons).sum())
    }

    /// Takes a pane in; a revised one takes the place of the one before.
    fn insert(&mut self, end: i64, persons: f64) {
        if self.panes.back().is_none_or(|(last, _)| *last < end) {
            return self.panes.push_back((end, persons));
        }
        match self.panes.binary_search_by_key(&end, |(end, _)| *end) {
            Ok(place) => self.panes[place].1 = persons,
            Err(place) => self.panes.insert(place, (end, persons)),
        }
    }

    fn forget_until(&mut self, at: i64) {
        while self.panes.pop_front_if(|(end, _)| *end <= at).is_some() {}
    }
}

impl ForecastScore {
    /// Mean absolute error of the median, persons per step.
    pub fn mae(&self) -> f64 {
        self.error / self.judged.max(1) as f64
    }

    /// Mean absolute error of the last value.
    pub fn last_value_mae(&self) -> f64 {
        self.last_value_error / self.judged.max(1) as f64
    }

    /// Share within the 10–90 band: strictly, and with what lay on a bound. Counts often do, and on which side of a quantile they are nobody can say: a share of 80 % is somewhere between the two.
    pub fn within(&self) -> [f64; 2] {
        self.between.map(|between| between as f64 / self.judged.max(1) as f64)
    }
}

/// Two shares as one range; as one figure where they are the same.
fn percent([from, to]: [f64; 2]) -> String {
    let [from, to] = [from, to].map(|share| format!("{:.0}", 100.0 * share));
    if from == to { format!("{to} %") } else { format!("{from}–{to} %") }
}

impl fmt::Display for Forecasts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "forecasts     by model {}, by fallback {}", self.by_model, self.by_fallback)?;
        if self.left_out > 0 {
            write!(f, "; {} more, issued between full minutes, are not judged", self.left_out)?;
        }
        writeln!(f, "\n              horizon      judged    MAE   last value   within 10–90")?;
        for (horizon, score) in &self.scores {
            let within = percent(score.within());
            writeln!(f, "              {:>5} s  {:>10} {:>6.2} {:>12.2} {:>14}", horizon, score.judged, score.mae(), score.last_value_mae(), within)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(forecasts: &mut Forecasts, end_s: i64, persons: u32, forecast: &str) {
        let (end, from) = (end_s * 1_000, end_s * 1_000 - 30_000);
        let text = format!(r#"{{"venue":"v","kind":"zone","zone":"z","event_time":{end},"from":{from},"revision":0,"in":{persons},"forecast":[{forecast}]}}"#);
        forecasts.take(&ZoneRecord::read(text.as_bytes()).unwrap());
    }

    #[test]
    fn a_forecast_is_held_against_the_panes_of_its_target() {
        let mut forecasts = Forecasts::default();
        let issued = r#"{"h_s":60,"q10":1.0,"q50":4.0,"q90":8.0,"what":"in"}"#;
        take(&mut forecasts, 30, 0, "");
        take(&mut forecasts, 60, 2, issued);
        take(&mut forecasts, 90, 3, "");
        take(&mut forecasts, 120, 4, "");
        assert!(forecasts.scores().is_empty(), "the target's last pane may not be whole yet");
        take(&mut forecasts, 150, 9, "");
        let score = forecasts.scores()[&60];
        assert_eq!((score.judged, score.mae(), score.last_value_mae(), score.within()), (1, 3.0, 5.0, [1.0; 2]));
    }

    #[test]
    fn counts_on_a_bound_make_the_share_within_a_range() {
        let mut forecasts = Forecasts::default();
        let issued = r#"{"h_s":30,"q10":1.0,"q50":4.0,"q90":8.0,"what":"in"}"#;
        for (minute, persons) in [1, 8, 4, 4, 9].into_iter().enumerate() {
            let end = 60 * (1 + minute as i64);
            take(&mut forecasts, end, persons, issued);
            take(&mut forecasts, end + 30, persons, "");
        }
        take(&mut forecasts, 390, 0, "");
        assert_eq!(forecasts.scores()[&30].within(), [0.4, 0.8], "two on a bound, two between, one beyond");
        assert!(forecasts.to_string().contains(" 40–80 %\n"), "{forecasts}");
        assert_eq!([percent([0.801, 0.804]), percent([1.0, 1.0]), percent([0.0, 0.996])], ["80 %", "100 %", "0–100 %"]);
    }

    #[test]
    fn forecasts_that_are_not_judged_are_said_only_where_there_are_any() {
        let mut forecasts = Forecasts::default();
        let issued = r#"{"h_s":30,"q10":1.0,"q50":4.0,"q90":8.0,"what":"in"}"#;
        take(&mut forecasts, 60, 2, issued);
        assert!(forecasts.to_string().starts_with("forecasts     by model 0, by fallback 1\n"), "{forecasts}");
        take(&mut forecasts, 90, 2, issued);
        assert!(forecasts.to_string().contains("by fallback 1; 1 more, issued between full minutes, are not judged\n"), "{forecasts}");
    }

    #[test]
    fn a_forecast_of_a_step_with_a_gap_is_not_judged() {
        let mut forecasts = Forecasts::default();
        let issued = r#"{"h_s":60,"q10":1.0,"q50":4.0,"q90":8.0,"what":"in"}"#;
        take(&mut forecasts, 30, 0, "");
        take(&mut forecasts, 60, 2, issued);
        take(&mut forecasts, 120, 4, "");
        take(&mut forecasts, 150, 9, "");
        assert!(forecasts.scores().is_empty());
    }

    #[test]
    fn panes_are_found_in_whatever_order_they_and_their_zones_come() {
        let mut flow = Flow { pane_ms: 10, ..Flow::default() };
        for (end, persons) in [(10, 1.0), (20, 2.0), (40, 4.0), (30, 3.0), (20, 7.0)] {
            flow.insert(end, persons);
        }
        assert_eq!((flow.sum(10, 40), flow.sum(0, 20), flow.sum(30, 50)), (Some(14.0), Some(8.0), None));
        flow.forget_until(20);
        assert_eq!((flow.sum(20, 40), flow.sum(10, 40)), (Some(7.0), None));
        let mut forecasts = Forecasts::default();
        let text = |venue, zone| format!(r#"{{"venue":"{venue}","kind":"zone","zone":"{zone}","event_time":30,"from":0,"revision":0}}"#);
        let places = [("v", "a"), ("v", "b"), ("w", "a"), ("v", "a"), ("w", "a"), ("v", "b"), ("w", "a"), ("w", "b"), ("v", "b")];
        let ids = places.map(|(venue, zone)| forecasts.id_of(&ZoneRecord::read(text(venue, zone).as_bytes()).unwrap()));
        assert_eq!(ids, [0, 1, 2, 0, 2, 1, 2, 3, 1]);
    }
}

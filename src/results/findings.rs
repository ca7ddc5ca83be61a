//! Findings as intervals: one line each, from the onset of an alarm to its clearing, with the one time at which it came out.

use crate::alarm::{Change, ChangeKind};
use crate::detect::finding::{Code, PlaceKind};
use crate::forecast::SeriesKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingLine {
    /// The place's id.
    pub zone: String,
    /// What series it is about, where the evidence names one.
    pub what: String,
    /// Start of the first pane that led to it, epoch ms.
    pub from: i64,
    /// End of the last pane before the quiet run that ended it, and before the hours in which nothing was counted there; of the last pane of all where none did.
    pub to: i64,
    /// Event time at which it came out.
    pub detected: i64,
    /// How far it stands out, in standard deviations, where that is known; else the first figure of the evidence.
    pub score: Option<f64>,
    /// The calibrated score, where one is behind it.
    pub p: Option<f64>,
    /// What came in what stood out when it came out, persons a minute, where the evidence tells.
    pub came: Option<f64>,
    /// What was expected there, persons a minute: less than what came, or more.
    pub expected: Option<f64>,
    /// The detector.
    pub code: String,
    /// Whether it is of the venue as a whole.
    #[serde(skip)]
    pub is_of_all: bool,
}

/// The series that a finding can be about.
const SERIES: [&str; 3] = [SeriesKind::In.word(), SeriesKind::Out.word(), SeriesKind::Count.word()];

/// Where nothing was counted for so long, ms, nobody knows of it: the doors are shut, and what stood out before is over.
const UNCOUNTED_MS: i64 = 4 * 3_600_000;

/// Panes in which a place was counted, with no more than [`UNCOUNTED_MS`] between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    from: i64,
    to: i64,
}

/// What ended a finding.
#[derive(Debug)]
struct Quiet {
    venue: Box<str>,
    /// End of the first quiet pane, epoch ms, where that is told.
    since: Option<i64>,
}

/// The findings of a run.
#[derive(Debug, Default)]
pub struct Findings {
    open: BTreeMap<Box<str>, FindingLine>,
    /// Those that are over, and since when it has been quiet.
    done: Vec<(FindingLine, Quiet)>,
    /// The last event time that anything told; none so far before the first, for a table may end before 1970.
    latest: Option<i64>,
    /// By venue: how long panes are, ms, from the end of the first one on that is as long.
    panes: BTreeMap<Box<str>, BTreeMap<i64, i64>>,
    /// By venue and zone, the runs in which it was counted, oldest first; by the venue's own id those of any of its zones.
    counted: BTreeMap<Box<str>, BTreeMap<Box<str>, Vec<Run>>>,
}

impl Findings {
    /// Takes a change of an alarm in.
    pub fn take(&mut self, value: &[u8]) {
        let Ok(change) = serde_json::from_slice::<Change>(value) else { return };
        self.latest = self.latest.max(Some(change.event_time.as_millis()));
        match change.change {
            ChangeKind::Raised => {
                self.open.insert(change.alarm_id.clone(), line(&change));
            }
            ChangeKind::Cleared => {
                if let Some(mut finding) = self.open.remove(&change.alarm_id) {
                    finding.to = change.event_time.as_millis();
                    self.done.push((finding, Quiet { venue: change.venue, since: change.quiet_since.map(|quiet| quiet.as_millis()) }));
                }
            }
            _ => {}
        }
    }

    /// Lets event time pass, by a pane of `venue` from `from` to `at`. Panes and alarms come over different topics, in any order.
    pub fn pass(&mut self, venue: &str, at: i64, from: i64) {
        self.latest = self.latest.max(Some(at));
        if self.pane_ms(venue, at) != Some(at - from) {
            self.panes.entry(venue.into()).or_default().insert(at, at - from);
        }
    }

    /// A zone was counted in its pane from `from` to `at`.
    pub fn count(&mut self, venue: &str, zone: &str, at: i64, from: i64) {
        let zones = match self.counted.get_mut(venue) {
            Some(zones) => zones,
            None => self.counted.entry(venue.into()).or_default(),
        };
        for zone in [zone, venue] {
            match zones.get_mut(zone).and_then(|runs| runs.last_mut()) {
                Some(run) if from - run.to < UNCOUNTED_MS => run.to = run.to.max(at),
                _ => zones.entry(zone.into()).or_default().push(Run { from, to: at }),
            }
        }
    }

    /// When a zone was last counted before `end`, in runs.
    fn counted_until(&self, venue: &str, zone: &str, end: i64) -> i64 {
        let runs = self.counted.get(venue).and_then(|zones| zones.get(zone)).map_or(&[][..], Vec::as_slice);
        let before = runs.partition_point(|run| run.from < end);
        before.checked_sub(1).map_or(end, |last| runs[last].to.min(end))
    }

    /// How long the venue's pane is that ends at `end`.
    fn pane_ms(&self, venue: &str, end: i64) -> Option<i64> {
        self.panes.get(venue)?.range(..=end).next_back().map(|(_, length)| *length)
    }

    /// All findings, by when they came out.
    pub fn finish(mut self) -> Vec<FindingLine> {
        let mut findings: Vec<FindingLine> =
            std::mem::take(&mut self.open).into_values().map(|finding| FindingLine { to: self.latest.unwrap_or(finding.to), ..finding }).collect();
        for (finding, quiet) in std::mem::take(&mut self.done) {
            let since = quiet.since.map_or(finding.to, |end| end - self.pane_ms(&quiet.venue, end).unwrap_or(0));
            let is_of_counts = finding.code == Code::Anomaly.word();
            let to = if is_of_counts { self.counted_until(&quiet.venue, &finding.zone, since) } else { since };
            findings.push(FindingLine { to: to.max(finding.detected), ..finding });
        }
        findings.sort_by(|a, b| (a.detected, &a.zone, &a.code).cmp(&(b.detected, &b.zone, &b.code)));
        findings
    }
}

fn line(change: &Change) -> FindingLine {
    let evidence = |word: &str| change.evidence.iter().find(|evidence| &*evidence.what == word).map(|evidence| evidence.value);
    let of = |prefix: &str| {
        let series = |what: &'_ str| SERIES.into_iter().find(|series| what.strip_prefix(prefix) == Some(series));
        change.evidence.iter().find_map(|evidence| Some((series(&evidence.what)?, evidence.value)))
    };
    let flow = of("flow_");
    FindingLine {
        zone: change.place.id.to_string(),
        what: flow.map_or("", |(series, _)| series).to_owned(),
        from: first_pane(change),
        to: change.event_time.as_millis(),
        detected: change.event_time.as_millis(),
        score: evidence("score_z").or_else(|| change.evidence.first().map(|evidence| evidence.value)),
        p: evidence("score"),
        came: flow.map(|(_, persons)| persons),
        expected: of("expected_").map(|(_, persons)| persons),
        code: change.code.word().to_owned(),
        is_of_all: change.place.kind == PlaceKind::Venue,
    }
}

/// The start of the first figure that is told; of an alarm's first raising no later than its onset, for an on-delay may lie between.
fn first_pane(change: &Change) -> i64 {
    let told = change.evidence.iter().map(|evidence| evidence.from.as_millis()).min();
    let onset = (change.change_no <= 1).then_some(change.onset.as_millis());
    told.into_iter().chain(onset).min().unwrap_or(change.event_time.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn over(venue: &str, quiet_since: i64) -> (FindingLine, Quiet) {
        let line = FindingLine {
            zone: venue.to_owned(),
            what: String::new(),
            from: 0,
            to: 100 * MINUTE,
            detected: 0,
            score: None,
            p: None,
            came: None,
            expected: None,
            code: String::new(),
            is_of_all: false,
        };
        (line, Quiet { venue: venue.into(), since: Some(quiet_since) })
    }

    #[test]
    fn a_finding_ends_where_a_pane_of_its_own_venue_began() {
        let mut findings = Findings { done: vec![over("a", 30 * MINUTE), over("b", 30 * MINUTE), over("unheard", 30 * MINUTE)], ..Findings::default() };
        for end in 1..=6 {
            findings.pass("a", end * 5 * MINUTE, (end - 1) * 5 * MINUTE);
        }
        findings.pass("b", 30 * MINUTE, 0);
        let ends: Vec<i64> = findings.finish().iter().map(|finding| finding.to / MINUTE).collect();
        assert_eq!(ends, [25, 0, 30]);
    }

    #[test]
    fn what_stood_out_when_the_doors_were_shut_was_over_then_and_silence_was_not() {
        let hour = 60 * MINUTE;
        let (anomaly, quiet) = over("a", 31 * hour);
        let (blind, still) = over("a", 31 * hour);
        let done = vec![(FindingLine { code: "ANOMALY".to_owned(), ..anomaly }, quiet), (FindingLine { code: "BLIND".to_owned(), ..blind }, still)];
        let mut findings = Findings { done, ..Findings::default() };
        for end in (1..=20).chain(31..=40) {
            findings.pass("a", end * hour, (end - 1) * hour);
            findings.count("a", "a", end * hour, (end - 1) * hour);
        }
        let ends: Vec<(String, i64)> = findings.finish().into_iter().map(|finding| (finding.code, finding.to / hour)).collect();
        assert_eq!(ends, [("ANOMALY".to_owned(), 20), ("BLIND".to_owned(), 30)]);
    }

    #[test]
    fn a_finding_that_is_open_at_the_end_of_a_table_before_1970_ends_there() {
        let (line, _) = over("a", 0);
        let open = BTreeMap::from([("a".into(), FindingLine { from: -20 * MINUTE, detected: -15 * MINUTE, ..line })]);
        let mut findings = Findings { open, ..Findings::default() };
        findings.pass("a", -10 * MINUTE, -15 * MINUTE);
        findings.pass("a", -5 * MINUTE, -10 * MINUTE);
        assert_eq!(findings.finish()[0].to, -5 * MINUTE);
    }

    #[test]
    fn of_panes_of_one_length_only_the_first_is_kept() {
        let mut findings = Findings::default();
        for end in 1..=1_000 {
            findings.pass("a", end * MINUTE, (end - 1) * MINUTE);
        }
        findings.pass("a", 1_005 * MINUTE, 1_000 * MINUTE);
        assert_eq!((findings.pane_ms("a", 500 * MINUTE), findings.pane_ms("a", 1_005 * MINUTE)), (Some(MINUTE), Some(5 * MINUTE)));
        assert_eq!(findings.panes["a"].len(), 2);
    }
}

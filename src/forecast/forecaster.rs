//! The forecaster of one venue: the one face that the engine sees of all that surrounds a model.
//!
//! The idea: at each pane close the engine calls, in this order,
//!
//! ```text
//!   observe(end, counts) ─► ask(venue, end) ─► … the edge runs the models … ─► answer(&answer, zones) ─► Outlooks
//!         └─ history, usual          └─ two tensors           └─ persons, scores, what was expected
//! ```
//!
//! and then [`Forecaster::take_changed`] for the state. Everything is a function of the counts and the answers. What is usual learns a step when it is out of every window
//! that looks back (`history::lag_learnt`): nothing is to be compared with itself. Revisions that came meanwhile are in it. All else learns at the ends of steps.

mod layout;
mod stored;

use self::layout::Layout;
use super::assembly::{self, FLOW_WIDTH};
use super::calibration::Calibration;
use super::event::Excess;
use super::faces::FaceBook;
use super::fallback;
use super::features::{self, rows_for};
use super::history::{History, lag_learnt};
use super::issued::{IssuedPane, IssuedPanes};
use super::judgement::Judgement;
use super::likeness::Likeness;
use super::outlook::{OccupancyOutlook, OfAll, Outlook, Outlooks, Series};
use super::pulse::Pulse;
use super::series;
use super::sight::{Sight, unit};
use super::signs::Looking;
use super::spent_like::{self, SpentLike};
use super::state::{ScoreKind, StateKey};
use super::steps::IssuedStep;
use super::tensor;
use super::tonight::Tonight;
use super::usual::Usual;
use super::watch::{Seen, Watch};
use crate::crowd::ZoneFigures;
use crate::inference::Role;
use crate::inference::ask::{Answer, Ask, FEATURES, FLOW_FEATURES, HORIZONS, QUANTILES, STEPS, Ticket};
use crate::time::EventTime;
use crate::venue::{Venue, VenueId, ZoneId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The forecaster of one venue.
#[derive(Debug)]
pub struct Forecaster {
    layout: Layout,
    history: History,
    usual: Usual,
    excess: Excess,
    tonight: Tonight,
    faces: FaceBook,
    likeness: Likeness,
    spent_like: SpentLike,
    pulse: Pulse,
    judgement: Judgement,
    issued: IssuedPanes,
    calibrations: [Calibration; 4],
    watch: Watch,
    seen: Vec<Seen>,
    changed: BTreeSet<StateKey>,
    /// The tensors, and what they were read off; filled for `filled`.
    tensor: Arc<Vec<f32>>,
    flow: Arc<Vec<f32>>,
    sight: Sight,
    filled: Option<EventTime>,
    /// Whether it says nothing at all.
    is_silent: bool,
}

/// Below this coverage a zone's count is not whole.
const WHOLE: f64 = 0.999;

/// The raw score of a series, before calibration.
type RawScore = Option<(ScoreKind, f64)>;

impl Forecaster {
    /// The forecaster of a venue that has seen nothing yet.
    pub fn new(venue: &Venue) -> Self {
        let first = venue.version(0);
        let layout = Layout::new(venue, first);
        let size = layout.series.len();
        Self {
            history: History::new(size, venue.pane, venue.step),
            usual: Usual::new(size, i64::try_from(venue.step.as_millis()).unwrap_or(i64::MAX)),
            excess: Excess::new(size),
            tonight: Tonight::new(size),
            faces: FaceBook::new(size, venue.step),
            likeness: Likeness::default(),
            spent_like: SpentLike::default(),
            pulse: Pulse::new(size, venue.step),
            judgement: Judgement::new(venue.step, &layout.series),
            issued: IssuedPanes::default(),
            calibrations: Default::default(),
            watch: Watch::new(first, &layout.series, &layout.is_counted),
            seen: vec![Seen::default(); size],
            changed: BTreeSet::new(),
            tensor: Arc::new(vec![0.0; rows_for(size) * FEATURES]),
            flow: Arc::new(vec![0.0; rows_for(size) * FLOW_FEATURES]),
            sight: Sight::new(size),
            filled: None,
            is_silent: false,
            layout,
        }
    }

    /// One that forecasts nothing, watches over nothing and learns nothing.
    pub fn silent(venue: &Venue) -> Self {
        Self { is_silent: true, ..Self::new(venue) }
    }

    /// Forgets the panes so far, of a venue in which nobody was counted yet: its time begins again elsewhere. What is stored of them goes with the next
    /// [`Forecaster::take_changed`].
    pub fn begin_anew(&mut self, venue: &Venue, now: &Venue) {
        let mut stored = std::mem::take(&mut self.changed);
        stored.extend(self.history.ends().map(StateKey::History));
        stored.extend(self.issued.forget_until(EventTime::from_millis(i64::MAX)).into_iter().map(StateKey::Issued));
        stored.extend(self.judgement.forget_steps().into_iter().map(StateKey::Step));
        stored.extend(self.usual.slots().map(StateKey::Usual));
        stored.extend(self.judgement.parts().map(|(horizon, part)| StateKey::Hours(horizon, part)));
        stored.extend(self.judgement.weekday_here().quarters().map(StateKey::Weekday));
        stored.extend(self.faces.names().map(|(kind, slot)| StateKey::Face(kind, slot)));
        // These are learnt at every end of a step, counts or not.
        stored.extend((0..HORIZONS as u8).map(StateKey::Horizon));
        stored.extend([StateKey::Pulse, StateKey::Gathering, StateKey::Faces, StateKey::Likeness, StateKey::SpentLike, StateKey::WatchScores]);
        stored.extend(self.tonight.is_on().then_some(StateKey::Tonight));
        stored.extend(self.watch.groups().map(StateKey::WatchBudget));
        stored.extend((0..self.watch.zones() as u32).map(StateKey::WatchZone));
        stored.extend(self.watch.whole().map(|_| StateKey::WatchWhole));
        *self = Self { changed: stored, is_silent: self.is_silent, ..Self::new(venue) };
        self.reload(venue, now);
    }

    /// Goes on under the configuration `now` of `venue`: calendar and thresholds are that one's, what was learnt stays.
    pub fn reload(&mut self, venue: &Venue, now: &Venue) {
        self.layout = Layout::new(venue, now);
        let before: BTreeSet<u32> = self.watch.groups().collect();
        self.watch.reload(now, &self.layout.series, &self.layout.is_counted);
        // What is stored of a group that is none any more goes with it, or a restart would find what the running watch has forgotten.
        let gone = &before - &self.watch.groups().collect();
        self.changed.extend(gone.into_iter().map(StateKey::WatchBudget));
        self.filled = None;
    }

    /// The venue's series, in the order of rows and outlooks.
    pub fn series(&self) -> &[Series] {
        &self.layout.series
    }

    /// Reads each series' count of one pane off the crowd picture into `counts`: `None` where none of its sensors reported, or nobody counts it any more, or yet.
    pub fn read_counts(&self, zones: &[ZoneFigures], counts: &mut Vec<Option<u32>>) {
        series::read(&self.layout.series, zones, counts);
        counts.iter_mut().zip(&self.layout.is_counted).filter(|(_, is_counted)| !**is_counted).for_each(|(count, _)| *count = None);
    }

    /// Takes the counts of the pane ending at `end`, by series ([`Forecaster::read_counts`]).
    /// Panes come in order; one that is not newer than the last is ignored.
    pub fn observe(&mut self, end: EventTime, counts: &[Option<u32>]) {
        self.history.settle();
        if self.is_silent || self.history.newest().is_some_and(|newest| end <= newest) {
            return;
        }
        for skipped in self.history.skipped(end) {
            let left = self.history.advance(skipped);
            self.changed.extend(left.into_iter().map(StateKey::History));
            self.learn(skipped);
        }
        let left = self.history.push(end, counts);
        self.changed.extend(left.into_iter().map(StateKey::History));
        self.learn(end);
        self.changed.insert(StateKey::History(end));
        self.filled = None;
    }

    /// Hears how the match `id` stands in the pane ending at `end`: its start as it now stands, and whether it is over. Comes before [`Forecaster::observe`] of that pane.
    pub fn hear(&mut self, end: EventTime, id: &str, start: EventTime, is_over: bool) {
        if self.tonight.hear(&self.layout.programme, end, id, start, is_over) {
            self.changed.insert(StateKey::Tonight);
        }
    }

    /// Whether the flow model has been worse for long than what was learnt without it, and is not heard until it is better.
    pub fn is_model_off(&self) -> bool {
        self.judgement.is_model_off()
    }

    /// Another model speaks in that role from now on: what is known of how the one before fared says nothing of it.
    pub fn judge_anew(&mut self, role: Role) {
        match role {
            Role::Flow => {
                let steps = self.judgement.judge_model_anew();
                self.changed.extend(steps.into_iter().map(StateKey::Step));
                self.changed.extend((0..HORIZONS as u8).map(StateKey::Horizon));
            }
            Role::Anomaly => {
                for kind in [ScoreKind::ModelCold, ScoreKind::ModelWarm] {
                    self.calibrations[kind as usize] = Calibration::default();
                    self.changed.insert(StateKey::Calibration(kind));
                }
            }
        }
    }

    /// Corrects the count of the series at position `series` in the pane ending at `end` by `delta` persons, because a late event came. What was issued stays as it was.
    pub fn revise(&mut self, end: EventTime, series: usize, delta: i64) {
        if self.history.revise(end, series, delta) {
            self.changed.insert(StateKey::History(end));
            self.filled = None;
        }
    }

    /// The request for the pane ending at `end`, the newest that was observed. The tensor's memory is used again if the last request is gone by then.
    pub fn ask(&mut self, venue: VenueId, end: EventTime) -> Ask {
        self.fill(end);
        let rows = if self.is_silent { 0 } else { rows_for(self.layout.series.len()) };
        Ask { ticket: Ticket { venue, pane: end }, rows, features: Arc::clone(&self.tensor), flow: Arc::clone(&self.flow), calls: Default::default() }
    }

    /// Turns the answer into outlooks, and learns from it: scores, what was expected, how wrong it was. `zones` is the picture of the same pane, for the head counts.
    pub fn answer(&mut self, answer: &Answer, zones: &[ZoneFigures]) -> Outlooks {
        let end = answer.ticket.pane;
        if self.is_silent {
            let series = self.layout.series.iter().copied().map(Outlook::silent).collect();
            return Outlooks { issued: end, series, occupancy: Vec::new(), of_all: None };
        }
        self.fill(end);
        let mut outlooks = self.read(answer, end);
        let raw = self.raw_scores(answer, &outlooks);
        self.score(&mut outlooks, &raw);
        if self.layout.calendar.is_step_end(end) {
            self.watch_step(end, zones, &outlooks, &raw);
        }
        for (row, verdict) in self.watch.verdicts() {
            if let Some(outlook) = outlooks.get_mut(row).filter(|outlook| outlook.actual_last.is_some()) {
                outlook.watch = Some(*verdict);
            }
        }
        self.keep_issued(end, &outlooks);
        let occupancy = self.occupancy(&outlooks, zones);
        let of_all = self.watch.of_all().map(|(kind, verdict)| OfAll { kind, verdict: *verdict });
        Outlooks { issued: end, series: outlooks, occupancy, of_all }
    }

    /// Where a step ends at `end`, everything learns from it.
    fn learn(&mut self, end: EventTime) {
        let Layout { calendar, step, series, .. } = &self.layout;
        if !calendar.is_step_end(end) {
            return;
        }
        let size = series.len();
        let came = |series: usize| self.history.lag(0, series).map(|persons| persons as f64);
        let target = self.layout.target(end.before(*step));
        let gone = self.judgement.learn(end, target, size, came, &mut self.pulse);
        self.changed.extend(gone.into_iter().map(StateKey::Step));
        self.changed.extend(self.judgement.touched(target.between).map(|(horizon, part)| StateKey::Hours(horizon, part)));
        self.changed.extend(self.judgement.weekday_here().quarter(target.quarter()).map(|_| StateKey::Weekday(target.quarter())));
        self.changed.extend((0..HORIZONS as u8).map(StateKey::Horizon));
        let looking = self.looking();
        let usual = looking.expected(end.before(*step));
        let usual: Vec<Option<f64>> = (0..size).map(|series| usual.of(series).map(|level| level.persons)).collect();
        let went_on = looking.went_on(end);
        went_on.into_iter().for_each(|(series, went_on)| self.pulse.stood(series, went_on));
        if calendar.dawns(end.before(step.times(2)), end.before(*step)) {
            self.pulse.dawn();
        }
        let is_or_was_on = self.tonight.is_on() | self.tonight.turn_to(&self.layout.programme, end);
        for (series, usual) in usual.into_iter().enumerate() {
            match self.history.lag(0, series) {
                Some(came) => {
                    self.pulse.count(series, came as f64, usual);
                    self.tonight.count(end, series, came as f64 - usual.unwrap_or(0.0));
                }
                None => self.pulse.pass(series),
            }
        }
        if is_or_was_on {
            self.changed.insert(StateKey::Tonight);
        }
        let start = end.before(*step);
        if self.layout.programme.at(start).is_none() {
            self.spent_like.see(&spent_like::Step { calendar, usual: &self.usual, start, length: *step }, &self.pulse, came);
            if !self.faces.is_of_holiday(calendar, start) {
                self.likeness.see(&self.faces, self.faces.when(calendar, start), size, came);
            }
            self.changed.extend([StateKey::SpentLike, StateKey::Likeness]);
        }
        let lag = lag_learnt(*step);
        self.learn_usual(end.before(step.times(lag as u64 + 1)), lag);
        self.changed.extend([StateKey::Pulse, StateKey::Gathering]);
    }

    /// The step that began at `start`, so many before the newest, is learnt: in the time of a match only what the match does not explain.
    fn learn_usual(&mut self, start: EventTime, lag: usize) {
        let Layout { calendar, programme, series, .. } = &self.layout;
        let place = calendar.place(start);
        let moment = programme.at(start);
        let came = |series: usize| self.history.lag(lag, series).map(|persons| persons as f64);
        let mut ordinary: Vec<Option<f64>> = (0..series.len()).map(came).collect();
        if let Some(moment) = moment {
            let usual = self.usual.level(place);
            for (series, came) in ordinary.iter_mut().enumerate() {
                let Some(persons) = *came else { continue };
                *came = self.excess.of(moment, series).map(|added| (persons - added).max(0.0));
                if let Some(usual) = usual.of(series) {
                    self.excess.learn(moment, series, persons, usual.persons);
                }
            }
            self.changed.insert(StateKey::Excess);
        }
        let learnt = self.usual.learn(place, |series| ordinary[series]);
        self.changed.extend(learnt.into_iter().map(StateKey::Usual));
        let when = self.faces.when(calendar, start);
        let is_last = self.faces.when(calendar, start.after(self.layout.step)) != when;
        let is_counted = !self.faces.is_of_holiday(calendar, start);
        let learnt = self.faces.learn(when, is_last, |series| ordinary[series].filter(|_| is_counted));
        self.changed.extend(learnt.into_iter().map(|(kind, slot)| StateKey::Face(kind, slot)));
        self.changed.insert(StateKey::Faces);
    }

    fn looking(&self) -> Looking<'_> {
        let Layout { calendar, step, programme, opposites, .. } = &self.layout;
        let Self { history, usual, excess, tonight, faces, likeness, spent_like, pulse, .. } = self;
        Looking { history, usual, programme, excess, tonight, opposites, faces, likeness, spent_like, pulse, calendar, step: *step }
    }

    fn fill(&mut self, end: EventTime) {
        if self.is_silent || self.filled == Some(end) {
            return;
        }
        self.history.settle();
        if Arc::get_mut(&mut self.tensor).is_none() {
            // The last request is still held somewhere; it keeps its memory.
            self.tensor = Arc::new(vec![0.0; rows_for(self.layout.series.len()) * FEATURES]);
        }
        if Arc::get_mut(&mut self.flow).is_none() {
            self.flow = Arc::new(vec![0.0; rows_for(self.layout.series.len()) * FLOW_FEATURES]);
        }
        let Layout { calendar, step, .. } = &self.layout;
        let mut sight = std::mem::take(&mut self.sight);
        self.looking().fill(end, &mut sight);
        self.sight = sight;
        self.judgement.turn_to(end, STEPS.map(|steps| self.layout.target(end.after(step.times(u64::from(steps) - 1)))));
        if let Some(rows) = Arc::get_mut(&mut self.tensor) {
            let before = self.issued.at(end.before(*step));
            features::fill(end, &self.sight, |series| before?.expected(series), calendar, *step, rows);
        }
        if let Some(rows) = Arc::get_mut(&mut self.flow) {
            tensor::fill(end, &self.sight, &self.judgement.learners(), calendar, *step, rows);
        }
        self.filled = Some(end);
    }

    fn read(&mut self, answer: &Answer, end: EventTime) -> Vec<Outlook> {
        let Layout { series, step, calendar, .. } = &self.layout;
        let size = series.len();
        let flow = answer.flow.of_length(rows_for(size) * FLOW_WIDTH);
        let before = self.issued.at(end.before(*step));
        let is_step_end = calendar.is_step_end(end);
        let Sight { signs, scale, size: sizes, unrest, .. } = &self.sight;
        let mut issued = is_step_end.then(|| IssuedStep::new(size, signs, scale, sizes, unrest));
        let of_series = |(row, series): (usize, &Series)| {
            let scale = f64::from(self.sight.scale[row]);
            // With every lag missing a model has nothing to go by; what is usual speaks, if anything does.
            let heard = flow.filter(|_| self.sight.recent[row].came.iter().any(Option::is_some));
            let mut outlook = Outlook::silent(*series);
            if !self.layout.is_counted[row] {
                return outlook;
            }
            outlook.horizons.reserve_exact(HORIZONS);
            for horizon in 0..HORIZONS {
                let model = heard
                    .zip(self.sight.plain_of(row, horizon))
                    .and_then(|(flow, plain)| assembly::from_model(&flow[row * FLOW_WIDTH + horizon * QUANTILES..][..QUANTILES], plain, unit(scale, plain)));
                if let Some(said) = self.judgement.say(&self.sight, row, horizon, model, issued.as_mut()) {
                    outlook.by_model |= said.by_model;
                    outlook.horizons.push(assembly::horizon(*step, horizon, said.expected, said.quantiles));
                }
            }
            if outlook.horizons.len() < HORIZONS {
                outlook.horizons.clear();
            }
            outlook.band_last = before.and_then(|issued| issued.quantiles(row));
            outlook.expected_last = before.and_then(|issued| issued.expected(row));
            outlook.usual_last = self.sight.own_usual_of_last(row);
            outlook.scale_last = outlook.expected_last.map(|expected| unit(scale, expected));
            outlook.actual_last = self.sight.came(row, 0);
            outlook
        };
        let outlooks = series.iter().enumerate().map(of_series).collect();
        if let Some(issued) = issued {
            self.judgement.keep(end, issued);
            self.changed.insert(StateKey::Step(end));
        }
        outlooks
    }

    fn raw_scores(&self, answer: &Answer, outlooks: &[Outlook]) -> Vec<RawScore> {
        let rows = rows_for(outlooks.len());
        let said = answer.anomaly.of_length(rows);
        let raw = |(row, outlook): (usize, &Outlook)| {
            let actual = outlook.actual_last?;
            let of_model = said.map(|scores| f64::from(scores[row])).filter(|score| score.is_finite());
            let sigma = |expected: f64| fallback::MEAN_TO_SIGMA * unit(self.pulse.scale(row), expected);
            let score = of_model.or_else(|| outlook.expected_last.map(|expected| fallback::oddity(actual, expected, sigma(expected))))?;
            Some((ScoreKind::of(of_model.is_some(), self.sight.usual_of_last(row).is_some()), score))
        };
        outlooks.iter().enumerate().map(raw).collect()
    }

    /// Judges the scores by the panes before, then counts them.
    fn score(&mut self, outlooks: &mut [Outlook], raw: &[RawScore]) {
        for kind in ScoreKind::ALL {
            let calibration = &mut self.calibrations[kind as usize];
            let of_kind = |raw: &RawScore| raw.filter(|(of, _)| *of == kind).map(|(_, score)| score);
            if !raw.iter().any(|raw| of_kind(raw).is_some()) {
                continue;
            }
            let judge = calibration.judge();
            for (row, outlook) in outlooks.iter_mut().enumerate() {
                let warm = f64::from(calibration.panes()) >= self.layout.warm_up_panes[row];
                if let Some(score) = of_kind(&raw[row]).filter(|_| warm) {
                    outlook.score = Some(judge.share_above(score));
                }
            }
            calibration.learn(raw.iter().filter_map(of_kind));
            self.changed.insert(StateKey::Calibration(kind));
        }
    }

    /// Where a step ends at `end`, the watch takes it in. A zone of which a part was silent cannot be said to be empty, so it is not judged.
    fn watch_step(&mut self, end: EventTime, zones: &[ZoneFigures], outlooks: &[Outlook], raw: &[RawScore]) {
        let (calendar, start) = (&self.layout.calendar, end.before(self.layout.step));
        let place = calendar.place(start);
        let (levels, week) = (self.usual.level(place), self.usual.week(place));
        // After midnight a night of another kind of day goes on, of which the level is not.
        let when = Some(self.faces.when(calendar, start)).filter(|when| when.kind == place.kind && !self.faces.is_of_holiday(calendar, start));
        let without_surges = |row: usize, level: f64| {
            let of_slot = when.zip(week.of_kind(row));
            of_slot.map_or(level, |(when, of_slot)| self.faces.without_surges(when, row, level, of_slot))
        };
        for (row, (seen, series)) in self.seen.iter_mut().zip(&self.layout.series).enumerate() {
            let is_whole = zones.get(series.zone.index()).is_none_or(|zone| zone.expected == 0 || zone.coverage >= WHOLE);
            let usual = levels.of(row).map(|level| (without_surges(row, level.persons), level.taught.figure()));
            let learnt = raw[row].filter(|(kind, _)| kind.is_by_model()).and(outlooks[row].score);
            let weekday = usual.map(|(persons, _)| week.shifted(row, persons).max(0.0));
            *seen = Seen { came: self.sight.came(row, 0).filter(|_| is_whole), usual, weekday, occasion: None, learnt };
        }
        let learnt = self.watch.take(end, &mut self.seen);
        self.changed.insert(StateKey::WatchScores);
        self.changed.extend(self.watch.groups().map(StateKey::WatchBudget));
        self.changed.extend((0..self.watch.zones() as u32).map(StateKey::WatchZone));
        self.changed.extend(self.watch.whole().map(|_| StateKey::WatchWhole));
        self.changed.extend(learnt.map(|bin| StateKey::WatchOccasion(bin as u32)));
    }

    fn keep_issued(&mut self, end: EventTime, outlooks: &[Outlook]) {
        let next = |outlook: &Outlook| outlook.horizons.first().map(|horizon| [horizon.q10, horizon.q50, horizon.q90, horizon.expected]);
        self.issued.keep(end, IssuedPane::new(outlooks.iter().map(next)));
        let gone = self.issued.forget_until(end.before(self.layout.step));
        self.changed.extend(gone.into_iter().map(StateKey::Issued));
        self.changed.insert(StateKey::Issued(end));
    }

    fn occupancy(&self, outlooks: &[Outlook], zones: &[ZoneFigures]) -> Vec<OccupancyOutlook> {
        let of_zone = |(zone, inwards, outwards): &(ZoneId, usize, usize)| {
            let now = zones.get(zone.index())?.occupancy.as_ref()?;
            assembly::occupancy(*zone, now, &outlooks[*inwards], &outlooks[*outwards], self.layout.step)
        };
        self.layout.balanced.iter().filter_map(of_zone).collect()
    }
}

#[cfg(test)]
#[path = "forecaster_tests.rs"]
mod tests;

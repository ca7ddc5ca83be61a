//! The forecaster of one venue: the one face that the engine sees of all that surrounds a model.
//!
//! The idea: at each pane close the engine calls, in this order,
//!
//! ```text
//!   observe(end, counts) ─► ask(venue, end) ─► … the edge runs the models … ─► answer(&answer, zones) ─► Outlooks
//!         └─ history, profile        └─ one tensor            └─ persons, scores, what was expected
//! ```
//!
//! and then [`Forecaster::take_changed`] for the state. Everything is a function of the counts and the answers. The profile learns a step when the next one is
//! complete: until then some window that is compared with its slot overlaps it, and nothing is to be compared with itself. Revisions that came meanwhile are in it.

use super::assembly::{self, FLOW_WIDTH};
use super::calendar::Calendar;
use super::calibration::Calibration;
use super::fallback::{self, ErrorScales};
use super::features::{Basis, View, rows_for};
use super::history::{History, HistoryPane};
use super::issued::{IssuedMedians, IssuedPane};
use super::outlook::{OccupancyOutlook, Outlook, Outlooks, Series, SeriesKind};
use super::profile::{ProfileSlot, SeasonalProfile};
use super::series;
use super::state::{RestoreError, ScoreKind, StateKey};
use super::watch::verdict::ZoneWatch;
use super::watch::{Seen, Watch};
use crate::crowd::ZoneFigures;
use crate::inference::ask::{Answer, Ask, FEATURES, Outcome, Ticket};
use crate::time::{EventTime, Span};
use crate::venue::{Venue, VenueId, ZoneId};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The forecaster of one venue.
#[derive(Debug)]
pub struct Forecaster {
    layout: Layout,
    history: History,
    profile: SeasonalProfile,
    issued: IssuedMedians,
    scales: ErrorScales,
    calibrations: [Calibration; 4],
    watch: Watch,
    seen: Vec<Seen>,
    changed: BTreeSet<StateKey>,
    /// The tensor, and what it was computed from; filled for `filled`.
    tensor: Arc<Vec<f32>>,
    basis: Vec<Basis>,
    filled: Option<EventTime>,
}

/// What the venue's configuration decides.
#[derive(Debug)]
struct Layout {
    series: Vec<Series>,
    /// Zones whose head count follows from their flows, with the rows of `In` and `Out`.
    balanced: Vec<(ZoneId, usize, usize)>,
    /// By series: in how many panes scores must have been counted before one is given out.
    warm_up_panes: Vec<f64>,
    calendar: Calendar,
    step: Span,
}

/// Below this coverage a zone's count is not whole.
const WHOLE: f64 = 0.999;

/// The raw score of a series, before calibration.
type RawScore = Option<(ScoreKind, f64)>;

impl Forecaster {
    /// The forecaster of a venue that has seen nothing yet.
    pub fn new(venue: &Venue) -> Self {
        let layout = Layout::new(venue);
        let size = layout.series.len();
        Self {
            history: History::new(size, venue.pane, venue.step),
            profile: SeasonalProfile::new(size),
            issued: IssuedMedians::default(),
            scales: ErrorScales::new(size),
            calibrations: Default::default(),
            watch: Watch::new(venue, &layout.series),
            seen: vec![Seen::default(); size],
            changed: BTreeSet::new(),
            tensor: Arc::new(vec![0.0; rows_for(size) * FEATURES]),
            basis: vec![Basis::default(); size],
            filled: None,
            layout,
        }
    }

    /// The venue's series, in the order of rows and outlooks.
    pub fn series(&self) -> &[Series] {
        &self.layout.series
    }

    /// Takes the counts of the pane ending at `end`, by series; `None` where none of its sensors reported ([`series::read`] reads them off the picture).
    /// Panes come in order; one that is not newer than the last is ignored.
    pub fn observe(&mut self, end: EventTime, counts: &[Option<u32>]) {
        self.history.settle();
        if self.history.newest().is_some_and(|newest| end <= newest) {
            return;
        }
        for skipped in self.history.skipped(end) {
            let left = self.history.advance(skipped);
            self.changed.extend(left.into_iter().map(StateKey::History));
            self.learn_step_before(skipped);
        }
        let left = self.history.push(end, counts);
        self.changed.extend(left.into_iter().map(StateKey::History));
        self.learn_step_before(end);
        self.changed.insert(StateKey::History(end));
        self.filled = None;
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
        Ask { ticket: Ticket { venue, pane: end }, rows: rows_for(self.layout.series.len()), features: Arc::clone(&self.tensor) }
    }

    /// Turns the answer into outlooks, and learns from it: scores, what was expected, how wrong it was. `zones` is the picture of the same pane, for the head counts.
    pub fn answer(&mut self, answer: &Answer, zones: &[ZoneFigures]) -> Outlooks {
        let end = answer.ticket.pane;
        self.fill(end);
        let (mut outlooks, raw) = self.read(answer, end);
        self.score(&mut outlooks, &raw);
        if self.layout.calendar.is_step_end(end) {
            self.learn_errors(&outlooks);
            self.watch_step(end, zones);
        }
        for (row, verdict) in self.watch.verdicts() {
            if let Some(outlook) = outlooks.get_mut(row).filter(|outlook| outlook.actual_last.is_some()) {
                outlook.watch = Some(*verdict);
            }
        }
        self.keep_medians(end, &outlooks);
        let occupancy = self.occupancy(&outlooks, zones);
        Outlooks { issued: end, series: outlooks, occupancy }
    }

    /// What has changed since the last call: the entry's name, and its bytes or `None` where it is gone. In the order of the names' kinds.
    pub fn take_changed(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|key| (key.to_string(), self.encoded(key))).collect()
    }

    /// Takes a stored entry back, in any order with the others and before the first pane is observed.
    ///
    /// # Errors
    /// When the name is unknown, the bytes cannot be read, or they belong to another set of series.
    pub fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), RestoreError> {
        let parsed = StateKey::parse(key).ok_or_else(|| RestoreError::UnknownKey { key: key.to_owned() })?;
        let size = self.layout.series.len();
        let fits = match parsed {
            StateKey::History(_) => self.history.restore(&decoded::<HistoryPane>(key, value)?),
            StateKey::Issued(end) => {
                let pane: IssuedPane = decoded(key, value)?;
                let fits = pane.series() == size;
                self.issued.keep(end, pane);
                fits
            }
            StateKey::Profile(slot) => self.profile.restore(slot, decoded::<ProfileSlot>(key, value)?),
            StateKey::Scales => {
                self.scales = decoded(key, value)?;
                self.scales.series() == size
            }
            StateKey::Calibration(kind) => {
                self.calibrations[kind as usize] = decoded(key, value)?;
                self.calibrations[kind as usize].is_sound()
            }
            StateKey::WatchScores => self.watch.restore_scores(decoded(key, value)?),
            StateKey::WatchBudget(group) => self.watch.restore_budget(group as usize, decoded(key, value)?),
            StateKey::WatchZone(zone) => self.watch.restore_zone(zone as usize, decoded::<ZoneWatch>(key, value)?),
            StateKey::WatchOccasion(bin) => self.watch.occasions_mut().restore(bin as usize, decoded(key, value)?),
        };
        self.filled = None;
        if fits { Ok(()) } else { Err(RestoreError::OtherLayout { key: key.to_owned(), series: size }) }
    }

    /// Where a step ends at `end`, the one before it is learned.
    fn learn_step_before(&mut self, end: EventTime) {
        if !self.layout.calendar.is_step_end(end) {
            return;
        }
        let slot = self.layout.calendar.slot(end.before(self.layout.step.times(2)));
        if self.profile.absorb(slot, |series| self.history.lag(1, series)) {
            self.changed.insert(StateKey::Profile(slot));
        }
    }

    fn fill(&mut self, end: EventTime) {
        if self.filled == Some(end) {
            return;
        }
        self.history.settle();
        if Arc::get_mut(&mut self.tensor).is_none() {
            // The last request is still held somewhere; it keeps its memory.
            self.tensor = Arc::new(vec![0.0; rows_for(self.layout.series.len()) * FEATURES]);
        }
        if let Some(rows) = Arc::get_mut(&mut self.tensor) {
            let Layout { calendar, step, .. } = &self.layout;
            View { history: &self.history, profile: &self.profile, calendar, step: *step }.fill(end, rows, &mut self.basis);
        }
        self.filled = Some(end);
    }

    fn read(&self, answer: &Answer, end: EventTime) -> (Vec<Outlook>, Vec<RawScore>) {
        let rows = rows_for(self.layout.series.len());
        let flow = answer.flow.of_length(rows * FLOW_WIDTH);
        let said_of = |outcome: &Outcome, row: usize| outcome.of_length(rows).map(|scores| f64::from(scores[row])).filter(|score| score.is_finite());
        let before = self.issued.at(end.before(self.layout.step));
        let of_series = |(row, (series, basis)): (usize, (&Series, &Basis))| {
            // With every lag missing a model has nothing to go by; what is usual speaks, if anything does.
            let by_model = flow.filter(|_| basis.mean.is_some()).and_then(|flow| assembly::from_model(&flow[row * FLOW_WIDTH..][..FLOW_WIDTH], basis));
            let quantiles = by_model.or_else(|| fallback::quantiles(basis, &self.scales, row));
            let expected_last = before.and_then(|issued| issued.get(row));
            let outlook = Outlook {
                series: *series,
                horizons: quantiles.map(|quantiles| assembly::horizons(&quantiles, self.layout.step)).unwrap_or_default(),
                by_model: by_model.is_some(),
                score: None,
                watch: None,
                expected_last,
                usual_last: basis.usual,
                actual_last: basis.last,
            };
            let raw = basis.last.and_then(|actual| {
                let of_model = said_of(&answer.anomaly, row);
                let score = of_model.or_else(|| expected_last.map(|expected| fallback::oddity(actual, expected, self.scales.sigma(row, expected))))?;
                Some((ScoreKind::of(of_model.is_some(), basis.usual.is_some()), score))
            });
            (outlook, raw)
        };
        self.layout.series.iter().zip(&self.basis).enumerate().map(of_series).unzip()
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

    fn learn_errors(&mut self, outlooks: &[Outlook]) {
        for (row, outlook) in outlooks.iter().enumerate() {
            if let Some((expected, actual)) = outlook.expected_last.zip(outlook.actual_last) {
                self.scales.learn(row, expected, actual);
                self.changed.insert(StateKey::Scales);
            }
        }
    }

    /// Where a step ends at `end`, the watch takes it in. A zone of which a part was silent cannot be said to be empty, so it is not judged.
    fn watch_step(&mut self, end: EventTime, zones: &[ZoneFigures]) {
        let slot = self.profile.slot(self.layout.calendar.slot(end.before(self.layout.step)));
        for (row, (seen, series)) in self.seen.iter_mut().zip(&self.layout.series).enumerate() {
            let is_whole = zones.get(series.zone.index()).is_none_or(|zone| zone.expected == 0 || zone.coverage >= WHOLE);
            let usual = slot.and_then(|slot| slot.get(row)).map(|(usual, days)| (usual, f64::from(days)));
            *seen = Seen { came: self.basis[row].last.filter(|_| is_whole), usual, occasion: None };
        }
        let learnt = self.watch.take(end, &mut self.seen);
        self.changed.insert(StateKey::WatchScores);
        self.changed.extend((0..self.watch.groups() as u32).map(StateKey::WatchBudget));
        self.changed.extend((0..self.watch.zones() as u32).map(StateKey::WatchZone));
        self.changed.extend(learnt.map(|bin| StateKey::WatchOccasion(bin as u32)));
    }

    fn keep_medians(&mut self, end: EventTime, outlooks: &[Outlook]) {
        let medians = outlooks.iter().map(|outlook| outlook.horizons.first().map(|horizon| horizon.q50));
        self.issued.keep(end, IssuedPane::new(medians));
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

    /// The bytes of one entry; `None` where it is gone. What serde is given here always encodes.
    fn encoded(&self, key: StateKey) -> Option<Vec<u8>> {
        match key {
            StateKey::History(end) => self.history.pane(end).and_then(|pane| postcard::to_stdvec(&pane).ok()),
            StateKey::Issued(end) => self.issued.at(end).and_then(|pane| postcard::to_stdvec(pane).ok()),
            StateKey::Profile(slot) => self.profile.slot(slot).and_then(|slot| postcard::to_stdvec(slot).ok()),
            StateKey::Scales => postcard::to_stdvec(&self.scales).ok(),
            StateKey::Calibration(kind) => postcard::to_stdvec(&self.calibrations[kind as usize]).ok(),
            StateKey::WatchScores => postcard::to_stdvec(self.watch.scores()).ok(),
            StateKey::WatchBudget(group) => self.watch.budget(group as usize).and_then(|budget| postcard::to_stdvec(budget).ok()),
            StateKey::WatchZone(zone) => self.watch.zone(zone as usize).and_then(|zone| postcard::to_stdvec(zone).ok()),
            StateKey::WatchOccasion(bin) => self.watch.occasions().bin(bin as usize).and_then(|bin| postcard::to_stdvec(bin).ok()),
        }
    }
}

impl Layout {
    fn new(venue: &Venue) -> Self {
        let series = series::of(venue);
        let row = |zone: ZoneId, kind: SeriesKind| series.iter().position(|series| *series == Series { zone, kind });
        let closed = venue.zones.iter().enumerate().filter(|(_, zone)| zone.closed).map(|(index, _)| ZoneId::from(index));
        let balanced = closed.filter_map(|zone| Some((zone, row(zone, SeriesKind::In)?, row(zone, SeriesKind::Out)?))).collect();
        let warm_up = |series: &Series| venue.zones.get(series.zone.index()).map_or(f64::NAN, |zone| zone.profile.value("anomaly.warm_up_panes"));
        let warm_up_panes = series.iter().map(warm_up).collect();
        Self { balanced, warm_up_panes, series, calendar: Calendar::new(venue.time_zone, venue.step), step: venue.step }
    }
}

fn decoded<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, RestoreError> {
    postcard::from_bytes(value).map_err(|fault| RestoreError::Unreadable { key: key.to_owned(), why: fault.to_string() })
}

#[cfg(test)]
#[path = "forecaster_tests.rs"]
mod tests;

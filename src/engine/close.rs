//! Closing a pane: the one moment at which state, detectors and alarms move.
//!
//! ```text
//!  commands due ─► late arrivals revise ─► crowd picture ─► features ─► ask the models ┄┄ answer ┄┄► forecast ─► findings ─► alarms ─► outputs
//!  └────────────────────────── begin ─────────────────────────────────────────┘         └──────────────── finish ─────────────────────────┘
//! ```
//!
//! Between the two halves the edge runs the models; the venue takes records meanwhile, into panes that are still open.

use super::closed::ClosedPane;
use super::effects::{Alert, Effects, OutRecord, OutTopic};
use super::journal::Entry;
use super::publish::{self, SourceShare};
use super::refuse;
use super::reload::{is_gone, of_what_is_there};
use super::revise::Part;
use super::settings::Settings;
use super::site::Site;
use crate::alarm::{At, Change};
use crate::crowd::{Phase, TotalBases, VenueFigures};
use crate::detect::{self, ModelsSeen, Scene, WrongClock};
use crate::forecast::attendance;
use crate::inference::podium::Heard;
use crate::inference::{Answer, ModelCardRef, Outcome, Role};
use crate::time::{EventTime, Span};
use crate::venue::{Feed, Measures, SensorId, Venue};
use crate::window::PaneContent;

/// A pane whose picture stands and whose models have been asked.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) end: EventTime,
    pub(super) content: PaneContent,
    pub(super) bases: TotalBases,
    pub(super) figures: VenueFigures,
    /// Late events of this very pane: they revise it as soon as it has closed, for what is late never enters revision 0.
    pub(super) late: Vec<Part>,
}

impl Site {
    /// The end of the next pane, if it may close now.
    pub(super) fn next_close(&self, venue: &Venue) -> Option<EventTime> {
        if self.waiting.is_some() || self.awaits_journal(venue) {
            return None;
        }
        let end = if self.closed_to == EventTime::MIN { self.open.first()? } else { venue.pane.next(self.closed_to) };
        if self.ended {
            return (end <= self.last_happened(venue)?).then_some(end);
        }
        (self.watermark(venue) >= end && !self.owes_fast(venue, end)).then_some(end)
    }

    /// Closes the pane ending at `end` as far as the request to the models. `base` knows all configurations of the venue, for a late event may be of an earlier one.
    pub(super) fn begin_close(&mut self, base: &Venue, end: EventTime, effects: &mut Effects) {
        let venue = base.version(self.version);
        for refused in self.place_commands(venue, end, effects) {
            effects.records.push(refuse::command(venue, &refused));
        }
        let mut pane = self.open.close(venue, end);
        let late = self.revise_past(base, end, std::mem::take(&mut pane.late), &mut pane.content, effects);
        for (latest, heard) in self.heard.iter_mut().zip(&pane.content.heard) {
            *latest = (*latest).max(heard.unwrap_or(EventTime::MIN));
        }
        self.follow_clocks(venue, end, &pane.content);
        let ages = self.ages(venue, end);
        let bases = self.crowd.bases(&pane.content);
        let figures = self.crowd.close(venue, &self.topology, end, &pane.content, ages);
        // They are large, and the physics has taken what it needs.
        pane.content.snapshots.clear();
        self.forecaster.read_counts(&figures.zones, &mut self.counts);
        for (count, series) in self.counts.iter_mut().zip(self.forecaster.series()) {
            count.take_if(|_| publish::is_unheard(venue, &self.topology, &figures, series.zone, series.kind));
        }
        if let Some(night) = &figures.night {
            self.forecaster.hear(end, &night.match_id, night.kick_off, figures.phase == Phase::After);
        }
        self.forecaster.observe(end, &self.counts);
        let mut ask = self.forecaster.ask(self.id, end);
        self.podium_dirty |= self.podium.turn_to(end);
        ask.calls = self.calls(end);
        self.waiting = Some(Waiting { end, content: pane.content, bases, figures, late });
        self.dirty = true;
        effects.asks.push(ask);
    }

    /// Goes on with what the models answered.
    pub(super) fn finish_close(&mut self, base: &Venue, answer: &Answer, settings: &Settings, effects: &mut Effects) {
        let Some(Waiting { end, content, bases, figures, late }) = self.waiting.take_if(|waiting| waiting.end == answer.ticket.pane) else { return };
        let journaled = self.journal.is_some().then(|| self.as_journaled(answer));
        let answer = journaled.as_ref().unwrap_or(answer);
        let venue = base.version(self.version);
        // In a replay nobody may be asked where live had none, whatever this instance has.
        let calls = self.calls(end);
        let at_hand = |role: Role, configured: &Option<ModelCardRef>| configured.clone().filter(|_| !calls[role as usize].nobody);
        let at_hand = [at_hand(Role::Flow, &settings.flow), at_hand(Role::Anomaly, &settings.anomaly)];
        self.hear_who_spoke(venue, answer, &at_hand, effects);
        self.note_missed(venue, answer, effects);
        let mut outlooks = self.forecaster.answer(answer, &figures.zones);
        attendance::bound(&mut outlooks, venue, &figures);
        self.closed_to = end;
        self.coverage = figures.coverage;
        let clocks: Vec<WrongClock> = self.clocks.values().copied().collect();
        let spoke = |outcome: &Outcome| matches!(outcome, Outcome::Ran(_));
        let is_expected = |role: Role| at_hand[role as usize].is_some() || self.podium.is_ordered(role);
        let models = ModelsSeen {
            flow: is_expected(Role::Flow).then(|| spoke(&answer.flow) && !self.forecaster.is_model_off()),
            anomaly: is_expected(Role::Anomaly).then(|| spoke(&answer.anomaly)),
        };
        let scene = Scene {
            venue,
            figures: &figures,
            outlooks: &outlooks.series,
            of_all: outlooks.of_all.as_ref(),
            models,
            clocks: &clocks,
            pane_start: venue.pane.start(end),
            end,
        };
        let findings = of_what_is_there(venue, detect::detect(&scene));
        let at = At { venue: &venue.id, event_time: end, watermark: end, coverage: figures.coverage };
        let mut changes = self.alarms.expire(&at, self.reached(venue));
        changes.extend(self.alarms.end_where(&at, |place| is_gone(venue, place)));
        let judged = self.judged_at(end);
        changes.extend(self.alarms.assess_rest(&at, &findings, &judged, venue.pane.start(end)));
        self.send(venue, changes, effects);
        publish::pane(venue, &self.topology, &figures, &outlooks, &self.shares(venue, end), self.podium.spoke(Role::Flow), effects);
        self.forget(venue, end);
        if venue.keep_panes >= venue.pane.span() {
            self.closed.insert(end, ClosedPane { content, bases, figures, by: self.in_force.clone(), revisions: vec![0; venue.zones.len()] });
            self.closed_changed.push(end);
        }
        self.revise(base, late, effects);
    }

    /// Sends alarm changes: on the alert lane at once, and in the transaction.
    pub(super) fn send(&mut self, venue: &Venue, changes: Vec<Change>, effects: &mut Effects) {
        for change in changes {
            let value = serde_json::to_vec(&change).unwrap_or_default();
            let key = change.alarm_id.as_bytes().to_vec();
            effects.alerts.push(Alert { key: key.clone(), change_no: change.change_no, value: value.clone(), after_commit: self.hangs_on_a_commit(venue) });
            effects.records.push(OutRecord { topic: OutTopic::Alarms, key, value, position: None });
        }
    }

    /// How old each feed is at `end`: by its source that was heard longest ago.
    fn ages(&self, venue: &Venue, end: EventTime) -> Vec<(Feed, Span)> {
        let oldest = |feed: Feed| {
            let heard = venue.with_sources(&self.heard).filter(|(source, at)| source.feed == feed && **at > EventTime::MIN);
            heard.map(|(_, at)| *at).min().map(|at| (feed, end.since(at)))
        };
        [Feed::Transport, Feed::Ticketing, Feed::Sensors].into_iter().filter_map(oldest).collect()
    }

    /// What each source contributed up to the pane.
    fn shares(&self, venue: &Venue, end: EventTime) -> Vec<SourceShare> {
        let mut shares: Vec<SourceShare> = self.heard.iter().map(|heard| SourceShare { heard: *heard, reporting: 0, expected: 0 }).collect();
        for (index, sensor) in venue.sensors.iter().enumerate().filter(|(_, sensor)| sensor.measures != Measures::Nothing) {
            let share = &mut shares[sensor.source.index()];
            let patience = sensor.interval.max(venue.pane.span());
            let reported = self.crowd.sensor(SensorId::from(index)).and_then(|state| state.reported);
            share.expected += 1;
            share.reporting += u32::from(reported.is_some_and(|at| end.since(at) < patience));
        }
        shares
    }

    /// Forgets the closed panes that no late event revises one by one any more, and the identities that no repeat can have.
    fn forget(&mut self, venue: &Venue, end: EventTime) {
        while let Some((oldest, _)) = self.closed.first_key_value() {
            if *oldest > end.before(venue.keep_panes) {
                break;
            }
            let oldest = *oldest;
            self.closed.remove(&oldest);
            self.closed_changed.push(oldest);
        }
        let horizon = |index: usize| {
            let (source, state) = (&venue.sources[index], &self.sources[index]);
            // A source that is set aside, or whose input has ended, may stand behind the pane; no further than what would be believed of it when it comes back, or one that never does would
            // keep the identities of all for ever.
            let reached = end.min(state.clock.watermark().after(source.as_of_lag)).max(end.before(venue.trust.leap));
            reached.before(source.as_of_lag).before(source.disorder).before(source.lateness).before(source.interval)
        };
        let of_source: Vec<EventTime> = (0..venue.sources.len()).map(horizon).collect();
        // What never spoke has nothing that could be repeated, and must not keep the others' identities for ever.
        let started = of_source.iter().zip(&self.sources).filter(|(_, state)| state.clock.has_started());
        let earliest = started.map(|(horizon, _)| *horizon).min().unwrap_or(EventTime::MIN);
        self.identities.forget(|source| source.map_or(earliest, |source| of_source[source]));
    }

    /// A model that was not asked before begins with a record of its own.
    fn hear_who_spoke(&mut self, venue: &Venue, answer: &Answer, configured: &[Option<ModelCardRef>; Role::ALL.len()], effects: &mut Effects) {
        for (role, configured) in Role::ALL.into_iter().zip(configured) {
            let heard = self.podium.hear(role, answer.by[role as usize].as_ref(), configured.as_ref());
            self.podium_dirty |= heard != Heard::AsBefore;
            if heard != Heard::Another {
                continue;
            }
            let card = self.podium.spoke(role).cloned();
            self.forecaster.judge_anew(role);
            self.note(venue, Entry::ModelSwap { model: role, card, pane: answer.ticket.pane }, effects);
        }
    }

    fn note_missed(&mut self, venue: &Venue, answer: &Answer, effects: &mut Effects) {
        for (model, outcome) in [("flow", &answer.flow), ("anomaly", &answer.anomaly)] {
            if matches!(outcome, Outcome::Missed) {
                self.note(venue, Entry::ModelMissed { model: model.into(), pane: answer.ticket.pane }, effects);
            }
        }
    }
}

//! Where an operator's command takes effect: always between two panes, or fast panes.
//!
//! Live, at once: after the last closed pane or fast pane, and the place is journaled. In a run without a journal, by rule: after the last pane that ends at or before the
//! command's own time, or, of a command that came late, before the clocks of the operations' sources when it was read. No later pane can have closed by
//! then, so the place is a function of the logs alone.

use super::effects::Effects;
use super::journal::Entry;
use super::site::{Site, SourceState};
use crate::alarm::At;
use crate::feeds::observation::{Action, Command, ModelRole};
use crate::feeds::{Fault, Reason};
use crate::inference::{ModelCardRef, Role};
use crate::time::EventTime;
use crate::venue::{Feed, Source, Venue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_64;

/// When commands take effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// At once, and journaled: what an operator wants.
    #[default]
    OnArrival,
    /// By the command's own time: what a run without a journal needs.
    ByPane,
}

/// A command that waits for its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Placed {
    pub(super) command: Command,
    /// How far the operations' clocks had come when it was read: panes up to there may have closed already.
    pub(super) not_before: EventTime,
    /// `topic/partition/offset` of its record, for the quarantine.
    pub(super) position: String,
}

/// A command that was refused when its place came.
pub(super) struct RefusedCommand {
    pub(super) position: String,
    pub(super) fault: Fault,
}

/// How many command ids are remembered to tell repeats.
const REMEMBERED: usize = 1_000;

impl Site {
    /// Takes a command. Refusals of what takes effect at once come back here, later ones from [`Self::place_commands`].
    pub(super) fn command(&mut self, venue: &Venue, placed: Placed, placement: Placement, effects: &mut Effects) -> Vec<RefusedCommand> {
        let id = xxh3_64(placed.command.command_id.as_bytes());
        if self.commands_seen.contains(&id) {
            return Vec::new();
        }
        self.commands_seen.push_back(id);
        if self.commands_seen.len() > REMEMBERED {
            self.commands_seen.pop_front();
        }
        self.dirty = true;
        match placement {
            // A replay with a journal knows where each command took effect.
            _ if self.journal.is_some() => {
                self.commands.push(placed);
                Vec::new()
            }
            Placement::ByPane => {
                self.commands.push(placed);
                Vec::new()
            }
            Placement::OnArrival => {
                self.note(venue, Entry::Command { command_id: placed.command.command_id.clone(), after: self.judged_to(venue) }, effects);
                self.carry_out(venue, placed, effects).into_iter().collect()
            }
        }
    }

    /// The least watermark of the operations' sources, as panes read them: no pane beyond it has closed yet, unless they were set aside.
    pub(super) fn operations_watermark(&self, venue: &Venue) -> EventTime {
        self.operations(venue).map(|(source, state)| state.clock.watermark().after(source.as_of_lag)).min().unwrap_or(EventTime::MIN)
    }

    /// The latest event time heard from the operations' sources.
    pub(super) fn operations_heard(&self, venue: &Venue) -> EventTime {
        self.operations(venue).map(|(_, state)| state.clock.greatest()).max().unwrap_or(EventTime::MIN)
    }

    fn operations<'a>(&'a self, venue: &'a Venue) -> impl Iterator<Item = (&'a Source, &'a SourceState)> {
        venue.with_sources(&self.sources).filter(|(source, _)| source.feed == Feed::Commands)
    }

    /// Carries out what was to take effect before the pane ending at `end` closes.
    pub(super) fn place_commands(&mut self, venue: &Venue, end: EventTime, effects: &mut Effects) -> Vec<RefusedCommand> {
        if self.commands.is_empty() {
            return Vec::new();
        }
        // Where those took effect that the journal names, it says; the others were placed by rule.
        let named: BTreeSet<&str> = self.journal.iter().flatten().filter_map(Entry::command_id).collect();
        let is_due = |placed: &Placed| placed.command.at.max(placed.not_before) < end && !named.contains(&*placed.command.command_id);
        let (mut due, waiting): (Vec<Placed>, Vec<Placed>) = std::mem::take(&mut self.commands).into_iter().partition(is_due);
        if due.is_empty() {
            self.commands = waiting;
            return Vec::new();
        }
        self.commands = waiting;
        self.dirty = true;
        due.sort_by(|a, b| (a.command.at, &a.command.command_id).cmp(&(b.command.at, &b.command.command_id)));
        due.into_iter().filter_map(|placed| self.carry_out(venue, placed, effects)).collect()
    }

    pub(super) fn carry_out(&mut self, venue: &Venue, placed: Placed, effects: &mut Effects) -> Option<RefusedCommand> {
        if let Action::Recount { zone, persons } = placed.command.action {
            if self.crowd.recount(&self.topology, zone, persons, self.closed_to) {
                return None;
            }
            let detail = format!("zone {} is not closed and has no head counter: nothing would carry the recount on", venue.zones[zone.index()].id);
            return Some(RefusedCommand { position: placed.position, fault: Fault::in_field(Reason::Refused, "zone", detail) });
        }
        if let Action::SwapModel { role, model, version, sha256, from } = placed.command.action {
            let role = match role {
                ModelRole::Flow => Role::Flow,
                ModelRole::Anomaly => Role::Anomaly,
            };
            self.podium.order(role, ModelCardRef { name: model.into(), version: version.into(), sha256: sha256.into() }, from);
            self.podium_dirty = true;
            return None;
        }
        let reached = self.reached(venue);
        let at = At { venue: &venue.id, event_time: reached, watermark: reached, coverage: self.coverage };
        match self.alarms.command(&at, &placed.command) {
            Ok(changes) => {
                self.send(venue, changes, effects);
                None
            }
            Err(fault) => Some(RefusedCommand { position: placed.position, fault }),
        }
    }
}

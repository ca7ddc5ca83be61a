//! What of a venue goes to `midan.state`, entry by entry, and comes back after a restart or a hand-over.
//!
//! The idea: an entry is written when it changed, and only then; compaction keeps the last of each key, and the entries together are the venue. Nothing
//! in an entry depends on when it was written within a pane, so the state after compaction is a function of the logs, like the outputs.
//!
//! A key reads `venue/part[/…]`. Each venue has a `layout` entry: a state of another version or another frame (`venue::frame`) is refused, not guessed at.

use super::closed::ClosedPane;
use super::effects::StateChange;
use super::placement::Placed;
use super::site::{Site, SourceState};
use crate::detect::WrongClock;
use crate::forecast::Series;
use crate::time::{EventTime, Guard};
use crate::venue::frame::Frame;
use crate::venue::roll::Roll;
use crate::venue::{Venue, frame};
use crate::window::{OpenPane, Reading, Snapshot, SnapshotPlace};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt::Arguments;

/// Version of the entries' form; a change of any of them is a new version.
const VERSION: u32 = 31;

#[derive(Serialize, Deserialize)]
struct Layout {
    version: u32,
    roll: Roll,
    frame: Frame,
    /// By what is forecast.
    series: Vec<Series>,
    /// Which configuration was in force.
    fingerprint: String,
}

/// What of a venue is neither of a source nor of a pane.
#[derive(Serialize, Deserialize)]
struct Rest {
    closed_to: EventTime,
    heard: Vec<EventTime>,
    coverage: f64,
    commands: Vec<Placed>,
    commands_seen: VecDeque<u64>,
    ticked_to: EventTime,
    clocks: Vec<WrongClock>,
}

impl Site {
    /// Writes down every entry that changed since last asked.
    pub(super) fn take_state_changes(&mut self, venue: &Venue, changes: &mut Vec<StateChange>) {
        self.tainted_in_commit |= std::mem::take(&mut self.tainted);
        let mut write = |part: Arguments<'_>, value: Option<Vec<u8>>| changes.push(StateChange { key: key(venue, part), value });
        if self.unsaved {
            self.unsaved = false;
            let (roll, frame, series) = (Roll::of(venue), frame::frame(venue), self.forecaster.series().to_vec());
            write(format_args!("layout"), encode(&Layout { version: VERSION, roll, frame, series, fingerprint: self.in_force.clone() }));
        }
        for (source, state) in venue.sources.iter().zip(&mut self.sources) {
            if std::mem::take(&mut state.dirty) {
                write(format_args!("source/{}", source.id), encode(state));
            }
        }
        self.take_guard_changes(venue, changes);
        let mut write = |part: Arguments<'_>, value: Option<Vec<u8>>| changes.push(StateChange { key: key(venue, part), value });
        for ((group, second), seen) in self.identities.take_changed() {
            write(format_args!("seen/{group}/{second}"), seen);
        }
        for (end, pane) in self.open.take_changed() {
            write(format_args!("open/{}", end.as_millis()), pane.and_then(encode));
        }
        for ((end, sensor, slot), snapshot) in self.open.take_changed_snapshots() {
            write(format_args!("snap/{}/{slot}/{}", end.as_millis(), venue.sensors[sensor.index()].id), snapshot.and_then(encode));
        }
        self.closed_changed.sort_unstable();
        self.closed_changed.dedup();
        for end in std::mem::take(&mut self.closed_changed) {
            write(format_args!("closed/{}", end.as_millis()), self.closed.get(&end).and_then(encode));
        }
        for (day, identities) in self.taken_back.take_changed() {
            write(format_args!("reopened/{day}"), identities.and_then(encode));
        }
        if std::mem::take(&mut self.fast.dirty) {
            write(format_args!("fast"), encode(&self.fast));
        }
        if std::mem::take(&mut self.podium_dirty) {
            write(format_args!("podium"), encode(&self.podium));
        }
        let has_moved = std::mem::take(&mut self.dirty);
        if std::mem::take(&mut self.alarms_dirty) || has_moved {
            write(format_args!("alarms"), encode(&self.alarms));
        }
        if has_moved {
            write(format_args!("crowd"), encode(&self.crowd));
            write(format_args!("rest"), encode(&self.rest()));
        }
        for (part, value) in self.forecaster.take_changed() {
            write(format_args!("forecast/{part}"), value);
        }
    }

    /// Takes one entry back; `part` is the key without the venue.
    pub(super) fn restore(&mut self, venue: &Venue, part: &str, value: &[u8]) -> Result<(), String> {
        let (kind, rest) = part.split_once('/').unwrap_or((part, ""));
        match kind {
            "layout" => {
                let layout: Layout = decode(part, value)?;
                check_layout(venue, &layout, self.forecaster.series())?;
                // Whoever takes over next must know that there is more now.
                self.unsaved = layout.roll != Roll::of(venue);
                self.in_force = layout.fingerprint;
                Ok(())
            }
            "source" => {
                let id = venue.find_source(rest).ok_or_else(|| format!("state entry {part}: no such source; the configuration has changed"))?;
                self.sources[id.index()] = decode::<SourceState>(part, value)?;
                Ok(())
            }
            "seen" => {
                let (group, second) =
                    rest.split_once('/').and_then(|(group, second)| Some((group.parse().ok()?, second.parse().ok()?))).ok_or_else(|| unknown(part))?;
                let is_one = self.identities.restore((group, second), value);
                is_one.then_some(()).ok_or_else(|| format!("state entry {part}: these bytes are no identities"))
            }
            "open" => {
                self.open.restore(venue, pane_end(part, rest)?, decode::<OpenPane>(part, value)?);
                Ok(())
            }
            "snap" => {
                self.open.restore_snapshot(snapshot_place(venue, part, rest)?, decode::<Reading<Snapshot>>(part, value)?);
                Ok(())
            }
            "closed" => {
                let mut pane = decode::<ClosedPane>(part, value)?;
                pane.content.widen(venue);
                pane.revisions.resize(venue.zones.len(), 0);
                self.closed.insert(pane_end(part, rest)?, pane);
                Ok(())
            }
            "reopened" => {
                self.taken_back.restore(rest.parse().map_err(|_| unknown(part))?, decode(part, value)?);
                Ok(())
            }
            "crowd" => decode(part, value).map(|crowd| self.crowd = crowd),
            "fast" => decode(part, value).map(|fast| self.fast = fast),
            "podium" => decode(part, value).map(|podium| self.podium = podium),
            "alarms" => decode(part, value).map(|alarms| self.alarms = alarms),
            "rest" => decode(part, value).map(|rest| self.take_rest(venue, rest)),
            "guard" => {
                let id = venue.find_sensor(rest).ok_or_else(|| format!("state entry {part}: no such sensor; the configuration has changed"))?;
                self.guards[id.index()] = decode::<Guard>(part, value)?;
                Ok(())
            }
            "forecast" => self.forecaster.restore(rest, value).map_err(|why| why.to_string()),
            _ => Err(unknown(part)),
        }
    }

    /// Every entry is back: goes on by the configuration that was in force, or by that of the last pane's time where that one is gone. Whether the configuration has changed.
    pub(super) fn restored(&mut self, venue: &Venue) -> bool {
        let known = venue.version_of(&self.in_force);
        self.resume(venue, known.unwrap_or_else(|| venue.version_at(self.closed_to)), self.closed_to);
        known.is_none() && !self.in_force.is_empty()
    }

    fn rest(&self) -> Rest {
        Rest {
            closed_to: self.closed_to,
            heard: self.heard.clone(),
            coverage: self.coverage,
            commands: self.commands.clone(),
            commands_seen: self.commands_seen.clone(),
            ticked_to: self.ticked_to,
            clocks: self.clocks.values().copied().collect(),
        }
    }

    fn take_rest(&mut self, venue: &Venue, rest: Rest) {
        self.closed_to = rest.closed_to;
        self.heard = rest.heard;
        self.heard.resize(venue.sources.len(), EventTime::MIN);
        self.coverage = rest.coverage;
        self.commands = rest.commands;
        self.commands_seen = rest.commands_seen;
        self.ticked_to = rest.ticked_to;
        self.clocks = rest.clocks.into_iter().map(|clock| (clock.sensor, clock)).collect();
    }
}

/// What the state is of may have grown since, and nothing else.
fn check_layout(venue: &Venue, layout: &Layout, series: &[Series]) -> Result<(), String> {
    if layout.version != VERSION {
        return Err(format!(
            "the state of {} was written in version {}, this program reads version {VERSION}: finish it with the old program, or begin anew with an empty midan.state (docs/OPERATIONS.md)",
            venue.id, layout.version
        ));
    }
    if let Some(difference) = layout.roll.parts_from(&Roll::of(venue)).or_else(|| frame::difference(&layout.frame, &frame::frame(venue))) {
        return Err(format!(
            "the state of {} belongs to another frame of the venue: {difference}; keep the file as it was and put the change beside it in one with `from` (docs/VENUES.md), or begin anew with an empty midan.state (docs/OPERATIONS.md)",
            venue.id
        ));
    }
    if !series.starts_with(&layout.series) {
        return Err(format!(
            "the state of {} is of other counts: a zone that nobody counted is counted now, or the other way round; count it as a zone of another name, or begin anew with an empty midan.state (docs/OPERATIONS.md)",
            venue.id
        ));
    }
    Ok(())
}

fn key(venue: &Venue, part: Arguments<'_>) -> Vec<u8> {
    format!("{}/{part}", venue.id).into_bytes()
}

fn pane_end(part: &str, end: &str) -> Result<EventTime, String> {
    end.parse().map(EventTime::from_millis).map_err(|_| unknown(part))
}

fn snapshot_place(venue: &Venue, part: &str, rest: &str) -> Result<SnapshotPlace, String> {
    let mut words = rest.splitn(3, '/');
    let (Some(end), Some(slot), Some(sensor)) = (words.next(), words.next().and_then(|slot| slot.parse().ok()), words.next()) else {
        return Err(unknown(part));
    };
    let sensor = venue.find_sensor(sensor).ok_or_else(|| format!("state entry {part}: no such sensor; the configuration has changed"))?;
    Ok((pane_end(part, end)?, sensor, slot))
}

fn unknown(part: &str) -> String {
    format!("state entry {part}: no such part in version {VERSION}")
}

pub(super) fn encode<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    postcard::to_allocvec(value).ok()
}

pub(super) fn decode<T: DeserializeOwned>(part: &str, value: &[u8]) -> Result<T, String> {
    postcard::from_bytes(value).map_err(|why| format!("state entry {part}: {why}"))
}

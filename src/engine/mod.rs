//! One partition's venues, driven step by step: `step(records, controls) → effects`.
//!
//! The idea: everything that the service says is decided here, and nothing here touches the world. Records and controls come in; records to be written, alerts and
//! requests to the models go out. The same inputs give the same outputs, whoever drives: the service, a replay, a test (DESIGN §4).
//!
//! ```text
//!  batch ──► decode ──► ledger ──► site of its venue ──► open panes ──► close ──► records, alerts
//!  controls (ticks, read-to-end, answers of the models) ─────┘              └──► asks
//! ```
//!
//! - [`control`]: what influences an output and is not a record; [`effects`]: what a step asks the edge to carry out; [`settings`]: what is told once.
//! - [`explain`]: why a window is open. [`ledger`]: what became of every record. [`journal`]: decisions written down.
//! - `site`: one venue from observation to pane; `close`, `closed`, `revise`, `publish`, `tail`, `refuse`: what closing does; `fast`: what cannot wait for a pane; `clocks`: sensors whose clocks are wrong; `idle`, `placement`: marks and commands; `follow`: a replay that follows a journal; `reload`: another configuration; `state`: saved and restored.

mod clocks;
mod close;
mod closed;
pub mod control;
pub mod effects;
pub mod explain;
mod fast;
mod follow;
mod idle;
pub mod journal;
pub mod ledger;
mod placement;
mod publish;
mod refuse;
mod reload;
mod revise;
pub mod settings;
mod site;
mod state;
#[cfg(test)]
pub(crate) mod story;
mod tail;
mod taken_back;
#[cfg(test)]
mod tests;

pub use control::Control;
pub use effects::{Alert, Effects, OutRecord, OutTopic, StateChange};
pub use ledger::{Fate, Row, Sums};
pub use placement::Placement;
pub use settings::Settings;

use crate::feeds::observation::Command;
use crate::feeds::{self, Batch, Fault, Item, Observation, Reason, RecordRef};
use crate::inference::Answer;
use crate::time::EventTime;
use crate::venue::partition::partition_of;
use crate::venue::{Feed, SourceId, Venue, VenueId, World};
use ledger::Ledger;
use placement::Placed;
use site::{Arrival, Reception, Site, believed_alone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The venues of one partition.
#[derive(Debug)]
pub struct Engine {
    world: Arc<World>,
    partition: u32,
    partitions: u32,
    settings: Settings,
    sites: BTreeMap<u32, Site>,
    ledgers: [Ledger; Feed::ALL.len()],
    ledger_dirty: [bool; Feed::ALL.len()],
    read: [idle::ReadSoFar; Feed::ALL.len()],
    items: Vec<Item>,
    addressed: Addressed,
    unknown_fields: u64,
    following: Option<follow::Following>,
    holds: bool,
}

impl Engine {
    /// The venues of `world` whose records belong on `partition` of `partitions`, nothing read yet.
    pub fn new(world: Arc<World>, partition: u32, partitions: u32, settings: Settings) -> Self {
        let here = |venue: &Venue| partition_of(venue.id.as_bytes(), partitions) == partition;
        let ids = world.venues.iter().enumerate().filter(|(_, venue)| here(venue)).map(|(index, _)| index);
        let mut sites: BTreeMap<u32, Site> = ids.map(|index| (index as u32, Site::new(index.into(), &world.venues[index], settings.forecasts))).collect();
        let following = settings.journal.as_ref().map(|journal| follow::Following::new(journal, &world, &mut sites));
        Self {
            world,
            partition,
            partitions,
            settings,
            sites,
            ledgers: Default::default(),
            ledger_dirty: [false; Feed::ALL.len()],
            read: Default::default(),
            items: Vec::new(),
            addressed: Addressed::default(),
            unknown_fields: 0,
            following,
            holds: false,
        }
    }

    /// Takes records in the order in which they were read, then controls, then closes every pane that may close.
    ///
    /// A pane that waits for the models holds its venue's next panes until [`Control::Models`] answers the request in [`Effects::asks`].
    pub fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        let mut effects = Effects::default();
        let world = Arc::clone(&self.world);
        for record in batch.iter() {
            if self.following.as_mut().is_none_or(|following| !following.holds_back(&record, &world, &self.sites)) {
                self.take(&record, &world, &mut effects);
            }
        }
        for control in controls {
            self.obey(control, &mut effects);
        }
        if self.holds {
            return effects;
        }
        loop {
            self.follow_journal(&mut effects);
            if !self.close_fast_panes(&mut effects) {
                break;
            }
        }
        self.close_panes(&mut effects);
        effects
    }

    /// Whether steps begin to close no further pane. A pane that waits for the models is finished all the same; so between two steps that hold there is a place for a commit.
    pub const fn hold(&mut self, holds: bool) {
        self.holds = holds;
    }

    /// Writes down what changed in the state since last asked.
    pub fn take_state_changes(&mut self) -> Vec<StateChange> {
        let mut changes = Vec::new();
        for site in self.sites.values_mut() {
            site.take_state_changes(self.world.venue(site.id), &mut changes);
        }
        for (feed, dirty) in Feed::ALL.into_iter().zip(&mut self.ledger_dirty) {
            if std::mem::take(dirty) {
                let key = format!("{LEDGER}/{}/{}", feed.topic(), self.partition).into_bytes();
                changes.push(StateChange { key, value: state::encode(&self.ledgers[feed as usize]) });
            }
        }
        changes
    }

    /// What was taken by the last [`take_state_changes`](Self::take_state_changes) stands: alerts need not wait for it any more. What was decided since
    /// then is not in it.
    pub fn committed(&mut self) {
        for site in self.sites.values_mut() {
            site.tainted_in_commit = false;
        }
    }

    /// Takes one entry of the state back.
    ///
    /// # Errors
    /// When the entry belongs to another version, configuration or partition; the text says what to do.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        let key = std::str::from_utf8(key).map_err(|_| "state entry with a key that is not text".to_owned())?;
        let (owner, part) = key.split_once('/').ok_or_else(|| format!("state entry {key}: no part named"))?;
        if owner == LEDGER {
            return self.restore_ledger(part, value);
        }
        let id = self.world.find(owner).ok_or_else(|| format!("state entry {key}: venue {owner} is not configured"))?;
        let site = self
            .sites
            .get_mut(&id.0)
            .ok_or_else(|| format!("state entry {key}: venue {owner} belongs on another partition; the partition count has changed"))?;
        site.restore(self.world.venue(id), part, value)
    }

    /// Every entry of the state was given back. The venues whose configuration has changed since it was written: they go on under the new one.
    pub fn restored(&mut self) -> Vec<&Venue> {
        let world = &self.world;
        self.sites.values_mut().filter_map(|site| site.restored(world.venue(site.id)).then(|| world.venue(site.id))).collect()
    }

    /// The ledger of each input partition, the open row included.
    pub fn ledgers(&self) -> impl Iterator<Item = (Feed, &Ledger)> {
        Feed::ALL.into_iter().zip(&self.ledgers)
    }

    /// Open panes that hold something, over all venues: what catching up in step keeps few.
    pub fn open_panes(&self) -> usize {
        self.sites.values().map(|site| site.open.len()).sum()
    }

    /// Fields of records that no contract knows, since the start: ignored, and counted here.
    pub const fn unknown_fields(&self) -> u64 {
        self.unknown_fields
    }

    /// End of the last closed pane of each venue here; [`EventTime::MIN`] before the first.
    pub fn closed_to(&self) -> impl Iterator<Item = (&Venue, EventTime)> {
        self.sites.values().map(|site| (self.world.venue(site.id), site.closed_to))
    }

    /// The watermark of each source of each venue here, and whether it is set aside: for telemetry, never for outputs, since it depends on what was read when.
    pub fn sources(&self) -> impl Iterator<Item = (&Venue, &crate::venue::Source, EventTime, bool)> {
        self.sites.values().flat_map(|site| {
            let venue = self.world.venue(site.id);
            venue.version(site.version).with_sources(&site.sources).map(move |(source, state)| (venue, source, state.clock.watermark(), state.idle))
        })
    }

    /// The latest event time that a feed's records have reached, as panes read it; `None` before the first that is believed.
    pub fn reached(&self, feed: Feed) -> Option<EventTime> {
        let of_feed = self.sources().filter(|(_, source, ..)| source.feed == feed);
        let latest = of_feed.map(|(_, source, watermark, _)| watermark.after(source.disorder).after(source.as_of_lag)).max();
        latest.filter(|at| *at > EventTime::MIN)
    }

    fn take(&mut self, record: &RecordRef<'_>, world: &World, effects: &mut Effects) {
        let feed = record.feed as usize;
        self.read[feed].record(record);
        self.ledger_dirty[feed] = true;
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        let (home, venue) = self.addressed.of(record.key, world, self.partitions);
        let decoded = match home.filter(|home| *home != record.partition) {
            Some(home) => Err(misplaced(record.partition, home, self.partitions)),
            None => feeds::decode(record, world, &mut |item| items.push(item)),
        };
        let venue = venue.map(|id| world.venue(id));
        self.reach(venue, &items, record, effects);
        let ledger = &mut self.ledgers[feed];
        ledger.read();
        match decoded {
            Err(fault) => {
                ledger.undecodable();
                effects.records.push(refuse::record(venue, record.source, &fault, record));
            }
            Ok(()) => self.settle(venue, &items, record, effects),
        }
        self.items = items;
    }

    /// Publishes the ledger's row when the partition's own records reach a later pane.
    fn reach(&mut self, venue: Option<&Venue>, items: &[Item], record: &RecordRef<'_>, effects: &mut Effects) {
        let Some(venue) = venue else { return };
        let received = record.received_at().map(EventTime::from_millis);
        let trusted = |observation: &Observation| {
            let greatest = self.sites.get(&observation.venue.0).map_or(EventTime::MIN, |site| site.sources[observation.source.index()].clock.greatest());
            believed_alone(venue, observation, received, greatest).is_ok()
        };
        let times = items.iter().filter_map(|item| match item {
            Item::Observation(observation) if trusted(observation) => Some(observation.at),
            _ => None,
        });
        let Some(latest) = times.max() else { return };
        if let Some((pane, sums)) = self.ledgers[record.feed as usize].reach(latest, self.settings.ledger_pane) {
            let row = ledger_row(record.feed, self.partition, pane, sums);
            // The record that makes the row final: it covers those before it.
            effects.records.push(OutRecord { position: Some(refuse::position(record)), ..row });
        }
    }

    fn settle(&mut self, venue: Option<&Venue>, items: &[Item], record: &RecordRef<'_>, effects: &mut Effects) {
        let Some(venue) = venue else { return };
        if let Some(Item::Command(command)) = items.first() {
            self.ledgers[record.feed as usize].command();
            return self.command(venue, command, record, effects);
        }
        let observations = items.iter().filter(|item| !matches!(item, Item::UnknownFields(_))).count();
        self.ledgers[record.feed as usize].decoded(observations as u64);
        let mut nth = 0;
        for item in items {
            match item {
                Item::Observation(observation) => {
                    nth += 1;
                    if record.is_reopened() && !record.takes_back(nth - 1) {
                        // It was not late when the record came first.
                        self.ledgers[record.feed as usize].settle(Fate::Duplicate);
                        continue;
                    }
                    self.observe(venue, observation, record, effects);
                }
                Item::Unusable { source, fault } => {
                    self.ledgers[record.feed as usize].settle(Fate::Quarantined);
                    let source = source.map(|SourceId(id)| &*venue.sources[id as usize].id);
                    effects.records.push(refuse::record(Some(venue), source, fault, record));
                }
                Item::UnknownFields(fields) => self.unknown_fields += u64::from(*fields),
                // No decoder makes a command beside something else.
                Item::Ignored | Item::Command(_) => self.ledgers[record.feed as usize].settle(Fate::Ignored),
            }
        }
    }

    fn observe(&mut self, venue: &Venue, observation: &Observation, record: &RecordRef<'_>, effects: &mut Effects) {
        let arrival = Arrival { received: record.received_at().map(EventTime::from_millis), offset: record.offset, is_reopened: record.is_reopened() };
        let Some(site) = self.sites.get_mut(&observation.venue.0) else { return };
        if let Some(why) = site.absent_at_its_time(venue, observation) {
            site.only_hear(venue, observation, arrival);
            site.turn_away(venue, observation, false);
            effects.records.push(refuse::observation(venue, observation, &Fault::new(Reason::UnknownName, why), record));
            return self.ledgers[record.feed as usize].settle(Fate::Quarantined);
        }
        let reception = site.observe(venue, observation, arrival, effects);
        if matches!(reception, Reception::Conflict | Reception::Distrusted(_)) {
            site.turn_away(venue, observation, false);
        }
        let mut quarantine = |reason, detail: String| {
            effects.records.push(refuse::observation(venue, observation, &Fault::new(reason, detail), record));
            Fate::Quarantined
        };
        let fate = match reception {
            Reception::Windowed | Reception::Heard => Fate::Windowed,
            Reception::Revised => Fate::Revised,
            Reception::Reopened => Fate::Reopened,
            Reception::Duplicate => Fate::Duplicate,
            Reception::Conflict => quarantine(Reason::Conflict, "the same identity came before with another content".to_owned()),
            Reception::Distrusted(distrust) => quarantine(Reason::Clock, distrust.to_string()),
            Reception::Late { lag } => {
                site.turn_away(venue, observation, true);
                effects.records.push(refuse::late(venue, observation, lag, record));
                Fate::Late
            }
        };
        self.ledgers[record.feed as usize].settle(fate);
    }

    fn command(&mut self, venue: &Venue, command: &Command, record: &RecordRef<'_>, effects: &mut Effects) {
        let Some(site) = self.sites.get_mut(&command.venue.0) else { return };
        let received = record.received_at().map(EventTime::from_millis);
        if let Err(distrust) = venue.trust.judge(command.at, received, site.operations_heard(venue)) {
            effects.records.push(refuse::record(Some(venue), record.source, &Fault::in_field(Reason::Clock, "at", distrust.to_string()), record));
            return;
        }
        let placed = Placed { command: command.clone(), not_before: site.operations_watermark(venue), position: refuse::position(record) };
        for refused in site.command(venue, placed, self.settings.placement, effects) {
            effects.records.push(refuse::command(venue, &refused));
        }
    }

    fn obey(&mut self, control: &Control, effects: &mut Effects) {
        match control {
            // Whoever follows a journal does not decide again.
            Control::Tick { .. } if self.following.is_some() => {}
            Control::Tick { at } => {
                for site in self.sites.values_mut() {
                    site.tick(self.world.venue(site.id), *at, &self.read, effects);
                }
            }
            Control::ReadToEnd { feed, next_offset } => self.read[*feed as usize].end(*next_offset),
            Control::EndOfInput => {
                self.follow_to_end();
                self.sites.values_mut().for_each(Site::end);
            }
            Control::Models(answer) => self.answered(answer, effects),
        }
    }

    fn answered(&mut self, answer: &Answer, effects: &mut Effects) {
        let Some(site) = self.sites.get_mut(&answer.ticket.venue.0) else { return };
        site.finish_close(self.world.venue(site.id), answer, &self.settings, effects);
    }

    /// Closes every fast pane that may close; whether there was any.
    fn close_fast_panes(&mut self, effects: &mut Effects) -> bool {
        let mut any = false;
        for site in self.sites.values_mut() {
            let venue = self.world.venue(site.id);
            while let Some((since, end)) = site.next_fast_close(venue) {
                site.turn_to(venue, venue.pane.next(site.closed_to), effects);
                site.close_fast(venue.version(site.version), since, end, effects);
                any = true;
            }
        }
        any
    }

    fn close_panes(&mut self, effects: &mut Effects) {
        for site in self.sites.values_mut() {
            let venue = self.world.venue(site.id);
            match site.next_close(venue) {
                Some(end) => {
                    site.turn_to(venue, end, effects);
                    site.begin_close(venue, end, effects);
                }
                None => site.settle_late(venue, effects),
            }
        }
    }

    fn restore_ledger(&mut self, part: &str, value: &[u8]) -> Result<(), String> {
        let (topic, partition) = part.split_once('/').ok_or_else(|| format!("state entry of the ledger {part}: no partition named"))?;
        let feed = Feed::ALL.into_iter().find(|feed| feed.topic() == topic).ok_or_else(|| format!("state entry of the ledger {part}: no such topic"))?;
        if partition.parse() != Ok(self.partition) {
            return Err(format!("state entry of the ledger {part}: it belongs to another partition"));
        }
        self.ledgers[feed as usize] = state::decode(part, value)?;
        Ok(())
    }
}

/// Whose the last key was: most records have the key of the one before.
#[derive(Debug, Default)]
struct Addressed {
    key: Vec<u8>,
    /// The partition on which it belongs; `None` before the first.
    home: Option<u32>,
    venue: Option<VenueId>,
}

impl Addressed {
    /// The partition of `partitions` on which a key belongs, and the venue that it names.
    fn of(&mut self, key: Option<&[u8]>, world: &World, partitions: u32) -> (Option<u32>, Option<VenueId>) {
        let Some(key) = key else { return (None, None) };
        if self.home.is_none() || self.key != key {
            self.key.clear();
            self.key.extend_from_slice(key);
            self.home = Some(partition_of(key, partitions));
            self.venue = std::str::from_utf8(key).ok().and_then(|key| world.find(key));
        }
        (self.home, self.venue)
    }
}

/// A record whose key belongs on partition `home`.
fn misplaced(partition: u32, home: u32, partitions: u32) -> Fault {
    Fault::new(Reason::WrongPartition, format!("its key belongs on partition {home} of {partitions}, it came on {partition}: partition by murmur2 of the key"))
}

/// The owner of the ledger's entries in the state; no venue can be called so, since ids are lower-case words.
const LEDGER: &str = "~ledger";

/// One row of `midan.ledger`.
pub fn ledger_row(feed: Feed, partition: u32, pane: Option<EventTime>, sums: Sums) -> OutRecord {
    let row = Row { v: 1, topic: feed.topic().into(), partition, pane, sums };
    let key = format!("{}-{partition}", feed.topic()).into_bytes();
    OutRecord { topic: OutTopic::Ledger, key, value: serde_json::to_vec(&row).unwrap_or_default(), position: None }
}

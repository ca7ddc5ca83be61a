//! One venue's match night as a stream of records, in the order of their receipt.

use super::breakage::Breakage;
use super::chance::{Chance, Part};
use super::devices::{Devices, Sight};
use super::flow::{Flow, Surroundings};
use super::outbox::{Keeping, Outbox};
use super::people;
use super::railway::Railway;
use super::routes::{Mode, Routes};
use super::script::Script;
use super::trains::Platform;
use super::truth::Truth;
use super::{Options, SimError, SimRecord};
use crate::venue::{Feed, Match, SourceId, Venue, VenueId, World};
use std::collections::BTreeMap;

/// Low-water marks come so often, s.
const LOW_WATER_EVERY_S: u32 = 10;

/// A match night: iterate for its records, ask for the truth afterwards.
pub struct Night {
    venue: Venue,
    game: Match,
    routes: Routes,
    script: Script,
    platforms: BTreeMap<usize, Platform>,
    flow: Flow,
    devices: Devices,
    railway: Railway,
    breakage: Option<Breakage>,
    outbox: Outbox,
    truth: Truth,
    movement: Chance,
    noise: Chance,
    rail: Chance,
    /// The next second to be played.
    now: u32,
}

impl Night {
    /// The night of the match `match_id` at a venue: a function of world, venue, match, seed and options.
    ///
    /// # Errors
    /// When the venue has no such match, or its configuration does not let anybody in.
    pub fn new(world: &World, venue: VenueId, match_id: &str, seed: u64, options: &Options) -> Result<Self, SimError> {
        let whole = world.venue(venue);
        let day = whole.match_days().find(|(_, game)| &*game.id == match_id).ok_or_else(|| unknown_match(whole, match_id))?;
        let (venue, game) = (day.0.clone(), day.1.clone());
        let chance = |part| Chance::new(seed, &venue.id, part);
        let (mut script_chance, mut people_chance, mut rail) = (chance(Part::Script), chance(Part::People), chance(Part::Rail));
        let (mut movement, mut noise) = (chance(Part::Movement), chance(Part::Devices));
        let routes = Routes::new(&venue)?;
        let script = Script::new(&venue, &game, options, &mut script_chance)?;
        let rails = (0..routes.entries.len()).filter(|entry| routes.entries[*entry].mode == Mode::Rail);
        let mut platforms: BTreeMap<usize, Platform> =
            rails.enumerate().map(|(number, entry)| (entry, Platform::new(number, script.seconds, &mut rail))).collect();
        let people = people::draw(&venue, &game, &routes, &script, &mut platforms, &mut people_chance);
        let breakage = options.faults.then(|| Breakage::new(chance(Part::Breakage)));
        Ok(Self {
            flow: Flow::new(&venue, &routes, &script, people, &mut movement),
            devices: Devices::new(&venue, options, &mut noise),
            railway: Railway::new(&venue, &platforms, &routes),
            breakage,
            outbox: Outbox::new(&venue),
            truth: Truth::new(&venue, script.start_ms, script.seconds),
            movement,
            noise,
            rail,
            now: 0,
            venue,
            game,
            routes,
            script,
            platforms,
        })
    }

    /// What really happened so far; complete when the iterator is at its end.
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The night's first and last instant, epoch ms; offline scanners may upload after it.
    pub fn span_ms(&self) -> (i64, i64) {
        (self.script.start_ms, self.script.millis(self.script.seconds))
    }

    fn play(&mut self) {
        let now = self.now;
        self.now += 1;
        self.announce(now);
        self.railway.report(now, &self.venue, &self.script, &self.platforms, &mut self.outbox, &mut self.rail);
        let sight = Sight { venue: &self.venue, routes: &self.routes, script: &self.script, flow: &self.flow };
        self.devices.report(now, &sight, &mut self.outbox, &mut self.noise);
        if let Some(breakage) = &mut self.breakage {
            breakage.report(now, self.script.millis(now), &self.venue, &mut self.outbox);
        }
        if now > 0 && now.is_multiple_of(60) {
            self.truth.end_minute(now, &self.flow, &self.routes);
        }
        if now > 0 && now.is_multiple_of(LOW_WATER_EVERY_S) {
            self.outbox.low_water(self.script.millis(now));
        }
        if now == self.script.seconds {
            self.truth.close();
            return;
        }
        let mut surroundings = Surroundings { venue: &self.venue, routes: &self.routes, script: &self.script, platforms: &mut self.platforms };
        self.flow.step(now, &mut surroundings, &mut self.movement);
        let sight = Sight { venue: &self.venue, routes: &self.routes, script: &self.script, flow: &self.flow };
        for scanned in &self.flow.scanned {
            self.truth.saw(scanned, &self.routes);
            self.devices.scan(scanned, &sight, &mut self.outbox, &mut self.noise);
        }
    }

    /// What the match control says.
    fn announce(&mut self, now: u32) {
        let script = &self.script;
        let Some(source) = self.venue.sources.iter().position(|source| source.feed == Feed::Commands).map(SourceId::from) else {
            return;
        };
        let planned = format!(r#","to":{},"expected_attendance":{}"#, script.millis(script.planned_kick_off), self.game.expected_attendance);
        let delayed = format!(r#","to":{}"#, script.millis(script.kick_off));
        let events = [
            (Some(0), "kick_off_planned", planned.as_str()),
            (script.delay_announced, "delayed_to", delayed.as_str()),
            (Some(script.kick_off), "kick_off", ""),
            (Some(script.half_time), "half_time", ""),
            (Some(script.second_half), "second_half", ""),
            (Some(script.final_whistle), "final_whistle", ""),
        ];
        for (_, event, more) in events.into_iter().filter(|(at, ..)| *at == Some(now)) {
            let at = script.millis(now);
            let value = format!(r#"{{"type":"match","match_id":"{}","venue":"{}","at":{at},"event":"{event}"{more}}}"#, self.game.id, self.venue.id);
            self.outbox.send(source, at, Keeping::Prompt, value.into_bytes(), &mut self.noise);
        }
    }
}

impl Iterator for Night {
    type Item = SimRecord;

    fn next(&mut self) -> Option<SimRecord> {
        loop {
            let is_over = self.now > self.script.seconds;
            // Whatever is yet to happen is received after it has happened.
            let horizon = if is_over { i64::MAX } else { self.script.millis(self.now) };
            if let Some(record) = self.outbox.take(horizon) {
                return Some(record);
            }
            if is_over {
                return None;
            }
            self.play();
        }
    }
}

fn unknown_match(venue: &Venue, match_id: &str) -> SimError {
    let known = venue.matches.iter().map(|game| game.id.to_string()).collect();
    SimError::UnknownMatch { venue: venue.id.to_string(), match_id: match_id.to_owned(), known }
}

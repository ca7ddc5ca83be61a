//! A load: counts of many sensors, made as fast as memory can be written, for measuring what reads them.
//!
//! Every value is a template of its sensor into which times and persons are written, so that making a record costs tens of nanoseconds and no
//! allocation. Event time advances by one interval a round; the rate in event time is therefore sensors divided by interval.

use super::chance::{Chance, Part};
use crate::time::{EventTime, Span};
use crate::venue::SourceFile;
use std::fmt::Write as _;

/// How large a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadPlan {
    /// Venues, at least 1.
    pub venues: u32,
    /// Counters at each.
    pub sensors: u32,
    /// The interval that each count covers; at least 1 ms.
    pub interval: Span,
    /// When the first interval begins.
    pub start: EventTime,
    /// The seed of the persons counted.
    pub seed: u64,
}

/// One count of a load; it borrows the buffer that the next one is written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadRecord<'a> {
    /// The key.
    pub venue: &'a str,
    /// The `midan-source` header.
    pub source: &'a str,
    /// The value.
    pub value: &'a [u8],
    /// Event time: the last instant covered, epoch ms.
    pub at: i64,
    /// The `midan-received` header, epoch ms.
    pub received: i64,
}

/// The source of every load's venue.
const SOURCE: &str = "load";
/// How long after the end of its interval a count is received, ms.
const DELAY_MS: i64 = 300;

impl LoadPlan {
    /// The id of a venue of the load.
    pub fn venue_id(number: u32) -> String {
        format!("load-{number}")
    }

    /// Records per second of event time.
    pub fn rate(&self) -> f64 {
        f64::from(self.venues) * f64::from(self.sensors) / self.interval.as_secs_f64().max(0.001)
    }

    /// The configuration of the load's venues, so that what reads the load knows its sensors; zones choose the profile of that id.
    pub fn venue_files(&self, profile: &str) -> Vec<SourceFile> {
        (0..self.venues).map(|venue| SourceFile { path: format!("load/{venue}.toml"), text: self.venue_text(venue, profile) }).collect()
    }

    /// Ten counters stand at each zone's only link.
    fn venue_text(&self, venue: u32, profile: &str) -> String {
        const PER_LINK: u32 = 10;
        let id = Self::venue_id(venue);
        let mut text = format!(
            "id = \"{id}\"\nname = \"{id}\"\ncity = \"none\"\nregion = \"load\"\ntime_zone = \"UTC\"\ncapacity = 100000\nillustrative = true\nprofile = \"{profile}\"\n"
        );
        let lag = self.interval.as_millis();
        let links = self.sensors.div_ceil(PER_LINK);
        let list = |text: &mut String, name: &str, count: u32, row: &dyn Fn(u32) -> String| {
            let rows: String = (0..count).map(|number| format!("  {{ {} }},\n", row(number))).collect();
            // Writing to a String cannot fail.
            let _ = write!(text, "{name} = [\n{rows}]\n");
        };
        list(&mut text, "zones", links, &|n| format!("id = \"z{n}\", kind = \"plaza\", area_m2 = 1000, capacity = 4000"));
        list(&mut text, "links", links, &|n| format!("id = \"l{n}\", to = \"z{n}\", width_m = 5"));
        list(&mut text, "sources", 1, &|_| {
            format!("id = \"{SOURCE}\", feed = \"sensors\", disorder = \"1s\", lateness = \"10s\", interval = \"{lag}ms\", as_of_lag = \"{lag}ms\"")
        });
        list(&mut text, "sensors", self.sensors, &|n| format!("id = \"s{n}\", source = \"{SOURCE}\", link = \"l{}\", interval = \"{lag}ms\"", n / PER_LINK));
        text
    }
}

/// The records of a load, without end.
#[derive(Debug)]
pub struct Load {
    plan: LoadPlan,
    venues: Vec<String>,
    templates: Vec<Template>,
    /// Persons to be counted, in turn: drawing each would cost more than writing it.
    persons: Vec<[u8; 2]>,
    next: usize,
    round: i64,
    turn: usize,
}

/// A sensor's record: fixed bytes, and where the figures go.
#[derive(Debug)]
struct Template {
    venue: u32,
    bytes: Vec<u8>,
    from: usize,
    to: usize,
    inwards: usize,
    outwards: usize,
}

/// Digits of epoch milliseconds from 2001 to 2286.
const TIME_DIGITS: usize = 13;

impl Load {
    /// The load of a plan.
    pub fn new(plan: LoadPlan) -> Self {
        let mut chance = Chance::new(plan.seed, "load", Part::Devices);
        let sensors = (0..plan.venues).flat_map(|venue| (0..plan.sensors).map(move |sensor| (venue, sensor)));
        Self {
            plan,
            venues: (0..plan.venues).map(LoadPlan::venue_id).collect(),
            templates: sensors.map(|(venue, sensor)| Template::new(venue, sensor)).collect(),
            persons: (0..4_096).map(|_| [chance.whole(0, 40), chance.whole(0, 10)].map(|persons| persons as u8)).collect(),
            next: 0,
            round: 0,
            turn: 0,
        }
    }

    /// Writes the next record; `None` only where the plan has no sensors.
    #[allow(clippy::should_implement_trait, reason = "an iterator cannot lend its buffer")]
    pub fn next(&mut self) -> Option<LoadRecord<'_>> {
        if self.next == self.templates.len() {
            self.next = 0;
            self.round += 1;
        }
        let interval = self.plan.interval.as_millis().max(1) as i64;
        let from = self.plan.start.as_millis() + self.round * interval;
        let to = from + interval;
        self.turn = (self.turn + 1) & (self.persons.len() - 1);
        let [inwards, outwards] = self.persons[self.turn];
        let template = self.templates.get_mut(self.next)?;
        self.next += 1;
        template.put(template.from, TIME_DIGITS, from as u64);
        template.put(template.to, TIME_DIGITS, to as u64);
        template.put(template.inwards, 2, u64::from(inwards));
        template.put(template.outwards, 2, u64::from(outwards));
        Some(LoadRecord { venue: &self.venues[template.venue as usize], source: SOURCE, value: &template.bytes, at: to - 1, received: to + DELAY_MS })
    }
}

impl Template {
    fn new(venue: u32, sensor: u32) -> Self {
        let mut text = format!(r#"{{"type":"count","sensor":"s{sensor}","venue":"{}","from":"#, LoadPlan::venue_id(venue));
        let mut hole = |width: usize, after: &str| {
            let at = text.len();
            text.extend(std::iter::repeat_n(' ', width));
            text.push_str(after);
            at
        };
        let (from, to) = (hole(TIME_DIGITS, r#","to":"#), hole(TIME_DIGITS, r#","in":"#));
        let (inwards, outwards) = (hole(2, r#","out":"#), hole(2, "}"));
        Self { venue, bytes: text.into_bytes(), from, to, inwards, outwards }
    }

    /// Writes a number right-aligned; blanks before it are JSON's own white space.
    fn put(&mut self, at: usize, width: usize, mut number: u64) {
        let hole = &mut self.bytes[at..at + width];
        hole.fill(b' ');
        for digit in hole.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
    }
}

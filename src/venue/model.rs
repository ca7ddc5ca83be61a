//! What a venue consists of.

use super::holidays::Holidays;
use super::ids::{ApproachId, GateId, LinkId, PerimeterId, SensorId, SourceId, StopId, ZoneId};
use super::names::Names;
use super::opening::Opening;
use super::plan::{Approach, Plan};
use super::profile::Profile;
use super::roll::Absent;
use super::section::Section;
use super::wire::Wire;
use super::world::Later;
use crate::time::{ClockTrust, EventTime, PaneLength, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One venue: a stadium, or a hub that several share.
#[derive(Clone, Debug)]
pub struct Venue {
    /// Its id on the wire, the key of its records.
    pub id: Box<str>,
    /// Its full name.
    pub name: String,
    /// The city.
    pub city: String,
    /// The region's id.
    pub region: String,
    /// Its time zone.
    pub time_zone: chrono_tz::Tz,
    /// Latitude and longitude, degrees (WGS 84), where told.
    pub coordinates: Option<[f64; 2]>,
    /// Persons it may hold in all.
    pub capacity: u32,
    /// Whether anything in it is invented for illustration.
    pub illustrative: bool,
    /// When people are expected, where somebody has told (a table's mapping); a live venue is always open.
    pub opening: Opening,
    /// Days that are like another day of the week.
    pub holidays: Holidays,
    /// The length of its panes.
    pub pane: PaneLength,
    /// The length of its fast panes, on which alarms that cannot wait for a pane are judged: a whole part of a pane, shorter than it; `None` where there are none.
    pub fast_pane: Option<PaneLength>,
    /// The length of a forecast step: 5 min for live venues, the table's own step in a replay of a table; a whole number of panes.
    pub step: Span,
    /// How long closed panes are kept whole, so that late events can revise them.
    pub keep_panes: Span,
    /// Within which limits an event time is believed.
    pub trust: ClockTrust,
    /// Nested perimeters, outermost first.
    pub perimeters: Vec<Perimeter>,
    /// Zones.
    pub zones: Vec<Zone>,
    /// Links between zones.
    pub links: Vec<Link>,
    /// Gates: links with lanes.
    pub gates: Vec<Gate>,
    /// Stops of public transport.
    pub stops: Vec<Stop>,
    /// The ways by which people come and go, with what is counted on each.
    pub approaches: Vec<Approach>,
    /// Sensors.
    pub sensors: Vec<Sensor>,
    /// Sources.
    pub sources: Vec<Source>,
    /// The match calendar, by kick-off.
    pub matches: Vec<Match>,
    /// Names of the zones.
    pub zone_names: Names,
    /// Names of the links.
    pub link_names: Names,
    /// Names of the gates.
    pub gate_names: Names,
    /// GTFS stop ids of the stops.
    pub stop_names: Names,
    /// Names of the approaches.
    pub approach_names: Names,
    /// Names of the sensors.
    pub sensor_names: Names,
    /// Names of the sources.
    pub source_names: Names,
    /// What takes this one's place at an event time, by that time; each of the same [`frame`](super::frame) and on the same [`roll`](super::roll).
    pub later: Vec<Later>,
    /// What holds before the first of those, where this one has more than it: things that only come later.
    pub first: Option<Box<Venue>>,
    /// What it lacks of the roll.
    pub absent: Absent,
    /// SHA-256 over all that is configured of it, its profiles included: which configuration is in force.
    pub fingerprint: String,
    /// SHA-256 over the venue's configuration and the version of the time-zone database, hexadecimal.
    pub hash: String,
}

/// A ring around the bowl that people pass on their way in.
#[derive(Clone, Debug)]
pub struct Perimeter {
    /// Its id.
    pub id: Box<str>,
    /// Its name.
    pub name: String,
    /// Which of the nested rings it is, where told.
    pub kind: Option<PerimeterKind>,
    /// Where it is drawn.
    pub shape: Option<Shape>,
}

/// The nested rings around a pitch, outermost first (FIFA's stadium safety zones; the Green Guide's Zone Ex is the same idea).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum PerimeterKind {
    LastMile,
    Outer,
    Inner,
    Bowl,
}

/// A place where people are.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its id.
    pub id: Box<str>,
    /// Its name.
    pub name: String,
    /// What kind of place it is; decides the level-of-service table unless `table` says otherwise.
    pub kind: ZoneKind,
    /// The perimeter it lies in.
    pub perimeter: Option<PerimeterId>,
    /// Walkable area, m²; `None` where nobody knows it (a zone of a table): no density then.
    pub area_m2: Option<f64>,
    /// Persons it may hold; `None` where nobody has set it.
    pub capacity: Option<u32>,
    /// Which of Fruin's tables grades it.
    pub table: FlowTable,
    /// Its thresholds.
    pub profile: Arc<Profile>,
    /// Whether occupancy by mass balance makes sense: all its links are counted.
    pub closed: bool,
    /// The outline of its ground, metres in its own frame, as its cameras tell tracks; empty where nobody has surveyed it.
    pub ground_m: Vec<[f64; 2]>,
    /// What its planners say of it: what its safe capacity is computed from, whom it is for.
    pub section: Section,
    /// Where it is drawn.
    pub shape: Option<Shape>,
}

/// Kinds of zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum ZoneKind {
    Platform,
    StationHall,
    Approach,
    Checkpoint,
    Forecourt,
    GateQueue,
    Concourse,
    Stand,
    Bowl,
    FanZone,
    Parking,
    Plaza,
    Holding,
    Hospitality,
    Stairs,
    Ramp,
    AccessibleRoute,
    /// A counted place of a table or an archive, of which nothing else is known.
    Counted,
}

/// Fruin's tables of levels of service: the densities of walkway, stair and queue differ by up to three times (crowd-science §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum FlowTable {
    Walkway,
    Stair,
    Queue,
}

/// A place where people cross between zones; `None` on either side is the world outside the venue.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its id.
    pub id: Box<str>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: LinkKind,
    /// Where forward flow comes from.
    pub from: Option<ZoneId>,
    /// Where forward flow goes.
    pub to: Option<ZoneId>,
    /// Whether only the forward flow is counted: nobody can tell who goes backwards.
    pub one_way: bool,
    /// Clear width, m.
    pub width_m: Option<f64>,
    /// Of which zone it is an exit, where it is one.
    pub exit: Option<Exit>,
    /// Where it is drawn.
    pub at: Option<[f64; 2]>,
}

/// A link as an exit: people may leave a zone over it, whichever way is forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The zone that it lets out of.
    pub of: ZoneId,
    /// So long before the end of the match it is to be opened; `None` for one that is open whenever anybody is inside.
    pub opens_before_end: Option<Span>,
}

/// Kinds of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum LinkKind {
    Gate,
    Door,
    Corridor,
    Stairs,
    Ramp,
    Open,
}

/// A gate: a link with lanes (turnstiles) that are open or not, and a zone where people queue for it.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Its id, which scans name.
    pub id: Box<str>,
    /// The link it stands on; forward is inwards.
    pub link: LinkId,
    /// The zone whose occupancy is its queue, where that is counted.
    pub queue: Option<ZoneId>,
    /// Lanes in all; what is open is what the `state` sensor says, else all.
    pub lanes: u32,
    /// Persons per lane and hour that one may count on until the gate's own rate is measured.
    pub lane_rate_per_h: f64,
    /// Whether it counts towards the entry of spectators.
    pub entry: bool,
}

/// A stop of public transport at the venue.
#[derive(Clone, Debug)]
pub struct Stop {
    /// The GTFS stop id.
    pub id: Box<str>,
    /// Its name, from the static feed or the configuration.
    pub name: String,
    /// The zone in which its passengers appear.
    pub zone: Option<ZoneId>,
}

/// A sensor.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// Its id.
    pub id: Box<str>,
    /// The source whose clock it follows.
    pub source: SourceId,
    /// What its figures are about.
    pub measures: Measures,
    /// At most this long lies between two reports of a healthy sensor; the base of coverage.
    pub interval: Span,
}

/// What a sensor's figures are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measures {
    /// People crossing a link; `reversed` when its `in` is the link's backward direction.
    Link {
        /// The link.
        link: LinkId,
        /// Whether `in` means backwards.
        reversed: bool,
    },
    /// Heads in a zone.
    Zone(ZoneId),
    /// The state of a gate.
    Gate(GateId),
    /// The state of a door or barrier: a link that is no gate.
    Door(LinkId),
    /// Nothing: this configuration does not have it.
    Nothing,
}

/// The three feeds, and the operator's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum Feed {
    Transport,
    Ticketing,
    Sensors,
    Commands,
}

impl Feed {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Transport, Self::Ticketing, Self::Sensors, Self::Commands];

    /// The default topic.
    pub const fn topic(self) -> &'static str {
        match self {
            Self::Transport => "feeds.transport",
            Self::Ticketing => "feeds.ticketing",
            Self::Sensors => "feeds.sensors",
            Self::Commands => "midan.commands",
        }
    }

    /// The word in configuration and outputs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Ticketing => "ticketing",
            Self::Sensors => "sensors",
            Self::Commands => "commands",
        }
    }
}

/// One configured origin of records, with a clock of its own.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its id, the `midan-source` header.
    pub id: Box<str>,
    /// The feed it arrives on.
    pub feed: Feed,
    /// How far its events are out of order.
    pub disorder: Span,
    /// How long after its watermark a late event may still revise.
    pub lateness: Span,
    /// As of how long ago panes read it (DESIGN §4 rule 2).
    pub as_of_lag: Span,
    /// The longest interval that one of its counts covers; longer than a pane means apportioning.
    pub interval: Span,
    /// Read to its end and silent for longer than this, in broker time, it counts as idle.
    pub silence: Span,
    /// The format of its records where neither header nor `type` says so.
    pub format: Option<Box<str>>,
    /// What its records mean beyond their format.
    pub wire: Wire,
}

impl Source {
    /// Whether it tells of the crowd as it is now: what cannot wait for a pane is judged by such sources.
    pub fn is_live(&self) -> bool {
        self.as_of_lag == Span::ZERO && matches!(self.feed, Feed::Sensors | Feed::Ticketing)
    }
}

/// A match of the calendar.
#[derive(Clone, Debug)]
pub struct Match {
    /// Its id.
    pub id: Box<str>,
    /// The home side.
    pub home: String,
    /// The away side.
    pub away: String,
    /// Planned kick-off.
    pub kick_off: EventTime,
    /// Its planned end, where it is not a match of the usual length.
    pub planned_end: Option<EventTime>,
    /// Persons expected inside.
    pub expected_attendance: u32,
    /// Tickets sold, ways here, arrivals, trains back.
    pub plan: Plan,
}

impl Match {
    /// Both sides in one line; the name of an event that has none.
    pub fn name(&self) -> String {
        if self.away.is_empty() {
            return self.home.clone();
        }
        format!("{} – {}", self.home, self.away)
    }
}

/// Where a thing is drawn, on a canvas of 1000 × 840.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "docs/API.md draws them")]
pub enum Shape {
    Arc { cx: f64, cy: f64, rx0: f64, ry0: f64, rx1: f64, ry1: f64, from_deg: f64, to_deg: f64 },
    Box { x: f64, y: f64, w: f64, h: f64 },
    Polygon { points: Vec<[f64; 2]> },
    Ellipse { cx: f64, cy: f64, rx: f64, ry: f64 },
}

impl Venue {
    /// A venue in which nothing is configured.
    pub fn nowhere() -> Self {
        Self {
            id: "".into(),
            name: String::new(),
            city: String::new(),
            region: String::new(),
            time_zone: chrono_tz::UTC,
            coordinates: None,
            capacity: 0,
            illustrative: false,
            opening: Opening::default(),
            holidays: Holidays::default(),
            pane: PaneLength::default(),
            fast_pane: None,
            step: Span::from_mins(5),
            keep_panes: Span::ZERO,
            trust: ClockTrust::default(),
            perimeters: Vec::new(),
            zones: Vec::new(),
            links: Vec::new(),
            gates: Vec::new(),
            stops: Vec::new(),
            approaches: Vec::new(),
            approach_names: Names::default(),
            sensors: Vec::new(),
            sources: Vec::new(),
            matches: Vec::new(),
            zone_names: Names::default(),
            link_names: Names::default(),
            gate_names: Names::default(),
            stop_names: Names::default(),
            sensor_names: Names::default(),
            source_names: Names::default(),
            later: Vec::new(),
            first: None,
            absent: Absent::default(),
            fingerprint: String::new(),
            hash: String::new(),
        }
    }

    /// The zone of that name.
    pub fn find_zone(&self, name: &str) -> Option<ZoneId> {
        self.zone_names.position(name).map(ZoneId::from)
    }

    /// The gate of that name.
    pub fn find_gate(&self, name: &str) -> Option<GateId> {
        self.gate_names.position(name).map(GateId::from)
    }

    /// The sensor of that name.
    pub fn find_sensor(&self, name: &str) -> Option<SensorId> {
        self.sensor_names.position(name).map(SensorId::from)
    }

    /// The source of that name.
    pub fn find_source(&self, name: &str) -> Option<SourceId> {
        self.source_names.position(name).map(SourceId::from)
    }

    /// The stop of that GTFS id.
    pub fn find_stop(&self, name: &str) -> Option<StopId> {
        self.stop_names.position(name).map(StopId::from)
    }

    /// The approach of that name.
    pub fn find_approach(&self, name: &str) -> Option<ApproachId> {
        self.approach_names.position(name).map(ApproachId::from)
    }

    /// The only source of `feed`, where there is just one: the origin of records that name none. Of several configurations the first decides, for a record is read before its pane is known.
    pub fn sole_source(&self, feed: Feed) -> Option<SourceId> {
        let first = self.version(0);
        let is_of_feed = |(index, source): &(usize, &Source)| source.feed == feed && !first.absent.sources.contains(&SourceId::from(*index));
        let mut of_feed = first.sources.iter().enumerate().filter(is_of_feed);
        let first = of_feed.next()?.0;
        of_feed.next().is_none().then(|| SourceId::from(first))
    }

    /// Whether it is open at `at`, by the opening hours of its own wall clock.
    pub fn is_open(&self, at: EventTime) -> bool {
        let local = || Some(chrono::DateTime::from_timestamp_millis(at.as_millis())?.with_timezone(&self.time_zone).naive_local());
        !self.opening.is_told() || local().is_none_or(|local| self.opening.is_open(local, &self.holidays))
    }
}

//! What was observed: the neutral form that every format is turned into, with names already interned.
//!
//! An observation knows its event time, whose clock it follows, and its identity: a repeat of the same identity with the same content
//! collapses, one with another content is a conflict (FORMATS.md, "In").

use crate::time::{EventTime, Span};
use crate::venue::{GateId, LinkId, SensorId, SourceId, StopId, VenueId, ZoneId};
use serde::{Deserialize, Serialize};

/// One observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The venue.
    pub venue: VenueId,
    /// The source whose clock it follows.
    pub source: SourceId,
    /// Event time. For something that covers an interval `[from, to)` it is the last instant covered, `to` − 1 ms, so that it lies in the pane it counts for.
    pub at: EventTime,
    /// What it is about; with `identity` it tells repeats.
    pub entity: Entity,
    /// Hash of the identity that FORMATS.md gives the type (of `ce_source`, `ce_id` where present).
    pub identity: u64,
    /// Hash of everything it says, so that a differing repeat is seen.
    pub content: u64,
    /// Uploaded later than it happened (an offline scanner): it neither moves nor holds the clock.
    pub offline: bool,
    /// What was seen.
    pub what: What,
}

/// What an observation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Entity {
    /// A sensor.
    Sensor(SensorId),
    /// A gate (scans).
    Gate(GateId),
    /// A stop of public transport.
    Stop(StopId),
    /// A zone (a call for help).
    Zone(ZoneId),
    /// A link, as a plan names an approach.
    Link(LinkId),
    /// The venue as a whole (match events, commands, a frame's header).
    Venue,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// People who crossed in an interval.
    Count(Count),
    /// Totals since the sensor's last reset.
    Total(Total),
    /// Heads in a zone.
    Occupancy {
        /// Persons.
        persons: u32,
        /// The sensor's own number, to order reports of one instant.
        seq: u64,
    },
    /// The state of a gate.
    State {
        /// Which.
        state: DoorState,
        /// Lanes that are open, where told.
        lanes_open: Option<u32>,
    },
    /// One scanned ticket. The ticket itself never comes this far.
    Scan(Scan),
    /// Passengers who alighted or boarded at a stop in an interval.
    Passengers(Passengers),
    /// Where a vehicle was, and how full.
    Vehicle(Vehicle),
    /// When a trip is expected at a stop.
    Arrival(Arrival),
    /// A service alert that concerns a stop of the venue.
    ServiceAlert {
        /// `cause` of GTFS-Realtime.
        cause: i32,
        /// `effect` of GTFS-Realtime.
        effect: i32,
    },
    /// Something happened in the match.
    Match(MatchEvent),
    /// Where everybody in a zone was at one instant.
    Tracks(Vec<Track>),
    /// Density, and where told velocity, over a zone at one instant.
    Grid(Box<Grid>),
    /// Somebody called for help. Who, is not told.
    Call(Call),
    /// The weather at a station.
    Weather(Box<Weather>),
    /// What was planned for a match.
    Plan(Box<Plan>),
    /// How a sensor itself is.
    Health {
        /// Which.
        health: Health,
        /// The sensor's own number, to order reports of one instant.
        seq: u64,
    },
    /// The source has nothing earlier than this to send: it moves the clock and is counted nowhere.
    LowWater,
}

impl What {
    /// Whether it is what a camera saw at one instant. That is large, it changes no sum, and the physics of the crowd has gone on without it when it comes late.
    pub const fn is_snapshot(&self) -> bool {
        matches!(self, Self::Tracks(_) | Self::Grid(_))
    }
}

/// People who crossed in `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Start.
    pub from: EventTime,
    /// End, not included.
    pub to: EventTime,
    /// Inwards, persons.
    pub inwards: u32,
    /// Outwards, persons.
    pub outwards: u32,
    /// Without direction, persons.
    pub undirected: u32,
}

/// Totals since the last reset, as of the observation's event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// Inwards, persons.
    pub inwards: u64,
    /// Outwards, persons.
    pub outwards: u64,
    /// Without direction, persons.
    pub undirected: u64,
    /// The sensor's own number, to order reports of one instant.
    pub seq: u64,
    /// How many values the counter has before it begins again at 0, where its source is configured so; else a total that falls was reset.
    pub modulus: Option<u64>,
}

/// States of gates, lanes, doors and barriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum DoorState {
    Open,
    Closed,
    Forced,
    Fault,
    Ok,
}

/// How a sensor is: what a birth or death certificate, or its own complaint, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It has come up, or is well again.
    Up,
    /// It works, but its figures are worth less (too little light, a view in part blocked).
    Degraded,
    /// It is broken, and says so itself.
    Failed,
    /// It is gone: its broker or gateway says so in its place.
    Down,
}

/// One scanned ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Whether it was let through.
    pub accepted: bool,
    /// Whether it was on the way out.
    pub exit: bool,
    /// Why it was turned away, where that is told.
    pub reason: Option<Rejection>,
    /// The ticket's pseudonym under the match's key; none where no key is configured, and none can be told once the key is destroyed.
    pub ticket: Option<u64>,
}

/// Why a ticket was turned away: the words of pretix, to which other systems' are mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// No such ticket.
    Invalid,
    /// Not paid for.
    Unpaid,
    /// Blocked by the organiser.
    Blocked,
    /// Not valid at this time.
    InvalidTime,
    /// The order was cancelled.
    Canceled,
    /// It has been let in already.
    AlreadyRedeemed,
    /// A ticket of another kind than this gate lets in.
    Product,
    /// A rule of the gate forbids it (another gate's ticket, too early).
    Rules,
    /// Several tickets bear the code.
    Ambiguous,
    /// Its code was replaced by a newer one.
    Revoked,
    /// The order was not approved.
    Unapproved,
    /// The system failed, not the ticket.
    Error,
    /// Anything else.
    Other,
}

/// Passengers of one service at a stop in `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passengers {
    /// Start.
    pub from: EventTime,
    /// End, not included.
    pub to: EventTime,
    /// Alighted, persons.
    pub alighting: u32,
    /// Boarded, persons.
    pub boarding: u32,
}

/// A vehicle as GTFS-Realtime reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vehicle {
    /// Hash of the trip.
    pub trip: u64,
    /// Whether it stands at the stop (else it is on its way there).
    pub stopped: bool,
    /// `occupancy_status` of GTFS-Realtime, where told.
    pub occupancy_status: Option<i32>,
    /// `occupancy_percentage`, where told; may exceed 100.
    pub occupancy_percentage: Option<u32>,
    /// How old the position was at the frame's time: staleness, never lateness.
    pub age: Span,
    /// Persons on board, where a counting system tells them (SIRI).
    pub on_board: Option<u32>,
}

/// A trip's expected arrival at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Hash of the trip.
    pub trip: u64,
    /// Expected arrival.
    pub expected: EventTime,
    /// `departure_occupancy_status`, where told.
    pub occupancy_status: Option<i32>,
}

/// Something that happened in the match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchEvent {
    /// The match's id.
    pub match_id: Box<str>,
    /// What happened.
    pub event: MatchEventKind,
    /// Persons expected inside, where told.
    pub expected_attendance: Option<u32>,
    /// The planned (`kick_off_planned`) or new (`delayed_to`) kick-off.
    pub to: Option<EventTime>,
}

/// What can happen in a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum MatchEventKind {
    KickOffPlanned,
    KickOff,
    DelayedTo,
    HalfTime,
    SecondHalf,
    ExtraTime,
    Penalties,
    FinalWhistle,
    Abandoned,
}

/// One person of a set of tracks. The id holds for one session of the sensor, and tells nobody who it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// The person's number within the sensor's session.
    pub id: u64,
    /// Metres, in the zone's frame.
    pub x_m: f64,
    /// Metres, in the zone's frame.
    pub y_m: f64,
}

/// A field of densities over a zone: cell (i, j), counted from the frame's origin along x and y, stands at `j * nx + i`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// The side of a cell, m.
    pub cell_m: f64,
    /// Cells along x.
    pub nx: u32,
    /// Cells along y.
    pub ny: u32,
    /// Persons/m², `nx * ny` of them.
    pub density: Vec<f64>,
    /// Velocity along x and y, m/s, where told; each as long as `density`.
    pub velocity: Option<(Vec<f64>, Vec<f64>)>,
}

/// A call for help. The zone, where told, is the observation's entity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What it was about.
    pub kind: CallKind,
    /// Where, metres in the venue's frame, where told.
    pub at_m: Option<(f64, f64)>,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are the field's own")]
pub enum CallKind {
    FirstAid,
    Emergency,
    Crush,
    Fire,
    Security,
    LostPerson,
    Other,
}

/// The weather at a station, as far as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weather {
    /// The station's name.
    pub station: Box<str>,
    /// Air, °C.
    pub air_c: Option<f64>,
    /// Wet bulb globe temperature, °C.
    pub wbgt_c: Option<f64>,
    /// Rain, mm/h.
    pub rain_mm_h: Option<f64>,
    /// Wind, m/s.
    pub wind_m_s: Option<f64>,
}

/// What was planned for a match; a later version takes the place of an earlier one whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The match.
    pub match_id: Box<str>,
    /// Its version: of two plans of a match, the greater holds.
    pub version: u64,
    /// Which share of the spectators comes by which approach (a stop, a link, a zone or a gate).
    pub approach_shares: Vec<(Entity, f64)>,
    /// Which share of the spectators has arrived by when: (milliseconds from the planned kick-off, negative before it; share), rising.
    pub arrival_curve: Vec<(i64, f64)>,
    /// Tickets issued per section.
    pub tickets: Vec<(ZoneId, u32)>,
    /// Services that are to run.
    pub services: Vec<Service>,
}

/// Services of public transport that are to run at a stop in `[from, to)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// The stop.
    pub stop: StopId,
    /// The line, where told.
    pub line: Option<Box<str>>,
    /// Start.
    pub from: EventTime,
    /// End, not included.
    pub to: EventTime,
    /// How many vehicles call.
    pub vehicles: u32,
    /// Persons that one vehicle holds.
    pub capacity: u32,
}

/// An operator's command (`midan.commands`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Its id.
    pub command_id: Box<str>,
    /// The venue.
    pub venue: VenueId,
    /// The operator's account id.
    pub operator: Box<str>,
    /// When the operator gave it.
    pub at: EventTime,
    /// What to do.
    pub action: Action,
    /// The reason given.
    pub reason: Option<Box<str>>,
}

/// What an operator can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Acknowledge an alarm.
    Ack {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Take an acknowledgement back.
    Unack {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Put an alarm aside until a time.
    Shelve {
        /// Which.
        alarm_id: Box<str>,
        /// Until when.
        until: EventTime,
    },
    /// End a shelf.
    Unshelve {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Suppress by design.
    Suppress {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Take out of service.
    OutOfService {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Back from suppression or from out of service.
    Return {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Pass on to the next level.
    Escalate {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Say something about it.
    Comment {
        /// Which.
        alarm_id: Box<str>,
    },
    /// Somebody counted: sets a zone's occupancy.
    Recount {
        /// The zone.
        zone: ZoneId,
        /// Persons in it.
        persons: u32,
    },
    /// Another model is to speak.
    SwapModel {
        /// What it is for.
        role: ModelRole,
        /// Its name.
        model: Box<str>,
        /// Its version.
        version: Box<str>,
        /// SHA-256 of its file, lower-case hexadecimal.
        sha256: Box<str>,
        /// From the first pane that ends after this time.
        from: EventTime,
    },
}

/// What a model that an operator orders is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// The forecast of flows.
    Flow,
    /// The anomaly score.
    Anomaly,
}

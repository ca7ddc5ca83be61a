//! What the records of a source mean whose format Midan does not know: where each field of a neutral event stands in their JSON or CSV.
//!
//! The idea: a record says nothing about itself, so everything that could be guessed wrong (zone, unit, sign, which word means inwards) is a key of the
//! mapping. A mapped record becomes a neutral event and is read by that event's own decoder, so it can say nothing that a neutral record could not.
//! [`super::load::load_mapping`] reads one; `docs/MAPPINGS.md` explains each key.

use crate::time::Span;
use crate::time::stamp::Stamps;
use std::collections::BTreeMap;

/// What a source's records mean.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// What sources call it.
    pub name: Box<str>,
    /// How a record is written.
    pub encoding: Encoding,
    /// The events that one entry of a record can become, each where its condition holds.
    pub events: Vec<EventRule>,
}

/// How a record is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// JSON. `entries` leads to the list of what happened; without it the record is one entry, or a list of entries.
    Json {
        /// The path to the list.
        entries: Option<Path>,
    },
    /// Lines of cells.
    Csv {
        /// Between two cells.
        delimiter: u8,
        /// The names of the columns, where no header tells them.
        columns: Vec<Box<str>>,
    },
}

/// The way to a value: the keys, one in the other; of a CSV the column.
pub type Path = Vec<Box<str>>;

/// One neutral event that an entry can become.
#[derive(Clone, Debug)]
pub struct EventRule {
    /// The neutral format.
    pub becomes: Box<str>,
    /// Where each of these stands, it must say one of the words.
    pub when: Vec<(Path, Vec<Box<str>>)>,
    /// The fields of the event.
    pub fields: Vec<FieldRule>,
}

/// One field of the event.
#[derive(Clone, Debug)]
pub struct FieldRule {
    /// Its name in the neutral format.
    pub field: &'static str,
    /// What belongs in it.
    pub kind: FieldKind,
    /// Where it comes from.
    pub from: Origin,
    /// What the words mean; where there are any, a value that is none of them is a fault.
    pub words: BTreeMap<Box<str>, Box<str>>,
    /// What is read for nothing (`-1`, an empty text).
    pub missing: Vec<Box<str>>,
    /// From the number on the wire to the neutral unit: times the first, plus the second.
    pub unit: (f64, f64),
    /// Which numbers count, where the sign tells the direction.
    pub sign: Option<Sign>,
    /// How a time is written.
    pub stamps: Stamps,
    /// From the time on the wire to the one that is meant.
    pub shift: Shift,
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It stands in the record.
    Path(Path),
    /// It is always this.
    Constant(Box<str>),
}

/// Which numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Those above zero; another is 0.
    Positive,
    /// Those below zero, without their sign; another is 0.
    Negative,
}

/// From one time to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Later by this.
    Later(Span),
    /// Earlier by this.
    Earlier(Span),
}

/// What belongs in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A name, an id, a word.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Real,
    /// A point in time.
    Time,
    /// Yes or no.
    Flag,
    /// A list, as it stands.
    List,
}

/// Every field that a mapping can fill, and what belongs in it. A test of the formats holds it against their fields.
pub const TARGETS: &[(&str, FieldKind)] = &[
    ("sensor", FieldKind::Text),
    ("from", FieldKind::Time),
    ("to", FieldKind::Time),
    ("in", FieldKind::Whole),
    ("out", FieldKind::Whole),
    ("count", FieldKind::Whole),
    ("seq", FieldKind::Whole),
    ("recorded", FieldKind::Time),
    ("cumulative", FieldKind::Flag),
    ("at", FieldKind::Time),
    ("persons", FieldKind::Whole),
    ("state", FieldKind::Text),
    ("lanes_open", FieldKind::Whole),
    ("scan_id", FieldKind::Text),
    ("gate", FieldKind::Text),
    ("result", FieldKind::Text),
    ("event_time", FieldKind::Time),
    ("ticket", FieldKind::Text),
    ("direction", FieldKind::Text),
    ("reason", FieldKind::Text),
    ("recorded_time", FieldKind::Time),
    ("offline", FieldKind::Flag),
    ("stop", FieldKind::Text),
    ("alighting", FieldKind::Whole),
    ("boarding", FieldKind::Whole),
    ("line", FieldKind::Text),
    ("trip", FieldKind::Text),
    ("occupancy_percentage", FieldKind::Whole),
    ("zone", FieldKind::Text),
    ("tracks", FieldKind::List),
    ("cell_m", FieldKind::Real),
    ("nx", FieldKind::Whole),
    ("ny", FieldKind::Whole),
    ("density", FieldKind::List),
    ("vx", FieldKind::List),
    ("vy", FieldKind::List),
    ("call_id", FieldKind::Text),
    ("x", FieldKind::Real),
    ("y", FieldKind::Real),
    ("kind", FieldKind::Text),
    ("station", FieldKind::Text),
    ("air_c", FieldKind::Real),
    ("wbgt_c", FieldKind::Real),
    ("rain_mm_h", FieldKind::Real),
    ("wind_m_s", FieldKind::Real),
    ("health", FieldKind::Text),
];

/// Units on the wire: times the first, plus the second, gives the unit of the neutral field.
pub const UNITS: &[(&str, (f64, f64))] = &[
    ("km/h", (1.0 / 3.6, 0.0)),
    ("mph", (0.447_04, 0.0)),
    ("kn", (1_852.0 / 3_600.0, 0.0)),
    ("cm", (0.01, 0.0)),
    ("mm", (0.001, 0.0)),
    ("ft", (0.304_8, 0.0)),
    ("F", (5.0 / 9.0, -160.0 / 9.0)),
    ("K", (1.0, -273.15)),
    ("in/h", (25.4, 0.0)),
    ("hundreds", (100.0, 0.0)),
    ("thousands", (1_000.0, 0.0)),
];

//! A mapping: what the columns of a table mean (`docs/TABLES.md` explains each key).
//!
//! The idea: a table says nothing about itself, so everything that could be guessed wrong is a key here (zone, doubled hours, what a row covers, what
//! an absent row means). A mapping is read whole, and every fault comes out at once with its line.

use super::figure::{FigureFault, Figures};
use super::keys::{Faults, Keys, MappingFault};
use super::sections::{
    Amounts, TimeSection, amounts, anomaly_budget, calendar, duration, figures, file_shape, holidays, layout, opening_hours, time, without, zone,
};
use crate::time::stamp::{Format, Stamps};
use crate::time::{EventTime, Span};
use crate::venue::Holidays;
use crate::venue::opening::Opening;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use sha2::{Digest, Sha256};
use std::ops::Range;
use toml::de::DeTable;

/// What a table means.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The id of the venue that the table becomes.
    pub venue: String,
    /// Its full name.
    pub name: String,
    /// What a row covers; the panes and the forecast steps are as long.
    pub step: Span,
    /// Whether each sensor's place has no other way in or out, so that its occupancy may be summed up.
    pub closed: bool,
    /// How the file is written.
    pub file: FileShape,
    /// The columns that make the time.
    pub time_columns: Vec<String>,
    /// How they are read.
    pub stamps: Stamps,
    /// Whether the pattern itself says that they are of UTC, and nothing else does.
    pub is_utc_by_pattern: bool,
    /// Whether the time is the start of what a row covers, or its end.
    pub stamp_is: StampIs,
    /// Where the figures stand.
    pub layout: Layout,
    /// What a row means that lies beside the grid of the step.
    pub off_grid: OffGrid,
    /// How figures are written.
    pub figures: Figures,
    /// What a second row of a sensor and step means that tells the same direction.
    pub repeated: Repeated,
    /// Whether figures are running totals, so that the rise from one row to the next is what a step counted.
    pub totals: bool,
    /// What no step of a place can have more of, persons; what is above it nobody believes.
    pub most: Option<u32>,
    /// What an absent row means.
    pub absent: Absent,
    /// Local days of which nobody kept the table: an absent row is a gap there.
    pub without: Vec<Range<NaiveDate>>,
    /// When people can be there.
    pub opening: Opening,
    /// Days that are like another day of the week.
    pub holidays: Holidays,
    /// How many false findings an operator is ready to look at; what the profile says where nothing is told.
    pub anomaly: AnomalyBudget,
    /// How a calendar beside the table is written.
    pub calendar: CalendarShape,
    /// SHA-256 of the mapping's text, hexadecimal.
    pub hash: String,
}

/// How the table's file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileShape {
    /// CSV (also gzipped) or Parquet; by the file's name where the mapping does not say.
    pub parquet: Option<bool>,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Lines before the header (or the first row), which are passed over.
    pub skip: u32,
    /// Between two cells.
    pub delimiter: u8,
    /// The names of the columns where no header tells them.
    pub columns: Vec<String>,
}

/// What the time of a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampIs {
    /// The start of what the row covers.
    From,
    /// The end.
    To,
}

/// Which clock a table's steps follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepClock {
    /// Time as it passes: every step is as long as the mapping says.
    Elapsed,
    /// The clock on the wall, on which a day has 24 hours even where 23 or 25 pass: steps that are no part of an hour, such as days, begin by it.
    Wall,
}

/// What a row means whose time lies beside the grid of the step that most rows are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffGrid {
    /// A fault of the row.
    Refuse,
    /// It belongs to the step that it begins in.
    Down,
    /// It belongs to the step whose start is nearest.
    Nearest,
}

/// What an absent row means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Nobody knows: no event.
    Gap,
    /// Nobody came: a count of zero, within opening hours and between the sensor's first and last row.
    Zero,
}

/// What a figure that is no whole number of persons means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimals {
    /// A fault of the row.
    Refuse,
    /// An estimate: the nearest whole number, a half upwards.
    Round,
}

/// What a second row of a sensor and step means that tells the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// The same told twice: both come out, and the engine tells a repeat from a conflict.
    Judge,
    /// A part of the whole (a fare class, a door, a means of payment): the figures are added up.
    Sum,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Inwards.
    In,
    /// Outwards.
    Out,
    /// Both, untold.
    Undirected,
}

/// Where the figures stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A row is about one sensor.
    Long {
        /// Which one.
        sensor: SensorIs,
        /// Where its figures are.
        values: Values,
    },
    /// A row is about all sensors, a column about one.
    Wide {
        /// What the figures count.
        measures: Direction,
        /// The sensors' columns; all but the time's where none are named.
        columns: Vec<String>,
        /// Columns that are no sensors.
        except: Vec<String>,
    },
}

/// Which sensor a row of a long table is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SensorIs {
    /// The one that these columns name, with a slash between.
    Columns(Vec<String>),
    /// Always this one.
    Fixed(String),
}

/// Where the figures of a long table's row are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// A column for each direction; without one, each row is a person.
    Columns(Vec<(Direction, Option<String>)>),
    /// One figure, and a column that tells its direction.
    Told {
        /// The column of the direction.
        direction: String,
        /// Its words for inwards.
        inwards: Vec<String>,
        /// Its words for outwards.
        outwards: Vec<String>,
        /// The column of the figure; without one, each row is a person.
        value: Option<String>,
    },
}

impl Layout {
    /// Which of in, out and undirected it names.
    pub(super) fn told(&self) -> [bool; 3] {
        let mut told = [false; 3];
        match self {
            Self::Long { values: Values::Columns(values), .. } => values.iter().for_each(|(direction, _)| told[*direction as usize] = true),
            Self::Long { values: Values::Told { inwards, outwards, .. }, .. } => told = [!inwards.is_empty(), !outwards.is_empty(), false],
            Self::Wide { measures, .. } => told[*measures as usize] = true,
        }
        told
    }

    /// Whether each row is a person.
    fn is_of_passages(&self) -> bool {
        match self {
            Self::Long { values: Values::Columns(columns), .. } => columns.iter().any(|(_, column)| column.is_none()),
            Self::Long { values: Values::Told { value, .. }, .. } => value.is_none(),
            Self::Wide { .. } => false,
        }
    }
}

/// The operator's budget of false findings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AnomalyBudget {
    /// False findings a week.
    pub per_week: Option<f64>,
    /// Whether all places of the table share it; else each has it to itself.
    pub is_shared: Option<bool>,
}

/// How a calendar beside the table is written: a CSV with a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarShape {
    /// The column of the venue's id; rows of other venues are left out.
    pub venue: String,
    /// The column of the start.
    pub start: String,
    /// The column of the planned end.
    pub end: String,
    /// The column of the expected attendance.
    pub attendance: String,
    /// The column of the name.
    pub name: String,
    /// How the times are written.
    pub format: Format,
    /// The zone of those that bear no offset, where it is not the table's.
    pub written_in: Option<chrono_tz::Tz>,
    /// The zone that the pattern itself names, of those that are written by it.
    pub written_in_by_pattern: Option<chrono_tz::Tz>,
    /// The columns that the mapping itself names: they must be there.
    pub named: Vec<String>,
}

impl Mapping {
    /// Whether steps may have to follow the clock on the wall: they are no part of an hour, so that they leave their grid where that clock is changed.
    pub fn may_follow_the_wall(&self) -> bool {
        const HOUR_MS: u64 = 3_600_000;
        self.stamps.zone.is_some() && !HOUR_MS.is_multiple_of(self.step.as_millis())
    }

    /// The clock on the wall at a time of the steps.
    pub(super) fn local(&self, clock: StepClock, at: EventTime) -> Option<NaiveDateTime> {
        match clock {
            StepClock::Elapsed => self.stamps.wall_clock(at),
            StepClock::Wall => DateTime::from_timestamp_millis(at.as_millis()).map(|wall| wall.naive_utc()),
        }
    }

    /// Whether nobody kept the table for a part of what lies between two times of the steps.
    pub(super) fn lacks(&self, clock: StepClock, from: EventTime, to: EventTime) -> bool {
        let local = |at| self.local(clock, at);
        let midnight = |date: NaiveDate| NaiveDateTime::from(date);
        let cuts = |days: &Range<NaiveDate>| local(from).is_some_and(|from| from < midnight(days.end)) && local(to).is_some_and(|to| midnight(days.start) < to);
        from < to && self.without.iter().any(cuts)
    }

    /// Whether a mapping's text is of a table, and not of a source's records (`docs/MAPPINGS.md`), as far as it can be read: a slip elsewhere in it does not make it another thing.
    pub fn is_of_table(text: &str) -> bool {
        let (document, _) = DeTable::parse_recoverable(text);
        let has = |key: &str| document.get_ref().iter().any(|(name, _)| name.get_ref() == key);
        !has("events") && (has("long") || has("wide") || has("step"))
    }

    /// The persons that a cell tells, or [`super::figure::MISSING`].
    pub(super) fn read_figure(&self, text: &str) -> Result<u32, FigureFault> {
        let persons = self.figures.read(text)?;
        match self.most.filter(|_| !self.totals) {
            Some(most) if persons > most && persons < super::figure::MISSING => Err(FigureFault::AboveMost { persons, most }),
            _ => Ok(persons),
        }
    }

    /// Reads a mapping; `file` is how its faults call it.
    ///
    /// # Errors
    /// Every fault of it, by line.
    pub fn read(file: &str, text: &str) -> Result<Self, Vec<MappingFault>> {
        let faults = Faults::of(file, text);
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(err) => {
                faults.note(err.span().map_or(0, |span| span.start), "", format!("is not TOML: {}", err.message()));
                return Err(faults.into_result().err().unwrap_or_default());
            }
        };
        let mapping = Self::of(&Keys::root(&document, &faults), text);
        faults.into_result()?;
        // Each absent part has noted its fault above.
        mapping.ok_or_else(Vec::new)
    }

    fn of(root: &Keys<'_>, text: &str) -> Option<Self> {
        let venue = root.must_name("venue");
        let name = root.name("name").or_else(|| venue.clone());
        let zone = root.parsed("time_zone", zone);
        root.must_text("step");
        let step = root.parsed("step", duration);
        let closed = root.flag("closed").unwrap_or(false);
        let figures = figures(root);
        let Amounts { repeated, totals, most } = amounts(root);
        let absent = root.word("absent", &[("gap", Absent::Gap), ("zero", Absent::Zero)]).unwrap_or(Absent::Gap);
        let without = without(root);
        let file = file_shape(root.table("file"));
        let TimeSection { columns: time_columns, stamps, is_utc_by_pattern, stamp_is, off_grid } = time(root.table("time"), zone);
        let layout = layout(root);
        if repeated == Repeated::Judge && layout.as_ref().is_some_and(Layout::is_of_passages) {
            root.fault(
                "repeated",
                "must be \"sum\" where each row is a person (and off_grid under [time] is mostly \"down\"); or name the column of the figures",
            );
        }
        let opening = opening_hours(root.table("opening"));
        let holidays = holidays(root.table("holidays"));
        let anomaly = anomaly_budget(root.table("anomaly"));
        let calendar = calendar(root.table("calendar"), &stamps.format, is_utc_by_pattern);
        if !root.has("time_zone") && !stamps.format.bears_offset() {
            root.fault("time_zone", "must be there: it says what a time without offset means, and when a day begins and which hour it is");
        }
        root.refuse_unknown();
        Some(Self {
            venue: venue?,
            name: name?,
            step: step?,
            closed,
            file,
            time_columns: time_columns?,
            stamps,
            is_utc_by_pattern,
            stamp_is,
            off_grid,
            layout: layout?,
            figures,
            repeated,
            totals,
            most,
            absent,
            without,
            opening,
            holidays,
            anomaly,
            calendar,
            hash: hash(text),
        })
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_comes_at_once_with_its_line_and_the_nearest_names() {
        let text = "venue = 3\ntime_zone = \"Europe/Zuerich\"\nstep = \"5 mins\"\nabsent = \"none\"\nmising = []\n\n[time]\ncolums = [\"t\"]\n\n[long]\nsensor = \"Name\"\n";
        let faults = Mapping::read("m.toml", text).unwrap_err();
        let told: Vec<(usize, &str)> = faults.iter().map(|fault| (fault.line, fault.key.as_str())).collect();
        let expected = [(1, "venue"), (2, "time_zone"), (3, "step"), (4, "absent"), (5, "mising"), (7, "time.columns"), (8, "time.colums"), (10, "long.in")];
        assert_eq!(told, expected, "{faults:#?}");
        assert!(
            faults.iter().any(|fault| fault.to_string() == "m.toml:5: mising: is no key of a mapping; nearest valid: missing, absent, long"),
            "{faults:#?}"
        );
    }

    #[test]
    fn a_key_in_the_wrong_table_is_told_where_it_must_stand() {
        let text = "venue = \"v\"\nstep = \"5m\"\nbudget_per_week = 2\n\n[time]\ncolumns = [\"t\"]\ntime_zone = \"UTC\"\n\n[wide]\n";
        let told: Vec<String> = Mapping::read("m.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|fault| fault == "m.toml:3: budget_per_week: must stand in [anomaly]"), "{told:#?}");
        assert!(told.iter().any(|fault| fault == "m.toml:7: time.time_zone: must stand before the first [table]"), "{told:#?}");
        // The name of a table is no key that could stand elsewhere.
        let told = format!("{:?}", Mapping::read("m.toml", "venue = \"v\"\n[long]\ntime = \"t\"\n").unwrap_err());
        assert!(told.contains("is no key of a mapping") && !told.contains("must stand"), "{told}");
    }

    #[test]
    fn a_pattern_by_which_no_time_can_be_read_is_a_fault_of_the_mapping() {
        for wrong in ["excel", "%Q", "yyyy-MM-dd"] {
            let text = format!(
                "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"5m\"\n[time]\ncolumns = [\"t\"]\nformat = \"{wrong}\"\n[wide]\n[calendar]\nformat = \"{wrong}\"\n"
            );
            let faults = Mapping::read("m.toml", &text).unwrap_err();
            let told: Vec<(usize, &str)> = faults.iter().map(|fault| (fault.line, fault.key.as_str())).collect();
            assert_eq!(told, [(6, "time.format"), (9, "calendar.format")], "{faults:#?}");
            assert!(faults[0].detail.contains("a pattern such as \"%d.%m.%Y %H:%M\""), "{faults:#?}");
        }
    }

    #[test]
    fn a_zone_that_nobody_knows_is_a_fault_of_its_key() {
        let text =
            "venue = \"v\"\ntime_zone = \"Europe/Zurich\"\nstep = \"5m\"\n[time]\ncolumns = [\"t\"]\nzone = \"CET+1\"\n[wide]\n[calendar]\nzone = \"here\"\n";
        let told: Vec<String> = Mapping::read("m.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
        let why = "is no IANA time zone, like \"Europe/Zurich\" or \"UTC\"";
        assert!(told.len() == 2 && told[0].starts_with(&format!("m.toml:6: time.zone: {why}; nearest: CET, ")), "{told:?}");
        assert!(told[1].starts_with(&format!("m.toml:9: calendar.zone: {why}; nearest: ")), "{told:?}");
        for (wrong, nearest) in
            [("Europe/Zuerich", "Europe/Zurich"), ("zurich", "Europe/Zurich"), ("new york", "America/New_York"), ("Asia/Calcuta", "Asia/Calcutta")]
        {
            let told = format!("{:?}", Mapping::read("m.toml", &text.replace("CET+1", wrong)).unwrap_err());
            assert!(told.contains(&format!("nearest: {nearest}")), "{wrong}: {told}");
        }
    }

    #[test]
    fn a_name_says_something() {
        let faults = Mapping::read("m.toml", "venue = \" \"\nname = \"\"\n[long]\nsensor_is = \"\"\n").unwrap_err();
        let told: Vec<&str> = faults.iter().filter(|fault| fault.detail == "is empty, and must be a name").map(|fault| fault.key.as_str()).collect();
        assert_eq!(told, ["venue", "name", "long.sensor_is"], "{faults:#?}");
    }

    #[test]
    fn a_pattern_that_reads_over_the_name_of_a_zone_needs_to_be_told_which_it_is() {
        let read = |zone: &str| {
            let keys = format!("columns = [\"t\"]\nformat = \"%Y-%m-%d %H:%M %Z\"\n{zone}");
            Mapping::read("m.toml", &format!("venue = \"v\"\ntime_zone = \"Europe/Zurich\"\nstep = \"5m\"\n[time]\n{keys}[wide]\n"))
        };
        let faults = read("").unwrap_err();
        assert!(faults.len() == 1 && faults[0].to_string().starts_with("m.toml:6: time.format: reads over the name of a zone (%Z)"), "{faults:#?}");
        assert!(read("zone = \"UTC\"\n").is_ok());
    }

    #[test]
    fn a_column_of_a_wide_table_is_named_once() {
        let faults =
            Mapping::read("m.toml", "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"5m\"\n[time]\ncolumns = [\"t\"]\n[wide]\ncolumns = [\"a\", \"b\", \"a\"]\n")
                .unwrap_err();
        assert_eq!(faults[0].to_string(), "m.toml:7: wide.columns: names \"a\" twice");
    }

    #[test]
    fn what_is_not_toml_says_where() {
        let faults = Mapping::read("m.toml", "venue = \"a\"\nstep = \n").unwrap_err();
        assert_eq!((faults.len(), faults[0].line), (1, 2));
    }

    #[test]
    fn the_mappings_that_come_with_midan_are_right() {
        for name in ["hardbruecke", "hangzhou", "calit2"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/mappings/{name}.toml"));
            let text = std::fs::read_to_string(path).unwrap();
            let mapping = Mapping::read(name, &text).unwrap_or_else(|faults| panic!("{faults:#?}"));
            assert_eq!(mapping.venue, name);
        }
    }
}

//! An incident as its file tells it: what happened, when people acted, and the numbers over time of which the streams are made.
//!
//! Every number stands with its source and a mark: `S` read in a public source, `C` computed from sourced numbers, `M` remembered from a public source but not checked
//! against it, `I` invented so that a stream can be made at all. A number without either is refused.

use super::crowding::Crowding;
use serde::{Deserialize, Serialize};

/// One incident.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Its id, the name of its folder.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The day on which it began, `2022-05-28`.
    pub day: String,
    /// The offset of local time from UTC, `+02:00`.
    pub utc_offset: String,
    /// When the streams begin, local, `17:00`; hours above 24 are of the next day.
    pub from: String,
    /// When they end.
    pub to: String,
    /// Whether it was used when thresholds were chosen (`tuning`), or only reported on (`held_out`).
    pub part: Part,
    /// The harm.
    pub harm: Moment,
    /// When the people in charge acted on it.
    pub acted: Moment,
    /// The findings that must come, and how long before.
    pub expected: Vec<Expected>,
    /// The numbers.
    pub streams: Vec<Stream>,
}

/// Which part of the library it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words say it")]
pub enum Part {
    Tuning,
    HeldOut,
}

/// Something that happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// When, local.
    pub at: String,
    /// What.
    pub what: String,
    /// Where that is told.
    pub source: String,
    /// How far the source was checked.
    pub mark: Mark,
}

/// How far a number was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Mark {
    /// Read in a public source.
    S,
    /// Computed from sourced numbers.
    C,
    /// From a public source, not checked against it.
    M,
    /// Invented.
    I,
}

/// A finding that must come.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Any of these codes.
    pub codes: Vec<String>,
    /// At least so many minutes before the harm; what must come at load has `at_load` instead.
    #[serde(default)]
    pub lead_min: f64,
    /// Whether it must come with the first pane, before anybody has come.
    #[serde(default)]
    pub at_load: bool,
    /// Why this much.
    pub why: String,
}

/// The numbers of one sensor, stop or gate over time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// What is told.
    pub what: What,
    /// The sensor, stop, gate or zone; nothing for what concerns the whole venue.
    #[serde(default)]
    pub place: String,
    /// The line of `passengers`.
    #[serde(default)]
    pub line: String,
    /// The source on whose clock it comes.
    pub source: String,
    /// How often it is told, s.
    #[serde(default = "a_minute")]
    pub every_s: u32,
    /// Its points, in order of time.
    pub points: Vec<Point>,
}

/// What a stream tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Persons who crossed a link: totals, with straight lines between the points.
    Count,
    /// Persons who alighted at a stop: totals, with straight lines between.
    Passengers,
    /// Passengers as a report that comes at once: each point's total less the one before, in its minute.
    Report,
    /// Tickets scanned at a gate: totals, with straight lines between.
    Scan,
    /// Heads in a zone, with straight lines between.
    Occupancy,
    /// The state of a gate or door: holds until the next point, told again every so often.
    State,
    /// A call for help at each point.
    Call,
    /// A match event at each point.
    Match,
    /// The weather, with straight lines between.
    Weather,
    /// A dense crowd seen by a camera, with straight lines between.
    Grid,
}

/// One point of a stream. Which fields it has hangs on what the stream tells.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// When, local.
    pub at: String,
    /// Persons in all so far (count inwards, passengers, scans).
    pub total: Option<f64>,
    /// Persons in all so far, outwards; tickets turned away, for scans.
    pub back: Option<f64>,
    /// Persons present.
    pub persons: Option<f64>,
    /// State of a gate or door.
    pub state: Option<String>,
    /// Lanes open.
    pub lanes_open: Option<u32>,
    /// Kind of a call, or of a match event.
    pub kind: Option<String>,
    /// What a match event moves kick-off to, local.
    pub to: Option<String>,
    /// Wet-bulb globe temperature, °C.
    pub wbgt_c: Option<f64>,
    /// Rain, mm/h.
    pub rain_mm_h: Option<f64>,
    /// A dense crowd.
    pub crowd: Option<Crowding>,
    /// Where the number is told.
    #[serde(default)]
    pub source: String,
    /// How far that was checked.
    pub mark: Option<Mark>,
}

const fn a_minute() -> u32 {
    60
}

impl Script {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is no script, or a number stands without source and mark; the text names the place.
    pub fn read(text: &str) -> Result<Self, String> {
        let script: Self = toml::from_str(text).map_err(|fault| fault.to_string())?;
        let clock = script.clock()?;
        for (name, at) in [("from", &script.from), ("to", &script.to), ("harm", &script.harm.at), ("acted", &script.acted.at)] {
            clock.at(at).map_err(|fault| format!("{}: `{name}`: {fault}", script.id))?;
        }
        for (number, stream) in script.streams.iter().enumerate() {
            let mut last = i64::MIN;
            for point in &stream.points {
                let place = || format!("{}: stream {number} ({:?} {}), point at {}", script.id, stream.what, stream.place, point.at);
                let at = clock.at(&point.at).map_err(|fault| format!("{}: {fault}", place()))?;
                if at < last {
                    return Err(format!("{}: comes before the point above it", place()));
                }
                if point.source.is_empty() || point.mark.is_none() {
                    return Err(format!("{}: has no `source` or no `mark`; write where the number is told, or what is invented and mark it I", place()));
                }
                last = at;
            }
        }
        Ok(script)
    }

    /// Its clock.
    ///
    /// # Errors
    /// When day or offset are none.
    pub fn clock(&self) -> Result<Clock, String> {
        let text = format!("{}T00:00:00{}", self.day, self.utc_offset);
        let midnight = chrono::DateTime::parse_from_rfc3339(&text).map_err(|_| format!("{}: `day` and `utc_offset` make no date: {text}", self.id))?;
        Ok(Clock { midnight: midnight.timestamp_millis() })
    }
}

/// Local times of one day as epoch milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    midnight: i64,
}

impl Clock {
    /// The clock whose day begins at `midnight`, epoch ms.
    pub const fn from_midnight(midnight: i64) -> Self {
        Self { midnight }
    }

    /// `18:05` or `18:05:30`, hours above 24 being of the next day.
    ///
    /// # Errors
    /// When it is no time of day.
    pub fn at(&self, text: &str) -> Result<i64, String> {
        let parts: Option<Vec<i64>> = text.split(':').map(|part| part.parse().ok().filter(|part| *part >= 0)).collect();
        match parts.as_deref() {
            Some([hours, minutes]) if *minutes < 60 => Ok(self.midnight + (hours * 60 + minutes) * 60_000),
            Some([hours, minutes, seconds]) if *minutes < 60 && *seconds < 60 => Ok(self.midnight + ((hours * 60 + minutes) * 60 + seconds) * 1_000),
            _ => Err(format!("\"{text}\" is no time of day; write it as in \"18:05\"")),
        }
    }

    /// The local time of day, `18:05`.
    pub fn text(&self, at: i64) -> String {
        let minutes = (at - self.midnight).div_euclid(60_000);
        format!("{:02}:{:02}", minutes.div_euclid(60), minutes.rem_euclid(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"
id = "x"
name = "X"
day = "2022-05-28"
utc_offset = "+02:00"
from = "17:00"
to = "25:30"
part = "held_out"
harm = { at = "21:00", what = "h", source = "s", mark = "S" }
acted = { at = "20:00", what = "a", source = "s", mark = "S" }
expected = []
"#;

    #[test]
    fn local_times_are_of_the_day_and_of_the_night_after_it() {
        let script = Script::read(&format!("{HEAD}streams = []")).unwrap();
        let clock = script.clock().unwrap();
        assert_eq!(clock.at("21:00").unwrap(), 1_653_764_400_000);
        assert_eq!(clock.at("25:30").unwrap() - clock.at("21:00:30").unwrap(), (4 * 60 + 29) * 60_000 + 30_000);
        assert_eq!(clock.text(clock.at("25:30").unwrap()), "25:30");
        assert!(clock.at("9pm").is_err());
    }

    #[test]
    fn a_number_without_a_source_is_refused() {
        let stream = r#"streams = [ { what = "count", place = "c", source = "s", points = [ { at = "18:00", total = 5 } ] } ]"#;
        let why = Script::read(&format!("{HEAD}{stream}")).unwrap_err();
        assert!(why.contains("stream 0 (Count c), point at 18:00") && why.contains("no `source`"), "{why}");
    }
}

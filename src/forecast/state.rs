//! The names under which a forecaster's state is stored: many small entries, so that a pane close writes only what it changed.
//!
//! ```text
//!   history/<end>                 counts of one pane
//!   issued/<end>                  quantiles issued at one pane for the next step
//!   step/<end>                    what was issued at the end of one step, for all horizons
//!   horizon/<place>               what is learnt of one horizon
//!   hours/<place>/<part>          the same of a part of the day, where a horizon's target lies in it
//!   weekday/<quarter>             how far this weekday has been right there, by quarter of the week's days
//!   pulse                         running ratios, errors and sizes
//!   level/<kind of day>/<slot>    what is usual; likewise spread/<kind of day>/<slot>, week/<weekday>/<slot>
//!   excess                        what matches add
//!   tonight                       what is known of the event that is on
//!   face/<kind of day>/<slot>     the two faces of a slot; faces: what is gathered of one that is not over; likeness: which days are like today; spent-like: which kind of day today is like
//!   gathering                     what is gathered of a slot that is not over
//!   watch/scores                  histogram of the watch's scores; likewise watch/budget/<group>, watch/zone/<n>, watch/whole, watch/occasion/<bin>
//!   calibration/<kind>            histogram of one kind of score
//! ```

use super::calendar::DayKind;
use super::habits::Quarter;
use super::usual::SlotKey;
use crate::time::EventTime;
use std::fmt;

/// The kinds of scores that are calibrated apart, because their quiet values differ: a model's and the fallback's, each with a profile (`warm`) and before there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the type's comment explains them")]
pub enum ScoreKind {
    ModelCold,
    ModelWarm,
    FallbackCold,
    FallbackWarm,
}

impl ScoreKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ModelCold, Self::ModelWarm, Self::FallbackCold, Self::FallbackWarm];

    /// The word in keys.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ModelCold => "model-cold",
            Self::ModelWarm => "model-warm",
            Self::FallbackCold => "fallback-cold",
            Self::FallbackWarm => "fallback-warm",
        }
    }

    /// Whether a model gave it.
    pub const fn is_by_model(self) -> bool {
        matches!(self, Self::ModelCold | Self::ModelWarm)
    }

    /// The kind of a score.
    pub const fn of(by_model: bool, with_profile: bool) -> Self {
        match (by_model, with_profile) {
            (true, false) => Self::ModelCold,
            (true, true) => Self::ModelWarm,
            (false, false) => Self::FallbackCold,
            (false, true) => Self::FallbackWarm,
        }
    }
}

/// One entry's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the module's table explains them")]
pub enum StateKey {
    History(EventTime),
    Issued(EventTime),
    Step(EventTime),
    Horizon(u8),
    Hours(u8, u8),
    Weekday(Quarter),
    Pulse,
    Usual(SlotKey),
    Face(DayKind, u16),
    Faces,
    Likeness,
    SpentLike,
    Gathering,
    Excess,
    Tonight,
    WatchScores,
    WatchBudget(u32),
    WatchZone(u32),
    WatchWhole,
    WatchOccasion(u32),
    Calibration(ScoreKind),
}

impl fmt::Display for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::History(end) => write!(f, "history/{}", end.as_millis()),
            Self::Issued(end) => write!(f, "issued/{}", end.as_millis()),
            Self::Step(end) => write!(f, "step/{}", end.as_millis()),
            Self::Horizon(place) => write!(f, "horizon/{place}"),
            Self::Hours(place, part) => write!(f, "hours/{place}/{part}"),
            Self::Weekday(quarter) => write!(f, "weekday/{}", quarter.number()),
            Self::Pulse => f.write_str("pulse"),
            Self::Usual(SlotKey::Level(kind, slot)) => write!(f, "level/{}/{slot}", kind.word()),
            Self::Usual(SlotKey::Spread(kind, slot)) => write!(f, "spread/{}/{slot}", kind.word()),
            Self::Usual(SlotKey::Week(day, slot)) => write!(f, "week/{day}/{slot}"),
            Self::Face(kind, slot) => write!(f, "face/{}/{slot}", kind.word()),
            Self::Faces => f.write_str("faces"),
            Self::Likeness => f.write_str("likeness"),
            Self::SpentLike => f.write_str("spent-like"),
            Self::Gathering => f.write_str("gathering"),
            Self::Excess => f.write_str("excess"),
            Self::Tonight => f.write_str("tonight"),
            Self::WatchScores => f.write_str("watch/scores"),
            Self::WatchBudget(group) => write!(f, "watch/budget/{group}"),
            Self::WatchZone(zone) => write!(f, "watch/zone/{zone}"),
            Self::WatchWhole => f.write_str("watch/whole"),
            Self::WatchOccasion(bin) => write!(f, "watch/occasion/{bin}"),
            Self::Calibration(kind) => write!(f, "calibration/{}", kind.word()),
        }
    }
}

impl StateKey {
    /// Reads a name; `None` for one that no forecaster writes.
    pub fn parse(name: &str) -> Option<Self> {
        let end = |text: &str| text.parse().ok().map(EventTime::from_millis);
        let kind = |word: &str| [DayKind::Working, DayKind::Saturday, DayKind::Sunday].into_iter().find(|kind| kind.word() == word);
        match name.split('/').collect::<Vec<_>>()[..] {
            ["history", text] => end(text).map(Self::History),
            ["issued", text] => end(text).map(Self::Issued),
            ["step", text] => end(text).map(Self::Step),
            ["horizon", text] => text.parse().ok().map(Self::Horizon),
            ["hours", place, part] => Some(Self::Hours(place.parse().ok()?, part.parse().ok()?)),
            ["weekday", nth] => Quarter::numbered(nth.parse().ok()?).map(Self::Weekday),
            ["pulse"] => Some(Self::Pulse),
            ["level", word, slot] => Some(Self::Usual(SlotKey::Level(kind(word)?, slot.parse().ok()?))),
            ["spread", word, slot] => Some(Self::Usual(SlotKey::Spread(kind(word)?, slot.parse().ok()?))),
            ["week", day, slot] => Some(Self::Usual(SlotKey::Week(day.parse().ok().filter(|day| *day < 7)?, slot.parse().ok()?))),
            ["face", word, slot] => Some(Self::Face(kind(word)?, slot.parse().ok()?)),
            ["faces"] => Some(Self::Faces),
            ["likeness"] => Some(Self::Likeness),
            ["spent-like"] => Some(Self::SpentLike),
            ["gathering"] => Some(Self::Gathering),
            ["excess"] => Some(Self::Excess),
            ["tonight"] => Some(Self::Tonight),
            ["watch", "scores"] => Some(Self::WatchScores),
            ["watch", "budget", group] => group.parse().ok().map(Self::WatchBudget),
            ["watch", "zone", zone] => zone.parse().ok().map(Self::WatchZone),
            ["watch", "whole"] => Some(Self::WatchWhole),
            ["watch", "occasion", bin] => bin.parse().ok().map(Self::WatchOccasion),
            ["calibration", word] => ScoreKind::ALL.into_iter().find(|kind| kind.word() == word).map(Self::Calibration),
            _ => None,
        }
    }
}

/// Why a stored entry cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The name is none of the forecaster's.
    #[error(
        "unknown forecast state `{key}`: expected history/…, issued/…, step/…, horizon/…, hours/…, weekday/…, pulse, level/…, spread/…, week/…, face/…, faces, likeness, spent-like, gathering, excess, tonight, watch/… or calibration/…; the state was written by another version"
    )]
    UnknownKey {
        /// The name.
        key: String,
    },
    /// The bytes cannot be read.
    #[error("forecast state `{key}` cannot be read: {why}")]
    Unreadable {
        /// The name.
        key: String,
        /// What the decoder says.
        why: String,
    },
    /// Its figures are none that this binary writes.
    #[error("forecast state `{key}` holds figures that cannot be: it is damaged, or was written by another version")]
    Unsound {
        /// The name.
        key: String,
    },
    /// It belongs to a venue with other series.
    #[error("forecast state `{key}` is not of {series} series: the venue's configuration has changed since it was written")]
    OtherLayout {
        /// The name.
        key: String,
        /// How many series the venue has.
        series: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        let mut keys = vec![
            StateKey::History(EventTime::from_millis(-5)),
            StateKey::Issued(EventTime::from_millis(7)),
            StateKey::Pulse,
            StateKey::Face(DayKind::Saturday, 55),
            StateKey::Faces,
            StateKey::Likeness,
            StateKey::SpentLike,
            StateKey::Gathering,
            StateKey::Excess,
            StateKey::Tonight,
            StateKey::Horizon(4),
            StateKey::Hours(3, 23),
            StateKey::Weekday(Quarter::numbered(27).unwrap()),
            StateKey::WatchScores,
            StateKey::WatchBudget(1),
            StateKey::WatchZone(3),
            StateKey::WatchWhole,
            StateKey::WatchOccasion(0),
        ];
        keys.push(StateKey::Step(EventTime::from_millis(9)));
        keys.extend([SlotKey::Level(DayKind::Sunday, 287), SlotKey::Spread(DayKind::Working, 0), SlotKey::Week(6, 95)].map(StateKey::Usual));
        keys.extend(ScoreKind::ALL.map(StateKey::Calibration));
        for key in keys {
            assert_eq!(StateKey::parse(&key.to_string()), Some(key));
        }
    }

    #[test]
    fn a_name_of_nobody_is_refused() {
        for name in ["", "history", "history/x", "profile/weekday/3", "pulse/1", "week/7/0", "weekday/28", "level/holiday/3", "calibration/best"] {
            assert_eq!(StateKey::parse(name), None, "{name}");
        }
    }
}

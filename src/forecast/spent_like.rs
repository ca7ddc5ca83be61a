//! Which kind of day today is spent like: a holiday that nobody has told, a Saturday that is worked.
//!
//! The idea: nobody needs to know that it is a holiday who sees the morning. Each step of today is held, in all series, against what is usual of its own kind of day and of the two others,
//! both shifted by how the day before ran, so that a quiet month is not taken for Sundays:
//!
//! ```text
//!   evidence    Σ over today's steps of  mean over series of (|√came − √own| − |√came − √other|)/(½ scale), held within ± 3, times min(series, 4), a quarter of an hour counting whole
//!   share       1/(1 + exp(−2·(evidence − 4))) of the kind of day for which there is most; half at least, or nothing is said
//!   expected    own + share·(other − own)
//! ```
//!
//! A day lasts from four in the morning until four. What is expected so is said by the voice of `likeness`, shifted by how the last hour ran against it, and believed as far as it fares well.

use super::calendar::{Calendar, DAWN_MS, DayKind, Place};
use super::pulse::Pulse;
use super::usual::{LevelView, Usual};
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// One series in one step speaks for no more than this, and all together neither: one hour alone may be anything. This and the two below were chosen on two years of hired bikes and of a bridge's sensor and six of a motorway, by the holidays there.
const WITHIN: f64 = 3.0;
/// So many series speak for themselves; more are one crowd.
const SERIES: f64 = 4.0;
/// A step of this length counts whole, s: shorter ones tell the same several times.
const WHOLE_S: f64 = 900.0;
/// The evidence from which on the other kind of day is more likely, and how sharply; it is held within twice that.
const LIKELY: f64 = 4.0;
const SHARPNESS: f64 = 0.5;
/// Below this share nothing is said: heard earlier, it spoke on many a day that was only odd.
const HEARD: f64 = 0.5;
/// So many persons are added to both sides of how the day before ran.
const CAUTION: f64 = 5.0;
/// Days that must have taught what is usual of a kind.
const KNOWN_DAYS: u8 = 2;

/// What has been seen of today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpentLike {
    /// Days since 1970-01-01, and its kind; `None` before the first.
    today: Option<(i64, DayKind)>,
    /// How the day before ran: what came over what was usual, roots.
    pace: f32,
    /// For each of the two other kinds, in the order of [`DayKind::and_then_others`].
    evidence: [f32; 2],
}

/// One step of today, and what is usual.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The clock on the wall.
    pub calendar: &'a Calendar,
    /// What is usual.
    pub usual: &'a Usual,
    /// When the step starts.
    pub start: EventTime,
    /// How long it is.
    pub length: Span,
}

/// A day that is spent like one of another kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guise {
    day: i64,
    kind: DayKind,
    share: f64,
}

impl SpentLike {
    /// Whether anything of a day has been seen.
    pub const fn has_seen(&self) -> bool {
        self.today.is_some()
    }

    /// Whether its figures can be.
    pub fn is_sound(&self) -> bool {
        let evidence = self.evidence.iter().all(|evidence| f64::from(*evidence).abs() <= 2.0 * LIKELY);
        self.pace.is_finite() && self.pace > 0.0 && evidence || !self.has_seen()
    }

    /// Holds a step against the kinds of days: `came(series)` is its count, `pulse` tells how the day before ran and how far a count lies from what is expected.
    pub fn see(&mut self, step: &Step<'_>, pulse: &Pulse, came: impl Fn(usize) -> Option<f64>) {
        let Step { calendar, usual, start, length } = *step;
        let (day, kind) = day_of(calendar, start);
        if self.today != Some((day, kind)) {
            let (came, usual) = pulse.last_day();
            let pace = ((came + CAUTION) / (usual + CAUTION)).sqrt();
            *self = Self { today: Some((day, kind)), pace: pace as f32, evidence: [0.0; 2] };
        }
        let place = calendar.place(start);
        let [_, first, second] = kind.and_then_others().map(|kind| usual.level(as_of(place, kind)));
        let own = usual.level(place);
        let pace = f64::from(self.pace);
        let weight = (length.as_secs_f64() / WHOLE_S).min(1.0);
        for (other, evidence) in [first, second].iter().zip(&mut self.evidence) {
            let of = |series: usize| {
                let known = |view: &LevelView<'_>| view.of(series).filter(|level| level.taught.days() >= KNOWN_DAYS).map(|level| pace * level.persons.sqrt());
                let (own, other, came) = (known(&own)?, known(other)?, came(series)?.sqrt());
                Some((2.0 * ((came - own).abs() - (came - other).abs()) / pulse.scale(series)).clamp(-WITHIN, WITHIN))
            };
            let (sum, known) = (0..pulse.series()).filter_map(of).fold((0.0, 0.0f64), |(sum, known), told| (sum + told, known + 1.0));
            let told = (weight * known.min(SERIES) * sum / known.max(1.0)).clamp(-WITHIN, WITHIN);
            *evidence = (f64::from(*evidence) + told).clamp(-2.0 * LIKELY, 2.0 * LIKELY) as f32;
        }
    }

    /// The other kind of day that today is spent like, if it is likely at all.
    pub fn guise(&self) -> Option<Guise> {
        let (day, kind) = self.today?;
        let [_, first, second] = kind.and_then_others();
        let (kind, evidence) = if self.evidence[1] > self.evidence[0] { (second, self.evidence[1]) } else { (first, self.evidence[0]) };
        let share = 1.0 / (1.0 + libm::exp(-(f64::from(evidence) - LIKELY) / SHARPNESS));
        (share >= HEARD).then_some(Guise { day, kind, share })
    }
}

impl Guise {
    /// What is usual of the other kind of day at the step that starts at `start`; `None` where that is of another day than today.
    pub fn level<'a>(&self, calendar: &Calendar, usual: &'a Usual, start: EventTime) -> Option<LevelView<'a>> {
        (day_of(calendar, start).0 == self.day).then(|| usual.level(as_of(calendar.place(start), self.kind)))
    }

    /// What is expected of `series`, of which `own` is usual.
    pub fn expected(&self, other: Option<&LevelView<'_>>, series: usize, own: f64) -> f64 {
        let other = other.and_then(|other| other.of(series)).filter(|level| level.taught.days() >= KNOWN_DAYS);
        other.map_or(own, |other| own + self.share * (other.persons - own))
    }
}

/// The day that an instant is of, and its kind.
fn day_of(calendar: &Calendar, at: EventTime) -> (i64, DayKind) {
    let local = calendar.local(at).earlier(DAWN_MS);
    (local.day(), calendar.kind(local))
}

/// That time of a day of `kind`: before dawn that of the morning after it.
fn as_of(place: Place, kind: DayKind) -> Place {
    let is_before_dawn = place.millis_of_day < DAWN_MS;
    Place::of_week((kind.one_weekday() + u8::from(is_before_dawn)) % 7, place.millis_of_day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR_MS;
    use proptest::prelude::*;

    const STEP: Span = Span::from_mins(60);
    /// The first Monday.
    const MONDAY: i64 = 4;

    /// What comes in an hour: a rush on working days, an afternoon on others, and a crowd in the nights before these.
    fn usual_of(is_off: bool, hour: i64) -> f64 {
        match (is_off, hour) {
            (false, 7..=9 | 16..=18) => 300.0,
            (true, 12..=19) => 200.0,
            (true, ..=3) => 150.0,
            (_, ..=5) => 10.0,
            _ => 100.0,
        }
    }

    /// Two weeks of it; without its days off where `knows_off` is not.
    fn taught(knows_off: bool) -> Usual {
        let mut usual = Usual::new(1, HOUR_MS);
        for day in 0..14 {
            let is_off = day % 7 > 4;
            for hour in 0..24 {
                usual.learn(Place::of_week((day % 7) as u8, hour * HOUR_MS), |_| (knows_off || !is_off).then(|| usual_of(is_off, hour)));
            }
        }
        usual
    }

    fn at(day: i64, hour: i64) -> EventTime {
        EventTime::from_millis(((MONDAY + day) * 24 + hour) * HOUR_MS)
    }

    /// What a Wednesday is taken for that brought `came` until `until`; `ran` is how the day before did.
    fn guise_of(usual: &Usual, ran: f64, until: i64, came: impl Fn(i64) -> f64) -> Option<Guise> {
        let calendar = Calendar::new(chrono_tz::UTC, STEP);
        let (mut today, mut pulse) = (SpentLike::default(), Pulse::new(1, STEP));
        (0..100).for_each(|_| pulse.count(0, 1_000.0 * ran, Some(1_000.0)));
        for hour in 4..until {
            today.see(&Step { calendar: &calendar, usual, start: at(16, hour), length: STEP }, &pulse, |_| Some(came(hour % 24)));
        }
        today.guise()
    }

    #[test]
    fn a_morning_without_a_rush_is_one_of_a_day_off_and_lasts_until_the_next_dawn() {
        let (usual, calendar) = (taught(true), Calendar::new(chrono_tz::UTC, STEP));
        assert_eq!(guise_of(&usual, 1.0, 8, |hour| usual_of(true, hour)), None, "one hour alone may be anything");
        let guise = guise_of(&usual, 1.0, 10, |hour| usual_of(true, hour)).expect("no rush until ten");
        let expected = |day, hour, own| guise.expected(guise.level(&calendar, &usual, at(day, hour)).as_ref(), 0, own);
        assert!((expected(16, 13, 100.0) - 200.0).abs() < 15.0, "{}", expected(16, 13, 100.0));
        assert!(expected(16, 17, 300.0) < 220.0);
        assert!(expected(17, 3, 300.0) < 20.0, "the night after is one before a working day");
        assert_eq!(expected(17, 8, 300.0), 300.0, "tomorrow is a day of its own");
    }

    #[test]
    fn a_quiet_month_is_not_taken_for_days_off() {
        let usual = taught(true);
        assert_eq!(guise_of(&usual, 0.3, 19, |hour| 0.3 * usual_of(false, hour)), None);
        assert!(guise_of(&usual, 0.3, 19, |hour| 0.3 * usual_of(true, hour)).is_some(), "but a day off in it is one");
    }

    #[test]
    fn what_is_not_known_of_days_off_is_not_said() {
        assert_eq!(guise_of(&taught(false), 1.0, 19, |hour| usual_of(true, hour)), None);
    }

    #[test]
    fn an_afternoon_of_its_own_kind_takes_it_back() {
        let of_half_a_day = |hour| usual_of(hour < 10, hour);
        assert!(guise_of(&taught(true), 1.0, 10, of_half_a_day).is_some());
        assert_eq!(guise_of(&taught(true), 1.0, 19, of_half_a_day), None);
    }

    proptest! {
        #[test]
        fn no_ordinary_day_is_taken_for_another(noise in proptest::collection::vec(-0.2f64..0.2, 24), ran in 0.7f64..1.4, until in 5i64..28) {
            let usual = taught(true);
            prop_assert_eq!(guise_of(&usual, ran, until, |hour| ran * usual_of(false, hour) * (1.0 + noise[hour as usize])), None);
        }
    }
}

//! What the calendar explains: a crowd that was expected is no surprise, but a missing one is, and so is a much larger one.
//!
//! The idea: around each event of the calendar the usual gives way to the usual plus what came beyond it at earlier events, by minutes from the start, and from the end where the calendar
//! tells it, in proportion to the expected attendance. Before two events have taught that, nobody can say what is right, and the time around an event is not judged at all.

use super::scan::Seen;
use crate::forecast::event::{BEFORE_MS, phase_ms};
use crate::forecast::room::widen;
use crate::time::{EventTime, Span};
use crate::venue::{Match, Venue};
use serde::{Deserialize, Serialize};

/// From so long before the start to so long after it an event is felt: as early as what is usual leaves it out, which lacks there what every event has brought.
const BEFORE: Span = Span::from_millis(BEFORE_MS as u64);
const AFTER: Span = Span::from_mins(390);
/// Excess is learnt in bins of a step, and no shorter than this.
const SHORTEST_BIN: Span = Span::from_mins(15);
/// Events that must have taught a bin.
const KNOWN: u8 = 2;
/// A new event weighs at least so much.
const LEARNS: f64 = 0.3;
/// Beyond so many spreads of its mean an event teaches no more.
const REACH: f32 = 2.5;
/// One deviation of the excess as a share of it, before events have shown their own, and never less than.
const DOUBT: (f64, f64) = (0.4, 0.15);

/// The events of a venue, and what they bring.
#[derive(Debug)]
pub struct Occasions {
    events: Vec<Occasion>,
    /// By bin, then by series.
    learnt: Vec<Vec<Excess>>,
    series: usize,
    bin: Span,
}

/// One event of the calendar.
#[derive(Clone, Copy, Debug)]
struct Occasion {
    start: EventTime,
    end: Option<EventTime>,
    /// Expected; 1 where nobody has told.
    persons: f64,
}

/// What earlier events brought beyond the usual, per person expected, in one bin of one series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Excess {
    mean: f32,
    /// Mean distance from the mean.
    spread: f32,
    seen: u8,
    /// The event that taught it last (its start), and what that has brought so far in this bin, per person, over how many steps.
    last: Option<EventTime>,
    sum: f32,
    steps: u16,
}

impl Occasions {
    /// The events of the venue's calendar.
    pub fn new(venue: &Venue, series: usize) -> Self {
        let told = venue.matches.iter().all(|game| game.expected_attendance > 0);
        let persons = |game: &Match| if told { f64::from(game.expected_attendance) } else { 1.0 };
        let events = venue.matches.iter().map(|game| Occasion { start: game.kick_off, end: game.planned_end, persons: persons(game) }).collect();
        let bin = venue.step.max(SHORTEST_BIN);
        let bins = (BEFORE.as_millis() + AFTER.as_millis()).div_ceil(bin.as_millis()) as usize;
        let learnt = if venue.matches.is_empty() { Vec::new() } else { vec![vec![Excess::default(); series]; bins] };
        Self { events, learnt, series, bin }
    }

    /// Fills in what the calendar expects of the step that starts at `start`, and learns from it. A step that nobody can judge loses its count. Returns the bin that learnt.
    pub fn explain(&mut self, start: EventTime, seen: &mut [Seen]) -> Option<usize> {
        let (event, persons, bin) = self.at(start)?;
        for (seen, excess) in seen.iter_mut().zip(&mut self.learnt[bin]) {
            excess.settle(event);
            let came = seen.came.zip(seen.usual).map(|(came, (usual, _))| (came - usual) / persons);
            if let Some(came) = came {
                excess.sum += came as f32;
                excess.steps = excess.steps.saturating_add(1);
            }
            if excess.seen >= KNOWN {
                let expected = f64::from(excess.mean) * persons;
                let doubt = (f64::from(excess.spread) * 1.25 * persons).max(DOUBT.1 * expected.abs()) + DOUBT.0 * expected.abs() / f64::from(excess.seen);
                seen.occasion = Some((expected.max(-seen.usual.map_or(0.0, |(usual, _)| usual)), doubt));
            } else {
                seen.came = None;
            }
        }
        Some(bin)
    }

    /// What the state stores of a bin.
    pub fn bin(&self, bin: usize) -> Option<&Vec<Excess>> {
        self.learnt.get(bin)
    }

    /// Puts a bin back. Returns `false` when it is of another calendar or of more series.
    pub fn restore(&mut self, bin: usize, mut stored: Vec<Excess>) -> bool {
        let fits = widen(&mut stored, self.series, Excess::default());
        let place = self.learnt.get_mut(bin).filter(|_| fits);
        place.map(|learnt| *learnt = stored).is_some()
    }

    /// The event around which `start` lies: the last that is felt, its persons, and the bin.
    fn at(&self, start: EventTime) -> Option<(EventTime, f64, usize)> {
        let until = self.events.partition_point(|event| event.start.before(BEFORE) <= start);
        let event = self.events.get(until.checked_sub(1)?)?;
        let since = phase_ms(start, event.start, event.end) + BEFORE.as_millis() as i64;
        let bin = usize::try_from(since).ok()? / usize::try_from(self.bin.as_millis()).ok()?;
        (bin < self.learnt.len()).then_some((event.start, event.persons, bin))
    }
}

impl Excess {
    /// When another event has begun, what the last one brought is learnt.
    fn settle(&mut self, event: EventTime) {
        if self.last == Some(event) {
            return;
        }
        if self.steps > 0 {
            let brought = self.sum / f32::from(self.steps);
            let weight = (1.0 / (f64::from(self.seen) + 1.0)).max(LEARNS) as f32;
            // One that was called off, or drew twice its crowd, was told as a finding; it does not make the next such one the usual.
            let reach = REACH * self.spread.max(DOUBT.1 as f32 * self.mean.abs());
            let brought = if self.seen > KNOWN && reach > 0.0 { brought.clamp(self.mean - reach, self.mean + reach) } else { brought };
            if self.seen > 0 {
                self.spread += weight * ((brought - self.mean).abs() - self.spread);
            }
            self.mean += weight * (brought - self.mean);
            self.seen = self.seen.saturating_add(1);
        }
        (self.last, self.sum, self.steps) = (Some(event), 0.0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::sample;
    use crate::venue::Match;

    const DAY_MS: i64 = 86_400_000;

    /// Events on days 10, 20, 30, 40 at noon, with 10,000 expected at the first three and as many as told at the fourth.
    fn occasions(fourth: u32) -> Occasions {
        let mut venue = sample::venue();
        venue.step = Span::from_mins(30);
        let game = |(day, persons): (i64, u32)| Match {
            id: format!("{day}").into(),
            home: String::new(),
            away: String::new(),
            kick_off: EventTime::from_millis(day * DAY_MS + DAY_MS / 2),
            planned_end: None,
            expected_attendance: persons,
            plan: Default::default(),
        };
        venue.matches = [(10, 10_000), (20, 10_000), (30, 10_000), (40, fourth)].into_iter().map(game).collect();
        Occasions::new(&venue, 1)
    }

    /// An hour before the event of that day `came` persons come where 50 are usual.
    fn explained(occasions: &mut Occasions, day: i64, came: f64) -> Seen {
        let start = EventTime::from_millis(day * DAY_MS + DAY_MS / 2 - 3_600_000);
        let mut seen = [Seen { came: Some(came), usual: Some((50.0, 10.0)), occasion: None, weekday: None, learnt: None }];
        occasions.explain(start, &mut seen);
        seen[0]
    }

    #[test]
    fn two_events_teach_what_the_third_will_bring_by_its_attendance() {
        let mut occasions = occasions(20_000);
        assert_eq!(explained(&mut occasions, 10, 350.0).came, None, "nobody can judge the first");
        assert_eq!(explained(&mut occasions, 20, 450.0).came, None);
        let third = explained(&mut occasions, 30, 60.0);
        assert_eq!(third.came, Some(60.0), "a missing crowd is to be judged");
        let (expected, doubt) = third.occasion.unwrap();
        assert!((expected - 350.0).abs() < 1.0 && doubt > 50.0, "{expected} {doubt}");
        let mut occasions = self::occasions(20_000);
        for day in [10, 20, 30] {
            explained(&mut occasions, day, 450.0);
        }
        let (expected, _) = explained(&mut occasions, 40, 900.0).occasion.unwrap();
        assert!((expected - 800.0).abs() < 1.0, "{expected}: twice the attendance, twice the crowd");
    }

    #[test]
    fn an_event_that_was_called_off_does_not_hide_one_that_draws_twice_its_crowd() {
        let mut excess = Excess::default();
        let mut doubts = Vec::new();
        for (i, brought) in [0.02, 0.021, 0.02, 0.019, 0.02, 0.0, 0.02, 0.021, 0.0].into_iter().enumerate() {
            excess.settle(EventTime::from_millis(i as i64 * DAY_MS));
            (excess.sum, excess.steps) = (brought, 1);
            doubts.push(excess.spread / excess.mean);
        }
        assert!(excess.mean > 0.015 && doubts[8] < 0.25, "{excess:?} {doubts:?}");
    }

    #[test]
    fn far_from_an_event_the_usual_stands() {
        let mut seen = [Seen { came: Some(9.0), usual: Some((50.0, 10.0)), occasion: None, weekday: None, learnt: None }];
        let before = seen[0];
        assert_eq!(occasions(10_000).explain(EventTime::from_millis(15 * DAY_MS), &mut seen), None);
        assert_eq!(seen[0], before);
    }
}

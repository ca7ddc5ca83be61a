//! Which match it is and where it stands, from match events where there are any, else by the calendar.
//!
//! The idea: the match of the night is the one with the nearest kick-off within half a day, by what was told last. Once an event says that a match has begun,
//! events alone move it on; before, the planned kick-off and the laws of the game (two halves of 45 min, an interval of 15) stand in.

use super::figures::Phase;
use super::state::{MatchTold, NightState};
use super::surroundings::in_force;
use crate::feeds::observation::{MatchEvent, MatchEventKind};
use crate::time::{EventTime, Span};
use crate::venue::{Plan, Venue};

/// How far from its kick-off a match's night reaches.
const NIGHT: Span = Span::from_mins(12 * 60);
/// Law 7 of the game: each half.
const HALF: Span = Span::from_mins(45);
/// Law 7 of the game: the interval, at most.
const INTERVAL: Span = Span::from_mins(15);

/// The match of the night, as it now stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tonight {
    pub(super) match_id: Box<str>,
    pub(super) kick_off: EventTime,
    pub(super) expected: Option<u32>,
    pub(super) phase: Phase,
    /// What is planned for it.
    pub(super) plan: Plan,
}

impl NightState {
    /// Takes in what a match event says. One that is older than what is known already changes nothing, so late news do no harm.
    pub(super) fn learn(&mut self, at: EventTime, event: &MatchEvent) {
        let told = self.told.entry(event.match_id.clone()).or_default();
        if told.as_of.is_some_and(|as_of| at < as_of) {
            return;
        }
        told.as_of = Some(at);
        told.expected = event.expected_attendance.or(told.expected);
        match event.event {
            MatchEventKind::KickOffPlanned | MatchEventKind::DelayedTo => told.kick_off = event.to.or(told.kick_off),
            MatchEventKind::KickOff => told.kick_off = Some(at),
            _ => {}
        }
        told.phase = begun(event.event).or(told.phase);
    }

    /// Forgets matches whose night is over by `end`.
    pub(super) fn forget(&mut self, venue: &Venue, end: EventTime) {
        let planned = |id: &str| venue.matches.iter().find(|m| *m.id == *id).map(|m| m.kick_off);
        self.told.retain(|id, told| told.kick_off.or(planned(id)).or(told.as_of).is_some_and(|kick_off| end.since(kick_off) <= NIGHT));
    }

    /// The match of the night at `end`.
    pub(super) fn tonight(&self, venue: &Venue, end: EventTime) -> Option<Tonight> {
        let planned = venue.matches.iter().map(|m| (&m.id, Some(m.kick_off), Some(m.expected_attendance), self.told.get(&m.id)));
        let unplanned = self.told.iter().filter(|(id, _)| !venue.matches.iter().any(|m| m.id == **id)).map(|(id, told)| (id, None, None, Some(told)));
        let candidates = planned.chain(unplanned).filter_map(|(id, kick_off, expected, told)| {
            let kick_off = told.and_then(|told| told.kick_off).or(kick_off)?;
            let distance = kick_off.since(end).max(end.since(kick_off));
            (distance <= NIGHT).then_some((distance, id, kick_off, told.and_then(|told| told.expected).or(expected), told))
        });
        let (_, id, kick_off, expected, told) = candidates.min_by_key(|candidate| (candidate.0, candidate.1))?;
        let calendar = venue.matches.iter().find(|m| m.id == *id).map(|m| &m.plan);
        let plan = in_force(calendar, told.and_then(|told| told.plan.as_ref()).map(|(_, plan)| plan));
        Some(Tonight { match_id: id.clone(), kick_off, expected, phase: phase(told, kick_off, end), plan })
    }
}

/// When the match is expected to end: two halves and the interval after kick-off, by the plan or as it happened; what is played beyond is not known before.
pub(super) fn expected_end(tonight: &Tonight) -> EventTime {
    tonight.kick_off.after(HALF).after(INTERVAL).after(HALF)
}

fn begun(event: MatchEventKind) -> Option<Phase> {
    match event {
        MatchEventKind::KickOffPlanned | MatchEventKind::DelayedTo => None,
        MatchEventKind::KickOff => Some(Phase::FirstHalf),
        MatchEventKind::HalfTime => Some(Phase::HalfTime),
        MatchEventKind::SecondHalf => Some(Phase::SecondHalf),
        MatchEventKind::ExtraTime | MatchEventKind::Penalties => Some(Phase::ExtraTime),
        MatchEventKind::FinalWhistle | MatchEventKind::Abandoned => Some(Phase::After),
    }
}

fn phase(told: Option<&MatchTold>, kick_off: EventTime, end: EventTime) -> Phase {
    if let Some(phase) = told.and_then(|told| told.phase) {
        return phase;
    }
    // By the plan: a pane that ends at kick-off is still before it.
    if end <= kick_off {
        return Phase::Before;
    }
    let played = end.since(kick_off);
    let second_half = HALF.plus(INTERVAL);
    match played {
        played if played <= HALF => Phase::FirstHalf,
        played if played <= second_half => Phase::HalfTime,
        played if played <= second_half.plus(HALF) => Phase::SecondHalf,
        _ => Phase::After,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, site};

    fn at(mins: i64) -> EventTime {
        EventTime::from_millis(KICK_OFF.as_millis() + mins * 60_000)
    }

    fn event(event: MatchEventKind, to: Option<EventTime>) -> MatchEvent {
        MatchEvent { match_id: "m1".into(), event, expected_attendance: None, to }
    }

    #[test]
    fn without_events_the_calendar_tells_the_phase() {
        let site = site();
        let night = NightState::default();
        let cases = [(-700, Phase::Before), (0, Phase::Before), (1, Phase::FirstHalf), (46, Phase::HalfTime), (61, Phase::SecondHalf), (106, Phase::After)];
        for (mins, expected) in cases {
            assert_eq!(night.tonight(&site.venue, at(mins)).map(|tonight| tonight.phase), Some(expected), "{mins} min");
        }
        assert_eq!(night.tonight(&site.venue, at(-800)), None);
    }

    #[test]
    fn events_tell_the_phase_once_the_match_has_begun() {
        use MatchEventKind::{ExtraTime, FinalWhistle, HalfTime, KickOff, Penalties, SecondHalf};
        let site = site();
        let mut night = NightState::default();
        let story = [
            (4, KickOff, Phase::FirstHalf),
            (52, HalfTime, Phase::HalfTime),
            (68, SecondHalf, Phase::SecondHalf),
            (120, ExtraTime, Phase::ExtraTime),
            (155, Penalties, Phase::ExtraTime),
            (170, FinalWhistle, Phase::After),
        ];
        for (mins, what, expected) in story {
            night.learn(at(mins), &event(what, None));
            let tonight = night.tonight(&site.venue, at(mins + 1)).unwrap();
            assert_eq!((tonight.phase, tonight.kick_off), (expected, at(4)));
        }
        night.learn(at(52), &event(HalfTime, None));
        assert_eq!(night.tonight(&site.venue, at(171)).unwrap().phase, Phase::After, "late news change nothing");
    }

    #[test]
    fn a_delay_moves_the_kick_off_and_the_phase_with_it() {
        let site = site();
        let mut night = NightState::default();
        night.learn(at(-20), &event(MatchEventKind::DelayedTo, Some(at(36))));
        let tonight = night.tonight(&site.venue, at(10)).unwrap();
        assert_eq!((tonight.kick_off, tonight.phase), (at(36), Phase::Before));
    }

    #[test]
    fn a_match_outside_the_calendar_is_known_by_its_events_until_its_night_is_over() {
        let mut site = site();
        site.venue.matches.clear();
        let mut night = NightState::default();
        night.learn(at(-100), &MatchEvent { expected_attendance: Some(900), ..event(MatchEventKind::KickOffPlanned, Some(at(0))) });
        assert_eq!(night.tonight(&site.venue, at(-50)).unwrap().expected, Some(900));
        night.forget(&site.venue, at(700));
        assert!(!night.told.is_empty());
        night.forget(&site.venue, at(721));
        assert!(night.told.is_empty());
    }
}

//! Sessions: stretches of activity that a gap of silence ends.
//!
//! The idea: a session is a set of panes with something in them, none further than the gap from the next. It is final when the watermark has passed its last pane by the
//! gap; a late event before that may lengthen it or join two into one, and the same events give the same sessions in any order.

use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A stretch of activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The first event.
    pub from: EventTime,
    /// The last event.
    pub to: EventTime,
    /// How many events.
    pub events: u64,
}

/// The sessions that are not final yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    gap: Span,
    /// By their first event.
    open: BTreeMap<EventTime, Session>,
}

impl Sessions {
    /// No session yet; silence longer than `gap` ends one.
    pub const fn new(gap: Span) -> Self {
        Self { gap, open: BTreeMap::new() }
    }

    /// An event, in any order.
    pub fn observe(&mut self, at: EventTime) {
        let mut joined = Session { from: at, to: at, events: 1 };
        // Those that begin no later than a gap after it; sessions are more than a gap apart, so no more than two can touch it.
        let near: Vec<EventTime> = self.open.range(..=at.after(self.gap)).rev().take(2).map(|(from, _)| *from).collect();
        for from in near {
            let Some(session) = self.open.get(&from).filter(|session| session.to >= at.before(self.gap)).copied() else { continue };
            self.open.remove(&from);
            joined = Session { from: joined.from.min(session.from), to: joined.to.max(session.to), events: joined.events + session.events };
        }
        self.open.insert(joined.from, joined);
    }

    /// The session of the latest event, which may still grow.
    pub fn latest(&self) -> Option<Session> {
        self.open.values().next_back().copied()
    }

    /// Hands out the sessions that no event at or after `watermark` can lengthen, in their order.
    pub fn close(&mut self, watermark: EventTime) -> Vec<Session> {
        let is_final = |session: &Session| session.to.after(self.gap) < watermark;
        let ended: Vec<EventTime> = self.open.iter().filter(|(_, session)| is_final(session)).map(|(from, _)| *from).collect();
        ended.iter().filter_map(|from| self.open.remove(from)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(secs: i64) -> EventTime {
        EventTime::from_millis(secs * 1_000)
    }

    fn sessions(times: &[i64]) -> Vec<(i64, i64, u64)> {
        let mut sessions = Sessions::new(Span::from_secs(60));
        times.iter().for_each(|secs| sessions.observe(at(*secs)));
        sessions.close(EventTime::MAX).iter().map(|session| (session.from.as_secs(), session.to.as_secs(), session.events)).collect()
    }

    #[test]
    fn a_late_event_joins_two_sessions_into_one() {
        assert_eq!(sessions(&[0, 100]), [(0, 0, 1), (100, 100, 1)]);
        assert_eq!(sessions(&[0, 100, 50]), [(0, 100, 3)]);
        assert_eq!(sessions(&[0, 60]), [(0, 60, 2)], "a gap is silence longer than it");
    }

    #[test]
    fn a_session_is_final_when_the_watermark_has_passed_it_by_the_gap() {
        let mut sessions = Sessions::new(Span::from_secs(60));
        [0, 10, 200].into_iter().for_each(|secs| sessions.observe(at(secs)));
        assert_eq!(sessions.close(at(70)), []);
        assert_eq!(sessions.close(at(71)), [Session { from: at(0), to: at(10), events: 2 }]);
        assert_eq!(sessions.close(at(260)), []);
        assert_eq!(sessions.latest(), Some(Session { from: at(200), to: at(200), events: 1 }));
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_leaves_no_trace(times in prop::collection::vec(0_i64..2_000, 1..60), seed in 0_usize..1_000) {
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let mut mixed = times;
            let len = mixed.len();
            (0..len).for_each(|i| mixed.swap(i, (i * 7 + seed * 13) % len));
            let expected = sessions(&sorted);
            prop_assert_eq!(&sessions(&mixed), &expected);
            prop_assert!(expected.windows(2).all(|pair| pair[1].0 - pair[0].1 > 60));
            prop_assert_eq!(expected.iter().map(|session| session.2).sum::<u64>(), len as u64);
        }
    }
}

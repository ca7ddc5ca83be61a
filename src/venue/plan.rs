//! What is planned for a match: the ways by which people come, when, with which tickets, and the trains that take them back.
//!
//! The idea: a plan is what a count is held against. Where a part of it is missing, what needs that part is silent; nothing is guessed.

use super::ids::{ApproachId, GateId, LinkId, StopId, ZoneId};
use crate::time::EventTime;
use serde::{Deserialize, Serialize};

/// One of the ways by which people come and go: a railway line, a road, a walk from a car park.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approach {
    /// Its id.
    pub id: Box<str>,
    /// Its name.
    pub name: String,
    /// Links whose forward flow are its arrivals.
    pub links: Vec<LinkId>,
    /// Stops whose alighting passengers are its arrivals, and where its people board on the way back.
    pub stops: Vec<StopId>,
    /// Gates that its people enter by; where none is told, all of them.
    pub gates: Vec<GateId>,
}

/// The plan of one match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Share of the spectators expected over each approach; they sum to 1, or there are none.
    pub approach_shares: Vec<(ApproachId, f64)>,
    /// Share of the spectators expected to have come, by time from kick-off (ms, negative before it): both rising.
    pub arrival_curve: Vec<(i64, f64)>,
    /// Tickets issued by section.
    pub tickets: Vec<(ZoneId, u32)>,
    /// Trains and buses after the match, by departure.
    pub services: Vec<Service>,
}

/// Services of public transport that are to take people away in `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Where.
    pub stop: StopId,
    /// Start.
    pub from: EventTime,
    /// End, not included.
    pub to: EventTime,
    /// How many vehicles call.
    pub vehicles: u32,
    /// Persons that one vehicle holds.
    pub capacity: u32,
}

impl Service {
    /// Persons that it takes by `at` since `since`, spread evenly over its time.
    pub fn taken(&self, since: EventTime, at: EventTime) -> f64 {
        let whole = f64::from(self.vehicles) * f64::from(self.capacity);
        let length = self.to.since(self.from).as_secs_f64();
        let part = at.min(self.to).since(since.max(self.from)).as_secs_f64();
        if length > 0.0 { whole * (part / length).min(1.0) } else { 0.0 }
    }
}

impl Plan {
    /// Share of the spectators expected to have come `from_kick_off_ms` after kick-off (negative: before it); `None` without a curve.
    ///
    /// Straight lines between the points: nobody before the first, the last share after the last.
    pub fn share_come(&self, from_kick_off_ms: i64) -> Option<f64> {
        let first = self.arrival_curve.first()?;
        if from_kick_off_ms < first.0 {
            return Some(0.0);
        }
        for pair in self.arrival_curve.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            if from_kick_off_ms < to {
                let part = (from_kick_off_ms - from) as f64 / (to - from).max(1) as f64;
                return Some(low + (high - low) * part);
            }
        }
        self.arrival_curve.last().map(|(_, share)| *share)
    }

    /// The steepest part of the curve in `[from, to]` (ms from kick-off), as a share per ms; `None` without a curve.
    pub fn fastest(&self, from: i64, to: i64) -> Option<f64> {
        let steep = |pair: &[(i64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0).max(1) as f64;
        let within = self.arrival_curve.windows(2).filter(|pair| pair[1].0 > from && pair[0].0 < to);
        (!self.arrival_curve.is_empty()).then(|| within.map(steep).fold(0.0, f64::max))
    }

    /// The planned share of an approach.
    pub fn share_of(&self, approach: ApproachId) -> Option<f64> {
        self.approach_shares.iter().find(|(of, _)| *of == approach).map(|(_, share)| *share)
    }

    /// Tickets issued in all; `None` where none are told.
    pub fn tickets_in_all(&self) -> Option<u32> {
        (!self.tickets.is_empty()).then(|| self.tickets.iter().map(|(_, sold)| *sold).fold(0, u32::saturating_add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn the_curve_is_straight_between_its_points() {
        let plan = Plan { arrival_curve: vec![(-240 * MINUTE, 0.0), (-120 * MINUTE, 0.2), (-60 * MINUTE, 0.7), (0, 0.98)], ..Plan::default() };
        let cases = [(-300, 0.0), (-240, 0.0), (-180, 0.1), (-120, 0.2), (-90, 0.45), (0, 0.98), (30, 0.98)];
        for (minutes, share) in cases {
            assert!((plan.share_come(minutes * MINUTE).unwrap() - share).abs() < 1e-12, "{minutes} min from kick-off");
        }
        assert_eq!(Plan::default().share_come(0), None);
    }

    #[test]
    fn tickets_add_up_where_they_are_told() {
        assert_eq!(Plan::default().tickets_in_all(), None);
        let plan = Plan { tickets: vec![(ZoneId(0), 40), (ZoneId(1), 2)], ..Plan::default() };
        assert_eq!(plan.tickets_in_all(), Some(42));
    }
}

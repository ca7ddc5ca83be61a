//! What the plan alone says of the entry, before anybody has come: can these gates let these people in, if they come as planned?
//!
//! The idea: a queue that once stands lasts. Of everybody who is planned to come after some moment `s`, the gates must have let all in by the deadline `d` with what they let
//! through between: P(N·(F(d) − F(s)) − C·(d − s) > 0), and the moment at which this is greatest is the one that decides (the fluid queue's maximum, crowd-science §2.5).
//! Who is planned to come after the deadline is not the gates' fault. Without a curve all come within the entry period that the venue tells: N against C·period. Where neither
//! is told nothing is said.
//!
//! Hillsborough 1989: 10,100 for 7 turnstiles was wrong before anybody came.

use super::limits::SplitLimits;
use super::normal::probability_above;
use super::phase::Tonight;
use super::topology::lead_zone;
use crate::venue::{ApproachId, Gate, GateId, Venue};

/// Milliseconds in a minute.
const MINUTE: f64 = 60_000.0;

/// The probability that by the plan entry is complete only after the deadline, at what all lanes let through; `None` without an expected attendance or an entry gate.
pub(super) fn p_planned(venue: &Venue, tonight: &Tonight, limits: &SplitLimits) -> Option<f64> {
    let gates: Vec<&Gate> = venue.gates.iter().filter(|gate| gate.entry).collect();
    p_late(venue, tonight, limits, &gates, f64::from(tonight.expected?))
}

/// The same for those of one approach and its own gates; `None` where it has none, or its share is not planned.
pub(super) fn p_planned_over(venue: &Venue, tonight: &Tonight, limits: &SplitLimits, approach: ApproachId) -> Option<f64> {
    let own: &[GateId] = &venue.approaches.get(approach.index())?.gates;
    let gates: Vec<&Gate> = own.iter().filter_map(|gate| venue.gates.get(gate.index())).filter(|gate| gate.entry).collect();
    p_late(venue, tonight, limits, &gates, f64::from(tonight.expected?) * tonight.plan.share_of(approach)?)
}

fn p_late(venue: &Venue, tonight: &Tonight, limits: &SplitLimits, gates: &[&Gate], expected: f64) -> Option<f64> {
    if gates.is_empty() {
        return None;
    }
    let per_ms = gates.iter().map(|gate| f64::from(gate.lanes) * gate.lane_rate_per_h.min(limits.lane_max_per_h)).sum::<f64>() / (60.0 * MINUTE);
    let p = |persons: f64, ms: f64| {
        let served = per_ms * ms.max(0.0);
        probability_above(0.0, persons - served, libm::hypot(limits.attendance * persons, limits.lane_rate * served))
    };
    let deadline = -(limits.entry_margin_ms as i64);
    let plan = &tonight.plan;
    let Some(by_deadline) = plan.share_come(deadline) else {
        return entry_period_ms(venue).map(|period| p(expected, period));
    };
    let moments = plan.arrival_curve.iter().filter(|(at, _)| *at < deadline);
    Some(moments.map(|(at, share)| p(expected * (by_deadline - share), (deadline - at) as f64)).fold(0.0, f64::max))
}

fn entry_period_ms(venue: &Venue) -> Option<f64> {
    let told = lead_zone(venue).and_then(|lead| venue.zones.get(lead.index())).and_then(|zone| zone.section.entry_period);
    told.map(|period| period.as_millis() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, Site, site};
    use crate::crowd::state::NightState;
    use crate::venue::{Approach, LinkId, Names};

    const MIN: i64 = 60_000;

    /// The sample's gates: 6 lanes at 660/h, 66 persons/min; entry is to be complete 15 min before kick-off.
    fn planned(site: &Site) -> f64 {
        told(site).unwrap()
    }

    fn told(site: &Site) -> Option<f64> {
        let tonight = NightState::default().tonight(&site.venue, KICK_OFF).unwrap();
        p_planned(&site.venue, &tonight, &site.topology.split)
    }

    fn with_curve(expected: u32, curve: &[(i64, f64)]) -> Site {
        let mut site = site();
        site.venue.matches[0].expected_attendance = expected;
        site.venue.matches[0].plan.arrival_curve = curve.iter().map(|(min, share)| (min * MIN, *share)).collect();
        site
    }

    #[test]
    fn the_steepest_stretch_before_the_deadline_decides() {
        let slow = [(-195, 0.0), (-15, 1.0)];
        assert!(planned(&with_curve(9_000, &slow)) < 0.01, "9,000 in three hours: 50 a minute");
        assert!(planned(&with_curve(14_000, &slow)) > 0.95, "78 a minute");
        assert!(planned(&with_curve(9_000, &[(-195, 0.0), (-75, 0.2), (-15, 1.0)])) > 0.99, "7,200 in the last hour");
        assert!(planned(&with_curve(9_000, &[(-195, 0.0), (-75, 0.6), (-15, 0.98), (0, 1.0)])) < 0.3, "3,420 in the last hour");
    }

    #[test]
    fn without_a_curve_all_come_within_the_entry_period() {
        let within_an_hour = |expected| {
            let mut site = with_curve(expected, &[]);
            let bowl = site.zone("bowl");
            site.venue.zones[bowl].section.entry_period = Some(crate::time::Span::from_mins(60));
            planned(&site)
        };
        assert!(within_an_hour(3_000) < 0.05, "3,960 in an hour");
        assert!(within_an_hour(9_000) > 0.99);
        assert_eq!(told(&with_curve(9_000, &[])), None, "nothing is guessed");
    }

    /// Hillsborough: 10,100 of 24,256 over Leppings Lane and its seven turnstiles at 660/h; the other side had sixteen.
    #[test]
    fn hillsborough_was_wrong_before_anybody_came() {
        let mut site = with_curve(24_256, &[(-180, 0.0), (-60, 0.4), (-15, 0.95), (0, 1.0)]);
        let lanes = |gate: &Gate, lanes| Gate { lanes, ..gate.clone() };
        site.venue.gates = vec![lanes(&site.venue.gates[0], 7), lanes(&site.venue.gates[1], 46)];
        let approach = |id: &str, gate: u32| Approach { id: id.into(), name: id.into(), links: vec![LinkId(0)], stops: vec![], gates: vec![GateId(gate)] };
        site.venue.approaches = vec![approach("leppings-lane", 0), approach("penistone-road", 1)];
        site.venue.approach_names = Names::new(["leppings-lane", "penistone-road"]);
        site.venue.matches[0].plan.approach_shares = vec![(ApproachId(0), 0.416), (ApproachId(1), 0.584)];
        let tonight = NightState::default().tonight(&site.venue, KICK_OFF).unwrap();
        let p = |of| p_planned_over(&site.venue, &tonight, &site.topology.split, ApproachId(of)).unwrap();
        assert!(p(0) > 0.99 && p(1) < 0.05, "{} {}", p(0), p(1));
        assert!(planned(&site) < 0.5, "all gates together would have done");
    }
}

//! Queue mathematics: what a gate lets through, how long one waits, when the space is full (crowd-science §2.5).
//!
//! Pure formulas in persons, minutes and seconds; the gate's figures put the venue's numbers in.

use super::figures::Estimate;

/// What one lane lets through, persons/s, and the relative standard deviation of that.
///
/// Measured: `served` persons in `lane_s` lane-seconds during which the queue was busy, a Poisson count. The plan goes in with the weight of a single person,
/// (1 + served) / (1/planned + lane_s): a gate that is stuck for one pane does not drop to nothing at once, and after a minute the plan is forgotten.
/// Where nothing was measured it is the planned rate with its `planned_share` of spread. Source: mean of the conjugate gamma–Poisson law.
pub fn lane_rate(planned: f64, planned_share: f64, served: f64, lane_s: f64) -> (f64, f64) {
    if lane_s <= 0.0 {
        return (planned, planned_share);
    }
    let share = 1.0 / libm::sqrt(1.0 + served);
    if planned <= 0.0 {
        return (served / lane_s, share);
    }
    ((1.0 + served) / (1.0 / planned + lane_s), share)
}

/// The wait of who joins now, s: W = Q/C, fluid, first come first served. `None` where nothing is let through.
///
/// `capacity` in persons/min with the relative standard deviation `capacity_share`; errors of queue and capacity are independent.
pub fn wait_s(queue: &Estimate, capacity: f64, capacity_share: f64) -> Option<Estimate> {
    if capacity.is_nan() || capacity <= 0.0 {
        return None;
    }
    let per_s = capacity / 60.0;
    let v = queue.v / per_s;
    let of_queue = queue.sigma() / per_s;
    let of_capacity = v * capacity_share;
    Some(Estimate::normal(v, libm::sqrt(of_queue * of_queue + of_capacity * of_capacity)))
}

/// The mean wait of who joins a gate in its steady state, s: Sakasegawa's Wq ≈ ((ca² + cs²)/2)·ρ^(√(2(c+1)) − 1)/(c(1 − ρ))·τ, which is exact for M/M/1 (crowd-science §2.5).
///
/// `load` ρ = λ/C, `lanes` c, `service_s` τ of one lane, `variability` ca² and cs². `None` from `fluid_load` on: the queue then is a fluid, and [`wait_s`] holds.
pub fn steady_wait_s(load: f64, lanes: u32, service_s: f64, (ca2, cs2): (f64, f64), fluid_load: f64) -> Option<f64> {
    if lanes == 0 || !(0.0..fluid_load).contains(&load) || !service_s.is_finite() {
        return None;
    }
    let c = f64::from(lanes);
    let crowding = libm::pow(load, libm::sqrt(2.0 * (c + 1.0)) - 1.0) / (c * (1.0 - load));
    Some((ca2 + cs2) / 2.0 * crowding * service_s)
}

/// Time until the queue fills its space, s: (area·ρ − Q)/(λ − C). 0 once it is full; `None` while it does not grow.
///
/// `area` m², `density` persons/m² in which it stands, `arrivals` and `capacity` in persons/min.
pub fn spill_s(area: f64, density: f64, queue: f64, arrivals: f64, capacity: f64) -> Option<f64> {
    let room = area * density - queue;
    if room <= 0.0 {
        return Some(0.0);
    }
    let growth = arrivals - capacity;
    (growth > 0.0 && room.is_finite()).then(|| room / growth * 60.0)
}

/// Time until `persons` are let through, min. `None` where nothing is let through but somebody waits.
pub fn minutes_to_serve(persons: f64, capacity: f64) -> Option<f64> {
    if persons <= 0.0 {
        return Some(0.0);
    }
    (capacity > 0.0).then(|| persons / capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn exactly(v: f64) -> Estimate {
        Estimate { v, lo: v, hi: v }
    }

    /// Hillsborough, 15 April 1989 (crowd-science §2.5): 10,100 persons for 7 turnstiles, at the 750/h of 1986 and the 660/h of today.
    #[test]
    fn hillsborough_would_have_taken_two_hours() {
        for (rate, hours) in [(750.0, 1.92), (660.0, 2.19)] {
            let minutes = minutes_to_serve(10_100.0, 7.0 * rate / 60.0).unwrap();
            assert!((minutes / 60.0 - hours).abs() < 0.005, "{rate}/h: {}", minutes / 60.0);
        }
    }

    /// M/M/1: Wq = ρ/(1 − ρ)·τ. M/M/4 at ρ = 0.8: Erlang C gives 0.746·τ; the formula is an approximation.
    #[test]
    fn the_steady_wait_is_exact_for_one_lane_and_near_for_several() {
        let wait = |load, lanes| steady_wait_s(load, lanes, 10.0, (1.0, 1.0), 0.95);
        assert!((wait(0.5, 1).unwrap() - 10.0).abs() < 1e-9 && (wait(0.9, 1).unwrap() - 90.0).abs() < 1e-9);
        assert!((wait(0.8, 4).unwrap() - 7.46).abs() < 0.4, "{:?}", wait(0.8, 4));
        assert_eq!((wait(0.95, 4), wait(0.0, 4), wait(0.5, 0)), (None, Some(0.0), None), "a fluid; nobody comes; nothing is open");
    }

    #[test]
    fn nobody_is_served_by_a_closed_gate() {
        assert_eq!((minutes_to_serve(1.0, 0.0), minutes_to_serve(0.0, 0.0)), (None, Some(0.0)));
        assert_eq!(wait_s(&exactly(10.0), 0.0, 0.1), None);
    }

    /// (area, ρ, Q, λ, C) → s. The first: (400·2.5 − 400)/(150 − 90) min = 10 min.
    #[test]
    fn the_space_is_full_when_the_growth_has_eaten_the_room() {
        let cases = [
            ((400.0, 2.5, 400.0, 150.0, 90.0), Some(600.0)),
            ((400.0, 2.5, 0.0, 100.0, 0.0), Some(600.0)),
            ((400.0, 2.5, 400.0, 90.0, 90.0), None),
            ((400.0, 2.5, 400.0, 20.0, 90.0), None),
            ((400.0, 2.5, 1_000.0, 20.0, 90.0), Some(0.0)),
            ((400.0, f64::NAN, 400.0, 150.0, 90.0), None),
        ];
        for ((area, density, queue, arrivals, capacity), expected) in cases {
            assert_eq!(spill_s(area, density, queue, arrivals, capacity), expected);
        }
    }

    /// 88 persons at 8 lanes × 660/h = 88/min: one minute; ± 1.645·√((10/88)² + 0.1²) min.
    #[test]
    fn the_wait_is_the_queue_over_the_capacity() {
        let wait = wait_s(&Estimate::normal(88.0, 10.0), 88.0, 0.1).unwrap();
        assert!((wait.v - 60.0).abs() < 1e-9);
        assert!((wait.sigma() - 60.0 * libm::hypot(10.0 / 88.0, 0.1)).abs() < 1e-9);
    }

    /// (served, lane-s) → rate, persons/s per lane, where 0.183 was planned.
    #[test]
    fn a_lanes_rate_is_the_measured_one_where_it_was_busy() {
        let planned = 660.0 / 3_600.0;
        let cases = [((0.0, 0.0), planned), ((120.0, 1_200.0), 0.100_4), ((220.0, 1_200.0), planned), ((0.0, 1_200.0), 0.000_8)];
        for ((served, lane_s), expected) in cases {
            let (rate, _) = lane_rate(planned, 0.1, served, lane_s);
            assert!((rate - expected).abs() < 1e-4, "{served} in {lane_s} lane-s: {rate}");
        }
        assert_eq!(lane_rate(planned, 0.1, 0.0, 0.0).1, 0.1, "before a measurement the spread is the plan's");
        assert!((lane_rate(planned, 0.1, 99.0, 500.0).1 - 0.1).abs() < 1e-12, "then that of the count, 1/√100");
        assert_eq!(lane_rate(0.0, 0.1, 50.0, 500.0).0, 0.1);
    }
}

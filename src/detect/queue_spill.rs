//! QUEUE-SPILL: how soon does a queue fill its space and reach what lies behind it, a road or a station exit (crowd-science §2.5)?
//!
//! It fires on the probability that the space is full by then: the room left, less (λ − C)·T, where queue, arrivals and capacity are each known only so well; or that it is
//! full already, however fast it now shrinks.
//!
//! A queue that several gates share is one place: the finding is the queue zone's then, so that one queue raises one alarm.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::GateFigures;
use crate::crowd::normal::probability_above;
use crate::time::Span;
use crate::venue::{Gate, Profile, ZoneId};

const MANNER: Manner = Manner {
    code: Code::QueueSpill,
    headline: "alarm.queue_spill",
    would_clear: "clear.queue_spill",
    certainty: "likely",
    urgency: "expected",
    severity: "severe",
};

struct Limits {
    steps: [(Priority, f64); 2],
    p: f64,
    rate_sigma: f64,
    lane_rate: f64,
    density: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One queue, with what its gates add up to.
struct Queue<'a> {
    place: Place,
    zone: ZoneId,
    gates: Vec<&'a GateFigures>,
}

/// One finding per queue whose persons, arrivals and space are known.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for queue in queues(scene) {
        let Some(zone) = scene.venue.zones.get(queue.zone.index()).filter(|zone| zone.area_m2.is_some()) else {
            continue;
        };
        let persons: Option<f64> = queue.gates.iter().map(|gate| gate.queue.map(|queue| queue.v)).sum();
        let arrivals: Option<f64> = queue.gates.iter().map(|gate| gate.arrivals_per_min).sum();
        let (Some(persons), Some(arrivals)) = (persons, arrivals) else {
            continue;
        };
        let profile = profile_of(zone);
        let limits = limits.of(profile);
        let Limits { steps, p, deadband, delays, .. } = limits;
        // All gates of a queue have the same time to spill; a queue that does not grow has none and is far from every limit.
        let spill = queue.gates.first().and_then(|gate| gate.spill_s);
        let capacity: f64 = queue.gates.iter().map(|gate| gate.capacity_per_min).sum();
        let sigma: f64 = queue.gates.iter().filter_map(|gate| gate.queue).map(|queue| queue.sigma()).sum();
        let room = zone.area_m2.unwrap_or(f64::NAN) * limits.density - persons;
        let p_full = |minutes: f64| {
            let spread = libm::hypot(limits.rate_sigma * arrivals, limits.lane_rate * capacity) * minutes;
            probability_above(room, (arrivals - capacity) * minutes, libm::hypot(sigma, spread))
        };
        let p_within = |seconds: f64| p_full(0.0).max(p_full(seconds / 60.0));
        let standing = Standing::of(*steps, |limit, eased| p_within(if eased { limit * (1.0 + deadband) } else { limit }) >= *p);
        let mut headline = vec![("queue", persons)];
        headline.extend(spill.map(|spill| ("spill_s", spill)));
        let mut finding = MANNER.finding(queue.place, standing, *delays, &headline, &[("spill_s", steps[0].1 * (1.0 + deadband))]);
        if let Some(spill) = spill {
            finding.evidence.push(scene.held("time_to_spill_s", spill, "s", standing.threshold(*steps), profile));
        }
        finding.evidence.push(scene.figure("queue", persons, "persons"));
        if !standing.is_quiet() {
            finding.evidence.push(scene.held("p_spill_over", p_within(standing.threshold(*steps)), "1", *p, profile));
            finding.evidence.push(scene.figure("arrivals_per_min", arrivals, "persons/min"));
            let capacity = scene.figure("capacity_per_min", capacity, "persons/min");
            if capacity.value >= arrivals { &mut finding.against } else { &mut finding.evidence }.push(capacity);
        }
        findings.push(finding);
    }
}

/// The queues, in the order of the first gate of each.
fn queues<'a>(scene: &Scene<'a>) -> Vec<Queue<'a>> {
    let mut queues: Vec<Queue<'a>> = Vec::new();
    for (gate, figures) in scene.venue.gates.iter().zip(&scene.figures.gates) {
        let Some(zone) = gate.queue else {
            continue;
        };
        match queues.iter_mut().find(|queue| queue.zone == zone) {
            Some(shared) => {
                shared.place = scene.zone(zone.index());
                shared.gates.push(figures);
            }
            None => queues.push(Queue { place: place(gate), zone, gates: vec![figures] }),
        }
    }
    queues
}

fn place(gate: &Gate) -> Place {
    Place { kind: PlaceKind::Gate, id: gate.id.clone() }
}

fn read(profile: &Profile) -> Limits {
    Limits {
        steps: [(Priority::Medium, profile.value("queue_spill.medium_s")), (Priority::High, profile.value("queue_spill.high_s"))],
        p: profile.value("queue_spill.p"),
        rate_sigma: profile.value("queue_spill.rate_sigma"),
        lane_rate: profile.value("sigma.lane_rate"),
        density: profile.value("queue.density"),
        deadband: profile.value("queue_spill.deadband"),
        delays: (seconds(profile, "queue_spill.on_s"), seconds(profile, "queue_spill.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Estimate;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    /// The queue of gate a: 100 m² at 2.5 persons/m² hold 250; the gate lets 44 a minute through.
    fn stage(persons: f64, arrivals: f64) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        let gate = &mut stage.figures.gates[0];
        gate.queue = Some(Estimate::normal(persons, 5.0));
        gate.arrivals_per_min = Some(arrivals);
        gate.spill_s = crate::crowd::queue::spill_s(100.0, 2.5, persons, arrivals, gate.capacity_per_min);
        stage
    }

    fn find(persons: f64, arrivals: f64) -> Finding {
        stage(persons, arrivals).only(detect)
    }

    /// Limits 20 and 8 min, deadband 10 %, P ≥ 0.6; rates are known to 10 %.
    #[test]
    fn it_judges_the_probability_that_the_space_is_full_by_then() {
        use Priority::{High, Medium};
        let cases = [
            ((50.0, 20.0), None, None),
            ((100.0, 44.0), None, None),
            ((100.0, 51.5), None, None),
            ((100.0, 53.0), None, Some(Medium)),
            ((100.0, 56.0), Some(Medium), Some(Medium)),
            ((150.0, 70.0), Some(High), Some(High)),
            ((260.0, 20.0), Some(High), Some(High)),
        ];
        for ((persons, arrivals), exceeds, holds) in cases {
            let finding = find(persons, arrivals);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{persons} wait, {arrivals} come a minute");
        }
    }

    #[test]
    fn it_shows_queue_arrivals_and_capacity() {
        let finding = find(150.0, 70.0);
        let shown: Vec<&str> = finding.evidence.iter().map(|evidence| &*evidence.what).collect();
        assert_eq!(shown, ["time_to_spill_s", "queue", "p_spill_over", "arrivals_per_min", "capacity_per_min"]);
        assert_eq!((finding.place.kind, &*finding.place.id), (PlaceKind::Gate, "a"));
    }

    #[test]
    fn gates_that_share_a_queue_raise_one_finding() {
        let mut stage = stage(120.0, 60.0);
        stage.site.venue.gates[1].queue = stage.site.venue.gates[0].queue;
        stage.figures.gates[1] = stage.figures.gates[0].clone();
        let finding = stage.only(detect);
        assert_eq!((finding.place.kind, &*finding.place.id, finding.headline.args["queue"]), (PlaceKind::Zone, "queue-a", 240.0));
    }

    #[test]
    fn a_queue_of_unknown_length_is_not_judged() {
        let mut stage = stage(120.0, 60.0);
        stage.figures.gates[0].queue = None;
        assert!(stage.all(detect).is_empty());
    }
}

//! QUEUE-SPILL: how soon does a queue fill its space and reach what lies behind it, a road or a station exit (crowd-science §2.5)?
//!
//! A queue that several gates share is one place: the finding is the queue zone's then, so that one queue raises one alarm.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::GateFigures;
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
        let Limits { steps, deadband, delays } = limits.of(profile);
        // All gates of a queue have the same time to spill; a queue that does not grow has none and is far from every limit.
        let spill = queue.gates.first().and_then(|gate| gate.spill_s);
        let is_within = |limit: f64| spill.is_some_and(|spill| spill < limit);
        let standing = Standing::of(*steps, |limit, eased| is_within(if eased { limit * (1.0 + deadband) } else { limit }));
        let mut headline = vec![("queue", persons)];
        headline.extend(spill.map(|spill| ("spill_s", spill)));
        let mut finding = MANNER.finding(queue.place, standing, *delays, &headline, &[("spill_s", steps[0].1 * (1.0 + deadband))]);
        if let Some(spill) = spill {
            finding.evidence.push(scene.held("time_to_spill_s", spill, "s", standing.threshold(*steps), profile));
        }
        finding.evidence.push(scene.figure("queue", persons, "persons"));
        if !standing.is_quiet() {
            finding.evidence.push(scene.figure("arrivals_per_min", arrivals, "persons/min"));
            let capacity = scene.figure("capacity_per_min", queue.gates.iter().map(|gate| gate.capacity_per_min).sum(), "persons/min");
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

    fn find(spill_s: Option<f64>) -> Finding {
        stage(spill_s).only(detect)
    }

    fn stage(spill_s: Option<f64>) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        stage.figures.gates[0].queue = Some(Estimate { v: 150.0, lo: 140.0, hi: 160.0 });
        stage.figures.gates[0].arrivals_per_min = Some(60.0);
        stage.figures.gates[0].spill_s = spill_s;
        stage
    }

    /// Limits 20 and 8 min, deadband 10 %.
    #[test]
    fn it_judges_the_time_until_the_space_is_full() {
        use Priority::{High, Medium};
        let cases = [
            (None, None, None),
            (Some(3_000.0), None, None),
            (Some(1_321.0), None, None),
            (Some(1_300.0), None, Some(Medium)),
            (Some(1_199.0), Some(Medium), Some(Medium)),
            (Some(500.0), Some(Medium), Some(High)),
            (Some(0.0), Some(High), Some(High)),
        ];
        for (spill, exceeds, holds) in cases {
            let finding = find(spill);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{spill:?}");
        }
    }

    #[test]
    fn it_shows_queue_arrivals_and_capacity() {
        let finding = find(Some(400.0));
        let shown: Vec<&str> = finding.evidence.iter().map(|evidence| &*evidence.what).collect();
        assert_eq!(shown, ["time_to_spill_s", "queue", "arrivals_per_min", "capacity_per_min"]);
        assert_eq!((finding.place.kind, &*finding.place.id), (PlaceKind::Gate, "a"));
    }

    #[test]
    fn gates_that_share_a_queue_raise_one_finding() {
        let mut stage = stage(Some(400.0));
        stage.site.venue.gates[1].queue = stage.site.venue.gates[0].queue;
        stage.figures.gates[1] = stage.figures.gates[0].clone();
        let finding = stage.only(detect);
        assert_eq!((finding.place.kind, &*finding.place.id, finding.headline.args["queue"]), (PlaceKind::Zone, "queue-a", 300.0));
    }

    #[test]
    fn a_queue_of_unknown_length_is_not_judged() {
        let mut stage = stage(Some(400.0));
        stage.figures.gates[0].queue = None;
        assert!(stage.all(detect).is_empty());
    }
}

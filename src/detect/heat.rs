//! HEAT: people wait long at a gate while it is hot. A queue that is no danger in spring fells people in July.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::Estimate;
use crate::crowd::normal::probability_above;
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::Heat, headline: "alarm.heat", would_clear: "clear.heat", certainty: "observed", urgency: "expected", severity: "moderate" };

struct Limits {
    wbgt_c: f64,
    deadband_c: f64,
    wait_s: f64,
    p: f64,
    delays: (Span, Span),
}

/// One finding per queue whose wait is known, while the heat is. Gates that share a queue have one wait, and one finding.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(wbgt_c) = scene.figures.wbgt_c else {
        return;
    };
    let mut limits = PerProfile::new(read);
    let mut judged = Vec::new();
    for (gate, figures) in scene.venue.gates.iter().zip(&scene.figures.gates) {
        let (Some(queue), Some(wait)) = (gate.queue, figures.wait_s) else {
            continue;
        };
        let Some(zone) = scene.venue.zones.get(queue.index()).filter(|_| !judged.contains(&queue)) else {
            continue;
        };
        judged.push(queue);
        let is_shared = scene.venue.gates.iter().filter(|other| other.queue == Some(queue)).count() > 1;
        let place = if is_shared { scene.zone(queue.index()) } else { Place { kind: PlaceKind::Gate, id: gate.id.clone() } };
        let profile = profile_of(zone);
        findings.push(judge(scene, place, wbgt_c, wait, limits.of(profile), profile));
    }
}

fn judge(scene: &Scene<'_>, place: Place, wbgt_c: f64, wait: Estimate, limits: &Limits, profile: &Profile) -> Finding {
    let p_wait = probability_above(limits.wait_s, wait.v, wait.sigma());
    let urgency = |limit: f64| (wbgt_c >= limit && p_wait >= limits.p).then_some(Priority::Medium);
    let standing = Standing { exceeds: urgency(limits.wbgt_c), holds: urgency(limits.wbgt_c - limits.deadband_c) };
    let headline = [("wait_s", wait.v), ("wbgt_c", wbgt_c)];
    let mut finding = MANNER.finding(place, standing, limits.delays, &headline, &[("wait_s", limits.wait_s)]);
    finding.evidence.push(scene.held("wbgt_c", wbgt_c, "degC", limits.wbgt_c, profile));
    finding.evidence.push(scene.held("wait_s", wait.v, "s", limits.wait_s, profile));
    if !standing.is_quiet() {
        finding.evidence.push(scene.held("p_wait_over", p_wait, "1", limits.p, profile));
        if wait.lo < limits.wait_s {
            finding.against.push(scene.held("wait_s", wait.lo, "s", limits.wait_s, profile));
        }
    }
    finding
}

fn read(profile: &Profile) -> Limits {
    Limits {
        wbgt_c: profile.value("heat.wbgt_c"),
        deadband_c: profile.value("heat.deadband_c"),
        wait_s: profile.value("heat.wait_s"),
        p: profile.value("heat.p"),
        delays: (seconds(profile, "heat.on_s"), seconds(profile, "heat.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    fn stage(wbgt_c: Option<f64>, wait_min: f64) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        stage.figures.wbgt_c = wbgt_c;
        stage.figures.gates.iter_mut().for_each(|gate| gate.wait_s = None);
        stage.figures.gates[0].wait_s = Some(Estimate::normal(wait_min * 60.0, 60.0));
        stage
    }

    /// 28 °C WBGT, deadband 1 °C; 30 min of waiting.
    #[test]
    fn it_judges_heat_and_wait_together() {
        let medium = Some(Priority::Medium);
        let cases =
            [((32.0, 10.0), None, None), ((20.0, 50.0), None, None), ((27.5, 40.0), None, medium), ((29.0, 29.0), None, None), ((29.0, 40.0), medium, medium)];
        for ((wbgt_c, wait), exceeds, holds) in cases {
            let finding = stage(Some(wbgt_c), wait).only(detect);
            assert_eq!((finding.exceeds, finding.holds, &*finding.place.id), (exceeds, holds, "a"), "{wbgt_c} °C, {wait} min");
        }
    }

    #[test]
    fn gates_that_share_a_queue_raise_one_finding() {
        let mut stage = stage(Some(30.0), 40.0);
        stage.site.venue.gates[1].queue = stage.site.venue.gates[0].queue;
        stage.figures.gates[1].wait_s = stage.figures.gates[0].wait_s;
        assert_eq!(stage.only(detect).place.kind, PlaceKind::Zone);
    }

    #[test]
    fn where_the_heat_is_not_told_it_cannot_tell() {
        assert!(stage(None, 60.0).all(detect).is_empty());
    }
}

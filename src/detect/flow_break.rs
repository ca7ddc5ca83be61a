//! FLOW-BREAK: does a stream stall while the crowd in it grows denser (crowd-science §2.4: at Mina half an hour before people died)?
//!
//! Two signs, either is enough: the outflow per metre of width is below what a stream of that density carries and the density rises; or within two minutes the flow falls by
//! so much while the density rises. Only where people walk: in a queue or a stand a small flow is the rule.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::dense::stop_and_go::Change;
use crate::crowd::dense::watch::DenseFigures;
use crate::time::Span;
use crate::venue::{FlowTable, Profile};

const MANNER: Manner = Manner {
    code: Code::FlowBreak,
    headline: "alarm.flow_break",
    would_clear: "clear.flow_break",
    certainty: "likely",
    urgency: "immediate",
    severity: "severe",
};

struct Limits {
    flow: f64,
    density: f64,
    rise: f64,
    drop: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One finding per zone for walking whose flow and its change are known.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        let Some(dense) = figures.dense.as_ref().filter(|_| zone.table != FlowTable::Queue) else { continue };
        let (Ok(flow), Ok(change)) = (dense.flow, dense.change) else { continue };
        let profile = profile_of(zone);
        let limits = limits.of(profile);
        let standing = Standing::of([(Priority::High, 1.0)], |_, eased| limits.are_broken(dense, flow, change, eased));
        let headline = [("flow", flow), ("density", dense.density)];
        let mut finding = MANNER.finding(scene.zone(i), standing, limits.delays, &headline, &[("flow", limits.flow * (1.0 + limits.deadband))]);
        finding.evidence.push(scene.held("specific_flow", flow, "persons/m/s", limits.flow, profile));
        if !standing.is_quiet() {
            finding.evidence.push(scene.held("density", dense.density, "persons/m2", limits.density, profile));
            finding.evidence.push(scene.held("density_change", change.density, "1", limits.rise, profile));
            let dropped = scene.held("flow_change", change.flow, "1", -limits.drop, profile);
            if change.flow <= -limits.drop { &mut finding.evidence } else { &mut finding.against }.push(dropped);
            finding.evidence.extend(dense.wave_z.ok().map(|z| scene.figure("stop_and_go", z, "standard errors")));
        }
        findings.push(finding);
    }
}

impl Limits {
    /// Once the flow has stalled, a density that has stopped rising does not mend it: only flow or room do. So easing asks for no rise.
    fn are_broken(&self, dense: &DenseFigures, flow: f64, change: Change, eased: bool) -> bool {
        if eased {
            return dense.density >= self.density * (1.0 - self.deadband) && flow < self.flow * (1.0 + self.deadband);
        }
        let is_rising = dense.density >= self.density && change.density >= self.rise;
        is_rising && (flow < self.flow || change.flow <= -self.drop)
    }
}

fn read(profile: &Profile) -> Limits {
    Limits {
        flow: profile.value("flow_break.flow"),
        density: profile.value("flow_break.density"),
        rise: profile.value("flow_break.rise"),
        drop: profile.value("flow_break.drop"),
        deadband: profile.value("flow_break.deadband"),
        delays: (seconds(profile, "flow_break.on_s"), seconds(profile, "flow_break.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::Unfit;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use Priority::High;

    fn stage(density: f64, flow: f64, change: (f64, f64)) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        let dense = stage.watch("plaza", density);
        (dense.flow, dense.change) = (Ok(flow), Ok(Change { flow: change.0, density: change.1 }));
        stage
    }

    /// Limits 0.8 persons/m/s from 2 persons/m² on, density +10 %, flow −30 %, deadband a tenth.
    #[test]
    fn it_judges_a_flow_that_falls_while_the_density_rises() {
        let cases = [
            ("quiet", 1.5, 1.2, (0.0, 0.02), None, None),
            ("stalled and rising fires", 3.0, 0.7, (-0.1, 0.12), Some(High), Some(High)),
            ("a sharp fall fires", 3.0, 0.9, (-0.31, 0.12), Some(High), Some(High)),
            ("near miss: stalled, but not denser", 3.0, 0.7, (-0.2, 0.05), None, Some(High)),
            ("near miss: falling, but thin", 1.2, 0.3, (-0.5, 0.3), None, None),
            ("near miss: people leave, it thins out", 2.5, 1.0, (-0.4, -0.2), None, None),
            ("clear", 2.5, 0.9, (0.3, -0.1), None, None),
        ];
        for (case, density, flow, change, exceeds, holds) in cases {
            let finding = stage(density, flow, change).only(detect);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{case}");
        }
    }

    #[test]
    fn a_queue_that_stands_is_no_broken_flow() {
        let mut stage = stage(3.0, 0.1, (-0.5, 0.3));
        let place = stage.site.zone("plaza");
        stage.site.venue.zones[place].table = FlowTable::Queue;
        assert!(stage.all(detect).is_empty());
    }

    #[test]
    fn without_two_minutes_before_it_nothing_is_judged() {
        let mut stage = stage(3.0, 0.1, (0.0, 0.0));
        stage.watch("plaza", 3.0).change = Err(Unfit::TooShort);
        assert!(stage.all(detect).is_empty());
    }
}

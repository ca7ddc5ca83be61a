//! EXIT-PLAN: more people are in a zone than its open exits let out in the normal egress time (Kanjuruhan 2022: exits shut; Rabat 2009: one open instead of two).
//!
//! It is about exits that are shut or missing, not about a full house: what counts is the width that is open now. Before the match it is also asked whether all exits
//! together, open or shut, would do for the tickets sold: a plan can be wrong days before.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::normal::probability_above;
use crate::crowd::topology::lead_zone;
use crate::crowd::{EgressFigures, Estimate, Phase};
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner = Manner {
    code: Code::ExitPlan,
    headline: "alarm.exit_plan",
    would_clear: "clear.exit_plan",
    certainty: "observed",
    urgency: "immediate",
    severity: "severe",
};

struct Limits {
    minutes: f64,
    p: f64,
    deadband: f64,
    occupied: f64,
    delays: (Span, Span),
}

/// One finding per zone that has exits and known heads.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        if let (Some(egress), Some(heads)) = (figures.egress.as_ref(), figures.occupancy) {
            let profile = profile_of(zone);
            let limits = limits.of(profile);
            findings.push(planned(scene, i, egress, limits, profile).unwrap_or_else(|| judge(scene, i, egress, heads, limits, profile)));
        }
    }
}

/// Before the match: the finding that all exits are too few for who will be in, where they are.
fn planned(scene: &Scene<'_>, i: usize, egress: &EgressFigures, limits: &Limits, profile: &Profile) -> Option<Finding> {
    let sold = scene.figures.sold.iter().find(|(zone, _)| zone.index() == i).map(|(_, sold)| *sold);
    let is_lead = lead_zone(scene.venue).is_some_and(|lead| lead.index() == i);
    let expected = sold.or(scene.figures.entry.as_ref().filter(|_| is_lead).map(|entry| entry.expected)).map(f64::from)?;
    let let_out = egress.all_per_min * limits.minutes;
    if scene.figures.phase != Phase::Before || probability_above(let_out, expected, profile.value("sigma.attendance") * expected) < limits.p {
        return None;
    }
    let standing = Standing { exceeds: Some(Priority::High), holds: Some(Priority::High) };
    let exits = f64::from(egress.exits);
    let headline = [("occupancy", expected), ("exits_open", exits), ("exits", exits)];
    let mut finding = MANNER.finding(scene.zone(i), standing, limits.delays, &headline, &[("occupancy", let_out)]);
    finding.urgency = "future";
    finding.evidence.push(scene.held("expected_persons", expected, "persons", let_out, profile));
    Some(finding)
}

fn judge(scene: &Scene<'_>, i: usize, egress: &EgressFigures, heads: Estimate, limits: &Limits, profile: &Profile) -> Finding {
    let let_out = egress.open_per_min * limits.minutes;
    let p_over = |limit: f64| probability_above(limit.max(limits.occupied), heads.v, heads.sigma());
    let urgency = |limit: f64| (p_over(limit) >= limits.p).then_some(Priority::High);
    let standing = Standing { exceeds: urgency(let_out), holds: urgency(let_out * (1.0 - limits.deadband)) };
    let headline = [("occupancy", heads.v), ("exits_open", f64::from(egress.exits - egress.shut)), ("exits", f64::from(egress.exits))];
    let mut finding = MANNER.finding(scene.zone(i), standing, limits.delays, &headline, &[("occupancy", let_out * (1.0 - limits.deadband))]);
    finding.evidence.push(scene.held("occupancy", heads.v, "persons", let_out, profile));
    if standing.is_quiet() {
        return finding;
    }
    finding.evidence.push(scene.held("p_exit_over", p_over(let_out), "1", limits.p, profile));
    finding.evidence.push(scene.figure("exits_shut", f64::from(egress.shut), "1"));
    finding.evidence.push(scene.figure("exit_width_m", egress.open_width_m, "m"));
    if let Some(empty_s) = egress.empty_s {
        finding.evidence.push(scene.held("egress_s", empty_s, "s", limits.minutes * 60.0, profile));
    }
    if egress.untold > 0 {
        finding.against.push(scene.figure("exits_untold", f64::from(egress.untold), "1"));
    }
    if heads.lo < let_out {
        finding.against.push(scene.held("occupancy", heads.lo, "persons", let_out, profile));
    }
    finding
}

fn read(profile: &Profile) -> Limits {
    Limits {
        minutes: profile.value("capacity.egress_s") / 60.0,
        p: profile.value("exit_plan.p"),
        deadband: profile.value("exit_plan.deadband"),
        // Nobody is shut in where nobody is.
        occupied: profile.value("blind.occupied"),
        delays: (seconds(profile, "exit_plan.on_s"), seconds(profile, "exit_plan.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    /// Two exits, `shut` of them shut; one lets 492 persons/min out (6 m × 82), 3,936 in 8 min.
    fn find(heads: f64, shut: u32) -> Finding {
        let mut stage = Stage::at(KICK_OFF);
        let zone = stage.zone("bowl");
        let open = f64::from(2 - shut);
        zone.occupancy = Some(Estimate::normal(heads, 40.0));
        let empty_s = (shut < 2).then(|| heads / (492.0 * open) * 60.0);
        zone.egress =
            Some(EgressFigures { exits: 2, shut, untold: 0, open_width_m: 6.0 * open, open_per_min: 492.0 * open, all_per_min: 984.0, counted_in: 0, empty_s });
        stage.only(detect)
    }

    #[test]
    fn it_judges_heads_against_what_is_open() {
        let high = Some(Priority::High);
        let cases = [
            ((6_000.0, 0), None, None),
            ((3_700.0, 1), None, None),
            ((3_900.0, 1), None, high),
            ((6_000.0, 1), high, high),
            ((6_000.0, 2), high, high),
            ((5.0, 2), None, None),
        ];
        for ((heads, shut), exceeds, holds) in cases {
            let finding = find(heads, shut);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{heads} heads, {shut} shut");
        }
    }

    #[test]
    fn it_says_how_many_are_open_and_how_long_it_would_take() {
        let finding = find(6_000.0, 1);
        assert_eq!((finding.headline.args["exits_open"], finding.headline.args["exits"]), (1.0, 2.0));
        let shown: Vec<&str> = finding.evidence.iter().map(|evidence| &*evidence.what).collect();
        assert_eq!(shown, ["occupancy", "p_exit_over", "exits_shut", "exit_width_m", "egress_s"]);
    }

    #[test]
    fn before_the_match_all_exits_must_do_for_the_tickets() {
        let sold = |sold| {
            let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(600)));
            let bowl = stage.site.zone("bowl");
            stage.zone("bowl").occupancy = Some(Estimate::normal(0.0, 0.0));
            stage.zone("bowl").egress =
                Some(EgressFigures { exits: 2, shut: 2, untold: 0, open_width_m: 0.0, open_per_min: 0.0, all_per_min: 984.0, counted_in: 0, empty_s: None });
            stage.figures.sold = vec![(bowl.into(), sold)];
            stage.only(detect)
        };
        assert_eq!(sold(7_800).exceeds, None, "7,872 get out in 8 min");
        let finding = sold(9_000);
        assert_eq!((finding.exceeds, finding.urgency, &*finding.evidence[0].what), (Some(Priority::High), "future", "expected_persons"));
    }

    #[test]
    fn a_zone_without_exits_is_not_judged() {
        assert!(Stage::at(KICK_OFF).all(detect).is_empty());
    }
}

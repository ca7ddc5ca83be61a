//! PLAN-SPLIT: more people come over an approach than were planned for it (Stade de France 2022: one station with twice its share, three hours before kick-off).
//!
//! The counts and their CUSUM are the picture's ([`crate::crowd::approaches`]); here is only told what they mean. It is the more urgent where the approach's own gates
//! cannot let its people in before the deadline.

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of};
use crate::crowd::ApproachFigures;
use crate::crowd::topology::lead_zone;
use crate::time::Span;
use crate::venue::{Approach, Profile};

const MANNER: Manner = Manner {
    code: Code::PlanSplit,
    headline: "alarm.plan_split",
    would_clear: "clear.plan_split",
    certainty: "likely",
    urgency: "expected",
    severity: "moderate",
};

/// One finding per planned approach of which a whole count is known.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(lead) = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index())) else {
        return;
    };
    for (approach, figures) in scene.venue.approaches.iter().zip(&scene.figures.approaches) {
        if let (Some(planned), Some(share)) = (figures.planned, figures.share) {
            findings.push(judge(scene, approach, figures, (planned, share), profile_of(lead)));
        }
    }
}

fn judge(scene: &Scene<'_>, approach: &Approach, figures: &ApproachFigures, (planned, share): (f64, f64), profile: &Profile) -> Finding {
    let p = profile.value("plan_split.p");
    let is_late = figures.p_late.is_some_and(|late| late >= profile.value("entry_eta.p_medium"));
    let urgency = if is_late { Priority::High } else { Priority::Medium };
    let standing = Standing { exceeds: (figures.p_over >= p).then_some(urgency), holds: (figures.p_over_eased >= p).then_some(urgency) };
    let place = Place { kind: PlaceKind::Approach, id: approach.id.clone() };
    let headline = [("share", share), ("planned", planned), ("came", figures.came as f64)];
    // Its delays are counted in counts, and the CUSUM has kept them already.
    let mut finding = MANNER.finding(place, standing, (Span::ZERO, Span::ZERO), &headline, &[("share", planned + profile.value("plan_split.slack"))]);
    finding.evidence.push(scene.held("approach_share", share, "1", planned, profile));
    if standing.is_quiet() {
        return finding;
    }
    finding.evidence.push(scene.held("p_split_over", figures.p_over, "1", p, profile));
    finding.evidence.push(scene.figure("counted", f64::from(figures.counted), "persons"));
    finding.evidence.extend(figures.capacity_per_min.map(|capacity| scene.figure("capacity_per_min", capacity, "persons/min")));
    if let Some(late) = figures.p_late {
        let figure = scene.held("p_after_deadline", late, "1", profile.value("entry_eta.p_medium"), profile);
        if is_late { &mut finding.evidence } else { &mut finding.against }.push(figure);
    }
    if figures.share_tonight < share {
        finding.against.push(scene.figure("approach_share_tonight", figures.share_tonight, "1"));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use crate::venue::{LinkId, Names};

    fn stage(figures: ApproachFigures) -> Stage {
        let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(175)));
        stage.site.venue.approaches = vec![Approach { id: "rail".into(), name: "Rail".into(), links: vec![LinkId(0)], stops: vec![], gates: vec![] }];
        stage.site.venue.approach_names = Names::new(["rail"]);
        stage.figures.approaches = vec![figures];
        stage
    }

    fn counted(p_over: f64, p_over_eased: f64, p_late: Option<f64>) -> ApproachFigures {
        ApproachFigures { p_over, p_over_eased, p_late, ..crate::detect::sample::approach() }
    }

    #[test]
    fn it_judges_the_probability_of_the_sum_and_the_gates_behind() {
        use Priority::{High, Medium};
        let cases = [
            ((0.1, 0.3, None), None, None),
            ((0.79, 0.79, None), None, None),
            ((0.5, 0.85, None), None, Some(Medium)),
            ((0.9, 0.95, Some(0.2)), Some(Medium), Some(Medium)),
            ((0.9, 0.95, Some(0.7)), Some(High), Some(High)),
        ];
        for ((p, eased, late), exceeds, holds) in cases {
            let finding = stage(counted(p, eased, late)).only(detect);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{p} {eased} {late:?}");
        }
    }

    #[test]
    fn it_says_which_share_came_and_which_was_planned() {
        let finding = stage(counted(0.97, 0.99, Some(0.1))).only(detect);
        assert_eq!((&*finding.place.id, finding.headline.args["share"], finding.headline.args["planned"]), ("rail", 0.877, 0.4));
        assert_eq!((&*finding.evidence[0].what, finding.evidence[0].threshold), ("approach_share", Some(0.4)));
        let against: Vec<&str> = finding.against.iter().map(|evidence| &*evidence.what).collect();
        assert_eq!(against, ["p_after_deadline", "approach_share_tonight"]);
    }

    #[test]
    fn before_the_first_count_or_without_a_plan_it_cannot_tell() {
        assert!(stage(ApproachFigures { share: None, ..counted(0.0, 0.0, None) }).all(detect).is_empty());
        assert!(stage(ApproachFigures { planned: None, ..counted(0.9, 0.9, None) }).all(detect).is_empty());
    }
}

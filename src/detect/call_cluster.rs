//! CALL-CLUSTER: calls for help come close together, where a quiet night has hardly any (Itaewon 2022: eleven calls from one alley in the hours before).
//!
//! A Poisson scan: of the calls of a quiet night λ fall within one such circle and time by themselves, the more the more people are there; P(N ≥ n | λ) says how likely so many are by chance. What n calls mean is
//! told by that, and at least a number of the profile must have come, for two calls about one fall are two calls.

use super::finding::{Code, Evidence, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::topology::lead_zone;
use crate::venue::Profile;

const MANNER: Manner = Manner {
    code: Code::CallCluster,
    headline: "alarm.call_cluster",
    would_clear: "clear.call_cluster",
    certainty: "likely",
    urgency: "immediate",
    severity: "severe",
};

/// One finding per place that has had a call lately.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let lead = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index()));
    for cluster in &scene.figures.calls {
        let zone = cluster.zone.and_then(|zone| scene.venue.zones.get(zone.index()));
        let Some(profile) = zone.or(lead).map(profile_of) else {
            continue;
        };
        let place = match cluster.zone {
            Some(zone) if scene.venue.zones.len() > zone.index() => scene.zone(zone.index()),
            _ => Place { kind: PlaceKind::Venue, id: scene.venue.id.clone() },
        };
        let heads = cluster.zone.and_then(|zone| scene.figures.zones.get(zone.index())?.occupancy).map_or(0.0, |heads| heads.v);
        let mut finding = judge(scene, place, cluster.calls, heads, profile);
        if let Some(stretch) = cluster.stretch.filter(|stretch| finding.exceeds.is_some() && stretch.events > u64::from(cluster.calls)) {
            // What the window has let go of: a place from which people have called all evening.
            finding.evidence.push(Evidence { from: stretch.from, to: stretch.to, ..scene.figure("calls_in_a_row", stretch.events as f64, "1") });
            finding.evidence.push(scene.figure("first_call", stretch.from.as_millis() as f64, "ms"));
        }
        findings.push(finding);
    }
}

fn judge(scene: &Scene<'_>, place: Place, calls: u32, heads: f64, profile: &Profile) -> Finding {
    let per_h = profile.value("call_cluster.per_h") + profile.value("call_cluster.per_thousand_h") * heads / 1_000.0;
    let expected = per_h * profile.value("call_cluster.window_s") / 3_600.0;
    let (least, limit) = (profile.value("call_cluster.calls"), profile.value("call_cluster.p"));
    let by_chance = at_least(calls, expected);
    let urgency = (f64::from(calls) >= least && by_chance <= limit).then_some(Priority::High);
    let delays = (seconds(profile, "call_cluster.on_s"), seconds(profile, "call_cluster.off_s"));
    let headline = [("calls", f64::from(calls))];
    let mut finding = MANNER.finding(place, Standing { exceeds: urgency, holds: urgency }, delays, &headline, &[("calls", least)]);
    finding.evidence.push(scene.held("calls", f64::from(calls), "1", least, profile));
    if urgency.is_some() {
        finding.evidence.push(scene.held("p_calls_by_chance", by_chance, "1", limit, profile));
        finding.against.push(scene.figure("calls_usual", expected, "1"));
    }
    finding
}

/// P(N ≥ n) of a Poisson law with mean `expected`.
fn at_least(n: u32, expected: f64) -> f64 {
    let mut term = libm::exp(-expected);
    let mut below = 0.0;
    for k in 0..n {
        below += term;
        term *= expected / f64::from(k + 1);
    }
    (1.0 - below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::CallFigures;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    /// Three calls in 45 min come by themselves where 60,000 sit, but not where 500 stand.
    #[test]
    fn a_full_bowl_has_more_calls_of_itself() {
        let find = |heads: f64, calls: u32| {
            let mut stage = Stage::at(KICK_OFF);
            stage.figures.calls = vec![CallFigures { zone: Some(stage.site.zone("plaza").into()), calls, stretch: None }];
            stage.zone("plaza").occupancy = Some(crate::crowd::Estimate::normal(heads, 0.0));
            stage.only(detect).exceeds
        };
        assert_eq!((find(500.0, 3), find(60_000.0, 3), find(60_000.0, 6)), (Some(Priority::High), None, Some(Priority::High)));
    }

    fn find(calls: u32) -> Finding {
        let mut stage = Stage::at(KICK_OFF);
        stage.figures.calls = vec![CallFigures { zone: Some(stage.site.zone("plaza").into()), calls, stretch: None }];
        stage.only(detect)
    }

    /// 0.2 an hour: 0.15 in 45 min; three by chance once in 1,900 such times.
    #[test]
    fn it_judges_how_likely_so_many_are_by_chance() {
        for (calls, expected) in [(0, None), (1, None), (2, None), (3, Some(Priority::High)), (11, Some(Priority::High))] {
            let finding = find(calls);
            assert_eq!((finding.exceeds, finding.holds, &*finding.place.id), (expected, expected, "plaza"), "{calls}");
        }
        assert!((at_least(3, 0.15) - 0.000_503).abs() < 1e-5);
    }

    #[test]
    fn where_calls_are_usual_it_takes_more() {
        let mut stage = Stage::at(KICK_OFF);
        let plaza = stage.site.zone("plaza");
        let mut busy = (*stage.site.venue.zones[plaza].profile).clone();
        busy.thresholds.get_mut("call_cluster.per_h").unwrap().value = 3.0;
        stage.site.venue.zones[plaza].profile = std::sync::Arc::new(busy);
        let exceeds = |stage: &mut Stage, calls| {
            stage.figures.calls = vec![CallFigures { zone: Some(plaza.into()), calls, stretch: None }];
            stage.only(detect).exceeds
        };
        assert_eq!((exceeds(&mut stage, 4), exceeds(&mut stage, 8)), (None, Some(Priority::High)));
    }

    #[test]
    fn calls_that_tell_only_metres_are_the_venues() {
        let mut stage = Stage::at(KICK_OFF);
        stage.figures.calls = vec![CallFigures { zone: None, calls: 4, stretch: None }];
        assert_eq!(stage.only(detect).place.kind, PlaceKind::Venue);
    }

    /// What the window has let go of is told beside what it holds, from the first call of the row on.
    #[test]
    fn calls_that_come_all_evening_are_told() {
        let mut stage = Stage::at(KICK_OFF);
        let (from, to) = (KICK_OFF.before(crate::time::Span::from_mins(200)), KICK_OFF);
        let mut row = |calls, events| {
            let stretch = Some(crate::window::Session { from, to, events });
            stage.figures.calls = vec![CallFigures { zone: Some(stage.site.zone("plaza").into()), calls, stretch }];
            stage
                .only(detect)
                .evidence
                .into_iter()
                .find(|evidence| &*evidence.what == "calls_in_a_row")
                .map(|evidence| (evidence.value, evidence.from, evidence.to))
        };
        assert_eq!(row(3, 11), Some((11.0, from, to)));
        assert_eq!((row(3, 3), row(1, 11)), (None, None), "nothing to add, and no finding");
    }

    #[test]
    fn without_calls_nothing_is_said() {
        assert!(Stage::at(KICK_OFF).all(detect).is_empty());
    }
}

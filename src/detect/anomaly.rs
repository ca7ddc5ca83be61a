//! ANOMALY: what came in a zone's last step was odd, by the model's calibrated score: the expected share of quiet panes that score higher.
//!
//! A zone has several series; the oddest speaks for it. A machine's hint and nothing more: low priority, `possible`, and it says what was expected and what came.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::forecast::{Outlook, SeriesKind};
use crate::time::Span;
use crate::venue::{Profile, ZoneId};
use std::collections::BTreeMap;

const MANNER: Manner =
    Manner { code: Code::Anomaly, headline: "alarm.anomaly", would_clear: "clear.anomaly", certainty: "possible", urgency: "expected", severity: "minor" };

struct Limits {
    p: f64,
    deadband: f64,
    delays: (Span, Span),
}

/// One finding per zone that has a score.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut oddest: BTreeMap<ZoneId, (f64, &Outlook)> = BTreeMap::new();
    for outlook in scene.outlooks {
        let Some(score) = outlook.score.filter(|score| score.is_finite()) else {
            continue;
        };
        let known = oddest.entry(outlook.series.zone).or_insert((score, outlook));
        if score < known.0 {
            *known = (score, outlook);
        }
    }
    let mut limits = PerProfile::new(read);
    for (zone, (score, outlook)) in oddest {
        let Some(profile) = scene.venue.zones.get(zone.index()).map(profile_of) else {
            continue;
        };
        findings.push(finding(scene, zone, score, outlook, limits.of(profile), profile));
    }
}

fn finding(scene: &Scene<'_>, zone: ZoneId, score: f64, outlook: &Outlook, limits: &Limits, profile: &Profile) -> Finding {
    let standing = Standing::of([(Priority::Low, limits.p)], |limit, eased| score <= limit + if eased { limits.deadband } else { 0.0 });
    let (flow, expected) = words(outlook.series.kind);
    let seen = [(flow, outlook.actual_last), (expected, outlook.expected_last)];
    let known = || seen.iter().filter_map(|(what, persons)| persons.map(|persons| (*what, persons)));
    let headline: Vec<(&'static str, f64)> = known().chain([("score", score)]).collect();
    let mut finding = MANNER.finding(scene.zone(zone.index()), standing, limits.delays, &headline, &[("score", limits.p + limits.deadband)]);
    finding.score = Some(score);
    finding.evidence.push(scene.held("score", score, "1", limits.p, profile));
    if !standing.is_quiet() {
        finding.evidence.extend(known().map(|(what, persons)| scene.figure(what, persons, "persons")));
    }
    finding
}

/// What came and what was expected, in the words of docs/API.md.
const fn words(kind: SeriesKind) -> (&'static str, &'static str) {
    match kind {
        SeriesKind::In => ("flow_in", "expected_in"),
        SeriesKind::Out => ("flow_out", "expected_out"),
        SeriesKind::Count => ("flow_count", "expected_count"),
    }
}

fn read(profile: &Profile) -> Limits {
    let delays = (seconds(profile, "anomaly.on_s"), seconds(profile, "anomaly.off_s"));
    Limits { p: profile.value("anomaly.p"), deadband: profile.value("anomaly.deadband"), delays }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;

    fn stage(score: Option<f64>) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        stage.expect("bowl", 40.0, score);
        stage
    }

    /// p 0.001, deadband 0.004.
    #[test]
    fn it_judges_the_calibrated_score() {
        let cases = [(0.5, None, None), (0.006, None, None), (0.002, None, Some(Priority::Low)), (0.001, Some(Priority::Low), Some(Priority::Low))];
        for (score, exceeds, holds) in cases {
            let finding = stage(Some(score)).only(detect);
            assert_eq!((finding.exceeds, finding.holds, finding.score), (exceeds, holds, Some(score)), "{score}");
        }
    }

    #[test]
    fn it_says_what_was_expected_and_what_came() {
        let finding = stage(Some(0.0005)).only(detect);
        let shown: Vec<(&str, f64)> = finding.evidence.iter().map(|evidence| (&*evidence.what, evidence.value)).collect();
        assert_eq!(shown, [("score", 0.0005), ("flow_in", 3.0), ("expected_in", 40.0)]);
    }

    #[test]
    fn the_oddest_series_speaks_for_its_zone() {
        let mut stage = stage(Some(0.4));
        stage.expect("bowl", 10.0, Some(0.0002));
        assert_eq!(stage.only(detect).score, Some(0.0002));
    }

    #[test]
    fn without_a_score_nothing_is_judged() {
        assert!(stage(None).all(detect).is_empty());
    }
}

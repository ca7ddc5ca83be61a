//! ANOMALY: what came in a zone stands out from what was usual by more than the operator's budget of false alarms lets pass.
//!
//! The watch (`forecast::watch`) has judged; one of the zone's series speaks for it. A machine's hint and nothing more: low priority, `possible`, and it says what was expected and what came, and
//! in which window. What the learnt score says of the same step stands beside it, for or against.

use super::finding::{Code, Evidence, Finding, Place, Priority, Way};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::forecast::watch::Verdict;
use crate::forecast::watch::deviation::Deviation;
use crate::forecast::{OfAll, SeriesKind};
use crate::time::Span;
use crate::venue::Profile;

const MANNER: Manner =
    Manner { code: Code::Anomaly, headline: "alarm.anomaly", would_clear: "clear.anomaly", certainty: "possible", urgency: "expected", severity: "minor" };

struct Limits {
    supports: f64,
    hold: f64,
    delays: (Span, Span),
}

/// One finding per zone of which the watch can speak, and one of all places together.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let mut limits = PerProfile::new(read);
    for outlook in scene.outlooks {
        let zone = outlook.series.zone.index();
        let Some((verdict, profile)) = outlook.watch.zip(scene.venue.zones.get(zone).map(profile_of)) else {
            continue;
        };
        let said = Said { verdict: &verdict, kind: outlook.series.kind, learnt: outlook.score };
        findings.push(finding(scene, scene.zone(zone), &said, limits.of(profile), profile));
    }
    if let Some((OfAll { kind, verdict }, (place, lead))) = scene.of_all.zip(scene.whole()) {
        let profile = profile_of(lead);
        findings.push(finding(scene, place, &Said { verdict, kind: *kind, learnt: None }, limits.of(profile), profile));
    }
}

/// What the watch says, of which way, and what the learnt score says beside it.
struct Said<'a> {
    verdict: &'a Verdict,
    kind: SeriesKind,
    learnt: Option<f64>,
}

fn finding(scene: &Scene<'_>, place: Place, &Said { verdict, kind, learnt }: &Said<'_>, limits: &Limits, profile: &Profile) -> Finding {
    let low = |holds: bool| holds.then_some(Priority::Low);
    let standing = Standing { exceeds: low(verdict.exceeds), holds: low(verdict.holds) };
    let (flow, expected) = words(kind);
    let minutes = scene.end.since(verdict.from).as_secs_f64() / 60.0;
    let (came, usual) = (verdict.came / minutes, verdict.expected / minutes);
    let headline = [(flow, came), (expected, usual), ("score", verdict.share_above)];
    let mut finding = MANNER.finding(place, standing, limits.delays, &headline, &[("score_z", limits.hold * verdict.threshold)]);
    finding.score = Some(verdict.share_above);
    finding.way = Some(match verdict.deviation {
        Deviation::Surge => Way::More,
        Deviation::Shortfall => Way::Fewer,
    });
    let in_window = |figure: Evidence| Evidence { from: verdict.from, ..figure };
    finding.evidence.push(in_window(scene.figure("score", verdict.share_above, "1")));
    if !standing.is_quiet() {
        finding.evidence.push(in_window(scene.held("score_z", verdict.score, "1", verdict.threshold, profile)));
        finding.evidence.push(in_window(scene.figure(flow, came, "persons/min")));
        finding.evidence.push(in_window(scene.figure(expected, usual, "persons/min")));
        if let Some(learnt) = learnt.filter(|learnt| learnt.is_finite()) {
            let side = if learnt <= limits.supports { &mut finding.evidence } else { &mut finding.against };
            side.push(scene.figure("score_learnt", learnt, "1"));
        }
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
    Limits {
        supports: profile.value("anomaly.supports"),
        hold: profile.value("anomaly.hold"),
        delays: (seconds(profile, "anomaly.on_s"), seconds(profile, "anomaly.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use crate::forecast::watch::joint::Voice;

    fn stage(score: f64, exceeds: bool, holds: bool, learnt: Option<f64>) -> Stage {
        let mut stage = Stage::at(KICK_OFF);
        stage.expect("bowl", 40.0, learnt);
        let from = KICK_OFF.before(Span::from_mins(30));
        stage.outlooks[0].watch = Some(Verdict {
            speaker: 0,
            score,
            threshold: 4.2,
            exceeds,
            holds,
            deviation: Deviation::Surge,
            voice: Voice::Joint,
            from,
            came: 300.0,
            expected: 120.0,
            share_above: 0.0005,
        });
        stage
    }

    #[test]
    fn it_says_what_the_watch_judged() {
        for (score, exceeds, holds) in [(1.0, false, false), (3.0, false, true), (5.0, true, true)] {
            let finding = stage(score, exceeds, holds, None).only(detect);
            let low = |is: bool| is.then_some(Priority::Low);
            assert_eq!((finding.exceeds, finding.holds, finding.score), (low(exceeds), low(holds), Some(0.0005)), "{score}");
        }
    }

    #[test]
    fn it_says_what_was_expected_and_what_came_and_since_when() {
        let finding = stage(5.0, true, true, None).only(detect);
        let shown: Vec<(&str, f64)> = finding.evidence.iter().map(|evidence| (&*evidence.what, evidence.value)).collect();
        assert_eq!(shown, [("score", 0.0005), ("score_z", 5.0), ("flow_in", 10.0), ("expected_in", 4.0)]);
        assert!(finding.evidence.iter().all(|evidence| evidence.from == KICK_OFF.before(Span::from_mins(30))));
    }

    #[test]
    fn the_learnt_score_stands_beside_it() {
        let learnt = |share: f64| {
            let finding = stage(5.0, true, true, Some(share)).only(detect);
            (finding.evidence.len(), finding.against.len())
        };
        assert_eq!((learnt(0.001), learnt(0.4)), ((5, 0), (4, 1)));
    }

    #[test]
    fn what_the_watch_cannot_judge_is_not_spoken_of() {
        let mut stage = stage(5.0, true, true, None);
        stage.outlooks[0].watch = None;
        assert!(stage.all(detect).is_empty());
    }
}

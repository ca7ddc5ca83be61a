//! PRESENCE: people are there who should not be there yet, or at all (Wembley 2021, Love Parade 2010, Casablanca 2023, Itaewon 2022).
//!
//! Of the venue as a whole three things are asked until the match ends, and the most urgent answer speaks: are more inside than the planned curve expects an hour or two
//! later; do they come several times as fast as the plan ever wants them to around now; are there more than tickets? Of a zone whose usual presence somebody has told:
//! is it several times the usual of the hour? Of a platform before the match: will more be on it than it has room for, by the vehicles that are expected? Each is a probability of exceeding.

use super::finding::{Code, Evidence, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::normal::probability_above;
use crate::crowd::topology::lead_zone;
use crate::crowd::{Estimate, Phase, PresenceFigures};
use crate::time::Span;
use crate::venue::{Profile, ZoneKind};

const MANNER: Manner =
    Manner { code: Code::Presence, headline: "alarm.presence", would_clear: "clear.presence", certainty: "likely", urgency: "expected", severity: "severe" };

const STEPS: [Priority; 2] = [Priority::Medium, Priority::High];

struct Limits {
    p: f64,
    deadband: f64,
    delays: (Span, Span),
    usual: [f64; 2],
    usual_floor: f64,
    usual_sigma: f64,
}

/// One question: a value, how sure it is, and its limits.
struct Question {
    what: &'static str,
    unit: &'static str,
    value: f64,
    sigma: f64,
    limits: [f64; 2],
    /// What the limits are drawn from.
    base: f64,
}

/// One finding for the venue, and one per zone whose usual presence is told.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let lead = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index()));
    // Places that are only counted, as those of a table, have no inside that their passages would add up to.
    let has_an_inside = scene.venue.zones.iter().any(|zone| zone.kind != ZoneKind::Counted);
    if let (Some(lead), Some(presence), true) = (lead, scene.figures.presence.as_ref(), has_an_inside) {
        findings.extend(of_the_venue(scene, presence, profile_of(lead)));
    }
    if let Some(lead) = lead {
        of_the_platforms(scene, profile_of(lead), findings);
    }
    let mut limits = PerProfile::new(read);
    let hour = local_hour(scene);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        let (Some(usual), Some(heads)) = (zone.section.usual_at(hour), figures.occupancy) else {
            continue;
        };
        let limits = limits.of(profile_of(zone));
        let spread = |times: f64| libm::hypot(heads.sigma(), times * usual * limits.usual_sigma);
        let question = Question {
            what: "occupancy",
            unit: "persons",
            value: heads.v,
            sigma: spread(limits.usual[0]),
            limits: limits.usual.map(|times| (times * usual).max(limits.usual_floor)),
            base: usual,
        };
        findings.push(answer(scene, scene.zone(i), &[question], limits, profile_of(zone), "usual"));
    }
}

/// One finding per approach at whose platform vehicles are expected: more will be on it than it has room for.
fn of_the_platforms(scene: &Scene<'_>, profile: &Profile, findings: &mut Vec<Finding>) {
    for (approach, figures) in scene.venue.approaches.iter().zip(&scene.figures.approaches) {
        let Some(platform) = &figures.platform else { continue };
        let place = Place { kind: PlaceKind::Approach, id: approach.id.clone() };
        // There is but one step: a platform is too full or it is not.
        let limits = [platform.room, f64::INFINITY];
        let question = |peak: Estimate| Question { what: "waiting_peak", unit: "persons", value: peak.v, sigma: peak.sigma(), limits, base: platform.room };
        // Where nothing is expected (any more) it is quiet, so that what was raised can end.
        let questions: Vec<Question> = platform.peak.map(question).into_iter().collect();
        findings.push(answer(scene, place, &questions, &read(profile), profile, "station_room"));
    }
}

fn of_the_venue(scene: &Scene<'_>, presence: &PresenceFigures, profile: &Profile) -> Option<Finding> {
    let limits = read(profile);
    let place = Place { kind: PlaceKind::Venue, id: scene.venue.id.clone() };
    let questions = questions(scene.figures.phase, presence, profile);
    // With neither plan nor expectation there is nothing to hold it against.
    let known = presence.expected.or(presence.sold).is_some();
    known.then(|| answer(scene, place, &questions, &limits, profile, "planned"))
}

fn questions(phase: Phase, presence: &PresenceFigures, profile: &Profile) -> Vec<Question> {
    let value = |name| profile.value(name);
    let expected = presence.expected.map(f64::from);
    let (inside, sigma) = (presence.inside.v, presence.inside.sigma());
    let mut questions = Vec::new();
    if phase == Phase::After {
        return questions;
    }
    if let (Some(expected), Some(ahead), Some(planned), Phase::Before) = (expected, presence.planned_ahead, presence.planned, phase) {
        let floor = value("presence.floor") * expected;
        questions.push(Question { what: "inside", unit: "persons", value: inside, sigma, limits: ahead.map(|ahead| ahead + floor), base: planned });
    }
    if let (Some(expected), Some(then), Some(planned), Some(coming), Phase::Before) =
        (expected, presence.planned_ahead_then, presence.planned, presence.coming, phase)
    {
        let floor = value("presence.floor") * expected;
        let sigma = libm::hypot(sigma, coming.sigma());
        questions.push(Question {
            what: "inside_soon",
            unit: "persons",
            value: inside + coming.v,
            sigma,
            limits: then.map(|then| then + floor),
            base: planned,
        });
    }
    if let (Some(expected), Some(planned), Phase::Before) = (expected, presence.planned_per_min, phase) {
        // Where nobody was to come yet, the floor of an hour stands for the plan.
        let base = planned.max(value("presence.floor") * expected / 60.0);
        let limits = ["presence.rate_medium", "presence.rate_high"].map(|times| value(times) * base);
        let sigma = value("presence.rate_sigma") * presence.per_min.max(0.0);
        questions.push(Question { what: "arrivals_per_min", unit: "persons/min", value: presence.per_min, sigma, limits, base: planned });
    }
    if let Some(base) = presence.sold.map(f64::from).or(expected) {
        let limits = ["presence.over_medium", "presence.over_high"].map(|times| value(times) * base);
        questions.push(Question { what: "inside", unit: "persons", value: inside, sigma, limits, base });
    }
    questions
}

fn answer(scene: &Scene<'_>, place: Place, questions: &[Question], limits: &Limits, profile: &Profile, base: &'static str) -> Finding {
    let standing = |question: &Question| {
        let steps = [(STEPS[0], question.limits[0]), (STEPS[1], question.limits[1])];
        Standing::of(steps, |limit, eased| question.p_over(limit * if eased { 1.0 - limits.deadband } else { 1.0 }) >= limits.p)
    };
    let urgency = |question: &Question| (standing(question).exceeds, standing(question).holds);
    // Of equally urgent ones the first: early before fast before many.
    let loudest = questions.iter().rev().max_by_key(|question| urgency(question));
    let Some(question) = loudest else {
        return MANNER.finding(place, Standing::QUIET, limits.delays, &[], &[]);
    };
    let standing = standing(question);
    let limit = standing.threshold([(STEPS[0], question.limits[0]), (STEPS[1], question.limits[1])]);
    let headline = [(question.what, question.value), (base, question.base)];
    let clear = [(question.what, question.limits[0] * (1.0 - limits.deadband))];
    let mut finding = MANNER.finding(place, standing, limits.delays, &headline, &clear);
    finding.evidence.push(scene.held(question.what, question.value, question.unit, limit, profile));
    if standing.is_quiet() {
        return finding;
    }
    finding.evidence.push(scene.held("p_presence_over", question.p_over(limit), "1", limits.p, profile));
    finding.evidence.push(Evidence { threshold: None, profile: None, ..scene.figure(base, question.base, question.unit) });
    for other in questions.iter().filter(|other| !std::ptr::eq(*other, question)) {
        let figure = scene.held(other.what, other.value, other.unit, other.limits[0], profile);
        if urgency(other).0.is_some() { &mut finding.evidence } else { &mut finding.against }.push(figure);
    }
    finding
}

impl Question {
    fn p_over(&self, limit: f64) -> f64 {
        probability_above(limit, self.value, self.sigma)
    }
}

/// The hour of the venue's own day at the end of the pane.
fn local_hour(scene: &Scene<'_>) -> f64 {
    use chrono::Timelike;
    let local = chrono::DateTime::from_timestamp_millis(scene.end.as_millis()).map(|at| at.with_timezone(&scene.venue.time_zone));
    local.map_or(0.0, |local| f64::from(local.num_seconds_from_midnight()) / 3_600.0)
}

fn read(profile: &Profile) -> Limits {
    Limits {
        p: profile.value("presence.p"),
        deadband: profile.value("presence.deadband"),
        delays: (seconds(profile, "presence.on_s"), seconds(profile, "presence.off_s")),
        usual: [profile.value("presence.usual_medium"), profile.value("presence.usual_high")],
        usual_floor: profile.value("presence.usual_floor"),
        usual_sigma: profile.value("presence.usual_sigma"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use Priority::{High, Medium};

    /// 9,000 expected, 45 a minute at the fastest; an hour ahead 1,000 are planned, two hours ahead 3,000.
    fn presence(inside: f64, per_min: f64) -> PresenceFigures {
        PresenceFigures {
            inside: Estimate::normal(inside, 50.0),
            per_min,
            expected: Some(9_000),
            sold: Some(8_800),
            planned: Some(200.0),
            planned_ahead: Some([1_000.0, 3_000.0]),
            coming: None,
            planned_ahead_then: Some([2_000.0, 4_500.0]),
            planned_per_min: Some(45.0),
        }
    }

    fn find(presence: PresenceFigures, phase: Phase) -> Finding {
        let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(170)));
        (stage.figures.presence, stage.figures.phase) = (Some(presence), phase);
        stage.only(detect)
    }

    /// The floor is 450 persons, P ≥ 0.8 (0.84 × 50 = 42 persons), deadband 10 %.
    #[test]
    fn it_judges_who_is_early() {
        let cases = [
            (300.0, None, None),
            (1_300.0, None, None),
            (1_400.0, None, Some(Medium)),
            (1_500.0, Some(Medium), Some(Medium)),
            (3_500.0, Some(High), Some(High)),
        ];
        for (inside, exceeds, holds) in cases {
            let finding = find(presence(inside, 10.0), Phase::Before);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{inside}");
        }
        assert_eq!(find(presence(3_500.0, 10.0), Phase::FirstHalf).holds, None, "once the match is on nobody is early");
    }

    #[test]
    fn places_that_are_only_counted_have_no_inside() {
        let found = |is_counted: bool| {
            let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(170)));
            stage.figures.presence = Some(presence(9_999.0, 400.0));
            if is_counted {
                stage.site.venue.zones.iter_mut().for_each(|zone| zone.kind = ZoneKind::Counted);
            }
            stage.all(detect).iter().filter(|finding| finding.exceeds.is_some()).count()
        };
        assert_eq!((found(false), found(true)), (1, 0));
    }

    /// In half an hour 2,000 would be an hour early; 1,200 are inside, and trains bring 1,600 to 2,000.
    #[test]
    fn it_judges_who_is_on_the_way() {
        let coming = |v: f64| find(PresenceFigures { coming: Some(Estimate { v, lo: v - 200.0, hi: v + 200.0 }), ..presence(1_200.0, 10.0) }, Phase::Before);
        assert_eq!((coming(400.0).exceeds, coming(1_800.0).exceeds), (None, Some(Medium)));
        assert_eq!(&*coming(1_800.0).evidence[0].what, "inside_soon");
    }

    /// Love Parade 2010: 350 a minute where 100 were planned.
    #[test]
    fn it_judges_how_fast_they_come() {
        let rate = |per_min, planned| {
            let figures = PresenceFigures { planned_per_min: Some(planned), ..presence(300.0, per_min) };
            find(figures, Phase::Before)
        };
        assert_eq!(rate(250.0, 100.0).exceeds, Some(Medium));
        assert_eq!(rate(350.0, 100.0).exceeds, Some(High));
        assert_eq!(rate(150.0, 100.0).holds, None);
        assert_eq!((&*rate(350.0, 100.0).evidence[0].what, rate(350.0, 100.0).headline.args["planned"]), ("arrivals_per_min", 100.0));
    }

    #[test]
    fn it_judges_whether_there_are_more_than_tickets() {
        let many = |inside| find(PresenceFigures { planned_ahead: Some([8_900.0, 9_000.0]), ..presence(inside, 10.0) }, Phase::FirstHalf);
        assert_eq!(many(8_000.0).holds, None);
        assert_eq!(many(9_600.0).exceeds, None, "a near miss: staff and guests");
        assert_eq!(many(9_800.0).exceeds, Some(Medium));
        assert_eq!(many(11_200.0).exceeds, Some(High));
        assert_eq!(find(presence(11_200.0, 0.0), Phase::After).holds, None, "when it is over they leave");
    }

    /// Itaewon 2022: more than three times the usual.
    #[test]
    fn it_judges_the_usual_of_the_hour() {
        let zone = |heads: f64, usual: f64| {
            let mut stage = Stage::at(KICK_OFF);
            let plaza = stage.site.zone("plaza");
            stage.site.venue.zones[plaza].section.usual = vec![(0.0, usual), (24.0, usual)];
            stage.zone("plaza").occupancy = Some(Estimate::normal(heads, 0.05 * heads));
            stage.only(detect)
        };
        assert_eq!(zone(1_500.0, 1_000.0).holds, None);
        assert_eq!(zone(2_100.0, 1_000.0).exceeds, None, "twice, but not surely");
        assert_eq!(zone(2_400.0, 1_000.0).exceeds, Some(Medium));
        assert_eq!(zone(3_500.0, 1_000.0).exceeds, Some(High));
        assert_eq!(zone(150.0, 20.0).holds, None, "seven times very few are few");
    }

    /// Room for 1,600; P ≥ 0.8, deadband 10 %; σ is that of the upper half of the band.
    #[test]
    fn it_judges_how_full_a_platform_gets() {
        let platform = |peak: Option<f64>| {
            let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(90)));
            stage.site.venue.approaches =
                vec![crate::venue::Approach { id: "rail".into(), name: "Rail".into(), links: vec![], stops: vec![crate::venue::StopId(0)], gates: vec![] }];
            let platform = Some(crate::crowd::PlatformFigures { room: 1_600.0, peak: peak.map(|peak| Estimate::normal(peak, 100.0)) });
            stage.figures.approaches = vec![crate::crowd::ApproachFigures { platform, ..crate::detect::sample::approach() }];
            stage.only(detect)
        };
        for (peak, exceeds, holds) in [(1_000.0, None, None), (1_500.0, None, None), (1_580.0, None, Some(Medium)), (1_700.0, Some(Medium), Some(Medium))] {
            let finding = platform(Some(peak));
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{peak}");
        }
        assert_eq!(platform(None).holds, None);
        let finding = platform(Some(1_900.0));
        assert_eq!((&*finding.place.id, &*finding.evidence[0].what, finding.headline.args["station_room"]), ("rail", "waiting_peak", 1_600.0));
    }

    #[test]
    fn it_says_what_speaks_against_it() {
        let finding = find(presence(3_500.0, 10.0), Phase::Before);
        let against: Vec<&str> = finding.against.iter().map(|evidence| &*evidence.what).collect();
        assert_eq!(against, ["arrivals_per_min", "inside"], "neither fast nor more than tickets");
    }

    #[test]
    fn without_a_counted_border_or_a_usual_presence_it_cannot_tell() {
        let mut stage = Stage::at(KICK_OFF);
        stage.figures.presence = None;
        assert!(stage.all(detect).is_empty());
    }
}

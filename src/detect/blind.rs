//! BLIND: a place where people are, or are expected, and too little is heard of it. Silence is an event (DESIGN promise 5).
//!
//! A zone is blind when its coverage is below the limit, or when nothing at all has come from it for too long. The venue as a whole is blind when nothing is heard of it
//! anywhere. An empty place at night raises nothing, and neither does one that nobody ever counted.
//!
//! Of a place in a table nothing is known but its counts, so people are expected there when the opening hours say so or, where nobody has told any, when its own history of the
//! slot does: a forecast that was made just before closing time is no reason to expect anybody after it. Silence when nobody is expected says nothing either
//! way: it raises no alarm and ends none.

use super::finding::{Code, Finding, Place, Priority};
use super::scene::{Manner, PerProfile, Scene, Standing, profile_of, seconds};
use crate::crowd::ZoneFigures;
use crate::time::Span;
use crate::venue::{Profile, ZoneKind};

const MANNER: Manner =
    Manner { code: Code::Blind, headline: "alarm.blind", would_clear: "clear.blind", certainty: "observed", urgency: "immediate", severity: "minor" };

struct Limits {
    coverage: f64,
    age: Span,
    deadband: f64,
    dense: f64,
    occupied: f64,
    delays: (Span, Span),
}

/// One finding per zone that has sensors, and one for the venue.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let (expected, usual) = (expected_by_zone(scene), usual_by_zone(scene));
    let mut limits = PerProfile::new(read);
    let mut is_anybody_concerned = false;
    let mut sensed = 0;
    findings.reserve(scene.venue.zones.len() + 1);
    for (i, (zone, figures)) in scene.venue.zones.iter().zip(&scene.figures.zones).enumerate() {
        if figures.expected == 0 {
            continue;
        }
        let profile = profile_of(zone);
        let limits = limits.of(profile);
        let heads = figures.occupancy.map_or(0.0, |heads| heads.v);
        let is_counted = zone.kind == ZoneKind::Counted;
        let is_expected = if is_counted { are_people_expected(scene, usual[i], limits) } else { expected[i] >= limits.occupied };
        let is_concerned = heads >= limits.occupied && !is_counted || is_expected;
        is_anybody_concerned |= is_concerned;
        sensed += 1;
        if is_counted && !is_concerned && figures.coverage <= 0.0 {
            continue;
        }
        findings.push(zone_finding(scene, i, figures, is_concerned, limits, profile));
    }
    let Some((place, lead)) = scene.whole() else { return };
    // Of a table the one counter that it has speaks for the whole, and silence when nobody is expected is not judged.
    let is_a_table = lead.kind == ZoneKind::Counted;
    let is_judged = if is_a_table { sensed > 1 && (is_anybody_concerned || scene.figures.coverage > 0.0) } else { sensed > 0 };
    if is_judged {
        let profile = profile_of(lead);
        findings.push(venue_finding(scene, place, is_anybody_concerned, limits.of(profile), profile));
    }
}

fn zone_finding(scene: &Scene<'_>, i: usize, figures: &ZoneFigures, is_concerned: bool, limits: &Limits, profile: &Profile) -> Finding {
    let urgency = match figures.density {
        Some(density) if density.v >= limits.dense => Priority::High,
        _ => Priority::Medium,
    };
    let is_blind = |coverage| figures.coverage < coverage || figures.silent_for > limits.age;
    let standing = Standing {
        exceeds: (is_concerned && is_blind(limits.coverage)).then_some(urgency),
        holds: (is_concerned && is_blind(limits.coverage + limits.deadband)).then_some(urgency),
    };
    let silence_s = figures.silent_for.as_secs_f64();
    // Where only some are silent, how long says nothing: the last of the others has just reported.
    let is_silent = figures.silent_for > limits.age;
    let headline = [("coverage", figures.coverage), ("silence_s", silence_s)];
    let headline = if is_silent { &headline[..] } else { &headline[..1] };
    let mut finding = MANNER.finding(scene.zone(i), standing, limits.delays, headline, &[("coverage", limits.coverage + limits.deadband)]);
    finding.evidence.push(scene.held("coverage", figures.coverage, "1", limits.coverage, profile));
    if !standing.is_quiet() {
        finding.evidence.extend(is_silent.then(|| scene.held("silence_s", silence_s, "s", limits.age.as_secs_f64(), profile)));
        finding.evidence.extend(figures.occupancy.map(|heads| scene.figure("occupancy", heads.v, "persons")));
        finding.evidence.extend(figures.density.map(|density| scene.held("density", density.v, "persons/m2", limits.dense, profile)));
        if is_silent && figures.coverage > 0.0 {
            finding.against.push(scene.figure("coverage", figures.coverage, "1"));
        }
    }
    finding
}

/// With nothing heard at all the whole picture is dark: that is urgent however sparse the crowd was.
fn venue_finding(scene: &Scene<'_>, place: Place, is_concerned: bool, limits: &Limits, profile: &Profile) -> Finding {
    let coverage = scene.figures.coverage;
    let dark = (is_concerned && coverage <= 0.0).then_some(Priority::High);
    let silent = scene.figures.zones.iter().filter(|zone| zone.expected > 0).map(|zone| zone.silent_for).min().unwrap_or(Span::ZERO);
    let headline = [("coverage", coverage), ("silence_s", silent.as_secs_f64())];
    let standing = Standing { exceeds: dark, holds: dark };
    let mut finding = MANNER.finding(place, standing, limits.delays, &headline, &[("coverage", 0.0)]);
    finding.evidence.push(scene.held("coverage", coverage, "1", 0.0, profile));
    if dark.is_some() {
        finding.evidence.push(scene.figure("silence_s", silent.as_secs_f64(), "s"));
    }
    finding
}

/// Whether the hours or, where none are told, the slot's own history expect people at a place of a table.
fn are_people_expected(scene: &Scene<'_>, usual: f64, limits: &Limits) -> bool {
    let is_told = scene.venue.opening.is_told();
    if is_told { scene.venue.is_open(scene.pane_start) } else { usual >= limits.occupied }
}

/// Persons that are usual in each zone in the slot of the last step, over all its series.
fn usual_by_zone(scene: &Scene<'_>) -> Vec<f64> {
    let mut usual = vec![0.0; scene.venue.zones.len()];
    for outlook in scene.outlooks {
        if let Some(zone) = usual.get_mut(outlook.series.zone.index()) {
            *zone += outlook.usual_last.unwrap_or(0.0);
        }
    }
    usual
}

/// Persons that the forecast expects in each zone, in the last step or the next, over all its series.
fn expected_by_zone(scene: &Scene<'_>) -> Vec<f64> {
    let mut expected = vec![0.0; scene.venue.zones.len()];
    for outlook in scene.outlooks {
        let next = outlook.horizons.first().map_or(0.0, |horizon| horizon.expected);
        // What was expected a step ago was said before the silence: a forecast made in the dark expects less and less.
        let persons = outlook.expected_last.unwrap_or(0.0).max(next);
        if let Some(zone) = expected.get_mut(outlook.series.zone.index()) {
            *zone += persons;
        }
    }
    expected
}

fn read(profile: &Profile) -> Limits {
    Limits {
        coverage: profile.value("blind.coverage"),
        age: seconds(profile, "blind.age_s"),
        deadband: profile.value("blind.deadband"),
        dense: profile.value("blind.dense"),
        occupied: profile.value("blind.occupied"),
        delays: (seconds(profile, "blind.on_s"), seconds(profile, "blind.off_s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Estimate;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::finding::PlaceKind;
    use crate::detect::sample::Stage;

    const fn exactly(v: f64) -> Option<Estimate> {
        Some(Estimate { v, lo: v, hi: v })
    }

    fn bowl(coverage: f64, silent_s: u64, heads: f64, density: f64) -> Finding {
        let mut stage = Stage::at(KICK_OFF);
        let zone = stage.zone("bowl");
        (zone.expected, zone.coverage, zone.silent_for) = (3, coverage, Span::from_secs(silent_s));
        (zone.occupancy, zone.density) = (exactly(heads), exactly(density));
        stage.all(detect).into_iter().find(|finding| &*finding.place.id == "bowl").unwrap()
    }

    /// Coverage 0.7 with deadband 0.05, silence 60 s, occupied from 10 persons, dense from 3 persons/m².
    #[test]
    fn it_judges_coverage_and_silence_where_people_are() {
        use Priority::{High, Medium};
        let cases = [
            ((1.0, 0, 500.0, 0.5), None, None),
            ((0.76, 0, 500.0, 0.5), None, None),
            ((0.7, 0, 500.0, 0.5), None, Some(Medium)),
            ((0.6, 0, 500.0, 0.5), Some(Medium), Some(Medium)),
            ((0.6, 0, 500.0, 3.5), Some(High), Some(High)),
            ((0.6, 0, 9.0, 0.1), None, None),
            ((1.0, 60, 500.0, 0.5), None, None),
            ((1.0, 61, 500.0, 0.5), Some(Medium), Some(Medium)),
        ];
        for ((coverage, silent_s, heads, density), exceeds, holds) in cases {
            let finding = bowl(coverage, silent_s, heads, density);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{coverage}, {silent_s} s, {heads} heads, {density}");
        }
    }

    #[test]
    fn it_speaks_of_silence_only_where_silence_is_the_matter() {
        let says = |finding: &Finding, what: &str| finding.headline.args.get(what).is_some() || finding.evidence.iter().any(|evidence| &*evidence.what == what);
        let partly = bowl(0.6, 0, 500.0, 0.5);
        assert!(!says(&partly, "silence_s") && says(&partly, "coverage"), "six of ten report");
        assert!(says(&bowl(0.0, 90, 500.0, 0.5), "silence_s"));
    }

    #[test]
    fn it_judges_where_people_are_expected() {
        let mut stage = Stage::at(KICK_OFF);
        (stage.zone("bowl").expected, stage.zone("bowl").coverage) = (3, 0.0);
        stage.figures.coverage = 0.5;
        let exceeds = |stage: &Stage| stage.all(detect).iter().filter(|finding| finding.exceeds.is_some()).count();
        assert_eq!(exceeds(&stage), 0, "an empty place at night");
        stage.expect("bowl", 40.0, None);
        assert_eq!(exceeds(&stage), 1);
    }

    /// A place of a table, silent, with 60 persons usual in the slot, or none.
    fn silent_in_a_table(usual: f64, hours: Option<&str>) -> Vec<Option<Priority>> {
        let mut stage = Stage::at(KICK_OFF);
        let bowl = stage.site.zone("bowl");
        stage.site.venue.zones[bowl].kind = ZoneKind::Counted;
        for weekday in 0..7 {
            let hours = hours.map(|hours| crate::venue::opening::parse(hours).unwrap());
            hours.into_iter().for_each(|hours| stage.site.venue.opening.set(weekday, hours));
        }
        (stage.zone("bowl").expected, stage.zone("bowl").coverage, stage.zone("bowl").silent_for) = (1, 0.0, Span::from_mins(5));
        stage.figures.coverage = 0.5;
        stage.expect("bowl", 400.0, None);
        stage.outlooks[0].usual_last = Some(usual);
        stage.all(detect).into_iter().filter(|finding| finding.place.kind == PlaceKind::Zone).map(|finding| finding.exceeds).collect()
    }

    #[test]
    fn of_a_table_silence_counts_by_the_hours_or_by_the_slots_own_history() {
        assert_eq!(silent_in_a_table(60.0, None), [Some(Priority::Medium)]);
        assert_eq!(silent_in_a_table(2.0, None), [], "the forecast alone expects nobody at night, and the silence ends nothing either");
        assert_eq!(silent_in_a_table(2.0, Some("00:00-24:00")), [Some(Priority::Medium)]);
        assert_eq!(silent_in_a_table(60.0, Some("closed")), []);
    }

    #[test]
    fn when_everything_is_silent_the_whole_venue_is_blind() {
        let mut stage = Stage::at(KICK_OFF);
        (stage.zone("bowl").expected, stage.zone("bowl").coverage, stage.zone("bowl").occupancy) = (3, 0.0, exactly(4_000.0));
        let venue = |stage: &Stage| stage.all(detect).into_iter().find(|finding| finding.place.kind == PlaceKind::Venue).unwrap();
        stage.figures.coverage = 0.1;
        assert_eq!(venue(&stage).holds, None);
        stage.figures.coverage = 0.0;
        assert_eq!(venue(&stage).exceeds, Some(Priority::High));
    }

    #[test]
    fn a_zone_without_sensors_is_not_judged() {
        assert!(Stage::at(KICK_OFF).all(detect).is_empty());
    }
}

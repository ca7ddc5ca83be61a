//! ENTRY-ETA: will everybody be in before kick-off less the margin, at what the gates let through (crowd-science §2.5, Hillsborough, AFCON 2025)?
//!
//! Earlier than `entry_eta.from_s` before kick-off the plan alone decides: whether these lanes can let these people in as they are planned to come (Hillsborough was wrong
//! weeks before). From then on what is admitted and what is open decides, and until the deadline the probability alone, for a shortage of gates is known before the first queue stands.
//! Once the deadline has passed, anybody still missing would be late for certain, and some never come; so from then on, and before it when no more are
//! missing than may stay away or come late (`entry_eta.missing`), somebody must be seen waiting (a busy queue at
//! an entry gate that takes longer than `entry_eta.wait_s`; where no queue is counted, it ends with kick-off).

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::topology::{gate_profile, lead_zone};
use crate::crowd::{ApproachFigures, EntryFigures};
use crate::time::EventTime;
use crate::venue::{Profile, ZoneKind};

const MANNER: Manner =
    Manner { code: Code::EntryEta, headline: "alarm.entry_eta", would_clear: "clear.entry_eta", certainty: "likely", urgency: "expected", severity: "severe" };

/// One finding for the venue, as long as it has entry gates, and one for each approach with gates of its own.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(lead) = lead_zone(scene.venue).and_then(|lead| scene.venue.zones.get(lead.index())) else {
        return;
    };
    if !scene.venue.gates.iter().any(|gate| gate.entry) {
        return;
    }
    let place = match lead.kind {
        ZoneKind::Bowl => Place { kind: PlaceKind::Zone, id: lead.id.clone() },
        _ => Place { kind: PlaceKind::Venue, id: scene.venue.id.clone() },
    };
    let profile = profile_of(lead);
    findings.push(judge(scene, place, profile));
    for (approach, figures) in scene.venue.approaches.iter().zip(&scene.figures.approaches) {
        if approach.gates.is_empty() {
            continue;
        }
        let place = Place { kind: PlaceKind::Approach, id: approach.id.clone() };
        findings.push(match (scene.figures.entry.as_ref(), figures.p_late) {
            (Some(entry), Some(live)) => of_an_approach(scene, place, entry, live, figures, profile),
            // Without a match, and after it, nobody is late: an alarm that stands must end.
            _ => of(scene, place, 0.0, false, &[("p", 0.0)], profile),
        });
    }
}

/// Those of one approach and its own gates.
fn of_an_approach(scene: &Scene<'_>, place: Place, entry: &EntryFigures, live: f64, figures: &ApproachFigures, profile: &Profile) -> Finding {
    let is_planned = is_long_before(scene, entry, profile);
    let p = if is_planned { figures.p_planned.unwrap_or(0.0) } else { live };
    let mut finding = of(scene, place, p, is_planned || is_the_question(scene, entry, profile), &[("p", p)], profile);
    if finding.holds.is_some() {
        finding.evidence.extend(figures.planned.map(|share| scene.figure("approach_share", share, "1")));
        finding.evidence.push(scene.figure("admitted", figures.admitted as f64, "persons"));
        finding.evidence.extend(figures.capacity_per_min.map(|capacity| scene.figure("capacity_per_min", capacity, "persons/min")));
        if entry.p_after_deadline < p {
            finding.against.push(scene.figure("p_after_deadline_all", entry.p_after_deadline, "1"));
        }
    }
    finding
}

/// A finding by the probability of being late.
fn of(scene: &Scene<'_>, place: Place, p: f64, is_asked: bool, headline: &[(&'static str, f64)], profile: &Profile) -> Finding {
    let delays = (seconds(profile, "entry_eta.on_s"), seconds(profile, "entry_eta.off_s"));
    let deadband = profile.value("entry_eta.deadband");
    let steps = [(Priority::Medium, profile.value("entry_eta.p_medium")), (Priority::High, profile.value("entry_eta.p_high"))];
    let standing = if is_asked { Standing::of(steps, |limit, eased| p >= limit - if eased { deadband } else { 0.0 }) } else { Standing::QUIET };
    let mut finding = MANNER.finding(place, standing, delays, headline, &[("p", steps[0].1 - deadband)]);
    finding.evidence.push(scene.held("p_after_deadline", p, "1", standing.threshold(steps), profile));
    finding
}

fn judge(scene: &Scene<'_>, place: Place, profile: &Profile) -> Finding {
    let Some(entry) = scene.figures.entry.as_ref() else {
        let mut finding = of(scene, place, 0.0, false, &[], profile);
        finding.evidence.clear();
        return finding;
    };
    if is_long_before(scene, entry, profile) {
        let mut finding = of(scene, place, entry.p_planned, true, &[("p", entry.p_planned)], profile);
        if finding.holds.is_some() {
            finding.evidence.push(scene.figure("expected_persons", f64::from(entry.expected), "persons"));
            finding.evidence.push(scene.figure("capacity_per_min", entry.capacity_per_min, "persons/min"));
        }
        return finding;
    }
    let p = entry.p_after_deadline;
    let mut headline = vec![("p", p)];
    headline.extend(entry.eta.map(|eta| ("eta", eta.v)));
    let mut finding = of(scene, place, p, is_the_question(scene, entry, profile), &headline, profile);
    if finding.holds.is_some() {
        explain(scene, entry, profile, &mut finding);
    }
    finding
}

fn explain(scene: &Scene<'_>, entry: &EntryFigures, profile: &Profile, finding: &mut Finding) {
    let deadline = deadline(entry, profile).as_millis() as f64;
    if let Some(eta) = entry.eta {
        finding.evidence.push(scene.held("entry_eta", eta.v, "ms", deadline, profile));
        if eta.lo <= deadline {
            finding.against.push(scene.held("entry_eta", eta.lo, "ms", deadline, profile));
        }
    }
    finding.evidence.push(scene.figure("remaining_persons", f64::from(entry.expected.saturating_sub(entry.admitted)), "persons"));
    finding.evidence.push(scene.figure("capacity_per_min", entry.capacity_per_min, "persons/min"));
    finding.evidence.extend(entry.coming_late.map(|late| scene.figure("coming_late", late.v, "persons")));
    if is_anybody_waiting(scene, profile) == Some(false) {
        let waiting: f64 = queues(scene).map(|queue| queue.persons).sum();
        finding.against.push(scene.figure("queue", waiting, "persons"));
    }
}

/// Whether it is too early to judge by what has come.
fn is_long_before(scene: &Scene<'_>, entry: &EntryFigures, profile: &Profile) -> bool {
    entry.kick_off.since(scene.end) > seconds(profile, "entry_eta.from_s")
}

fn is_the_question(scene: &Scene<'_>, entry: &EntryFigures, profile: &Profile) -> bool {
    let missing = f64::from(entry.expected) - f64::from(entry.admitted);
    let are_many = missing > profile.value("entry_eta.missing") * f64::from(entry.expected);
    scene.end < deadline(entry, profile) && are_many || is_anybody_waiting(scene, profile).unwrap_or(scene.end < entry.kick_off)
}

fn deadline(entry: &EntryFigures, profile: &Profile) -> EventTime {
    entry.kick_off.before(seconds(profile, "entry_eta.margin_s"))
}

/// Whether the queue at any entry gate holds people up; `None` where none is counted.
fn is_anybody_waiting(scene: &Scene<'_>, profile: &Profile) -> Option<bool> {
    let patience_min = profile.value("entry_eta.wait_s") / 60.0;
    queues(scene).map(|queue| queue.persons >= queue.busy && queue.persons > patience_min * queue.per_min).reduce(|any, held| any || held)
}

/// The queue at an entry gate.
struct Queue {
    persons: f64,
    /// From how many on it is busy.
    busy: f64,
    /// What the gate lets through, persons/min.
    per_min: f64,
}

/// Those of the entry gates whose queue is counted.
fn queues<'a>(scene: &'a Scene<'a>) -> impl Iterator<Item = Queue> + 'a {
    let gates = scene.venue.gates.iter().zip(&scene.figures.gates).filter(|(gate, _)| gate.entry);
    gates.filter_map(|(gate, figures)| {
        let busy = gate_profile(scene.venue, gate)?.value("queue.busy_persons");
        Some(Queue { persons: figures.queue?.v, busy, per_min: figures.capacity_per_min })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Estimate;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use crate::time::Span;

    fn find(minutes_before: u64, p: f64, queue: Option<f64>) -> Finding {
        let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(minutes_before)));
        stage.figures.entry = Some(entry(stage.figures.end, p));
        stage.figures.gates[0].queue = queue.map(|v| Estimate { v, lo: v, hi: v });
        stage.only(detect)
    }

    fn entry(end: EventTime, p: f64) -> EntryFigures {
        let eta = Estimate { v: 1_907_862_500_000.0, lo: 1_907_862_000_000.0, hi: 1_907_863_000_000.0 };
        EntryFigures {
            end,
            kick_off: KICK_OFF,
            expected: 9_000,
            admitted: 4_000,
            capacity_per_min: 66.0,
            eta: Some(eta),
            p_planned: 0.02,
            is_complete: false,
            coming_late: None,
            p_after_deadline: p,
        }
    }

    #[test]
    fn it_judges_the_probability_of_being_late() {
        let cases = [(0.05, None, None), (0.39, None, None), (0.45, None, Some(Priority::Medium)), (0.5, Some(Priority::Medium), Some(Priority::Medium))];
        for (p, exceeds, holds) in cases {
            let finding = find(60, p, None);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, holds), "{p}");
        }
        let finding = find(60, 0.93, None);
        assert_eq!(finding.exceeds, Some(Priority::High));
        assert_eq!(&*finding.place.id, "bowl");
        assert_eq!((&*finding.evidence[0].what, finding.evidence[0].threshold), ("p_after_deadline", Some(0.9)));
        assert_eq!(finding.evidence[0].profile.as_deref(), Some("test/1"));
        assert_eq!(finding.headline.args["eta"], 1_907_862_500_000.0);
        assert_eq!(&*finding.against[0].what, "entry_eta", "the early end of the band is in time");
    }

    #[test]
    fn hours_before_the_plan_decides() {
        assert_eq!(find(241, 1.0, None).holds, None, "nobody is in, and nobody should be");
        assert_eq!(find(240, 1.0, None).exceeds, Some(Priority::High));
        let planned = |p_planned| {
            let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(500)));
            let figures = EntryFigures {
                end: stage.figures.end,
                kick_off: KICK_OFF,
                expected: 24_000,
                admitted: 0,
                capacity_per_min: 77.0,
                eta: None,
                p_planned,
                is_complete: false,
                coming_late: None,
                p_after_deadline: 1.0,
            };
            stage.figures.entry = Some(figures);
            stage.only(detect)
        };
        assert_eq!((planned(0.3).exceeds, planned(0.95).exceeds), (None, Some(Priority::High)));
        assert_eq!(&*planned(0.95).evidence[1].what, "expected_persons");
    }

    /// Hillsborough: one side's turnstiles, though all together would do.
    #[test]
    fn an_approach_with_gates_of_its_own_is_judged_by_them() {
        let late = |minutes: u64, p_late, p_planned| {
            let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(minutes)));
            let entry = EntryFigures {
                end: stage.figures.end,
                kick_off: KICK_OFF,
                expected: 9_000,
                admitted: 4_000,
                capacity_per_min: 66.0,
                eta: None,
                p_planned: 0.0,
                is_complete: false,
                coming_late: None,
                p_after_deadline: 0.1,
            };
            stage.figures.entry = Some(entry);
            let gates = vec![crate::venue::GateId(0)];
            stage.site.venue.approaches = vec![crate::venue::Approach { id: "west".into(), name: "West".into(), links: vec![], stops: vec![], gates }];
            let figures = crate::crowd::ApproachFigures { p_late: Some(p_late), p_planned: Some(p_planned), ..crate::detect::sample::approach() };
            stage.figures.approaches = vec![figures];
            stage.all(detect).into_iter().find(|finding| finding.place.kind == PlaceKind::Approach).unwrap()
        };
        assert_eq!((late(60, 0.3, 0.0).exceeds, late(60, 0.95, 0.0).exceeds), (None, Some(Priority::High)));
        assert_eq!((late(500, 0.95, 0.1).exceeds, late(500, 0.1, 0.95).exceeds), (None, Some(Priority::High)));
        assert_eq!(&*late(60, 0.95, 0.0).against[0].what, "p_after_deadline_all");
    }

    #[test]
    fn after_the_deadline_somebody_must_be_waiting() {
        assert_eq!(find(10, 1.0, Some(5.0)).holds, None, "those who are missing have not come");
        assert_eq!(find(10, 1.0, Some(100.0)).holds, None, "a hundred are through in two minutes and a half");
        assert_eq!(find(10, 1.0, Some(800.0)).exceeds, Some(Priority::High), "a mass of fans before the gates");
        assert_eq!(find(10, 1.0, None).exceeds, Some(Priority::High));
        assert_eq!(find(0, 1.0, None).holds, None, "nobody counts the queues: it ends with kick-off");
    }

    /// 9,000 are expected, of whom 15 % may stay away or come late.
    #[test]
    fn shortly_before_the_deadline_a_few_who_are_missing_have_not_come() {
        let find = |admitted: u32, queue: Option<f64>| {
            let mut stage = Stage::at(KICK_OFF.before(Span::from_mins(17)));
            stage.figures.entry = Some(EntryFigures { admitted, ..entry(stage.figures.end, 0.95) });
            stage.figures.gates[0].queue = queue.map(|v| Estimate { v, lo: v, hi: v });
            stage.only(detect).exceeds
        };
        assert_eq!((find(7_700, Some(3.0)), find(7_700, Some(800.0))), (None, Some(Priority::High)));
        assert_eq!((find(7_600, Some(3.0)), find(7_700, None)), (Some(Priority::High), Some(Priority::High)), "many are missing; nobody counts the queue");
    }

    #[test]
    fn after_the_final_whistle_it_says_no() {
        let finding = Stage::at(KICK_OFF).only(detect);
        assert_eq!((finding.exceeds, finding.holds), (None, None));
    }
}

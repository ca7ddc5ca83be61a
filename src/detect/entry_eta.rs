//! ENTRY-ETA: will everybody be in before kick-off less the margin, at what the gates let through (crowd-science §2.5, Hillsborough, AFCON 2025)?
//!
//! It is judged from `entry_eta.from_s` before kick-off on. Before the deadline the probability alone decides, for a shortage of gates is known before the first queue stands.
//! Once the deadline has passed, anybody still missing would be late for certain, and some never come; so from then on somebody must be seen waiting (a busy queue
//! at an entry gate; where no queue is counted, it ends with kick-off).

use super::finding::{Code, Finding, Place, PlaceKind, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::EntryFigures;
use crate::crowd::topology::{gate_profile, lead_zone};
use crate::time::EventTime;
use crate::venue::{Profile, ZoneKind};

const MANNER: Manner =
    Manner { code: Code::EntryEta, headline: "alarm.entry_eta", would_clear: "clear.entry_eta", certainty: "likely", urgency: "expected", severity: "severe" };

/// One finding for the venue, as long as it has entry gates.
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
    findings.push(judge(scene, place, profile_of(lead)));
}

fn judge(scene: &Scene<'_>, place: Place, profile: &Profile) -> Finding {
    let delays = (seconds(profile, "entry_eta.on_s"), seconds(profile, "entry_eta.off_s"));
    let deadband = profile.value("entry_eta.deadband");
    let steps = [(Priority::Medium, profile.value("entry_eta.p_medium")), (Priority::High, profile.value("entry_eta.p_high"))];
    let clear = [("p", steps[0].1 - deadband)];
    let Some(entry) = scene.figures.entry.as_ref() else {
        return MANNER.finding(place, Standing::QUIET, delays, &[], &clear);
    };
    let p = entry.p_after_deadline;
    let standing = match is_the_question(scene, entry, profile) {
        true => Standing::of(steps, |limit, eased| p >= limit - if eased { deadband } else { 0.0 }),
        false => Standing::QUIET,
    };
    let mut headline = vec![("p", p)];
    headline.extend(entry.eta.map(|eta| ("eta", eta.v)));
    let mut finding = MANNER.finding(place, standing, delays, &headline, &clear);
    finding.evidence.push(scene.held("p_after_deadline", p, "1", standing.threshold(steps), profile));
    if !standing.is_quiet() {
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
    if is_anybody_waiting(scene) == Some(false) {
        let waiting: f64 = queues(scene).map(|(persons, _)| persons).sum();
        finding.against.push(scene.figure("queue", waiting, "persons"));
    }
}

fn is_the_question(scene: &Scene<'_>, entry: &EntryFigures, profile: &Profile) -> bool {
    if entry.kick_off.since(scene.end) > seconds(profile, "entry_eta.from_s") {
        return false;
    }
    scene.end < deadline(entry, profile) || is_anybody_waiting(scene).unwrap_or(scene.end < entry.kick_off)
}

fn deadline(entry: &EntryFigures, profile: &Profile) -> EventTime {
    entry.kick_off.before(seconds(profile, "entry_eta.margin_s"))
}

/// Whether the queue at any entry gate is busy; `None` where none is counted.
fn is_anybody_waiting(scene: &Scene<'_>) -> Option<bool> {
    queues(scene).map(|(persons, busy)| persons >= busy).reduce(|any, busy| any || busy)
}

/// Persons queueing at each entry gate whose queue is counted, and from how many on it is busy.
fn queues<'a>(scene: &'a Scene<'a>) -> impl Iterator<Item = (f64, f64)> + 'a {
    let gates = scene.venue.gates.iter().zip(&scene.figures.gates).filter(|(gate, _)| gate.entry);
    gates.filter_map(|(gate, figures)| Some((figures.queue?.v, gate_profile(scene.venue, gate)?.value("queue.busy_persons"))))
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
        let eta = Estimate { v: 1_907_862_500_000.0, lo: 1_907_862_000_000.0, hi: 1_907_863_000_000.0 };
        let entry = EntryFigures { kick_off: KICK_OFF, expected: 9_000, admitted: 4_000, capacity_per_min: 66.0, eta: Some(eta), p_after_deadline: p };
        stage.figures.entry = Some(entry);
        stage.figures.gates[0].queue = queue.map(|v| Estimate { v, lo: v, hi: v });
        stage.only(detect)
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
    fn hours_before_it_is_not_the_question() {
        assert_eq!(find(241, 1.0, None).holds, None);
        assert_eq!(find(240, 1.0, None).exceeds, Some(Priority::High));
    }

    #[test]
    fn after_the_deadline_somebody_must_be_waiting() {
        assert_eq!(find(10, 1.0, Some(5.0)).holds, None, "those who are missing have not come");
        assert_eq!(find(10, 1.0, Some(800.0)).exceeds, Some(Priority::High), "a mass of fans before the gates");
        assert_eq!(find(10, 1.0, None).exceeds, Some(Priority::High));
        assert_eq!(find(0, 1.0, None).holds, None, "nobody counts the queues: it ends with kick-off");
    }

    #[test]
    fn after_the_final_whistle_it_says_no() {
        let finding = Stage::at(KICK_OFF).only(detect);
        assert_eq!((finding.exceeds, finding.holds), (None, None));
    }
}

//! What is wrong with a plan before anybody comes: too many tickets, too few lanes, too few exits.
//!
//! The idea: no second set of rules. The picture of a pane half a day before kick-off, in which nobody has come, is shown to the very detectors that judge the night; of what
//! they find the planning findings are those that need nothing but the plan.

use super::finding::{Code, Finding};
use super::{DETECTORS, ModelsSeen, Scene};
use crate::crowd::{CrowdState, Topology};
use crate::time::Span;
use crate::venue::{Match, Venue, World};
use crate::window::PaneContent;

/// The codes that a plan alone can raise.
pub const CODES: [Code; 3] = [Code::CapSold, Code::EntryEta, Code::ExitPlan];

/// So long before kick-off a plan is looked at: within the night of its match, and before anybody should be there.
const BEFORE: Span = Span::from_mins(11 * 60);

/// A finding of a plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The venue.
    pub venue: Box<str>,
    /// The match.
    pub match_id: Box<str>,
    /// What is wrong.
    pub finding: Finding,
}

/// What is wrong with the plans of all matches of the calendar.
pub fn planning(world: &World) -> Vec<Planned> {
    let matches = world.venues.iter().flat_map(Venue::match_days);
    let planned = matches.flat_map(|(venue, game)| {
        let name = |finding| Planned { venue: venue.id.clone(), match_id: game.id.clone(), finding };
        of_match(venue, game).into_iter().map(name)
    });
    planned.collect()
}

/// What is wrong with the plan of one match.
pub fn of_match(venue: &Venue, game: &Match) -> Vec<Finding> {
    // The match alone: another one on the eve must not be taken for it.
    let venue = Venue { matches: vec![game.clone()], ..venue.clone() };
    let topology = Topology::new(&venue);
    let end = venue.pane.end_of(game.kick_off.before(BEFORE));
    let figures = CrowdState::new(&venue, &topology).close(&venue, &topology, end, &PaneContent::new(&venue), Vec::new());
    let scene = Scene {
        venue: &venue,
        figures: &figures,
        outlooks: &[],
        of_all: None,
        models: ModelsSeen::default(),
        clocks: &[],
        pane_start: venue.pane.start(end),
        end,
    };
    let mut findings = Vec::new();
    for (code, detector) in DETECTORS {
        if CODES.contains(code) {
            detector(&scene, &mut findings);
        }
    }
    findings.retain(|finding| finding.exceeds.is_some());
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{Site, site};

    fn codes(site: &Site) -> Vec<Code> {
        of_match(&site.venue, &site.venue.matches[0]).iter().map(|finding| finding.code).collect()
    }

    /// 9,000 for 66 persons/min, the bowl holds 10,000.
    fn planned(curve: &[(i64, f64)], sold: u32) -> Site {
        let mut site = site();
        let bowl = site.zone("bowl");
        site.venue.matches[0].plan.arrival_curve = curve.iter().map(|(min, share)| (min * 60_000, *share)).collect();
        site.venue.matches[0].plan.tickets = vec![(bowl.into(), sold)];
        site
    }

    #[test]
    fn a_sound_plan_raises_nothing() {
        assert!(codes(&planned(&[(-240, 0.0), (-15, 1.0)], 9_000)).is_empty());
    }

    #[test]
    fn too_few_lanes_and_too_many_tickets_are_known_at_the_desk() {
        assert_eq!(codes(&planned(&[(-120, 0.0), (-15, 1.0)], 9_000)), [Code::EntryEta]);
        assert_eq!(codes(&planned(&[(-240, 0.0), (-15, 1.0)], 10_200)), [Code::CapSold]);
    }
}

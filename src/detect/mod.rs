//! Detectors: picture, forecast and scores of one pane → findings with evidence. No detector keeps state; what lasts is the alarm's business.
//!
//! The idea: a detector speaks of every place that it can judge, "no" as well as "yes", and is silent where it cannot tell. A "no" carries its leading figure only; a
//! "yes" everything that speaks for it and against it.
//!
//! - [`finding`]: what a detector says about one place and one pane; [`args`]: the arguments of its sentences; [`scene`]: what it is shown.
//! - [`planning`]: what is wrong with a plan before anybody comes.
//! - One file per detector, one row each in [`DETECTORS`].

mod anomaly;
pub mod args;
mod blind;
mod breach;
mod call_cluster;
mod cap_occ;
mod cap_sold;
pub mod clock;
mod counter;
mod dens;
mod egress_transit;
mod entry_eta;
mod exit_plan;
pub mod finding;
mod flow_break;
mod heat;
mod model_off;
mod plan_split;
pub mod planning;
mod presence;
mod queue_spill;
#[cfg(test)]
pub(crate) mod sample;
mod scan_mix;
pub mod scene;
mod sibling;
mod turb;

use crate::crowd::Phase;
use crate::time::Span;
use crate::venue::roll::there;
use crate::venue::{Feed, LinkId, Measures, Source, Venue, ZoneId};
use std::collections::BTreeSet;

pub use clock::WrongClock;
pub use finding::{Code, Evidence, Finding, Message, Place, PlaceKind, Priority};
pub use scene::{ModelsSeen, Scene};

/// A detector: adds what it finds in the scene.
pub type Detector = fn(&Scene<'_>, &mut Vec<Finding>);

/// The detectors, in the order in which their findings come.
pub const DETECTORS: &[(Code, Detector)] = &[
    (Code::PlanSplit, plan_split::detect),
    (Code::Presence, presence::detect),
    (Code::EntryEta, entry_eta::detect),
    (Code::CapSold, cap_sold::detect),
    (Code::CapOcc, cap_occ::detect),
    (Code::Sibling, sibling::detect),
    (Code::ExitPlan, exit_plan::detect),
    (Code::Breach, breach::detect),
    (Code::ScanMix, scan_mix::detect),
    (Code::CallCluster, call_cluster::detect),
    (Code::EgressTransit, egress_transit::detect),
    (Code::Heat, heat::detect),
    (Code::ModelOff, model_off::detect),
    (Code::Dens, dens::detect),
    (Code::FlowBreak, flow_break::detect),
    (Code::Turb, turb::detect),
    (Code::Counter, counter::detect),
    (Code::QueueSpill, queue_spill::detect),
    (Code::Blind, blind::detect),
    (Code::Anomaly, anomaly::detect),
    (Code::Clock, clock::detect),
];

/// The codes of urgency Immediate, which are judged on fast panes too. BLIND is not among them: it speaks of silence, which is told in the intervals of the sensors.
pub const FAST: [Code; 7] = [Code::ExitPlan, Code::Breach, Code::CallCluster, Code::Dens, Code::FlowBreak, Code::Turb, Code::Counter];

/// What the detectors of [`FAST`] find in one fast pane. What it does not know enough to judge is left to the pane:
///
/// - before the match EXIT-PLAN, which is about the plan then;
/// - gates where tickets are read as of later than counts, or come from a slow source (`Venue::is_quick`);
/// - where fast panes run ahead of panes: places of which a sensor of another source tells too, unless cameras see them, and calls if they may come from a slow one.
pub fn detect_fast(scene: &Scene<'_>) -> Vec<Finding> {
    let is_planned = |code: Code| code == Code::ExitPlan && scene.figures.night.is_some() && scene.figures.phase == Phase::Before;
    let mut findings = Vec::new();
    for (_, detector) in DETECTORS.iter().filter(|(code, _)| FAST.contains(code) && !is_planned(*code)) {
        detector(scene, &mut findings);
    }
    let sources = || there(&scene.venue.sources, &scene.venue.absent.sources);
    let are_quick = |feed: Feed| sources().filter(|source| source.feed == feed).all(|source| scene.venue.is_quick(source));
    let are_tickets_quick = are_quick(Feed::Ticketing);
    findings.retain(|finding| finding.code != Code::Breach || finding.place.kind != PlaceKind::Gate || are_tickets_quick);
    if scene.venue.lead() > Span::ZERO {
        let is_slow = |source: &Source| source.feed == Feed::Sensors && source.is_live() && !scene.venue.is_quick(source);
        let are_calls_slow = sources().any(is_slow);
        let slow = SlowPlaces::of(scene.venue);
        findings.retain(|finding| match finding.code {
            Code::CallCluster => !are_calls_slow,
            _ => is_seen(scene, finding) || !slow.contains(scene.venue, &finding.place),
        });
    }
    findings
}

/// Places of which a sensor tells that feeds no fast pane.
#[derive(Default)]
struct SlowPlaces {
    zones: BTreeSet<ZoneId>,
    links: BTreeSet<LinkId>,
    /// Whether it tells of a door.
    doors: bool,
}

impl SlowPlaces {
    fn of(venue: &Venue) -> Self {
        let mut slow = Self::default();
        for sensor in venue.sensors.iter().filter(|sensor| !venue.is_quick(&venue.sources[sensor.source.index()])) {
            let link = match sensor.measures {
                Measures::Zone(zone) => {
                    slow.zones.insert(zone);
                    continue;
                }
                Measures::Nothing => continue,
                Measures::Gate(gate) => venue.gates[gate.index()].link,
                Measures::Link { link, .. } | Measures::Door(link) => link,
            };
            slow.doors |= matches!(sensor.measures, Measures::Door(_));
            let of = &venue.links[link.index()];
            slow.links.insert(link);
            slow.zones.extend(of.from.into_iter().chain(of.to).chain(of.exit.map(|exit| exit.of)));
        }
        slow
    }

    fn contains(&self, venue: &Venue, place: &Place) -> bool {
        match place.kind {
            PlaceKind::Zone => venue.find_zone(&place.id).is_none_or(|zone| self.zones.contains(&zone)),
            PlaceKind::Gate => venue.find_gate(&place.id).is_none_or(|gate| self.links.contains(&venue.gates[gate.index()].link)),
            // Of the venue its doors are judged.
            _ => self.doors,
        }
    }
}

/// Whether a finding of [`detect_fast`] rests on what cameras saw of the fast pane, and not on what is counted on.
pub fn is_seen(scene: &Scene<'_>, finding: &Finding) -> bool {
    let is_counted = |zone: ZoneId| {
        let has_area = scene.venue.zones[zone.index()].area_m2.is_some_and(|area| area > 0.0);
        has_area && scene.figures.zones.get(zone.index()).is_some_and(|figures| figures.occupancy.is_some())
    };
    match finding.code {
        Code::FlowBreak | Code::Turb | Code::Counter => true,
        Code::Dens => scene.venue.find_zone(&finding.place.id).is_some_and(|zone| !is_counted(zone)),
        _ => false,
    }
}

/// Everything that all detectors find in one pane.
pub fn detect(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (_, detector) in DETECTORS {
        detector(scene, &mut findings);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{count, site, stadium};
    use std::collections::BTreeSet;

    #[test]
    fn a_place_is_judged_once_by_each_detector_and_holds_at_least_what_it_exceeds() {
        let site = site();
        let mut state = site.state();
        for n in 1..200 {
            let figures = site.close(&mut state, n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(40, 0));
                pane.add_count(site.sensor("gate-a"), &count(8, 0));
            });
            let findings = detect(&Scene {
                venue: &site.venue,
                figures: &figures,
                outlooks: &[],
                of_all: None,
                models: ModelsSeen::default(),
                clocks: &[],
                pane_start: site.end(n - 1),
                end: site.end(n),
            });
            let places: BTreeSet<_> = findings.iter().map(|finding| (finding.code, &finding.place)).collect();
            assert_eq!(places.len(), findings.len());
            assert!(findings.iter().all(|finding| finding.holds >= finding.exceeds && !finding.headline.key.is_empty()));
            let spills = findings.iter().any(|finding| finding.code == Code::QueueSpill && finding.exceeds.is_some());
            assert!(spills, "192 a minute more come than pass: 100 m² hold out for little more than a minute");
        }
    }

    #[test]
    fn every_code_stands_in_the_list_once() {
        let codes: BTreeSet<Code> = DETECTORS.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), DETECTORS.len());
    }

    #[test]
    #[ignore = "measures time"]
    #[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
    fn measure_the_detectors_over_a_thousand_zones() {
        let site = stadium(1_000);
        let figures = site.close(&mut site.state(), 1, |pane| pane.counts.iter_mut().for_each(|count| (count.inwards, count.reports) = (3, 1)));
        let scene = Scene {
            venue: &site.venue,
            figures: &figures,
            outlooks: &[],
            of_all: None,
            models: ModelsSeen::default(),
            clocks: &[],
            pane_start: site.end(0),
            end: site.end(1),
        };
        let start = std::time::Instant::now();
        let times = 200;
        let found: usize = (0..times).map(|_| detect(&scene).len()).sum();
        println!("{} findings: {:?} per pane", found / times, start.elapsed() / times as u32);
    }
}

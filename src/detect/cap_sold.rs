//! CAP-SOLD: more tickets than a section may safely hold (Kanjuruhan 2022: 42,516 for 38,054). Known at the desk, days before; said until the match is over.

use super::finding::{Code, Finding, Priority};
use super::scene::{Manner, Scene, Standing, profile_of, seconds};
use crate::crowd::Phase;

const MANNER: Manner =
    Manner { code: Code::CapSold, headline: "alarm.cap_sold", would_clear: "clear.cap_sold", certainty: "observed", urgency: "future", severity: "severe" };

/// One finding per section whose tickets and capacity are known.
pub(super) fn detect(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for (section, sold) in &scene.figures.sold {
        let Some(zone) = scene.venue.zones.get(section.index()) else {
            continue;
        };
        let Some(capacity) = zone.final_capacity().filter(|capacity| *capacity > 0) else {
            continue;
        };
        let profile = profile_of(zone);
        let limit = profile.value("cap_sold.share");
        let (sold, capacity) = (f64::from(*sold), f64::from(capacity));
        let share = sold / capacity;
        let is_over = share > limit && scene.figures.phase != Phase::After;
        let standing = Standing { exceeds: is_over.then_some(Priority::High), holds: is_over.then_some(Priority::High) };
        let delays = (seconds(profile, "cap_sold.on_s"), seconds(profile, "cap_sold.off_s"));
        let headline = [("sold", sold), ("capacity", capacity)];
        let mut finding = MANNER.finding(scene.zone(section.index()), standing, delays, &headline, &[("capacity", capacity * limit)]);
        finding.evidence.push(scene.held("sold_share", share, "1", limit, profile));
        if is_over {
            finding.evidence.push(scene.held("sold", sold, "persons", capacity, profile));
            let parts = zone.section.safe.as_ref().map(|safe| safe.parts().into_iter().filter_map(|(name, persons)| Some((name, persons?))));
            finding.evidence.extend(parts.into_iter().flatten().map(|(name, persons)| scene.figure(of_part(name), persons, "persons")));
        }
        findings.push(finding);
    }
}

/// The figure of a part of the safe capacity.
fn of_part(name: &str) -> &'static str {
    match name {
        "entry" => "capacity_entry",
        "holding" => "capacity_holding",
        "exit" => "capacity_exit",
        _ => "capacity_emergency",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::KICK_OFF;
    use crate::detect::sample::Stage;
    use crate::venue::ZoneId;
    use crate::venue::section::{Holding, SafeCapacity};

    fn find(sold: u32, phase: Phase, safe: Option<u32>) -> Finding {
        let mut stage = Stage::at(KICK_OFF);
        let bowl = stage.site.zone("bowl");
        let holding = safe.map(|seats| Holding { seats, standing: 0.0, factor: 1.0 });
        stage.site.venue.zones[bowl].section.safe = holding.map(|holding| SafeCapacity { holding: Some(holding), ..SafeCapacity::default() });
        (stage.figures.sold, stage.figures.phase) = (vec![(ZoneId::from(bowl), sold)], phase);
        stage.only(detect)
    }

    /// The sample's bowl is said to hold 10,000.
    #[test]
    fn it_judges_tickets_against_the_capacity() {
        for (sold, exceeds) in [(5_000, None), (10_000, None), (10_001, Some(Priority::High))] {
            let finding = find(sold, Phase::Before, None);
            assert_eq!((finding.exceeds, finding.holds), (exceeds, exceeds), "{sold}");
        }
        assert_eq!(find(11_000, Phase::After, None).holds, None, "it is over");
    }

    #[test]
    fn the_computed_capacity_counts_where_it_is_less_and_is_shown() {
        let finding = find(9_500, Phase::Before, Some(9_000));
        assert_eq!(finding.exceeds, Some(Priority::High));
        let shown: Vec<(&str, f64)> = finding.evidence.iter().map(|evidence| (&*evidence.what, libm::round(evidence.value))).collect();
        assert_eq!(shown, [("sold_share", 1.0), ("sold", 9_500.0), ("capacity_holding", 9_000.0)]);
        assert_eq!(finding.would_clear.args["capacity"], 9_000.0);
    }

    #[test]
    fn when_tickets_are_taken_back_it_is_over() {
        assert_eq!(find(9_000, Phase::Before, Some(9_000)).holds, None);
    }

    #[test]
    fn where_no_tickets_are_told_it_cannot_tell() {
        assert!(Stage::at(KICK_OFF).all(detect).is_empty());
    }
}

//! How many can be in the seats at all: the head count that follows from the flows is bounded by who is expected.
//!
//! The idea: flows are forecast each for itself, and around kick-off each may be a little high; summed up over an hour they fill a bowl with people who do not exist. Who is expected
//! at the match (or has a ticket for the section, if those are fewer) is known with its own spread, N ± `sigma.attendance`, and each quantile of the heads is held at the same
//! quantile of that. The flows stay as they are forecast. Heads that have passed what was expected, beyond both bands, have proven it wrong, and are not bounded.

use super::assembly::{Z90, quantised};
use super::outlook::Outlooks;
use crate::crowd::{Estimate, VenueFigures};
use crate::venue::{Venue, ZoneId, ZoneKind};

/// Holds the heads of bowls and stands at who is expected tonight.
pub fn bound(outlooks: &mut Outlooks, venue: &Venue, figures: &VenueFigures) {
    let Some(expected) = figures.night.as_ref().and_then(|night| night.expected).filter(|persons| *persons > 0) else { return };
    for outlook in &mut outlooks.occupancy {
        let Some(zone) = venue.zones.get(outlook.zone.index()).filter(|zone| matches!(zone.kind, ZoneKind::Bowl | ZoneKind::Stand)) else { continue };
        let persons = f64::from(sold(figures, outlook.zone).map_or(expected, |sold| sold.min(expected)));
        let sigma = persons * zone.profile.value("sigma.attendance");
        let most = Estimate::normal(persons, sigma);
        let is_passed = figures.zones.get(outlook.zone.index()).and_then(|zone| zone.occupancy).is_some_and(|now| now.lo > most.hi);
        if is_passed || !sigma.is_finite() {
            continue;
        }
        for horizon in &mut outlook.horizons {
            horizon.q10 = quantised(horizon.q10.min((persons - Z90 * sigma).max(0.0)));
            horizon.q50 = quantised(horizon.q50.min(persons));
            horizon.q90 = quantised(horizon.q90.min(persons + Z90 * sigma));
        }
    }
}

fn sold(figures: &VenueFigures, zone: ZoneId) -> Option<u32> {
    figures.sold.iter().find(|(section, _)| *section == zone).map(|(_, persons)| *persons).filter(|persons| *persons > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, count, site};
    use crate::forecast::outlook::{Horizon, OccupancyOutlook};
    use crate::time::Span;

    /// Nine thousand are expected at the site's match, ± 2 %.
    fn bounded(zone: &str, in_it: u32, [q10, q50, q90]: [f64; 3]) -> [f64; 3] {
        let site = site();
        let figures =
            site.close(&mut site.state(), site.panes_to(KICK_OFF.before(Span::from_mins(7))), |pane| pane.add_count(site.sensor("gate-a"), &count(in_it, 0)));
        let horizons = vec![Horizon { h_s: 1_800, q10, q50, q90, expected: q50 }];
        let occupancy = vec![OccupancyOutlook { zone: site.zone(zone).into(), horizons, by_model: true }];
        let mut outlooks = Outlooks { issued: figures.end, series: Vec::new(), occupancy, of_all: None };
        bound(&mut outlooks, &site.venue, &figures);
        let Horizon { q10, q50, q90, .. } = outlooks.occupancy[0].horizons[0];
        [q10, q50, q90]
    }

    #[test]
    fn a_bowl_does_not_fill_with_people_who_do_not_exist() {
        let spread = Z90 * 180.0;
        let held = bounded("bowl", 7_000, [9_400.0, 9_800.0, 10_200.0]);
        assert_eq!(held, [9_000.0 - spread, 9_000.0, 9_000.0 + spread].map(quantised));
        assert_eq!(bounded("bowl", 7_000, [7_000.0, 7_500.0, 9_900.0]), [7_000.0, 7_500.0, quantised(9_000.0 + spread)], "each quantile by itself");
        assert_eq!(bounded("bowl", 7_000, [7_000.0, 7_500.0, 8_000.0]), [7_000.0, 7_500.0, 8_000.0]);
    }

    #[test]
    fn where_more_are_in_than_were_expected_the_expectation_bounds_nothing() {
        assert_eq!(bounded("bowl", 10_500, [10_900.0, 11_000.0, 11_100.0]), [10_900.0, 11_000.0, 11_100.0]);
    }

    #[test]
    fn a_forecourt_is_bounded_by_nobody() {
        assert_eq!(bounded("forecourt", 7_000, [9_400.0, 9_800.0, 10_200.0]), [9_400.0, 9_800.0, 10_200.0]);
    }
}

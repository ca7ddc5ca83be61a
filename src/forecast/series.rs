//! Which series a venue has: the rows of the models' tensors, in an order that only its configuration decides.
//!
//! The idea: a zone is forecast as what its counters can tell. Counters on links (and gates) between zones know a direction, so the zones on both sides have a series
//! in and a series out. A link from a zone to itself is a passage *within* it: who crosses it is in no other zone afterwards, so its counter has no direction, and
//! the zone has one undirected series. A zone may have both kinds.
//! A link whose counter tells one direction only (`one_way`) makes a series of that direction on each side and none of the other.

use super::outlook::{Series, SeriesKind};
use crate::crowd::ZoneFigures;
use crate::time::Span;
use crate::venue::model::Measures;
use crate::venue::{Link, Venue, ZoneId};

/// The series of a venue: by zone, and within it `In`, `Out`, `Count`.
pub fn of(venue: &Venue) -> Vec<Series> {
    let counted = counted_links(venue);
    let mut series = Vec::new();
    for (index, _) in venue.zones.iter().enumerate() {
        let zone = ZoneId::from(index);
        let (leads_here, leads_away) = (|link: &&Link| link.to == Some(zone), |link: &&Link| link.from == Some(zone));
        let across = |link: &&&Link| link.from != link.to;
        let tells = |kind: SeriesKind| match kind {
            SeriesKind::In => counted.iter().filter(across).any(|link| leads_here(link) || leads_away(link) && !link.one_way),
            SeriesKind::Out => counted.iter().filter(across).any(|link| leads_away(link) || leads_here(link) && !link.one_way),
            SeriesKind::Count => counted.iter().any(|link| leads_here(link) && leads_away(link)),
        };
        let kinds = [SeriesKind::In, SeriesKind::Out, SeriesKind::Count];
        series.extend(kinds.into_iter().filter(|kind| tells(*kind)).map(|kind| Series { zone, kind }));
    }
    series
}

/// The links that somebody counts at: those with a counter, and those of the gates, whose scans count.
fn counted_links(venue: &Venue) -> Vec<&Link> {
    let by_sensor = venue.sensors.iter().filter_map(|sensor| match sensor.measures {
        Measures::Link { link, .. } => Some(link),
        Measures::Zone(_) | Measures::Gate(_) | Measures::Door(_) | Measures::Nothing => None,
    });
    let mut ids: Vec<_> = by_sensor.chain(venue.gates.iter().map(|gate| gate.link)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().filter_map(|id| venue.links.get(id.index())).collect()
}

/// Reads each series' count of one pane off the crowd picture into `counts`. A zone whose sensors were all silent in the pane has a gap, not a zero.
pub fn read(series: &[Series], zones: &[ZoneFigures], counts: &mut Vec<Option<u32>>) {
    counts.clear();
    counts.extend(series.iter().map(|series| {
        let zone = zones.get(series.zone.index())?;
        let heard = zone.expected == 0 || zone.silent_for == Span::ZERO;
        heard.then_some(match series.kind {
            SeriesKind::In => zone.inwards,
            SeriesKind::Out => zone.outwards,
            SeriesKind::Count => zone.undirected,
        })
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::sample;

    #[test]
    fn a_zone_is_forecast_as_its_counters_can_tell() {
        let venue = sample::venue();
        let kinds: Vec<(u32, SeriesKind)> = of(&venue).iter().map(|series| (series.zone.0, series.kind)).collect();
        assert_eq!(kinds, [(0, SeriesKind::In), (0, SeriesKind::Out), (1, SeriesKind::In), (1, SeriesKind::Out), (2, SeriesKind::Count)]);
    }

    #[test]
    fn what_a_one_way_counter_cannot_tell_is_no_series() {
        let mut venue = sample::venue();
        venue.links.iter_mut().for_each(|link| link.one_way = true);
        let kinds: Vec<(u32, SeriesKind)> = of(&venue).iter().map(|series| (series.zone.0, series.kind)).collect();
        assert_eq!(kinds, [(0, SeriesKind::In), (1, SeriesKind::Out), (2, SeriesKind::Count)], "the gate leads from the forecourt into the bowl");
    }

    #[test]
    fn a_silent_zone_has_a_gap_and_a_quiet_one_a_zero() {
        let venue = sample::venue();
        let mut zones = vec![sample::zone_figures(); venue.zones.len()];
        zones[0].inwards = 7;
        zones[1].silent_for = Span::from_secs(10);
        let mut counts = Vec::new();
        read(&of(&venue), &zones, &mut counts);
        assert_eq!(counts, [Some(7), Some(0), None, None, Some(0)]);
    }
}

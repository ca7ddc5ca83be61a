//! What must fit together across the parts of a venue, and what follows from it.

use super::fields::Fields;
use crate::venue::{Feed, LinkId, Measures, Shape, Venue, ZoneId};
use std::collections::BTreeSet;

/// Whether every link at the zone of that position is counted, by a sensor or by the scans of a gate: only then does a mass balance make sense.
pub(super) fn is_counted_all_round(venue: &Venue, zone: usize) -> bool {
    let zone = Some(ZoneId::from(zone));
    let has_scans = venue.sources.iter().any(|source| source.feed == Feed::Ticketing);
    let is_counted = |link: LinkId| {
        let by_sensor = venue.sensors.iter().any(|sensor| matches!(sensor.measures, Measures::Link { link: of, .. } if of == link));
        by_sensor || (has_scans && venue.gates.iter().any(|gate| gate.link == link))
    };
    let mut links = venue.links.iter().enumerate().filter(|(_, link)| link.from == zone || link.to == zone).map(|(index, _)| LinkId::from(index)).peekable();
    links.peek().is_some() && links.all(is_counted)
}

/// Each perimeter must lie within the one before it, as far as their shapes tell.
pub(super) fn perimeters_nest(lists: &[Fields<'_, '_>], venue: &Venue) {
    for (pair, fields) in venue.perimeters.windows(2).zip(lists.iter().skip(1)) {
        if let (Some(outer), Some(inner)) = (pair[0].kind, pair[1].kind)
            && outer >= inner
        {
            fields.fault_in("kind", &format!("does not lie within that of perimeter \"{}\"; the order is last_mile, outer, inner, bowl", pair[0].id));
        }
        let (Some(outer), Some(inner)) = (&pair[0].shape, &pair[1].shape) else {
            continue;
        };
        if !lies_within(&bounds(inner), &bounds(outer)) {
            fields.fault_in("shape", &format!("does not lie within perimeter \"{}\"; perimeters stand outermost first", pair[0].id));
        }
    }
}

/// Two gates on one link would count the same people twice.
pub(super) fn gates_have_a_link_each(list: &[Fields<'_, '_>], venue: &Venue) {
    let mut taken = BTreeSet::new();
    for (gate, fields) in venue.gates.iter().zip(list) {
        if fields.find("link").is_some() && !taken.insert(gate.link) {
            fields.fault_in("link", "is the link of another gate too");
        }
    }
}

/// A match has one id in the whole world.
pub(super) fn unique_matches(venue: &Fields<'_, '_>, seen: &mut BTreeSet<String>) {
    for fields in venue.tables("matches", "match") {
        if fields.text("id").is_some_and(|id| !seen.insert(id.to_owned())) {
            fields.fault_in("id", "is the id of another match too");
        }
    }
}

/// Left, top, right, bottom.
type Bounds = [f64; 4];

fn bounds(shape: &Shape) -> Bounds {
    match shape {
        Shape::Arc { cx, cy, rx1, ry1, .. } => [cx - rx1, cy - ry1, cx + rx1, cy + ry1],
        Shape::Box { x, y, w, h } => [*x, *y, x + w, y + h],
        Shape::Ellipse { cx, cy, rx, ry } => [cx - rx, cy - ry, cx + rx, cy + ry],
        Shape::Polygon { points } => points
            .iter()
            .fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |[left, top, right, bottom], [x, y]| [left.min(*x), top.min(*y), right.max(*x), bottom.max(*y)]),
    }
}

fn lies_within(inner: &Bounds, outer: &Bounds) -> bool {
    inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3]
}

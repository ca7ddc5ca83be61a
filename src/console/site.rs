//! The static site as the API tells it (docs/API.md).

use crate::venue::roll::{numbered, there};
use crate::venue::{Feed, FlowTable, LinkKind, Shape, Venue, ZoneKind};
use serde::Serialize;
use utoipa::ToSchema;

/// A venue in the list of venues.
#[derive(Debug, Serialize, ToSchema)]
pub struct VenueName<'a> {
    id: &'a str,
    name: &'a str,
    city: &'a str,
    time_zone: &'a str,
    region: &'a str,
}

/// A venue's static site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Site<'a> {
    #[serde(flatten)]
    name: VenueName<'a>,
    capacity: u32,
    illustrative: bool,
    pane_s: f64,
    perimeters: Vec<PerimeterView<'a>>,
    zones: Vec<ZoneView<'a>>,
    links: Vec<LinkView<'a>>,
    approaches: Vec<ApproachView<'a>>,
    sources: Vec<SourceView<'a>>,
    matches: Vec<MatchView<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PerimeterView<'a> {
    id: &'a str,
    name: &'a str,
    #[schema(value_type = Option<Object>)]
    shape: Option<&'a Shape>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ZoneView<'a> {
    id: &'a str,
    name: &'a str,
    #[schema(value_type = String)]
    kind: ZoneKind,
    perimeter: Option<&'a str>,
    area_m2: Option<f64>,
    capacity: Option<u32>,
    #[schema(value_type = String)]
    table: FlowTable,
    #[schema(value_type = Option<Object>)]
    shape: Option<&'a Shape>,
}

#[derive(Debug, Serialize, ToSchema)]
struct LinkView<'a> {
    id: &'a str,
    name: &'a str,
    #[schema(value_type = String)]
    kind: LinkKind,
    from: Option<&'a str>,
    to: Option<&'a str>,
    width_m: Option<f64>,
    lanes: Option<u32>,
    at: Option<[f64; 2]>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ApproachView<'a> {
    id: &'a str,
    name: &'a str,
}

#[derive(Debug, Serialize, ToSchema)]
struct SourceView<'a> {
    id: &'a str,
    #[schema(value_type = String)]
    feed: Feed,
}

#[derive(Debug, Serialize, ToSchema)]
struct MatchView<'a> {
    id: &'a str,
    name: String,
    home: &'a str,
    away: &'a str,
    kick_off: i64,
    expected_attendance: u32,
}

impl<'a> VenueName<'a> {
    /// The name of `venue`.
    pub fn of(venue: &'a Venue) -> Self {
        Self { id: &venue.id, name: &venue.name, city: &venue.city, time_zone: venue.time_zone.name(), region: &venue.region }
    }
}

impl<'a> Site<'a> {
    /// The site of `venue`, a configuration of it.
    pub fn of(venue: &'a Venue) -> Self {
        let zone_id = |zone: Option<crate::venue::ZoneId>| zone.map(|zone| &*venue.zones[zone.index()].id);
        let lanes = |link: usize| venue.gates.iter().find(|gate| gate.link.index() == link).map(|gate| gate.lanes);
        let absent = &venue.absent;
        let zones = there(&venue.zones, &absent.zones).map(|zone| ZoneView {
            id: &zone.id,
            name: &zone.name,
            kind: zone.kind,
            perimeter: zone.perimeter.map(|perimeter| &*venue.perimeters[perimeter.index()].id),
            area_m2: zone.area_m2,
            capacity: zone.capacity,
            table: zone.table,
            shape: zone.shape.as_ref(),
        });
        let links = numbered(&venue.links, &absent.links).map(|(index, link)| LinkView {
            id: &link.id,
            name: &link.name,
            kind: link.kind,
            from: zone_id(link.from),
            to: zone_id(link.to),
            width_m: link.width_m,
            lanes: lanes(index),
            at: link.at,
        });
        let matches = venue.matches.iter().map(|day| MatchView {
            id: &day.id,
            name: day.name(),
            home: &day.home,
            away: &day.away,
            kick_off: day.kick_off.as_millis(),
            expected_attendance: day.expected_attendance,
        });
        Self {
            name: VenueName::of(venue),
            capacity: venue.capacity,
            illustrative: venue.illustrative,
            pane_s: venue.pane.span().as_secs_f64(),
            perimeters: venue.perimeters.iter().map(|p| PerimeterView { id: &p.id, name: &p.name, shape: p.shape.as_ref() }).collect(),
            zones: zones.collect(),
            links: links.collect(),
            approaches: there(&venue.approaches, &absent.approaches).map(|approach| ApproachView { id: &approach.id, name: &approach.name }).collect(),
            sources: there(&venue.sources, &absent.sources).map(|source| SourceView { id: &source.id, feed: source.feed }).collect(),
            matches: matches.collect(),
        }
    }
}

//! The parts of a venue, one function a kind: each reads its table, resolves the names in it, and gives the part in the form of [`crate::venue::model`].

use super::Mappings;
use super::fields::Fields;
use super::site::ProfileChoice;
use crate::time::{PaneLength, Span};
use crate::venue::{
    Exit, Feed, FlowTable, Gate, GateId, Link, LinkId, LinkKind, Measures, Names, Perimeter, PerimeterId, PerimeterKind, Profile, Section, Sensor, Shape,
    Source, SourceId, Stop, Wire, Zone, ZoneId, ZoneKind,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const ZONE_KINDS: [(&str, ZoneKind); 18] = [
    ("platform", ZoneKind::Platform),
    ("station_hall", ZoneKind::StationHall),
    ("approach", ZoneKind::Approach),
    ("checkpoint", ZoneKind::Checkpoint),
    ("forecourt", ZoneKind::Forecourt),
    ("gate_queue", ZoneKind::GateQueue),
    ("concourse", ZoneKind::Concourse),
    ("stand", ZoneKind::Stand),
    ("bowl", ZoneKind::Bowl),
    ("fan_zone", ZoneKind::FanZone),
    ("parking", ZoneKind::Parking),
    ("plaza", ZoneKind::Plaza),
    ("holding", ZoneKind::Holding),
    ("hospitality", ZoneKind::Hospitality),
    ("stairs", ZoneKind::Stairs),
    ("ramp", ZoneKind::Ramp),
    ("accessible_route", ZoneKind::AccessibleRoute),
    ("counted", ZoneKind::Counted),
];
const TABLES: [(&str, FlowTable); 3] = [("walkway", FlowTable::Walkway), ("stair", FlowTable::Stair), ("queue", FlowTable::Queue)];
const LINK_KINDS: [(&str, LinkKind); 6] = [
    ("gate", LinkKind::Gate),
    ("door", LinkKind::Door),
    ("corridor", LinkKind::Corridor),
    ("stairs", LinkKind::Stairs),
    ("ramp", LinkKind::Ramp),
    ("open", LinkKind::Open),
];
const PERIMETER_KINDS: [(&str, PerimeterKind); 4] =
    [("last_mile", PerimeterKind::LastMile), ("outer", PerimeterKind::Outer), ("inner", PerimeterKind::Inner), ("bowl", PerimeterKind::Bowl)];
const FEEDS: [(&str, Feed); 4] = [("transport", Feed::Transport), ("ticketing", Feed::Ticketing), ("sensors", Feed::Sensors), ("commands", Feed::Commands)];

/// The lists of a venue as they stand in the file, and the names that they define for one another.
pub(super) struct Lists<'r, 't> {
    pub(super) perimeters: Vec<Fields<'r, 't>>,
    pub(super) zones: Vec<Fields<'r, 't>>,
    pub(super) links: Vec<Fields<'r, 't>>,
    pub(super) gates: Vec<Fields<'r, 't>>,
    pub(super) stops: Vec<Fields<'r, 't>>,
    pub(super) sources: Vec<Fields<'r, 't>>,
    pub(super) sensors: Vec<Fields<'r, 't>>,
    pub(super) approaches: Vec<Fields<'r, 't>>,
    pub(super) matches: Vec<Fields<'r, 't>>,
    pub(super) perimeter_names: Names,
    pub(super) zone_names: Names,
    pub(super) link_names: Names,
    pub(super) gate_names: Names,
    pub(super) stop_names: Names,
    pub(super) source_names: Names,
    pub(super) sensor_names: Names,
    pub(super) approach_names: Names,
}

impl<'r, 't> Lists<'r, 't> {
    pub(super) fn new(venue: &Fields<'r, 't>) -> Self {
        let perimeters = venue.tables("perimeters", "perimeter");
        let zones = venue.tables("zones", "zone");
        let links = venue.tables("links", "link");
        let gates = venue.tables("gates", "gate");
        let stops = venue.tables("stops", "stop");
        let sources = venue.tables("sources", "source");
        let sensors = venue.tables("sensors", "sensor");
        let approaches = venue.tables("approaches", "approach");
        Self {
            perimeter_names: unique_names(&perimeters),
            zone_names: unique_names(&zones),
            link_names: unique_names(&links),
            gate_names: unique_names(&gates),
            stop_names: unique_names(&stops),
            source_names: unique_names(&sources),
            sensor_names: unique_names(&sensors),
            approach_names: unique_names(&approaches),
            matches: venue.tables("matches", "match"),
            perimeters,
            zones,
            links,
            gates,
            stops,
            sources,
            sensors,
            approaches,
        }
    }
}

/// The ids of a list, which must differ.
fn unique_names(list: &[Fields<'_, '_>]) -> Names {
    let ids: Vec<&str> = list.iter().filter_map(|item| item.text("id")).collect();
    let mut seen = BTreeSet::new();
    for item in list {
        if item.text("id").is_some_and(|id| !seen.insert(id)) {
            item.fault_in("id", "stands in the list more than once");
        }
    }
    Names::new(ids)
}

pub(super) fn perimeter(fields: &Fields<'_, '_>) -> Perimeter {
    let read = Perimeter { id: fields.id(), name: fields.name(), kind: fields.word("kind", &PERIMETER_KINDS), shape: shape(fields) };
    fields.finish();
    read
}

/// A zone whose `closed` is not told yet where the file leaves it open: that hangs on links and sensors.
pub(super) struct ZoneDraft {
    zone: Zone,
    pub(super) closed: Option<bool>,
}

impl ZoneDraft {
    pub(super) fn finish(self, closed: bool) -> Zone {
        Zone { closed, ..self.zone }
    }
}

pub(super) fn zone(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>, profiles: &ProfileChoice<'_>, of_venue: Option<&Arc<Profile>>) -> ZoneDraft {
    let kind = fields.word("kind", &ZONE_KINDS);
    if kind.is_none() {
        fields.must::<u32>("kind", None);
    }
    let kind = kind.unwrap_or(ZoneKind::Counted);
    let own = fields.reference("profile", "profile", profiles.names).map(|index| &profiles.profiles[index]);
    let profile = own.or(of_venue).cloned();
    if profile.is_none() && fields.find("profile").is_none() {
        fields.fault("has no `profile`, and the venue names none either");
    }
    let nothing = || Arc::new(Profile { label: "".into(), thresholds: BTreeMap::new(), hash: String::new() });
    let zone = Zone {
        id: fields.id(),
        name: fields.name(),
        kind,
        perimeter: fields.reference("perimeter", "perimeter", &lists.perimeter_names).map(PerimeterId::from),
        area_m2: fields.positive("area_m2"),
        capacity: fields.whole("capacity"),
        table: fields.word("table", &TABLES).unwrap_or(usual_table(kind)),
        profile: profile.unwrap_or_else(nothing),
        closed: false,
        ground_m: fields.find("ground_m").and_then(|_| points(fields, "ground_m")).unwrap_or_default(),
        section: section(fields, lists),
        shape: shape(fields),
    };
    let closed = fields.flag("closed");
    fields.finish();
    ZoneDraft { zone, closed }
}

/// People queue on platforms, at checks, at gates and where they are held, and stand in stands and fan zones; elsewhere they walk.
fn usual_table(kind: ZoneKind) -> FlowTable {
    match kind {
        ZoneKind::Platform | ZoneKind::Checkpoint | ZoneKind::GateQueue | ZoneKind::Holding => FlowTable::Queue,
        ZoneKind::Stand | ZoneKind::Bowl | ZoneKind::FanZone | ZoneKind::Hospitality => FlowTable::Queue,
        ZoneKind::Stairs => FlowTable::Stair,
        ZoneKind::StationHall | ZoneKind::Approach | ZoneKind::Forecourt | ZoneKind::Concourse => FlowTable::Walkway,
        ZoneKind::Parking | ZoneKind::Plaza | ZoneKind::Counted | ZoneKind::Ramp | ZoneKind::AccessibleRoute => FlowTable::Walkway,
    }
}

fn section(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Section {
    let factor = |key| {
        let factor: Option<f64> = fields.positive(key);
        if factor.is_some_and(|factor| factor > 1.0) {
            fields.fault_in(key, "must lie between 0 and 1");
        }
        factor
    };
    Section {
        seats: fields.whole("seats"),
        standing_m2: fields.positive("standing_m2"),
        physical: factor("physical"),
        safety: factor("safety"),
        entry_gates: fields.references("entry_gates", "gate", &lists.gate_names).into_iter().map(GateId::from).collect(),
        entry_period: fields.span("entry_period"),
        evacuation: fields.span("evacuation"),
        siblings: fields.text("siblings").map(Box::from),
        accessible: fields.flag("accessible").unwrap_or(false),
        away: fields.flag("away").unwrap_or(false),
        usual: usual(fields),
        safe: None,
    }
}

/// Persons usually present: points of local hour and persons, in order.
fn usual(fields: &Fields<'_, '_>) -> Vec<(f64, f64)> {
    let usual = fields.pairs("usual", "[hour of the local day, persons]");
    let is_sound = usual.iter().all(|(hour, persons)| (0.0..=24.0).contains(hour) && *persons >= 0.0) && usual.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if !is_sound {
        fields.fault_in("usual", "must be points [hour of the local day, persons], hours from 0 to 24 and rising");
    }
    usual
}

pub(super) fn link(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Link {
    let from = fields.reference("from", "zone", &lists.zone_names).map(ZoneId::from);
    let to = fields.reference("to", "zone", &lists.zone_names).map(ZoneId::from);
    if fields.find("from").is_none() && fields.find("to").is_none() {
        fields.fault("has neither `from` nor `to`; one of them may be left out for the world outside");
    }
    if from.is_some() && from == to {
        fields.fault_in("to", "is the zone that the link comes from");
    }
    let kind = fields.word("kind", &LINK_KINDS).unwrap_or(LinkKind::Open);
    let exit = fields.reference("exit_of", "zone", &lists.zone_names).map(ZoneId::from);
    if exit.is_some() && exit != from && exit != to {
        fields.fault_in("exit_of", "is neither the zone that the link comes from nor the one that it leads to");
    }
    let opens_before_end = fields.span("opens_before_end");
    let read = Link {
        id: fields.id(),
        name: fields.name(),
        kind,
        from,
        to,
        one_way: false,
        width_m: fields.positive("width_m"),
        exit: exit.map(|of| Exit { of, opens_before_end }),
        at: point(fields, "at"),
    };
    fields.finish();
    read
}

pub(super) fn gate(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Gate {
    let link = fields.reference("link", "link", &lists.link_names);
    let read = Gate {
        id: fields.id(),
        link: LinkId::from(fields.must("link", link)),
        queue: fields.reference("queue", "zone", &lists.zone_names).map(ZoneId::from),
        lanes: fields.must("lanes", fields.whole("lanes")),
        lane_rate_per_h: fields.must("lane_rate_per_h", fields.positive("lane_rate_per_h")),
        entry: fields.flag("entry").unwrap_or(true),
    };
    fields.finish();
    read
}

pub(super) fn stop(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Stop {
    // A stop's id is the transport operator's, who may use any character.
    let id = fields.must("id", fields.text("id"));
    let read = Stop { id: id.into(), name: fields.name(), zone: fields.reference("zone", "zone", &lists.zone_names).map(ZoneId::from) };
    fields.finish();
    read
}

pub(super) fn source(fields: &Fields<'_, '_>, pane: PaneLength, mappings: &Mappings) -> Source {
    let feed = fields.word("feed", &FEEDS);
    if feed.is_none() {
        fields.must::<u32>("feed", None);
    }
    let read = Source {
        id: fields.id(),
        feed: feed.unwrap_or(Feed::Sensors),
        disorder: fields.must("disorder", fields.span("disorder")),
        lateness: fields.must("lateness", fields.span("lateness")),
        as_of_lag: fields.span("as_of_lag").unwrap_or(Span::ZERO),
        interval: fields.span("interval").unwrap_or(pane.span()),
        silence: fields.span("silence").unwrap_or(Span::from_secs(60)),
        format: fields.text("format").map(Box::from),
        wire: wire(fields, mappings),
    };
    if read.interval > pane.span() && read.as_of_lag < read.interval {
        let why = format!("is {}, but counts over {} (longer than a pane) need a lag of at least that", read.as_of_lag, read.interval);
        fields.fault_in("as_of_lag", &why);
    }
    fields.finish();
    read
}

/// What a source's records mean beyond their format.
fn wire(fields: &Fields<'_, '_>, mappings: &Mappings) -> Wire {
    let mut names = BTreeMap::new();
    for (wire, at, name) in fields.table("names", "names").iter().flat_map(Fields::entries) {
        match name.get_ref().as_str() {
            Some(name) => _ = names.insert(wire.into(), name.into()),
            None => fields.report.fault(&at, "a name on the wire must be given the configured name, a text (\"-\" leaves it out)"),
        }
    }
    let time_zone = fields.text("time_zone").and_then(|zone| {
        let known = zone.parse().ok();
        if known.is_none() {
            fields.fault_in("time_zone", "is no IANA time zone, like \"Africa/Casablanca\"");
        }
        known
    });
    let modulus = fields.whole("rolls_over_after").map(|last| u64::from(last) + 1);
    let known = Names::new(mappings.keys().map(|name| &**name));
    let mapping = fields.reference("mapping", "mapping", &known).and_then(|index| mappings.values().nth(index).cloned());
    Wire { names, time_zone, modulus, mapping, ..Wire::default() }
}

pub(super) fn sensor(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>, pane: PaneLength) -> Sensor {
    let source = fields.reference("source", "source", &lists.source_names);
    let link = fields.reference("link", "link", &lists.link_names).map(LinkId::from);
    let zone = fields.reference("zone", "zone", &lists.zone_names).map(ZoneId::from);
    let gate = fields.reference("gate", "gate", &lists.gate_names).map(GateId::from);
    let reversed = fields.flag("reversed");
    let door = fields.reference("door", "link", &lists.link_names).map(LinkId::from);
    let told = ["link", "zone", "gate", "door"].into_iter().filter(|key| fields.find(key).is_some()).count();
    if told != 1 {
        fields.fault("must measure one of `link`, `zone`, `gate` and `door`");
    }
    if reversed.is_some() && fields.find("link").is_none() {
        fields.fault_in("reversed", "makes sense for a link only");
    }
    let of_link = link.map(|link| Measures::Link { link, reversed: reversed.unwrap_or(false) });
    let measures = of_link.or(zone.map(Measures::Zone)).or(gate.map(Measures::Gate)).or(door.map(Measures::Door)).unwrap_or(Measures::Zone(ZoneId(0)));
    let interval = fields.span("interval").unwrap_or(pane.span());
    if interval == Span::ZERO {
        fields.fault_in("interval", "must be longer than nothing");
    }
    let read = Sensor { id: fields.id(), source: SourceId::from(fields.must("source", source)), measures, interval };
    fields.finish();
    read
}

/// Where a thing is drawn: one of four shapes on the canvas.
fn shape(fields: &Fields<'_, '_>) -> Option<Shape> {
    const KINDS: [(&str, &str); 4] = [("arc", "arc"), ("box", "box"), ("polygon", "polygon"), ("ellipse", "ellipse")];
    let shape = fields.table("shape", "shape")?;
    let number = |key| shape.must(key, shape.number(key));
    let positive = |key| shape.must(key, shape.positive(key));
    let read = match shape.must("kind", shape.word("kind", &KINDS)) {
        "arc" => Some(Shape::Arc {
            cx: number("cx"),
            cy: number("cy"),
            rx0: positive("rx0"),
            ry0: positive("ry0"),
            rx1: positive("rx1"),
            ry1: positive("ry1"),
            from_deg: number("from_deg"),
            to_deg: number("to_deg"),
        }),
        "box" => Some(Shape::Box { x: number("x"), y: number("y"), w: positive("w"), h: positive("h") }),
        "ellipse" => Some(Shape::Ellipse { cx: number("cx"), cy: number("cy"), rx: positive("rx"), ry: positive("ry") }),
        "polygon" => Some(Shape::Polygon { points: shape.must("points", points(&shape, "points")) }),
        _ => return None,
    };
    shape.finish();
    read
}

fn points(shape: &Fields<'_, '_>, key: &'static str) -> Option<Vec<[f64; 2]>> {
    let list = shape.find(key)?.get_ref().as_array();
    let points: Option<Vec<[f64; 2]>> = list.and_then(|list| list.iter().map(|point| pair(point.get_ref())).collect());
    let points = points.filter(|points| points.len() >= 3);
    if points.is_none() {
        shape.fault_in(key, "must be a list of at least three points, each [x, y]");
    }
    points
}

fn point(fields: &Fields<'_, '_>, key: &'static str) -> Option<[f64; 2]> {
    let point = pair(fields.find(key)?.get_ref());
    if point.is_none() {
        fields.fault_in(key, "must be a point, [x, y]");
    }
    point
}

pub(super) fn pair(value: &toml::de::DeValue<'_>) -> Option<[f64; 2]> {
    let numbers: Vec<f64> = value.as_array()?.iter().filter_map(|number| super::fields::number_of(number.get_ref())).collect();
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fruin has no table of ramps: on a slope of up to 6 % people walk as on the level.
    #[test]
    fn the_kind_of_a_zone_chooses_its_table() {
        let tables = [ZoneKind::Stairs, ZoneKind::Ramp, ZoneKind::Concourse, ZoneKind::GateQueue, ZoneKind::Platform].map(usual_table);
        assert_eq!(tables, [FlowTable::Stair, FlowTable::Walkway, FlowTable::Walkway, FlowTable::Queue, FlowTable::Queue]);
    }
}

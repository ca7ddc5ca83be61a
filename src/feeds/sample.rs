//! A small venue in which every format's sample finds its names: tests of this layer decode against it.

use super::record::RecordRef;
use super::{Fault, Format, Item};
use crate::time::{ClockTrust, PaneLength, Span};
use crate::venue::{
    Feed, FlowTable, Gate, GateId, Link, LinkId, LinkKind, Measures, Names, Profile, Section, Sensor, Source, SourceId, Stop, Venue, World, Zone, ZoneId,
    ZoneKind,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The venue `casablanca`: a fan zone, a gate, three sensors, a stop, and a source for each feed.
pub(crate) fn venue() -> Venue {
    let profile = Arc::new(Profile { label: "test/1".into(), thresholds: BTreeMap::new(), hash: String::new() });
    let zones = vec![zone("fan", ZoneKind::FanZone, &profile)];
    let links = vec![link("n12")];
    let gates = vec![Gate { id: "N12".into(), link: LinkId(0), queue: None, lanes: 8, lane_rate_per_h: 600.0, entry: true }];
    let stops = vec![Stop { id: "BENSLIMANE_STADE".into(), name: "Benslimane Stade".into(), zone: Some(ZoneId(0)) }];
    let sensors = vec![
        sensor("cas-n-g12", Measures::Link { link: LinkId(0), reversed: false }),
        sensor("cas-cam-fan", Measures::Zone(ZoneId(0))),
        sensor("cas-n-g12-state", Measures::Gate(GateId(0))),
    ];
    let sources = vec![source("counters", Feed::Sensors), source("tickets", Feed::Ticketing), source("rail", Feed::Transport), source("ops", Feed::Commands)];
    Venue {
        id: "casablanca".into(),
        name: "Grand Stade".to_owned(),
        city: "Casablanca".to_owned(),
        region: "ma".to_owned(),
        time_zone: chrono_tz::Africa::Casablanca,
        coordinates: None,
        capacity: 115_000,
        illustrative: true,
        opening: crate::venue::Opening::default(),
        holidays: crate::venue::Holidays::default(),
        pane: PaneLength::new(Span::from_secs(10)).unwrap(),
        step: Span::from_mins(5),
        fast_pane: None,
        keep_panes: Span::from_mins(10),
        trust: ClockTrust::default(),
        perimeters: vec![],
        approaches: vec![],
        approach_names: Names::default(),
        zone_names: Names::new(zones.iter().map(|zone| &*zone.id)),
        link_names: Names::new(links.iter().map(|link| &*link.id)),
        gate_names: Names::new(gates.iter().map(|gate| &*gate.id)),
        stop_names: Names::new(stops.iter().map(|stop| &*stop.id)),
        sensor_names: Names::new(sensors.iter().map(|sensor| &*sensor.id)),
        source_names: Names::new(sources.iter().map(|source| &*source.id)),
        zones,
        links,
        gates,
        stops,
        sensors,
        sources,
        matches: vec![],
        later: Vec::new(),
        first: None,
        absent: Default::default(),
        fingerprint: String::new(),
        hash: String::new(),
    }
}

/// The world of that one venue.
pub(crate) fn world() -> World {
    World::new(vec![venue()])
}

/// The venue with each source naming what the vendors' samples name, and the zone of their wall clocks.
pub(crate) fn wired_venue() -> Venue {
    let names = [
        ("ACCC8E012345", "cas-n-g12"),
        ("ACCC8E012345/occupancy", "cas-cam-fan"),
        ("00:6E:02:00:1C:CD/Line 1", "cas-n-g12"),
        ("Zone 1", "cas-cam-fan"),
        ("00:6E:02:00:1C:CD", "cas-cam-fan"),
        ("gate/5", "N12"),
        ("list/15", "N12"),
        ("Q:BENSLIMANE:1", "BENSLIMANE_STADE"),
    ];
    let mut venue = venue();
    for source in &mut venue.sources {
        source.wire.names = names.iter().map(|(wire, name)| ((*wire).into(), (*name).into())).collect();
        source.wire.time_zone = Some(chrono_tz::Africa::Casablanca);
        source.wire.mapping = Some(Arc::new(mapping()));
    }
    venue
}

/// A mapping that reads the sample of the format `mapping`.
fn mapping() -> crate::venue::mapping::Mapping {
    let text = include_str!("../../config/mappings/turnstiles.toml").to_owned();
    crate::venue::load_mapping(&crate::venue::SourceFile { path: "turnstiles.toml".to_owned(), text }).unwrap()
}

/// What a record of `format` becomes in that venue.
pub(crate) fn items_of(format: &Format, value: &[u8]) -> Result<Vec<Item>, Fault> {
    items_with(format, value, |_| {})
}

/// What it becomes where every source is changed so.
pub(crate) fn items_with(format: &Format, value: &[u8], change: impl Fn(&mut Source)) -> Result<Vec<Item>, Fault> {
    let mut venue = wired_venue();
    venue.sources.iter_mut().for_each(change);
    let (world, mut items) = (World::new(vec![venue]), Vec::new());
    let mut record = record(format.feeds[0], value);
    record.format = Some(format.media_types[0]);
    record.received = Some(1_907_863_300_000);
    super::decode(&record, &world, &mut |item| items.push(item)).map(|()| items)
}

/// A record for it, without headers.
pub(crate) fn record(feed: Feed, value: &[u8]) -> RecordRef<'_> {
    RecordRef {
        feed,
        partition: 0,
        offset: 0,
        appended: None,
        received: None,
        key: Some(b"casablanca"),
        value,
        source: None,
        format: None,
        cloud_event: None,
        attributes: super::Attributes::default(),
    }
}

/// A source of `feed` whose counts cover at most a minute.
pub(crate) fn source(id: &str, feed: Feed) -> Source {
    Source {
        id: id.into(),
        feed,
        disorder: Span::from_secs(5),
        lateness: Span::from_mins(2),
        as_of_lag: Span::ZERO,
        interval: Span::from_mins(1),
        silence: Span::from_secs(60),
        format: None,
        wire: crate::venue::Wire::default(),
    }
}

fn sensor(id: &str, measures: Measures) -> Sensor {
    Sensor { id: id.into(), source: SourceId(0), measures, interval: Span::from_secs(10) }
}

fn link(id: &str) -> Link {
    Link { id: id.into(), name: id.to_owned(), kind: LinkKind::Gate, from: None, to: Some(ZoneId(0)), one_way: false, width_m: None, exit: None, at: None }
}

fn zone(id: &str, kind: ZoneKind, profile: &Arc<Profile>) -> Zone {
    Zone {
        id: id.into(),
        name: id.to_owned(),
        kind,
        perimeter: None,
        area_m2: Some(9_000.0),
        capacity: Some(20_000),
        table: FlowTable::Walkway,
        profile: Arc::clone(profile),
        closed: true,
        ground_m: Vec::new(),
        section: Section::default(),
        shape: None,
    }
}

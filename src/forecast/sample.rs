//! A small venue for the tests of this folder: a bowl, its forecourt, and a passage with one undirected counter.

use crate::crowd::ZoneFigures;
use crate::time::{ClockTrust, PaneLength, Span};
use crate::venue::model::Measures;
use crate::venue::profile::{Profile, Threshold};
use crate::venue::{FlowTable, Link, LinkKind, Names, Section, Sensor, SourceId, Venue, Zone, ZoneId, ZoneKind};
use std::sync::Arc;

/// The venue: panes of 10 s, steps of 1 min, scores from the third pane on.
pub(crate) fn venue() -> Venue {
    let zone = |id: &str, closed| Zone {
        id: id.into(),
        name: id.to_owned(),
        kind: ZoneKind::Forecourt,
        perimeter: None,
        area_m2: Some(1_000.0),
        capacity: Some(2_000),
        table: FlowTable::Walkway,
        profile: Arc::new(profile()),
        closed,
        ground_m: Vec::new(),
        section: Section::default(),
        shape: None,
    };
    with(
        vec![zone("bowl", true), zone("forecourt", false), zone("passage", false)],
        vec![link("gate", Some(1), Some(0)), link("counter", Some(2), Some(2)), link("uncounted", None, Some(1))],
    )
}

/// A venue of `zones` closed zones with one counted link each.
pub(crate) fn large(zones: usize) -> Venue {
    let one = venue().zones[0].clone();
    let mut large = with(vec![one; zones], (0..zones).map(|zone| link("door", None, Some(zone as u32))).collect());
    large.sensors = (0..zones).map(|index| sensor(index as u32)).collect();
    large.step = Span::from_mins(5);
    large
}

/// A picture of nobody, in which every sensor reported.
pub(crate) fn zone_figures() -> ZoneFigures {
    ZoneFigures {
        inwards: 0,
        outwards: 0,
        undirected: 0,
        occupancy: None,
        egress: None,
        density: None,
        los: None,
        dense: None,
        coverage: 1.0,
        expected: 1,
        disagrees: None,
        silent_for: Span::ZERO,
    }
}

fn with(zones: Vec<Zone>, links: Vec<Link>) -> Venue {
    Venue {
        id: "sample".into(),
        name: String::new(),
        city: String::new(),
        region: String::new(),
        time_zone: chrono_tz::UTC,
        coordinates: None,
        capacity: 0,
        illustrative: true,
        opening: crate::venue::Opening::default(),
        holidays: crate::venue::Holidays::default(),
        pane: PaneLength::new(Span::from_secs(10)).unwrap(),
        step: Span::from_mins(1),
        fast_pane: None,
        keep_panes: Span::from_mins(10),
        trust: ClockTrust::default(),
        perimeters: Vec::new(),
        approaches: Vec::new(),
        approach_names: Names::default(),
        zones,
        links,
        gates: Vec::new(),
        stops: Vec::new(),
        sensors: vec![sensor(0), sensor(1)],
        sources: Vec::new(),
        matches: Vec::new(),
        zone_names: Names::default(),
        link_names: Names::default(),
        gate_names: Names::default(),
        stop_names: Names::default(),
        sensor_names: Names::default(),
        source_names: Names::default(),
        later: Vec::new(),
        first: None,
        absent: Default::default(),
        fingerprint: String::new(),
        hash: String::new(),
    }
}

fn link(id: &str, from: Option<u32>, to: Option<u32>) -> Link {
    Link {
        id: id.into(),
        name: id.to_owned(),
        kind: LinkKind::Open,
        from: from.map(ZoneId),
        to: to.map(ZoneId),
        one_way: false,
        width_m: None,
        exit: None,
        at: None,
    }
}

fn sensor(link: u32) -> Sensor {
    let measures = Measures::Link { link: crate::venue::LinkId(link), reversed: false };
    Sensor { id: format!("s{link}").into(), source: SourceId(0), measures, interval: Span::from_secs(10) }
}

fn profile() -> Profile {
    let set = |name: &str, value: f64| (name.into(), Threshold { value, unit: "1".into(), source: "test".into(), mark: 'C' });
    let values = [
        ("event.arrival_median_s", 4_200.0),
        ("event.arrival_spread_s", 1_200.0),
        ("event.leaving_s", 480.0),
        ("event.lasts_s", 6_600.0),
        ("anomaly.warm_up_panes", 3.0),
        ("anomaly.budget_per_week", 1.0),
        ("anomaly.budget_shared", 1.0),
        ("anomaly.supports", 0.01),
        ("anomaly.hold", 0.5),
        ("anomaly.shortfalls", 0.2),
        ("anomaly.learnt", 0.2),
        ("anomaly.min_days", 2.0),
        ("anomaly.off_s", 1_800.0),
        ("anomaly.regime_s", 108_000.0),
    ];
    Profile { label: "test/1".into(), thresholds: values.into_iter().map(|(name, value)| set(name, value)).collect(), hash: String::new() }
}

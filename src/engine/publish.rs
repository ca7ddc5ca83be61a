//! The crowd picture as records of `midan.zones` (FORMATS.md, "Out"): one a zone, gate and link, and one for the venue as a whole, which ends the pane.
//!
//! A figure that cannot be known is absent, never zero. Every float is quantised, so that the bytes are a function of the figures.

use super::effects::{Effects, OutRecord, OutTopic};
use super::revise::Delta;
use super::tail::Tail;
use crate::crowd::topology::Topology;
use crate::crowd::{
    Against, ApproachFigures, Disagreement, Estimate, GateFigures, LevelOfService, LinkFigures, NightFigures, Phase, VenueFigures, ZoneFigures, quantise,
};
use crate::forecast::{Horizon, Outlook, Outlooks, SeriesKind};
use crate::inference::ModelCardRef;
use crate::time::{EventTime, Span};
use crate::venue::roll::numbered;
use crate::venue::{Feed, Match, Venue, ZoneId};
use serde::Serialize;
use std::collections::BTreeMap;

/// One record of `midan.zones`, but for what all of its pane share and for its [`Tail`].
struct PlaceRecord<'a> {
    kind: &'static str,
    zone: &'a str,
    coverage: f64,
    revision: u32,
    figures: Figures<'a>,
    /// Whether it tells how old each feed is.
    has_ages: bool,
}

/// What is known of a place; the kinds differ.
#[derive(Default, Serialize)]
struct Figures<'a> {
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    inwards: Option<u32>,
    #[serde(rename = "out", skip_serializing_if = "Option::is_none")]
    outwards: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occupancy: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    density: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    los: Option<LevelOfService>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_s: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steady_wait_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spill_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backward_flow: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    specific_flow: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lanes_open: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity_per_min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arrivals_per_min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_eta: Option<Band>,
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    match_day: Option<MatchDay<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    egress: Option<Egress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    came: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coming: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_peak: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_peak: Option<Band>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disagrees: Option<Parting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<Presence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<SourceReport<'a>>,
}

/// Another account of the same persons, and by how many it is more than the counters'.
#[derive(Serialize)]
struct Parting {
    with: Against,
    by: f64,
    sigma: f64,
}

impl Parting {
    fn of(disagreement: Disagreement) -> Self {
        Self { with: disagreement.with, by: quantise(disagreement.by), sigma: quantise(disagreement.sigma) }
    }
}

/// A zone's exits.
#[derive(Serialize)]
struct Egress {
    exits: u32,
    shut: u32,
    open_width_m: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    empty_s: Option<f64>,
}

/// Who is inside the border, against the plan.
#[derive(Serialize)]
struct Presence {
    inside: Band,
    per_min: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned: Option<f64>,
}

/// An estimate, quantised.
#[derive(Clone, Copy, Serialize)]
struct Band {
    v: f64,
    lo: f64,
    hi: f64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ModelName<'a> {
    Model(&'a ModelCardRef),
    Fallback(&'static str),
}

/// Who speaks where no model does.
const FALLBACK: ModelName<'static> = ModelName::Fallback("fallback");

#[derive(Serialize)]
struct MatchDay<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    phase: Phase,
    kick_off: EventTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_kick_off: Option<EventTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_attendance: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    admitted: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p_after_deadline: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity_per_min: Option<f64>,
}

/// How a source reported in this pane.
#[derive(Serialize)]
struct SourceReport<'a> {
    source: &'a str,
    feed: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<f64>,
    reporting: u32,
    expected: u32,
}

/// What the records of one pane share, as the JSON that stands in each of them: it is most of a record's fields, so it is written once and the rest around it.
struct Writer<'a> {
    venue: &'a Venue,
    end: EventTime,
    /// Up to the kind.
    head: Vec<u8>,
    /// From behind the place's id up to its coverage.
    times: Vec<u8>,
    /// Behind the revision.
    pane: Vec<u8>,
    /// How old each feed is; empty where none was heard.
    ages: Vec<u8>,
}

/// What a source contributed to a pane, for the venue's record.
pub(super) struct SourceShare {
    pub(super) heard: EventTime,
    pub(super) reporting: u32,
    pub(super) expected: u32,
}

/// Publishes the picture of a pane that has just closed, to which the model `flow` was asked.
pub(super) fn pane(
    venue: &Venue,
    topology: &Topology,
    figures: &VenueFigures,
    outlooks: &Outlooks,
    shares: &[SourceShare],
    flow: Option<&ModelCardRef>,
    effects: &mut Effects,
) {
    let writer = Writer::new(venue, figures.end, figures.end, &figures.ages);
    effects.records.reserve(figures.zones.len() + figures.gates.len() + figures.links.len() + figures.approaches.len() + 1);
    let mut text = Vec::new();
    let mut publish = |record: &PlaceRecord<'_>, tail: &Tail<'_>| effects.records.push(writer.record(record, tail, &mut text));
    let (model, fallback) = (flow.map(ModelName::Model).unwrap_or(FALLBACK).text(), FALLBACK.text());
    let speaker = |outlooks: &[Outlook]| Some(if outlooks.iter().any(|outlook| outlook.by_model) { &*model } else { &*fallback });
    let absent = &venue.absent;
    for (index, zone) in numbered(&figures.zones, &absent.zones) {
        let flows = of_zone(outlooks, index);
        let mut record = PlaceRecord { has_ages: true, ..writer.zone(index, zone, 0) };
        let is_unheard = |kind| zone.coverage <= 0.0 || is_unheard(venue, topology, figures, ZoneId::from(index), kind);
        leave_out_what_is_not_told(&mut record.figures, zone, flows, is_unheard);
        let score = flows.iter().find_map(|outlook| outlook.watch).map(|verdict| quantise(verdict.share_above));
        let mut tail = Tail { flows, heads: heads_of_zone(outlooks, index), model: None, score };
        if !tail.forecasts_nothing() {
            tail.model = speaker(flows);
        }
        publish(&record, &tail);
    }
    for (index, gate) in numbered(&figures.gates, &absent.gates) {
        publish(&writer.gate(index, gate), &Tail::default());
    }
    for (index, link) in numbered(&figures.links, &absent.links).filter(|(index, _)| !topology.echoes[*index]) {
        publish(&writer.link(index, link), &Tail::default());
    }
    for (index, approach) in numbered(&figures.approaches, &absent.approaches) {
        publish(&writer.approach(index, approach, figures.coverage), &Tail::default());
    }
    let record = PlaceRecord { has_ages: true, ..writer.venue_as_a_whole(figures, shares) };
    publish(&record, &Tail { model: speaker(&outlooks.series), ..Tail::default() });
}

/// Publishes a zone of a closed pane again, revised; its forecast stays as it was.
pub(super) fn revision(venue: &Venue, zone: usize, figures: &VenueFigures, revision: u32, watermark: EventTime, effects: &mut Effects) {
    let writer = Writer::new(venue, figures.end, watermark, &[]);
    let record = writer.zone(zone, &figures.zones[zone], revision);
    effects.records.push(writer.record(&record, &Tail::default(), &mut Vec::new()));
}

/// What a pane that is kept no more lacked, of one zone: persons more than its last revision says.
#[derive(Serialize)]
struct CorrectionRecord<'a> {
    v: u32,
    venue: &'a str,
    kind: &'static str,
    zone: &'a str,
    event_time: EventTime,
    watermark: EventTime,
    from: EventTime,
    to: EventTime,
    #[serde(rename = "in")]
    inwards: i64,
    out: i64,
    count: i64,
}

/// Publishes what a pane that is kept no more lacked: its figures stand as they were published, and this is to be added to them.
pub(super) fn correction(venue: &Venue, zone: usize, end: EventTime, delta: Delta, watermark: EventTime, effects: &mut Effects) {
    let zone = &venue.zones[zone].id;
    let Delta { inwards, outwards: out, undirected: count } = delta;
    let (from, kind) = (venue.pane.start(end), "correction");
    let record = CorrectionRecord { v: 1, venue: &venue.id, kind, zone, event_time: end, watermark, from, to: end, inwards, out, count };
    let key = format!("{}/{zone}", venue.id).into_bytes();
    effects.records.push(OutRecord { topic: OutTopic::Zones, key, value: serde_json::to_vec(&record).unwrap_or_default(), position: None });
}

impl<'w> Writer<'w> {
    fn new(venue: &'w Venue, end: EventTime, watermark: EventTime, ages: &[(Feed, Span)]) -> Self {
        let ages: BTreeMap<&'static str, f64> = ages.iter().map(|(feed, age)| (feed.word(), age.as_secs_f64())).collect();
        let mut writer = Self { venue, end, head: Vec::new(), times: Vec::new(), pane: Vec::new(), ages: Vec::new() };
        put(&mut writer.head, b"{\"v\":1,\"venue\":", &venue.id);
        put(&mut writer.times, b",\"event_time\":", &end);
        put(&mut writer.times, b",\"watermark\":", &watermark);
        put(&mut writer.pane, b",\"from\":", &venue.pane.start(end));
        put(&mut writer.pane, b",\"to\":", &end);
        if !ages.is_empty() {
            put(&mut writer.ages, b",\"age_s\":", &ages);
        }
        writer
    }

    fn place<'a>(&'a self, kind: &'static str, id: &'a str, coverage: f64, figures: Figures<'a>) -> PlaceRecord<'a> {
        PlaceRecord { kind, zone: id, coverage, revision: 0, figures, has_ages: false }
    }

    fn zone<'a>(&'a self, index: usize, zone: &ZoneFigures, revision: u32) -> PlaceRecord<'a> {
        let figures = Figures {
            inwards: Some(zone.inwards),
            outwards: Some(zone.outwards),
            count: (zone.undirected > 0).then_some(zone.undirected),
            occupancy: zone.occupancy.map(band),
            density: zone.density.map(band),
            los: zone.los,
            disagrees: zone.disagrees.map(Parting::of),
            egress: zone.egress.map(|exits| Egress {
                exits: exits.exits,
                shut: exits.shut,
                open_width_m: quantise(exits.open_width_m),
                empty_s: exits.empty_s.map(quantise),
            }),
            ..Figures::default()
        };
        let record = self.place("zone", &self.venue.zones[index].id, zone.coverage, figures);
        PlaceRecord { revision, ..record }
    }

    fn gate<'a>(&'a self, index: usize, gate: &GateFigures) -> PlaceRecord<'a> {
        let figures = Figures {
            inwards: Some(gate.inwards),
            outwards: Some(gate.outwards),
            queue: gate.queue.map(band),
            wait_s: gate.wait_s.map(band),
            steady_wait_s: gate.steady_wait_s.map(quantise),
            disagrees: gate.disagrees.map(Parting::of),
            spill_s: gate.spill_s.map(quantise),
            flow: Some(quantise(gate.flow_per_min)),
            lanes_open: Some(gate.lanes_open),
            capacity_per_min: Some(quantise(gate.capacity_per_min)),
            arrivals_per_min: gate.arrivals_per_min.map(quantise),
            ..Figures::default()
        };
        self.place("gate", &self.venue.gates[index].id, gate.coverage, figures)
    }

    fn link<'a>(&'a self, index: usize, link: &LinkFigures) -> PlaceRecord<'a> {
        let told = |per_min: f64| (per_min > 0.0 || link.coverage > 0.0).then(|| quantise(per_min));
        let figures = Figures {
            flow: told(link.forward_per_min),
            backward_flow: told(link.backward_per_min),
            specific_flow: link.specific_flow.map(quantise),
            ..Figures::default()
        };
        self.place("link", &self.venue.links[index].id, link.coverage, figures)
    }

    fn approach<'a>(&'a self, index: usize, approach: &ApproachFigures, coverage: f64) -> PlaceRecord<'a> {
        let figures = Figures {
            came: Some(approach.came),
            share: (approach.came > 0).then(|| quantise(approach.share_tonight)),
            planned_share: approach.planned.map(quantise),
            capacity_per_min: approach.capacity_per_min.map(quantise),
            waiting_peak: approach.station.map(|station| band(station.peak)),
            platform_peak: approach.platform.and_then(|platform| platform.peak).map(band),
            coming: approach.coming.map(band),
            ..Figures::default()
        };
        self.place("approach", &self.venue.approaches[index].id, coverage, figures)
    }

    fn venue_as_a_whole<'a>(&'a self, figures: &'a VenueFigures, shares: &'a [SourceShare]) -> PlaceRecord<'a> {
        let report = |(source, share): (&'a crate::venue::Source, &'a SourceShare)| SourceReport {
            source: &source.id,
            feed: source.feed.word(),
            age_s: (share.heard > EventTime::MIN).then(|| self.end.since(share.heard).as_secs_f64()),
            reporting: share.reporting,
            expected: share.expected,
        };
        let figures_of_all = Figures {
            entry_eta: figures.entry.as_ref().and_then(|entry| entry.eta).map(band),
            presence: figures.presence.as_ref().map(|presence| Presence {
                inside: band(presence.inside),
                per_min: quantise(presence.per_min),
                planned: presence.planned.map(quantise),
            }),
            match_day: figures.night.as_ref().map(|night| self.match_day(night, figures)),
            sources: self.venue.with_sources(shares).filter(|(source, _)| source.feed != Feed::Commands).map(report).collect(),
            ..Figures::default()
        };
        self.place("venue", &self.venue.id, figures.coverage, figures_of_all)
    }

    fn match_day<'a>(&self, night: &'a NightFigures, figures: &VenueFigures) -> MatchDay<'a> {
        let of_the_calendar = self.venue.matches.iter().find(|of_the_day| of_the_day.id == night.match_id);
        let entry = figures.entry.as_ref();
        MatchDay {
            id: &night.match_id,
            name: of_the_calendar.map(Match::name),
            phase: figures.phase,
            kick_off: night.kick_off,
            planned_kick_off: of_the_calendar.map(|of_the_day| of_the_day.kick_off),
            expected_attendance: night.expected,
            admitted: night.admitted,
            p_after_deadline: entry.map(|entry| quantise(entry.p_after_deadline)),
            capacity_per_min: entry.map(|entry| quantise(entry.capacity_per_min)),
        }
    }

    /// The record; `text` is memory to write it in first, so that what leaves is allocated once and in its size.
    fn record(&self, record: &PlaceRecord<'_>, tail: &Tail<'_>, text: &mut Vec<u8>) -> OutRecord {
        let mut key = Vec::with_capacity(self.venue.id.len() + 1 + record.zone.len());
        key.extend_from_slice(self.venue.id.as_bytes());
        key.push(b'/');
        key.extend_from_slice(record.zone.as_bytes());
        text.clear();
        text.extend_from_slice(&self.head);
        put(text, b",\"kind\":", record.kind);
        put(text, b",\"zone\":", record.zone);
        text.extend_from_slice(&self.times);
        put(text, b",\"coverage\":", &quantise(record.coverage));
        put(text, b",\"revision\":", &record.revision);
        text.extend_from_slice(&self.pane);
        let figures = text.len();
        put(text, b"", &record.figures);
        // The fields of the figures are the record's own.
        text.pop_if(|last| *last == b'}');
        match text.len() - figures {
            1 => text.truncate(figures),
            _ => text[figures] = b',',
        }
        if record.has_ages {
            text.extend_from_slice(&self.ages);
        }
        text.push(b'}');
        tail.write(text);
        OutRecord { topic: OutTopic::Zones, key, value: text.as_slice().to_vec(), position: None }
    }
}

impl ModelName<'_> {
    fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What a zone's counters cannot tell, or did not, is absent: no figure is not zero.
fn leave_out_what_is_not_told(figures: &mut Figures<'_>, zone: &ZoneFigures, of_zone: &[Outlook], is_unheard: impl Fn(SeriesKind) -> bool) {
    let is_told = |kind: SeriesKind| of_zone.iter().any(|outlook| outlook.series.kind == kind) && !is_unheard(kind);
    let told = |kind: SeriesKind, persons: u32| (persons > 0 || is_told(kind)).then_some(persons);
    figures.inwards = told(SeriesKind::In, zone.inwards);
    figures.outwards = told(SeriesKind::Out, zone.outwards);
    figures.count = told(SeriesKind::Count, zone.undirected);
}

/// Whether one direction of a place is silent by itself.
pub(super) fn is_unheard(venue: &Venue, topology: &Topology, figures: &VenueFigures, zone: ZoneId, kind: SeriesKind) -> bool {
    let is_silent = |way: usize| figures.links.get(way).is_some_and(|link| link.coverage <= 0.0);
    match kind {
        SeriesKind::In => topology.is_unheard(venue, zone, true, is_silent),
        SeriesKind::Out => topology.is_unheard(venue, zone, false, is_silent),
        SeriesKind::Count => false,
    }
}

/// The outlooks of a zone: the series stand in the order of their zones.
fn of_zone(outlooks: &Outlooks, zone: usize) -> &[Outlook] {
    let series = &outlooks.series;
    let start = series.partition_point(|outlook| outlook.series.zone.index() < zone);
    let end = series.partition_point(|outlook| outlook.series.zone.index() <= zone);
    &series[start..end]
}

/// The head count of a zone, where it is forecast.
fn heads_of_zone(outlooks: &Outlooks, zone: usize) -> &[Horizon] {
    let place = outlooks.occupancy.binary_search_by_key(&zone, |occupancy| occupancy.zone.index());
    place.ok().map_or(&[], |place| &outlooks.occupancy[place].horizons)
}

fn band(estimate: Estimate) -> Band {
    Band { v: quantise(estimate.v), lo: quantise(estimate.lo), hi: quantise(estimate.hi) }
}

/// Puts `name` and the JSON of `value` behind `text`.
fn put(text: &mut Vec<u8>, name: &[u8], value: &(impl Serialize + ?Sized)) {
    text.extend_from_slice(name);
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(text, value);
}

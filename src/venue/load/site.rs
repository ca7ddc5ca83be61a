//! A venue from its file: the general part, and every list in the order in which later ones refer to earlier ones.

use super::checks;
use super::fields::Fields;
use super::parts::{self, Lists};
use super::plan;
use crate::time::{ClockTrust, EventTime, PaneLength, Span};
use crate::venue::frame::fingerprint;
use crate::venue::opening::WEEKDAYS;
use crate::venue::roll::Absent;
use crate::venue::{Holidays, Names, Opening, Profile, SafeCapacity, Venue, ZoneId};
use std::sync::Arc;

/// What a zone can choose its thresholds from.
pub(super) struct ProfileChoice<'p> {
    pub(super) names: &'p Names,
    pub(super) profiles: &'p [Arc<Profile>],
    pub(super) mappings: &'p super::Mappings,
}

/// Reads a venue.
pub(super) fn read(fields: &Fields<'_, '_>, profiles: &ProfileChoice<'_>, hash: String) -> Venue {
    let lists = Lists::new(fields);
    let pane = read_pane(fields);
    let venue_profile = fields.reference("profile", "profile", profiles.names).map(|index| &profiles.profiles[index]);
    let read_zone = |zone: &Fields<'_, '_>| parts::zone(zone, &lists, profiles, venue_profile);
    let zones: Vec<parts::ZoneDraft> = lists.zones.iter().map(read_zone).collect();
    let matches = {
        let mut matches: Vec<_> = lists.matches.iter().map(|m| plan::match_of(m, &lists)).collect();
        matches.sort_by_key(|m| m.kick_off);
        matches
    };
    let mut venue = Venue {
        id: fields.id(),
        name: fields.name(),
        city: fields.must("city", fields.text("city")).to_owned(),
        region: fields.must("region", fields.text("region")).to_owned(),
        time_zone: read_time_zone(fields),
        coordinates: read_coordinates(fields),
        capacity: fields.must("capacity", fields.whole("capacity")),
        illustrative: fields.flag("illustrative").unwrap_or(false),
        opening: Opening::default(),
        holidays: read_holidays(fields),
        pane,
        fast_pane: read_fast_pane(fields, pane),
        step: read_step(fields, pane),
        keep_panes: read_keep_panes(fields, pane),
        trust: read_trust(fields),
        perimeters: lists.perimeters.iter().map(parts::perimeter).collect(),
        zones: Vec::new(),
        links: lists.links.iter().map(|link| parts::link(link, &lists)).collect(),
        gates: lists.gates.iter().map(|gate| parts::gate(gate, &lists)).collect(),
        stops: lists.stops.iter().map(|stop| parts::stop(stop, &lists)).collect(),
        approaches: lists.approaches.iter().map(|approach| plan::approach(approach, &lists)).collect(),
        sensors: lists.sensors.iter().map(|sensor| parts::sensor(sensor, &lists, pane)).collect(),
        sources: lists.sources.iter().map(|source| parts::source(source, pane, profiles.mappings)).collect(),
        matches,
        zone_names: lists.zone_names.clone(),
        link_names: lists.link_names.clone(),
        gate_names: lists.gate_names.clone(),
        stop_names: lists.stop_names.clone(),
        approach_names: lists.approach_names.clone(),
        sensor_names: lists.sensor_names.clone(),
        source_names: lists.source_names.clone(),
        later: Vec::new(),
        first: None,
        absent: Absent::default(),
        fingerprint: String::new(),
        hash,
    };
    let closed: Vec<bool> =
        zones.iter().enumerate().map(|(index, draft)| draft.closed.unwrap_or_else(|| checks::is_counted_all_round(&venue, index))).collect();
    venue.zones = zones.into_iter().zip(closed).map(|(draft, closed)| draft.finish(closed)).collect();
    let safe: Vec<Option<SafeCapacity>> = (0..venue.zones.len()).map(|index| SafeCapacity::of(&venue, ZoneId::from(index))).collect();
    venue.zones.iter_mut().zip(safe).for_each(|(zone, safe)| zone.section.safe = safe);
    checks::perimeters_nest(&lists.perimeters, &venue);
    checks::gates_have_a_link_each(&lists.gates, &venue);
    fields.finish();
    venue.fingerprint = fingerprint(&venue);
    venue
}

/// From when on the file takes the place of the one that has no such time.
pub(super) fn read_from(fields: &Fields<'_, '_>) -> Option<EventTime> {
    fields.moment("from").map(EventTime::from_millis)
}

pub(super) fn read_coordinates(fields: &Fields<'_, '_>) -> Option<[f64; 2]> {
    let point = parts::pair(fields.find("coordinates")?.get_ref()).filter(|[lat, lon]| lat.abs() <= 90.0 && lon.abs() <= 180.0);
    if point.is_none() {
        fields.fault_in("coordinates", "must be [latitude, longitude] in degrees");
    }
    point
}

pub(super) fn read_time_zone(fields: &Fields<'_, '_>) -> chrono_tz::Tz {
    let name = fields.must("time_zone", fields.text("time_zone"));
    if name.is_empty() {
        return chrono_tz::UTC;
    }
    name.parse().unwrap_or_else(|_| {
        let known = Names::new(chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        fields.reference("time_zone", "time zone", &known);
        chrono_tz::UTC
    })
}

fn read_holidays(fields: &Fields<'_, '_>) -> Holidays {
    let Some(holidays) = fields.table("holidays", "holidays") else {
        return Holidays::default();
    };
    let of = |(like, key): (u8, &'static str)| holidays.texts(key).into_iter().map(move |date| (like, date));
    let dates: Vec<(u8, String)> = (0..).zip(WEEKDAYS).flat_map(of).collect();
    holidays.finish();
    Holidays::read(dates.iter().map(|(like, date)| (*like, date.as_str())), |like, what| holidays.fault_in(WEEKDAYS[usize::from(like)], &what))
}

fn read_pane(fields: &Fields<'_, '_>) -> PaneLength {
    let Some(length) = fields.span("pane") else {
        return PaneLength::default();
    };
    PaneLength::new(length).unwrap_or_else(|| {
        fields.fault_in("pane", "must be longer than nothing");
        PaneLength::default()
    })
}

/// Two seconds unless told otherwise; none where that is no part of the pane, or the pane is longer than a minute. As long as a pane means none.
fn read_fast_pane(fields: &Fields<'_, '_>, pane: PaneLength) -> Option<PaneLength> {
    let told = fields.span("fast_pane");
    let (fast, pane) = (told.unwrap_or(Span::from_secs(2)), pane.span());
    if told.is_none() && pane > Span::from_mins(1) {
        return None;
    }
    let is_part = fast >= Span::from_millis(250) && fast <= pane && pane.as_millis().is_multiple_of(fast.as_millis());
    if !is_part {
        if told.is_some() {
            fields.fault_in("fast_pane", &format!("is {fast}: it must go into a pane ({pane}) a whole number of times, and be at least 0.25 s"));
        }
        return None;
    }
    (fast < pane).then(|| PaneLength::new(fast)).flatten()
}

fn read_step(fields: &Fields<'_, '_>, pane: PaneLength) -> Span {
    let step = fields.span("step").unwrap_or(Span::from_mins(5));
    let pane = pane.span();
    if step < pane || !step.as_millis().is_multiple_of(pane.as_millis()) {
        fields.fault_in("step", &format!("is {step} and must be a whole number of panes ({pane})"));
    }
    step
}

fn read_keep_panes(fields: &Fields<'_, '_>, pane: PaneLength) -> Span {
    let keep = fields.span("keep_panes").unwrap_or(Span::from_mins(10));
    if keep < pane.span() {
        fields.fault_in("keep_panes", &format!("is {keep}, shorter than a pane ({})", pane.span()));
    }
    keep
}

fn read_trust(fields: &Fields<'_, '_>) -> ClockTrust {
    let usual = ClockTrust::default();
    let Some(trust) = fields.table("trust", "trust") else {
        return usual;
    };
    let read = ClockTrust {
        ahead_of_receipt: trust.span("ahead_of_receipt").unwrap_or(usual.ahead_of_receipt),
        leap: trust.span("leap").unwrap_or(usual.leap),
        zone_tolerance: trust.span("zone_tolerance").unwrap_or(usual.zone_tolerance),
        return_after: trust.whole("return_after").unwrap_or(usual.return_after),
    };
    trust.finish();
    read
}

//! Approaches and matches from their tables, a match with its plan.

use super::fields::Fields;
use super::parts::Lists;
use crate::time::EventTime;
use crate::venue::{Approach, ApproachId, GateId, LinkId, Match, Names, Plan, Service, StopId, ZoneId};

/// How far the planned shares may be from 1 in all: they are written with two or three digits.
const ROUNDING: f64 = 0.011;

/// Milliseconds in a minute.
const MINUTE: f64 = 60_000.0;

pub(super) fn approach(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Approach {
    let read = Approach {
        id: fields.id(),
        name: fields.name(),
        links: fields.references("links", "link", &lists.link_names).into_iter().map(LinkId::from).collect(),
        stops: fields.references("stops", "stop", &lists.stop_names).into_iter().map(StopId::from).collect(),
        gates: fields.references("gates", "gate", &lists.gate_names).into_iter().map(GateId::from).collect(),
    };
    if fields.find("links").is_none() && fields.find("stops").is_none() {
        fields.fault("has neither `links` nor `stops`, so nothing on it is counted");
    }
    fields.finish();
    read
}

pub(super) fn match_of(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Match {
    let kick_off = fields.must("kick_off", fields.moment("kick_off"));
    let read = Match {
        id: fields.id(),
        home: fields.must("home", fields.text("home")).to_owned(),
        away: fields.must("away", fields.text("away")).to_owned(),
        kick_off: EventTime::from_millis(kick_off),
        planned_end: fields.find("planned_end").is_some().then(|| EventTime::from_millis(fields.must("planned_end", fields.moment("planned_end")))),
        expected_attendance: fields.must("expected_attendance", fields.whole("expected_attendance")),
        plan: plan(fields, lists),
    };
    fields.finish();
    read
}

fn plan(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Plan {
    let tickets = fields.table("tickets", "tickets").map(|table| numbers(&table, "zone", &lists.zone_names)).unwrap_or_default();
    let shares = fields.table("approach_shares", "approach shares").map(|table| numbers(&table, "approach", &lists.approach_names)).unwrap_or_default();
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    if !shares.is_empty() && (sum - 1.0).abs() > ROUNDING {
        fields.fault_in("approach_shares", &format!("sum to {sum:.3}, and must sum to 1"));
    }
    Plan {
        approach_shares: shares.into_iter().map(|(of, share)| (ApproachId::from(of), share)).collect(),
        arrival_curve: arrival_curve(fields),
        tickets: tickets.into_iter().map(|(of, sold)| (ZoneId::from(of), sold as u32)).collect(),
        services: fields.tables("services", "service").iter().map(|of| service(of, lists)).collect(),
    }
}

/// The entries of a table from names to numbers that are not negative, in the order of what is named.
fn numbers(table: &Fields<'_, '_>, kind: &str, names: &Names) -> Vec<(usize, f64)> {
    let mut found = Vec::new();
    for (name, at, value) in table.entries() {
        let number = super::fields::number_of(value.get_ref()).filter(|number| *number >= 0.0);
        match (names.position(name), number) {
            (Some(position), Some(number)) => found.push((position, number)),
            (None, _) => {
                let nearest = names.nearest(name).into_iter().map(str::to_owned).collect();
                table.report.unknown(&at, format!("{}: unknown {kind} \"{name}\"", table.what), nearest);
            }
            (_, None) => table.report.fault(&at, format!("{}: \"{name}\" must be a number from 0 up", table.what)),
        }
    }
    found.sort_by_key(|(position, _)| *position);
    found
}

/// Points of minutes from kick-off and share come, in the order of time.
fn arrival_curve(fields: &Fields<'_, '_>) -> Vec<(i64, f64)> {
    let curve = fields.pairs("arrival_curve", "[minutes from kick-off, share come]");
    let is_share = curve.iter().all(|(_, share)| (0.0..=1.0).contains(share));
    if !is_share || !curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1) {
        fields.fault_in(
            "arrival_curve",
            "must be points [minutes from kick-off (negative before it), share come]: minutes rising, shares from 0 to 1 and not falling",
        );
    }
    curve.into_iter().map(|(minutes, share)| ((minutes * MINUTE) as i64, share)).collect()
}

fn service(fields: &Fields<'_, '_>, lists: &Lists<'_, '_>) -> Service {
    let stop = fields.reference("stop", "stop", &lists.stop_names);
    let read = Service {
        stop: StopId::from(fields.must("stop", stop)),
        from: EventTime::from_millis(fields.must("from", fields.moment("from"))),
        to: EventTime::from_millis(fields.must("to", fields.moment("to"))),
        vehicles: fields.must("vehicles", fields.whole("vehicles")),
        capacity: fields.must("capacity", fields.whole("capacity")),
    };
    if read.from >= read.to {
        fields.fault_in("to", "must lie after `from`");
    }
    fields.finish();
    read
}

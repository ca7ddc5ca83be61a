//! `plan`: what was planned for a match, against which the night is compared: which share comes by which approach, when, with how many tickets, and what runs.
//!
//! A plan holds from when it was loaded: its event time is `at`, or where it says none the time at which the record was received.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::moment;
use crate::feeds::observation::{Entity, Plan, Service, What};
use crate::feeds::origin::Origin;
use crate::time::EventTime;
use crate::venue::Feed;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The format.
pub const FORMAT: Format = Format {
    name: "plan",
    type_name: "midan.plan.v1",
    media_types: &["application/vnd.midan.plan+json"],
    folder: "operations",
    feeds: &[Feed::Commands],
    sample: br#"{"type":"plan","venue":"casablanca","match_id":"m-104","version":3,"at":1907820000000,"approach_shares":{"BENSLIMANE_STADE":0.55,"n12":0.45},"arrival_curve":[[-180,0.05],[-90,0.4],[-30,0.9],[0,1.0]],"tickets":{"fan":18500},"services":[{"stop":"BENSLIMANE_STADE","line":"RER-A","from":1907845200000,"to":1907863200000,"vehicles":24,"capacity":1100}]}"#,
    decoder: Decoder::Json(KNOWN, decode),
};

const KNOWN: FieldSet = FieldSet::of(&[Field::MatchId, Field::Version, Field::At, Field::ApproachShares, Field::ArrivalCurve, Field::Tickets, Field::Services]);

/// A service as it stands on the wire.
#[derive(Deserialize)]
struct WireService<'a> {
    #[serde(borrow)]
    stop: Cow<'a, str>,
    #[serde(borrow)]
    line: Option<Cow<'a, str>>,
    from: i64,
    to: i64,
    vehicles: u32,
    capacity: u32,
}

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let match_id = fields.text(Field::MatchId)?;
    let version = fields.may_whole(Field::Version)?.unwrap_or_default();
    let at = loaded_at(fields, origin)?;
    let shares: BTreeMap<Cow<'_, str>, f64> = fields.may_nested(Field::ApproachShares, "an object of shares by approach")?.unwrap_or_default();
    let curve: Vec<(f64, f64)> = fields.may_nested(Field::ArrivalCurve, "a list of [minutes from kick-off, share]")?.unwrap_or_default();
    let tickets: BTreeMap<Cow<'_, str>, u32> = fields.may_nested(Field::Tickets, "an object of tickets by section")?.unwrap_or_default();
    let services = "a list of services, each with stop, from, to (epoch ms), vehicles, capacity and perhaps line";
    let services: Vec<WireService<'_>> = fields.may_nested(Field::Services, services)?.unwrap_or_default();
    if shares.is_empty() && curve.is_empty() && tickets.is_empty() && services.is_empty() {
        let detail = "one of \"approach_shares\", \"arrival_curve\", \"tickets\", \"services\" must be there";
        return Err(Fault { detail: detail.to_owned(), ..missing(Field::ApproachShares) });
    }
    check_shares(&shares)?;
    let arrival_curve = rising(&curve)?;
    let identity = Canonical::of("plan").text(match_id).number(version as i64);
    let content = said(identity, &shares, &arrival_curve, &tickets, &services);
    let place = |name: &str| origin.approach(Field::ApproachShares, name);
    let section = |name: &str| origin.section(Field::Tickets, name);
    let plan = Plan {
        match_id: match_id.into(),
        version,
        approach_shares: shares.iter().map(|(name, share)| Ok((place(name)?, *share))).collect::<Result<_, Fault>>()?,
        arrival_curve,
        tickets: tickets.iter().map(|(name, tickets)| Ok((section(name)?, *tickets))).collect::<Result<_, Fault>>()?,
        services: services.iter().map(|wire| service(wire, origin)).collect::<Result<_, Fault>>()?,
    };
    Ok(Item::Observation(origin.observation(at, Entity::Venue, identity, content, What::Plan(Box::new(plan)))?))
}

fn loaded_at(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<EventTime, Fault> {
    if let Some(at) = fields.may_time(Field::At)? {
        return Ok(at);
    }
    let received = origin
        .received
        .ok_or_else(|| Fault { detail: "must be there, since the record does not tell when it was received".to_owned(), ..missing(Field::At) })?;
    moment::from_millis(Some(received)).map_err(|(reason, detail)| Fault::in_field(reason, "midan-received", detail))
}

fn check_shares(shares: &BTreeMap<Cow<'_, str>, f64>) -> Result<(), Fault> {
    // Shares are rounded by whoever writes them; persons who come twice over are an error.
    if shares.values().all(|share| (0.0..=1.0).contains(share)) && shares.values().sum::<f64>() <= 1.01 {
        return Ok(());
    }
    Err(Fault::in_field(Reason::WrongValue, Field::ApproachShares.word(), "must be shares from 0 to 1 that come to 1 at most"))
}

/// The curve in milliseconds; times and shares rise.
fn rising(curve: &[(f64, f64)]) -> Result<Vec<(i64, f64)>, Fault> {
    let wrong = |detail: &str| Fault::in_field(Reason::WrongValue, Field::ArrivalCurve.word(), detail);
    if curve.iter().any(|(minutes, share)| minutes.abs() > 2_880.0 || !(0.0..=1.0).contains(share)) {
        return Err(wrong("must be minutes within two days of kick-off and shares from 0 to 1"));
    }
    let curve: Vec<(i64, f64)> = curve.iter().map(|(minutes, share)| (libm::round(minutes * 60_000.0) as i64, share + 0.0)).collect();
    if curve.windows(2).any(|pair| pair[0].0 >= pair[1].0 || pair[0].1 > pair[1].1) {
        return Err(wrong("must rise in time and in share"));
    }
    Ok(curve)
}

fn service(wire: &WireService<'_>, origin: &Origin<'_>) -> Result<Service, Fault> {
    let time = |millis| moment::from_millis(Some(millis)).map_err(|(reason, detail)| Fault::in_field(reason, Field::Services.word(), detail));
    let (from, to) = (time(wire.from)?, time(wire.to)?);
    if from >= to {
        return Err(Fault::in_field(Reason::WrongValue, Field::Services.word(), "has a service whose \"to\" does not lie after its \"from\""));
    }
    let stop = origin.stop_named(Field::Services, &wire.stop)?;
    Ok(Service { stop, line: wire.line.as_deref().map(Box::from), from, to, vehicles: wire.vehicles, capacity: wire.capacity })
}

fn said(
    opened: Canonical,
    shares: &BTreeMap<Cow<'_, str>, f64>,
    curve: &[(i64, f64)],
    tickets: &BTreeMap<Cow<'_, str>, u32>,
    services: &[WireService<'_>],
) -> Canonical {
    let said = shares.iter().fold(opened.text("shares"), |said, (name, share)| said.text(name).real(*share));
    let said = curve.iter().fold(said.text("curve"), |said, (at, share)| said.number(*at).real(*share));
    let said = tickets.iter().fold(said.text("tickets"), |said, (name, tickets)| said.text(name).number((*tickets).into()));
    services.iter().fold(said.text("services"), |said, service| {
        let said = said.text(&service.stop).text(service.line.as_deref().unwrap_or_default()).number(service.from).number(service.to);
        said.number(service.vehicles.into()).number(service.capacity.into())
    })
}

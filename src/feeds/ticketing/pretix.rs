//! What pretix says of check-ins: its webhook, its check-in object, and a redeem call together with its answer.
//!
//! ```text
//!   webhook         {action: "pretix.event.checkin", notification_id, type, checkin_list, …}      no time: when it was received
//!   check-in        {id, successful, error_reason, datetime, created, list, gate, device, type, …}  an entry of the check-in list's log
//!   redeem          {request: {secret, type, datetime, force, nonce, lists}, response: {status, reason, position, list}}
//! ```
//!
//! A redeem call alone tells no outcome, so whoever forwards it (the scanning proxy) wraps it with its answer. One with `force` was let in by the device while
//! it was offline. The identity is the redeem call's `nonce`, the check-in's `id`, the webhook's `notification_id`: a source sends one of these
//! three, for nobody can tell that two of them mean the same scan. The gate is `gate/N`, `device/N` or `list/N`, the first that the source's names explain. The secret becomes a pseudonym or
//! nothing; names, orders and positions are read past.

use super::scan::{content, rejection};
use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::moment;
use crate::feeds::observation::{Entity, Observation, Rejection, Scan, What};
use crate::feeds::origin::Origin;
use crate::feeds::vendor::{missing, read, time};
use crate::time::EventTime;
use crate::venue::Feed;
use serde::Deserialize;
use std::borrow::Cow;

/// The format.
pub const FORMAT: Format = Format {
    name: "pretix",
    type_name: "pretix.checkin.v1",
    media_types: &["application/vnd.pretix.checkin+json"],
    folder: "ticketing",
    feeds: &[Feed::Ticketing],
    sample: REDEEM.as_bytes(),
    decoder: Decoder::Bytes(decode),
};

const REDEEM: &str = r#"{"request":{"secret":"z3fsn8jyufm5kpk768q69gkbyr5f4h6w","source_type":"barcode","lists":[15],"type":"entry","force":false,"ignore_unpaid":false,"nonce":"Pvrk50vUzQd0DhdpNRL4I4OcXsvg70uA","datetime":"2030-06-15T20:00:04+01:00","questions_supported":true},"response":{"status":"ok","position":{"id":23442,"order":"ABC12","positionid":1,"secret":"z3fsn8jyufm5kpk768q69gkbyr5f4h6w","attendee_name":"Peter","checkins":[{"list":15,"type":"entry","datetime":"2030-06-15T20:00:04+01:00","gate":5,"device":7,"auto_checked_in":false}]},"require_attention":false,"list":{"id":15,"name":"North","event":"final"}}}"#;

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    request: Option<Request<'a>>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    #[serde(borrow)]
    action: Option<Cow<'a, str>>,
    notification_id: Option<u64>,
    checkin_list: Option<u64>,
    id: Option<u64>,
    successful: Option<bool>,
    #[serde(borrow)]
    error_reason: Option<Cow<'a, str>>,
    #[serde(flatten)]
    place: Place,
    #[serde(borrow)]
    datetime: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    direction: Option<Cow<'a, str>>,
    #[serde(borrow)]
    nonce: Option<Cow<'a, str>>,
    #[serde(default)]
    auto_checked_in: bool,
    #[serde(default, alias = "offline")]
    forced: bool,
    /// Only to say what is missing when a redeem call stands alone.
    secret: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    secret: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    direction: Option<Cow<'a, str>>,
    #[serde(borrow)]
    datetime: Option<Cow<'a, str>>,
    #[serde(default)]
    force: bool,
    #[serde(borrow)]
    nonce: Option<Cow<'a, str>>,
    #[serde(default)]
    lists: Vec<u64>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    position: Option<Position>,
    list: Option<Numbered>,
}

#[derive(Deserialize)]
struct Position {
    #[serde(default)]
    checkins: Vec<Place>,
}

/// Where a check-in was.
#[derive(Clone, Copy, Default, Deserialize)]
struct Place {
    gate: Option<Numbered>,
    device: Option<Numbered>,
    list: Option<Numbered>,
}

/// A thing by its number, or written out with its number in it.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Numbered {
    Number(u64),
    Whole { id: u64 },
}

impl Numbered {
    const fn number(self) -> u64 {
        match self {
            Self::Number(id) | Self::Whole { id } => id,
        }
    }
}

/// What the three shapes have in common.
struct Checkin<'a> {
    at: EventTime,
    place: Place,
    direction: Option<&'a str>,
    accepted: bool,
    reason: Option<Rejection>,
    ticket: Option<u64>,
    offline: bool,
    identity: Canonical,
}

fn decode(bytes: &[u8], origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let record: Record<'_> = read(bytes, "check-in of pretix")?;
    let checkin = match (&record.request, &record.response, &record.action) {
        (Some(request), Some(response), _) => redeemed(request, response, origin)?,
        (_, _, Some(action)) => notified(action, &record, origin)?,
        (None, None, None) if record.id.is_some() || record.successful.is_some() => logged(&record)?,
        _ if record.request.is_some() || record.secret.is_some() => {
            return Err(Fault { detail: "must be there: a redeem call alone tells no outcome; forward {request, response}".to_owned(), ..missing("response") });
        }
        _ => return Err(Fault { detail: "must be there, or \"request\" and \"response\", or \"id\"".to_owned(), ..missing("action") }),
    };
    let item = match checkin {
        None => Item::Ignored,
        Some(checkin) => scan(&checkin, origin)?,
    };
    each(item);
    Ok(())
}

/// A redeem call and its answer; none while the device still asks its questions.
fn redeemed<'r>(request: &'r Request<'_>, response: &Response<'_>, origin: &Origin<'_>) -> Result<Option<Checkin<'r>>, Fault> {
    let accepted = match &*response.status {
        "ok" => true,
        "error" => false,
        "incomplete" => return Ok(None),
        _ => return Err(Fault::in_field(Reason::WrongValue, "response.status", "must be \"ok\", \"error\" or \"incomplete\"")),
    };
    let nonce = request.nonce.as_deref().ok_or_else(|| Fault { detail: "must be there: it tells repeats".to_owned(), ..missing("request.nonce") })?;
    let at = match (request.datetime.as_deref(), origin.received_at()) {
        (Some(text), _) => time("request.datetime", moment::from_text(text))?,
        (None, Some(received)) => received,
        (None, None) => return Err(missing("request.datetime")),
    };
    let last = response.position.as_ref().and_then(|position| position.checkins.last()).copied().unwrap_or_default();
    let listed = response.list.or_else(|| request.lists.first().copied().map(Numbered::Number));
    Ok(Some(Checkin {
        at,
        // A ticket that was turned away shows where it was let in before.
        place: if accepted { Place { list: last.list.or(listed), ..last } } else { Place { list: listed, ..Place::default() } },
        direction: request.direction.as_deref(),
        accepted,
        reason: response.reason.as_deref().map(rejection),
        ticket: request.secret.as_deref().and_then(|secret| origin.pseudonym(secret, at)),
        offline: request.force,
        identity: Canonical::of("pretix").text(nonce),
    }))
}

/// A webhook: it tells that there was a check-in, and neither when nor whether it was forced.
fn notified<'r>(action: &str, record: &'r Record<'_>, origin: &Origin<'_>) -> Result<Option<Checkin<'r>>, Fault> {
    if action != "pretix.event.checkin" {
        return Ok(None);
    }
    let id = record.notification_id.ok_or_else(|| missing("notification_id"))?;
    let at = match record.datetime.as_deref() {
        Some(text) => time("datetime", moment::from_text(text))?,
        None => origin.received_at().ok_or_else(|| missing("midan-received"))?,
    };
    let place = Place { list: record.place.list.or(record.checkin_list.map(Numbered::Number)), ..record.place };
    let identity = Canonical::of("pretix.notification").number(id as i64);
    Ok(Some(Checkin { at, place, direction: record.direction.as_deref(), accepted: true, reason: None, ticket: None, offline: false, identity }))
}

/// An entry of the check-in log, good or failed; one that no device made is none of a gate.
fn logged<'r>(record: &'r Record<'_>) -> Result<Option<Checkin<'r>>, Fault> {
    if record.auto_checked_in {
        return Ok(None);
    }
    let identity = match (record.nonce.as_deref(), record.id) {
        (Some(nonce), _) => Canonical::of("pretix").text(nonce),
        (None, Some(id)) => Canonical::of("pretix.checkin").number(id as i64),
        (None, None) => return Err(missing("id")),
    };
    let at = time("datetime", moment::from_text(record.datetime.as_deref().ok_or_else(|| missing("datetime"))?))?;
    let reason = record.error_reason.as_deref().map(rejection);
    let accepted = record.successful.unwrap_or(reason.is_none());
    Ok(Some(Checkin { at, place: record.place, direction: record.direction.as_deref(), accepted, reason, ticket: None, offline: record.forced, identity }))
}

fn scan(checkin: &Checkin<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let exit = match checkin.direction {
        None | Some("entry") => false,
        Some("exit") => true,
        Some(_) => return Err(Fault::in_field(Reason::WrongValue, "type", "must be \"entry\" or \"exit\"")),
    };
    let Some(called) = called(&checkin.place, origin) else { return Err(missing("gate")) };
    if origin.leaves_out(&called) {
        return Ok(Item::Ignored);
    }
    let scan = Scan { accepted: checkin.accepted, exit, reason: checkin.reason.filter(|_| !checkin.accepted), ticket: checkin.ticket };
    let read = || {
        let (gate, name) = origin.gate_named("gate", &called)?;
        let observation = origin.observation(checkin.at, Entity::Gate(gate), checkin.identity, content(&scan, name, checkin.at), What::Scan(scan))?;
        Ok(Observation { offline: checkin.offline, ..observation })
    };
    origin.settle(read())
}

/// What the place is called: the most exact thing that the source's names explain, else the most exact that is there.
fn called(place: &Place, origin: &Origin<'_>) -> Option<String> {
    let kinds = [("gate", place.gate), ("device", place.device), ("list", place.list)];
    let told: Vec<String> = kinds.into_iter().filter_map(|(kind, id)| id.map(|id| format!("{kind}/{}", id.number()))).collect();
    let known = origin.wire().and_then(|wire| told.iter().find(|name| wire.names.contains_key(name.as_str())));
    known.or(told.first()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::sample;

    const WEBHOOK: &str = r#"{"notification_id":123455,"organizer":"acmecorp","event":"democon","code":"ABC23","action":"pretix.event.checkin","orderposition_id":91,"orderposition_positionid":2,"checkin_list":15,"type":"entry","first_checkin":true}"#;
    const LOGGED: &str = r#"{"id":881,"successful":false,"error_reason":"already_redeemed","error_explanation":"Peter was here at 19:58","position":1234,"datetime":"2030-06-15T19:00:09Z","created":"2030-06-15T19:14:55Z","list":15,"auto_checked_in":false,"gate":null,"device":7,"device_id":1,"type":"entry"}"#;

    fn items(record: &str) -> Result<Vec<Item>, Fault> {
        sample::items_of(&FORMAT, record.as_bytes())
    }

    fn scan_of(record: &str) -> (Observation, Scan) {
        match items(record).unwrap().remove(0) {
            Item::Observation(seen) => match seen.what {
                What::Scan(scan) => (seen, scan),
                _ => panic!("{seen:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_redeem_call_with_its_answer_is_a_scan_at_the_gate_of_its_checkin() {
        let (seen, scan) = scan_of(REDEEM);
        assert_eq!(scan, Scan { accepted: true, ..Scan::default() });
        assert_eq!((seen.at.as_millis(), seen.offline), (1_907_780_404_000, false));
        assert_eq!(scan_of(&REDEEM.replace("\"Peter\"", "\"Paul\"")).0, seen, "who it was leaves no trace");
    }

    #[test]
    fn the_nonce_tells_repeats() {
        let (first, other) = (scan_of(REDEEM).0, scan_of(&REDEEM.replace("Pvrk50vU", "Pvrk50vV")).0);
        assert_ne!(first.identity, other.identity);
        assert_eq!(first.content, other.content);
        assert_eq!(items(&REDEEM.replace("\"nonce\"", "\"once\"")).unwrap_err().field, "request.nonce");
    }

    #[test]
    fn a_forced_scan_was_uploaded_later() {
        assert!(scan_of(&REDEEM.replace("\"force\":false", "\"force\":true")).0.offline);
    }

    #[test]
    fn every_reason_of_pretix_is_told_apart() {
        let words = [
            ("invalid", Rejection::Invalid),
            ("unpaid", Rejection::Unpaid),
            ("blocked", Rejection::Blocked),
            ("invalid_time", Rejection::InvalidTime),
            ("canceled", Rejection::Canceled),
            ("already_redeemed", Rejection::AlreadyRedeemed),
            ("product", Rejection::Product),
            ("rules", Rejection::Rules),
            ("ambiguous", Rejection::Ambiguous),
            ("revoked", Rejection::Revoked),
            ("unapproved", Rejection::Unapproved),
            ("error", Rejection::Error),
            ("a new one", Rejection::Other),
        ];
        for (word, reason) in words {
            let refused = REDEEM.replace("\"status\":\"ok\"", &format!("\"status\":\"error\",\"reason\":\"{word}\""));
            assert_eq!(scan_of(&refused).1, Scan { accepted: false, reason: Some(reason), ..Scan::default() }, "{word}");
        }
        assert_eq!(items(&REDEEM.replace("\"status\":\"ok\"", "\"status\":\"incomplete\"")), Ok(vec![Item::Ignored]));
    }

    #[test]
    fn a_webhook_happened_when_it_came() {
        let (seen, scan) = scan_of(WEBHOOK);
        assert_eq!((seen.at.as_millis(), scan.accepted), (1_907_863_300_000, true));
        assert_eq!(items(&WEBHOOK.replace("event.checkin", "event.checkin.reverted")), Ok(vec![Item::Ignored]));
        assert!(matches!(items(&WEBHOOK.replace("15", "16")).unwrap()[..], [Item::Unusable { .. }]));
    }

    #[test]
    fn a_failed_checkin_of_the_log_is_a_rejection() {
        let (seen, scan) = scan_of(LOGGED);
        assert_eq!(scan.reason, Some(Rejection::AlreadyRedeemed));
        assert_eq!(seen.at.as_millis(), 1_907_780_409_000);
        assert_eq!(items(&LOGGED.replace("\"auto_checked_in\":false", "\"auto_checked_in\":true")), Ok(vec![Item::Ignored]));
    }

    #[test]
    fn a_redeem_call_alone_is_refused_and_its_secret_is_not_repeated() {
        for alone in [r#"{"secret":"z3fsn8","lists":[15],"nonce":"n"}"#, r#"{"request":{"secret":"z3fsn8","nonce":"n"}}"#] {
            let fault = items(alone).unwrap_err();
            assert!(fault.field == "response" && !fault.to_string().contains("z3fsn8"), "{fault}");
        }
    }
}

//! `midan explain`: why a window of a zone is open, closed or revised, asked of a running service; or why an alarm stands, read from the topics.

use super::args::ExplainArgs;
use super::reopen::moment;
use super::replay::to_end;
use super::service;
use super::settings::Settings;
use crate::alarm::Change;
use crate::detect::Evidence;
use crate::engine::OutTopic;
use crate::feeds::{self, Item};
use crate::kafka::KafkaTail;
use crate::log::{Since, Topic};
use crate::time::EventTime;
use crate::venue::{Feed, Venue};
use anyhow::Context;
use serde::Deserialize;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many positions of events are told.
const TOLD: usize = 8;

/// Explains a window or an alarm.
pub(super) fn run(settings: &Settings, args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    match (&args.alarm, &args.venue, &args.zone) {
        (Some(alarm), ..) => of_alarm(settings, alarm),
        (None, Some(venue), Some(zone)) => of_window(args, venue, zone),
        _ => anyhow::bail!("nothing to explain: name --venue and --zone (and --at), or --alarm"),
    }
}

fn of_window(args: &ExplainArgs, venue: &str, zone: &str) -> anyhow::Result<ExitCode> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        text: Vec<String>,
        error: Option<String>,
    }
    let at = args.at.as_deref().map(moment).transpose()?.map_or_else(String::new, |at| format!("&at={}", at.as_millis()));
    let body = get(&args.url, &format!("/api/v1/venues/{venue}/explain?zone={zone}{at}"), args.token.as_deref())?;
    let answer: Answer = serde_json::from_str(&body).with_context(|| format!("{} answered {body:?}", args.url))?;
    if let Some(error) = answer.error {
        anyhow::bail!(error);
    }
    answer.text.iter().for_each(|line| println!("{line}"));
    Ok(ExitCode::SUCCESS)
}

/// Plain HTTP on this machine, as the health check does it.
fn get(url: &str, path: &str, token: Option<&str>) -> anyhow::Result<String> {
    let host = url.strip_prefix("http://").with_context(|| format!("--url {url}: write http://HOST:PORT"))?.trim_end_matches('/');
    let mut stream = TcpStream::connect(host).map_err(|why| anyhow::anyhow!("{url}: {why}; is the service running there?"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n{token}\r\n")?;
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").with_context(|| format!("{url} gave no answer"))?;
    Ok(body.to_owned())
}

fn of_alarm(settings: &Settings, alarm: &str) -> anyhow::Result<ExitCode> {
    let kafka = settings.kafka.clients();
    let world = service::world(settings)?;
    let mut changes: Vec<Change> = Vec::new();
    to_end(&mut KafkaTail::new(&kafka, &[Topic::Out(OutTopic::Alarms)], Since::Beginning)?, &mut |record| {
        if record.key == alarm.as_bytes()
            && let Some(value) = &record.value
        {
            changes.push(serde_json::from_slice(value).with_context(|| format!("{}/{}@{}", record.topic, record.partition, record.offset))?);
        }
        Ok(())
    })?;
    let last = changes
        .last()
        .with_context(|| format!("no alarm {alarm} on {}; its id stands in the console and on the alert", kafka.name(Topic::Out(OutTopic::Alarms))))?;
    let venue = world.find(&last.venue).map(|id| world.venue(id)).with_context(|| format!("venue {} is not configured", last.venue))?;
    println!("{} at {} {}, {}", last.code.word(), place_word(last), last.place.id, state_word(last));
    println!("onset {}, {} changes:", last.onset, changes.len());
    for change in &changes {
        let by = change.operator.as_deref().map_or_else(String::new, |operator| format!(" by {operator}"));
        println!("  {}  {} ({}){by}", change.event_time, word(&change.change), word(&change.priority));
    }
    let leading = changes.iter().rev().find(|change| !change.evidence.is_empty()).unwrap_or(last);
    println!("For it, as of {}:", leading.event_time);
    leading.evidence.iter().for_each(tell_evidence);
    if !leading.against.is_empty() {
        println!("Against it:");
        leading.against.iter().for_each(tell_evidence);
    }
    let window = leading.evidence.iter().map(|evidence| (evidence.from, evidence.to)).reduce(|(a, b), (from, to)| (a.min(from), b.max(to)));
    if let Some((from, to)) = window {
        tell_events(&kafka, &world, venue, last, from, to)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell_evidence(evidence: &Evidence) {
    let limit = evidence.threshold.map_or_else(String::new, |limit| format!(", threshold {limit} {}", evidence.unit));
    let profile = evidence.profile.as_deref().map_or_else(String::new, |profile| format!(" of profile {profile}"));
    println!("  {} {} {}{limit}{profile}", evidence.what, evidence.value, evidence.unit);
}

/// The events of the window that the figures were made of: how many, and where the first of them stand.
fn tell_events(
    kafka: &crate::kafka::Settings,
    world: &crate::venue::World,
    venue: &Venue,
    change: &Change,
    from: EventTime,
    to: EventTime,
) -> anyhow::Result<()> {
    let zone = venue.find_zone(&change.place.id).or_else(|| venue.find_gate(&change.place.id).and_then(|gate| venue.gates[gate.index()].queue));
    let inputs: Vec<Topic> = Feed::ALL.into_iter().map(Topic::In).collect();
    let (mut events, mut positions) = (0_u64, Vec::new());
    to_end(&mut KafkaTail::new(kafka, &inputs, Since::Beginning)?, &mut |record| {
        let Topic::In(feed) = record.topic else { return Ok(()) };
        if record.key != venue.id.as_bytes() {
            return Ok(());
        }
        let mut found = 0;
        let _ = feeds::decode(&record.as_input(feed), world, &mut |item| {
            let Item::Observation(observation) = item else { return };
            let at = observation.at.after(venue.sources[observation.source.index()].as_of_lag);
            let concerns = zone.is_none_or(|zone| crate::engine::explain::concerns(venue, observation.entity, zone));
            found += u64::from(at >= from && at < to && concerns && !matches!(observation.what, feeds::What::LowWater));
        });
        events += found;
        if found > 0 && positions.len() < TOLD {
            positions.push(format!("{}/{}/{}", feed.topic(), record.partition, record.offset));
        }
        Ok(())
    })?;
    println!("Made of {events} events from {from} to {to}: {}{}", positions.join(", "), if events > TOLD as u64 { ", …" } else { "" });
    Ok(())
}

fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn place_word(change: &Change) -> String {
    word(&change.place.kind)
}

fn state_word(change: &Change) -> String {
    format!("{} ({})", word(&change.state), word(&change.priority))
}

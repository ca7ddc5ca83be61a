//! `midan reopen`: takes records that were too late back in. Each is written to its input topic once more, marked with the position at which it was late; the service counts it
//! under `reopened`, corrects what lasts and publishes what its windows lacked.

use super::args::ReopenArgs;
use super::replay::to_end;
use super::service;
use super::settings::Settings;
use crate::audit::reopen::{Selection, Wanted};
use crate::engine::OutTopic;
use crate::kafka::{KafkaFeeder, KafkaTail};
use crate::log::{Feeder, InRecord, POSITION_HEADER, Since, Topic};
use crate::time::EventTime;
use crate::venue::Feed;
use std::process::ExitCode;

/// Finds the late records of the venue and the window and writes them once more.
pub(super) fn run(settings: &Settings, args: &ReopenArgs) -> anyhow::Result<ExitCode> {
    let kafka = settings.kafka.clients();
    let world = service::world(settings)?;
    if world.find(&args.venue).is_none() {
        anyhow::bail!("no venue {}; the nearest are {}", args.venue, world.names.nearest(&args.venue).join(", "));
    }
    let wanted = Wanted { venue: args.venue.as_str().into(), from: moment(&args.from)?, to: moment(&args.to)? };
    let mut selection = Selection::new(wanted);
    to_end(&mut KafkaTail::new(&kafka, &[Topic::Out(OutTopic::Late)], Since::Beginning)?, &mut |record| {
        selection.late(record.value.as_deref().unwrap_or_default(), record.header(POSITION_HEADER).unwrap_or_default());
        Ok(())
    })?;
    let wanted = selection.wanted();
    if wanted == 0 {
        println!("late          {wanted:>10} records of {} in that window: nothing to take back in", args.venue);
        return Ok(ExitCode::SUCCESS);
    }
    let inputs: Vec<Topic> = Feed::ALL.into_iter().map(Topic::In).collect();
    to_end(&mut KafkaTail::new(&kafka, &inputs, Since::Beginning)?, &mut |record| {
        if let Topic::In(feed) = record.topic {
            selection.record(&record.as_input(feed), &world);
        }
        Ok(())
    })?;
    let records = selection.finish();
    println!("late          {wanted:>10} records of {} in that window", args.venue);
    println!("repeats       {:>10} of them say what had been said before, and stay out", selection.repeats);
    let gone = wanted as u64 - records.len() as u64 - selection.repeats;
    if gone > 0 {
        println!("gone          {gone:>10} are not on their topic any more");
    }
    if args.dry_run {
        println!("taken in      none: --dry-run");
        return Ok(ExitCode::SUCCESS);
    }
    let mut feeder = KafkaFeeder::new(&kafka)?;
    for record in &records {
        let told = InRecord {
            feed: record.feed,
            key: &record.key,
            value: &record.value,
            source: record.source.as_deref(),
            format: record.format.as_deref(),
            received: record.received,
            cloud_event: Some(record.cloud_event()),
            attributes: record.attributes(),
        };
        feeder.send(&told)?;
    }
    feeder.flush()?;
    println!("taken in      {:>10}; the service revises at its next pane, and its ledger tells them under `reopened`", records.len());
    Ok(ExitCode::SUCCESS)
}

/// Epoch milliseconds, or RFC 3339 with an offset.
pub(super) fn moment(text: &str) -> anyhow::Result<EventTime> {
    if let Ok(millis) = text.parse() {
        return Ok(EventTime::from_millis(millis));
    }
    let at = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|why| anyhow::anyhow!("{text:?} is no time ({why}); write epoch milliseconds, or 2030-06-16T19:42:00+01:00"))?;
    Ok(EventTime::from_millis(at.timestamp_millis()))
}

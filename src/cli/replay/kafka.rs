//! `midan replay --kafka`: what stands on the configured Kafka's input topics, read to its end and run through the engine again.
//!
//! Every record goes into the log inside the process with its partition, key, headers and order; the offsets are that log's own, for retention may have
//! cut off the first ones. Nothing is written to Kafka, and no group's offsets move.

use super::super::args::ReplayArgs;
use super::super::drive::Drive;
use super::super::service::{self, Around, stopwatch};
use super::super::settings::Settings;
use crate::engine::OutTopic;
use crate::feeds::{Attributes, RecordRef};
use crate::kafka::{self, KafkaTail};
use crate::log::embedded::EmbeddedFeeder;
use crate::log::{Feeder, RECEIVED_HEADER, SOURCE_HEADER, Since, Tail, TailRecord, Topic};
use crate::results::Results;
use crate::venue::Feed;
use std::process::ExitCode;
use std::time::Duration;

const AT_A_TIME: usize = 5_000;
const PATIENCE: Duration = Duration::from_millis(200);

pub(super) fn run(settings: &Settings, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let began = stopwatch();
    let kafka = settings.kafka.clients();
    let entries = journal_entries(&kafka)?;
    if entries > 0 {
        println!("journal       {entries} entries on {} are not read: this run decides by rule", kafka.name(Topic::Out(OutTopic::Control)));
        println!("              (every partition to its end, no deadline, no ticks), so it may differ from what was decided live");
    }
    let around = Around::new(service::world(settings)?)?;
    let partitions = settings.kafka.partitions;
    let drive = Drive { settings, around: &around, partitions, model: args.model.as_deref(), features: args.features.as_deref() };
    let inputs: Vec<Topic> = Feed::ALL.into_iter().map(Topic::In).collect();
    let mut tail = KafkaTail::new(&kafka, &inputs, Since::Beginning)?;
    let driven = drive.to_end(Some(Results::open(&args.out)?), |feeder, _| {
        to_end(&mut tail, &mut |record| copy(feeder, record, partitions))?;
        Ok(feeder.flush()?)
    })?;
    let places = around.world.venues.iter().map(|venue| venue.zones.len() + venue.gates.len()).sum();
    super::finish(driven, args, began.elapsed(), places)
}

/// How many control records there are.
fn journal_entries(kafka: &kafka::Settings) -> anyhow::Result<u64> {
    let mut tail = KafkaTail::new(kafka, &[Topic::Out(OutTopic::Control)], Since::Beginning)?;
    let mut entries = 0;
    to_end(&mut tail, &mut |_| {
        entries += 1;
        Ok(())
    })?;
    Ok(entries)
}

fn to_end(tail: &mut dyn Tail, each: &mut dyn FnMut(&TailRecord) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut records = Vec::new();
    loop {
        tail.poll(AT_A_TIME, PATIENCE, &mut records)?;
        records.iter().try_for_each(&mut *each)?;
        if records.is_empty() && tail.at_end() {
            return Ok(());
        }
        records.clear();
    }
}

fn copy(feeder: &mut EmbeddedFeeder, record: &TailRecord, partitions: u32) -> anyhow::Result<()> {
    let Topic::In(feed) = record.topic else { return Ok(()) };
    if record.partition >= partitions {
        anyhow::bail!(
            "{} has a partition {}, but kafka.partitions = {partitions}: `midan topics check` names every difference",
            record.topic,
            record.partition
        );
    }
    let received = record.header(RECEIVED_HEADER).and_then(|text| text.parse().ok());
    let mut attributes = Attributes::default();
    for name in Attributes::NAMES {
        if let Some(value) = record.header(name) {
            attributes.take(name, value);
        }
    }
    feeder.copy(&RecordRef {
        feed,
        partition: record.partition,
        offset: record.offset,
        appended: None,
        // The broker's time of appending stands for a missing header, and would be lost with the broker.
        received: received.or(Some(record.timestamp_ms)),
        key: Some(&record.key),
        value: record.value.as_deref().unwrap_or_default(),
        source: record.header(SOURCE_HEADER),
        format: record.header("ce_type").or_else(|| record.header("content-type")),
        cloud_event: record.header("ce_source").zip(record.header("ce_id")),
        attributes,
    })?;
    Ok(())
}

//! `midan replay --kafka`: what stands on the configured Kafka's input topics, read to its end and run through the engine again.
//!
//! Every record goes into the log inside the process with its partition, offset, key, headers and order, and the engine follows the journal on `midan.control`: what was decided live
//! is done again at the same place, so the outputs are those of the night. Without a journal, or with `--no-journal`, the run decides by rule. Nothing is written to
//! Kafka, and no group's offsets move.

use super::super::args::ReplayArgs;
use super::super::drive::Drive;
use super::super::service::{self, Around, stopwatch};
use super::super::settings::Settings;
use crate::engine::OutTopic;
use crate::engine::journal::Line;
use crate::kafka::{self, KafkaTail};
use crate::log::embedded::EmbeddedFeeder;
use crate::log::{Feeder, Since, Tail, TailRecord, Topic};
use crate::results::Results;
use crate::venue::Feed;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const AT_A_TIME: usize = 5_000;
const PATIENCE: Duration = Duration::from_millis(200);

pub(super) fn run(settings: &Settings, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let began = stopwatch();
    let kafka = settings.kafka.clients();
    let journal = journal(&kafka)?;
    let journal = tell_journal(journal, kafka.name(Topic::Out(OutTopic::Control)).as_str(), args.no_journal);
    let around = Around::new(service::world(settings)?)?;
    let partitions = settings.kafka.partitions;
    let drive = Drive { settings, around: &around, partitions, models: args.into(), journal, features: args.features.as_deref() };
    let inputs: Vec<Topic> = Feed::ALL.into_iter().map(Topic::In).collect();
    let mut tail = KafkaTail::new(&kafka, &inputs, Since::Beginning)?;
    let driven = drive.to_end(Some(Results::open(&args.out)?), |feeder, _| {
        to_end(&mut tail, &mut |record| copy(feeder, record, partitions))?;
        Ok(feeder.flush()?)
    })?;
    let places = around.world.venues.iter().map(|venue| venue.zones.len() + venue.gates.len()).sum();
    super::finish(driven, args, began.elapsed(), places)
}

/// The journal, by partition in the order of its writing.
fn journal(kafka: &kafka::Settings) -> anyhow::Result<Vec<Line>> {
    let mut tail = KafkaTail::new(kafka, &[Topic::Out(OutTopic::Control)], Since::Beginning)?;
    let mut lines = Vec::new();
    to_end(&mut tail, &mut |record| {
        let value = record.value.as_deref().unwrap_or_default();
        let line = Line::read(value).map_err(|why| anyhow::anyhow!("{}/{}@{}: {why}", record.topic, record.partition, record.offset))?;
        lines.push(line);
        Ok(())
    })?;
    Ok(lines)
}

fn tell_journal(lines: Vec<Line>, topic: &str, is_refused: bool) -> Option<Arc<Vec<Line>>> {
    if lines.is_empty() {
        println!("journal       {topic} is empty: this run decides by rule (every partition to its end, no deadline, no ticks)");
        return None;
    }
    if is_refused {
        println!("journal       {} entries of {topic} are not followed: this run decides by rule and may differ from what was decided live", lines.len());
        return None;
    }
    println!("journal       {} entries of {topic} are followed", lines.len());
    Some(Arc::new(lines))
}

/// Reads to the end and hands on each record.
pub(in crate::cli) fn to_end(tail: &mut dyn Tail, each: &mut dyn FnMut(&TailRecord) -> anyhow::Result<()>) -> anyhow::Result<()> {
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
    feeder.copy(&record.as_input(feed))?;
    Ok(())
}

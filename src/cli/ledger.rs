//! `midan ledger`: the ledger on Kafka held against the topics, from outside: no group is joined, no engine runs, nothing is written.

use super::replay::to_end;
use super::service;
use super::settings::Settings;
use crate::audit::{Audit, Report};
use crate::engine::{OutTopic, Row};
use crate::kafka::{self, KafkaTail};
use crate::log::{POSITION_HEADER, Since, TailRecord, Topic};
use crate::venue::Feed;
use anyhow::Context;
use std::process::ExitCode;

/// So many differences are told one by one.
const TOLD: usize = 40;

/// Recomputes the ledger; fails when anything differs.
pub(super) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let kafka = settings.kafka.clients();
    let mut audit = Audit::new(service::world(settings)?, settings.kafka.partitions);
    read(&kafka, &[Topic::Out(OutTopic::Ledger)], &mut |record| {
        let row: Row = serde_json::from_slice(value(record)).with_context(|| place(record))?;
        let position = record.header(POSITION_HEADER).with_context(|| format!("{}: a row without a position, as an older version wrote it", place(record)))?;
        audit.row(&row, position).map_err(|why| anyhow::anyhow!("{}: {why}", place(record)))
    })?;
    read(&kafka, &[Topic::Out(OutTopic::Late), Topic::Out(OutTopic::Quarantine)], &mut |record| {
        let position = record.header(POSITION_HEADER).with_context(|| format!("{}: a line without a position", place(record)))?;
        if record.topic == Topic::Out(OutTopic::Late) {
            audit.late(position)
        } else {
            audit.quarantined(position)
        }
        Ok(())
    })?;
    let inputs: Vec<Topic> = Feed::ALL.into_iter().map(Topic::In).collect();
    read(&kafka, &inputs, &mut |record| {
        if let Topic::In(feed) = record.topic {
            audit.record(&record.as_input(feed));
        }
        Ok(())
    })?;
    let report = audit.finish();
    tell(&report);
    Ok(if report.differences.is_empty() && report.sums.imbalance() == (0, 0) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(report: &Report) {
    let Report { rows, records, open, before, sums, differences } = report;
    println!("rows          {rows:>10} of midan.ledger, with {records} records of the inputs");
    println!("not checked   {open:>10} records behind the last row of their partition: their row is still open");
    if *before > 0 {
        println!("              {before:>10} records of rows that retention has cut into");
    }
    println!("records       {:>10} = {} decoded + {} undecodable + {} commands", sums.read, sums.decoded, sums.undecodable, sums.command);
    println!(
        "observations  {:>10} = {} windowed + {} revised + {} late + {} duplicates + {} quarantined + {} ignored",
        sums.observations, sums.windowed, sums.revised, sums.late, sums.duplicate, sums.quarantined, sums.ignored
    );
    if sums.imbalance() != (0, 0) {
        println!("imbalance     {:?}: the rows' own sums do not hold", sums.imbalance());
    }
    if differences.is_empty() {
        println!("differences   none");
        return;
    }
    println!("differences   {}", differences.len());
    differences.iter().take(TOLD).for_each(|difference| println!("  {difference}"));
    if differences.len() > TOLD {
        println!("  and {} more", differences.len() - TOLD);
    }
}

fn read(kafka: &kafka::Settings, topics: &[Topic], each: &mut dyn FnMut(&TailRecord) -> anyhow::Result<()>) -> anyhow::Result<()> {
    to_end(&mut KafkaTail::new(kafka, topics, Since::Beginning)?, each)
}

fn value(record: &TailRecord) -> &[u8] {
    record.value.as_deref().unwrap_or_default()
}

fn place(record: &TailRecord) -> String {
    format!("{}/{}@{}", record.topic, record.partition, record.offset)
}

//! A simulated night, fed into a log at the wanted speed.

use super::args::Speed;
use super::service::stopwatch;
use crate::log::{Feeder, InRecord};
use crate::simulate::{Nights, SimRecord, Truth};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Feeds `records` until they or `stop` end; `told` hears the simulated time (epoch ms) as it goes.
///
/// At `Speed::Max` nothing waits but for the log's own patience.
pub(super) fn feed(
    records: &mut impl Iterator<Item = SimRecord>,
    feeder: &mut dyn Feeder,
    speed: Speed,
    stop: &AtomicBool,
    mut told: impl FnMut(i64),
) -> anyhow::Result<u64> {
    let began = stopwatch();
    let (mut first, mut sent, mut second) = (None, 0, i64::MIN);
    for record in records {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let start = *first.get_or_insert(record.received);
        if let Speed::Times(times) = speed {
            let due = Duration::from_secs_f64((record.received - start).max(0) as f64 / 1_000.0 / times);
            wait_until_due(began, due, feeder)?;
        }
        if record.received.div_euclid(1_000) > second {
            second = record.received.div_euclid(1_000);
            told(record.received);
        }
        let source = Some(&*record.source);
        feeder.send(&InRecord {
            feed: record.feed,
            key: record.key.as_bytes(),
            value: &record.value,
            source,
            format: record.format,
            received: Some(record.received),
            cloud_event: None,
            attributes: crate::feeds::Attributes::NONE,
        })?;
        sent += 1;
    }
    feeder.flush()?;
    Ok(sent)
}

/// Writes what no input shows.
pub(super) fn write_truth(nights: &Nights, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    let mut file = BufWriter::new(file);
    Truth::write_header(&mut file)?;
    for truth in nights.truths() {
        truth.write_csv(&mut file)?;
    }
    Ok(file.flush()?)
}

#[allow(clippy::disallowed_methods, reason = "pacing is waiting for the wall clock")]
pub(super) fn wait_until_due(began: std::time::Instant, due: Duration, feeder: &mut dyn Feeder) -> anyhow::Result<()> {
    let ahead = due.saturating_sub(began.elapsed());
    if ahead > Duration::from_millis(5) {
        feeder.flush()?;
        std::thread::sleep(ahead);
    }
    Ok(())
}

//! What a replay leaves behind in its folder (FORMATS.md, "A table of one's own"): forecasts, findings and the picture, a line each, and the ledger; on request also as Parquet.
//!
//! Like the summary, it reads the output topics only: what stands in the files is what was published.

pub mod features;
pub mod findings;
mod parquet;
mod times;

use crate::engine::{OutTopic, Row};
use crate::summary::ZoneRecord;
use crate::time::EventTime;
use findings::{FindingLine, Findings};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
pub use times::Times;

/// What is kept before it is written, bytes: a replay writes gigabytes.
const BUFFER: usize = 1 << 18;
/// What was set aside, where something was.
const QUARANTINE: &str = "quarantine.ndjson";
/// All that a replay may leave in its folder, some of it also as Parquet ([`parquet::names`]).
const NAMES: [&str; 7] = ["forecasts.ndjson", "findings.ndjson", "zones.ndjson", "ledger.json", "rows.json", QUARANTINE, "arrivals.ndjson"];

/// The files of one replay.
#[derive(Debug)]
pub struct Results {
    folder: PathBuf,
    forecasts: BufWriter<NamedFile>,
    zones: BufWriter<NamedFile>,
    quarantine: Option<BufWriter<NamedFile>>,
    findings: Findings,
    rows: Vec<Row>,
    lines: u64,
    reach: Option<(i64, i64)>,
    times: Times,
}

#[derive(Serialize)]
struct ForecastLine<'a> {
    zone: &'a str,
    what: &'a str,
    issued: i64,
    target_from: i64,
    target_to: i64,
    h_s: u32,
    q10: &'a RawValue,
    q50: &'a RawValue,
    q90: &'a RawValue,
    model: Option<&'a RawValue>,
}

impl Results {
    /// Opens the files in `folder`, which is made where it does not exist; what an earlier replay left there is replaced.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn open(folder: &Path) -> io::Result<Self> {
        make_folder(folder)?;
        Self::clear(folder)?;
        let file = |name: &str| create(&folder.join(name)).map(|file| BufWriter::with_capacity(BUFFER, file));
        Ok(Self {
            folder: folder.to_owned(),
            forecasts: file("forecasts.ndjson")?,
            zones: file("zones.ndjson")?,
            quarantine: None,
            findings: Findings::default(),
            rows: Vec::new(),
            lines: 0,
            reach: None,
            times: Times::default(),
        })
    }

    /// Takes away what an earlier replay left in `folder`, and nothing else: what a run that fails leaves there must not be taken for its own.
    fn clear(folder: &Path) -> io::Result<()> {
        // Also a link that leads nowhere.
        for path in of_a_replay(folder).filter(|path| path.symlink_metadata().is_ok()) {
            std::fs::remove_file(&path).map_err(|why| at(&path, &why))?;
        }
        Ok(())
    }

    /// Whether `path` is one of the files that a replay leaves in `folder`.
    pub fn holds(folder: &Path, path: &Path) -> bool {
        let known = |path: &Path| path.canonicalize().ok();
        known(path).is_some_and(|path| of_a_replay(folder).any(|own| known(&own).as_ref() == Some(&path)))
    }

    /// Writes the times of the records as event times.
    pub fn with_times(self, times: Times) -> Self {
        Self { times, ..self }
    }

    /// Takes one output record in.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn take(&mut self, topic: OutTopic, value: &[u8]) -> io::Result<()> {
        match topic {
            OutTopic::Zones => self.take_zones(value, ZoneRecord::read(value).as_ref()),
            OutTopic::Alarms => {
                self.findings.take(value);
                Ok(())
            }
            OutTopic::Ledger => {
                self.rows.extend(serde_json::from_slice::<Row>(value).ok());
                Ok(())
            }
            OutTopic::Alerts | OutTopic::Late | OutTopic::Quarantine | OutTopic::Control | OutTopic::State => Ok(()),
        }
    }

    /// Writes down what was set aside, with where it stood in the input (`topic/partition/offset`); the file is there only when something was.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take_quarantined(&mut self, position: &str, value: &[u8]) -> io::Result<()> {
        #[derive(Serialize)]
        struct Line<'a> {
            position: &'a str,
            #[serde(flatten)]
            record: serde_json::Map<String, serde_json::Value>,
        }
        let file = match &mut self.quarantine {
            Some(file) => file,
            none => none.insert(BufWriter::new(create(&self.folder.join(QUARANTINE))?)),
        };
        serde_json::to_writer(&mut *file, &Line { position, record: serde_json::from_slice(value).unwrap_or_default() })?;
        file.write_all(b"\n")
    }

    /// How much event time the panes cover, ms.
    pub fn reach_ms(&self) -> i64 {
        self.reach.map_or(0, |(first, last)| last - first)
    }

    /// Adds a ledger row that is still open: it is in the state, not on the topic.
    pub fn add_open_row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes what is known only at the end, and with `parquet` the same again as Parquet; answers how many forecasts there are, and the findings.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(mut self, parquet: bool) -> io::Result<(u64, Vec<FindingLine>)> {
        self.forecasts.flush()?;
        self.zones.flush()?;
        self.quarantine.as_mut().map_or(Ok(()), Write::flush)?;
        let mut findings = self.findings.finish();
        for finding in &mut findings {
            for at in [&mut finding.from, &mut finding.to, &mut finding.detected] {
                *at = self.times.of(*at);
            }
        }
        let mut lines = BufWriter::new(create(&self.folder.join("findings.ndjson"))?);
        for finding in &findings {
            serde_json::to_writer(&mut lines, finding)?;
            lines.write_all(b"\n")?;
        }
        lines.flush()?;
        for row in &mut self.rows {
            row.pane = row.pane.map(|pane| EventTime::from_millis(self.times.of(pane.as_millis())));
        }
        self.rows.sort_by(|a, b| (&a.topic, a.partition, a.pane).cmp(&(&b.topic, b.partition, b.pane)));
        let mut ledger = BufWriter::new(create(&self.folder.join("ledger.json"))?);
        serde_json::to_writer_pretty(&mut ledger, &self.rows)?;
        ledger.flush()?;
        if parquet {
            parquet::beside(&self.folder)?;
        }
        Ok((self.lines, findings))
    }

    /// Takes one record of `midan.zones` in, with what is read of it where it is a zone's.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn take_zones(&mut self, value: &[u8], record: Option<&ZoneRecord<'_>>) -> io::Result<()> {
        self.zones.write_all(self.times.of_record(value).as_deref().unwrap_or(value))?;
        self.zones.write_all(b"\n")?;
        let Some(record) = record else { return Ok(()) };
        self.findings.pass(&record.venue, record.event_time, record.from);
        if record.inwards.or(record.out).or(record.count).is_some() {
            self.findings.count(&record.venue, &record.zone, record.event_time, record.from);
        }
        self.reach = Some(self.reach.map_or((record.from, record.event_time), |(first, last)| (first.min(record.from), last.max(record.event_time))));
        if record.revision > 0 {
            return Ok(());
        }
        let step_ms = record.forecast.iter().map(|entry| i64::from(entry.h_s) * 1_000).min().unwrap_or(0);
        for entry in &record.forecast {
            let target_to = record.event_time + i64::from(entry.h_s) * 1_000;
            let line = ForecastLine {
                zone: &record.zone,
                what: entry.what,
                issued: self.times.of(record.event_time),
                target_from: self.times.of(target_to - step_ms),
                target_to: self.times.of(target_to),
                h_s: entry.h_s,
                q10: entry.q10,
                q50: entry.q50,
                q90: entry.q90,
                model: record.model,
            };
            serde_json::to_writer(&mut self.forecasts, &line)?;
            self.forecasts.write_all(b"\n")?;
            self.lines += 1;
        }
        Ok(())
    }
}

/// The files that a replay may leave in `folder`.
fn of_a_replay(folder: &Path) -> impl Iterator<Item = PathBuf> {
    NAMES.into_iter().map(PathBuf::from).chain(parquet::names()).map(|name| folder.join(name))
}

/// Makes a folder where there is none; what goes wrong names it, and the file that stands in its way.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder).map_err(|why| match folder.ancestors().find(|path| path.is_file()) {
        Some(file) if file == folder => io::Error::new(why.kind(), format!("{}: a file stands there, and a folder is wanted: name another", folder.display())),
        Some(file) => io::Error::new(why.kind(), format!("{}: no folder can be made there, for {} is a file: name another", folder.display(), file.display())),
        None => at(folder, &why),
    })
}

/// A file that is written; what goes wrong names it, such as a disk that is full.
#[derive(Debug)]
pub struct NamedFile {
    file: File,
    path: PathBuf,
}

/// Makes a file.
///
/// # Errors
/// When it cannot be made.
pub fn create(path: &Path) -> io::Result<NamedFile> {
    let file = File::create(path).map_err(|why| at(path, &why))?;
    Ok(NamedFile { file, path: path.to_owned() })
}

impl Write for NamedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes).map_err(|why| at(&self.path, &why))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|why| at(&self.path, &why))
    }
}

fn at(path: &Path, why: &io::Error) -> io::Error {
    io::Error::new(why.kind(), format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_told_with_the_file() {
        // A device that is always full; only Linux has it.
        let Ok(mut full) = create(Path::new("/dev/full")) else { return println!("left out: there is no /dev/full") };
        let why = full.write_all(b"line").unwrap_err();
        assert!(why.to_string().starts_with("/dev/full: ") && why.kind() == io::ErrorKind::StorageFull, "{why}");
    }

    #[test]
    fn what_an_earlier_replay_left_is_taken_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mine =
            ["forecasts.ndjson", "forecasts.parquet", "findings.ndjson", "zones.parquet", "ledger.json", "ledger.parquet", "rows.json", "quarantine.ndjson"];
        // A table of one's own may be called so: no replay writes these.
        let others = ["counts.csv", "notes.ndjson", "forecasts.csv", "features.parquet", "rows.parquet", "quarantine.parquet"];
        mine.iter().chain(&others).for_each(|name| std::fs::write(folder.path().join(name), name).unwrap());
        assert!(Results::holds(folder.path(), &folder.path().join("./zones.parquet")) && !Results::holds(folder.path(), &folder.path().join("counts.csv")));
        Results::clear(folder.path()).unwrap();
        let mut left: Vec<String> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        left.sort_unstable();
        assert_eq!(left, ["counts.csv", "features.parquet", "forecasts.csv", "notes.ndjson", "quarantine.parquet", "rows.parquet"]);
        Results::clear(&folder.path().join("none")).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_taken_away_and_what_it_named_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let (link, elsewhere) = (folder.path().join("ledger.json"), folder.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        Results::open(folder.path()).unwrap().finish(false).unwrap();
        assert!(link.symlink_metadata().unwrap().is_file() && !elsewhere.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let folder = file.path().join("results");
        let told = Results::open(&folder).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{}: ", folder.display())), "{told}");
        assert!(told.contains(&format!("for {} is a file", file.path().display())), "{told}");
        let told = Results::open(file.path()).unwrap_err().to_string();
        assert!(told.ends_with("a file stands there, and a folder is wanted: name another") && !told.contains("os error"), "{told}");
        std::fs::create_dir_all(file.path().with_extension("d").join("zones.ndjson")).unwrap();
        let told = Results::open(&file.path().with_extension("d")).unwrap_err().to_string();
        std::fs::remove_dir_all(file.path().with_extension("d")).unwrap();
        assert!(told.contains("zones.ndjson: "), "{told}");
    }
}

//! `midan replay` on real tables and frames, end to end through the binary. The data are no part of the project: `MIDAN_DATA` names the folder that holds them, and
//! without it these tests say that they did not run.
//!
//! The whole Hardbrücke year takes minutes, so it is cut to the weeks in which something special happens; the figures of the year stand in `docs/TABLES.md`.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HOUR_MS: i64 = 3_600_000;

fn data(what: &str) -> Option<PathBuf> {
    let path = std::env::var("MIDAN_DATA").ok().map(|folder| Path::new(&folder).join(what)).filter(|path| path.exists());
    if path.is_none() {
        println!("skipped: MIDAN_DATA names no folder with {what}");
    }
    path
}

/// What a replay left behind.
struct Replayed {
    said: String,
    out: tempfile::TempDir,
}

impl Replayed {
    fn by(args: &[&str]) -> Self {
        let out = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_midan"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("replay").args(args).arg("--out").arg(out.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        println!("{said}");
        Self { said, out }
    }

    fn table(path: &Path, mapping: &str) -> Self {
        Self::by(&["--table", path.to_str().unwrap(), "--map", mapping])
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.out.path().join(name)).unwrap()
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        self.text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn zones(&self) -> Vec<Value> {
        self.lines("zones.ndjson").into_iter().filter(|record| record["kind"] == "zone").collect()
    }

    /// The ledger's sums by name, all rows together; every row must hold by itself.
    fn ledger(&self) -> BTreeMap<String, u64> {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for row in serde_json::from_str::<Vec<Value>>(&self.text("ledger.json")).unwrap() {
            let of = |name: &str| row[name].as_u64().unwrap();
            assert_eq!(of("read"), of("decoded") + of("undecodable") + of("command"), "{row}");
            let fates = ["windowed", "revised", "late", "duplicate", "quarantined", "ignored"];
            assert_eq!(of("observations"), fates.iter().map(|fate| of(fate)).sum::<u64>(), "{row}");
            for name in fates.iter().chain(&["read", "decoded", "observations"]) {
                *sums.entry((*name).to_owned()).or_default() += of(name);
            }
        }
        sums
    }
}

fn whole(record: &Value, name: &str) -> i64 {
    record[name].as_i64().unwrap()
}

/// The rows of the Hardbrücke table whose local day lies within `days`, as a file; and the persons in and out that stand in them.
fn hardbruecke(folder: &Path, days: std::ops::RangeInclusive<&str>) -> Option<(PathBuf, [u64; 2])> {
    let raw = data("zurich_hardbruecke/frequenzen_hardbruecke_2020.csv.gz")?;
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(fs::File::open(raw).unwrap()));
    let path = folder.join("cut.csv");
    let mut writer = csv::Writer::from_path(&path).unwrap();
    writer.write_record(reader.headers().unwrap()).unwrap();
    let mut persons = [0; 2];
    for row in reader.records().map(Result::unwrap).filter(|row| days.contains(&&row[2][..10])) {
        persons[0] += row[0].parse::<u64>().unwrap();
        persons[1] += row[1].parse::<u64>().unwrap();
        writer.write_record(&row).unwrap();
    }
    writer.flush().unwrap();
    Some((path, persons))
}

const HARDBRUECKE: &str = "config/mappings/hardbruecke.toml";
/// 25 October 2020, 02:00 for the second time, to 03:00; UTC.
const SECOND_HOUR: std::ops::Range<i64> = 1_603_587_600_000..1_603_591_200_000;

#[test]
fn october_at_the_hardbruecke_keeps_every_person_and_its_doubled_hour_is_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let Some((path, persons)) = hardbruecke(folder.path(), "2020-10-05"..="2020-11-01") else { return };
    let replayed = Replayed::table(&path, HARDBRUECKE);
    let ledger = replayed.ledger();
    assert_eq!((ledger["read"], ledger["windowed"]), (ledger["decoded"], ledger["observations"]));
    let zones = replayed.zones();
    let sum = |name: &str| zones.iter().filter_map(|zone| zone[name].as_u64()).sum::<u64>();
    assert_eq!([sum("in"), sum("out")], persons, "every person of the file is in the picture, once");

    // A line's table begins with its first row and ends with its last, which in a quiet night may be hours from midnight.
    let (first, last) = (whole(&zones[0], "from") + 6 * HOUR_MS, whole(&zones[zones.len() - 1], "to") - 6 * HOUR_MS);
    let within = |from: &i64| (first..last).contains(from);
    let gaps: BTreeSet<i64> = zones.iter().filter(|zone| zone["in"].is_null()).map(|zone| whole(zone, "from")).filter(within).collect();
    assert_eq!(gaps, SECOND_HOUR.step_by(300_000).collect(), "the hour that the table cannot tell, and no other pane");
    assert_eq!(zones[zones.len() - 1]["to"], 1_604_271_600_000_i64, "no pane after the last row");
    assert!(zones.iter().filter(|zone| zone["in"].is_null()).all(|zone| zone["out"].is_null() && zone["coverage"] == 0.0));

    let findings = replayed.lines("findings.ndjson");
    for finding in &findings {
        let (from, to, detected) = (whole(finding, "from"), whole(finding, "to"), whole(finding, "detected"));
        assert!(from < detected && detected <= to, "{finding}");
        match finding["code"].as_str().unwrap() {
            "ANOMALY" => assert!(finding["p"].as_f64().unwrap() <= 0.05 && finding["score"].as_f64().unwrap() >= 3.0, "{finding}"),
            "BLIND" => assert!(SECOND_HOUR.contains(&from) && to <= SECOND_HOUR.end || from >= last, "{finding}"),
            other => panic!("{other}: {finding}"),
        }
    }
    let weekly = findings.iter().filter(|finding| finding["code"] == "ANOMALY").count() as f64 / (8.0 * 4.0);
    assert!(weekly < 3.0, "{weekly} anomalies a line and week");
}

#[test]
fn the_week_that_lacks_an_hour_is_forecast_from_what_was_before_only() {
    let folder = tempfile::tempdir().unwrap();
    let Some((path, persons)) = hardbruecke(folder.path(), "2020-03-25"..="2020-03-30") else { return };
    let whole_week = Replayed::table(&path, HARDBRUECKE);
    let zones = whole_week.zones();
    assert_eq!(zones.iter().filter_map(|zone| zone["in"].as_u64()).sum::<u64>(), persons[0]);
    // 29 March, from 23:00 UTC of the day before to 22:00 UTC: 23 hours of twelve panes, none of them a gap.
    let day = 1_585_436_400_000..1_585_519_200_000_i64;
    assert_eq!(day.end - day.start, 23 * HOUR_MS);
    let of_day = |zone: &&Value| day.contains(&whole(zone, "from"));
    let lines: BTreeSet<&str> = zones.iter().filter_map(|zone| zone["zone"].as_str()).collect();
    assert_eq!(zones.iter().filter(of_day).filter(|zone| zone["in"].is_u64()).count(), 23 * 12 * lines.len());

    let forecasts = whole_week.lines("forecasts.ndjson");
    assert!(!forecasts.is_empty());
    for forecast in &forecasts {
        let (issued, from, to, h_s) = (whole(forecast, "issued"), whole(forecast, "target_from"), whole(forecast, "target_to"), whole(forecast, "h_s"));
        assert_eq!((to - from, to - issued), (300_000, h_s * 1_000), "{forecast}");
        assert!(issued <= from && (h_s > 300 || issued == from), "{forecast}");
        let [q10, q50, q90] = ["q10", "q50", "q90"].map(|quantile| forecast[quantile].as_f64().unwrap());
        assert!(0.0 <= q10 && q10 <= q50 && q50 <= q90, "{forecast}");
        assert!(["in", "out"].contains(&forecast["what"].as_str().unwrap()) && !forecast["model"].is_null(), "{forecast}");
    }

    // The same table that ends earlier: whatever was said until then is the same, byte for byte.
    let shorter = tempfile::tempdir().unwrap();
    let Some((path, _)) = hardbruecke(shorter.path(), "2020-03-25"..="2020-03-28") else { return };
    let shorter = Replayed::table(&path, HARDBRUECKE).text("forecasts.ndjson");
    // The shorter table's lines end with their last rows, some time before midnight.
    let evening = day.start - 4 * HOUR_MS;
    let until =
        |text: &str| text.lines().filter(|line| whole(&serde_json::from_str(line).unwrap(), "issued") <= evening).map(str::to_owned).collect::<Vec<_>>();
    let (said, said_again) = (until(&shorter), until(&whole_week.text("forecasts.ndjson")));
    assert!(said.len() > 100_000 / 3 && said == said_again, "the future does not show in a forecast");
}

#[test]
fn the_consecutive_frames_are_accounted_for_and_claim_no_persons() {
    let (Some(archive), Some(timetable)) = (data("gtfs_rt/onebusaway_gtfs_rt_captures.tar.xz"), data("gtfs_static/nyc_subway_cut_gtfs.zip")) else { return };
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("tar").arg("-C").arg(folder.path()).arg("-xf").arg(archive).status().unwrap().success());
    let folder = folder.path().join("nyct_multi_trips");
    let mut frames: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().display().to_string()).filter(|path| path.ends_with(".ace.pb")).collect();
    frames.sort();
    assert_eq!(frames.len(), 80);
    let mut args = vec!["--gtfs-static", timetable.to_str().unwrap(), "--venue-file", "config/examples/new-york.toml", "--gtfs-rt"];
    args.extend(frames.iter().map(String::as_str));
    let replayed = Replayed::by(&args);

    let ledger = replayed.ledger();
    assert_eq!((ledger["read"], ledger["decoded"], ledger["quarantined"]), (80, 80, 0));
    assert!(ledger["ignored"] > ledger["windowed"], "most trains are elsewhere: {ledger:?}");
    let arrivals = replayed.lines("arrivals.ndjson");
    let names: BTreeSet<&str> = arrivals.iter().map(|slot| slot["name"].as_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["42 St-Port Authority Bus Terminal"]));
    let by_stop: BTreeSet<&str> = arrivals.iter().map(|slot| slot["stop"].as_str().unwrap()).collect();
    assert_eq!(by_stop, BTreeSet::from(["A27N", "A27S"]));
    assert!(arrivals.iter().map(|slot| whole(slot, "arrivals")).sum::<i64>() > 20);

    for zone in replayed.zones() {
        assert!(["in", "out", "count", "occupancy", "density", "forecast"].iter().all(|figure| zone[*figure].is_null()), "{zone}");
    }
    assert_eq!(replayed.text("findings.ndjson"), "");
    for said in ["trains are counted here, persons are not", "it ends before these frames", "older than 90 s"] {
        assert!(replayed.said.contains(said), "{said} in\n{}", replayed.said);
    }
}

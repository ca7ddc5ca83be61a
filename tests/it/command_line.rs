//! The binary at the command line: what only the whole program can show. A reader that has gone, a folder that cannot be written, a table of local days from end to end.

use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

fn midan(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_midan"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args);
    command
}

#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = midan(&["check", "config"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(141), ""));
}

#[test]
fn a_replay_whose_log_nobody_reads_any_more_goes_on_to_its_end() {
    let (_folder, path) = two_days();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = midan(&["replay", "--table", &path("t.csv"), "--map", &path("t.toml"), "--out", &path("out")]);
    command.env("MIDAN_TELEMETRY__LEVEL", "trace").stdout(Stdio::null()).stderr(writer);
    assert_eq!(command.status().unwrap().code(), Some(0));
    assert!(fs::metadata(path("out/ledger.json")).unwrap().len() > 0);
}

/// A folder with a mapping, `t.toml`, and its table, `t.csv`; and where a name in it leads.
fn folder_with(mapping: &str, table: &str) -> (tempfile::TempDir, impl Fn(&str) -> String + use<>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_owned();
    let path = move |name: &str| root.join(name).to_str().unwrap().to_owned();
    fs::write(path("t.toml"), mapping).unwrap();
    fs::write(path("t.csv"), table).unwrap();
    (folder, path)
}

/// One of two days.
fn two_days() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    folder_with(DAYS, "day,door\n2020-03-01,1\n2020-03-02,2\n")
}

const DAYS: &str = "venue = \"v\"\ntime_zone = \"Europe/Zurich\"\nstep = \"1d\"\n[time]\ncolumns = [\"day\"]\n[wide]\n";

#[test]
fn days_of_23_and_25_hours_come_out_as_the_rows_that_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("t.toml"), DAYS).unwrap();
    let start = chrono::NaiveDate::from_ymd_opt(2020, 3, 1).unwrap();
    let days: Vec<_> = (0..250).map(|day| (start + chrono::Days::new(day), 100 + day * 7 % 50)).collect();
    let rows: String = days.iter().map(|(day, figure)| format!("{day},{figure}\n")).collect();
    fs::write(path("t.csv"), format!("day,door\n{rows}")).unwrap();
    let output = midan(&["replay", "--table", &path("t.csv"), "--mapping", &path("t.toml"), "--out", &path("out")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines =
        |name: &str| -> Vec<Value> { fs::read_to_string(path("out") + "/" + name).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let midnight = |day: chrono::NaiveDate| day.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(chrono_tz::Europe::Zurich).unwrap().timestamp_millis();
    let wanted: Vec<(i64, i64, u64)> = days.iter().map(|(day, figure)| (midnight(*day), midnight(*day + chrono::Days::new(1)), *figure)).collect();
    let zones = lines("zones.ndjson").into_iter().filter(|record| record["kind"] == "zone");
    let got: Vec<_> = zones.map(|record| (record["from"].as_i64().unwrap(), record["to"].as_i64().unwrap(), record["count"].as_u64().unwrap())).collect();
    assert_eq!(got, wanted);
    let starts: Vec<i64> = wanted.iter().map(|(from, ..)| *from).collect();
    let forecasts = lines("forecasts.ndjson");
    assert!(forecasts.len() > 1_000);
    for forecast in forecasts {
        let target = forecast["target_from"].as_i64().unwrap();
        assert!(starts.contains(&target) || target > *starts.last().unwrap(), "{forecast}");
        assert!(forecast["h_s"] != 86_400 || forecast["issued"] == forecast["target_from"], "{forecast}");
    }
}

/// The counter of the way out of a is dead on the second day of three: its rows are absent, or its cells are empty.
#[test]
fn a_direction_that_nobody_told_is_a_gap_of_its_own_from_end_to_end() {
    let layouts = ["in = \"i\"\nout = \"o\"\n", "direction = \"d\"\nvalue = \"n\"\nin_is = \"in\"\nout_is = \"out\"\n"];
    let hours =
        (0..72).flat_map(|hour| ["a", "b"].map(|place| (format!("2021-06-0{}T{:02}:00,{place}", 1 + hour / 24, hour % 24), place == "a" && hour / 24 == 1)));
    let cells: String = hours.clone().map(|(key, is_dead)| format!("{key},8,{}\n", if is_dead { "" } else { "7" })).collect();
    let rows: String = hours.map(|(key, is_dead)| format!("{key},in,8\n{}", if is_dead { String::new() } else { format!("{key},out,7\n") })).collect();
    for (layout, table) in layouts.into_iter().zip([format!("t,s,i,o\n{cells}"), format!("t,s,d,n\n{rows}")]) {
        let mapping = format!("venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"1h\"\nclosed = true\n[time]\ncolumns = [\"t\"]\n[long]\nsensor = \"s\"\n{layout}");
        let (_folder, path) = folder_with(&mapping, &table);
        let output = midan(&["replay", "--no-models", "--table", &path("t.csv"), "--map", &path("t.toml"), "--out", &path("out")]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains("24 of them know one figure of their place and lack another"), "{told}");
        let zones: Vec<Value> = fs::read_to_string(path("out/zones.ndjson")).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |place: &str| {
            zones.iter().filter(|record| record["zone"] == place).map(|record| (&record["in"], &record["out"], &record["coverage"])).collect::<Vec<_>>()
        };
        let (whole, half) = ((&Value::from(8), &Value::from(7), &Value::from(1.0)), (&Value::from(8), &Value::Null, &Value::from(0.5)));
        assert_eq!(of("a"), [[whole; 24], [half; 24], [whole; 24]].concat());
        assert_eq!(of("b"), [whole; 72]);
        assert!(zones.iter().all(|record| record["kind"] != "link"), "two links of one place say what the place says");
        let heads: Vec<_> = zones.iter().filter(|record| record["zone"] == "a").map(|record| record["occupancy"]["v"].as_f64().unwrap()).collect();
        assert_eq!((heads[23], heads[47], heads[71]), (24.0, 24.0, 48.0), "who came while nobody counted who went is in no balance");
        let forecasts = fs::read_to_string(path("out/forecasts.ndjson")).unwrap();
        let out: Vec<Value> =
            forecasts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).filter(|line| line["zone"] == "a" && line["what"] == "out").collect();
        assert_eq!(out.last().unwrap()["q50"].as_f64(), Some(7.0), "no zero was learnt");
    }
}

#[test]
fn a_results_folder_that_cannot_be_made_is_named() {
    let (_folder, path) = two_days();
    let out = path("t.csv/out");
    let output = midan(&["replay", "--table", &path("t.csv"), "--map", &path("t.toml"), "--out", &out]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains(&format!("midan: {out}: ")), "{told}");
}

#[test]
fn a_mapping_that_is_no_text_is_told_what_it_must_be() {
    let (folder, path) = two_days();
    std::fs::write(folder.path().join("binary.toml"), b"PAR1\xff\xfe\0").unwrap();
    let map = path("binary.toml");
    for args in [&["check", "mapping", &map][..], &["replay", "--table", &map, "--map", &map, "--out", &path("out")]] {
        let ran = midan(args).output().unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(!ran.status.success() && told.contains("binary.toml: is no text in UTF-8: a mapping is TOML"), "{told}");
    }
}

#[test]
fn results_of_an_earlier_run_go_when_those_of_another_begin_and_not_before() {
    let (_folder, path) = two_days();
    let run = |table: &str, map: &str, more: &[&str]| {
        let output = midan(&["replay", "--counts-only", "--out", &path("out"), "--table", &path(table), "--map", &path(map)]).args(more).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let is_left = || fs::exists(path("out/zones.parquet")).unwrap();
    assert!(run("t.csv", "t.toml", &["--parquet"]).0 && is_left());
    fs::write(path("out/notes.txt"), "mine").unwrap();
    fs::write(path("bad.toml"), DAYS.replace("\"1d\"", "\"1 day\"")).unwrap();
    for (table, map) in [("t.csv", "bad.toml"), ("t.cvs", "t.toml"), ("t.csv", "t.tml")] {
        assert!(!run(table, map, &[]).0 && is_left(), "{table} {map}");
    }
    assert!(!midan(&["replay", "--out", &path("out")]).output().unwrap().status.success() && is_left());
    fs::copy(path("t.toml"), path("out/rows.json")).unwrap();
    for (table, map) in [("out/zones.parquet", "t.toml"), ("t.csv", "out/rows.json")] {
        let (is_well, told) = run(table, map, &[]);
        assert!(!is_well && told.contains("stands where the results are to be written") && is_left(), "{told}");
    }
    assert!(run("t.csv", "t.toml", &[]).0 && !is_left() && fs::exists(path("out/notes.txt")).unwrap());
}

#[test]
fn counts_alone_are_the_same_and_nothing_is_forecast() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("t.toml"), DAYS).unwrap();
    let start = chrono::NaiveDate::from_ymd_opt(2020, 3, 1).unwrap();
    let rows: String = (0..40).filter(|day| *day != 20).map(|day| format!("{},{},{}\n", start + chrono::Days::new(day), day % 3, 70 + day)).collect();
    fs::write(path("t.csv"), format!("day,door,gate\n{rows}")).unwrap();
    let run = |out: &str, more: &[&str]| -> Vec<Value> {
        let output = midan(&["replay", "--table", &path("t.csv"), "--map", &path("t.toml"), "--out", &path(out)]).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let zones = fs::read_to_string(path(out) + "/zones.ndjson").unwrap();
        zones.lines().map(|line| serde_json::from_str(line).unwrap()).filter(|record: &Value| record["kind"] != "venue").collect()
    };
    let (with, without) = (run("with", &[]), run("without", &["--counts-only"]));
    let counts = |records: &[Value]| -> Vec<String> {
        records.iter().map(|record| format!("{} {} {} {} {}", record["kind"], record["zone"], record["from"], record["count"], record["coverage"])).collect()
    };
    assert_eq!(counts(&with), counts(&without));
    assert_eq!(without.len(), 80, "a record for each place and day, and none of a link, which would say the same again");
    assert_eq!(without.iter().filter(|record| record["count"] == 0).count(), 14, "nobody is not nothing");
    assert_eq!(fs::read_to_string(path("without") + "/forecasts.ndjson").unwrap(), "");
    assert!(!fs::read_to_string(path("with") + "/forecasts.ndjson").unwrap().is_empty());
}

const DOOR: &str = "venue = \"door\"\ntime_zone = \"UTC\"\nstep = \"1h\"\n\n[time]\ncolumns = [\"time\"]\n[wide]\n";

/// Five weeks of a door with three to twelve persons an hour, and four hours of eighty on the 31st day.
fn door_with_a_crowd() -> String {
    let start = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
    let persons = |hour: u64| if (734..738).contains(&hour) { 80 } else { 3 + (hour % 24) / 4 + (hour * 7 + hour / 24 * 5) % 5 };
    let row = |hour: u64| format!("{},{}\n", (start + chrono::Duration::hours(hour as i64)).format("%Y-%m-%dT%H:%M"), persons(hour));
    "time,door\n".to_owned() + &(0..35 * 24).map(row).collect::<String>()
}

#[test]
fn without_the_library_and_without_any_model_file_there_are_forecasts_and_findings() {
    let (_folder, path) = folder_with(DOOR, &door_with_a_crowd());
    fs::create_dir(path("nothing")).unwrap();
    let run = |out: &str, more: &[&str], nowhere: bool| -> (String, String) {
        let mut command = midan(&["replay", "--table", &path("t.csv"), "--map", &path("t.toml"), "--out", &path(out)]);
        if nowhere {
            command.env("MIDAN_MODELS__LIBRARY", path("nothing/libonnxruntime.so")).env("MIDAN_MODELS__FOLDER", path("nothing"));
        }
        let output = command.args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |file: &str| fs::read_to_string(format!("{}/{file}", path(out))).unwrap();
        (read("forecasts.ndjson"), read("findings.ndjson"))
    };
    let (forecasts, findings) = run("nowhere", &[], true);
    assert!(forecasts.lines().count() > 3_000 && forecasts.lines().all(|line| line.contains("\"model\":\"fallback\"")), "{forecasts:.300}");
    assert!(findings.contains("\"code\":\"ANOMALY\""), "{findings}");
    assert_eq!(run("asked", &["--no-models"], false), (forecasts, findings), "and it is what --no-models gives");
}

#[test]
fn what_the_models_would_see_is_written_down_for_both_of_them() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let (_folder, path) = folder_with(DOOR, &door_with_a_crowd());
    let output = midan(&["features", "--table", &path("t.csv"), "--map", &path("t.toml"), "--out", &path("out")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let column = |file: &str, name: &str| -> Vec<f64> {
        let reader = SerializedFileReader::new(fs::File::open(path(&format!("out/{file}"))).unwrap()).unwrap();
        let rows = reader.get_row_iter(None).unwrap();
        let value = |row: parquet::record::Row| row.to_json_value()[name].as_f64().unwrap_or_else(|| panic!("{name} in {file}"));
        rows.map(|row| value(row.unwrap())).collect()
    };
    let (newest, off) = (column("features.parquet", "f099"), column("anomaly.parquet", "a00"));
    assert_eq!((newest.len(), off.len()), (35 * 24, 35 * 24), "a row an hour in each");
    // The crowd of the 734th hour, by both: 80 persons, and as far from the usual as no hour of the days before.
    assert!((newest[734].exp() - 81.0).abs() < 1e-3, "{}", newest[734]);
    assert!(off[734] > 10.0 && off[400..734].iter().all(|off| *off < 5.0), "{:?}", &off[400..740]);
}

/// Checks a copy of a model that ships, with its manifest changed; `None` where there is no library.
fn model_check(name: &str, change: impl Fn(String) -> String) -> Option<(Option<i32>, String)> {
    #[allow(clippy::disallowed_methods, reason = "where the library is is told by whoever runs the tests")]
    let Ok(library) = std::env::var("MIDAN_ONNXRUNTIME") else {
        eprintln!("skipped: MIDAN_ONNXRUNTIME names no library; `make test` sets it");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let file = |end: &str| format!("{name}.{end}");
    fs::copy(models.join(file("onnx")), folder.path().join(file("onnx"))).unwrap();
    fs::write(folder.path().join(file("toml")), change(fs::read_to_string(models.join(file("toml"))).unwrap())).unwrap();
    let output = midan(&["model", "check", folder.path().join(file("onnx")).to_str().unwrap()]).env("MIDAN_MODELS__LIBRARY", library).output().unwrap();
    Some((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_model_says_of_recorded_rows_what_it_said_when_it_was_built_or_is_not_to_be_served() {
    for name in ["crowd-flow", "crowd-anomaly"] {
        let Some((code, told)) = model_check(name, |manifest| manifest) else { return };
        assert!(code == Some(0) && told.contains("recorded      6 rows, at most"), "{name}: {told}");
        let moved = |manifest: String| {
            let mut manifest: toml::Table = manifest.parse().unwrap();
            let said = &mut manifest["recorded"][0]["says"][0];
            *said = (said.as_float().unwrap() + 0.02).into();
            manifest.to_string()
        };
        let (code, told) = model_check(name, moved).unwrap();
        assert!(code == Some(1) && told.contains("recorded row 0: what it says is off by"), "{name}: {told}");
    }
}

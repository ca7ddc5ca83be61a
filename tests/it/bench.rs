//! `midan bench` runs, counts every event and closes its panes. What it measures is nobody's promise here: a test machine is shared.

use std::process::Command;

fn bench(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_midan")).arg("bench").args(args).output().unwrap();
    let (text, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

#[test]
fn every_event_of_the_load_is_counted() {
    let text = bench(&["--events", "60000", "--partitions", "2", "--shards", "1"]);
    assert!(text.contains("ledger: 60000 read, 60000 windowed, 0 records and 0 observations unaccounted for"), "{text}");
    assert!(text.contains("ratio of CPU time"), "{text}");
}

#[test]
fn a_load_that_comes_at_a_pace_is_counted_too() {
    let text = bench(&["--events", "3000", "--rate", "3000", "--partitions", "2", "--shards", "1"]);
    assert!(text.contains("3000 events/s"), "{text}");
    assert!(text.contains("ledger: 3000 read, 3000 windowed, 0 records and 0 observations unaccounted for"), "{text}");
    assert!(text.contains("ratio of CPU time"), "{text}");
}

#[test]
fn a_pane_close_is_told_by_stage() {
    let text = bench(&["--close-zones", "20", "--closes", "3"]);
    assert!(text.starts_with("3 pane closes of a venue with 20 zones"), "{text}");
    assert!(text.contains("finish: detect, alarm, publish"), "{text}");
}

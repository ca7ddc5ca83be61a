//! What cameras see is large: it must neither outgrow a message of the state, nor be kept where it can change nothing any more.

use crate::engine::story::{Record, Run, SOURCES, START, all_low, count, raw, world_with};
use crate::engine::{OutTopic, Placement};

/// What Kafka takes as one record unless it is told otherwise, less its own overhead.
const MESSAGE: usize = 1_000_000;

fn camera() -> Run {
    Run::of(world_with(r#"  { id = "cam", source = "counters", zone = "queue" },"#), Placement::ByPane)
}

/// A grid of `cells`² cells, at a time in ms after the start.
fn grid(at_ms: i64, cells: usize) -> Record {
    let density = vec!["0.5"; cells * cells].join(",");
    let value =
        format!(r#"{{"type":"grid","sensor":"cam","venue":"small","at":{},"cell_m":1,"nx":{cells},"ny":{cells},"density":[{density}]}}"#, START + at_ms);
    raw("counters", at_ms / 1_000, value)
}

/// Four grids a second for so many seconds, in panes with people.
fn filmed(from: i64, until: i64, cells: usize) -> Vec<Record> {
    let mut records = Vec::new();
    for now in (from..until).step_by(10) {
        records.extend((0..40).map(|slot| grid(now * 1_000 + slot * 250, cells)));
        records.push(count("c-in", now, 40, 0));
        records.extend(all_low(&SOURCES, now + 10));
    }
    records
}

#[test]
fn a_pane_full_of_snapshots_is_many_entries_of_the_state_and_leaves_none() {
    let mut run = camera();
    run.read(&filmed(0, 10, 70), 7);
    let largest = run.state.values().map(Vec::len).max().unwrap();
    let all: usize = run.state.values().map(Vec::len).sum();
    assert!(all > MESSAGE, "all together would be too much for one entry: {all}");
    assert!(largest < MESSAGE / 4, "{largest} bytes in one entry");
    run.read(&filmed(10, 60, 2), 7).end();
    assert!(run.state.keys().all(|key| !key.contains("/snap/")), "a closed pane leaves its snapshots behind");
}

#[test]
fn an_heir_has_the_snapshots_of_the_open_pane() {
    let records = filmed(0, 60, 3);
    let mut whole = camera();
    whole.read(&records, 9).end();
    for cut in [20, 33, 150] {
        let mut first = camera();
        first.read(&records[..cut], 9);
        let mut heir = first.restarted(Placement::ByPane);
        heir.read(&records[cut..], 9).end();
        assert_eq!(heir.state, whole.state, "cut at {cut}");
        let said = [first.outcome.place("queue"), heir.outcome.place("queue")].concat();
        assert_eq!(said, whole.outcome.place("queue"), "cut at {cut}");
    }
}

#[test]
fn a_late_snapshot_is_told_as_late_and_kept_nowhere() {
    let mut run = camera();
    run.read(&filmed(0, 60, 3), 50);
    let before = run.state.clone();
    run.read(&[grid(20_000 + 125, 60)], 1);
    let late = run.outcome.of(OutTopic::Late);
    assert_eq!((late.len(), &late[0]["observation"]["type"], &late[0]["observation"]["nx"]), (1, &"grid".into(), &60.into()));
    // Its identity and the ledger are what changes.
    let grown = run.state.iter().filter(|(key, value)| before.get(*key).is_none_or(|known| value.len() > known.len() + 64));
    assert_eq!(grown.map(|(key, _)| key.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
    // One that is too large to be read by anybody is told by its position only.
    run.read(&[grid(21_000 + 125, 100)], 1);
    assert!(run.outcome.of(OutTopic::Late)[1]["observation"].is_null());
}

#[test]
fn a_grid_that_no_entry_could_hold_is_refused_with_what_to_do() {
    let mut run = camera();
    run.read(&[grid(1_000, 182)], 1);
    let refused = &run.outcome.of(OutTopic::Quarantine)[0];
    assert_eq!((&refused["reason"], &refused["field"]), (&"wrong_value".into(), &"nx".into()));
    assert!(refused["detail"].as_str().unwrap().contains("larger cells"));
}

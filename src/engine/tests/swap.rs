//! Another model at an event time: from exactly its pane on, whoever restarts, lacks the file or replays.

use crate::engine::journal::Entry;
use crate::engine::story::{Record, Run, SOURCES, START, all_low, command, count_over};
use crate::engine::{OutTopic, Placement};
use crate::inference::ask::{Ask, HORIZONS, Outcome};

/// Length of a pane and of a step, s.
const PANE: i64 = 300;
/// The hash of the model that is ordered.
const NEW: &str = "abababababababababababababababababababababababababababababababab";
/// Of another one.
const NEWER: &str = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";

/// Panes `from..to`: people come in, many and few by turns.
fn panes(from: i64, to: i64) -> Vec<Record> {
    let one = |pane: i64| {
        let start = pane * PANE;
        let count = count_over("counters", "c-in", start, start + PANE, 60 + (pane * 7 % 5) as u32, 3);
        std::iter::once(count).chain(all_low(&SOURCES, start + PANE))
    };
    (from..to).flat_map(one).collect()
}

/// Given at the end of pane `pane`: the model with this hash from the end of pane `from` on.
fn order(id: &str, pane: i64, sha256: &str, from: i64) -> Record {
    let from = START + from * PANE * 1_000;
    command(id, pane * PANE, &format!(r#""action":"swap_model","model":"made-up","version":"2.0.0","sha256":"{sha256}","from":{from}"#))
}

/// Twenty panes; at the fifth a swap from the end of the tenth on is ordered.
fn night() -> Vec<Record> {
    [panes(0, 5), vec![order("s-1", 5, NEW, 10)], panes(5, 20)].concat()
}

/// As plainly forecast, give or take so many deviations.
fn says(ask: &Ask, reach: f32) -> Outcome {
    Outcome::Ran([-reach, 0.1 * reach, reach].repeat(ask.rows * HORIZONS))
}

fn run(models: &[&'static str]) -> Run {
    let mut run = Run::with_a_flow_model();
    run.flow = |ask| says(ask, 1.0);
    run.ordered = |ask| says(ask, 2.0);
    run.models = models.to_vec();
    run
}

/// By pane, the hash of the model that made the forecasts. No pane is without.
fn spoke(run: &Run) -> Vec<(i64, String)> {
    let of = |record: &serde_json::Value| {
        assert!(record.to_string().contains("\"q50\""), "no pane without a forecast: {record}");
        let pane = (record["to"].as_i64().unwrap() - START) / PANE / 1_000;
        (pane, record["model"]["sha256"].as_str().unwrap_or("fallback").to_owned())
    };
    run.outcome.place("queue").iter().filter(|record| record["forecast"].is_array()).map(of).collect()
}

fn swaps(run: &Run) -> Vec<(i64, String)> {
    let of = |entry: Entry| match entry {
        Entry::ModelSwap { card, pane, .. } => {
            Some(((pane.as_millis() - START) / PANE / 1_000, card.map_or_else(|| "fallback".to_owned(), |card| card.sha256)))
        }
        _ => None,
    };
    run.journal().into_iter().filter_map(|line| of(line.entry)).collect()
}

fn from_pane(spoke: &[(i64, String)], sha256: &str) -> Vec<i64> {
    spoke.iter().filter(|(_, by)| by == sha256).map(|(pane, _)| *pane).collect()
}

#[test]
fn the_new_model_speaks_from_exactly_its_pane_on_and_none_is_without_a_forecast() {
    let mut run = run(&[NEW]);
    run.read(&night(), 7).end();
    let spoke = spoke(&run);
    assert_eq!(from_pane(&spoke, NEW), (11..=21).collect::<Vec<_>>());
    let old = from_pane(&spoke, "00");
    assert_eq!(old.last(), Some(&10), "{spoke:?}");
    assert_eq!(old.len() + 11, spoke.len(), "nobody else spoke: {spoke:?}");
    assert_eq!(spoke.len() as i64, 21 - spoke[0].0 + 1, "no pane is missing: {spoke:?}");
    assert_eq!(swaps(&run), [(11, NEW.to_owned())]);
}

#[test]
fn a_replay_with_the_journal_gives_the_same_bytes_however_it_reads() {
    let mut live = run(&[NEW]);
    live.read(&night(), 7).end();
    for size in [1, 1_000] {
        let mut replay = live.replay(&[NEW]);
        // The commands are read long before the panes that they lie between.
        let (commands, feeds): (Vec<Record>, Vec<Record>) = night().into_iter().partition(|record| record.source == "ops");
        replay.read(&commands, size).read(&feeds, size).end();
        assert_eq!(replay.engine.unfollowed(), 0);
        assert!(replay.outcome.compared() == live.outcome.compared(), "batches of {size}");
    }
}

#[test]
fn without_a_journal_the_order_stands_at_its_own_time() {
    let by_pane = |records: &[Record], size: usize| {
        let mut run = run(&[NEW]).restarted(Placement::ByPane);
        run.read(records, size).end();
        run
    };
    let one = by_pane(&night(), 1);
    assert_eq!(from_pane(&spoke(&one), NEW), (11..=21).collect::<Vec<_>>());
    assert!(by_pane(&night(), 1_000).outcome.compared() == one.outcome.compared());
}

#[test]
fn a_restart_before_and_after_the_swap_leaves_no_trace() {
    let mut whole = run(&[NEW]);
    whole.read(&night(), 7).end();
    for (first, until) in [(7, 6), (9, 8), (12, 11), (16, 15)] {
        let records = night();
        let cut = records.iter().position(|record| record.at > until * PANE).unwrap();
        let mut life = run(&[NEW]);
        life.read(&records[..cut], 5);
        let mut heir = life.restarted(Placement::OnArrival);
        heir.read(&records[cut..], 5).end();
        let parts: Vec<serde_json::Value> = [life.outcome.place("queue"), heir.outcome.place("queue")].concat();
        assert_eq!(parts, whole.outcome.place("queue"), "restarted before pane {first}");
        assert!(heir.site_state() == whole.site_state(), "restarted before pane {first}");
    }
}

#[test]
fn what_an_instance_lacks_leaves_the_old_one_speaking_until_it_is_there() {
    let mut live = run(&[]);
    let records = night();
    let cut = records.iter().position(|record| record.at > 15 * PANE).unwrap();
    live.read(&records[..cut], 1);
    assert_eq!((from_pane(&spoke(&live), NEW), swaps(&live)), (vec![], vec![]));
    assert!(from_pane(&spoke(&live), "00").contains(&14), "{:?}", spoke(&live));
    live.models.push(NEW);
    live.read(&records[cut..], 1).end();
    assert_eq!(from_pane(&spoke(&live), NEW), (15..=21).collect::<Vec<_>>());
    assert_eq!(swaps(&live), [(15, NEW.to_owned())]);
    let mut replay = live.replay(&[NEW]);
    replay.read(&records, 3).end();
    assert_eq!(replay.engine.unfollowed(), 0);
    assert!(replay.outcome.compared() == live.outcome.compared(), "a replay on an instance that has it asks whom the journal names");
}

#[test]
fn after_a_hand_over_to_an_instance_that_lacks_it_the_one_before_stands_in() {
    let mut first = run(&[NEW, NEWER]);
    let records = [panes(0, 5), vec![order("s-1", 5, NEW, 6)], panes(5, 8), vec![order("s-2", 8, NEWER, 9)], panes(8, 20)].concat();
    let cut = records.iter().position(|record| record.at > 12 * PANE).unwrap();
    first.read(&records[..cut], 1);
    let mut heir = first.restarted(Placement::OnArrival);
    heir.models = vec![NEW];
    heir.read(&records[cut..], 1).end();
    assert_eq!(swaps(&first), [(7, NEW.to_owned()), (10, NEWER.to_owned())]);
    assert_eq!(swaps(&heir), [(12, NEW.to_owned())], "journaled, for it hangs on the instance");
    assert_eq!(from_pane(&spoke(&heir), NEW), (12..=21).collect::<Vec<_>>());
}

#[test]
fn after_a_hand_over_to_an_instance_without_any_model_nobody_speaks_and_a_replay_asks_nobody() {
    let mut first = run(&[NEW]);
    let records = night();
    let cut = |pane: i64| records.iter().position(|record| record.at > pane * PANE).unwrap();
    first.read(&records[..cut(13)], 1);
    let mut bare = first.restarted_without_models();
    bare.read(&records[cut(13)..cut(16)], 1);
    assert_eq!(swaps(&bare), [(13, "fallback".to_owned())]);
    assert_eq!(from_pane(&spoke(&bare), "fallback"), [13, 14, 15]);
    assert!(bare.outcome.alerts.iter().all(|(_, after_commit)| *after_commit), "the next life may have it");
    let mut last = first.heir_of(&bare);
    last.read(&records[cut(16)..], 1).end();
    assert_eq!(swaps(&last), [(16, NEW.to_owned())]);
    let mut replay = first.replay_of(&[&first, &bare, &last], &[NEW]);
    replay.read(&records, 3).end();
    assert_eq!(replay.engine.unfollowed(), 0);
    let lived = [&first, &bare, &last].map(|life| life.outcome.place("queue")).concat();
    assert_eq!(replay.outcome.place("queue"), lived, "a replay on an instance that has them all");
}

#[test]
fn the_journal_names_the_model_whole() {
    let mut run = run(&[NEW]);
    run.read(&night(), 1_000);
    let entries = run.outcome.of(OutTopic::Control);
    let swap = entries.iter().find(|entry| entry["kind"] == "model_swap").unwrap();
    assert_eq!((&swap["model"], &swap["name"], &swap["version"], &swap["sha256"]), (&"flow".into(), &"made-up".into(), &"2.0.0".into(), &NEW.into()));
}

#[test]
fn an_order_that_names_no_hash_is_in_quarantine_and_changes_nothing() {
    let mut run = run(&[NEW]);
    let wrong = command("s-1", 5 * PANE, r#""action":"swap_model","model":"made-up","version":"2.0.0","sha256":"AB""#);
    run.read(&[panes(0, 5), vec![wrong], panes(5, 12)].concat(), 1).end();
    assert_eq!(run.outcome.of(OutTopic::Quarantine).len(), 1);
    assert_eq!((from_pane(&spoke(&run), NEW), swaps(&run)), (vec![], vec![]));
}

//! Promise 3: an engine that takes the state over goes on as if nothing had happened.

use super::busy;
use crate::engine::Placement;
use crate::engine::story::{Outcome, Record, Run};

fn undisturbed(records: &[Record], placement: Placement) -> Run {
    let mut run = Run::new(placement);
    run.read(records, 50).end();
    run
}

/// What `before` and `after` said, one after the other.
pub(super) fn joined(before: &Outcome, after: &Outcome) -> Outcome {
    let mut both = before.clone();
    for (key, lines) in &after.records {
        both.records.entry(key.clone()).or_default().extend(lines.iter().cloned());
    }
    both.positions.extend(after.positions.iter().cloned());
    both.alerts.extend(after.alerts.iter().cloned());
    both
}

fn assert_recovers(records: &[Record], cut: usize, placement: Placement, expected: &Run) {
    let mut first = Run::new(placement);
    first.read(&records[..cut], 50);
    let mut heir = first.restarted(placement);
    heir.read(&records[cut..], 50).end();
    let both = joined(&first.outcome, &heir.outcome);
    for (key, lines) in &expected.outcome.records {
        let differing = lines.iter().zip(&both.records[key]).find(|(a, b)| a != b);
        assert_eq!(differing, None, "cut at {cut}, {key:?}");
    }
    // Where a batch ends decides which topic's records stand first.
    let sorted = |positions: &[String]| positions.iter().cloned().collect::<std::collections::BTreeSet<String>>();
    assert_eq!(sorted(&both.positions), sorted(&expected.outcome.positions), "cut at {cut}");
    assert_eq!(both.records, expected.outcome.records, "cut at {cut}");
    assert_eq!(heir.sums(), expected.sums());
    let differing: Vec<&String> = expected.state.iter().filter(|(key, value)| heir.state.get(*key) != Some(value)).map(|(key, _)| key).collect();
    assert_eq!(differing, Vec::<&String>::new(), "cut at {cut}");
    assert_eq!(heir.state.len(), expected.state.len());
}

#[test]
fn wherever_a_run_is_cut_the_heir_gives_the_bytes_of_the_undisturbed_run() {
    for seed in [3, 4] {
        let records = busy(seed);
        let expected = undisturbed(&records, Placement::ByPane);
        for cut in (0..records.len()).step_by(37) {
            assert_recovers(&records, cut, Placement::ByPane, &expected);
        }
    }
}

#[test]
fn commands_that_took_effect_on_arrival_are_in_the_state() {
    let records = busy(5);
    // Where such a command falls depends on the batches; one record each makes both runs the same.
    let mut expected = Run::new(Placement::OnArrival);
    expected.read(&records, 1).end();
    for cut in (0..records.len()).step_by(211) {
        let mut first = Run::new(Placement::OnArrival);
        first.read(&records[..cut], 1);
        let mut heir = first.restarted(Placement::OnArrival);
        heir.read(&records[cut..], 1).end();
        assert_eq!(joined(&first.outcome, &heir.outcome).records, expected.outcome.records, "cut at {cut}");
        assert_eq!(heir.state, expected.state);
    }
}

#[test]
fn a_state_of_another_frame_or_partition_is_refused() {
    let mut run = Run::new(Placement::ByPane);
    run.read(&busy(1)[..50], 10);
    let heir = &mut Run::new(Placement::ByPane).engine;
    let refused = |heir: &mut crate::engine::Engine, key: &str, value: &[u8]| heir.restore(key.as_bytes(), value).unwrap_err();
    assert!(refused(heir, "elsewhere/rest", b"").contains("not configured"));
    assert!(refused(heir, "small/source/nobody", b"").contains("no such source"));
    assert!(refused(heir, "small/what", b"").contains("no such part"));
    assert!(refused(heir, "~ledger/feeds.sensors/3", b"").contains("another partition"));
    let mut layout = run.state["small/layout"].clone();
    let place = layout.windows(5).position(|word| word == b"queue").unwrap();
    layout[place + 4] = b'r';
    let told = refused(heir, "small/layout", &layout);
    assert!(told.contains("another frame") && told.contains("where it had zone queur there is queue"), "{told}");
}

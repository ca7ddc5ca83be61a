//! One sensor of a source that allows two minutes and five seconds, every ten seconds an event.

use super::*;

const ALLOWED_S: i64 = 125;

const fn at(secs: i64) -> EventTime {
    EventTime::from_millis(1_900_000_000_000 + secs * 1_000)
}

/// Tells a guard of events (event time, receipt), in seconds; answers which were believed, and what was found.
fn told(events: impl IntoIterator<Item = (i64, i64)>) -> (Vec<bool>, Vec<Finding>) {
    let (trust, mut guard) = (ClockTrust::default(), Guard::default());
    let (mut believed, mut findings) = (Vec::new(), Vec::new());
    let mut last = i64::MIN;
    for (event, receipt) in events {
        let timed = Timed { at: at(event), received: at(receipt), too_late: receipt - event > ALLOWED_S, interval: Span::from_secs(10) };
        let alone = trust.judge(timed.at, Some(timed.received), EventTime::MIN);
        let (verdict, mut finding) = guard.judge(&trust, &timed, alone);
        if verdict.is_ok() && !timed.too_late && event == last {
            finding = guard.repeated(&timed).unwrap_or(finding);
        }
        last = event;
        believed.push(verdict.is_ok());
        findings.extend(Some(finding).filter(|finding| *finding != Finding::Nothing));
    }
    (believed, findings)
}

/// An event every ten seconds from `from` to `to`, off by `off`.
fn paced(from: i64, to: i64, off: i64) -> impl Iterator<Item = (i64, i64)> {
    (from..to).step_by(10).map(move |now| (now - 1 + off, now))
}

fn believed_of(events: &[(i64, i64)]) -> usize {
    told(events.iter().copied()).0.into_iter().filter(|believed| *believed).count()
}

#[test]
fn a_good_clock_leaves_nothing_behind() {
    let (believed, findings) = told(paced(0, 1_000, 0).chain(paced(1_000, 2_000, -60)));
    assert!(believed.into_iter().all(|believed| believed) && findings.is_empty());
}

#[test]
fn ahead_behind_by_hours_and_never_set_are_wrong_from_the_first_event() {
    for off in [32, 120, 3_600, 7_200, -3_600, -5 * 3_600, -100_000_000] {
        let (believed, findings) = told(paced(0, 100, 0).chain(paced(100, 200, off)));
        assert_eq!(believed.iter().position(|believed| !believed), Some(10), "{off} s");
        assert!(believed[10..].iter().all(|believed| !believed), "{off} s");
        let Some(Finding::Wrong { offset_ms, .. }) = findings.first() else { panic!("{off} s: {findings:?}") };
        assert_eq!(*offset_ms, (off - 1) * 1_000);
    }
}

#[test]
fn a_jump_back_is_late_once_and_then_wrong() {
    let (believed, findings) = told(paced(0, 100, 0).chain(paced(100, 200, -1_000)));
    assert_eq!(believed.iter().position(|believed| !believed), Some(11));
    assert_eq!(findings[0], Finding::Wrong { fault: ClockFault::Behind, offset_ms: -1_001_000 });
}

#[test]
fn a_clock_that_drifts_is_wrong_once_it_is_out_of_bounds() {
    // A second more in every ten.
    let ahead: Vec<(i64, i64)> = (0..60).map(|n| (n * 11, n * 10)).collect();
    assert_eq!(believed_of(&ahead), 31, "30 s ahead are allowed");
    let behind: Vec<(i64, i64)> = (0..200).map(|n| (n * 9, n * 10)).collect();
    assert_eq!(believed_of(&behind), 127, "125 s behind are late, one more is in doubt");
}

#[test]
fn a_clock_that_stands_still_is_wrong_at_its_third_repeat_and_repeated_deliveries_are_not() {
    let frozen: Vec<(i64, i64)> = paced(0, 100, 0).chain((10..30).map(|n| (89, n * 10))).collect();
    let (believed, findings) = told(frozen);
    assert_eq!(believed.iter().position(|believed| !believed), Some(13));
    assert!(matches!(findings[0], Finding::Wrong { fault: ClockFault::Frozen, .. }));
    let twice: Vec<(i64, i64)> = paced(0, 1_000, 0).flat_map(|(event, receipt)| [(event, receipt), (event, receipt + 1), (event, receipt + 9)]).collect();
    assert_eq!(believed_of(&twice), twice.len());
}

#[test]
fn what_was_held_up_on_its_way_is_late_and_not_wrong() {
    // Half an hour without a line; then all of it within a second, and on.
    let held: Vec<(i64, i64)> = paced(0, 1_800, 0).map(|(event, _)| (event, 1_800)).chain(paced(1_800, 2_000, 0)).collect();
    assert_eq!(believed_of(&held), held.len());
    // The same, but slower: three times as fast as it was measured.
    let slow: Vec<(i64, i64)> = (0..200).map(|n| (n * 10, 1_800 + n * 3)).collect();
    assert_eq!(believed_of(&slow), slow.len());
}

#[test]
fn five_good_events_bring_it_back_and_one_bad_one_among_them_does_not() {
    let (believed, findings) = told(paced(0, 100, 3_600).chain(paced(100, 200, 0)));
    assert_eq!(believed.iter().position(|believed| *believed), Some(14));
    assert_eq!(findings.last(), Some(&Finding::Returned));
    let relapse = paced(0, 10, 3_600).chain(paced(10, 50, 0)).chain(paced(50, 60, 3_600)).chain(paced(60, 100, 0));
    assert!(told(relapse).0.iter().all(|believed| !believed));
}

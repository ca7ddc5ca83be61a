//! A partition against its laws: order, offsets, trimming, compaction, reopening.

use super::*;
use proptest::prelude::*;

fn record<'a>(key: &'a [u8], value: Option<&'a [u8]>) -> Fresh<'a> {
    Fresh { timestamp: 5, key, value, headers: &[] }
}

fn append(log: &mut PartitionLog, key: &[u8], value: Option<&[u8]>) {
    if log.append(&record(key, value)) {
        let (id, _) = log.seal(Vec::new).unwrap();
        log.evict(id).unwrap();
    }
}

fn all(log: &PartitionLog, from: i64, step: usize) -> Vec<(i64, Vec<u8>, Option<Vec<u8>>)> {
    let mut cursor = Cursor::at(from);
    let mut seen = Vec::new();
    while log.read(&mut cursor, step, &mut |r| seen.push((r.offset, r.key.to_vec(), r.value.map(<[u8]>::to_vec)))).unwrap() > 0 {}
    assert_eq!(cursor.next, log.end().max(from));
    seen
}

proptest! {
    #[test]
    fn order_and_offsets_hold_over_memory_and_disk(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..120), step in 1usize..50, from in 0i64..130) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = PartitionLog::new(folder.path().join("t-0"), 300);
        for value in &values {
            append(&mut log, b"k", Some(value));
        }
        let expected: Vec<_> = values.iter().enumerate().skip(from as usize).map(|(i, v)| (i as i64, b"k".to_vec(), Some(v.clone()))).collect();
        prop_assert_eq!(all(&log, from.min(log.end()), step), expected);
    }

    #[test]
    fn compaction_keeps_the_last_value_of_each_key_with_its_offset(writes in prop::collection::vec((0u8..6, prop::option::of(any::<u8>())), 1..150), again in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = PartitionLog::new(folder.path().join("t-0"), 200);
        let mut last: BTreeMap<u8, (i64, Option<u8>)> = BTreeMap::new();
        for (i, (key, value)) in writes.iter().enumerate() {
            append(&mut log, &[*key], value.as_ref().map(std::slice::from_ref));
            last.insert(*key, (i as i64, *value));
            if again && i == writes.len() / 2 {
                log.compact().unwrap();
            }
        }
        log.compact().unwrap();
        let mut expected: Vec<_> = last.iter().filter_map(|(k, (offset, v))| v.map(|v| (*offset, vec![*k], Some(vec![v])))).collect();
        expected.sort();
        prop_assert_eq!(all(&log, 0, 7), expected);
        prop_assert_eq!(log.end(), writes.len() as i64);
    }
}

#[test]
fn a_reader_in_the_middle_goes_on_rightly_after_a_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = PartitionLog::new(folder.path().join("t-0"), 100);
    for i in 0..50u8 {
        append(&mut log, &[i % 5], Some(&[i]));
    }
    let mut cursor = Cursor::at(0);
    log.read(&mut cursor, 46, &mut |_| {}).unwrap();
    log.compact().unwrap();
    append(&mut log, b"new", Some(b"!"));
    let mut seen = Vec::new();
    log.read(&mut cursor, 100, &mut |r| seen.push(r.offset)).unwrap();
    assert_eq!(seen, [46, 47, 48, 49, 50]);
}

#[test]
fn trimming_takes_whole_segments_and_their_files_and_moves_a_slow_reader() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = PartitionLog::new(folder.path().join("t-0"), 200);
    for i in 0..100u8 {
        append(&mut log, b"k", Some(&[i]));
    }
    let files = || std::fs::read_dir(folder.path().join("t-0")).unwrap().count();
    let before = files();
    log.trim(50, &mut |_| {});
    assert!(log.start() > 30 && log.start() <= 50, "{}", log.start());
    assert!(files() < before);
    let seen = all(&log, 0, 9);
    assert_eq!(seen[0].0, log.start());
    assert_eq!(seen.last().unwrap().0, 99);
}

#[test]
fn reopening_finds_every_sealed_record() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("t-0");
    let mut log = PartitionLog::new(home.clone(), 200);
    for i in 0..100u8 {
        append(&mut log, &[i % 7], Some(&[i]));
    }
    log.seal(Vec::new);
    log.write_sealed().unwrap();
    let expected = all(&log, 0, 10);
    let (start, end) = (log.start(), log.end());
    drop(log);
    let mut log = PartitionLog::reopen(home, 200, start, end).unwrap();
    assert_eq!(all(&log, 0, 10), expected);
    append(&mut log, b"k", Some(b"v"));
    assert_eq!(all(&log, 99, 10).len(), 2);
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = PartitionLog::new(folder.path().join("t-0"), 100);
    for i in 0..20u8 {
        append(&mut log, b"k", Some(&[i]));
    }
    let file = std::fs::read_dir(folder.path().join("t-0")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, b"short").unwrap();
    let error = log.read(&mut Cursor::at(0), 100, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains(".seg"), "{error}");
}

#[test]
fn what_is_read_by_all_while_it_is_in_memory_never_sees_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = PartitionLog::new(folder.path().join("t-0"), 100);
    for i in 0..50u8 {
        if log.append(&record(b"k", Some(&[i]))) {
            log.seal(Vec::new);
        }
    }
    let mut freed = 0;
    log.trim(40, &mut |bytes| freed += bytes.len());
    assert!(freed > 0 && !folder.path().join("t-0").exists());
    assert_eq!(all(&log, 0, 7).last().unwrap().0, 49);
    log.write_sealed().unwrap();
    assert!(folder.path().join("t-0").exists());
}

//! An audit of an engine's own night finds nothing; of one whose ledger or topics were tampered with it names the offsets.

use super::*;
use crate::engine::story::{Record, Run, all_low, count, raw};
use crate::engine::{OutTopic, Placement};

/// Twenty panes, with a broken record, a late one, one of an unknown sensor and a repeat.
fn evening() -> Vec<Record> {
    let mut records = Vec::new();
    for now in (0..200).step_by(10) {
        records.extend([count("c-in", now, 10, 0), count("c-g1", now, 5, 0)]);
        records.extend(all_low(&["counters", "slow", "tickets", "rail", "ops"], now + 10));
        match now {
            50 => records.push(raw("counters", now, "{oops")),
            80 => records.push(count("c-nobody", now, 3, 0)),
            120 => records.push(count("c-in", 100, 10, 0)),
            170 => records.push(count("c-g1", 20, 99, 0)),
            _ => {}
        }
    }
    records
}

struct Night {
    records: Vec<Record>,
    rows: Vec<(Row, String)>,
    late: Vec<String>,
    quarantined: Vec<String>,
}

fn night() -> Night {
    let records = evening();
    let mut run = Run::new(Placement::ByPane);
    run.read(&records, 7).end();
    let rows = run.positioned(OutTopic::Ledger).into_iter().map(|(value, position)| (serde_json::from_str(&value).unwrap(), position)).collect();
    let positions = |topic| run.positioned(topic).into_iter().map(|(_, position)| position).collect();
    Night { rows, late: positions(OutTopic::Late), quarantined: positions(OutTopic::Quarantine), records }
}

fn audited(night: &Night) -> Report {
    let mut audit = Audit::new(crate::engine::story::world(), 1);
    for (row, position) in &night.rows {
        audit.row(row, position).unwrap();
    }
    night.late.iter().for_each(|position| audit.late(position));
    night.quarantined.iter().for_each(|position| audit.quarantined(position));
    let mut offsets = [0; Feed::ALL.len()];
    for record in &night.records {
        let offset = &mut offsets[record.feed as usize];
        audit.record(&record.as_read(*offset));
        *offset += 1;
    }
    audit.finish()
}

#[test]
fn the_ledger_of_a_night_is_what_the_topics_say() {
    let report = audited(&night());
    assert_eq!(report.differences, []);
    assert!(report.rows > 60 && report.before == 0, "{report:?}");
    assert!(report.sums.late == 1 && report.sums.undecodable == 1 && report.sums.duplicate == 1 && report.sums.quarantined == 1, "{report:?}");
    assert_eq!(report.records + report.open, night().records.len() as u64);
    assert!(report.open < 20);
}

#[test]
fn whatever_is_tampered_with_is_named_with_its_offsets() {
    let told = |tamper: &dyn Fn(&mut Night)| {
        let mut night = night();
        tamper(&mut night);
        audited(&night).differences
    };
    let lost = told(&|night| drop(night.late.pop()));
    assert_eq!(lost.len(), 2, "late, and with it what was used: {lost:?}");
    assert_eq!((lost[0].what, lost[0].told, lost[0].found), ("late", 1, 0));
    assert!(lost[0].to_string().starts_with("feeds.sensors/0 offsets "), "{}", lost[0]);
    let of_row = told(&|night| night.rows[20].0.sums.read += 1);
    assert_eq!(of_row.iter().map(|difference| difference.what).collect::<Vec<_>>(), ["read"]);
    let unknown = told(&|night| drop(night.quarantined.pop()));
    assert_eq!(unknown.iter().map(|difference| difference.what).collect::<Vec<_>>(), ["undecodable + quarantined"]);
    // A row that was never written: the next one covers its records too.
    assert!(!told(&|night| drop(night.rows.remove(15))).is_empty());
}

//! What stands in the end, in the form in which it is compared (DESIGN §4 rule 8).

use midan::engine::OutTopic;
use midan::log::{CHANGE_HEADER, Freshest, OWNER_KEY, Sighting, Tail, TailRecord, Topic};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const TOPICS: [Topic; 8] = [
    Topic::Out(OutTopic::Zones),
    Topic::Out(OutTopic::Alarms),
    Topic::Out(OutTopic::Late),
    Topic::Out(OutTopic::Quarantine),
    Topic::Out(OutTopic::Ledger),
    Topic::Out(OutTopic::Control),
    Topic::Out(OutTopic::State),
    Topic::Out(OutTopic::Alerts),
];

type Bytes = Vec<u8>;

/// What a late or quarantined line is put in order by.
#[derive(serde::Deserialize)]
struct OfSource {
    source: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// In order by topic and key; late and quarantined lines by topic and source, sorted where the order of arrival is free.
    ordered: BTreeMap<(&'static str, Bytes), Vec<Bytes>>,
    state: BTreeMap<Bytes, Bytes>,
    /// By alarm and change.
    alerts: BTreeMap<(Bytes, u32), Bytes>,
    /// The last alert of each alarm: what compaction leaves.
    last_alert: BTreeMap<Bytes, Bytes>,
    /// What a reader shows of each alarm who has read all of them.
    shown: BTreeMap<Bytes, Bytes>,
    /// Repeats that were not what they repeat.
    broken_repeats: Vec<Bytes>,
}

/// Everything that stands.
pub(super) fn read_all(tail: &mut dyn Tail) -> Vec<TailRecord> {
    let mut records = Vec::new();
    loop {
        tail.poll(100_000, Duration::ZERO, &mut records).unwrap();
        if tail.at_end() {
            return records;
        }
    }
}

pub(super) fn read(tail: &mut dyn Tail) -> Outcome {
    let (mut outcome, mut reader) = (Outcome::default(), Freshest::default());
    for record in read_all(tail) {
        if record.topic == Topic::Out(OutTopic::Alerts) && reader.take(&record) == Sighting::Fresh {
            outcome.shown.insert(record.key.clone(), record.value.clone().unwrap_or_default());
        }
        let change_no = record.header(CHANGE_HEADER).and_then(|text| text.parse().ok());
        if let Topic::Out(topic) = record.topic {
            outcome.take(topic, record.key, change_no, record.value);
        }
    }
    outcome
}

impl Outcome {
    /// One record; an alert with the number of its change.
    pub(super) fn take(&mut self, topic: OutTopic, key: Bytes, change_no: Option<u32>, value: Option<Bytes>) {
        match topic {
            OutTopic::State if key == OWNER_KEY => {}
            OutTopic::State => match value {
                Some(value) => drop(self.state.insert(key, value)),
                None => drop(self.state.remove(&key)),
            },
            OutTopic::Alerts => {
                let (change_no, value) = (change_no.expect("an alert without its number"), value.unwrap_or_default());
                self.last_alert.insert(key.clone(), value.clone());
                let first = self.alerts.entry((key, change_no)).or_insert_with(|| value.clone());
                if *first != value {
                    self.broken_repeats.push([first, &b" instead of "[..], &value].concat());
                }
            }
            OutTopic::Late | OutTopic::Quarantine => {
                let line = value.unwrap_or_default();
                let OfSource { source } = serde_json::from_slice(&line).unwrap();
                self.ordered.entry((topic.topic(), source.unwrap_or_default().into())).or_default().push(line);
            }
            _ => self.ordered.entry((topic.topic(), key)).or_default().push(value.unwrap_or_default()),
        }
    }

    /// The id of the first alarm of a kind.
    pub(super) fn alarm(&self, code: &str) -> Option<String> {
        self.alerts.keys().map(|(id, _)| String::from_utf8_lossy(id).into_owned()).find(|id| id.starts_with(code))
    }

    /// A miniature in which nothing happens proves nothing.
    pub(super) fn must_be_rich(&self, records: usize) {
        let of = |topic: &str| self.ordered.iter().filter(|((name, _), _)| *name == topic).map(|(_, lines)| lines.len()).sum::<usize>();
        println!(
            "{records} records, {} zones, {} alarm changes, {} late, {} quarantined, {} alerts, {} entries of state",
            of("midan.zones"),
            of("midan.alarms"),
            of("midan.late"),
            of("midan.quarantine"),
            self.alerts.len(),
            self.state.len()
        );
        assert!(of("midan.zones") > 300 && of("midan.alarms") >= 6 && of("midan.late") > 0 && of("midan.quarantine") > 3, "too little happens");
        assert_eq!(self.alerts.len(), of("midan.alarms"), "every change is an alert");
        assert!(self.broken_repeats.is_empty());
        self.must_be_balanced();
    }

    /// Every record and every observation has its one fate (promise 1).
    pub(super) fn must_be_balanced(&self) {
        for ((topic, key), rows) in self.ordered.iter().filter(|((topic, _), _)| *topic == "midan.ledger") {
            for row in rows {
                let row: serde_json::Value = serde_json::from_slice(row).unwrap();
                let sum = |fields: &[&str]| fields.iter().map(|field| row[field].as_i64().unwrap_or_default()).sum::<i64>();
                assert_eq!(sum(&["read"]), sum(&["decoded", "undecodable", "command"]), "{topic} {}", String::from_utf8_lossy(key));
                let fates = ["windowed", "revised", "late", "duplicate", "quarantined", "ignored"];
                assert_eq!(sum(&["observations"]), sum(&fates), "{topic} {}", String::from_utf8_lossy(key));
            }
        }
    }

    /// The first difference, in words.
    pub(super) fn differs_from(&self, expected: &Self) -> Option<String> {
        for (key, wanted) in &expected.ordered {
            let found = self.ordered.get(key).map_or(&[][..], Vec::as_slice);
            if let Some(i) = (0..wanted.len().max(found.len())).find(|i| wanted.get(*i) != found.get(*i)) {
                return Some(format!("{} {} #{i}: {} instead of {}", key.0, text(Some(&key.1)), text(found.get(i)), text(wanted.get(i))));
            }
        }
        if let Some(key) = self.ordered.keys().find(|key| !expected.ordered.contains_key(*key)) {
            return Some(format!("{} {} should not be there", key.0, text(Some(&key.1))));
        }
        if let Some(broken) = self.broken_repeats.first() {
            return Some(format!("a repeated alert is another one: {}", text(Some(broken))));
        }
        let alerts = self.alerts.keys().chain(expected.alerts.keys());
        if let Some(key) = alerts.clone().find(|key| self.alerts.get(*key) != expected.alerts.get(*key)) {
            return Some(format!("alert {} {}: {} instead of {}", text(Some(&key.0)), key.1, text(self.alerts.get(key)), text(expected.alerts.get(key))));
        }
        None
    }

    /// The first entry of the state that differs.
    pub(super) fn state_differs_from(&self, expected: &Self) -> Option<String> {
        let mut keys = self.state.keys().chain(expected.state.keys());
        keys.find(|key| self.state.get(*key) != expected.state.get(*key)).map(|key| format!("state {} differs", text(Some(key))))
    }

    /// An alarm whose last record on the alerts' topic is not its last change.
    pub(super) fn stale_alert(&self, expected: &Self) -> Option<String> {
        let last = self.last_alert.keys().find(|key| self.last_alert.get(*key) != expected.last_alert.get(*key));
        let last = last.map(|key| format!("the last alert of {} is {}", text(Some(key)), text(self.last_alert.get(key))));
        let shown = || self.last_alert.keys().find(|key| self.shown.get(*key) != expected.last_alert.get(*key));
        last.or_else(|| shown().map(|key| format!("of {} a reader shows {}", text(Some(key)), text(self.shown.get(key)))))
    }
}

/// The beginning of what is compared, to be read.
fn text(bytes: Option<&Bytes>) -> String {
    bytes.map_or("nothing".to_owned(), |bytes| String::from_utf8_lossy(bytes).chars().take(1_600).collect())
}

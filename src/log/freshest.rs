//! Which of the alerts on `midan.alerts` a reader shows: repeats collapse, and a shard that slept overwrites nothing.
//!
//! The idea: of two senders the one with the greater term is the rightful owner, and within one sender's alerts the greater change number is the newer. So a reader
//! keeps the greatest (term, change number) of each alarm. Whoever reads `midan.alerts` reads it through this.

use super::{CHANGE_HEADER, GENERATION_HEADER, HEARTBEAT_PREFIX, TailRecord};
use std::collections::BTreeMap;

/// What a reader has seen of each alarm.
#[derive(Debug, Default)]
pub struct Freshest {
    seen: BTreeMap<Vec<u8>, (i32, u32)>,
}

/// What a record of `midan.alerts` is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Newer than what was seen of its alarm.
    Fresh,
    /// A repeat, as after a crash.
    Repeat,
    /// An older one: a sleeper's, or sent again behind a newer one.
    Stale,
    /// No alert: a heartbeat, or a key that is gone.
    Other,
}

impl Freshest {
    /// Takes a record in, and says what it is.
    pub fn take(&mut self, record: &TailRecord) -> Sighting {
        if record.key.starts_with(HEARTBEAT_PREFIX.as_bytes()) || record.value.is_none() {
            return Sighting::Other;
        }
        let number = |name: &str| record.header(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
        let this = (number(GENERATION_HEADER) as i32, number(CHANGE_HEADER) as u32);
        match self.seen.get_mut(&record.key) {
            Some(last) if this == *last => Sighting::Repeat,
            Some(last) if this < *last => Sighting::Stale,
            Some(last) => {
                let repeats = this.1 == last.1;
                *last = this;
                if repeats { Sighting::Repeat } else { Sighting::Fresh }
            }
            None => {
                self.seen.insert(record.key.clone(), this);
                Sighting::Fresh
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::OutTopic;
    use crate::log::Topic;

    fn alert(key: &str, generation: i32, change_no: u32) -> TailRecord {
        let headers = [(GENERATION_HEADER, generation.to_string()), (CHANGE_HEADER, change_no.to_string())];
        TailRecord {
            topic: Topic::Out(OutTopic::Alerts),
            partition: 0,
            offset: 0,
            timestamp_ms: 0,
            key: key.into(),
            value: Some(b"{}".to_vec()),
            headers: headers.into_iter().map(|(name, value)| (name.into(), value.into_bytes())).collect(),
        }
    }

    #[test]
    fn a_shard_that_slept_overwrites_no_newer_state() {
        let mut readers = Freshest::default();
        assert_eq!(readers.take(&alert("a", 5, 2)), Sighting::Fresh);
        assert_eq!(readers.take(&alert("a", 6, 3)), Sighting::Fresh, "the new owner");
        assert_eq!(readers.take(&alert("a", 5, 4)), Sighting::Stale, "the sleeper went on counting");
        assert_eq!(readers.take(&alert("a", 6, 4)), Sighting::Fresh);
    }

    #[test]
    fn repeats_collapse_also_when_another_owner_sends_them() {
        let mut readers = Freshest::default();
        readers.take(&alert("a", 5, 2));
        assert_eq!(readers.take(&alert("a", 5, 2)), Sighting::Repeat);
        assert_eq!(readers.take(&alert("a", 6, 2)), Sighting::Repeat);
        assert_eq!(readers.take(&alert("b", 6, 2)), Sighting::Fresh);
        assert_eq!(readers.take(&alert("heartbeat/night/here/0", 6, 0)), Sighting::Other);
    }
}

//! A shard's membership on Kafka: the reader, the transactions, the alerts' lane and the changelog, put together.

use super::alerts::AlertLane;
use super::consumer::Input;
use super::producer::{Outgoing, Transactions};
use super::restore::Restorer;
use super::settings::Settings;
use crate::engine::{Alert, OutRecord, OutTopic, StateChange};
use crate::log::{Event, Inbox, LogError, Offsets, POSITION_HEADER, Place, ShardLog, StateEntry, Topic};
use std::collections::BTreeMap;
use std::time::Duration;

/// A shard's membership. The fields are dropped in their order: first whoever writes, then the membership.
pub struct KafkaShard {
    alerts: AlertLane,
    transactions: Transactions,
    restorer: Option<Restorer>,
    input: Input,
    names: BTreeMap<OutTopic, String>,
    settings: Settings,
}

impl KafkaShard {
    /// Connects as shard number `shard` of this instance: fences its own past, then joins the group. Waits for the broker up to half a minute.
    pub fn join(settings: &Settings, shard: u32) -> Result<Self, LogError> {
        settings.check()?;
        let transactions = Transactions::start(settings, shard)?;
        let alerts = AlertLane::start(settings, shard)?;
        let input = Input::join(settings)?;
        let names = OutTopic::ALL.into_iter().map(|topic| (topic, settings.name(Topic::Out(topic)))).collect();
        Ok(Self { alerts, transactions, restorer: None, input, names, settings: settings.clone() })
    }

    fn write(&self, partition: u32, topic: OutTopic, key: &[u8], value: Option<&[u8]>, position: Option<&str>) -> Result<(), LogError> {
        let topic = self.names.get(&topic).map_or(topic.topic(), String::as_str);
        self.transactions.send(&Outgoing { topic, partition, key, value, header: position.map(|position| (POSITION_HEADER, position)) })
    }
}

impl ShardLog for KafkaShard {
    fn poll(&mut self, max_records: usize, wait: Duration, inbox: &mut Inbox) -> Result<(), LogError> {
        inbox.clear();
        self.input.poll(max_records, wait, inbox)?;
        if let Some(partition) = self.input.any_owned()
            && let Some(at) = self.alerts.beat(partition, self.input.generation())
        {
            inbox.events.push(Event::BrokerTime(at));
        }
        Ok(())
    }

    fn committed(&mut self, partition: u32) -> Result<Offsets, LogError> {
        self.input.committed(partition)
    }

    fn start(&mut self, from: &Offsets) -> Result<(), LogError> {
        self.input.start(from)
    }

    fn halt(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.input.halt(partitions)
    }

    fn pause(&mut self, places: &[Place], paused: bool) -> Result<(), LogError> {
        self.input.pause(places, paused)
    }

    fn release(&mut self, partitions: &[u32]) -> Result<(), LogError> {
        self.input.release(partitions)
    }

    fn read_state(&mut self, partition: u32, entry: &mut StateEntry<'_>) -> Result<u64, LogError> {
        let restorer = match self.restorer.take() {
            Some(restorer) => restorer,
            None => Restorer::start(&self.settings)?,
        };
        self.restorer.insert(restorer).read(partition, entry)
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.transactions.begin()
    }

    fn append(&mut self, partition: u32, record: &OutRecord) -> Result<(), LogError> {
        self.write(partition, record.topic, &record.key, Some(&record.value), record.position.as_deref())
    }

    fn append_state(&mut self, partition: u32, change: &StateChange) -> Result<(), LogError> {
        self.write(partition, OutTopic::State, &change.key, change.value.as_deref(), None)
    }

    fn append_alert(&mut self, partition: u32, alert: &Alert) -> Result<(), LogError> {
        self.write(partition, OutTopic::Alerts, &alert.key, Some(&alert.value), None)
    }

    fn commit(&mut self, next: &Offsets) -> Result<(), LogError> {
        let offsets = self.input.offsets(next)?;
        self.transactions.commit(&offsets, self.input.metadata())
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.transactions.abort()
    }

    fn send_alert(&mut self, partition: u32, alert: &Alert) -> Result<(), LogError> {
        self.alerts.send(partition, alert, self.input.generation())
    }

    fn await_alerts(&mut self, wait: Duration) -> Result<(), LogError> {
        self.alerts.settle(wait)
    }

    fn inputs_closed(&self) -> bool {
        true
    }
}

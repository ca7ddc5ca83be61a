//! A shard's membership on Kafka: the reader, the transactions, the alerts' lane and the changelog, put together.

use super::alerts::AlertLane;
use super::consumer::Input;
use super::input_topics::InputTopics;
use super::producer::{self, Commit, Outgoing, Transactions, now};
use super::restore::Restorer;
use super::settings::Settings;
use crate::engine::{Alert, OutRecord, OutTopic, StateChange};
use crate::log::{
    AlertEntry, CHANGE_HEADER, Event, Fencing, GENERATION_HEADER, Identities, Inbox, Kept, LogError, Offsets, POSITION_HEADER, Place, ShardLog, StateEntry,
    Topic,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A shard's membership. The fields are dropped in their order: first whoever writes, then the membership.
pub struct KafkaShard {
    alerts: AlertLane,
    transactions: Transactions,
    restorer: Option<Restorer>,
    input: Input,
    names: BTreeMap<OutTopic, String>,
    settings: Settings,
    id: String,
    /// Ids that are being fenced, and what came of it.
    fencing: Arc<Mutex<BTreeMap<String, Fencing>>>,
    topics: InputTopics,
    /// Groups of other names that had members when they were asked, or could not be asked (false).
    groups: BTreeMap<String, (Instant, bool)>,
}

/// A group of another name is asked so often at most.
const GROUP_ASKED_EVERY: Duration = Duration::from_millis(1_500);

impl KafkaShard {
    /// Connects as shard number `shard` of this instance: fences its own past, then joins the group. Waits for the broker up to half a minute.
    pub fn join(settings: &Settings, shard: u32) -> Result<Self, LogError> {
        settings.check()?;
        let id = settings.transactional_id(shard);
        let transactions = Transactions::start(settings, &id)?;
        let alerts = AlertLane::start(settings, shard)?;
        let input = Input::join(settings, shard)?;
        let names = OutTopic::ALL.into_iter().map(|topic| (topic, settings.name(Topic::Out(topic)))).collect();
        Ok(Self {
            alerts,
            transactions,
            restorer: None,
            input,
            names,
            settings: settings.clone(),
            id,
            fencing: Arc::default(),
            topics: InputTopics::new(settings),
            groups: BTreeMap::new(),
        })
    }

    fn write(&self, partition: u32, topic: OutTopic, key: &[u8], value: Option<&[u8]>, headers: &[(&'static str, &str)]) -> Result<(), LogError> {
        let topic = self.names.get(&topic).map_or(topic.topic(), String::as_str);
        self.transactions.send(&Outgoing { topic, partition, key, value, headers })
    }

    fn restore<T>(&mut self, read: impl FnOnce(&mut Restorer) -> Result<T, LogError>) -> Result<T, LogError> {
        let mut restorer = match self.restorer.take() {
            Some(restorer) => restorer,
            None => Restorer::start(&self.settings)?,
        };
        let done = read(&mut restorer);
        // One that nothing comes to may have lost its brokers while nobody polled it: the next try has a new one.
        if !matches!(done, Err(LogError::Busy { .. })) {
            self.restorer = Some(restorer);
        }
        done
    }
}

impl ShardLog for KafkaShard {
    fn id(&self) -> &str {
        &self.id
    }

    fn group(&self) -> &str {
        &self.settings.group
    }

    fn generation(&self) -> i32 {
        self.input.generation()
    }

    fn poll(&mut self, max_records: usize, wait: Duration, inbox: &mut Inbox) -> Result<(), LogError> {
        inbox.clear();
        self.topics.look()?;
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

    fn kept(&mut self, partition: u32) -> Result<Kept, LogError> {
        self.input.kept(partition)
    }

    fn identities(&mut self) -> Result<Identities, LogError> {
        let told = self.restore(|restorer| restorer.identities())?;
        self.topics.hold(&told)?;
        Ok(told)
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
        self.restore(|restorer| restorer.state(partition, entry))
    }

    fn read_alerts(&mut self, partition: u32, from: Option<i64>, alert: &mut AlertEntry<'_>) -> Result<i64, LogError> {
        self.restore(|restorer| restorer.alerts(partition, from, alert))
    }

    fn alerts_end(&self, partition: u32) -> Option<i64> {
        self.alerts.end(partition)
    }

    fn fence(&mut self, id: &str) {
        let mut outcomes = self.fencing.lock().unwrap_or_else(PoisonError::into_inner);
        if outcomes.insert(id.to_owned(), Fencing::Going) == Some(Fencing::Going) {
            return;
        }
        drop(outcomes);
        // It takes half a second when something is open, and what this shard has at work must not stop for it.
        let (settings, id, fencing) = (self.settings.clone(), id.to_owned(), Arc::clone(&self.fencing));
        std::thread::spawn(move || {
            let outcome = producer::fence(&settings, &id).map_or_else(unfenced, |()| Fencing::Done);
            if outcome != Fencing::Done {
                tracing::warn!(?outcome, id, "A shard that is gone could not be fenced; what it left open ends by its time-out.");
            }
            fencing.lock().unwrap_or_else(PoisonError::into_inner).insert(id, outcome);
        });
    }

    fn has_members(&mut self, group: &str) -> Result<bool, LogError> {
        // It is asked for every partition that waits. That it is empty is never remembered.
        if let Some((at, said)) = self.groups.get(group).filter(|(at, _)| at.elapsed() < GROUP_ASKED_EVERY) {
            let detail = format!("its coordinator did not answer {:.1} s ago", at.elapsed().as_secs_f64());
            return if *said { Ok(true) } else { Err(LogError::Busy { doing: "asking who is in another group", detail }) };
        }
        let said = self.restore(|restorer| restorer.has_members(group));
        match &said {
            Ok(false) => drop(self.groups.remove(group)),
            Ok(true) | Err(_) => drop(self.groups.insert(group.to_owned(), (now(), said.is_ok()))),
        }
        said
    }

    fn fencing(&self, id: &str) -> Option<Fencing> {
        self.fencing.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn end(&mut self, place: Place) -> Result<i64, LogError> {
        self.input.end(place)
    }

    fn begin(&mut self) -> Result<(), LogError> {
        self.transactions.begin()
    }

    fn append(&mut self, partition: u32, record: &OutRecord) -> Result<(), LogError> {
        let position = record.position.as_deref().map(|position| (POSITION_HEADER, position));
        self.write(partition, record.topic, &record.key, Some(&record.value), position.as_slice())
    }

    fn append_state(&mut self, partition: u32, change: &StateChange) -> Result<(), LogError> {
        self.write(partition, OutTopic::State, &change.key, change.value.as_deref(), &[])
    }

    fn append_alert(&mut self, partition: u32, alert: &Alert, term: i32) -> Result<(), LogError> {
        let (term, change_no) = (term.to_string(), alert.change_no.to_string());
        let headers = [(GENERATION_HEADER, term.as_str()), (CHANGE_HEADER, change_no.as_str())];
        self.write(partition, OutTopic::Alerts, &alert.key, Some(&alert.value), &headers)
    }

    fn start_commit(&mut self, next: &Offsets) -> Result<(), LogError> {
        self.transactions.start_commit(Commit { offsets: self.input.named(next), metadata: self.input.metadata() })
    }

    fn await_commit(&mut self, wait: Duration) -> Result<bool, LogError> {
        self.transactions.await_commit(wait)
    }

    fn abort(&mut self) -> Result<(), LogError> {
        self.transactions.abort()
    }

    fn send_alert(&mut self, partition: u32, alert: &Alert, term: i32, commands_read: i64) -> Result<(), LogError> {
        self.alerts.send(partition, alert, term, commands_read)
    }

    fn await_alerts(&mut self, wait: Duration) -> Result<(), LogError> {
        self.alerts.settle(wait)
    }

    fn inputs_closed(&self) -> bool {
        true
    }
}

/// What became of a fencing that did not come about.
fn unfenced(error: LogError) -> Fencing {
    match error {
        LogError::Refused { detail, cure, .. } => Fencing::Refused { detail, cure },
        other => Fencing::Failed(other.to_string()),
    }
}

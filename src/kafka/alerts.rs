//! The alerts' own lane: an idempotent producer that sends at once and knows what the broker has.
//!
//! Once a second it leaves a heartbeat on `midan.alerts`. Its acknowledgement carries the broker's append time, which is the only clock that a shard
//! is told: when the broker is out of reach, no time passes for it. The first heartbeat also warms the producer up, which would cost the first alert a second.

use super::broker_clock::BrokerClock;
use super::lifeline::{Lifeline, Rescued, Wait};
use super::producer::{now, pause};
use super::settings::Settings;
use crate::engine::{Alert, OutTopic};
use crate::log::{CHANGE_HEADER, COMMANDS_HEADER, GENERATION_HEADER, HEARTBEAT_PREFIX, LogError, Topic};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders, Timestamp};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const HEARTBEAT: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);
/// What marks the report of an alert, and that of a heartbeat.
const ALERT: usize = 0;
const BEAT: usize = 1;

/// Takes the acknowledgements.
#[derive(Debug)]
pub(super) struct Acks {
    lifeline: Lifeline,
    failure: Mutex<Option<String>>,
    began: Instant,
    broker: Mutex<BrokerClock>,
    /// By partition, the offset behind the last alert that the broker has.
    ends: Mutex<BTreeMap<i32, i64>>,
}

impl ClientContext for Acks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        super::context::Quiet.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        super::context::Quiet.error(error, reason);
    }
}

impl Rescued for Acks {
    fn lifeline(&self) -> &Lifeline {
        &self.lifeline
    }
}

impl ProducerContext for Acks {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, what: usize) {
        match result {
            Ok(message) => {
                // The writer's own stamp is not the broker's time, and a writer's clock must not move anything.
                if let (BEAT, Timestamp::LogAppendTime(at)) = (what, message.timestamp()) {
                    let passed = self.began.elapsed().as_millis() as i64;
                    self.broker.lock().unwrap_or_else(PoisonError::into_inner).hear(at, passed);
                }
                if what == ALERT {
                    let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
                    let end = ends.entry(message.partition()).or_default();
                    *end = (*end).max(message.offset() + 1);
                }
            }
            Err(_) if what == BEAT => {}
            Err((error, _)) => {
                self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// The lane.
pub(super) struct AlertLane {
    producer: BaseProducer<Acks>,
    topic: String,
    beat_key: String,
    last_beat: Option<Instant>,
    /// For how long something has been on its way.
    under_way: Option<Wait>,
    told: Option<i64>,
}

impl AlertLane {
    pub(super) fn start(settings: &Settings, shard: u32) -> Result<Self, LogError> {
        let acks =
            Acks { lifeline: Lifeline::new(&settings.brokers), failure: Mutex::default(), began: now(), broker: Mutex::default(), ends: Mutex::default() };
        let producer = BaseProducer::from_config_and_context(&settings.alerting(), acks).map_err(|error| LogError::Refused {
            doing: "starting the alerts' lane",
            detail: error.to_string(),
            cure: "check the Kafka table of the configuration",
        })?;
        let beat_key = format!("{HEARTBEAT_PREFIX}{}/{}/{shard}", settings.group, settings.instance);
        Ok(Self { producer, topic: settings.name(Topic::Out(OutTopic::Alerts)), beat_key, last_beat: None, under_way: None, told: None })
    }

    /// Sends an alert.
    pub(super) fn send(&mut self, partition: u32, alert: &Alert, term: i32, commands_read: i64) -> Result<(), LogError> {
        let headers = [(GENERATION_HEADER, term.to_string()), (CHANGE_HEADER, alert.change_no.to_string()), (COMMANDS_HEADER, commands_read.to_string())];
        let headers = headers.iter().fold(OwnedHeaders::new_with_capacity(3), |all, (key, value)| all.insert(Header { key, value: Some(value) }));
        let mut record = BaseRecord::with_opaque_to(&self.topic, ALERT).partition(partition as i32).key(&alert.key).payload(&alert.value).headers(headers);
        let mut wait = Wait::begin();
        loop {
            match self.producer.send(record) {
                Ok(()) => {
                    self.producer.poll(Duration::ZERO);
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if wait.goes_on(PATIENCE, self.producer.client()) => {
                    record = back;
                    self.producer.poll(Duration::ZERO);
                    pause();
                }
                Err((error, _)) => return Err(LogError::Aborted { doing: "sending an alert", detail: error.to_string() }),
            }
        }
    }

    /// The offset behind the last alert that the broker has of a partition.
    pub(super) fn end(&self, partition: u32) -> Option<i64> {
        self.producer.context().ends.lock().unwrap_or_else(PoisonError::into_inner).get(&(partition as i32)).copied()
    }

    /// Leaves a heartbeat when one is due, takes acknowledgements, and answers the broker's time when it has moved on by a second, or a leap was taken back.
    pub(super) fn beat(&mut self, partition: u32, generation: i32) -> Option<i64> {
        if self.last_beat.is_none_or(|last| last.elapsed() >= HEARTBEAT) {
            self.last_beat = Some(now());
            let value = format!("{{\"v\":1,\"heartbeat\":true,\"generation\":{generation}}}");
            let record = BaseRecord::with_opaque_to(&self.topic, BEAT).partition(partition as i32).key(&self.beat_key).payload(&value);
            // A heartbeat that finds no room is only late.
            let _ = self.producer.send(record);
        }
        self.take_reports();
        if self.producer.in_flight_count() == 0 {
            self.under_way = None;
        } else {
            self.under_way.get_or_insert_with(Wait::begin).goes_on(Duration::MAX, self.producer.client());
        }
        let at = self.producer.context().broker.lock().unwrap_or_else(PoisonError::into_inner).time()?;
        let second = HEARTBEAT.as_millis() as i64 - 100;
        // Back it goes where a leap had been believed.
        let has_moved = self.told.is_none_or(|told| at >= told + second || at < told);
        has_moved.then(|| *self.told.insert(at))
    }

    /// Waits until the broker has everything that was sent.
    pub(super) fn settle(&mut self, wait: Duration) -> Result<(), LogError> {
        let doing = "waiting for the alerts' acknowledgement";
        let mut waiting = Wait::begin();
        loop {
            self.take_reports();
            if let Some(detail) = self.producer.context().failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(LogError::Aborted { doing, detail });
            }
            if self.producer.in_flight_count() == 0 {
                return Ok(());
            }
            if !waiting.goes_on(wait, self.producer.client()) {
                return Err(LogError::Aborted { doing, detail: format!("{} not acknowledged in time", self.producer.in_flight_count()) });
            }
            pause();
        }
    }

    fn take_reports(&self) {
        for _ in 0..100 {
            if self.producer.in_flight_count() == 0 {
                return;
            }
            self.producer.poll(Duration::ZERO);
        }
    }
}

impl Drop for AlertLane {
    fn drop(&mut self) {
        // A dropped producer throws away what it has not sent.
        let _ = self.settle(Duration::from_secs(2));
    }
}

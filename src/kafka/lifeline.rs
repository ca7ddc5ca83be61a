//! A client that was told of no broker at all comes back.
//!
//! A lone broker that its controller takes for dead for a moment (an overloaded machine on site is enough) answers with an empty list of brokers. librdkafka then lets go of
//! every broker that it knows and never looks for another one (its issue 5301, from 2.10 on): readers stand still and writers wait for ever, without an error. So it is given the brokers of the
//! configuration again, which it may be at any time: a reader when its statistics show that it knows none, a writer when an answer has not come for long.

use super::context::Quiet;
use super::ffi;
use super::producer::now;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Without an answer for so long, a writer's lifeline is pulled. A broker that works answers within milliseconds, and one that is dead is not disturbed by it.
const SILENCE: Duration = Duration::from_secs(3);

/// The brokers of the configuration, for a client that has lost all that it knew. By itself it is the context of a reader outside the group.
#[derive(Debug)]
pub(super) struct Lifeline {
    brokers: String,
    is_cut_off: AtomicBool,
}

/// What of librdkafka's statistics is looked at.
#[derive(Deserialize)]
struct Statistics {
    #[serde(default)]
    brokers: BTreeMap<String, Known>,
}

#[derive(Deserialize)]
struct Known {
    source: String,
}

impl Lifeline {
    /// One that leads to these brokers, separated by commas.
    pub(super) fn new(brokers: &str) -> Self {
        Self { brokers: brokers.to_owned(), is_cut_off: AtomicBool::new(false) }
    }

    /// Takes statistics of the client: whether it knows a broker, from the configuration or from another one. What else it lists stands for a role, not for a broker.
    fn note(&self, statistics: &[u8]) {
        let Ok(Statistics { brokers }) = serde_json::from_slice(statistics) else { return };
        let knows_one = brokers.values().any(|known| matches!(known.source.as_str(), "learned" | "configured"));
        self.is_cut_off.store(!knows_one, Ordering::Relaxed);
    }

    fn pull<C: ClientContext>(&self, client: &Client<C>) {
        tracing::warn!(brokers = %self.brokers, "A Kafka client has had no answer for long, or knows no broker: it is told of the configured ones again.");
        ffi::add_brokers(client, &self.brokers);
    }
}

impl ClientContext for Lifeline {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        Quiet.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Quiet.error(error, reason);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        self.note(statistics);
    }
}

impl ConsumerContext for Lifeline {}

/// The context of a client that has a lifeline.
pub(super) trait Rescued: ClientContext {
    /// It.
    fn lifeline(&self) -> &Lifeline;
}

impl Rescued for Lifeline {
    fn lifeline(&self) -> &Lifeline {
        self
    }
}

/// Pulls a client's lifeline if its statistics say so. Whoever polls the client calls this.
pub(super) fn pull_if_cut_off<C: Rescued>(client: &Client<C>) {
    let lifeline = client.context().lifeline();
    if lifeline.is_cut_off.swap(false, Ordering::Relaxed) {
        lifeline.pull(client);
    }
}

/// A wait for a broker's answer.
pub(super) struct Wait {
    began: Instant,
    pulls: u32,
}

impl Wait {
    pub(super) fn begin() -> Self {
        Self { began: now(), pulls: 0 }
    }

    /// Whether it may go on, up to `patience`. Pulls the client's lifeline when no answer has come for long, and again after as long: the broker may be fenced still.
    pub(super) fn goes_on<C: Rescued>(&mut self, patience: Duration, client: &Client<C>) -> bool {
        let waited = self.began.elapsed();
        if self.is_pull_due(waited) {
            client.context().lifeline().pull(client);
        }
        waited < patience
    }

    /// Whether the lifeline is to be pulled after having waited so long: once for each silence that has gone by, and once only for those that nobody asked in.
    fn is_pull_due(&mut self, waited: Duration) -> bool {
        let silences = u32::try_from(waited.as_millis().saturating_sub(1) / SILENCE.as_millis()).unwrap_or(u32::MAX);
        let is_due = silences > self.pulls;
        self.pulls = self.pulls.max(silences);
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cut_off(statistics: &str) -> bool {
        let lifeline = Lifeline::new("b:9092");
        lifeline.note(statistics.as_bytes());
        lifeline.is_cut_off.load(Ordering::Relaxed)
    }

    #[test]
    fn a_client_without_a_broker_is_cut_off_and_one_that_knows_any_is_not() {
        let group = r#""GroupCoordinator":{"name":"GroupCoordinator","nodeid":-1,"source":"logical","state":"UP"}"#;
        assert!(is_cut_off(&format!(r#"{{"name":"c","brokers":{{{group}}}}}"#)));
        assert!(is_cut_off(r#"{"name":"c","brokers":{}}"#));
        assert!(!is_cut_off(&format!(r#"{{"brokers":{{{group},"b:9092/1":{{"nodeid":1,"source":"learned","state":"DOWN"}}}}}}"#)));
        assert!(!is_cut_off(r#"{"brokers":{"b:9092/bootstrap":{"nodeid":-1,"source":"configured","state":"INIT"}}}"#));
        assert!(!is_cut_off("no statistics"));
    }

    #[test]
    fn statistics_that_name_a_broker_again_take_the_word_back() {
        let lifeline = Lifeline::new("b:9092");
        lifeline.note(br#"{"brokers":{}}"#);
        lifeline.note(b"broken");
        assert!(lifeline.is_cut_off.load(Ordering::Relaxed), "what cannot be read says nothing");
        lifeline.note(br#"{"brokers":{"b:9092/1":{"source":"learned"}}}"#);
        assert!(!lifeline.is_cut_off.load(Ordering::Relaxed));
    }

    #[test]
    fn a_wait_pulls_once_for_each_silence() {
        let mut wait = Wait::begin();
        let asked_at = [0, 1, 2_999, 3_000, 3_001, 3_100, 5_999, 6_001, 6_002, 20_000, 20_001, 21_001];
        let pulled: Vec<u64> = asked_at.into_iter().filter(|ms| wait.is_pull_due(Duration::from_millis(*ms))).collect();
        assert_eq!(pulled, [3_001, 6_001, 20_000, 21_001], "one who slept through four silences pulls once");
    }

    /// A client that is told of nobody and has a broker after all: the lifeline leads to it.
    #[test]
    fn a_reader_that_knows_no_broker_finds_one_by_its_lifeline() {
        use rdkafka::consumer::{BaseConsumer, Consumer};
        let cluster = rdkafka::mocking::MockCluster::new(1).unwrap();
        let mut config = rdkafka::ClientConfig::new();
        config.set("group.id", "g").set("statistics.interval.ms", "50").set("log_level", "0");
        let reader: BaseConsumer<Lifeline> = config.create_with_context(Lifeline::new(&cluster.bootstrap_servers())).unwrap();
        let poll_until = |is_enough: &dyn Fn() -> bool| {
            for _ in 0..200 {
                if is_enough() {
                    return true;
                }
                let _ = reader.poll(Duration::from_millis(50));
            }
            is_enough()
        };
        assert!(poll_until(&|| reader.context().is_cut_off.load(Ordering::Relaxed)), "its statistics say that it knows nobody");
        assert!(reader.fetch_metadata(None, Duration::from_millis(200)).is_err());
        pull_if_cut_off(reader.client());
        assert!(!reader.context().is_cut_off.load(Ordering::Relaxed), "pulled once");
        assert_eq!(reader.fetch_metadata(None, Duration::from_secs(10)).unwrap().brokers().len(), 1);
    }
}

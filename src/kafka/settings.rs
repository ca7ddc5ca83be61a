//! The clients' properties: Midan's own, measured; the deployment's over them; and the few that nobody may set, each with its reason.

use crate::log::topics::LARGEST_ENTRY;
use crate::log::{LogError, Topic};
use rdkafka::ClientConfig;
use std::collections::BTreeMap;
use std::time::Duration;

/// `session.timeout.ms` where a deployment sets none.
const SESSION_MS: u64 = 6_000;

/// How to reach Kafka, and as whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `bootstrap.servers`.
    pub brokers: String,
    /// The consumer group; all instances of one service share it.
    pub group: String,
    /// This instance's name: stable over restarts, and no other's.
    pub instance: String,
    /// What stands before every topic's name; mostly nothing.
    pub prefix: String,
    /// What the clients of one shard may hold, in bytes.
    pub memory: usize,
    /// Any further librdkafka property (TLS, SASL, …), for every client.
    pub properties: BTreeMap<String, String>,
}

/// Properties that a deployment may not set, and why.
const OWNED: &[(&str, &str)] = &[
    ("bootstrap.servers", "it has a field of its own, `brokers`"),
    ("group.id", "it has a field of its own, `group`"),
    ("transactional.id", "it is made of group, instance and shard, so that a restart fences its own past and nobody else's"),
    ("enable.auto.commit", "offsets move in the transaction with the outputs; a second way of committing them would lose records"),
    ("enable.auto.offset.store", "offsets move in the transaction with the outputs"),
    ("isolation.level", "an output of a transaction that was given up must never be read"),
    ("enable.idempotence", "without it a retry may repeat a record or change the order"),
    ("enable.partition.eof", "that a source is idle is proven by the end of its partition"),
    ("partition.assignment.strategy", "one partition number of all topics must go to one shard; that holds with the cooperative protocol on the lead topic"),
    ("auto.offset.reset", "a shard starts where its last commit says, and must not jump when that record is gone"),
    ("statistics.interval.ms", "a reader that has lost its brokers is found by them, and of a writer that is not polled they would pile up"),
    ("group.protocol", "the broker's protocol takes 45 s to notice a dead shard with its default settings, the classic one six"),
    ("delivery.report.only.error", "each lane needs its own: outputs only failures, alerts and inputs every acknowledgement"),
    ("partitioner", "a venue's partition is told by murmur2 for all producers"),
    ("acks", "a record that one broker has is not safe yet"),
];

impl Settings {
    /// Settings for a broker without TLS, with everything else as it is by default.
    pub fn new(brokers: &str, group: &str, instance: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            group: group.to_owned(),
            instance: instance.to_owned(),
            prefix: String::new(),
            memory: 256 << 20,
            properties: BTreeMap::new(),
        }
    }

    /// Refuses the properties that Midan must own and those that librdkafka does not know.
    pub fn check(&self) -> Result<(), LogError> {
        for name in self.properties.keys() {
            if let Some((_, reason)) = OWNED.iter().find(|(owned, _)| owned == name) {
                return Err(LogError::Setting { name: name.clone(), reason: (*reason).to_owned() });
            }
        }
        let config = self.client(&[]);
        config.create_native_config().map(drop).map_err(|error| match error {
            rdkafka::error::KafkaError::ClientConfig(_, reason, name, _) => LogError::Setting { name, reason },
            other => LogError::Setting { name: "(several)".to_owned(), reason: other.to_string() },
        })
    }

    /// A topic's name on the broker.
    pub fn name(&self, topic: Topic) -> String {
        format!("{}{}", self.prefix, topic.name())
    }

    /// The id under which a shard's transactions run. Stable: a restarted shard fences the one it replaces.
    pub fn transactional_id(&self, shard: u32) -> String {
        format!("{}midan-{}-{}-{shard}", self.prefix, self.group, self.instance)
    }

    /// For how long the group counts on a shard that it does not hear of.
    pub fn session_timeout(&self) -> Duration {
        let set = self.properties.get("session.timeout.ms").and_then(|text| text.parse().ok());
        Duration::from_millis(set.unwrap_or(SESSION_MS))
    }

    /// The name by which the group knows a shard.
    pub fn client_id(&self, shard: u32) -> String {
        format!("midan-{}-{shard}", self.instance)
    }

    /// The reader of the inputs, as shard number `shard`.
    pub(super) fn input(&self, shard: u32) -> ClientConfig {
        let (prefetch, session, fetch) = (self.prefetch_kbytes().to_string(), SESSION_MS.to_string(), self.fetch_bytes().to_string());
        let mut config = self.client(&[
            // Batches are what makes reading cheap; these only bound how long an end, a seek or a new partition waits.
            ("fetch.wait.max.ms", "20"),
            ("fetch.queue.backoff.ms", "5"),
            // A full queue is not fetched for. Of small records a hundred thousand fill it, which is the client's own limit.
            ("queued.max.messages.kbytes", prefetch.as_str()),
            ("fetch.max.bytes", fetch.as_str()),
            // A megabyte of each partition, the default, is a hundred thousand small records.
            ("max.partition.fetch.bytes", "262144"),
            ("session.timeout.ms", session.as_str()),
            ("heartbeat.interval.ms", "1000"),
        ]);
        reading(&mut config);
        config.set("statistics.interval.ms", STATISTICS_MS);
        config.set("group.id", &self.group).set("client.id", self.client_id(shard));
        config.set("partition.assignment.strategy", "cooperative-sticky");
        // Every start names its offset, so there is nothing to guess; a jump back to the first record would count everything twice.
        config.set("auto.offset.reset", "error");
        config
    }

    /// A reader outside the group: the changelog, the tails. Its group only satisfies the client; nothing is ever committed in it.
    pub(super) fn reader(&self, purpose: &str) -> ClientConfig {
        let mut config = self.client(&[("fetch.wait.max.ms", "10"), ("fetch.queue.backoff.ms", "5")]);
        reading(&mut config);
        config.set("group.id", format!("{}-{purpose}", self.group));
        config
    }

    /// A reader that goes on reading, and whoever holds it polls it: a tail.
    pub(super) fn following(&self) -> ClientConfig {
        let mut config = self.reader("tail");
        config.set("statistics.interval.ms", STATISTICS_MS);
        config
    }

    /// What may be fetched ahead of the shard, KiB: half of its memory. The client holds this against each queue, and all partitions flow into one (`ffi::MessageQueue`).
    pub fn prefetch_kbytes(&self) -> usize {
        (self.memory / 2 / 1_024).clamp(64, 2_097_151)
    }

    /// What one fetch may bring, bytes as they are sent: unpacked it is some ten times as much, and comes on top of what is queued.
    fn fetch_bytes(&self) -> usize {
        (self.memory / 32).clamp(1_000_000, 50 << 20)
    }

    /// The transactional producer of a shard.
    pub(super) fn transactional(&self, id: &str) -> ClientConfig {
        let (waiting, largest) = ((self.memory / 4 / 1_024).to_string(), LARGEST_ENTRY.to_string());
        let mut config = self.client(&[
            // Few requests, each with much in it; a commit waits for nothing of it.
            ("linger.ms", "25"),
            ("compression.type", "lz4"),
            // A full queue makes the shard wait.
            ("queue.buffering.max.kbytes", waiting.as_str()),
            ("message.max.bytes", largest.as_str()),
            // The default of 100 ms delays the offsets of every transaction that follows closely on another: 91 ms instead of 7.
            ("retry.backoff.ms", "5"),
            ("transaction.timeout.ms", "10000"),
            ("queue.buffering.max.messages", "1000000"),
            ("reconnect.backoff.max.ms", "500"),
        ]);
        config.set("transactional.id", id).set("delivery.report.only.error", "true");
        config
    }

    /// The producer of alerts: one record at a time, at once.
    pub(super) fn alerting(&self) -> ClientConfig {
        // What could not be sent within a session time-out may be a zombie's by then: it is dropped, and the transaction with it.
        let session = self.session_timeout().as_millis().to_string();
        let mut config =
            self.client(&[("linger.ms", "0"), ("retry.backoff.ms", "20"), ("reconnect.backoff.max.ms", "500"), ("message.timeout.ms", session.as_str())]);
        config.set("enable.idempotence", "true").set("acks", "all");
        config
    }

    /// The producer of inputs.
    pub(super) fn feeding(&self) -> ClientConfig {
        let mut config = self.client(&[("linger.ms", "5"), ("compression.type", "lz4"), ("queue.buffering.max.messages", "200000")]);
        // Every acknowledgement is wanted: it tells the broker's time.
        config.set("enable.idempotence", "true").set("acks", "all");
        config
    }

    /// A client with Midan's values, and the deployment's over them. What Midan must own is set by the callers, after both.
    pub(super) fn client(&self, own: &[(&str, &str)]) -> ClientConfig {
        #[cfg(target_os = "linux")]
        {
            super::busy_turns::mend();
            super::leader_change::mend();
        }
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        for (name, value) in own {
            config.set(*name, *value);
        }
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }
}

/// How often a reader that is polled tells its statistics, by which a lost one is found ([`super::lifeline`]). Of a client that nobody polls they would pile up.
const STATISTICS_MS: &str = "2000";

fn reading(config: &mut ClientConfig) {
    config
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Settings {
        let mut settings = Settings::new("localhost:9092", "g", "i");
        settings.properties.insert(name.to_owned(), value.to_owned());
        settings
    }

    #[test]
    fn a_deployments_properties_pass_through_and_win_over_the_defaults() {
        let settings = with("linger.ms", "9");
        settings.check().unwrap();
        assert_eq!(settings.transactional("id").get("linger.ms"), Some("9"));
        with("security.protocol", "ssl").check().unwrap();
    }

    #[test]
    fn what_midan_must_own_is_refused_with_the_reason() {
        for (name, reason) in OWNED {
            let error = with(name, "x").check().unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_property_that_no_client_knows_is_named() {
        let error = with("fetch.wait.maximum", "1").check().unwrap_err().to_string();
        assert!(error.contains("fetch.wait.maximum"), "{error}");
    }

    /// All partitions share one queue, so the limit does not grow with them.
    #[test]
    fn what_is_fetched_ahead_is_half_of_the_memory() {
        for memory in [1 << 20, 64 << 20, 256 << 20] {
            let settings = Settings { memory, ..Settings::new("b", "g", "i") };
            assert_eq!(settings.input(0).get("queued.max.messages.kbytes"), Some((memory / 2 / 1_024).to_string().as_str()));
        }
    }

    #[test]
    fn the_transactional_id_is_the_same_after_a_restart() {
        assert_eq!(Settings::new("b", "night", "casa-1").transactional_id(2), "midan-night-casa-1-2");
    }
}

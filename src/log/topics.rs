//! The topics: four that are read, eight that are written, and how each is to be set up (FORMATS.md).
//!
//! One rule carries all others: every topic has the same number of partitions, for a venue lives on one partition number and whatever is said of it goes to the
//! same number of each output.

use crate::engine::OutTopic;
use crate::venue::Feed;
use std::fmt;

/// A topic of Midan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// One that is read.
    In(Feed),
    /// One that is written.
    Out(OutTopic),
}

impl Topic {
    /// All of them, inputs first.
    pub fn all() -> impl Iterator<Item = Self> {
        Feed::ALL.into_iter().map(Self::In).chain(OutTopic::ALL.into_iter().map(Self::Out))
    }

    /// Its name without a deployment's prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::In(feed) => feed.topic(),
            Self::Out(out) => out.topic(),
        }
    }

    /// Whether the log keeps only the last record of each key.
    pub const fn is_compacted(self) -> bool {
        matches!(self, Self::Out(out) if out.is_compacted())
    }

    /// Who stamps the records. The broker stamps the inputs, because its time stands in for a missing `midan-received`, and the alerts, because a
    /// heartbeat on them brings the broker's time back to the shard.
    pub const fn stamp(self) -> Stamp {
        match self {
            Self::In(_) | Self::Out(OutTopic::Alerts) => Stamp::Broker,
            Self::Out(_) => Stamp::Writer,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who gives a record its time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The broker, at appending (`LogAppendTime`).
    Broker,
    /// The writer (`CreateTime`).
    Writer,
}

impl Stamp {
    /// Kafka's word for it, the value of `message.timestamp.type`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Broker => "LogAppendTime",
            Self::Writer => "CreateTime",
        }
    }
}

/// How a deployment's topics are to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What stands before every name; mostly nothing.
    pub prefix: String,
    /// Partitions of every topic.
    pub partitions: u32,
    /// Copies of every partition.
    pub replication: u32,
    /// How long the topics that are not compacted keep records, in hours.
    pub retention_hours: u32,
    /// Further properties of every compacted topic, for a broker with other needs (tests compact within seconds).
    pub compaction: Vec<(String, String)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { prefix: String::new(), partitions: 12, replication: 1, retention_hours: 7 * 24, compaction: Vec::new() }
    }
}

/// How one topic is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Which.
    pub topic: Topic,
    /// Its name on the broker.
    pub name: String,
    /// Its partitions.
    pub partitions: u32,
    /// Its properties, all of them set at creation.
    pub properties: Vec<(String, String)>,
}

impl Plan {
    /// Every topic's specification.
    pub fn specs(&self) -> Vec<Spec> {
        Topic::all().map(|topic| Spec { topic, name: self.name(topic), partitions: self.partitions, properties: self.properties(topic) }).collect()
    }

    /// A topic's name on the broker.
    pub fn name(&self, topic: Topic) -> String {
        format!("{}{}", self.prefix, topic.name())
    }

    fn properties(&self, topic: Topic) -> Vec<(String, String)> {
        let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut properties = vec![own("message.timestamp.type", topic.stamp().word())];
        if topic.is_compacted() {
            properties.push(own("cleanup.policy", "compact"));
            properties.extend(self.compaction.iter().cloned());
            if topic == Topic::Out(OutTopic::State) {
                properties.push(own("max.message.bytes", &LARGEST_ENTRY.to_string()));
            }
            return properties;
        }
        let retention_ms = u64::from(self.retention_hours) * 3_600_000;
        properties.push(own("cleanup.policy", "delete"));
        properties.push(own("retention.ms", &retention_ms.to_string()));
        properties
    }
}

/// The largest entry of the state, bytes. An open pane with thousands of late events in it is larger than the broker's usual megabyte.
pub const LARGEST_ENTRY: usize = 16 << 20;

/// What is wrong with a topic that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is none.
    Missing {
        /// Its name.
        name: String,
    },
    /// It has another number of partitions.
    Partitions {
        /// Its name.
        name: String,
        /// What there is.
        found: u32,
        /// What there should be.
        wanted: u32,
    },
    /// A property differs.
    Property {
        /// The topic's name.
        name: String,
        /// Which property.
        property: String,
        /// What there is.
        found: String,
        /// What there should be.
        wanted: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => write!(f, "{name}: no such topic; `midan topics create` makes it"),
            Self::Partitions { name, found, wanted } => {
                write!(f, "{name}: {found} partitions instead of {wanted}; all topics need the same number, or a venue's records part ways")
            }
            Self::Property { name, property, found, wanted } => write!(f, "{name}: {property}={found} instead of {wanted}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_one_specification_with_a_policy_and_a_stamp() {
        let plan = Plan { prefix: "wc30.".into(), partitions: 4, ..Plan::default() };
        let specs = plan.specs();
        assert_eq!(specs.len(), 12);
        for spec in specs {
            assert!(spec.name.starts_with("wc30."), "{}", spec.name);
            assert_eq!(spec.partitions, 4);
            for property in ["cleanup.policy", "message.timestamp.type"] {
                assert!(spec.properties.iter().any(|(name, _)| name == property), "{}: {property}", spec.name);
            }
        }
    }

    #[test]
    fn a_fault_says_what_is_wrong_and_what_to_do() {
        let fault = Fault::Partitions { name: "feeds.ticketing".into(), found: 3, wanted: 4 };
        assert!(fault.to_string().starts_with("feeds.ticketing: 3 partitions instead of 4"));
    }
}

//! Who has what: the group's members, what each partition still has to read, and who wrote its state last.

use super::context::Quiet;
use super::restore::Restorer;
use super::settings::Settings;
use super::tail::partitions;
use crate::log::{LogError, OWNER_KEY, Topic};
use crate::venue::Feed;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::Duration;

const DOING: &str = "asking who has what";
const ASK: Duration = Duration::from_secs(10);

/// The group and its partitions.
#[derive(Clone, Debug)]
pub struct GroupStatus {
    /// The group's state in the broker's words: `Stable`, `PreparingRebalance`, `Empty`, …
    pub state: String,
    /// By client id, the host and the partitions that it has.
    pub members: Vec<MemberStatus>,
    /// Every partition number.
    pub partitions: Vec<PartitionStatus>,
}

/// A shard in the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// `midan-INSTANCE-SHARD`.
    pub client: String,
    /// Where from.
    pub host: String,
    /// What it has.
    pub partitions: Vec<u32>,
}

/// A partition number of all inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// Its number.
    pub partition: u32,
    /// By feed, the records that are not committed yet, transaction markers included; none where nothing was ever committed.
    pub lag: BTreeMap<Feed, Option<i64>>,
    /// The transactional id that wrote its state last.
    pub owner: Option<String>,
}

/// Asks the broker.
pub fn group_status(settings: &Settings) -> Result<GroupStatus, LogError> {
    settings.check()?;
    let refused = |error: KafkaError| LogError::Refused { doing: DOING, detail: error.to_string(), cure: "check the Kafka table of the configuration" };
    let busy = |error: KafkaError| LogError::Busy { doing: DOING, detail: error.to_string() };
    let mut config = settings.reader("status");
    // Only asked, never joined.
    config.set("group.id", &settings.group);
    let consumer: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(&config, Quiet).map_err(refused)?;
    let lead = settings.name(Topic::In(Feed::Sensors));
    let count = partitions(&consumer, &lead)?;
    let groups = consumer.fetch_group_list(Some(&settings.group), ASK).map_err(busy)?;
    let mut status = GroupStatus { state: "unknown".to_owned(), members: Vec::new(), partitions: Vec::new() };
    for group in groups.groups().iter().filter(|group| group.name() == settings.group) {
        group.state().clone_into(&mut status.state);
        for member in group.members() {
            let assigned = member.assignment().and_then(|bytes| assigned(bytes, &lead)).unwrap_or_default();
            status.members.push(MemberStatus { client: member.client_id().to_owned(), host: member.client_host().to_owned(), partitions: assigned });
        }
    }
    status.members.sort_by(|a, b| a.client.cmp(&b.client));
    let mut restorer = Restorer::start(settings)?;
    for partition in 0..count {
        let mut owner = None;
        // An open transaction only means that its owner is at work.
        let read = restorer.state(partition, &mut |key, value| {
            if key == OWNER_KEY {
                owner =
                    value.and_then(|value| serde_json::from_slice::<serde_json::Value>(value).ok()).and_then(|mark| Some(mark.get("id")?.as_str()?.to_owned()));
            }
        });
        match read {
            Ok(_) | Err(LogError::Blocked { .. }) => {}
            Err(error) => return Err(error),
        }
        status.partitions.push(PartitionStatus { partition, lag: lag(&consumer, settings, partition)?, owner });
    }
    Ok(status)
}

fn lag(consumer: &BaseConsumer<Quiet>, settings: &Settings, partition: u32) -> Result<BTreeMap<Feed, Option<i64>>, LogError> {
    let busy = |error: KafkaError| LogError::Busy { doing: DOING, detail: error.to_string() };
    let names = Feed::ALL.map(|feed| (feed, settings.name(Topic::In(feed))));
    let mut list = TopicPartitionList::new();
    for (_, name) in &names {
        list.add_partition(name, partition as i32);
    }
    let list = consumer.committed_offsets(list, ASK).map_err(busy)?;
    let mut lags = BTreeMap::new();
    for (feed, name) in &names {
        let (_, end) = consumer.fetch_watermarks(name, partition as i32, ASK).map_err(busy)?;
        let next = list.find_partition(name, partition as i32).map(|element| element.offset());
        lags.insert(*feed, if let Some(Offset::Offset(next)) = next { Some(end - next) } else { None });
    }
    Ok(lags)
}

/// The partitions of `topic` in a member's assignment, as the group protocol writes it: version i16, then a list of topics with lists of partitions.
fn assigned(bytes: &[u8], topic: &str) -> Option<Vec<u32>> {
    let mut at = 2;
    let mut number = |len: usize| {
        let bytes = bytes.get(at..at + len)?;
        at += len;
        Some((bytes.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)), at))
    };
    let mut found = Vec::new();
    let (topics, _) = number(4)?;
    for _ in 0..topics {
        let (length, start) = number(2)?;
        let name = bytes.get(start..start + length as usize)?;
        // The name is stepped over in pieces that fit a number.
        (0..length).try_for_each(|_| number(1).map(drop))?;
        let (count, _) = number(4)?;
        for _ in 0..count {
            let (partition, _) = number(4)?;
            if name == topic.as_bytes() {
                found.push(partition);
            }
        }
    }
    found.sort_unstable();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_as_the_protocol_writes_it_and_a_cut_one_is_none() {
        let bytes = b"\0\x03\0\0\0\x02\0\x01x\0\0\0\x01\0\0\0\x09\0\x05feeds\0\0\0\x02\0\0\0\x04\0\0\0\x01\0\0\0\0";
        assert_eq!(assigned(bytes, "feeds"), Some(vec![1, 4]));
        assert_eq!(assigned(bytes, "x"), Some(vec![9]));
        assert_eq!(assigned(&bytes[..20], "feeds"), None);
    }
}

//! A mend of librdkafka 2.12.1 (its issue 5280), which reads memory that nobody has written when a broker comes back.
//!
//! A broker that does not lead a partition says in its answer to a fetch who does, or −1 where it does not know yet (KIP-951). The client makes room for every partition of which it was told
//! something, fills in those that have a leader, and takes the rest as they lie in memory: a number of a partition by chance. A negative one takes the process with it, one within the topic would
//! give that partition a leader by chance (found by the chaos of a hundred faults; `rd_kafka_handle_Fetch_metadata_update` passes over what `rd_kafkap_Fetch_reply_tags_partition_parse` has
//! counted). So the linker leads the call that makes the room here (`build.rs`), and each place gets a number that no topic has before it is filled in. What keeps it is passed over by the client
//! itself, with a line in its log that [`super::context`] lets go.

#![allow(unsafe_code, reason = "stands before a function of librdkafka; each block says why it is sound")]

use rdkafka::bindings as sys;
use std::ffi::{c_char, c_int, c_void};

/// `rd_kafka_Uuid_t`, which librdkafka hands over by value.
#[repr(C)]
#[derive(Clone, Copy)]
struct Uuid {
    most_significant_bits: i64,
    least_significant_bits: i64,
    base64: [c_char; 23],
}

/// A partition that no topic has.
const NO_PARTITION: i32 = i32::MAX;

// What is declared here is of this version (2.12.1): with another one look whether the mend is still wanted, and whether it fits.
const _: () = assert!(sys::RD_KAFKA_VERSION == 0x020c_01ff);

unsafe extern "C" {
    /// librdkafka's own, under the name that the linker gives it.
    fn __real_rd_kafkap_leader_discovery_set_topic(
        buffer: *mut c_void,
        metadata: *mut sys::rd_kafka_metadata,
        topic: c_int,
        id: Uuid,
        name: *mut c_char,
        partitions: c_int,
    );
}

/// Makes room for the partitions of a topic, and says of each that it is none.
///
/// # Safety
/// As of librdkafka's own, which alone calls it: `metadata` is the beginning of its internal metadata and has room for so many topics, and the buffer for so many partitions.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_rd_kafkap_leader_discovery_set_topic(
    buffer: *mut c_void,
    metadata: *mut sys::rd_kafka_metadata,
    topic: c_int,
    id: Uuid,
    name: *mut c_char,
    partitions: c_int,
) {
    #[cfg(test)]
    tests::CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    // SAFETY: what came in is handed on as it came. After that the topic's partitions are an array of this length in the buffer, and its numbers are ours to write.
    unsafe {
        __real_rd_kafkap_leader_discovery_set_topic(buffer, metadata, topic, id, name, partitions);
        let places = (*(*metadata).topics.offset(topic as isize)).partitions;
        (0..partitions as isize).for_each(|i| (&raw mut (*places.offset(i)).id).write(NO_PARTITION));
    }
}

/// Keeps the mend in every program that has a client.
pub(super) fn mend() {
    std::hint::black_box(__wrap_rd_kafkap_leader_discovery_set_topic as *const ());
}

#[cfg(test)]
mod tests {
    use super::super::context::{NOWHERE, Quiet};
    use super::super::producer::now;
    use super::super::settings::Settings;
    use super::*;
    use rdkafka::config::FromClientConfigAndContext;
    use rdkafka::consumer::{BaseConsumer, Consumer};
    use rdkafka::producer::{BaseProducer, Producer};
    use rdkafka::{ClientConfig, Offset, TopicPartitionList};
    use std::ffi::CStr;
    use std::ptr::null_mut;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    pub(super) static CALLS: AtomicU32 = AtomicU32::new(0);

    const PARTITIONS: i32 = 8;

    unsafe extern "C" {
        /// As librdkafka calls it: the linker leads the call here.
        fn rd_kafkap_leader_discovery_set_topic(
            buffer: *mut c_void,
            metadata: *mut sys::rd_kafka_metadata,
            topic: c_int,
            id: Uuid,
            name: *mut c_char,
            partitions: c_int,
        );
    }

    /// `rd_tmpabuf_t`.
    #[repr(C)]
    struct Buffer {
        size: usize,
        used: usize,
        start: *mut u8,
        failed: c_int,
        asserts: u8,
    }

    /// `rd_kafka_metadata_internal_t` as far as it is written.
    #[repr(C)]
    struct Internal {
        metadata: sys::rd_kafka_metadata,
        brokers: [*mut c_void; 2],
        topics: *mut c_void,
    }

    #[test]
    fn a_place_that_nobody_fills_in_is_no_partition() {
        // As memory may be where something stood before.
        let mut room = [0xA5_A5_A5_A5_A5_A5_A5_A5_u64; 128];
        let mut topics = [sys::rd_kafka_metadata_topic {
            topic: null_mut(),
            partition_cnt: 0,
            partitions: null_mut(),
            err: sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR,
        }];
        let mut inner = [0_u64; 16];
        let mut buffer = Buffer { size: size_of_val(&room), used: 0, start: room.as_mut_ptr().cast(), failed: 0, asserts: 1 };
        let metadata = sys::rd_kafka_metadata {
            broker_cnt: 0,
            brokers: null_mut(),
            topic_cnt: 1,
            topics: topics.as_mut_ptr(),
            orig_broker_id: 1,
            orig_broker_name: null_mut(),
        };
        let mut internal = Internal { metadata, brokers: [null_mut(); 2], topics: inner.as_mut_ptr().cast() };
        let id = Uuid { most_significant_bits: 1, least_significant_bits: 2, base64: [0; 23] };
        // SAFETY: the room holds eight partitions, of 40 and of 24 bytes, and all that is pointed to lives to the end of the test.
        let numbers = unsafe {
            rd_kafkap_leader_discovery_set_topic((&raw mut buffer).cast(), (&raw mut internal).cast(), 0, id, null_mut(), PARTITIONS);
            let places = (*internal.metadata.topics).partitions;
            (0..PARTITIONS as isize).map(|i| (*places.offset(i)).id).collect::<Vec<i32>>()
        };
        assert_eq!(numbers, [NO_PARTITION; PARTITIONS as usize]);
        assert_eq!(format!("[{NO_PARTITION}]"), NOWHERE);
    }

    #[test]
    fn a_broker_that_knows_the_leaders_of_some_partitions_only_ends_no_reader() {
        let home: BaseProducer = ClientConfig::new().set("test.mock.num.brokers", "2").create().unwrap();
        // SAFETY: the cluster is the client's own and lives as long as it does.
        let cluster = unsafe { sys::rd_kafka_handle_mock_cluster(home.client().native_ptr()) };
        // SAFETY: as above; the names end with a zero, and the answer is a text of the cluster's, which is copied.
        let brokers = unsafe {
            sys::rd_kafka_mock_topic_create(cluster, c"t".as_ptr(), PARTITIONS, 1);
            CStr::from_ptr(sys::rd_kafka_mock_cluster_bootstraps(cluster)).to_str().unwrap().to_owned()
        };
        let reader: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(&Settings::new(&brokers, "g", "i").reader("test"), Quiet).unwrap();
        let mut all = TopicPartitionList::new();
        (0..PARTITIONS).for_each(|partition| all.add_partition_offset("t", partition, Offset::Beginning).unwrap());
        reader.assign(&all).unwrap();
        // Another test makes one call; and what is read by chance need not end this process: the proof is the other test.
        let (wanted, until) = (CALLS.load(Ordering::Relaxed) + 2, now() + Duration::from_secs(60));
        for turn in (0..2).cycle() {
            for partition in 0..PARTITIONS {
                // SAFETY: as above.
                unsafe {
                    if partition > 0 {
                        // What whoever does not lead it says once.
                        sys::rd_kafka_mock_partition_push_leader_response(cluster, c"t".as_ptr(), partition, -1, -1);
                    }
                    sys::rd_kafka_mock_partition_set_leader(cluster, c"t".as_ptr(), partition, 1 + turn);
                }
            }
            (0..50).for_each(|_| drop(reader.poll(Duration::from_millis(20))));
            if CALLS.load(Ordering::Relaxed) >= wanted {
                break;
            }
            assert!(now() < until, "nobody was told of a leader");
        }
        // It may have been told −1 a moment ago, and finds the leader again.
        let answers = || reader.fetch_watermarks("t", 3, Duration::from_secs(1)).is_ok();
        // A refusal comes at once, so it is given time between two tries.
        let later = || drop(reader.poll(Duration::from_millis(100)));
        assert!(
            (0..60).any(|_| answers() || {
                later();
                false
            }),
            "it does not find the leader again"
        );
    }
}

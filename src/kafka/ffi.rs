//! Calls librdkafka directly (as `ask` does for questions), for what its Rust wrapper does not offer without a price: a commit without a floor of 100 ms, reading many
//! records per call, and the generation of a member.
//!
//! What it hands out is safe: a queue lives no longer than its client, a message no longer than the call that shows it.

#![allow(unsafe_code, reason = "three calls of librdkafka that have no safe wrapper; each block says why it is sound")]

use crate::feeds::{Attributes, RecordRef};
use crate::log::{RECEIVED_HEADER, SOURCE_HEADER};
use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

/// Why a transaction's call failed.
#[derive(Debug)]
pub(super) struct TxnFailure {
    pub(super) text: String,
    pub(super) fatal: bool,
    pub(super) retriable: bool,
    pub(super) must_abort: bool,
}

/// Commits with a time-out and without the wrapper's flush, which waits 100 ms at least.
pub(super) fn commit_transaction<C: ProducerContext>(producer: &BaseProducer<C>, wait: Duration) -> Result<(), TxnFailure> {
    // SAFETY: the pointer is the producer's own and valid as long as it is borrowed; the call is thread-safe and takes nothing over.
    let error = unsafe { sys::rd_kafka_commit_transaction(producer.client().native_ptr(), millis(wait)) };
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null answer is an error object that is ours; its text lives until it is destroyed, and is copied before that.
    unsafe {
        let failure = TxnFailure {
            text: CStr::from_ptr(sys::rd_kafka_error_string(error)).to_string_lossy().into_owned(),
            fatal: sys::rd_kafka_error_is_fatal(error) != 0,
            retriable: sys::rd_kafka_error_is_retriable(error) != 0,
            must_abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
        };
        sys::rd_kafka_error_destroy(error);
        Err(failure)
    }
}

/// Tells a client of brokers, as its configuration did when it was made.
pub(super) fn add_brokers<C: ClientContext>(client: &Client<C>, brokers: &str) {
    let Ok(brokers) = CString::new(brokers) else { return };
    // SAFETY: the client is alive as long as it is borrowed; the call may come from any thread and copies the text.
    unsafe { sys::rd_kafka_brokers_add(client.native_ptr(), brokers.as_ptr()) };
}

/// A queue of our own into which the partitions of a consumer flow.
///
/// The consumer's own queue must not be read in batches, for it also carries the group's decisions, which such a call would answer by itself. Forwarding holds
/// against later assignments of the same partition, and is set before the first of them, so that no record takes the other way.
pub(super) struct MessageQueue<C: ConsumerContext> {
    queue: *mut sys::rd_kafka_queue_t,
    /// Keeps the client alive: a queue must not outlive it.
    consumer: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl<C: ConsumerContext> Send for MessageQueue<C> {}

impl<C: ConsumerContext> MessageQueue<C> {
    /// A queue of this consumer.
    pub(super) fn new(consumer: &Arc<BaseConsumer<C>>) -> Self {
        // SAFETY: the client is alive, and stays so because this struct holds it.
        let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        Self { queue, consumer: Arc::clone(consumer) }
    }

    /// Lets a partition flow into this queue.
    pub(super) fn forward(&self, topic: &str, partition: u32) {
        let Ok(topic) = CString::new(topic) else { return };
        // SAFETY: the client is alive; the partition's queue is a counted reference that is given back here, while forwarding stays.
        unsafe {
            let source = sys::rd_kafka_queue_get_partition(self.consumer.client().native_ptr(), topic.as_ptr(), partition as i32);
            if !source.is_null() {
                sys::rd_kafka_queue_forward(source, self.queue);
                sys::rd_kafka_queue_destroy(source);
            }
        }
    }

    /// Shows up to `max` messages to `each`, after waiting at most `wait` for the first, and answers how many there were.
    ///
    /// One by one, for what a call takes out of the queue at once is not in it meanwhile. `rd_kafka_consume_callback_queue` takes everything, and the client, which
    /// looks whether the queue is full before it fetches, finds it empty and fetches on: a backlog of three million records filled a gigabyte.
    /// `rd_kafka_consume_batch_queue` waits until its buffer is full or the time is over, and takes the end of a partition for a record, so that the client believes the application one record further
    /// than it is; the next rebalance pauses and resumes the partition there, and the first record after an idle time is lost.
    pub(super) fn read(&mut self, max: usize, wait: Duration, each: &mut dyn FnMut(Message<'_>)) -> usize {
        for shown in 0..max.max(1) {
            let wait = if shown == 0 { wait } else { Duration::ZERO };
            // SAFETY: queue and client are alive.
            let message = unsafe { sys::rd_kafka_consume_queue(self.queue, millis(wait)) };
            if message.is_null() {
                return shown;
            }
            // SAFETY: the message is ours until it is destroyed, and `each` cannot keep the borrow.
            unsafe {
                each(Message { raw: &*message });
                sys::rd_kafka_message_destroy(message);
            }
        }
        max.max(1)
    }
}

impl<C: ConsumerContext> Drop for MessageQueue<C> {
    fn drop(&mut self) {
        // SAFETY: the queue is ours, and the client that it belongs to is still held by this struct.
        unsafe { sys::rd_kafka_queue_destroy(self.queue) };
    }
}

/// A message while it is shown.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    raw: &'a sys::rd_kafka_message_t,
}

/// What a message is.
pub(super) enum Kind {
    Record,
    /// The end of its partition; the offset is the next to be read.
    End,
    /// The offset that was to be read is not there (any more).
    OutOfRange,
    /// Something else went wrong with its partition.
    Trouble(String),
}

impl<'a> Message<'a> {
    pub(super) fn kind(&self) -> Kind {
        match self.raw.err {
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Kind::Record,
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => Kind::End,
            sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET | sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE => {
                Kind::OutOfRange
            }
            // SAFETY: the answer is a text that is valid as long as the message is, and is copied.
            _ => Kind::Trouble(unsafe { CStr::from_ptr(sys::rd_kafka_message_errstr(self.raw)) }.to_string_lossy().into_owned()),
        }
    }

    pub(super) fn topic(&self) -> &'a str {
        if self.raw.rkt.is_null() {
            return "";
        }
        // SAFETY: the topic object is kept by the message, and its name by the topic object.
        unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(self.raw.rkt)) }.to_str().unwrap_or("")
    }

    pub(super) fn partition(&self) -> u32 {
        u32::try_from(self.raw.partition).unwrap_or(u32::MAX)
    }

    pub(super) fn offset(&self) -> i64 {
        self.raw.offset
    }

    pub(super) fn key(&self) -> Option<&'a [u8]> {
        bytes(self.raw.key, self.raw.key_len)
    }

    pub(super) fn value(&self) -> Option<&'a [u8]> {
        bytes(self.raw.payload, self.raw.len)
    }

    /// The time stamp (epoch ms), and whether the broker gave it.
    pub(super) fn timestamp(&self) -> (i64, bool) {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is valid, and the type is written to a place of ours.
        let at = unsafe { sys::rd_kafka_message_timestamp(self.raw, &mut kind) };
        (at, kind == sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME)
    }

    /// Shows every header.
    pub(super) fn headers(&self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        let mut headers = ptr::null_mut();
        // SAFETY: the headers belong to the message and live as long as it does; librdkafka parses them into the message on the first call, which is why it wants
        // a pointer that is not const, and nobody else has this message.
        let found = unsafe { sys::rd_kafka_message_headers(self.raw, &mut headers) };
        if found != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return;
        }
        for i in 0.. {
            let (mut name, mut value, mut size): (*const c_char, *const c_void, usize) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the three places are ours; what is written to them belongs to the headers.
            let found = unsafe { sys::rd_kafka_header_get_all(headers, i, &mut name, &mut value, &mut size) };
            if found != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return;
            }
            // SAFETY: a header's name is a text with an end, valid as long as the message.
            let name = unsafe { CStr::from_ptr(name) }.to_str().unwrap_or("");
            each(name, bytes(value.cast_mut(), size).unwrap_or_default());
        }
    }

    /// The message as an input record.
    pub(super) fn record(&self, feed: crate::venue::Feed) -> RecordRef<'a> {
        let (at, by_broker) = self.timestamp();
        let mut record = RecordRef {
            feed,
            partition: self.partition(),
            offset: self.offset(),
            appended: by_broker.then_some(at),
            received: None,
            key: self.key(),
            value: self.value().unwrap_or_default(),
            source: None,
            format: None,
            cloud_event: None,
            attributes: Attributes::default(),
        };
        let (mut ce_type, mut ce_source, mut ce_id) = (None, None, None);
        self.headers(&mut |name, value| {
            let Ok(text) = std::str::from_utf8(value) else { return };
            match name {
                SOURCE_HEADER => record.source = Some(text),
                RECEIVED_HEADER => record.received = text.parse().ok(),
                "content-type" => record.format = Some(text),
                "ce_type" => ce_type = Some(text),
                "ce_source" => ce_source = Some(text),
                "ce_id" => ce_id = Some(text),
                other => record.attributes.take(other, text),
            }
        });
        record.format = ce_type.or(record.format);
        record.cloud_event = ce_source.zip(ce_id);
        record
    }
}

fn bytes<'a>(start: *mut c_void, len: usize) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: librdkafka says where a key, a value or a header begins and how long it is; all of them live as long as the message, to which callers tie the result.
    Some(unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) })
}

/// The highest offset that the client has seen on a partition, open transactions included; none before the first fetch.
pub(super) fn cached_end<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str, partition: u32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client is alive while borrowed, the name ends with a zero, the two numbers are ours.
    let found = unsafe { sys::rd_kafka_get_watermark_offsets(consumer.client().native_ptr(), topic.as_ptr(), partition as i32, &mut low, &mut high) };
    (found == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
}

fn millis(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
}

/// The generation of a member; negative for one that the group does not know.
pub(super) fn generation<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<i32> {
    const MAGIC: &[u8] = b"CGMDv2:";
    // SAFETY: the client is alive while borrowed. The metadata and the text written from it are ours and given back below, once each.
    unsafe {
        let metadata = sys::rd_kafka_consumer_group_metadata(consumer.client().native_ptr());
        if metadata.is_null() {
            return None;
        }
        let (mut buffer, mut size): (*mut c_void, usize) = (ptr::null_mut(), 0);
        let error = sys::rd_kafka_consumer_group_metadata_write(metadata, &mut buffer, &mut size);
        sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        if !error.is_null() {
            sys::rd_kafka_error_destroy(error);
            return None;
        }
        let written = std::slice::from_raw_parts(buffer.cast::<u8>(), size).strip_prefix(MAGIC);
        let generation = written.and_then(|rest| rest.get(..4)?.try_into().ok()).map(i32::from_ne_bytes);
        sys::rd_kafka_mem_free(ptr::null_mut(), buffer);
        generation
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::Quiet;
    use super::super::settings::Settings;
    use super::*;
    use rdkafka::config::FromClientConfigAndContext;
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::BaseRecord;
    use rdkafka::{ClientConfig, Offset, TopicPartitionList};

    const PARTITIONS: i32 = 4;

    /// A cluster with a backlog of so many records of a hundred bytes in each of four partitions, in small batches.
    fn backlog(records: usize) -> MockCluster<'static, rdkafka::producer::DefaultProducerContext> {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", PARTITIONS, 1).unwrap();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.bootstrap_servers()).set("batch.num.messages", "500").set("queue.buffering.max.messages", "1000000");
        let producer: BaseProducer = config.create().unwrap();
        for n in 0..records * PARTITIONS as usize {
            let record = BaseRecord::<(), _>::to("t").partition(n as i32 % PARTITIONS).payload(&[b'x'; 100]);
            producer.send(record).unwrap_or_else(|(why, _)| panic!("{why}"));
        }
        producer.flush(Duration::from_secs(60)).unwrap();
        cluster
    }

    /// risingwavelabs/risingwave#13326: a reader that is slower than its broker reads the whole backlog into memory.
    #[test]
    fn risingwave_13326_what_is_fetched_ahead_of_a_slow_reader_stays_within_the_budget() {
        let cluster = backlog(30_000);
        let mut settings = Settings { memory: 1 << 20, ..Settings::new(&cluster.bootstrap_servers(), "g", "i") };
        settings.properties.insert("queued.min.messages".to_owned(), "2000".to_owned());
        let consumer = Arc::new(BaseConsumer::from_config_and_context(&settings.input(0), Quiet).unwrap());
        let mut queue = MessageQueue::new(&consumer);
        let mut list = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            queue.forward("t", partition as u32);
            list.add_partition_offset("t", partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let (mut read, mut most) = (0, 0);
        while read < 6_000 {
            read += queue.read(100, Duration::from_millis(100), &mut |message| {
                assert_eq!(message.value().map(<[u8]>::len), Some(100));
                // As long as a step takes that has much to do.
                std::hint::black_box((0..20_000).fold(0_u64, |sum, n| sum ^ (n * n)));
            });
            // SAFETY: the queue is alive.
            most = most.max(unsafe { sys::rd_kafka_queue_length(queue.queue) });
        }
        // A fetch brings a batch of each partition, and the next is asked for before it is here.
        assert!(most <= 2_000 + 3 * 500 * PARTITIONS as usize, "{most} records of 120,000 are queued ahead of 6,000 that were read");
    }
}

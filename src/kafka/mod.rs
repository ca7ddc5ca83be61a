//! Kafka behind the log's traits, by way of librdkafka.
//!
//! The idea: Kafka hands the partitions out, keeps the order and makes a commit atomic; this edge adds only what its client makes hard. Each trap that was
//! measured is answered in one place:
//!
//! | trap | where it is answered |
//! |---|---|
//! | `commit_transaction` and `flush` have a floor of 100 ms; `abort` runs into its time-out; a commit hangs on a failed record | [`producer`] |
//! | sister topics may go to another member than the lead topic | [`consumer`]: one topic is subscribed, the others follow its partitions |
//! | the group fences by generation, not by partition | [`consumer`]: a revocation is reported before it is carried out; [`shard`]: metadata as of the last poll |
//! | the end of a partition comes without its topic and is logged as an error | [`consumer`], [`context`] |
//! | batch reading of the consumer's own queue breaks rebalancing | [`ffi`]: partition queues flow into one queue of ours |
//! | the batch call waits its whole time-out although records are there, and counts an end as a record, so that a rebalance skips the next one; the call with a callback empties the queue, and the client fetches on | [`ffi::MessageQueue::read`]: one by one |
//! | a consumer that is closed while its coordinator is away takes the process with it | [`consumer`]: it waits for an answer first, beside the shard |
//! | a client that was told of no broker, by one that is fenced for a moment, never looks for one again | [`lifeline`] |
//! | a broker that comes back and knows the leaders of some partitions only makes the client read memory that nobody has written | [`leader_change`]: that memory is written first |
//! | a producer with records that wait for an acknowledgement turns without rest | [`busy_turns`]: it rests for a millisecond |
//! | partition lists that outlive their consumer hang its drop | lists are built where they are used, never stored |
//! | the call that commits blocks its thread for as long as the broker takes | [`producer`]: a thread that does nothing else |
//! | a dead shard's open transaction holds everybody up until it times out | [`shard`]: whoever inherits its partition fences its id |
//! | a changelog seems read to its end while a dead owner's transaction is open | [`restore`] |
//! | an altered topic loses the properties that are not named | [`admin`]: everything at creation, nothing altered |
//! | the first alert of a fresh producer waits a second | [`alerts`]: warmed up by its first heartbeat |
//! | a broker's clock leaps, and leaders have clocks of their own | [`broker_clock`]: most of the last minute's acknowledgements must say so |
//! | a topic that was made anew is read on at the offset of the old one | [`input_topics`]: its id is asked for from time to time |
//! | a list of groups leaves out those whose coordinator is away | [`ask`]: the coordinator itself is asked |
//! | dozens of error codes in four places | [`answers`]: one answer for each class |
//! | prefetch fills the memory | [`settings`]: one budget; [`ffi`]: one queue, which is full when it is full |
//! | a dropped producer throws away what it has not sent | [`alerts`], [`feeder`]: flushed first |
//!
//! Not answered here, because librdkafka 2.12 has no call for it: altering one property of a topic, and reading the group's lag.

pub mod admin;
pub mod alerts;
mod answers;
mod ask;
mod broker_clock;
#[cfg(target_os = "linux")]
mod busy_turns;
pub mod consumer;
mod context;
pub mod feeder;
mod ffi;
mod input_topics;
#[cfg(target_os = "linux")]
mod leader_change;
mod lifeline;
pub mod producer;
pub mod restore;
pub mod settings;
pub mod shard;
pub mod status;
pub mod tail;

pub use admin::KafkaAdmin;
pub use feeder::KafkaFeeder;
pub use settings::Settings;
pub use shard::KafkaShard;
pub use tail::KafkaTail;

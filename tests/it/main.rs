//! The integration tests, one binary: each module proves one promise at the lowest layer that can show its breach.

mod bench;
mod kafka_broker;
mod layers;
mod night;
mod night_on_kafka;
mod night_truth;
mod shard_on_embedded;
mod shard_on_kafka;
mod tally;

//! The integration tests, one binary: each module proves one promise at the lowest layer that can show its breach.

mod kafka_broker;
mod layers;
mod real_data;
mod shard_on_embedded;
mod shard_on_kafka;
mod tally;

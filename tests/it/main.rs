//! Tests of the crate from outside, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::print_stdout, reason = "helpers of tests are tests")]

mod kafka_broker;
mod shard_on_embedded;
mod shard_on_kafka;
mod tally;

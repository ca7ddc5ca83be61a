//! The integration tests, one binary: each module proves one promise at the lowest layer that can show its breach.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "what serves the tests is a test, and may wait and measure"
)]

mod bench;
mod command_line;
mod dense_physics;
mod door;
mod figures_on_kafka;
mod forgotten_group;
mod fuzz;
mod handover_on_kafka;
mod hooked_log;
mod incidents;
mod kafka_broker;
mod layers;
mod many_draws;
mod night;
mod night_on_kafka;
mod night_truth;
mod real_data;
mod reopen_on_kafka;
mod shard_on_embedded;
mod shard_on_kafka;
mod shard_promises;
mod silent_places;
mod simulation;
mod swap;
mod tally;
mod thresholds;

// More than a quarter of what ten thousand schedules cost is memory taken and given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! Tests of the crate from outside, in one binary.

mod shard_on_embedded;
mod tally;

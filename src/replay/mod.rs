//! What a replay reads: a table of one's own, or GTFS-Realtime frames, turned into the records that the live service would have read.
//!
//! The idea: nothing downstream knows that it is a replay. A table becomes a venue and neutral counts, a folder of frames becomes the transport
//! feed, and both run through the very engine that serves live (DESIGN §1, promise 2).
//!
//! - [`input`]: a record that a replay hands on.
//! - [`table`]: a CSV or Parquet table and its mapping.
//! - [`frames`]: GTFS-Realtime frames in files; [`arrivals`]: which trains came when, out of them; [`census`]: what they tell at all.

pub mod arrivals;
pub mod census;
pub mod frames;
pub mod input;
#[cfg(test)]
mod real_data;
pub mod table;

pub use census::Census;
pub use frames::Frames;
pub use input::InputRecord;
pub use table::Table;

//! From bytes to observations: one folder a feed, one file a format, one list of formats.
//!
//! The idea: a decoder knows the wire and the world's names, and nothing of windows or crowds. It turns one record into observations
//! whose names are already dense ids, or says what is wrong and where. It never panics, whatever the bytes.
//!
//! - [`record`]: a record as it was read, in a batch that shares one buffer.
//! - [`observation`]: what was observed, with its event time and identity.
//! - [`fault`]: why a record or an observation is of no use.

pub mod fault;
pub mod observation;
pub mod record;

pub use fault::{Fault, Reason};
pub use observation::{Entity, Observation, What};
pub use record::{Batch, RecordRef};

/// What a decoder hands on for one thing that it found in a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Something was observed.
    Observation(Observation),
    /// An operator's command.
    Command(observation::Command),
    /// An observation that cannot be used; the rest of the record can.
    Unusable {
        /// Its source, where that could be told.
        source: Option<crate::venue::SourceId>,
        /// Why.
        fault: Fault,
    },
    /// Something that concerns no configured place of the venue (a train elsewhere): counted, not lost.
    Ignored,
}

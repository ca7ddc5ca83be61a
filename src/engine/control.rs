//! Control records: whatever influences an output and is not an input record. The edge decides, the core obeys, and the
//! core journals what changed an output on `midan.control` in the same transaction (DESIGN §4 rule 5).

use crate::inference::Answer;
use crate::time::EventTime;
use crate::venue::Feed;

/// One control.
#[derive(Clone, Debug, PartialEq)]
pub enum Control {
    /// Broker time has come so far (at most one a second).
    Tick {
        /// Broker time.
        at: EventTime,
    },
    /// The broker shows that a partition is read to its end.
    ReadToEnd {
        /// Which feed's topic.
        feed: Feed,
        /// The next offset to be read.
        next_offset: i64,
    },
    /// No record will ever follow on any partition: a finite log is read whole (a run without a journal).
    EndOfInput,
    /// What the models answered, or that they did not.
    Models(Answer),
}

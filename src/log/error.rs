//! What can go wrong at the log. Every class has one written answer, so that no call site invents its own.
//!
//! | class | answer | what it means |
//! |---|---|---|
//! | [`LogError::Busy`] | `Retry` | nothing was changed; the same call may be made again |
//! | [`LogError::Blocked`] | `Retry` | somebody's transaction is open where this shard must read; it ends by itself, by its time-out or by fencing its owner |
//! | [`LogError::GroupAtWork`] | `Retry` | a partition waits, without end, until nobody works on it through another group |
//! | [`LogError::CutShort`] | `Retry` | a partition waits for its log to reach where the state stands: without end in a service, some seconds in a run to the end |
//! | [`LogError::Aborted`] | `AbortAndRewind` | the transaction cannot stand: state and input go back to the last commit |
//! | [`LogError::Fenced`], [`LogError::Unknown`] | `Rebuild` | this client is finished, or nobody knows what stands: build a new one and restore |
//! | the others | `Stop` | a person has to change something |

use super::Place;
use thiserror::Error;

/// What the shard does about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Call again.
    Retry,
    /// Abort, throw the state of the partitions away, restore it, rewind the input to the committed offsets.
    AbortAndRewind,
    /// Drop the clients, build new ones, restore.
    Rebuild,
    /// End, with the reason on show.
    Stop,
}

/// An error of the log.
#[derive(Debug, Error)]
pub enum LogError {
    /// The log did not answer in time and nothing was changed.
    #[error("{doing}: {detail}; the broker is busy or out of reach, it will be tried again")]
    Busy {
        /// What was being done.
        doing: &'static str,
        /// What came back.
        detail: String,
    },
    /// A transaction is open on a partition that must be read to its end.
    #[error("{doing}: {detail}; it will be tried again, and its owner is fenced if it is dead")]
    Blocked {
        /// What was being done.
        doing: &'static str,
        /// Which transaction.
        detail: String,
    },
    /// Whoever owned a partition had it through another group, which has members still.
    #[error(
        "midan.state[{partition}]: it was written by group {group}, which is still at work; the partition waits until all instances of that group are stopped, or this one is given its group"
    )]
    GroupAtWork {
        /// Of which partition.
        partition: u32,
        /// Whose.
        group: String,
    },
    /// A log ends before the state does.
    #[error(
        "{place}: the state has read up to {state}, and the log ends at {end}; the partition waits until it reaches there: did the broker lose records? begin anew with an empty midan.state (docs/OPERATIONS.md)"
    )]
    CutShort {
        /// Where.
        place: Place,
        /// The next offset of the state.
        state: i64,
        /// The next offset of the log.
        end: i64,
    },
    /// The open transaction cannot be committed.
    #[error("{doing}: {detail}; the transaction is given up and its input is read again")]
    Aborted {
        /// What was being done.
        doing: &'static str,
        /// What came back.
        detail: String,
    },
    /// Another client has taken this one's place.
    #[error("{doing}: {detail}; another instance has the same name or took over: check that no two shards share an instance id")]
    Fenced {
        /// What was being done.
        doing: &'static str,
        /// What came back.
        detail: String,
    },
    /// Nobody knows whether the commit stands.
    #[error("{doing}: {detail}; whether it stands is not known, so the shard starts again from what is committed")]
    Unknown {
        /// What was being done.
        doing: &'static str,
        /// What came back.
        detail: String,
    },
    /// The log refuses, and will refuse again.
    #[error("{doing}: {detail}; {cure}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What came back.
        detail: String,
        /// What to do.
        cure: &'static str,
    },
    /// A setting that Midan must own, or one that no client knows.
    #[error("setting `{name}` in the Kafka table: {reason}")]
    Setting {
        /// The property.
        name: String,
        /// Why not.
        reason: String,
    },
    /// Stored bytes are not what was written.
    #[error("{place}: {detail}; the folder of the embedded log is damaged: remove it, or restore it whole")]
    Corrupt {
        /// Which file or which position.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// The state on the log is not one that this version can take up.
    #[error(
        "midan.state[{partition}]: {detail}; was it written by a newer version? run that one, or begin anew with an empty midan.state (docs/OPERATIONS.md)"
    )]
    State {
        /// Of which partition.
        partition: u32,
        /// What the core says.
        detail: String,
    },
    /// The folder of the embedded log.
    #[error("{path}: {source}; the embedded log needs a folder that it can write, with space")]
    Io {
        /// Where.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The shard was told to break off here, to see what a restart makes of it.
    #[error("crashed on purpose {when}")]
    Crash {
        /// Where in the life of a commit.
        when: &'static str,
    },
}

impl LogError {
    /// What to do about it.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Busy { .. } | Self::Blocked { .. } | Self::GroupAtWork { .. } | Self::CutShort { .. } => Answer::Retry,
            Self::Aborted { .. } => Answer::AbortAndRewind,
            Self::Fenced { .. } | Self::Unknown { .. } => Answer::Rebuild,
            Self::Refused { .. } | Self::Setting { .. } | Self::Corrupt { .. } | Self::State { .. } | Self::Io { .. } | Self::Crash { .. } => Answer::Stop,
        }
    }
}

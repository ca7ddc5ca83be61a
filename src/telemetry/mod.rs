//! What the service says about itself: typed happenings become metrics and log lines.
//!
//! The idea: a call site says what happened, in one line (`telemetry.emit(Committed { … })`); only the happening knows its metric, its labels and its log
//! line. Metrics use base units and a bounded number of label values.
//!
//! - [`metrics`]: the registry and every metric; [`happening`]: the happenings; [`taking_up`]: those of a partition that is taken up.

pub mod happening;
pub mod metrics;
pub mod taking_up;

pub use happening::{Committed, Happening};
pub use metrics::{ConsoleClient, Telemetry};

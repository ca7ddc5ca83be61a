//! Event time: points, spans, panes and the clocks of sources.
//!
//! Nothing here reads a clock. A point in time comes in with a record or with a control; what advances time is decided by the log alone
//! (DESIGN §4, rules 1 to 3).

mod clock;
pub mod guard;
mod pane;
mod point;
pub mod stamp;
mod trust;

pub use clock::{SourceClock, Verdict};
pub use guard::{ClockFault, Guard};
pub use pane::PaneLength;
pub use point::{EventTime, Span};
pub use trust::{ClockTrust, Distrust};

/// An hour, ms.
pub const HOUR_MS: i64 = 3_600_000;
/// A day of 24 hours, ms.
pub const DAY_MS: i64 = 24 * HOUR_MS;

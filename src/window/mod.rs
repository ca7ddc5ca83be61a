//! Panes, lateness, revisions and duplicates: what happens to an observation between the wire and the close of its pane.
//!
//! The idea: panes collect, closing decides. An open pane holds sums and, for what does not add up, the last reading by (event time, sequence, hash), so that
//! the order of arrival leaves no trace (DESIGN §4 rule 4).
//!
//! ```text
//!              ┌ seen before, same content ──► duplicate          identities
//!  observation ┤ seen before, other content ─► conflict
//!              │ not late ──► open pane of its time ────────────┐ open
//!              │ late, allowed ──► revisions of the open pane   ├──► close
//!              └ late, beyond ──► midan.late                    ┘
//! ```
//!
//! - [`pane`]: what one pane has collected, and `sparse`: as it is written down; [`apportion`]: counts longer than a pane, in whole persons.
//! - [`sliding`]: windows composed of panes, with their revisions; [`session`]: stretches of activity that a gap ends.
//! - [`open`]: the open panes and the late events that wait for their close; [`identity`]: repeats.

pub mod apportion;
pub mod identity;
pub mod open;
pub mod pane;
pub mod session;
pub mod sliding;
mod sparse;

pub use apportion::apportion;
pub use identity::{Identities, Sighting};
pub use open::{LateArrival, OpenPane, OpenPanes, Reached, SnapshotPlace};
pub use pane::{ClockNote, PaneContent, Reading, Snapshot, Snapshots, slot_end};
pub use session::{Session, Sessions};
pub use sliding::Sliding;

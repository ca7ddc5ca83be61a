//! Panes, lateness, revisions and duplicates: what happens to an observation between the wire and the close of its pane.
//!
//! The idea: panes collect, closing decides. An open pane holds sums and, for what does not add up, the last reading by (event time, sequence, hash), so that
//! the order of arrival leaves no trace (DESIGN §4 rule 4).
//!
//! - [`pane`]: what one pane has collected.

pub mod pane;

pub use pane::{PaneContent, Reading};

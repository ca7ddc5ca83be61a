//! Closed panes, kept whole for as long as a late event may revise them one by one.

use crate::crowd::{TotalBases, VenueFigures};
use crate::window::PaneContent;
use serde::{Deserialize, Serialize};

/// A closed pane: what it collected and what was published of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ClosedPane {
    pub(super) content: PaneContent,
    /// The totals before it, to revise it with.
    pub(super) bases: TotalBases,
    pub(super) figures: VenueFigures,
    /// The fingerprint of the configuration by which it was closed.
    pub(super) by: String,
    /// By zone: the last revision that was published.
    pub(super) revisions: Vec<u32>,
}

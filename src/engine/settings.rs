//! What the engine is told once, at its start.

use super::placement::Placement;
use crate::inference::ModelCardRef;
use crate::time::PaneLength;

/// Settings of an engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The panes of the ledger's rows.
    pub ledger_pane: PaneLength,
    /// When operators' commands take effect.
    pub placement: Placement,
    /// The forecast model that runs at the edge; `None` for none.
    pub flow: Option<ModelCardRef>,
    /// The anomaly model.
    pub anomaly: Option<ModelCardRef>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ledger_pane: PaneLength::DEFAULT, placement: Placement::default(), flow: None, anomaly: None }
    }
}

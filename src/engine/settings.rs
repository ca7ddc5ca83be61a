//! What the engine is told once, at its start.

use super::journal::Line;
use super::placement::Placement;
use crate::inference::ModelCardRef;
use crate::time::PaneLength;
use std::sync::Arc;

/// Settings of an engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The panes of the ledger's rows.
    pub ledger_pane: PaneLength,
    /// Whether anything is forecast and watched at all; without it counts, picture and rules remain.
    pub forecasts: bool,
    /// When operators' commands take effect.
    pub placement: Placement,
    /// The forecast model that runs at the edge; `None` for none.
    pub flow: Option<ModelCardRef>,
    /// The journal that a replay follows instead of deciding again; `None` for a run that decides.
    pub journal: Option<Arc<Vec<Line>>>,
    /// The anomaly model.
    pub anomaly: Option<ModelCardRef>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ledger_pane: PaneLength::DEFAULT, forecasts: true, placement: Placement::default(), flow: None, anomaly: None, journal: None }
    }
}

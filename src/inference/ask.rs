//! The request to the models at a pane close, and what comes back.
//!
//! The core asks, the edge runs: `step` hands out an [`Ask`], and gets an [`Answer`] as a control. Whatever happened in between (a missed deadline, no library) is in the
//! answer, so the core stays a function of its inputs.

use super::flow_row;
use super::manifest::{ModelCardRef, Role};
use super::podium::Call;
use crate::time::EventTime;
use crate::venue::VenueId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Features per row of the anomaly model: `midan-features-3`, docs/FEATURES.md.
pub const FEATURES: usize = 30;
/// Features per row of the flow model: `midan-features-2`, docs/FEATURES.md.
pub const FLOW_FEATURES: usize = flow_row::WIDTH;
/// How many forecast horizons there are.
pub const HORIZONS: usize = 5;
/// The horizons, in steps of the venue: a horizon h is the count of the h-th step from now on.
pub const STEPS: [u32; HORIZONS] = [1, 2, 3, 6, 12];
/// Quantiles per horizon: 10 %, 50 %, 90 %.
pub const QUANTILES: usize = 3;

/// Which pane of which venue is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ticket {
    /// The venue.
    pub venue: VenueId,
    /// The end of the pane.
    pub pane: EventTime,
}

/// One batched request: all series of one venue, in their fixed order, padded with zeros to `rows`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// For which pane.
    pub ticket: Ticket,
    /// Rows of the tensor, padding included: a multiple of 16, the same at every close of the venue.
    pub rows: usize,
    /// For the anomaly model: `rows × FEATURES`, row-major. Shared, so that the core takes the same memory again once the edge has let go of it.
    pub features: Arc<Vec<f32>>,
    /// For the flow model: `rows × FLOW_FEATURES`, likewise.
    pub flow: Arc<Vec<f32>>,
    /// Whom it is for.
    pub calls: Calls,
}

impl Ask {
    /// What the model of a role is shown.
    pub fn shown(&self, role: Role) -> &[f32] {
        match role {
            Role::Flow => &self.flow,
            Role::Anomaly => &self.features,
        }
    }
}

/// Whom a request is for, by role.
pub type Calls = [Call; Role::ALL.len()];

/// Who was asked, by role; `None` for the model that is configured.
pub type By = [Option<ModelCardRef>; Role::ALL.len()];

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// For which pane.
    pub ticket: Ticket,
    /// The forecast: `rows × HORIZONS × QUANTILES`, in deviations from the plain forecast (docs/FEATURES.md).
    pub flow: Outcome,
    /// The anomaly score: `rows × 1`, 0 to 1.
    pub anomaly: Outcome,
    /// Who was asked, whether or not it could say anything.
    pub by: By,
}

/// What became of one model's run.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran.
    Ran(Vec<f32>),
    /// It missed its deadline: journaled, and the fallback stands in.
    Missed,
    /// There is no such model (no library, no file, it does not ship, or what it said was no number): the fallback stands in.
    Absent,
}

impl Outcome {
    /// What the model said, if it ran and said `len` numbers.
    pub fn of_length(&self, len: usize) -> Option<&[f32]> {
        match self {
            Self::Ran(values) if values.len() == len => Some(values),
            _ => None,
        }
    }
}

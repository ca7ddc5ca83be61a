//! What the core knows of a model: its manifest, the tensor it is asked with, the answer it gives. The sessions live at the edge (`onnx`).
//!
//! - [`ask`]: the request and the answer, both of fixed shape.
//! - [`drift`]: whether the inputs are what the model was trained on, and what they were, for the metrics.
//! - [`manifest`]: what must hold before a model may speak, and how outputs name it.
//! - [`orders`]: which of the ordered models a process lacks, for the metrics.
//! - [`podium`]: which model has the word at a venue, and from which pane on.
//! - [`track`]: how models' words hold against what came, for the metrics.

pub mod ask;
pub mod drift;
pub mod flow_row;
pub mod manifest;
pub mod orders;
pub mod podium;
pub mod track;

pub use ask::{Answer, Ask, By, Calls, Outcome, Ticket};
pub use drift::{Drift, Reference};
pub use manifest::{Manifest, ModelCardRef, Refusal, Role};
pub use orders::Orders;
pub use podium::{Call, Podium};
pub use track::Track;

//! What the core knows of a model: its manifest, the tensor it is asked with, the answer it gives. The sessions live at the edge (`onnx`).
//!
//! - [`ask`]: the request and the answer, both of fixed shape.

pub mod ask;

pub use ask::{Answer, Ask, Outcome, Ticket};

//! The ONNX sessions: the edge that runs what the core asks for.
//!
//! The idea: nothing here can stop the rules. A missing or wrong library, a manifest that does not fit, a run that is too slow or says no number: each is a value
//! with a reason that the console shows, and the answer says that the fallback speaks. What a model says is a function of the request alone: one intra-op
//! thread, no spinning, one batched run of fixed shape per model.
//!
//! - [`library`]: the shared library of ONNX Runtime, loaded once per process.
//! - [`model`]: one model: its manifest, its file's hash, its session.
//! - [`conformance`]: whether what it says may be served.
//! - [`models`]: both models of a shard, the deadline, and what the console is told.
//! - [`shelf`]: models that an operator orders, found by their hash.

pub mod conformance;
pub mod library;
pub mod model;
pub mod models;
pub mod shelf;

pub use library::{Library, LibraryFault};
pub use model::{Model, ModelFault};
pub use models::{Deadline, ModelState, ModelStatus, Models, Settings};
pub use shelf::News;

#[cfg(test)]
mod tests;

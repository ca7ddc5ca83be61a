//! The incident library: disasters rebuilt as streams from their public numbers, and quiet nights that look almost like them, both run through the engine and scored.
//!
//! The idea: a warning system is worth its lead time less its false findings, so both are measured by the same run, in one configuration, on the core that serves live.
//! Nine incidents say how early the first finding comes; quiet nights, a third of them near misses, say what that costs the operators.
//!
//! ```text
//!   load-tests/incidents/*/ ─► script ─┐
//!                                      ├─► stream ─► play (the engine) ─► score ─► report: table, JSON, picture
//!   seed ─────────────────► quiet ─────┘
//! ```
//!
//! - [`script`]: an incident as its file tells it, each number with its source; [`library`]: the files, part of the binary.
//! - [`stream`]: numbers over time → records of the neutral formats; [`crowding`]: a dense crowd as the grid of a camera.
//! - [`quiet`]: quiet nights from a seed; [`play`]: records → alarms; [`score`]: alarms → lead times and false findings; [`report`](mod@report), [`picture`]: what people see.

pub mod crowding;
pub mod library;
pub mod picture;
pub mod play;
pub mod quiet;
mod quiet_flow;
pub mod report;
pub mod score;
pub mod script;
pub mod stream;

pub use play::{Told, play};
pub use score::{IncidentScore, NightScore, Scores};

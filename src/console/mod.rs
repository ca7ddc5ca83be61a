//! The console: a live view of the output topics, served to browsers.
//!
//! The idea: the console is one more reader of the output topics, like any other consumer; it shares nothing with the shards but the log. What it shows is what was published.
//!
//! ```text
//!  midan.zones, midan.alerts, midan.ledger, midan.quarantine ──► LiveView ──► SSE stream, history, /metrics beside it
//!  POST /api/v1/commands ──► midan.commands
//! ```
//!
//! - [`view`]: the live view of all venues; [`place`]: the records of places, and their history by minute; [`alarms`]: the alarm list and the operator's load.
//! - [`questions`]: what is asked of the engines; [`explain`]: their answer in plain words.
//! - [`site`]: the static site; [`api`]: the HTTP interface; [`assets`]: the built web application; [`access`]: who may call; `commands`: what an operator may order.

pub mod access;
pub mod alarms;
pub mod api;
pub mod assets;
mod commands;
pub mod explain;
pub mod place;
pub mod questions;
pub mod site;
pub mod view;

pub use api::{Service, serve};
pub use view::LiveView;

//! From a closed pane to the crowd picture: occupancy, density, flow, level of service, queue and entry ETA, with the uncertainty of each.
//!
//! The idea: [`CrowdState::close`] is a function of the state before, the venue and one pane's content. What adds up was added by the pane; what does not is ordered here,
//! and every float is computed in the fixed order of the venue's lists, so the same panes give the same bits.
//!
//! ```text
//!   sensors ─► crossings ─► zones: balance, density, grade ─► gates: queue, wait, spill ─► entry ETA
//!     flow        flow        occupancy      grade              gate, queue                 phase, entry
//! ```
//!
//! - [`figures`]: what the picture of one pane says.
//! - [`topology`]: the venue turned round, once; [`limits`]: its thresholds, read once.
//! - [`approaches`]: who has come, by which approach, against the plan.
//! - `planned`: what the plan alone says of the entry; `transit`: of the way home.
//! - [`surroundings`]: plans, calls for help, the weather.
//! - `egress`: a zone's exits, open or shut.
//! - [`state`]: what lasts from pane to pane; [`correct`]: how a late event corrects it.
//! - `glimpse`: what is seen within an open pane, for the alarms that cannot wait for its close.
//! - [`dense`]: the physics of dense crowds, from tracks and grids.
//! - [`arrivals`], [`coming`]: who is expected by public transport, of one pane and of all that is known.
//! - [`unheard`], [`stand_in`]: who must have crossed where a counter was silent; [`silence`]: when it was.
//! - `zero`: zones that must be empty by now.
//! - [`flow`]: who crossed where; [`occupancy`]: heads and their band; [`grade`]: levels of service; [`queue`]: the formulas of queues.
//! - [`reconcile`]: scans correct the counters behind the gates.
//! - `little`: queues held against Little's law.
//! - [`normal`]: the law of errors; [`mod@quantise`]: what leaves is rounded.

pub mod alighted;
pub mod approaches;
pub mod arrivals;
mod beside;
mod close;
pub mod coming;
pub mod correct;
mod coverage;
pub mod dense;
mod egress;
mod entry;
pub mod figures;
pub mod flow;
mod gate;
mod glimpse;
pub mod grade;
pub mod limits;
mod little;
pub mod normal;
pub mod occupancy;
mod phase;
mod planned;
mod platform;
pub mod quantise;
pub mod queue;
pub mod reconcile;
#[cfg(test)]
pub(crate) mod sample;
pub mod silence;
pub mod stand_in;
pub mod state;
pub mod surroundings;
pub mod topology;
mod transit;
mod turn;
pub mod unheard;
mod zero;

pub use correct::Correction;
pub use figures::{
    Against, ApproachFigures, CallFigures, Disagreement, EgressFigures, EntryFigures, Estimate, GateFigures, Grade, LevelOfService, LinkFigures, NightFigures,
    Phase, PlatformFigures, PresenceFigures, ScanWindow, StationFigures, VenueFigures, ZoneFigures,
};
pub use flow::{TotalBases, ZoneFlows, flows};
pub use glimpse::{Look, Part};
pub use quantise::quantise;
pub use state::{CrowdState, GateState, NightState, ZoneState};
pub use topology::Topology;

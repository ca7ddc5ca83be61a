//! Features, profiles, fallback forecasts and calibration: all that surrounds a model and is not one.
//!
//! The idea: a forecast is a pipeline from what came to a band, and each arrow is a module that can be read alone. What happened teaches the left side at once and the right side when what
//! was forecast has come.
//!
//! ```text
//!   counts ─► history ─► usual, faces, event ─► plain ─► signs ─► learner, hours ──┐
//!                └─────► pulse ─────────────────► ▲        │                       ├─► mixture ─► bands, few ─► outlook
//!                             likeness, weekday, tonight, standing, the model ─────┘                  │
//!                                                                          issued, steps ◄────────────┘
//!                                                                                └─► judgement, once it has come
//!   came, usual ─► watch ─► findings
//! ```
//!
//! | what | where |
//! |---|---|
//! | the one face that the engine sees; what it says; the names of its stored entries | [`forecaster`], [`outlook`], [`state`] |
//! | which series a venue has; the clock on the wall; the last thirteen steps | [`series`], [`calendar`], [`history`], `recent` |
//! | what is usual; slots in which surges come back; what a match adds | [`usual`], [`faces`], [`event`] |
//! | how things run now | [`pulse`] |
//! | which days are like today; how this weekday differs here; which kind of day today is spent like; what a first night knows of its event; what stands out goes on | [`likeness`], [`weekday`], [`spent_like`], [`tonight`], [`standing`] |
//! | the plain forecast; what speaks for more or fewer; all of it at one moment | `plain`, [`signs`], [`sight`] |
//! | how much each sign is trusted here, and at this time of the day | [`learner`], [`hours`] |
//! | who is believed; of what tells of a place's habits | [`mixture`], [`habits`] |
//! | honest quantiles; of quiet hours and busy ones; of restless ones and calm ones; of few persons | [`bands`], [`quarters`], [`unrest`], [`few`] |
//! | the same while nothing is usual yet | [`green`] |
//! | what was issued; what is learnt once reality has come | [`steps`], [`issued`], [`judgement`] |
//! | what the models see; from their answers to persons, and how many can be in the seats at all | [`tensor`], [`features`], [`assembly`], [`attendance`] |
//! | the anomaly score without a model, and from a raw score to a share of quiet panes | [`fallback`], [`calibration`] |
//! | what came against what was usual: the anomalies | [`watch`] |
//! | figures that may not be known; counts in 16 bits; room for series that came later | `told`, `rooted`, `room` |

pub mod assembly;
pub mod attendance;
pub mod bands;
pub mod calendar;
pub mod calibration;
pub mod event;
pub mod faces;
pub mod fallback;
pub mod features;
pub mod few;
pub mod forecaster;
pub mod green;
pub mod habits;
pub mod history;
pub mod hours;
pub mod issued;
pub mod judgement;
pub mod learner;
pub mod likeness;
pub mod mixture;
pub mod outlook;
mod plain;
pub mod pulse;
pub mod quarters;
pub mod recent;
mod room;
mod rooted;
#[cfg(test)]
pub(crate) mod sample;
pub mod series;
pub mod sight;
pub mod signs;
pub mod spent_like;
pub mod standing;
pub mod state;
pub mod steps;
pub mod tensor;
mod told;
pub mod tonight;
pub mod unrest;
pub mod usual;
pub mod watch;
pub mod weekday;

pub use forecaster::Forecaster;
pub use outlook::{Horizon, OccupancyOutlook, OfAll, Outlook, Outlooks, Series, SeriesKind};
pub use state::RestoreError;

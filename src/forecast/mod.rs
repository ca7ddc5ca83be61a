//! Features, profiles, fallback forecasts and calibration: all that surrounds a model and is not one.
//!
//! - [`forecaster`]: the one face that the engine sees; [`outlook`]: what it says; [`state`]: the names of its stored entries.
//! - [`series`]: which series a venue has; [`calendar`]: the clock on the wall; [`history`]: the last thirteen steps; [`usual`]: what is usual; [`faces`]: slots in which surges come back; [`likeness`]: which days are like today; [`weekday`]: how this weekday differs here; [`spent_like`]: which kind of day today is like; [`event`]: what a match adds; [`tonight`]: what a first night knows of it;
//!   [`pulse`]: how things run now.
//! - [`signs`]: the plain forecast and what speaks for more or fewer; [`learner`]: how much each sign is trusted here; [`hours`]: and at this time of the day; [`mixture`]: who is believed, [`habits`]: of what tells of a place's habits; [`bands`]: honest quantiles, [`quarters`]: of quiet hours and busy ones, [`unrest`]: of restless ones and calm ones, [`few`]: of few persons; [`standing`]: what stands out goes on;
//!   [`steps`]: what was issued; [`judgement`]: what is learnt once reality has come.
//! - [`green`]: the same while nothing is usual yet.
//! - [`tensor`]: what the flow model sees; [`assembly`]: from its answer to persons; [`attendance`]: how many can be in the seats at all.
//! - [`features`]: what the anomaly model sees; [`fallback`]: the score without it; [`issued`]: what was expected of the last step; [`calibration`]: from a raw score
//!   to a share of quiet panes.
//! - [`watch`]: what came against what was usual: the anomalies.

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

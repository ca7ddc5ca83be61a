//! What a forecast says: for each series, per horizon, three quantiles of persons, and how odd the last step was.

use super::watch::Verdict;
use crate::time::EventTime;
use crate::venue::ZoneId;
use serde::{Deserialize, Serialize};

/// What a series counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SeriesKind {
    /// Persons coming in per step.
    In,
    /// Persons going out per step.
    Out,
    /// Persons counted without direction per step.
    Count,
}

impl SeriesKind {
    /// The word in outputs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Count => "count",
        }
    }
}

/// One series that is forecast: a kind of flow of one zone. A venue's series stand in a fixed order, the rows of the models' tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The zone.
    pub zone: ZoneId,
    /// What is counted.
    pub kind: SeriesKind,
}

/// One horizon of one series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Horizon {
    /// From issue to the end of the target step, s.
    pub h_s: u32,
    /// 10 % quantile, persons in the target step.
    pub q10: f64,
    /// Median.
    pub q50: f64,
    /// 90 % quantile.
    pub q90: f64,
    /// What is expected, persons: no whole number, and published nowhere. Heads are summed from it.
    #[serde(skip)]
    pub expected: f64,
}

/// What is said of one series at the close of one pane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Of which series.
    pub series: Series,
    /// By horizon, nearest first; empty where neither a lag nor the profile says anything.
    pub horizons: Vec<Horizon>,
    /// Whether a model spoke; else the fallback did.
    pub by_model: bool,
    /// The anomaly model's calibrated score: the expected share of quiet panes with a higher score; `None` until enough panes were seen.
    pub score: Option<f64>,
    /// What the watch says of the zone, where this series speaks for it.
    pub watch: Option<Verdict>,
    /// What was expected for the last step, a step before, persons.
    pub expected_last: Option<f64>,
    /// The quantiles of the forecast for the last step, made a step before: 10, 50, 90 %, persons.
    pub band_last: Option<[f64; 3]>,
    /// What is usual for the last step, by the series' own history without it, persons, where days of its kind have taught it or it was counted on this one.
    pub usual_last: Option<f64>,
    /// One deviation of the series' forecast errors about `expected_last`, as a mean absolute error, persons.
    pub scale_last: Option<f64>,
    /// What came in the last step, persons.
    pub actual_last: Option<f64>,
}

impl Outlook {
    /// Nothing said of a series.
    pub const fn silent(series: Series) -> Self {
        Self {
            series,
            horizons: Vec::new(),
            by_model: false,
            score: None,
            watch: None,
            expected_last: None,
            band_last: None,
            usual_last: None,
            scale_last: None,
            actual_last: None,
        }
    }
}

/// The head count that follows from the flows, for one zone whose links are all counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OccupancyOutlook {
    /// Of which zone.
    pub zone: ZoneId,
    /// By horizon, nearest first: persons in the zone at the end of the target step.
    pub horizons: Vec<Horizon>,
    /// Whether a model spoke for both of its flows.
    pub by_model: bool,
}

/// All that is forecast at the close of one pane of one venue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlooks {
    /// When it was issued: the end of the pane.
    pub issued: EventTime,
    /// By series, in the venue's fixed order.
    pub series: Vec<Outlook>,
    /// By zone, where occupancy can be forecast.
    pub occupancy: Vec<OccupancyOutlook>,
    /// What the watch says of all places together, where it watches that.
    pub of_all: Option<OfAll>,
}

/// What the watch says of all places of a venue together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfAll {
    /// Of which way.
    pub kind: SeriesKind,
    /// What it says.
    pub verdict: Verdict,
}

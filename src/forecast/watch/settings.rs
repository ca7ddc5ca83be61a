//! What an operator sets of the watch, read off the zones' threshold profiles.

use super::deviation::Directed;
use crate::time::Span;
use crate::venue::Profile;

/// The settings of one zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// False findings that the operator is ready to look at, per week and zone group.
    pub budget_per_week: f64,
    /// Whether the zones of a venue that have this profile share the budget; else each zone has it to itself.
    pub is_shared: bool,
    /// Share of the threshold that keeps a finding open.
    pub hold: f64,
    /// The share of the budget that is for shortfalls; the rest is for surges.
    pub shortfalls: f64,
    /// What the learnt score weighs beside the watch's own, 0 to 1.
    pub learnt: f64,
    /// How many days must have taught what is usual.
    pub min_days: f64,
    /// How long it must be quiet before a finding is over.
    pub off: Span,
    /// When the last day has been off for so long, it is the new usual.
    pub regime: Span,
}

impl Settings {
    /// The budget of each direction, a week.
    pub fn budget(&self) -> Directed<f64> {
        Directed { surge: (1.0 - self.shortfalls) * self.budget_per_week, shortfall: self.shortfalls * self.budget_per_week }
    }

    /// Reads them; a profile that was loaded has all of them.
    pub fn of(profile: &Profile) -> Self {
        // A float that is not a number or negative becomes zero here.
        let span = |name: &str| Span::from_millis((profile.value(name) * 1_000.0) as u64);
        Self {
            budget_per_week: profile.value("anomaly.budget_per_week"),
            is_shared: profile.value("anomaly.budget_shared") > 0.5,
            hold: profile.value("anomaly.hold"),
            shortfalls: profile.value("anomaly.shortfalls").clamp(0.0, 1.0),
            learnt: profile.value("anomaly.learnt").clamp(0.0, 1.0),
            min_days: profile.value("anomaly.min_days"),
            off: span("anomaly.off_s"),
            regime: span("anomaly.regime_s"),
        }
    }
}

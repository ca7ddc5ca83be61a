//! What the watch and the learnt score say together, and a budget for each way of speaking.
//!
//! The idea: both are tails, and tails add as logarithms. In quiet times −ln of the share of quiet steps with a higher learnt score is exponential by construction, and z²/2 of a window is so
//! beyond its low bar ([`super::budget`]). Their weighted mean is again of that kind, so the same budget turns it into a threshold. A model sees shapes and not amounts, so the watch weighs more.
//! The learnt score is about the newest step alone and about no direction: it speaks for the one in which that step is off.
//!
//! Too few and too many have a tail each, and a part of the budget: a place can be no emptier than empty, so however few come they never stand out as far as a crowd does, and held against one threshold
//! a whole town that stays away would be no finding.
//!
//! A model may miss its deadline, be switched off or come later. So both tails are always learnt, that of the watch alone and that of the two together, and a step is held against the one whose
//! score it has: neither a storm nor a silence follows when the model goes or comes.

use super::budget::{Budget, strength};
use super::deviation::{Deviation, Directed};
use super::scan::{Evidence, Window};
use crate::time::EventTime;
use serde::{Deserialize, Serialize};

/// The evidence of one series when the learnt score speaks too: `share` is that of the quiet steps with a higher learnt score, `weight` what its logarithm weighs beside the watch's, 0 to 1.
pub fn joined(evidence: &Evidence, share: f64, weight: f64) -> Evidence {
    let learnt = -libm::log(share.clamp(1e-9, 1.0));
    let (up, down) = if evidence.leads { (learnt, 0.0) } else { (0.0, learnt) };
    let high = |score: f64| together(score, up, weight);
    let low = |score: f64| -together(-score, down, weight);
    Evidence {
        high: Window { score: high(evidence.high.score), ..evidence.high },
        low: Window { score: low(evidence.low.score), ..evidence.low },
        holds_high: high(evidence.holds_high),
        holds_low: low(evidence.holds_low),
        leads: evidence.leads,
    }
}

/// A normal score and the learnt logarithm as one normal score; what is not off at all stays as it is.
fn together(score: f64, learnt: f64, weight: f64) -> f64 {
    if score <= 0.0 { score } else { (2.0 * ((1.0 - weight) * strength(score) + weight * learnt)).sqrt() }
}

/// Whose score it is that was held against a threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Voice {
    /// The watch's alone.
    #[default]
    Alone,
    /// Of the watch and the learnt score together.
    Joint,
}

/// One number for the watch alone, and one for the two together where the model has spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Twofold {
    /// Of the watch alone.
    pub alone: f64,
    /// Of both together.
    pub joint: Option<f64>,
}

impl Twofold {
    /// That of a voice; before the model has ever spoken both are the watch's own.
    pub fn of(self, voice: Voice) -> f64 {
        self.joint.filter(|_| voice == Voice::Joint).unwrap_or(self.alone)
    }

    /// The greater of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let joint = [self.joint, other.joint].into_iter().flatten().reduce(f64::max);
        Self { alone: self.alone.max(other.alone), joint }
    }
}

/// The budgets of one zone group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Budgets {
    surges: Tails,
    shortfalls: Tails,
}

/// The budget of one direction, spent by whichever score speaks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tails {
    alone: Budget,
    joint: Option<Budget>,
}

impl Budgets {
    /// Whether all are of the size that this binary uses.
    pub fn is_sound(&self) -> bool {
        self.surges.is_sound() && self.shortfalls.is_sound()
    }

    /// The thresholds of both directions.
    pub fn thresholds(&self) -> Directed<Twofold> {
        Directed { surge: self.surges.thresholds(), shortfall: self.shortfalls.thresholds() }
    }

    /// How much rarer quiet times bring a score of that way and voice than one that just reaches the threshold ([`Budget::rarity`]).
    pub fn rarity(&self, deviation: Deviation, voice: Voice, score: f64) -> f64 {
        let tails = match deviation {
            Deviation::Surge => &self.surges,
            Deviation::Shortfall => &self.shortfalls,
        };
        let joint = tails.joint.as_ref().filter(|_| voice == Voice::Joint);
        joint.unwrap_or(&tails.alone).rarity(score)
    }

    /// Lets a judged step pass, of `weeks`, in which `strongest` was the group's strongest score (z²/2) in each direction.
    pub fn pass(&mut self, weeks: f64, strongest: Directed<Twofold>, end: EventTime, zones: usize, per_week: Directed<f64>) {
        self.surges.pass(weeks, strongest.surge, end, zones, per_week.surge);
        self.shortfalls.pass(weeks, strongest.shortfall, end, zones, per_week.shortfall);
    }
}

impl Tails {
    fn is_sound(&self) -> bool {
        self.alone.is_sound() && self.joint.as_ref().is_none_or(Budget::is_sound)
    }

    /// Before the model has ever spoken the threshold of both together is the watch's own.
    fn thresholds(&self) -> Twofold {
        let alone = self.alone.threshold();
        Twofold { alone, joint: Some(self.joint.as_ref().map_or(alone, Budget::threshold)) }
    }

    /// The tail of both together begins as that of the watch alone.
    fn pass(&mut self, weeks: f64, strongest: Twofold, end: EventTime, zones: usize, per_week: f64) {
        if let Some(strongest) = strongest.joint {
            self.joint.get_or_insert_with(|| self.alone.clone()).pass(weeks, strongest, end, zones, per_week);
        }
        self.alone.pass(weeks, strongest.alone, end, zones, per_week);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(high: f64, low: f64, leads: bool) -> Evidence {
        let window = |score: f64| Window { score, ..Window::default() };
        Evidence { high: window(high), low: window(low), holds_high: high, holds_low: low, leads }
    }

    #[test]
    fn the_learnt_score_speaks_for_the_direction_of_the_newest_step() {
        let both = joined(&evidence(3.0, -3.0, true), 1e-6, 0.2);
        assert!(both.high.score > 3.0 && both.low.score > -3.0, "{both:?}");
        let both = joined(&evidence(3.0, -3.0, false), 1e-6, 0.2);
        assert!(both.high.score < 3.0 && both.low.score < -3.0, "{both:?}");
    }

    #[test]
    fn what_is_as_rare_to_both_stays_as_rare() {
        let share = libm::exp(-strength(4.0));
        assert!((joined(&evidence(4.0, -1.0, true), share, 0.3).high.score - 4.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_off_is_not_made_so_and_nothing_breaks() {
        let both = joined(&evidence(-0.5, -0.6, true), 0.0, 0.2);
        assert_eq!((both.high.score, both.holds_high), (-0.5, -0.5));
        assert!(joined(&evidence(40.0, -40.0, true), 0.0, 1.0).high.score.is_finite());
    }
}

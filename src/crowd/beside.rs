//! A concourse whose way to the seats nobody hears: who is still in it goes by the concourses beside it.
//!
//! The idea: concourses before the same seats live by the same clock. They fill while people come, empty when the match is on, and fill again at half-time. So of those whom a concourse has let in,
//! as many are in it, and not in their seats, as in the others whose ways are heard:
//!
//! ```text
//!   n = L · mean(hₛ / Lₛ)          L let in and not out again elsewhere, h heads in the concourse, s the others
//!   σ² = L² · s² · (1 + 1/m) · (m − 1)/(m − 3)     s the spread of their m shares, which holds their counters' errors too (Student's t: few of them tell little of it)
//! ```
//!
//! With three others or fewer the spread is taken as large as n; where there are none at all, n is what the inflow alone makes it (Little's law, [`super::reconcile`]), and as unsure. Whoever is in the
//! concourse beyond n has gone to the seats, and who is missing from it has come back; both are remembered as inferred, and nothing is known of a gain that counted nobody.
//!
//! What went over a silent way is then let in − counted out elsewhere − n, whatever was counted before: a look ([`super::reconcile`]) that asks no counter. While the silence lasts the newest counts, for an
//! older and surer one knows nothing of those who have passed since.

use super::reconcile::Look;
use super::stand_in::Silence;
use super::state::CrowdState;
use super::topology::Passage;

impl CrowdState {
    /// Whether nobody counts a passage's way to the seats just now.
    pub(super) fn is_unheard(pane: &Silence<'_>, passage: &Passage) -> bool {
        !pane.hearing.hears_way(pane.topology, passage.way)
    }

    /// Persons in a passage's concourse by those beside it, and one standard deviation of them.
    pub(super) fn content_beside(&self, pane: &Silence<'_>, passage: &Passage) -> (f64, f64) {
        let least = pane.topology.zones[passage.zone.index()].limits.parting.0;
        let (own, _) = self.let_in(passage);
        let others = pane.topology.passages.iter().filter(|other| other.seats == passage.seats && other.zone != passage.zone && !Self::is_unheard(pane, other));
        let shares: Vec<f64> =
            others.map(|other| self.let_in(other)).filter(|(all, _)| *all > least).map(|(all, heads)| (heads / all).clamp(0.0, 1.0)).collect();
        let m = shares.len() as f64;
        if shares.is_empty() {
            let content = self.zones[passage.zone.index()].learnt.content;
            return (content, content);
        }
        let mean = shares.iter().sum::<f64>() / m;
        let n = own.max(0.0) * mean;
        if m <= 3.0 {
            return (n, n);
        }
        let spread = shares.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>() / (m - 1.0);
        (n, own.max(0.0) * libm::sqrt(spread * (1.0 + 1.0 / m) * (m - 1.0) / (m - 3.0)))
    }

    /// Persons whom a passage has let in and not out again elsewhere, and those of them who are in its concourse.
    fn let_in(&self, passage: &Passage) -> (f64, f64) {
        let zone = &self.zones[passage.zone.index()];
        let heads = f64::from(zone.persons.unwrap_or(0)) - f64::from(zone.deficit);
        let unheard = &zone.unheard[passage.at];
        let seated = (zone.learnt.net + zone.learnt.moved) as f64 + f64::from(unheard.went) - f64::from(unheard.came);
        (heads + seated, heads)
    }

    /// What is known of a silent way now: `sigma` is one standard deviation of all else than who is still in the concourse, persons.
    pub(super) fn look_beside(&self, pane: &Silence<'_>, passage: &Passage, net: f64, sigma: f64) -> Look {
        let (_, spread) = self.content_beside(pane, passage);
        let zone = &self.zones[passage.zone.index()];
        // Nothing is missed: the heads in the concourse are n by construction. Nor is there anything to weigh it against.
        Look { net, missed: zone.learnt.moved as f64, sigma: libm::hypot(sigma, spread), before: f64::INFINITY, gross: zone.gross[passage.at] }
    }
}

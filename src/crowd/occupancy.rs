//! Heads in a zone: mass balance between anchors, and how far it may be off.
//!
//! The idea: heads = heads at the anchor + in − out since, never below zero (crowd-science §2.5). An anchor is a measurement (occupancy sensors, a recount), or the
//! empty zone at the start. Where the balance would go below zero, entries were missed: it is held at zero, and the deficit is remembered.
//!
//! **The band.** Counters err in their gain, each by itself, so errors add by squares: σ² = σ_anchor² + Σ (gain·Fₗ)² + gain·Fₗ with Fₗ the gross flow over way `l` since the
//! anchor (the second part because counters miss and double person by person: it is what few are wrong by), or with what scans leave of the error of a way ([`super::reconcile`]), and σ_anchor² = (share·heads)² + floor² for a measured anchor, 0 for the empty zone. Where nothing but measurements tells the heads of a zone, what has moved from
//! one to the next may move again before the next: it adds to σ (a train empties in a minute, and the camera's last look is seconds old). A deficit is an error already proven, so σ is at least that. And σ is at most
//! that of somebody who knows only who came in: the heads then lie anywhere between nobody and everybody, uniformly, σ = (anchor + in)/√12.

use super::figures::Estimate;
use super::flow::{CrossingFlow, ZoneFlows};
use super::limits::ZoneLimits;
use super::normal::Z90;
use super::state::ZoneState;
use super::topology::ZonePlan;
use crate::time::EventTime;

/// The standard deviation of a uniform law, as a share of its width: 1/√12.
const UNIFORM_SIGMA: f64 = 0.288_675_134_594_812_9;

impl ZoneState {
    /// Lets a pane's flows move the balance; `crossings` gives the flow over each way.
    pub(super) fn flow(&mut self, plan: &ZonePlan, crossings: &[CrossingFlow], flows: ZoneFlows) {
        for ((way, _), gross) in plan.ways.iter().zip(&mut self.gross) {
            *gross = gross.saturating_add(crossings.get(*way).map_or(0, |flow| flow.gross()));
        }
        self.came = self.came.saturating_add(u64::from(flows.inwards));
        let Some(persons) = self.persons else {
            return;
        };
        let next = i64::from(persons) + i64::from(flows.inwards) - i64::from(flows.outwards);
        self.hold(next);
    }

    /// A late event of the pane that ended at `end` moved `inwards` and `outwards` persons (negative: fewer than was thought). Late entries first make good the deficit, for they are what was missed.
    pub(super) fn correct(&mut self, way: Option<usize>, end: EventTime, inwards: i64, outwards: i64) {
        if let Some(gross) = way.and_then(|way| self.gross.get_mut(way)) {
            *gross = gross.saturating_add_signed(inwards + outwards);
        }
        self.came = self.came.saturating_add_signed(inwards);
        let (inwards, outwards) = way.and_then(|way| self.unheard.get_mut(way)).map_or((inwards, outwards), |unheard| unheard.settle(end, inwards, outwards));
        let Some(persons) = self.persons else {
            return;
        };
        let repaid = inwards.clamp(0, i64::from(self.deficit));
        self.deficit -= repaid as u32;
        self.hold(i64::from(persons) + inwards - repaid - outwards);
    }

    /// Sets the heads; what a balance would be below zero is a deficit.
    pub(super) fn hold(&mut self, persons: i64) {
        let missed = u32::try_from(-persons.min(0)).unwrap_or(u32::MAX);
        self.deficit = self.deficit.saturating_add(missed);
        self.persons = Some(u32::try_from(persons.max(0)).unwrap_or(u32::MAX));
    }

    /// The heads with their 90 % band.
    pub(super) fn estimate(&self, limits: &ZoneLimits) -> Option<Estimate> {
        let persons = f64::from(self.persons?);
        Some(Estimate::normal(persons, self.sigma(limits)))
    }

    fn sigma(&self, limits: &ZoneLimits) -> f64 {
        let anchor = f64::from(self.anchor_persons);
        let is_measured = self.anchored.is_some();
        let looked = if is_measured { libm::hypot(limits.occupancy_floor, f64::from(self.moved)) } else { 0.0 };
        let measured = if is_measured { limits.occupancy_sensor * anchor } else { 0.0 };
        let of_way = |(gross, known): (&u64, &Option<f64>)| known.unwrap_or_else(|| limits.counted(*gross as f64));
        let counted = libm::sqrt(self.gross.iter().zip(&self.known).map(of_way).map(|sigma| sigma * sigma).sum());
        let guessed = self.unheard.iter().zip(&self.known).filter(|(_, known)| known.is_none()).map(|(unheard, _)| f64::from(unheard.guessed()));
        let inferred = limits.lane_rate * libm::sqrt(guessed.map(|guessed| guessed * guessed).sum());
        let drawn = libm::sqrt(measured * measured + counted * counted + inferred * inferred).max(f64::from(self.deficit));
        libm::hypot(drawn.min((anchor + self.came as f64) * UNIFORM_SIGMA), looked)
    }
}

impl Estimate {
    /// The 90 % band of a normal quantity that cannot be negative: `v` ± 1.645 `sigma`, from 0 up.
    pub fn normal(v: f64, sigma: f64) -> Self {
        let half = Z90 * if sigma.is_finite() { sigma.max(0.0) } else { 0.0 };
        Self { v, lo: (v - half).max(0.0), hi: v + half }
    }

    /// The standard deviation that the band was drawn with (its upper half; the lower one may be cut off at zero).
    pub fn sigma(&self) -> f64 {
        ((self.hi - self.v) / Z90).max(0.0)
    }

    /// The same, `factor` times.
    pub fn scaled(&self, factor: f64) -> Self {
        Self { v: self.v * factor, lo: self.lo * factor, hi: self.hi * factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{Site, count, site};
    use crate::crowd::{CrowdState, VenueFigures};
    use proptest::prelude::*;

    fn occupancy(figures: &VenueFigures, zone: usize) -> Estimate {
        figures.zones[zone].occupancy.unwrap()
    }

    #[test]
    fn heads_are_what_came_less_what_went() {
        let site = site();
        let mut state = site.state();
        let figures = site.close(&mut state, 1, |pane| {
            pane.add_count(site.sensor("gate-a"), &count(500, 20));
            pane.add_count(site.sensor("exit"), &count(0, 80));
        });
        assert_eq!(occupancy(&figures, site.zone("bowl")).v, 400.0);
    }

    #[test]
    fn the_balance_is_held_at_zero_and_remembers_what_it_missed() {
        let site = site();
        let mut state = site.state();
        let bowl = site.zone("bowl");
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("exit"), &count(0, 30)));
        assert_eq!((state.zones[bowl].persons, state.zones[bowl].deficit), (Some(0), 30));
        site.close(&mut state, 2, |pane| pane.add_count(site.sensor("gate-a"), &count(50, 0)));
        assert_eq!((state.zones[bowl].persons, state.zones[bowl].deficit), (Some(50), 30));
    }

    /// σ² = 0.02²·(10,000² + 5,000²) + 0.02·15,000 = 224.3²; 90 % band ± 368.9.
    #[test]
    fn the_band_adds_the_errors_of_independent_counters_by_squares() {
        let site = site();
        let mut state = site.state();
        let figures = site.close(&mut state, 1, |pane| {
            pane.add_count(site.sensor("gate-a"), &count(10_000, 0));
            pane.add_count(site.sensor("exit"), &count(0, 5_000));
        });
        let bowl = occupancy(&figures, site.zone("bowl"));
        assert_eq!(bowl.v, 5_000.0);
        assert!((bowl.sigma() - 224.277).abs() < 0.001, "{}", bowl.sigma());
        assert!((bowl.hi - bowl.v - 368.9).abs() < 0.1 && (bowl.v - bowl.lo - 368.9).abs() < 0.1);
    }

    #[test]
    fn a_deficit_widens_the_band_to_the_error_it_proves() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("exit"), &count(0, 100)));
        let figures = site.close(&mut state, 2, |pane| pane.add_count(site.sensor("gate-a"), &count(1_000, 0)));
        assert!((occupancy(&figures, site.zone("bowl")).sigma() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_band_is_never_wider_than_who_came_in_allows() {
        let site = site();
        let mut state = site.state();
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("exit"), &count(0, 10_000)));
        let figures = site.close(&mut state, 2, |pane| pane.add_count(site.sensor("gate-a"), &count(120, 0)));
        assert!((occupancy(&figures, site.zone("bowl")).sigma() - 120.0 / libm::sqrt(12.0)).abs() < 1e-9);
    }

    #[test]
    fn head_counts_of_a_zone_add_up_and_the_last_of_each_stands() {
        let site = site();
        let mut state = site.state();
        let plaza = site.zone("plaza");
        assert_eq!(site.close(&mut state, 1, |_| ()).zones[plaza].occupancy, None, "an open zone that nobody measured");
        let figures = site.close(&mut state, 2, |pane| site.heads(pane, &[("plaza-east", 300), ("plaza-west", 200)]));
        assert_eq!(occupancy(&figures, plaza).v, 500.0);
        assert!((occupancy(&figures, plaza).sigma() - 50.0).abs() < 1e-9, "10 % of a head count");
        let figures = site.close(&mut state, 3, |pane| site.heads(pane, &[("plaza-east", 320)]));
        assert_eq!(occupancy(&figures, plaza).v, 520.0);
    }

    /// σ² = (10 % of 800)² + 500²: a train has just emptied.
    #[test]
    fn what_moved_between_two_looks_may_move_again() {
        let site = site();
        let mut state = site.state();
        let plaza = site.zone("plaza");
        let mut sigma = |n, heads| occupancy(&site.close(&mut state, n, |pane| site.heads(pane, &[("plaza-east", heads)])), plaza).sigma();
        sigma(1, 300);
        assert!((sigma(2, 800) - libm::hypot(80.0, 500.0)).abs() < 1e-9);
        assert!((sigma(3, 800) - 80.0).abs() < 1e-9);
    }

    #[test]
    fn the_balance_of_a_closed_zone_goes_on_from_a_recount() {
        let site = site();
        let mut state = site.state();
        let bowl = site.zone("bowl");
        site.close(&mut state, 1, |pane| pane.add_count(site.sensor("gate-a"), &count(900, 0)));
        assert!(state.recount(&site.topology, bowl.into(), 850, site.end(1)));
        let figures = site.close(&mut state, 2, |pane| pane.add_count(site.sensor("gate-a"), &count(50, 0)));
        assert_eq!(occupancy(&figures, bowl).v, 900.0);
        let sigma = libm::sqrt(85.0 * 85.0 + 1.0 + 0.02 * 50.0);
        assert!((occupancy(&figures, bowl).sigma() - sigma).abs() < 1e-9);
        assert!(!state.recount(&site.topology, site.zone("platform").into(), 10, site.end(2)), "nothing carries it on in an open zone");
    }

    /// One pane's counts: forward and backward over the border, the gate and the exit.
    fn panes() -> impl Strategy<Value = Vec<[(u32, u32); 3]>> {
        prop::collection::vec(prop::array::uniform3((0u32..60, 0u32..60)), 1..20)
    }

    fn run(site: &Site, panes: &[[(u32, u32); 3]]) -> CrowdState {
        let mut state = site.state();
        for (i, [border, gate, exit]) in panes.iter().enumerate() {
            let figures = site.close(&mut state, i as i64 + 1, |pane| {
                pane.add_count(site.sensor("approach-1"), &count(border.0, border.1));
                pane.add_count(site.sensor("gate-a"), &count(gate.0, gate.1));
                pane.add_count(site.sensor("exit"), &count(exit.0, exit.1));
            });
            for estimate in figures.zones.iter().filter_map(|zone| zone.occupancy) {
                assert!(0.0 <= estimate.lo && estimate.lo <= estimate.v && estimate.v <= estimate.hi);
            }
        }
        state
    }

    proptest! {
        /// Nobody is lost between zones: what the closed zones hold is what crossed their border, and what they were proven to have missed.
        #[test]
        fn persons_are_conserved(panes in panes()) {
            let site = site();
            let state = run(&site, &panes);
            let closed = ["forecourt", "queue-a", "bowl"].map(|name| &state.zones[site.zone(name)]);
            let held: i64 = closed.iter().map(|zone| i64::from(zone.persons.unwrap()) - i64::from(zone.deficit)).sum();
            let crossed: i64 = panes.iter().map(|[border, _, exit]| i64::from(border.0) - i64::from(border.1) + i64::from(exit.0) - i64::from(exit.1)).sum();
            prop_assert_eq!(held, crossed);
        }
    }
}

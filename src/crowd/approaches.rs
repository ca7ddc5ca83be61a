//! Who has come to the venue, by which approach, and how that compares with the plan.
//!
//! The idea: the disasters with data showed hours before in counts like these (crowd-science §2.6): one station with twice its share, a crowd eight hours early, more people
//! than tickets. Two figures carry it.
//!
//! **Inside** = in − out over the counted border since the match's night began, σ = gain·√ΣF² as for heads.
//!
//! **The split** is judged *count by count*: a count is at least `plan_split.persons` persons over all planned approaches, however long they take to come, so that a half-hourly
//! station count and a line counter are one and the same. Of a count of `n` with share `x` where `p` was planned, `x − p` has σ² = g·p(1−p)/n: people come in trains of
//! `g` (`plan_split.dispersion`), not one by one. The counts are summed to a CUSUM, S ← max(0, S + x − p − k), so one large excess speaks at once and a small one when it lasts.
//! Two counts in a row within the slack set it back.

use super::alighted::{Alighted, Come, heads_inside, known_inside};
use super::coming::Coming;
use super::figures::{ApproachFigures, EntryFigures, Estimate, GateFigures, Phase, PresenceFigures, ZoneFigures};
use super::flow::CrossingFlow;
use super::limits::SplitLimits;
use super::normal::probability_above;
use super::phase::Tonight;
use super::planned::p_planned_over;
use super::platform::platform;
use super::topology::{Topology, Way};
use super::transit::station;
use crate::time::EventTime;
use crate::venue::{GateId, Plan, Venue};
use serde::{Deserialize, Serialize};

/// Milliseconds in a minute.
const MINUTE: f64 = 60_000.0;

/// What lasts of the arrivals of a night.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrivalState {
    /// The match whose arrivals these are.
    pub match_id: Option<Box<str>>,
    /// The counted ways over the border, in the order of the topology.
    pub over: Vec<Way>,
    /// Gross flow over each of these ways.
    pub gross: Vec<u64>,
    /// Persons inside by these counts; below zero where entries were missed.
    pub inside: i64,
    /// Net inflow by slice of the rate window: (slice number, ms seen, persons).
    pub slices: Vec<(i64, u32, i32)>,
    /// By approach.
    pub approaches: Vec<ApproachTally>,
    /// Vehicles that are expected at the venue's stops.
    pub coming: Vec<Coming>,
    /// By stop: who has alighted by what was said of the vehicles.
    pub alighted: Vec<Alighted>,
    /// Vehicles that have come tonight, in the order in which that was told.
    pub come: Vec<Come>,
    /// Where nothing of the border is counted: those whom each zone knew at the last pane.
    pub known: Vec<Option<u32>>,
}

/// What lasts of an approach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ApproachTally {
    /// Persons who have come over it in the night.
    pub came: u64,
    /// Persons admitted over its own gates; before kick-off less those who went out again.
    pub admitted: u64,
    /// Persons of the count that is under way.
    pub counting: u32,
    /// Persons of the last whole count over all planned approaches.
    pub counted: u32,
    /// Its share of the last whole count.
    pub share: f64,
    /// The CUSUM S of its excess over the plan.
    pub sum: f64,
    /// The variance of S.
    pub variance: f64,
    /// Counts in a row within the slack.
    pub quiet: u32,
    /// One standard deviation of the count under way, of those whom only vehicles have promised, persons.
    pub unsure: f64,
}

impl ArrivalState {
    /// Nobody has come.
    pub fn new(venue: &Venue, topology: &Topology) -> Self {
        Self {
            over: topology.border.iter().map(|(way, _)| topology.way(*way)).collect(),
            gross: vec![0; topology.border.len()],
            approaches: vec![ApproachTally::default(); venue.approaches.len()],
            alighted: vec![Alighted::default(); venue.stops.len()],
            ..Self::default()
        }
    }

    /// Turns to the match of the night: another match begins with nobody.
    pub(super) fn turn_to(&mut self, venue: &Venue, topology: &Topology, tonight: Option<&Tonight>) {
        let match_id = tonight.map(|tonight| &tonight.match_id);
        if self.match_id.as_ref() != match_id {
            let coming = std::mem::take(&mut self.coming);
            *self = Self { match_id: match_id.cloned(), coming, ..Self::new(venue, topology) };
        }
    }

    /// Persons were admitted over a gate whom its counter did not see in time.
    pub(super) fn admit(&mut self, venue: &Venue, gate: GateId, persons: i64) {
        for (tally, _) in self.approaches.iter_mut().zip(&venue.approaches).filter(|(_, approach)| approach.gates.contains(&gate)) {
            tally.admitted = tally.admitted.saturating_add_signed(persons);
        }
    }

    /// Persons crossed whom their counter did not see in time; what is no border changes nothing.
    pub(super) fn pass(&mut self, topology: &Topology, crossing: usize, forward: i64, backward: i64) {
        let Some((_, is_inwards)) = topology.border.iter().find(|(way, _)| *way == crossing) else { return };
        let at = self.over.iter().position(|way| *way == topology.way(crossing));
        if let Some(gross) = at.and_then(|at| self.gross.get_mut(at)) {
            *gross = gross.saturating_add_signed(forward + backward);
        }
        self.inside += if *is_inwards { forward - backward } else { backward - forward };
    }

    /// Goes on by one pane.
    pub(super) fn take(&mut self, venue: &Venue, topology: &Topology, end: EventTime, crossings: &[CrossingFlow], tonight: Option<&Tonight>) {
        let mut net = 0i64;
        for (gross, (way, is_inwards)) in self.gross.iter_mut().zip(&topology.border) {
            let flow = crossings.get(*way).copied().unwrap_or_default();
            *gross = gross.saturating_add(flow.gross());
            let forward = i64::from(flow.forward) - i64::from(flow.backward);
            net += if *is_inwards { forward } else { -forward };
        }
        self.inside += net;
        if !topology.border.is_empty() {
            self.take_slice(venue, end, &topology.split, net);
        }
        for (tally, approach) in self.approaches.iter_mut().zip(&venue.approaches) {
            let links = approach.links.iter().map(|link| Topology::of_link(*link));
            let ways = links.chain(approach.stops.iter().map(|stop| topology.of_stop(*stop)));
            let came: u32 = ways.filter_map(|way| crossings.get(way)).map(|flow| flow.forward).fold(0, u32::saturating_add);
            tally.came = tally.came.saturating_add(u64::from(came));
            tally.counting = tally.counting.saturating_add(came);
            let gates = approach.gates.iter().filter_map(|gate| crossings.get(venue.gates.get(gate.index())?.link.index()));
            let is_before = tonight.is_some_and(|tonight| tonight.phase == Phase::Before);
            let net = |flow: &CrossingFlow| i64::from(flow.forward) - if is_before { i64::from(flow.backward) } else { 0 };
            tally.admitted = tally.admitted.saturating_add_signed(gates.map(net).sum());
        }
        if let Some(tonight) = tonight {
            self.judge_split(&tonight.plan, &topology.split);
        }
    }

    /// Goes on by those whom the zones know, where nothing of the border is counted.
    pub(super) fn take_known(&mut self, venue: &Venue, topology: &Topology, end: EventTime, zones: &[ZoneFigures]) {
        if !topology.border.is_empty() {
            return;
        }
        let known: Vec<Option<u32>> = heads_inside(venue, zones).into_iter().map(|heads| heads.map(|heads| libm::round(heads.v) as u32)).collect();
        // A zone that is told for the first time has not filled in this pane.
        let moved = known.iter().zip(&self.known).filter_map(|(now, before)| Some(i64::from((*now)?) - i64::from((*before)?)));
        let (zones, net) = moved.fold((0, 0), |(zones, net), moved| (zones + 1, net + moved));
        self.known = known;
        if zones > 0 {
            self.take_slice(venue, end, &topology.split, net);
        }
    }

    /// A late event moved so many persons over a crossing.
    pub(super) fn correct(&mut self, venue: &Venue, topology: &Topology, crossing: usize, forward: i64, backward: i64) {
        self.pass(topology, crossing, forward, backward);
        for (tally, approach) in self.approaches.iter_mut().zip(&venue.approaches) {
            let is_its =
                approach.links.iter().any(|link| Topology::of_link(*link) == crossing) || approach.stops.iter().any(|stop| topology.of_stop(*stop) == crossing);
            if is_its {
                tally.came = tally.came.saturating_add_signed(forward);
                // Of a count that is judged already nothing changes; the one under way takes it.
                tally.counting = u32::try_from(i64::from(tally.counting) + forward).unwrap_or(0);
            }
        }
    }

    fn take_slice(&mut self, venue: &Venue, end: EventTime, limits: &SplitLimits, net: i64) {
        let number = end.as_millis().saturating_sub(1).div_euclid(limits.slice_ms.max(1));
        self.slices.retain(|(slice, ..)| *slice > number - limits.slices);
        let seen = u32::try_from(venue.pane.span().as_millis()).unwrap_or(u32::MAX);
        let net = i32::try_from(net).unwrap_or(i32::MAX);
        match self.slices.last_mut() {
            Some((last, ms, persons)) if *last == number => (*ms, *persons) = (ms.saturating_add(seen), persons.saturating_add(net)),
            _ => self.slices.push((number, seen, net)),
        }
    }

    fn judge_split(&mut self, plan: &Plan, limits: &SplitLimits) {
        let planned = || plan.approach_shares.iter().map(|(of, share)| (of.index(), *share));
        let counted: u32 = planned().filter_map(|(of, _)| Some(self.approaches.get(of)?.counting)).fold(0, u32::saturating_add);
        if plan.approach_shares.is_empty() || limits.persons.is_nan() || f64::from(counted) < limits.persons.max(1.0) {
            return;
        }
        let unsure: f64 = planned().filter_map(|(of, _)| Some(self.approaches.get(of)?.unsure)).map(|sigma| sigma * sigma).sum();
        for (of, share) in planned() {
            if let Some(tally) = self.approaches.get_mut(of) {
                tally.judge(counted, share, unsure, limits);
            }
        }
        self.approaches.iter_mut().for_each(|tally| (tally.counting, tally.unsure) = (0, 0.0));
    }

    fn rate_per_min(&self) -> Option<f64> {
        let seen: f64 = self.slices.iter().map(|(_, ms, _)| f64::from(*ms)).sum();
        let persons: i64 = self.slices.iter().map(|(.., persons)| i64::from(*persons)).sum();
        (seen > 0.0).then(|| persons as f64 * MINUTE / seen)
    }

    /// How many are inside and how fast they come, against the plan; `None` where the border is not counted or no match is on.
    pub(super) fn presence(&self, sight: &Sight<'_>, tonight: &Tonight, counter_gain: f64) -> Option<PresenceFigures> {
        let (topology, end) = (sight.topology, sight.end);
        let inside = if topology.border.is_empty() {
            known_inside(sight.venue, sight.zones)?
        } else {
            let squares: f64 = self.gross.iter().map(|gross| (*gross as f64) * (*gross as f64)).sum();
            Estimate::normal(self.inside.max(0) as f64, libm::hypot(counter_gain * libm::sqrt(squares), self.unsure(topology)))
        };
        let from_kick_off = end.as_millis() - tonight.kick_off.as_millis();
        let early = topology.split.early_ms;
        let expected = tonight.expected.map(f64::from);
        let by = |at: i64| expected.zip(tonight.plan.share_come(at)).map(|(expected, share)| expected * share);
        let ahead = |then: i64| by(from_kick_off + then + early[0]).zip(by(from_kick_off + then + early[1])).map(|(medium, high)| [medium, high]);
        Some(PresenceFigures {
            inside,
            per_min: self.rate_per_min()?,
            expected: tonight.expected,
            sold: tonight.plan.tickets_in_all(),
            planned: by(from_kick_off),
            planned_ahead: ahead(0),
            coming: self.coming_within(end, &topology.split, |_| true),
            planned_ahead_then: ahead(topology.split.ahead_ms),
            planned_per_min: expected.zip(tonight.plan.fastest(from_kick_off - early[0], from_kick_off + early[0])).map(|(n, per_ms)| n * per_ms * MINUTE),
        })
    }

    /// The approaches against the plan.
    pub(super) fn figures(&self, sight: &Sight<'_>) -> Vec<ApproachFigures> {
        let limits = &sight.topology.split;
        let all: u64 = self.approaches.iter().map(|tally| tally.came).sum();
        let figures = self.approaches.iter().enumerate().map(|(i, tally)| {
            let approach = &sight.venue.approaches[i];
            let planned = sight.tonight.and_then(|tonight| tonight.plan.share_of(i.into()));
            let share_tonight = if all > 0 { tally.came as f64 / all as f64 } else { 0.0 };
            // Before a whole count the plan is the better guess of who comes over it.
            let share = if tally.counted > 0 { share_tonight } else { planned.unwrap_or(share_tonight) };
            let capacity: f64 = approach.gates.iter().filter_map(|gate| sight.gates.get(gate.index())).map(|gate| gate.capacity_per_min).sum();
            let sigma = libm::sqrt(tally.variance);
            ApproachFigures {
                came: tally.came,
                share_tonight,
                share: (tally.counted > 0).then_some(tally.share),
                counted: tally.counted,
                planned,
                sum: tally.sum,
                p_over: probability_above(limits.height, tally.sum, sigma),
                p_over_eased: probability_above(limits.height * (1.0 - limits.deadband), tally.sum, sigma),
                admitted: tally.admitted,
                capacity_per_min: (capacity > 0.0).then_some(capacity),
                p_late: sight.entry.filter(|_| !approach.gates.is_empty()).map(|entry| limits.p_late(entry, share, tally.admitted, capacity)),
                p_planned: sight.tonight.and_then(|tonight| p_planned_over(sight.venue, tonight, limits, i.into())),
                station: station(sight, approach, share, &self.taking(&approach.stops)),
                coming: self.coming_within(sight.end, limits, |stop| approach.stops.contains(&stop)),
                platform: platform(sight, approach, &self.coming),
            }
        });
        figures.collect()
    }
}

/// What the figures of the approaches are drawn from.
pub(super) struct Sight<'a> {
    pub(super) end: EventTime,
    pub(super) venue: &'a Venue,
    pub(super) topology: &'a Topology,
    pub(super) tonight: Option<&'a Tonight>,
    pub(super) entry: Option<&'a EntryFigures>,
    pub(super) gates: &'a [GateFigures],
    pub(super) zones: &'a [ZoneFigures],
    pub(super) inside: Option<Estimate>,
}

impl ApproachTally {
    /// `unsure` is the variance of all of the count, of those whom only vehicles have promised.
    fn judge(&mut self, counted: u32, planned: f64, unsure: f64, limits: &SplitLimits) {
        let n = f64::from(counted);
        let share = f64::from(self.counting) / n;
        let excess = share - planned;
        (self.counted, self.share) = (counted, share);
        self.quiet = if excess < limits.slack { self.quiet.saturating_add(1) } else { 0 };
        let sum = self.sum + excess - limits.slack;
        if sum <= 0.0 || self.quiet >= limits.off_counts {
            (self.sum, self.variance) = (0.0, 0.0);
            return;
        }
        self.sum = sum;
        // The plan's share bounds the spread from below: an approach that was planned for nobody may still be used by a few.
        let spread = planned.max(1.0 / n) * (1.0 - planned);
        self.variance += limits.dispersion * spread / n;
        // x = a/(a + b): what is unsure of its own moves it by (1 − x)/n a person, what is unsure of the others by x/n.
        let own = self.unsure * self.unsure;
        self.variance += ((1.0 - share) * (1.0 - share) * own + share * share * (unsure - own).max(0.0)) / (n * n);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::crowd::correct::Correction;
    use crate::crowd::sample::{KICK_OFF, Site, count, site};
    use crate::crowd::{CrowdState, VenueFigures};
    use crate::feeds::observation::{Entity, What};
    use crate::venue::{Approach, ApproachId, GateId, LinkId, Names, StopId};

    /// The sample with its road over the counted approach and a railway at the platform, 60 to 40 planned.
    pub(crate) fn split_site() -> Site {
        let mut site = site();
        let approach = |id: &str, links: Vec<LinkId>, stops: Vec<StopId>, gates: Vec<GateId>| Approach { id: id.into(), name: id.into(), links, stops, gates };
        site.venue.approaches = vec![approach("road", vec![LinkId(0)], vec![], vec![GateId(0)]), approach("rail", vec![], vec![StopId(0)], vec![GateId(1)])];
        site.venue.approach_names = Names::new(["road", "rail"]);
        site.venue.matches[0].plan.approach_shares = vec![(ApproachId(0), 0.6), (ApproachId(1), 0.4)];
        site.venue.matches[0].plan.arrival_curve = vec![(-180 * 60_000, 0.0), (0, 1.0)];
        site.turn_round();
        site
    }

    fn come(site: &Site, state: &mut CrowdState, n: i64, road: u32, rail: u32) -> VenueFigures {
        site.close(state, n, |pane| {
            pane.add_count(site.sensor("approach-1"), &count(road, 0));
            pane.add_count(site.sensor("approach-2"), &count(road, 0));
            pane.passengers[0].alighting = rail;
        })
    }

    /// Stade de France, 28 May 2022, 18:05: 8,660 by one line and 1,210 by the other, where about 40 % were normal (crowd-science §2.6).
    #[test]
    fn one_count_is_enough_where_it_exceeds_twice_the_limit() {
        let site = split_site();
        let figures = come(&site, &mut site.state(), 1, 1_210, 8_660);
        let rail = &figures.approaches[1];
        assert!((rail.share.unwrap() - 0.877).abs() < 0.001 && rail.p_over > 0.95, "{rail:?}");
        assert_eq!(figures.approaches[0].sum, 0.0);
    }

    #[test]
    fn a_lesser_excess_must_last() {
        let site = split_site();
        let mut state = site.state();
        let first = come(&site, &mut state, 1, 7_500, 12_500);
        assert!(first.approaches[1].p_over < 0.5, "{:?}", first.approaches[1]);
        let second = come(&site, &mut state, 2, 7_500, 12_500);
        assert!(second.approaches[1].p_over > 0.8, "{:?}", second.approaches[1]);
        come(&site, &mut state, 3, 12_000, 8_000);
        let back = come(&site, &mut state, 4, 12_000, 8_000);
        assert_eq!(back.approaches[1].sum, 0.0, "two counts in a row as planned");
    }

    #[test]
    fn few_persons_are_no_count() {
        let site = split_site();
        let figures = come(&site, &mut site.state(), 1, 0, 90);
        assert_eq!((figures.approaches[1].share, figures.approaches[1].p_over), (None, 0.0));
    }

    #[test]
    fn who_is_inside_is_held_against_the_curve() {
        let site = split_site();
        let mut state = site.state();
        let figures = come(&site, &mut state, site.panes_to(KICK_OFF) - 6 * 90, 3_000, 1_000);
        let presence = figures.presence.unwrap();
        assert_eq!((presence.inside.v, presence.planned, presence.expected), (4_000.0, Some(4_500.0), Some(9_000)));
        assert!((presence.per_min - 24_000.0).abs() < 1e-9);
    }

    #[test]
    fn a_late_count_corrects_who_came() {
        let site = split_site();
        let mut state = site.state();
        come(&site, &mut state, 1, 100, 0);
        let what = What::Passengers(crate::feeds::observation::Passengers { from: EventTime::MIN, to: EventTime::MAX, alighting: 70, boarding: 20 });
        let late = Correction { at: site.end(0), end: site.end(1), entity: Entity::Stop(StopId(0)), what: &what, pane: None };
        state.correct(&site.venue, &site.topology, &late);
        assert_eq!((state.arrivals.inside, state.arrivals.approaches[1].came), (150, 70));
    }
}

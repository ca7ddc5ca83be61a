//! Scans correct the counters at the gates and behind them.
//!
//! The idea: tickets are counted to the person, so scans tell of a gate's counter what it missed, and whoever was let in is in the concourse behind the gate or has gone on to the
//! seats. A concourse holds few: who comes into it stays for some minutes, so by Little's law n = Σ inflow·exp(−age/dwell) are in it. What came into it beyond these, and beyond what
//! its counted way to the seats took, must have gone over that way uncounted:
//!
//! ```text
//!   let in − counted out elsewhere − n  =  V        persons who really went to the seats
//!   V − N = M                                       N = those counted (or inferred) on the way, M = those it missed
//! ```
//!
//! **How sure a look is.** σ_look² = n + K·n² + K·(s·T)² + Σ (g·Fₗ)². First the chance of who is still on the way. Then what is wrong *alike* in all K concourses before the same seats, so
//! that their errors add up and do not cancel (K·n² for each makes (K·n)² of the sum): the dwell, of which nothing is known, and scans that are lost or doubled, a share s = `sigma.scans` of the T who were let in.
//! Last the counters of its other ways, and those that stood in for scanners: Fₗ the gross flow over each, g = `sigma.counter_gain`.
//! Before any look M is known to be no more than a counter's gain makes it, and chance, person by person: σ₀² = (g·N)² + g·F + (`sigma.lane_rate`·guessed)², F the gross flow. Both together give M̂ = k·M with k = σ₀²/(σ₀² + σ_look²), and
//! its error √k·σ_look. Counters miss and double person by person, so a look ages: g·F of variance comes to it for the F who have passed since. The look that is surest for its size
//! counts, that is the one which leaves the least error of M now (late in a half, when the seats are full and the concourse is empty): the error of an early look is small only because few had gone.
//!
//! A look that finds more than error can make of M (so many standard deviations of both as `breach.sigmas`) is none: then people really stand there, and they stay in the picture; what a less sure look
//! found is forgotten.
//!
//! **From then on** the counter's gain is known, the same both ways: M̂ and its error go with N. Where part of N was only inferred for a silent counter nothing is known of its
//! gain: M̂ stays, and what passes since the look errs by g again. The heads that the counter took from one side stand on the other, and the bands of both hold this error instead of g·F.
//!
//! **At the gates** what was scanned counts instead of what was counted, where the two do not part by more than error (then somebody came in without a ticket). While a scanner says nothing though people pass, its counter
//! stands in for it; what it uploads late is set against that. At a gate that was never scanned, or where neither is heard, or where they part, the counter errs by its gain as anywhere.

use super::figures::{Against, Disagreement};
use super::flow::{CrossingFlow, ZoneFlows};
use super::limits::ZoneLimits;
use super::stand_in::Silence;
use super::state::{CrowdState, GateState, ZoneState};
use super::topology::Passage;
use crate::time::EventTime;
use crate::venue::GateId;
use serde::{Deserialize, Serialize};

/// What is remembered of a passage between gates and seats, tonight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learnt {
    /// When the heads on its two sides were last measured before the night; a measurement since ends what is learnt.
    pub anchored: Option<(Option<EventTime>, Option<EventTime>)>,
    /// Persons in it by its inflow alone.
    pub content: f64,
    /// Net persons counted over its way to the seats.
    pub net: i64,
    /// The surest look.
    pub look: Option<Look>,
    /// Net persons who were moved to the seats for it.
    pub moved: i64,
}

/// A look at what a way to the seats has missed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Net persons who were counted or inferred over it.
    pub net: f64,
    /// Net persons who went over it beyond these: M.
    pub missed: f64,
    /// One standard deviation of M by the look alone, persons.
    pub sigma: f64,
    /// One standard deviation of M before any look, persons.
    pub before: f64,
    /// Gross persons over the way until then.
    pub gross: u64,
}

impl Look {
    /// M̂ and its standard deviation, at the look.
    fn weighed(&self) -> (f64, f64) {
        let (before, look) = (self.before * self.before, self.sigma * self.sigma);
        // Counters that never err have missed nobody, however sure the look is; one that counted nobody is not asked.
        let k = match before {
            f64::INFINITY => 1.0,
            before if before > 0.0 => before / (before + look),
            _ => 0.0,
        };
        (k * self.missed, libm::sqrt(k) * self.sigma)
    }

    /// M̂ and its standard deviation when `net` persons have gone over the way, of whom `guessed` are inferred.
    fn at(&self, net: f64, guessed: u32, gain: f64) -> (f64, f64) {
        let (missed, sigma) = self.weighed();
        if guessed > 0 || self.net == 0.0 {
            return (missed, libm::hypot(sigma, gain * (net - self.net)));
        }
        let share = net / self.net;
        (missed * share, sigma * share.abs())
    }

    /// One standard deviation of M when `net` and `gross` persons have gone over the way, of whom `guessed` are inferred: what the look left, what has passed since, and
    /// what chance alone had made of M: of that a gain's share does not go when the persons go.
    fn error(&self, net: f64, guessed: u32, gross: u64, gain: f64) -> f64 {
        let (_, sigma) = self.at(net, guessed, gain);
        let share = if guessed > 0 || self.net == 0.0 { 1.0 } else { net / self.net };
        let chance = (1.0 - share) * (1.0 - share) * self.gross as f64;
        libm::sqrt(sigma * sigma + gain * (chance + gross.saturating_sub(self.gross) as f64))
    }
}

impl CrowdState {
    /// Lets scans correct every passage between gates and seats; `flows` and `crossings` are what the pane counted.
    pub(super) fn reconcile(&mut self, pane: &Silence<'_>, flows: &[ZoneFlows], crossings: &[CrossingFlow]) {
        for passage in &pane.topology.passages {
            passage.gates.iter().for_each(|gate| self.settle_gate(pane, *gate));
            self.settle_way(pane, passage, flows[passage.zone.index()], crossings[passage.way].turned(!passage.is_out));
        }
    }

    /// Lets those pass a gate who were scanned there and not counted. Where scans tell nothing (more) its counter errs by its gain.
    fn settle_gate(&mut self, pane: &Silence<'_>, id: GateId) {
        let crossing = pane.venue.gates[id.index()].link.index();
        let ends = pane.topology.crossings[crossing];
        let Some(to) = ends.to else { return };
        let limits = &pane.topology.zones[to.index()].limits;
        let due = self.gates[id.index()].uncounted(limits);
        let compared = &mut self.gates[id.index()].compared;
        let delta = due.map_or(0, |due| due - std::mem::replace(&mut compared.moved, due));
        let known = due.filter(|_| compared.scanned > 0).map(|_| limits.counter_gain * f64::from(compared.untold()));
        for (zone, persons) in [(ends.from, -delta), (Some(to), delta)] {
            let Some(zone) = zone.filter(|zone| pane.venue.zones[zone.index()].closed) else { continue };
            self.zones[zone.index()].take_in(persons);
            if let Some(at) = pane.topology.zones[zone.index()].ways.iter().position(|(way, _)| *way == crossing) {
                self.zones[zone.index()].known[at] = known;
            }
        }
    }

    fn settle_way(&mut self, pane: &Silence<'_>, passage: &Passage, flow: ZoneFlows, way: CrossingFlow) {
        let (i, j) = (passage.zone.index(), passage.seats.index());
        let limits = &pane.topology.zones[i].limits;
        let anchored = (self.zones[i].anchored, self.zones[j].anchored);
        let mut learnt = self.zones[i].learnt;
        let stays = libm::exp(-pane.venue.pane.span().as_secs_f64() / limits.dwell_s);
        learnt.content = learnt.content * stays + f64::from(flow.inwards);
        learnt.net += i64::from(way.forward) - i64::from(way.backward);
        if *learnt.anchored.get_or_insert(anchored) == anchored {
            let unheard = &self.zones[i].unheard[passage.at];
            let (net, guessed) = (learnt.net as f64 + f64::from(unheard.went) - f64::from(unheard.came), unheard.guessed());
            let looked = self.look(pane, passage, &learnt, net);
            let is_looked = looked.is_some();
            let gross = self.zones[i].gross[passage.at];
            let error_of = |look: &Look| look.error(net, guessed, gross, limits.counter_gain);
            learnt.look = match (learnt.look, looked) {
                _ if Self::is_unheard(pane, passage) => looked.map(|(now, _)| now),
                (Some(before), Some((now, _))) if error_of(&before) < error_of(&now) => Some(before),
                // What a less sure look found does not stand against one that finds people standing there.
                (_, Some((now, is_gain))) => is_gain.then_some(now),
                (before, None) => before,
            };
            let known = learnt.look.as_ref().map(error_of);
            let missed = learnt.look.map_or(0.0, |look| look.at(net, guessed, limits.counter_gain).0);
            // Where nobody can look (any more), those who were moved stay where they are.
            if is_looked || learnt.look.is_some() {
                learnt.moved += self.move_to_seats(passage, libm::round(missed) as i64 - learnt.moved);
            }
            self.zones[i].known[passage.at] = known;
            self.zones[j].known[passage.there] = known;
        } else {
            // One side begins anew and the other does not: what was learnt is of neither.
            self.zones[i].known[passage.at] = None;
            self.zones[j].known[passage.there] = None;
        }
        self.zones[i].learnt = learnt;
    }

    /// A look at what a passage's way has missed, `net` persons having been counted or inferred over it. With it whether a counter's gain can be all that it finds. None where a gate
    /// cannot be trusted or nobody hears another way.
    fn look(&self, pane: &Silence<'_>, passage: &Passage, learnt: &Learnt, net: f64) -> Option<(Look, bool)> {
        let zone = &self.zones[passage.zone.index()];
        let (plan, limits) = (&pane.topology.zones[passage.zone.index()], &pane.topology.zones[passage.zone.index()].limits);
        if passage.gates.iter().any(|gate| self.gates[gate.index()].uncounted(limits).is_none()) {
            return None;
        }
        let is_gate = |way: usize| passage.gates.iter().any(|gate| pane.venue.gates[gate.index()].link.index() == way);
        let others = plan.ways.iter().enumerate().filter(|(at, (way, _))| *at != passage.at && !is_gate(*way)).map(|(at, (way, _))| (at, *way));
        let gates = || passage.gates.iter().map(|gate| &self.gates[gate.index()].compared);
        let let_in: f64 = gates().map(|compared| compared.let_in() as f64).sum();
        let mut counted: f64 = gates().map(|compared| limits.counter_gain * f64::from(compared.untold())).map(|error| error * error).sum();
        for (at, way) in others {
            if zone.unheard[at].guessed() > 0 || !pane.hearing.hears_way(pane.topology, way) {
                return None;
            }
            let error = limits.counter_gain * zone.gross[at] as f64;
            counted += error * error;
        }
        let is_into = |at: &usize| is_gate(plan.ways[*at].0);
        // Who goes out by a gate is counted there and scanned nowhere.
        let out: f64 = (0..plan.ways.len()).filter(is_into).map(|at| zone.gross[at] as f64).sum::<f64>()
            - gates().map(|compared| f64::from(compared.counted)).sum::<f64>();
        counted += libm::pow(limits.counter_gain * out.max(0.0), 2.0);
        let lost = limits.scans * let_in;
        if Self::is_unheard(pane, passage) {
            let all_else = libm::sqrt(f64::from(passage.beside) * lost * lost + counted);
            return (let_in > 0.0).then(|| (self.look_beside(pane, passage, net, all_else), true));
        }
        let balance = (i64::from(zone.persons?) - i64::from(zone.deficit) + learnt.moved) as f64;
        let missed = balance - learnt.content;
        let n = learnt.content;
        let sigma = libm::sqrt(n + f64::from(passage.beside) * (n * n + lost * lost) + counted);
        let gross = zone.gross[passage.at];
        let gain = limits.counter_gain;
        let before = libm::hypot(libm::sqrt(gain * gain * net * net + gain * gross as f64), limits.lane_rate * f64::from(zone.unheard[passage.at].guessed()));
        // More than any counter's gain: then people really stand there.
        let is_gain = missed.abs() <= limits.parting.1 * libm::hypot(before, sigma);
        (net > limits.parting.0 && net + missed > limits.parting.0).then_some((Look { net, missed, sigma, before, gross }, is_gain))
    }

    /// Moves `persons` from a passage to its seats (negative: back), and says how many. Where fewer are left by the other counters' balance, the rest is its deficit.
    fn move_to_seats(&mut self, passage: &Passage, persons: i64) -> i64 {
        let (from, to) = (passage.zone.index(), passage.seats.index());
        if self.zones[from].persons.is_none() || self.zones[to].persons.is_none() {
            return 0;
        }
        self.zones[from].take_in(-persons);
        self.zones[to].take_in(persons);
        persons
    }
}

impl GateState {
    /// Persons who were let in by their scans beyond those who were counted (negative: fewer), where nothing speaks against them.
    fn uncounted(&self, limits: &ZoneLimits) -> Option<i64> {
        let counted = i64::from(self.compared.counted);
        let by = self.compared.let_in() - i64::from(self.stood_in.scanned) - counted;
        let parted = Disagreement::between(Against::Scans, by as f64, limits.counter_gain * counted as f64, limits.parting);
        let is_scanned = self.compared.scanned > 0 || counted == 0;
        (is_scanned && self.stood_in.guessed == 0 && parted.is_none()).then_some(by)
    }
}

impl ZoneState {
    /// Takes in persons whom nobody counted (negative: gives them away); they make good a deficit first.
    pub(super) fn take_in(&mut self, persons: i64) {
        let Some(heads) = self.persons else { return };
        let repaid = persons.clamp(0, i64::from(self.deficit));
        self.deficit -= repaid as u32;
        self.came = self.came.saturating_add(u64::try_from(persons).unwrap_or(0));
        self.hold(i64::from(heads) + persons - repaid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, Site, count, site};
    use crate::time::Span;
    use crate::venue::{LinkId, ZoneKind};

    /// The queue of gate A as a concourse: lane-a is its gate, and gate-a its way to the seats.
    fn passage() -> Site {
        let mut site = site();
        let concourse = site.zone("queue-a");
        site.venue.zones[concourse].kind = ZoneKind::Concourse;
        site.venue.gates[0].link = LinkId(1);
        site.venue.gates[0].queue = None;
        site.turn_round();
        site
    }

    /// Twenty-five come in each of 300 panes, `scanned` of them with a ticket, counted by the gate as they are and on their way to the seats as `seated`; then the concourse empties for an hour.
    fn evening(site: &Site, state: &mut CrowdState, seated: u32, scanned: u32) -> (u32, u32, f64) {
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        let mut sigma = 0.0;
        for n in 0..660 {
            let comes = u32::from(n < 300);
            let figures = site.close(state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(25 * comes, 0));
                pane.add_count(site.sensor("gate-a"), &count(seated * comes, 0));
                pane.add_count(site.sensor("exit"), &count(0, 0));
                pane.scans[site.gate("a")].entered = scanned * comes;
            });
            sigma = figures.zones[site.zone("bowl")].occupancy.unwrap().sigma();
        }
        let heads = |name: &str| state.zones[site.zone(name)].persons.unwrap();
        (heads("bowl"), heads("queue-a"), sigma)
    }

    #[test]
    fn what_the_way_to_the_seats_missed_is_seated() {
        let site = passage();
        assert_eq!(site.topology.passages.len(), 1);
        let mut state = site.state();
        let (bowl, concourse, sigma) = evening(&site, &mut state, 24, 25);
        assert!((7_450..=7_500).contains(&bowl) && concourse <= 50, "{bowl} {concourse}");
        assert!(sigma < 30.0, "{sigma}: 144 before");
    }

    /// Nobody hears the way to the seats all evening, and there is no concourse beside it: by Little's law n = 25/(1 − e^(−10/300)) = 763 are on their way while 25 come in each pane.
    #[test]
    fn who_is_still_in_a_concourse_whose_way_is_unheard_goes_by_its_inflow() {
        let site = passage();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        let look = |state: &mut CrowdState, n: i64, comes: u32| {
            let figures = site.close(state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(comes, 0));
                pane.add_count(site.sensor("exit"), &count(0, 0));
                pane.scans[site.gate("a")].entered = comes;
            });
            let heads = |name: &str| figures.zones[site.zone(name)].occupancy.unwrap();
            (heads("queue-a").v, heads("bowl").v, heads("bowl").sigma())
        };
        let while_they_come = (0..300).map(|n| look(&mut state, n, 25)).last().unwrap();
        assert!((700.0..=763.0).contains(&while_they_come.0) && while_they_come.0 + while_they_come.1 == 7_500.0, "{while_they_come:?}");
        assert!((700.0..=780.0).contains(&while_they_come.2), "as unsure as there are people on the way: {while_they_come:?}");
        let seated = (300..660).map(|n| look(&mut state, n, 0)).last().unwrap();
        assert_eq!((seated.0, seated.1), (0.0, 7_500.0));
        assert!(seated.2 < 30.0, "{seated:?}");
    }

    /// The way to the seats misses 4 % while it is heard; then nobody hears it, and the gate's counts part from its scans, so that nobody can look.
    #[test]
    fn who_was_moved_to_the_seats_stays_there_while_nobody_can_look() {
        let site = passage();
        let mut state = site.state();
        evening(&site, &mut state, 24, 25);
        let concourse = site.zone("queue-a");
        let (moved, looked) = (state.zones[concourse].learnt.moved, state.zones[concourse].learnt.look);
        assert!(moved > 200 && looked.is_some(), "{moved}");
        let begin = site.panes_to(KICK_OFF) + 300;
        for n in 0..120 {
            site.close(&mut state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(0, 0));
                pane.scans[site.gate("a")].entered = 100;
            });
        }
        let learnt = state.zones[concourse].learnt;
        assert_eq!((learnt.moved, learnt.look.is_none()), (moved, true));
    }

    #[test]
    fn what_it_counted_twice_is_taken_back() {
        let site = passage();
        let mut state = site.state();
        let (bowl, concourse, _) = evening(&site, &mut state, 26, 25);
        assert!((7_500..=7_550).contains(&bowl) && concourse <= 50, "{bowl} {concourse}");
    }

    #[test]
    fn where_scans_and_counts_part_nothing_is_learnt_from_them() {
        let site = passage();
        let mut state = site.state();
        let (bowl, ..) = evening(&site, &mut state, 24, 12);
        assert_eq!(bowl, 7_200, "half of them had no ticket, or a scanner is silent");
    }

    /// What is known of the gate, in the concourse, and of its way to the seats, on both sides.
    fn known(site: &Site, state: &CrowdState) -> [Option<f64>; 3] {
        let passage = &site.topology.passages[0];
        let zone = &state.zones[site.zone("queue-a")];
        let gate = site.topology.zones[site.zone("queue-a")].ways.iter().position(|(way, _)| *way == site.venue.gates[site.gate("a")].link.index());
        [zone.known[gate.unwrap()], zone.known[passage.at], state.zones[site.zone("bowl")].known[passage.there]]
    }

    #[test]
    fn a_gate_that_is_never_scanned_keeps_its_counters_error() {
        let site = passage();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        site.close(&mut state, begin, |_| ());
        assert_eq!(known(&site, &state), [None; 3], "nobody has come yet");
        for n in 1..200 {
            let figures = site.close(&mut state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(25, 0));
                pane.add_count(site.sensor("gate-a"), &count(0, 0));
            });
            let sigma = figures.zones[site.zone("queue-a")].occupancy.unwrap().sigma();
            let persons = 25.0 * n as f64;
            assert!((sigma - libm::sqrt(0.02 * persons * (0.02 * persons + 1.0))).abs() < 1e-9, "{sigma}");
        }
        assert_eq!(known(&site, &state), [None; 3]);
    }

    #[test]
    fn whom_nobody_counts_nor_scans_any_more_the_band_does_not_lose() {
        let mut site = passage();
        let queue = site.zone("forecourt").into();
        site.venue.gates.iter_mut().for_each(|gate| gate.queue = Some(queue));
        site.turn_round();
        let mut state = site.state();
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60)));
        for n in 0..200 {
            site.close(&mut state, begin + n, |pane| {
                ["approach-1", "approach-2", "gate-a"].iter().for_each(|name| pane.add_count(site.sensor(name), &count(5, 0)));
                if n < 100 {
                    pane.add_count(site.sensor("lane-a"), &count(5, 0));
                    pane.scans[site.gate("a")].entered = 5;
                }
            });
            if n == 99 {
                assert_eq!(known(&site, &state)[0], Some(0.0));
            }
        }
        let guessed = state.gates[site.gate("a")].stood_in.guessed;
        assert!(guessed > 100, "{guessed}");
        assert_eq!(known(&site, &state)[0], None);
    }

    #[test]
    fn where_scans_and_counts_part_the_counters_error_stands_again() {
        let site = passage();
        let mut state = site.state();
        evening(&site, &mut state, 24, 25);
        assert_eq!(known(&site, &state)[0], Some(0.0));
        let begin = site.panes_to(KICK_OFF.before(Span::from_mins(60))) + 660;
        for n in 0..60 {
            site.close(&mut state, begin + n, |pane| {
                pane.add_count(site.sensor("lane-a"), &count(100, 0));
                pane.scans[site.gate("a")].entered = 1;
            });
        }
        assert_eq!(known(&site, &state)[0], None);
    }

    #[test]
    fn after_a_recount_nothing_is_known_of_the_way_to_the_seats() {
        let site = passage();
        let mut state = site.state();
        evening(&site, &mut state, 24, 25);
        assert!(known(&site, &state).iter().all(Option::is_some));
        let last = site.panes_to(KICK_OFF.before(Span::from_mins(60))) + 659;
        assert!(state.recount(&site.topology, site.zone("bowl").into(), 7_400, site.end(last)));
        site.close(&mut state, last + 1, |pane| pane.add_count(site.sensor("gate-a"), &count(0, 0)));
        assert_eq!(known(&site, &state)[1..], [None; 2]);
    }

    #[test]
    fn another_match_knows_nothing_of_the_last() {
        let mut site = passage();
        let mut state = site.state();
        evening(&site, &mut state, 24, 25);
        assert!(known(&site, &state).iter().all(Option::is_some));
        site.venue.matches[0].id = "m2".into();
        site.close(&mut state, site.panes_to(KICK_OFF) + 300, |_| ());
        assert_eq!(known(&site, &state), [None; 3]);
    }

    #[test]
    fn where_nothing_errs_a_look_tells_nothing() {
        let look = |sigma, before| Look { net: 100.0, missed: 10.0, sigma, before, gross: 100 };
        assert_eq!(look(0.0, 0.0).weighed(), (0.0, 0.0), "counters that never err have missed nobody");
        assert_eq!(look(5.0, 0.0).weighed(), (0.0, 0.0));
        assert_eq!(look(0.0, 5.0).weighed(), (10.0, 0.0));
        assert_eq!(look(1e-200, 1e-200).weighed(), (0.0, 0.0));
    }

    #[test]
    fn who_stands_in_the_concourse_stays_there() {
        let site = passage();
        let mut state = site.state();
        let (bowl, concourse, _) = evening(&site, &mut state, 20, 25);
        assert!(bowl <= 6_010 && concourse >= 1_490, "no counter misses a fifth: {bowl} {concourse}");
    }
}

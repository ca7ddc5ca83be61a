//! What a band claims, over many draws of the counters' gains.
//!
//! The idea: a gain lasts a night, so every minute of a night is wrong by one and the same draw, and "the band covers the truth in nine panes of ten" is a claim over draws: three of them are
//! three throws of a die. So the night is played once, with counters that count right; then its counts are made wrong again and again, each time by other gains, and given to the
//! crowd picture alone, pane by pane. What [`super::night_truth`] asks of the whole engine in a few draws is asked here of hundreds.

use crate::night::world;
use crate::night_truth::Held;
use midan::crowd::{Correction, CrowdState, Estimate, Topology};
use midan::feeds::observation::{Count, Entity, Scan, What};
use midan::simulate::{Night, Options};
use midan::time::{EventTime, Span};
use midan::venue::{Feed, GateId, SensorId, Venue, VenueId};
use midan::window::PaneContent;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One standard deviation of a counter's gain.
const GAIN: f64 = 0.03;

/// A night as it was: what right counters and scanners said in each pane.
struct Played {
    id: VenueId,
    kick_off: EventTime,
    panes: BTreeMap<EventTime, Pane>,
    /// Persons by zone, minute by minute.
    truth: Vec<(EventTime, Vec<u32>)>,
}

#[derive(Default)]
struct Pane {
    counts: Vec<(SensorId, u32, u32)>,
    scans: Vec<(GateId, Scan)>,
    /// Scans that came too late for their own pane, with their times.
    late: Vec<(GateId, EventTime, Scan)>,
}

/// Rabat's night of a seed; `dead` says nothing, and uploads that are older than their source allows are lost.
fn played(seed: u64, dead: Option<&str>) -> Played {
    let options = Options { gain_error_permille: Some(0), dead_counter: dead.map(str::to_owned), ..Options::default() };
    let world = world();
    let id = world.find("rabat").unwrap();
    let venue = world.venue(id);
    let mut night = Night::new(&world, id, &venue.matches[0].id, seed, &options).unwrap();
    let mut panes: BTreeMap<EventTime, Pane> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for record in night.by_ref().filter(|record| matches!(record.feed, Feed::Sensors | Feed::Ticketing)) {
        let Ok(told) = serde_json::from_slice::<Value>(&record.value) else { continue };
        let is_believed = record.at <= record.received + 30_000;
        if !is_believed || !seen.insert(record.value.clone()) {
            continue;
        }
        let word = |name: &str| told[name].as_str().unwrap();
        let persons = |name: &str| told[name].as_u64().unwrap() as u32;
        let pane_of = |millis: i64| venue.pane.end_of(EventTime::from_millis(millis));
        match told["type"].as_str() {
            Some("count") => {
                let pane = panes.entry(pane_of(told["to"].as_i64().unwrap() - 1)).or_default();
                pane.counts.push((venue.find_sensor(word("sensor")).unwrap(), persons("in"), persons("out")));
            }
            Some("scan") => {
                let at = told["event_time"].as_i64().unwrap();
                let gate = venue.find_gate(word("gate")).unwrap();
                let scan = Scan { accepted: word("result") == "ok", exit: word("direction") == "exit", ..Scan::default() };
                if told["offline"] != true {
                    panes.entry(pane_of(at)).or_default().scans.push((gate, scan));
                } else if record.received - at <= 15 * 60_000 {
                    panes.entry(pane_of(record.received)).or_default().late.push((gate, EventTime::from_millis(at), scan));
                }
            }
            _ => {}
        }
    }
    let truth = night.truth().minutes().iter().map(|minute| (minute.at, minute.zones.clone())).collect();
    Played { id, kick_off: venue.matches[0].kick_off, panes, truth }
}

/// A generator whose numbers follow from its seed: splitmix64.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// What a counter of this gain makes of so many persons, person by person.
    fn count(&mut self, persons: u32, gain: f64) -> u32 {
        let wrong = (0..persons).filter(|_| self.unit() < gain.abs()).count() as u32;
        if gain < 0.0 { persons - wrong } else { persons + wrong }
    }
}

/// The picture of a zone at a minute of a draw, beside the truth.
struct Seen {
    zone: usize,
    minutes: i64,
    heads: Estimate,
    truth: f64,
}

impl Seen {
    fn is_within(&self) -> bool {
        (self.heads.lo..=self.heads.hi).contains(&self.truth)
    }

    /// In standard deviations.
    fn z(&self) -> f64 {
        (self.heads.v - self.truth) / self.heads.sigma().max(1.0)
    }
}

/// Plays the night with the gains of a draw, and hands over every closed zone in which somebody was, or was thought to be, at every minute.
fn draw(night: &Played, number: u64, each: &mut dyn FnMut(Seen)) {
    let world = world();
    let venue: &Venue = world.venue(night.id);
    let topology = Topology::new(venue);
    let mut dice = Dice(number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let gains: Vec<f64> = venue.sensors.iter().map(|_| GAIN * dice.normal()).collect();
    let mut state = CrowdState::new(venue, &topology);
    let truth: BTreeMap<EventTime, &Vec<u32>> = night.truth.iter().map(|(at, zones)| (*at, zones)).collect();
    let (first, last) = (*night.panes.keys().next().unwrap(), *night.panes.keys().last().unwrap());
    let nobody = Pane::default();
    let mut end = first;
    while end <= last {
        let pane = night.panes.get(&end).unwrap_or(&nobody);
        for (gate, at, scan) in &pane.late {
            let what = What::Scan(*scan);
            state.correct(venue, &topology, &Correction { at: *at, end: venue.pane.end_of(*at), entity: Entity::Gate(*gate), what: &what, pane: None });
        }
        let mut content = PaneContent::new(venue);
        for (sensor, inwards, outwards) in &pane.counts {
            let gain = gains[sensor.index()];
            let (inwards, outwards) = (dice.count(*inwards, gain), dice.count(*outwards, gain));
            content.add_count(*sensor, &Count { from: end.before(Span::from_secs(10)), to: end, inwards, outwards, undirected: 0 });
        }
        for (gate, scan) in &pane.scans {
            let scans = &mut content.scans[gate.index()];
            match (scan.accepted, scan.exit) {
                (true, false) => scans.entered += 1,
                (true, true) => scans.left += 1,
                (false, _) => scans.rejected += 1,
            }
        }
        let figures = state.close(venue, &topology, end, &content, Vec::new());
        if let Some(zones) = truth.get(&end) {
            let minutes = (end.as_millis() - night.kick_off.as_millis()) / 60_000;
            for zone in (0..zones.len()).filter(|zone| venue.zones[*zone].closed && venue.zones[*zone].capacity.is_some()) {
                let (Some(heads), truth) = (figures.zones[zone].occupancy, f64::from(zones[zone])) else { continue };
                if truth > 0.0 || heads.v > 0.0 {
                    each(Seen { zone, minutes, heads, truth });
                }
            }
        }
        end = venue.pane.next(end);
    }
}

/// What many draws came to.
#[derive(Default)]
struct Tally {
    bowl: Held,
    /// Every other closed zone.
    elsewhere: Held,
    /// By twenty minutes from kick-off, of the bowl: (z, error in persons, σ in persons).
    by_time: BTreeMap<i64, Vec<(f64, f64, f64)>>,
}

impl Tally {
    fn take(&mut self, night: &Played, draws: std::ops::Range<u64>) {
        let world = world();
        let venue = world.venue(night.id);
        let bowl = venue.find_zone("bowl").unwrap().index();
        for number in draws {
            draw(night, number, &mut |seen| {
                let held = if seen.zone == bowl { &mut self.bowl } else { &mut self.elsewhere };
                let error = seen.heads.v - seen.truth;
                held.errors.push(error.abs() / f64::from(venue.zones[seen.zone].capacity.unwrap()));
                held.within += u32::from(seen.is_within());
                if seen.zone == bowl {
                    self.by_time.entry(seen.minutes.div_euclid(20) * 20).or_default().push((seen.z(), error, seen.heads.sigma()));
                }
            });
        }
    }

    fn tell(&self, name: &str) {
        println!(
            "{name}: bowl: 95 % below {:.2} % of capacity, band {:.1} %; elsewhere: band {:.1} %",
            100.0 * self.bowl.quantile(0.95),
            100.0 * self.bowl.coverage(),
            100.0 * self.elsewhere.coverage()
        );
    }

    /// By time from kick-off: how the bowl's errors stand to what the band says of them.
    fn tell_by_time(&self) {
        for (minutes, seen) in &self.by_time {
            let rms = |of: fn(&(f64, f64, f64)) -> f64| libm::sqrt(seen.iter().map(|one| of(one) * of(one)).sum::<f64>() / seen.len() as f64);
            println!("{minutes:+5} min: rms of z {:.2}, of the error {:.0} persons, of what is stated {:.0}", rms(|s| s.0), rms(|s| s.1), rms(|s| s.2));
        }
    }

    fn assert(&self) {
        let within = 0.85..=0.97;
        assert!(self.bowl.quantile(0.95) <= 0.02, "{}", self.bowl.quantile(0.95));
        assert!(within.contains(&self.bowl.coverage()), "bowl: {}", self.bowl.coverage());
        assert!(within.contains(&self.elsewhere.coverage()), "elsewhere: {}", self.elsewhere.coverage());
    }
}

/// The nights' draws together, with every counter alive or one of eight vomitories dead all night.
fn tallied(nights: &[u64], draws: u64, dead: Option<&str>) -> Tally {
    let mut all = Tally::default();
    for seed in nights {
        let mut tally = Tally::default();
        let night = played(*seed, dead);
        tally.take(&night, seed * 1_000..seed * 1_000 + draws);
        tally.tell(&format!("night {seed}, {draws} draws"));
        all.bowl.take(&tally.bowl);
        all.elsewhere.take(&tally.elsewhere);
        tally.by_time.into_iter().for_each(|(minutes, seen)| all.by_time.entry(minutes).or_default().extend(seen));
    }
    all.tell("together");
    all
}

#[test]
fn the_bands_cover_the_truth_over_many_draws_of_gains() {
    tallied(&[3101, 3102], 10, None).assert();
}

#[test]
fn the_bands_cover_the_truth_where_a_counter_is_dead() {
    tallied(&[3103], 10, Some("rab-c-vom-3")).assert();
}

/// `MIDAN_NIGHTS=2030,2041 MIDAN_GAINS=20 cargo test --test it -- --ignored many_draws --nocapture`
#[test]
#[ignore = "minutes"]
fn the_bands_over_as_many_draws_as_are_asked_for() {
    let asked = std::env::var("MIDAN_NIGHTS").unwrap_or_else(|_| "3101,3102,3103,3104,3105".to_owned());
    let nights: Vec<u64> = asked.split(',').map(|seed| seed.parse().unwrap()).collect();
    let draws = std::env::var("MIDAN_GAINS").ok().and_then(|draws| draws.parse().ok()).unwrap_or(20);
    for dead in [None, Some("rab-c-vom-3")] {
        println!("dead: {dead:?}");
        let all = tallied(&nights, draws, dead);
        all.tell_by_time();
        all.assert();
    }
}

//! The picture against the truth, and the alarms of a whole night in Rabat: what the operations centre would see.

use crate::night::{Asked, by_pane, play, seat, world};
use midan::engine::{OutTopic, Settings};
use midan::shard::{Models, NoModels};
use midan::simulate::{Night, Options, SimRecord};
use serde_json::Value;
use std::collections::BTreeMap;

/// What of a night is looked at.
#[derive(Default)]
struct Seen {
    /// (zone, end of minute) → occupancy: value, low, high.
    heads: BTreeMap<(String, i64), [f64; 3]>,
    changes: Vec<Value>,
}

fn look(records: &[SimRecord], (settings, models): (Settings, &mut dyn Models), seen: &mut Seen) {
    play(records.iter(), 1_000, settings, models, &mut |record| match record.topic {
        OutTopic::Zones if record.value.windows(13).any(|word| word == b"\"kind\":\"zone\"") => {
            let end = read_number(&record.value, b"\"to\":");
            if end % 60_000 != 0 {
                return;
            }
            let value: Value = serde_json::from_slice(&record.value).unwrap();
            if let (0, Some(heads)) = (value["revision"].as_i64().unwrap(), value["occupancy"].as_object()) {
                let of = |name: &str| heads[name].as_f64().unwrap();
                seen.heads.insert((value["zone"].as_str().unwrap().to_owned(), end), [of("v"), of("lo"), of("hi")]);
            }
        }
        OutTopic::Alarms => seen.changes.push(serde_json::from_slice(&record.value).unwrap()),
        _ => {}
    });
}

fn read_number(bytes: &[u8], after: &[u8]) -> i64 {
    let start = bytes.windows(after.len()).position(|window| window == after).unwrap() + after.len();
    let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

#[test]
fn the_picture_of_a_whole_night_is_near_the_truth_and_its_alarms_are_few_and_end() {
    let world = world();
    let id = world.find("rabat").unwrap();
    let venue = world.venue(id);
    let mut night = Night::new(&world, id, &venue.matches[0].id, 2030, &Options::default()).unwrap();
    let records: Vec<SimRecord> = night.by_ref().collect();
    let mut seen = Seen::default();
    match seat() {
        Some((models, settings)) => look(&records, (settings, &mut Asked(models)), &mut seen),
        None => look(&records, (by_pane(), &mut NoModels), &mut seen),
    }
    let kick_off = venue.matches[0].kick_off.as_millis();
    println!("{} records", records.len());

    for (i, zone) in venue.zones.iter().enumerate() {
        let Some(capacity) = zone.capacity.map(f64::from) else { continue };
        let (mut errors, mut within, mut minutes) = (0.0, 0, 0);
        for minute in night.truth().minutes() {
            let Some([v, lo, hi]) = seen.heads.get(&(zone.id.to_string(), minute.at.as_millis())) else { continue };
            let truth = f64::from(minute.zones[i]);
            errors += (v - truth).abs();
            within += u32::from((*lo..=*hi).contains(&truth));
            minutes += 1;
        }
        let share = errors / f64::from(minutes.max(1)) / capacity;
        println!(
            "{:16} {minutes:4} min, mean error {:6.2} % of capacity, within the band {:5.1} %",
            zone.id,
            100.0 * share,
            100.0 * f64::from(within) / f64::from(minutes.max(1))
        );
        let bound = if &*zone.id == "bowl" { 0.03 } else { 0.08 };
        assert!(minutes == 0 || minutes > 400 && share < bound, "{}: mean absolute error {share:.4} of capacity over {minutes} minutes", zone.id);
    }

    let mut live: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut raised = 0;
    for change in &seen.changes {
        let (kind, id) = (change["change"].as_str().unwrap(), change["alarm_id"].as_str().unwrap());
        if kind == "raised" {
            raised += 1;
            live.insert(id, change);
        }
        if kind == "cleared" {
            live.remove(id);
        }
        if matches!(kind, "raised" | "cleared") {
            let minutes = (change["event_time"].as_i64().unwrap() - kick_off) / 60_000;
            let evidence: Vec<String> =
                change["evidence"].as_array().unwrap().iter().map(|e| format!("{}={} ({})", e["what"], e["value"], e["threshold"])).collect();
            println!("KO{minutes:+4} {kind:8} {:12} {:7} {} {}", change["code"], change["priority"], change["place"]["id"], evidence.join(" "));
        }
    }
    let length_ms = seen.heads.keys().map(|(_, end)| *end).max().unwrap_or(0) - seen.heads.keys().map(|(_, end)| *end).min().unwrap_or(0);
    assert!(raised * 600_000 <= length_ms, "{raised} alarms in {} min: more than one in ten minutes", length_ms / 60_000);
    println!("{raised} raised, {} never cleared: {:?}", live.len(), live.keys().collect::<Vec<_>>());
    assert!(live.len() <= 3, "the night is over, and these alarms have not ended: {:?}", live.keys().collect::<Vec<_>>());
}

/// How heads and their band stood against the truth, over minutes.
#[derive(Default)]
pub(crate) struct Held {
    /// Persons by which the picture was wrong, as a share of the zone's capacity.
    pub(crate) errors: Vec<f64>,
    /// Minutes in which the band covered the truth.
    pub(crate) within: u32,
}

impl Held {
    pub(crate) fn take(&mut self, other: &Self) {
        self.errors.extend(&other.errors);
        self.within += other.within;
    }

    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut errors = self.errors.clone();
        errors.sort_by(f64::total_cmp);
        errors[((errors.len() - 1) as f64 * share) as usize]
    }

    pub(crate) fn coverage(&self) -> f64 {
        f64::from(self.within) / self.errors.len().max(1) as f64
    }
}

/// What of one draw of gains is claimed.
#[derive(Default)]
struct Draw {
    /// The heads behind scanned gates.
    bowl: Held,
    /// Every other closed zone with a capacity, where the band must carry the gains.
    elsewhere: Held,
}

impl Draw {
    fn tell(&self, name: &str) {
        let of = |held: &Held| {
            let share = |share: f64| 100.0 * held.quantile(share);
            format!("median {:.2} %, 95 % below {:.2} % of capacity, band {:.1} %", share(0.5), share(0.95), 100.0 * held.coverage())
        };
        println!("{name:8} bowl: {}; elsewhere: {}", of(&self.bowl), of(&self.elsewhere));
    }
}

/// A night in Rabat with counters that count wrong, in the minutes in which somebody was in a zone or was thought to be. No model is asked: none tells heads.
fn draw(seed: u64, dead_counter: Option<&str>) -> Draw {
    let options = Options { gain_error_permille: Some(30), dead_counter: dead_counter.map(str::to_owned), ..Options::default() };
    let world = world();
    let id = world.find("rabat").unwrap();
    let venue = world.venue(id);
    let mut night = Night::new(&world, id, &venue.matches[0].id, seed, &options).unwrap();
    let records: Vec<SimRecord> = night.by_ref().collect();
    let mut seen = Seen::default();
    look(&records, (by_pane(), &mut NoModels), &mut seen);
    let mut draw = Draw::default();
    for (i, zone) in venue.zones.iter().enumerate().filter(|(_, zone)| zone.closed) {
        let Some(capacity) = zone.capacity.map(f64::from) else { continue };
        let held = if &*zone.id == "bowl" { &mut draw.bowl } else { &mut draw.elsewhere };
        for minute in night.truth().minutes() {
            let Some([v, lo, hi]) = seen.heads.get(&(zone.id.to_string(), minute.at.as_millis())) else { continue };
            let truth = f64::from(minute.zones[i]);
            if truth == 0.0 && *v == 0.0 {
                continue;
            }
            held.errors.push((v - truth).abs() / capacity);
            held.within += u32::from((*lo..=*hi).contains(&truth));
        }
    }
    draw.tell(&seed.to_string());
    draw
}

fn pooled(draws: &[Draw]) -> Draw {
    let mut pooled = Draw::default();
    for draw in draws {
        pooled.bowl.take(&draw.bowl);
        pooled.elsewhere.take(&draw.elsewhere);
    }
    pooled.tell("pooled");
    pooled
}

/// Conservation with every counter wrong by 3 %, over draws together: scans hold the bowl to 2 % of its capacity, and elsewhere the band covers the truth.
///
/// A single draw is one throw of the die, for a gain lasts all night: the bowl may err by more (bound 2.5 %), and before scans have told of its counters the band of one draw in ten does not hold it, minute after
/// minute. So of a single draw only a bound is asked that would show a fault; what the bowl's band claims, [`super::many_draws`] asks over many.
fn conserved(seeds: &[u64]) {
    let draws: Vec<Draw> = seeds.iter().map(|seed| draw(*seed, None)).collect();
    let all = pooled(&draws);
    let within = 0.85..=0.97;
    assert!(all.bowl.quantile(0.95) <= 0.02, "{}", all.bowl.quantile(0.95));
    assert!(within.contains(&all.elsewhere.coverage()), "{}", all.elsewhere.coverage());
    for (seed, draw) in seeds.iter().zip(&draws) {
        assert!(draw.bowl.quantile(0.95) <= 0.025, "{seed}: {}", draw.bowl.quantile(0.95));
        assert!(draw.bowl.coverage() >= 0.4, "{seed}: {}", draw.bowl.coverage());
        assert!(draw.elsewhere.coverage() >= 0.8, "{seed}: {}", draw.elsewhere.coverage());
    }
}

/// … and one of eight vomitories dead all night.
fn conserved_with_one_dead(seeds: &[u64]) {
    let draws: Vec<Draw> = seeds.iter().map(|seed| draw(*seed, Some("rab-c-vom-3"))).collect();
    let all = pooled(&draws);
    for draw in draws.iter().chain([&all]) {
        assert!(draw.bowl.quantile(0.95) <= 0.05, "{}", draw.bowl.quantile(0.95));
    }
}

#[test]
fn heads_are_conserved_with_counters_that_count_wrong() {
    conserved(&[3101, 3102, 3103]);
}

#[test]
fn heads_are_conserved_with_a_counter_that_is_dead() {
    conserved_with_one_dead(&[3101]);
}

/// `MIDAN_DRAWS=3101,3102 cargo test --test it -- --ignored over_many_draws --nocapture`; without it all on which nothing was tuned.
#[test]
#[ignore = "minutes"]
fn heads_are_conserved_over_many_draws() {
    let asked = std::env::var("MIDAN_DRAWS").unwrap_or_else(|_| "3101,3102,3103,3104,3105".to_owned());
    let seeds: Vec<u64> = asked.split(',').map(|seed| seed.parse().unwrap()).collect();
    conserved(&seeds);
    conserved_with_one_dead(&seeds);
}

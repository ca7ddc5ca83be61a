//! The picture against the truth, and the alarms of a whole night in Rabat: what the operations centre would see.

use crate::night::{Asked, by_pane, play, seat, world};
use midan::engine::OutTopic;
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

fn look(records: &[SimRecord], seen: &mut Seen) {
    let (mut asked, mut none, settings);
    let models: &mut dyn Models = match seat() {
        Some((models, with_models)) => {
            settings = with_models;
            asked = Asked(models);
            &mut asked
        }
        None => {
            settings = by_pane();
            none = NoModels;
            &mut none
        }
    };
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
    look(&records, &mut seen);
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

/// Persons by which the bowl is wrong, as a share of its capacity: the median and the 95 % quantile over the minutes of a night in Rabat; and how often the band covers the truth.
fn bowl_errors(options: &Options) -> (f64, f64, f64) {
    let world = world();
    let id = world.find("rabat").unwrap();
    let venue = world.venue(id);
    let mut night = Night::new(&world, id, &venue.matches[0].id, 2030, options).unwrap();
    let records: Vec<SimRecord> = night.by_ref().collect();
    let mut seen = Seen::default();
    look(&records, &mut seen);
    let bowl = venue.find_zone("bowl").unwrap().index();
    let capacity = f64::from(venue.zones[bowl].capacity.unwrap());
    let mut errors: Vec<f64> = Vec::new();
    let mut within = 0;
    for minute in night.truth().minutes() {
        let Some([v, lo, hi]) = seen.heads.get(&("bowl".to_owned(), minute.at.as_millis())) else { continue };
        let truth = f64::from(minute.zones[bowl]);
        errors.push((v - truth).abs() / capacity);
        within += u32::from((*lo..=*hi).contains(&truth));
    }
    errors.sort_by(f64::total_cmp);
    (errors[errors.len() / 2], errors[errors.len() * 95 / 100], f64::from(within) / errors.len() as f64)
}

#[test]
fn heads_are_conserved_with_counters_that_count_wrong_and_one_that_is_dead() {
    let wrong = Options { gain_error_permille: Some(30), ..Options::default() };
    let (median, high, within) = bowl_errors(&wrong);
    println!(
        "3 % gain error on every counter: median {:.2} %, 95 % of minutes below {:.2} % of capacity, band {:.1} %",
        100.0 * median,
        100.0 * high,
        100.0 * within
    );
    assert!(high <= 0.02, "{high}");
    let dead = Options { dead_counter: Some("rab-c-vom-3".to_owned()), ..wrong };
    let (median, high, within) = bowl_errors(&dead);
    println!("… and one of eight vomitories dead: median {:.2} %, 95 % below {:.2} %, band {:.1} %", 100.0 * median, 100.0 * high, 100.0 * within);
    assert!(high <= 0.05, "{high}");
}

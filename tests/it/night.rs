//! The golden night: twenty minutes of the simulated night of both configured venues, broken records and two commands among them, straight through the engine.
//!
//! The same events give the same bytes (promise 2), whatever the batches and the order of arrival, and they are the bytes of `tests/golden/night.sha256`. That file
//! is written anew by `MIDAN_BLESS=1 cargo test --test it night::`; a change of it is a change of what Midan says, and belongs in the commit's message.

use midan::config::read_world;
use midan::engine::{Control, Engine, OutRecord, OutTopic, Placement, Settings};
use midan::feeds::{Batch, RecordRef};
use midan::forecast::{features::rows_for, series};
use midan::log::{Feeder, InRecord};
use midan::onnx;
use midan::shard::{Models, NoModels};
use midan::simulate::{Nights, Options, SimRecord};
use midan::venue::partition::partition_of;
use midan::venue::{Feed, World};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

const SEED: u64 = 2030;
/// From so long before the first kick-off, for so long, in ms.
const FROM_MS: i64 = 80 * 60_000;
const LENGTH_MS: i64 = 20 * 60_000;

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(crate) fn world() -> Arc<World> {
    static WORLD: OnceLock<Arc<World>> = OnceLock::new();
    Arc::clone(WORLD.get_or_init(|| Arc::new(read_world(&folder("config")).unwrap())))
}

/// The stretch of the night, by time of receipt.
pub(crate) fn stretch() -> &'static [SimRecord] {
    static STRETCH: OnceLock<Vec<SimRecord>> = OnceLock::new();
    STRETCH.get_or_init(|| {
        let world = world();
        let kick_off = world.venues.iter().flat_map(|venue| &venue.matches).map(|day| day.kick_off.as_millis()).min().unwrap();
        let from = kick_off - FROM_MS;
        let night = Nights::of_world(&world, SEED, &Options { faults: true, ..Options::default() }).unwrap();
        let mut records: Vec<SimRecord> = night.skip_while(|record| record.received < from).take_while(|record| record.received < from + LENGTH_MS).collect();
        for (id, minutes, action) in [("k-1", 5, r#""action":"recount","zone":"bowl","persons":5000"#), ("k-2", 9, r#""action":"ack","alarm_id":"none""#)] {
            let at = from + minutes * 60_000;
            let place = records.partition_point(|record| record.received < at);
            let value = format!(r#"{{"type":"command","command_id":"{id}","venue":"rabat","operator":"ops-1","at":{at},{action}}}"#).into_bytes();
            records.insert(place, SimRecord { feed: Feed::Commands, key: "rabat".into(), value, source: "rab-ops".into(), format: None, received: at, at });
        }
        records
    })
}

/// Runs records through one engine in batches, and hands every output to `each`.
pub(crate) fn play<'r>(
    records: impl Iterator<Item = &'r SimRecord>,
    size: usize,
    settings: Settings,
    models: &mut dyn Models,
    each: &mut dyn FnMut(&OutRecord),
) -> Engine {
    play_partition(records, (0, 1), size, settings, models, each)
}

/// Runs the records of one partition of so many.
fn play_partition<'r>(
    records: impl Iterator<Item = &'r SimRecord>,
    (partition, partitions): (u32, u32),
    size: usize,
    settings: Settings,
    models: &mut dyn Models,
    each: &mut dyn FnMut(&OutRecord),
) -> Engine {
    let mut engine = Engine::new(world(), partition, partitions, settings);
    let mut offsets = [0; Feed::ALL.len()];
    let mut batch = Batch::default();
    let mut step = |batch: &Batch, controls: &[Control]| {
        let mut effects = engine.step(batch, controls);
        loop {
            effects.records.iter().for_each(&mut *each);
            if effects.asks.is_empty() {
                return;
            }
            let answers: Vec<Control> = effects.asks.iter().map(|ask| Control::Models(models.run(ask))).collect();
            effects = engine.step(&Batch::default(), &answers);
        }
    };
    for record in records {
        let offset = &mut offsets[record.feed as usize];
        batch.push(&RecordRef {
            feed: record.feed,
            partition,
            offset: *offset,
            appended: None,
            received: Some(record.received),
            key: Some(record.key.as_bytes()),
            value: &record.value,
            source: Some(&record.source),
            format: record.format,
            cloud_event: None,
            attributes: midan::feeds::Attributes::NONE,
        });
        *offset += 1;
        if batch.len() == size {
            step(&batch, &[]);
            batch.clear();
        }
    }
    step(&batch, &[]);
    step(&Batch::default(), &[Control::EndOfInput]);
    for (feed, ledger) in engine.ledgers() {
        assert_eq!(ledger.total().imbalance(), (0, 0), "{feed:?}");
    }
    engine
}

pub(crate) fn by_pane() -> Settings {
    Settings { placement: Placement::ByPane, ..Settings::default() }
}

/// By topic: SHA-256 over keys and values, key by key; late and quarantined lines sorted, for their order is that of arrival.
fn digest<'r>(
    records: impl Iterator<Item = &'r SimRecord>,
    size: usize,
    settings: Settings,
    models: &mut dyn Models,
) -> BTreeMap<&'static str, (usize, String)> {
    let mut by_key: BTreeMap<(OutTopic, Vec<u8>), Sha256> = BTreeMap::new();
    let mut lines: BTreeMap<OutTopic, Vec<Vec<u8>>> = BTreeMap::new();
    let mut counted: BTreeMap<OutTopic, usize> = BTreeMap::new();
    play(records, size, settings, models, &mut |record| {
        *counted.entry(record.topic).or_default() += 1;
        match record.topic {
            OutTopic::Ledger => {}
            OutTopic::Late | OutTopic::Quarantine => lines.entry(record.topic).or_default().push(record.value.clone()),
            topic => {
                let hash = by_key.entry((topic, record.key.clone())).or_default();
                hash.update((record.value.len() as u64).to_le_bytes());
                hash.update(&record.value);
            }
        }
    });
    let mut topics: BTreeMap<OutTopic, Sha256> = BTreeMap::new();
    for ((topic, key), hash) in by_key {
        let of_topic = topics.entry(topic).or_default();
        of_topic.update(key);
        of_topic.update(hash.finalize());
    }
    for (topic, mut lines) in lines {
        lines.sort_unstable();
        lines.iter().for_each(|line| topics.entry(topic).or_default().update(line));
    }
    let hex = |hash: Sha256| hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    topics.into_iter().map(|(topic, hash)| (topic.topic(), (counted[&topic], hex(hash)))).collect()
}

fn golden() -> String {
    let digests = digest(stretch().iter(), 1_000, by_pane(), &mut NoModels);
    digests.into_iter().map(|(topic, (records, hash))| format!("{hash}  {topic} {records}\n")).collect()
}

#[allow(clippy::disallowed_methods, reason = "whoever runs the tests says whether the golden file is to be written")]
fn is_told(name: &str) -> bool {
    std::env::var(name).is_ok()
}

#[test]
fn the_night_has_the_bytes_of_the_golden_file() {
    let path = folder("tests/golden/night.sha256");
    let found = golden();
    if is_told("MIDAN_BLESS") {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap(), "see the module's first lines");
}

#[test]
fn batches_of_one_seven_and_a_thousand_give_the_same_bytes() {
    let of = |size| digest(stretch().iter(), size, by_pane(), &mut NoModels);
    let thousand = of(1_000);
    for topic in ["midan.alarms", "midan.quarantine", "midan.zones"] {
        assert!(thousand.contains_key(topic), "the stretch has something on {topic}: {:?}", thousand.keys());
    }
    assert_eq!(of(1), thousand);
    assert_eq!(of(7), thousand);
}

/// beam#25975: another number of partitions lost data. Here it changes no byte.
#[test]
fn any_number_of_partitions_gives_the_bytes_of_one() {
    let said = |partitions: u32| {
        let mut by_key: BTreeMap<(OutTopic, Vec<u8>), Vec<Vec<u8>>> = BTreeMap::new();
        for partition in 0..partitions {
            let here = stretch().iter().filter(|record| partition_of(record.key.as_bytes(), partitions) == partition);
            play_partition(here, (partition, partitions), 1_000, by_pane(), &mut NoModels, &mut |record| {
                if record.topic != OutTopic::Ledger {
                    by_key.entry((record.topic, record.key.clone())).or_default().push(record.value.clone());
                }
            });
        }
        by_key
    };
    let one = said(1);
    for partitions in [2, 3, 12] {
        assert!(said(partitions) == one, "{partitions} partitions");
    }
}

#[test]
fn the_order_of_arrival_within_the_disorder_leaves_no_trace() {
    let mut records: Vec<(i64, usize, &SimRecord)> = Vec::new();
    // What promises something, or comes so late that its lag is told, keeps its place among its source's records; the others may be two seconds later.
    let mut turn: BTreeMap<&str, i64> = BTreeMap::new();
    for (i, record) in stretch().iter().enumerate() {
        let keeps_place = record.received - record.at > 4_000 || record.feed == Feed::Commands || record.value.windows(9).any(|word| word == b"low_water");
        let chance = (i as i64).wrapping_mul(7_919).rem_euclid(1_000);
        let turn = turn.entry(&record.source).or_default();
        let at = if keeps_place { (record.received + 1_000).max(*turn) } else { (record.received + chance).max(*turn) };
        if keeps_place {
            *turn = at;
        }
        records.push((at, i, record));
    }
    // Nothing may overtake what keeps its place from behind either: that stands at the end of its second.
    records.sort_by_key(|(at, i, _)| (*at, *i));
    let shuffled = digest(records.iter().map(|(.., record)| *record), 1_000, by_pane(), &mut NoModels);
    assert_eq!(shuffled, digest(stretch().iter(), 1_000, by_pane(), &mut NoModels));
}

/// Feeds records of a night.
pub(crate) fn feed<'a>(feeder: &mut dyn Feeder, records: impl IntoIterator<Item = &'a SimRecord>) {
    for record in records {
        let sent = InRecord {
            feed: record.feed,
            key: record.key.as_bytes(),
            value: &record.value,
            source: Some(&record.source),
            format: record.format,
            received: Some(record.received),
            cloud_event: None,
            attributes: midan::feeds::Attributes::NONE,
        };
        feeder.send(&sent).unwrap();
    }
    feeder.flush().unwrap();
}

/// The models of `models/`, where the library is.
pub(crate) fn seat() -> Option<(onnx::Models, Settings)> {
    seat_with(None)
}

/// The same, and the folder from which others may be ordered.
pub(crate) fn seat_with(orderable: Option<PathBuf>) -> Option<(onnx::Models, Settings)> {
    #[allow(clippy::disallowed_methods, reason = "where the library is is told by whoever runs the tests")]
    let library = std::env::var("MIDAN_ONNXRUNTIME").ok()?;
    let rows = world().venues.iter().map(|venue| rows_for(series::of(venue).len())).max().unwrap();
    let manifest = |name: &str| Some(folder("models").join(name));
    let told = onnx::Settings {
        library: library.into(),
        flow: manifest("crowd-flow.toml"),
        anomaly: manifest("crowd-anomaly.toml"),
        shadow: None,
        folder: orderable,
        deadline: None,
        rows,
    };
    let models = onnx::Models::load(&told);
    let card = |role| models.card(role).cloned();
    let settings = Settings { flow: card(midan::inference::Role::Flow), anomaly: card(midan::inference::Role::Anomaly), ..by_pane() };
    assert!(settings.flow.is_some(), "{:?}", models.status());
    Some((models, settings))
}

/// ONNX models as a shard asks them.
pub(crate) struct Asked(pub(crate) onnx::Models);

impl Models for Asked {
    fn run(&mut self, ask: &midan::inference::Ask) -> midan::inference::Answer {
        self.0.run(ask)
    }
}

#[test]
fn with_the_models_too_the_batches_leave_no_trace() {
    let Some((models, settings)) = seat() else {
        eprintln!("skipped: MIDAN_ONNXRUNTIME names no library; `make test` sets it");
        return;
    };
    let mut asked = Asked(models);
    // Ten minutes: a forecast needs some history.
    let half = || stretch().iter().take(stretch().len() / 2);
    let first = digest(half(), 1_000, settings.clone(), &mut asked);
    assert_eq!(digest(half(), 37, settings, &mut asked), first);
}

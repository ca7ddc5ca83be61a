//! Deterministic simulation: several shards on the embedded log, turned by one thread, with faults from a seed.
//!
//! A schedule is a function of its seed: which shard is turned next, when it dies and comes back, who joins and leaves, when the next records are sent, what goes wrong at which call of
//! the log. However it goes, what stands in the end must be the bytes of an undisturbed run (promises 2 and 3), every event accounted for
//! (promise 1), and the alerts the same after repeats have collapsed (promise 4). A third of the schedules is [`live`]: what stands must be what a replay of its journal gives.
//!
//! `cargo test --test it simulation` runs [`SCHEDULES`] of them; `MIDAN_SCHEDULES` sets another number, `MIDAN_SEED` runs one and tells its story.

mod live;
pub(crate) mod miniature;
mod outcome;
mod shaken;

use live::Live;
use midan::engine::Engine;
use midan::engine::OutTopic;
use midan::engine::journal::Entry;
use midan::log::Feeder;
use midan::log::embedded::{EmbeddedFeeder, EmbeddedLog, Options};
use midan::log::{LogError, ShardLog, Since, Topic};
use midan::shard::{Around, Clock, Mode, Settings, Shard, Watch};
use miniature::{Line, PARTITIONS, Stub, engine, lines, live_engine};
use outcome::{Outcome, TOPICS};
use shaken::{Chance, Shaken, Shared, Weather};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// How many a run of the tests tries.
const SCHEDULES: u64 = 600;
/// Seeds beyond them that once found a fault: a partition that never read its feeds again, because commands stood on both sides of an owed alert in one batch; an older change that stayed the last
/// of its alarm, since an heir had repeated it under a new term and died before it came to the newest.
const ONCE_BROKEN: [u64; 2] = [1_991, 8_662];
/// How many shards there are at most.
const SLOTS: usize = 3;
/// Turns with trouble, and turns at all: a schedule that has calmed down must come to its end.
const TROUBLED: u32 = 400;
const TURNS: u32 = 20_000;

type Make = fn(u32) -> Engine;
type Living = Shard<'static, 'static, Make>;
type Parts = Around<'static, 'static, Make>;

/// A shard's place: at work, or waiting to come back.
enum Slot {
    Living(Box<Living>, bool),
    Away(Parts, u32),
    Empty,
}

impl Slot {
    fn told(&self) -> String {
        match self {
            Self::Living(shard, last) => format!("at work, partitions and whether each is closed {:?}, last turn {last}", shard.at_work().collect::<Vec<_>>()),
            Self::Away(_, pause) => format!("away for {pause}"),
            Self::Empty => "nobody".to_owned(),
        }
    }
}

struct Schedule {
    log: EmbeddedLog,
    weather: Shared,
    feeder: Option<EmbeddedFeeder>,
    slots: Vec<Slot>,
    sent: usize,
    live: Option<Live>,
    stop: &'static AtomicBool,
}

/// What a schedule leaves: what stands, and of a live one what a replay of its journal makes of the same inputs.
struct Left {
    stands: Outcome,
    replayed: Option<Outcome>,
}

struct SimClock(Shared);

impl Clock for SimClock {
    fn now(&self) -> Duration {
        self.0.borrow().now
    }

    fn rest(&self, length: Duration) {
        self.0.borrow_mut().now += length;
    }
}

/// Counts what must never happen.
#[derive(Default)]
struct Witness(AtomicU64);

impl Watch for Witness {
    fn alert_differs(&self, _partition: u32, _alert: &midan::engine::Alert) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn alert_not_made_again(&self, _partition: u32, _alarm: &[u8], _change_no: u32) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn night() -> &'static (Vec<Line>, Outcome) {
    static NIGHT: OnceLock<(Vec<Line>, Outcome)> = OnceLock::new();
    NIGHT.get_or_init(|| {
        // The first run tells which alarm there is to acknowledge.
        let first = Schedule::undisturbed(&lines(None));
        let alarm = first.alarm("DENS").expect("the miniature raises no alarm");
        let lines = lines(Some(&alarm));
        assert!(lines.len() <= 2_000);
        let expected = Schedule::undisturbed(&lines);
        expected.must_be_rich(lines.len());
        (lines, expected)
    })
}

impl Schedule {
    fn new(seed: u64, trouble: u64, shards: usize, live: Option<&[Line]>, witness: &'static Witness) -> Self {
        let log = EmbeddedLog::open(Options::new("/nowhere", PARTITIONS)).unwrap();
        let mut chance = Chance(seed);
        let live = live.map(|lines| Live::new(lines, &mut chance));
        let weather = Rc::new(RefCell::new(Weather::new(chance, trouble, log.clone())));
        let feeder = Some(log.feeder());
        let stop: &'static AtomicBool = Box::leak(Box::default());
        let slots = (0..SLOTS).map(|slot| if slot < shards { Slot::Away(parts(&weather, live.is_some(), witness, stop), 0) } else { Slot::Empty }).collect();
        Self { log, weather, feeder, slots, sent: 0, live, stop }
    }

    fn undisturbed(lines: &[Line]) -> Outcome {
        static CALM: Witness = Witness(AtomicU64::new(0));
        Self::new(0, 0, 1, None, &CALM).run(lines).unwrap().stands
    }

    /// Runs to the end, and answers what stands.
    fn run(mut self, lines: &[Line]) -> Result<Left, String> {
        let troubled = self.weather.borrow().trouble > 0;
        for turn in 0..TURNS {
            if turn == TROUBLED {
                let mut weather = self.weather.borrow_mut();
                (weather.trouble, weather.outage) = (0, 0);
            }
            self.send(lines, troubled);
            self.happen(troubled && turn < TROUBLED);
            let slot = self.weather.borrow_mut().chance.below(SLOTS as u64) as usize;
            self.turn(slot)?;
            if self.sent == lines.len() && self.is_done() {
                let stands = outcome::read(&mut self.log.tail(&TOPICS, Since::Beginning));
                return Ok(Left { stands, replayed: if self.live.is_some() { Some(self.replay()?) } else { None } });
            }
        }
        let slots: Vec<String> = self.slots.iter().map(Slot::told).collect();
        Err(format!("no end after {TURNS} turns; {} of {} records were sent; {}", self.sent, lines.len(), slots.join("; ")))
    }

    fn replay(&self) -> Result<Outcome, String> {
        let weather = &mut *self.weather.borrow_mut();
        let (replayed, journal) = live::replay(&self.log, &mut weather.chance)?;
        for line in journal {
            weather.tell(match line.entry {
                Entry::IdleMark { .. } => "mark",
                Entry::IdleEnd { .. } => "end of a mark",
                Entry::Tick { .. } => "tick",
                Entry::Command { .. } => "command on arrival",
                Entry::ModelMissed { .. } => "miss journaled",
                Entry::ModelSwap { .. } => "swap journaled",
                Entry::VenueReload { .. } => "reload journaled",
            });
        }
        Ok(replayed)
    }

    fn send(&mut self, lines: &[Line], troubled: bool) {
        let Some(feeder) = &mut self.feeder else { return };
        let weather = &mut *self.weather.borrow_mut();
        if let Some(live) = &mut self.live {
            self.sent += live.pass(&self.log, feeder, &mut weather.chance);
            feeder.flush().unwrap();
            if live.is_over() {
                self.feeder = None;
            }
            return;
        }
        let count = if troubled { weather.chance.below(12) } else { 64 } as usize;
        for line in lines.iter().skip(self.sent).take(count) {
            feeder.copy(&line.record()).unwrap();
            self.sent += 1;
        }
        feeder.flush().unwrap();
        if self.sent == lines.len() {
            self.feeder = None;
        }
    }

    /// What happens around the shards: the dead are missed, others come and go.
    fn happen(&mut self, troubled: bool) {
        let mut weather = self.weather.borrow_mut();
        let passes = weather.chance.below(8);
        weather.now += Duration::from_millis(passes);
        if !weather.ghosts.is_empty() && (!troubled || weather.chance.hits(100)) {
            let (group, ghost) = weather.ghosts.remove(0);
            self.log.expel_member(group, ghost);
        }
        if !troubled || !weather.chance.hits(15) {
            return;
        }
        let (slot, group) = (weather.chance.below(SLOTS as u64) as usize, weather.group);
        match weather.chance.below(4) {
            0 if weather.now.as_millis().is_multiple_of(3) => {
                weather.tell("group forgotten");
                drop(weather);
                self.log.forget_group(group);
            }
            0 => {
                weather.tell("everybody expelled");
                drop(weather);
                self.log.expel(group);
            }
            // Once in a while, since taking over from another group costs much. Two groups that both begin on topics without a state know nothing of each other.
            1 if weather.now.as_millis().is_multiple_of(5) && (0..PARTITIONS).all(|partition| self.log.end(Topic::Out(OutTopic::State), partition) > 0) => {
                weather.tell("group renamed");
                weather.rename_group();
            }
            _ => {
                weather.tell("left");
                drop(weather);
                self.leave(slot);
            }
        }
    }

    /// A clean leave: stopped, finished, gone.
    fn leave(&mut self, slot: usize) {
        if !matches!(self.slots[slot], Slot::Living(..)) {
            return;
        }
        let Slot::Living(mut shard, _) = std::mem::replace(&mut self.slots[slot], Slot::Empty) else { return };
        self.stop.store(true, Ordering::Relaxed);
        let _ = shard.turn();
        self.stop.store(false, Ordering::Relaxed);
        let pause = self.weather.borrow_mut().chance.below(30) as u32;
        self.slots[slot] = Slot::Away(shard.around(), pause);
    }

    fn turn(&mut self, slot: usize) -> Result<(), String> {
        let next = match std::mem::replace(&mut self.slots[slot], Slot::Empty) {
            Slot::Empty => Slot::Empty,
            Slot::Away(parts, 0) => Slot::Living(Box::new(Shard::new(parts)), false),
            Slot::Away(parts, pause) => Slot::Away(parts, pause - 1),
            Slot::Living(mut shard, _) => match shard.turn() {
                Ok(last) => Slot::Living(shard, last),
                // Its memory is gone, and what was open with it.
                Err(LogError::Crash { .. }) => Slot::Away(shard.around(), self.weather.borrow_mut().chance.below(40) as u32),
                Err(error) => return Err(format!("a shard gave up: {error}")),
            },
        };
        self.slots[slot] = next;
        Ok(())
    }

    /// Every partition is at work somewhere, was told its end, and is committed.
    fn is_done(&self) -> bool {
        let ended = self.slots.iter().filter_map(|slot| if let Slot::Living(shard, true) = slot { Some(shard) } else { None });
        let closed: BTreeSet<u32> = ended.flat_map(|shard| shard.at_work()).filter(|(_, closed)| *closed).map(|(partition, _)| partition).collect();
        closed.len() == PARTITIONS as usize
    }
}

/// What a shard of a schedule works with. It lives as long as the process, since a shard borrows it; it is small.
fn parts(weather: &Shared, live: bool, witness: &'static Witness, stop: &'static AtomicBool) -> Parts {
    let joining = Rc::clone(weather);
    let mut weather_now = weather.borrow_mut();
    let settings = Settings {
        mode: if live { Mode::ServeToEnd } else { Mode::ToEnd },
        commands_on_arrival: live,
        commit_interval: Duration::from_millis([0, 3, 15][weather_now.chance.below(3) as usize]),
        poll_records: if weather_now.trouble > 0 { 1 + weather_now.chance.below(48) as usize } else { 4_096 },
        retry_pause: Duration::from_millis(2),
        retries: 1_000,
        waiting_bytes: [2_000, 1 << 20][weather_now.chance.below(2) as usize],
        ..Settings::default()
    };
    drop(weather_now);
    Around {
        open: Box::leak(Box::new(move || Shaken::join(&joining).map(|log| Box::new(log) as Box<dyn ShardLog>))),
        make: Box::leak(Box::new(if live { live_engine as Make } else { engine as Make })),
        models: Box::leak(Box::new(Stub { weather: live.then(|| Rc::clone(weather)) })),
        settings: Box::leak(Box::new(settings)),
        watch: witness,
        stop,
        clock: Box::leak(Box::new(SimClock(Rc::clone(weather)))),
    }
}

/// Runs the schedule of a seed and compares what stands.
fn try_seed(seed: u64) -> Result<BTreeMap<&'static str, u32>, String> {
    let (lines, expected) = night();
    let witness: &'static Witness = Box::leak(Box::default());
    let (trouble, shards) = (1 + seed % 12, 1 + (seed / 12 % SLOTS as u64) as usize);
    let live = (seed / 36 % 3 == 1).then_some(&lines[..]);
    let schedule = Schedule::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d), trouble, shards, live, witness);
    let weather = Rc::clone(&schedule.weather);
    let outcome = schedule.run(lines);
    weather.borrow_mut().log = None;
    let Left { stands, replayed } = outcome?;
    if replayed.is_none() {
        stands.state_differs_from(expected).map_or(Ok(()), Err)?;
    }
    let expected = replayed.as_ref().unwrap_or(expected);
    stands.differs_from(expected).map_or(Ok(()), Err)?;
    stands.stale_alert(expected).map_or(Ok(()), Err)?;
    if replayed.is_some() {
        stands.must_be_balanced();
    }
    match witness.0.load(Ordering::Relaxed) {
        0 => Ok(weather.borrow().told.clone()),
        broken => Err(format!("{broken} alerts were not made again byte for byte")),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn however_the_shards_and_the_log_fail_the_bytes_are_those_of_an_undisturbed_run() {
    if let Some(seed) = number("MIDAN_SEED") {
        return println!("seed {seed}: {:?}", try_seed(seed).unwrap_or_else(|why| panic!("seed {seed}: {why}")));
    }
    let schedules = number("MIDAN_SCHEDULES").unwrap_or(SCHEDULES);
    let (next, began) = (AtomicU64::new(0), std::time::Instant::now());
    night();
    for seed in ONCE_BROKEN {
        try_seed(seed).unwrap_or_else(|why| panic!("MIDAN_SEED={seed}: {why}"));
    }
    let work = || {
        let mut told: BTreeMap<&'static str, u32> = BTreeMap::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= schedules {
                return told;
            }
            match try_seed(seed) {
                Ok(more) => more.into_iter().for_each(|(what, count)| *told.entry(what).or_default() += count),
                Err(why) => panic!("MIDAN_SEED={seed} cargo test --profile ci --test it simulation -- --nocapture   # {why}"),
            }
        }
    };
    let told = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).fold(BTreeMap::<&str, u32>::new(), |mut all, told| {
            told.into_iter().for_each(|(what, count)| *all.entry(what).or_default() += count);
            all
        })
    });
    println!("{schedules} schedules in {:.1} s: {told:?}", began.elapsed().as_secs_f64());
    let faults = [
        "crash",
        "outage",
        "slept",
        "refused",
        "answer lost",
        "request lost",
        "fenced",
        "left",
        "group forgotten",
        "group renamed",
        "blocked",
        "fence under way",
        "fence failed",
        "fence stands",
    ];
    let decisions = ["mark", "end of a mark", "tick", "command on arrival", "miss journaled", "swap journaled", "ordered model missing"];
    assert!(schedules < 500 || faults.iter().chain(&decisions).all(|what| told.contains_key(what)));
}

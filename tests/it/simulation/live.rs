//! Live schedules: the broker's time passes, sources fall silent and speak again, models miss their deadline or are missing where they were ordered, commands take effect when they are read.
//!
//! What is decided then hangs on what was read when, so there is no undisturbed run to compare with. But every decision is in the journal of the disturbed run, and a replay of its inputs
//! that follows this journal must come to the same bytes (DESIGN §4 rule 5), however the feeds are read.

use super::miniature::{Line, PARTITIONS, Stub, engine_of};
use super::outcome::{Outcome, read_all};
use super::shaken::Chance;
use midan::engine::journal::Line as Entry;
use midan::engine::{Control, Effects, Engine, OutTopic, Placement, Settings};
use midan::feeds::Batch;
use midan::log::embedded::{EmbeddedFeeder, EmbeddedLog};
use midan::log::{Since, TailRecord, Topic};
use midan::shard::Models;
use midan::venue::Feed;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The broker's time of a schedule, and what is still to be sent.
pub(super) struct Live {
    /// Epoch ms.
    now: i64,
    /// Until then nothing more is said.
    until: i64,
    /// What each source still has to say, and until when it is silent.
    sources: BTreeMap<String, (VecDeque<Line>, i64)>,
}

impl Live {
    pub(super) fn new(lines: &[Line], chance: &mut Chance) -> Self {
        let mut sources: BTreeMap<String, (VecDeque<Line>, i64)> = BTreeMap::new();
        lines.iter().for_each(|line| sources.entry(line.source.clone()).or_default().0.push_back(line.clone()));
        let received = || lines.iter().map(|line| line.received);
        let (first, last) = (received().min().unwrap_or_default(), received().max().unwrap_or_default());
        Self { now: first - chance.below(150_000) as i64, until: last + chance.below(4) as i64 * 60_000, sources }
    }

    /// Time passes, and what was received meanwhile is sent. Answers how many records that were.
    pub(super) fn pass(&mut self, log: &EmbeddedLog, feeder: &mut EmbeddedFeeder, chance: &mut Chance) -> usize {
        self.now += chance.below(4_000) as i64;
        if chance.hits(50) {
            let nth = chance.below(self.sources.len() as u64) as usize;
            self.fall_silent(nth..nth + 1, chance);
        }
        if chance.hits(10) {
            self.fall_silent(0..self.sources.len(), chance);
        }
        log.set_clock(self.now);
        let mut sent = 0;
        for (queue, silent_until) in self.sources.values_mut().filter(|(_, silent_until)| *silent_until <= self.now) {
            *silent_until = 0;
            while let Some(line) = queue.pop_front_if(|line| line.received <= self.now) {
                feeder.copy(&line.record()).unwrap();
                sent += 1;
            }
        }
        sent
    }

    fn fall_silent(&mut self, which: std::ops::Range<usize>, chance: &mut Chance) {
        let until = self.now + 20_000 + chance.below(150_000) as i64;
        self.sources.values_mut().skip(which.start).take(which.len()).for_each(|(_, silent_until)| *silent_until = until);
    }

    pub(super) fn is_over(&self) -> bool {
        self.now >= self.until && self.sources.values().all(|(queue, _)| queue.is_empty())
    }
}

/// Runs the inputs of a log again, following the journal that stands in it.
pub(super) fn replay(log: &EmbeddedLog, chance: &mut Chance) -> Result<(Outcome, Vec<Entry>), String> {
    let journal = read_all(&mut log.tail(&[Topic::Out(OutTopic::Control)], Since::Beginning));
    let journal: Vec<Entry> = journal.iter().map(|record| Entry::read(record.value.as_deref().unwrap_or_default())).collect::<Result<_, _>>()?;
    let settings = Settings { placement: Placement::OnArrival, journal: Some(Arc::new(journal.clone())), ..Settings::default() };
    let inputs = Feed::ALL.map(|feed| read_all(&mut log.tail(&[Topic::In(feed)], Since::Beginning)));
    let mut outcome = Outcome::default();
    for partition in 0..PARTITIONS {
        let mut engine = engine_of(partition, settings.clone());
        let mut feeds: Vec<VecDeque<&TailRecord>> =
            inputs.iter().map(|records| records.iter().filter(|record| record.partition == partition).collect()).collect();
        // Far ahead in one feed, then in another: the journal alone says what came before what.
        while feeds.iter().any(|feed| !feed.is_empty()) {
            let nth = chance.below(feeds.len() as u64) as usize;
            let count = feeds[nth].len().min(1 + chance.below(60) as usize);
            let mut batch = Batch::default();
            feeds[nth].drain(..count).for_each(|record| batch.push(&record.as_input(Feed::ALL[nth])));
            step(&mut engine, &batch, &[], &mut outcome);
        }
        step(&mut engine, &Batch::default(), &[Control::EndOfInput], &mut outcome);
        if engine.unfollowed() > 0 {
            // A partition has one venue here.
            let venue = engine.closed_to().next().map(|(venue, _)| venue.id.clone()).unwrap_or_default();
            let of_venue: Vec<&Entry> = journal.iter().filter(|line| line.venue == venue).collect();
            let first = of_venue.len().saturating_sub(engine.unfollowed());
            return Err(format!(
                "{} of {} entries of the journal of {venue} found no place; the first, with the one before it: {:?}",
                engine.unfollowed(),
                of_venue.len(),
                &of_venue[first.saturating_sub(1)..=first]
            ));
        }
    }
    Ok((outcome, journal))
}

fn step(engine: &mut Engine, batch: &Batch, controls: &[Control], outcome: &mut Outcome) {
    let mut effects: Effects = engine.step(batch, controls);
    loop {
        for record in effects.records {
            outcome.take(record.topic, record.key, None, Some(record.value));
        }
        for alert in effects.alerts {
            outcome.take(OutTopic::Alerts, alert.key, Some(alert.change_no), Some(alert.value));
        }
        if effects.asks.is_empty() {
            return;
        }
        let answers: Vec<Control> = effects.asks.iter().map(|ask| Control::Models(Stub::default().run(ask))).collect();
        effects = engine.step(&Batch::default(), &answers);
    }
}

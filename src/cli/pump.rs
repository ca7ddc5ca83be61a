//! Carries the output topics to those who watch them: the live view, the summary, the results of a replay, the line in the terminal.

use super::service::Around;
use crate::alarm::Change;
use crate::engine::OutTopic;
use crate::log::{Answer, Freshest, HEARTBEAT_PREFIX, LogError, Sighting, Tail, TailRecord, Topic};
use crate::results::Results;
use crate::summary::{Summary, ZoneRecord};
use crate::telemetry::happening::{AlarmChanged, AlarmsActive, Covered, HeartbeatSeen, Quarantined};
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The output topics that somebody watches.
pub(super) const WATCHED: [Topic; 5] =
    [Topic::Out(OutTopic::Zones), Topic::Out(OutTopic::Alerts), Topic::Out(OutTopic::Alarms), Topic::Out(OutTopic::Ledger), Topic::Out(OutTopic::Quarantine)];

/// Records that are taken at a time.
const AT_A_TIME: usize = 5_000;

/// Who watches.
pub(super) struct Watchers<'a> {
    pub(super) around: &'a Around,
    pub(super) summary: Summary,
    /// What of the alerts is news.
    pub(super) freshest: Freshest,
    pub(super) results: Option<Results>,
    /// Broker time now, epoch ms.
    pub(super) now: Box<dyn Fn() -> i64 + 'a>,
    /// Told of every whole pane and every change of an alarm.
    pub(super) told: Box<dyn FnMut(&News<'_>) + 'a>,
}

/// What there is to tell.
pub(super) enum News<'a> {
    Pane(VenuePane<'a>),
    Alarm(Box<Change>),
}

/// When a reader of the outputs is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// It is told to stop: nobody waits for a page to be up to date.
    Told,
    /// It is told to stop and has read all there is.
    Read,
}

/// Makes a call again for as long as its answer is to do so and nobody stops: a reader that gives up leaves the console without a picture.
pub(super) fn patiently<T>(mut call: impl FnMut() -> Result<T, LogError>, stop: &AtomicBool) -> Result<T, LogError> {
    loop {
        match call() {
            Err(why) if why.answer() == Answer::Retry && !stop.load(Ordering::Relaxed) => {
                tracing::debug!(%why, "A call is made again.");
                pause();
            }
            result => return result,
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "there is no signal to wait for when a broker is busy")]
fn pause() {
    std::thread::sleep(Duration::from_millis(100));
}

/// A whole pane of a venue, for the line in the terminal.
#[derive(Debug, Deserialize)]
pub(super) struct VenuePane<'a> {
    pub(super) venue: &'a str,
    kind: &'a str,
    pub(super) event_time: i64,
    pub(super) coverage: f64,
    #[serde(rename = "match", default)]
    pub(super) match_day: Option<MatchLine>,
}

/// What the line says of the match.
#[derive(Debug, Deserialize)]
pub(super) struct MatchLine {
    pub(super) kick_off: i64,
    #[serde(default)]
    pub(super) admitted: Option<u32>,
}

impl Watchers<'_> {
    /// Reads `tail` until `stop` is set and, with [`Until::Read`], its end is reached.
    pub(super) fn follow(&mut self, tail: &mut dyn Tail, stop: &AtomicBool, until: Until) -> anyhow::Result<()> {
        let mut records = Vec::new();
        loop {
            let stopping = stop.load(Ordering::Relaxed);
            if stopping && until == Until::Told {
                return Ok(());
            }
            records.clear();
            match patiently(|| tail.poll(AT_A_TIME, Duration::from_millis(100), &mut records), stop) {
                Err(_) if until == Until::Told && stop.load(Ordering::Relaxed) => return Ok(()),
                polled => polled?,
            }
            self.around.view.set_now((self.now)());
            for record in &records {
                self.take(record)?;
            }
            if stopping && records.is_empty() && tail.at_end() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, record: &TailRecord) -> anyhow::Result<()> {
        let (Topic::Out(topic), Some(value)) = (record.topic, &record.value) else { return Ok(()) };
        if let Some(member) = std::str::from_utf8(&record.key).ok().filter(|_| topic == OutTopic::Alerts).and_then(|key| key.strip_prefix(HEARTBEAT_PREFIX)) {
            self.around.telemetry.emit(HeartbeatSeen { member });
            return Ok(());
        }
        if let Some(results) = &mut self.results {
            // A replay leaves files behind and serves nobody: neither a console nor metrics watch it.
            if topic == OutTopic::Zones {
                let record = ZoneRecord::read(value);
                self.summary.take_zones(record.as_ref());
                results.take_zones(value, record.as_ref())?;
            } else {
                self.summary.take(topic, value);
                results.take(topic, value)?;
            }
            if topic == OutTopic::Quarantine {
                results.take_quarantined(record.header("midan-position").unwrap_or_default(), value)?;
            }
            return Ok(());
        }
        self.summary.take(topic, value);
        let is_news = topic != OutTopic::Alerts || self.freshest.take(record) == Sighting::Fresh;
        if topic != OutTopic::Alarms && is_news {
            self.around.view.take(topic, value);
        }
        match topic {
            OutTopic::Zones => self.take_pane(value),
            OutTopic::Alarms => self.take_change(value),
            OutTopic::Quarantine => self.take_quarantined(value, record.header("midan-position")),
            _ => {}
        }
        Ok(())
    }

    fn take_pane(&mut self, value: &[u8]) {
        let Ok(pane) = serde_json::from_slice::<VenuePane<'_>>(value) else { return };
        if pane.kind == "venue" {
            self.around.telemetry.emit(Covered { venue: pane.venue, coverage: pane.coverage });
            for (priority, alarms) in self.around.view.active_by_priority(pane.venue) {
                self.around.telemetry.emit(AlarmsActive { venue: pane.venue, priority, alarms });
            }
            (self.told)(&News::Pane(pane));
        }
    }

    fn take_change(&mut self, value: &[u8]) {
        let Ok(change) = serde_json::from_slice::<Change>(value) else { return };
        let word = serde_json::to_value(change.change).ok();
        let word = word.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        self.around.telemetry.emit(AlarmChanged { venue: &change.venue, code: change.code.word(), change: word, alarm_id: &change.alarm_id });
        (self.told)(&News::Alarm(Box::new(change)));
    }

    fn take_quarantined(&self, value: &[u8], position: Option<&str>) {
        #[derive(Deserialize)]
        struct Reason<'a> {
            reason: &'a str,
        }
        let Ok(Reason { reason }) = serde_json::from_slice(value) else { return };
        let topic = position.and_then(|position| position.split('/').next()).unwrap_or("unknown");
        self.around.telemetry.emit(Quarantined { topic, reason });
    }
}

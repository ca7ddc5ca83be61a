//! The happenings: each knows its metric, its labels and its log line, and nobody else does.

use super::metrics::Telemetry;
use crate::inference::ModelCardRef;
use crate::time::EventTime;

/// Something that happened at the edge.
pub trait Happening {
    /// Counts it.
    fn count(&self, telemetry: &Telemetry);

    /// Writes its log line, where it deserves one.
    fn log(&self) {}
}

/// A transaction was committed.
#[derive(Clone, Copy, Debug)]
pub struct Committed {
    /// How long the commit took, s.
    pub seconds: f64,
}

/// A transaction was aborted; its work will be done again.
#[derive(Clone, Debug)]
pub struct Aborted<'a> {
    /// Why.
    pub why: &'a str,
}

/// The models were asked for one pane.
#[derive(Clone, Copy, Debug)]
pub struct ModelRan {
    /// Which model.
    pub model: &'static str,
    /// `ok`, `missed` or `fallback`.
    pub outcome: &'static str,
    /// How long it took, s.
    pub seconds: f64,
}

/// Words of a forecast about the next step were held against what came.
#[derive(Clone, Copy, Debug)]
pub struct ModelJudged {
    /// Whose: `plain` (no model), `flow` or `shadow`.
    pub model: &'static str,
    /// Series whose step came.
    pub cases: u64,
    /// Sum of the distances between median and count, persons.
    pub error: f64,
    /// How many lay within the 10 % and 90 % quantiles.
    pub inside: u64,
}

/// A model that an operator has ordered was looked for on this instance.
#[derive(Clone, Copy, Debug)]
pub struct ModelNamed<'a> {
    /// `flow` or `anomaly`.
    pub model: &'static str,
    /// Which.
    pub card: &'a ModelCardRef,
    /// Why it cannot speak; `None` where it is ready.
    pub fault: Option<&'a str>,
}

/// An ordered model cannot be had in this process, or that is no matter any more: it has come, or nobody orders it.
#[derive(Clone, Copy, Debug)]
pub struct ModelLacked<'a> {
    /// `flow` or `anomaly`.
    pub model: &'static str,
    /// The hash of its file.
    pub sha256: &'a str,
    /// Whether it is lacking.
    pub lacking: bool,
}

/// From a pane on another model is asked at a venue.
#[derive(Clone, Copy, Debug)]
pub struct ModelSwapped<'a> {
    /// The venue.
    pub venue: &'a str,
    /// `flow` or `anomaly`.
    pub model: &'static str,
    /// Which.
    pub card: &'a ModelCardRef,
    /// The end of the pane.
    pub pane: EventTime,
}

/// The inputs of the flow model of the last week were held against a reference.
#[derive(Clone, Copy, Debug)]
pub struct InputsMoved<'a> {
    /// The venue.
    pub venue: &'a str,
    /// Which part of the inputs.
    pub part: &'static str,
    /// Against what: `training` or `second_week`.
    pub against: &'static str,
    /// Population stability index of its column that moved most.
    pub psi: f64,
}

/// A step closed panes.
#[derive(Clone, Copy, Debug)]
pub struct PanesClosed {
    /// How long it took, models included, s.
    pub seconds: f64,
}

/// A venue has closed panes up to a time.
#[derive(Clone, Copy, Debug)]
pub struct VenueAdvanced<'a> {
    /// The venue.
    pub venue: &'a str,
    /// End of its last closed pane.
    pub closed_to: EventTime,
    /// Broker time, epoch ms.
    pub now: i64,
    /// Panes closed since last told.
    pub panes: u64,
}

/// A shard's heartbeat was read on `midan.alerts`: it lives, though nothing may be wrong anywhere.
#[derive(Clone, Copy, Debug)]
pub struct HeartbeatSeen<'a> {
    /// Whose: group, instance and shard.
    pub member: &'a str,
}

/// A source's watermark has moved.
#[derive(Clone, Copy, Debug)]
pub struct SourceAdvanced<'a> {
    /// The venue.
    pub venue: &'a str,
    /// The source.
    pub source: &'a str,
    /// Its watermark.
    pub watermark: EventTime,
}

/// Something went to quarantine.
#[derive(Clone, Copy, Debug)]
pub struct Quarantined<'a> {
    /// The input topic.
    pub topic: &'a str,
    /// The reason.
    pub reason: &'a str,
}

/// An alarm changed.
#[derive(Clone, Copy, Debug)]
pub struct AlarmChanged<'a> {
    /// The venue.
    pub venue: &'a str,
    /// The detector.
    pub code: &'a str,
    /// What changed.
    pub change: &'a str,
    /// The alarm.
    pub alarm_id: &'a str,
}

/// How many alarms of a priority are active.
#[derive(Clone, Copy, Debug)]
pub struct AlarmsActive<'a> {
    /// The venue.
    pub venue: &'a str,
    /// The priority.
    pub priority: &'a str,
    /// How many.
    pub alarms: i64,
}

/// A venue's coverage at its last pane.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// The venue.
    pub venue: &'a str,
    /// Share of the expected sensors that reported.
    pub coverage: f64,
}

/// How far a shard is behind on one partition.
#[derive(Clone, Copy, Debug)]
pub struct Lagging<'a> {
    /// The input topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: u32,
    /// Records not read yet.
    pub records: i64,
}

/// A shard polled the log.
#[derive(Clone, Copy, Debug)]
pub struct Polled {
    /// Which shard.
    pub shard: usize,
    /// When, seconds since 1970 on this machine's clock.
    pub at_s: f64,
}

/// The fate of a payload at the door is known.
#[derive(Clone, Copy, Debug)]
pub struct PayloadSettled<'a> {
    /// Its source.
    pub source: &'a str,
    /// What became of it.
    pub fate: crate::door::ledger::Fate,
}

/// A webhook's payload was written.
#[derive(Clone, Copy, Debug)]
pub struct PayloadWritten {
    /// From its body to the log's word, s.
    pub seconds: f64,
}

/// A polled feed has gone stale, or has come back.
#[derive(Clone, Copy, Debug)]
pub struct FeedStale<'a> {
    /// Its source.
    pub source: &'a str,
    /// Whether it is stale now.
    pub stale: bool,
    /// How old its newest frame is, s.
    pub age_s: f64,
}

/// The door's clock was held against the broker's. What it stamps as received is believed by everybody behind it.
#[derive(Clone, Copy, Debug)]
pub struct ClocksCompared {
    /// By how much the door is ahead, s; the way of a record to the broker is part of it.
    pub ahead_s: f64,
}

impl Happening for ClocksCompared {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.door_ahead.with_label_values::<&str>(&[]).set(self.ahead_s);
    }
}

impl Happening for PayloadSettled<'_> {
    fn count(&self, telemetry: &Telemetry) {
        use crate::door::ledger::Fate;
        let fate = match self.fate {
            Fate::Written { records } => {
                telemetry.door_records.with_label_values(&[self.source]).inc_by(records);
                "written"
            }
            Fate::Ignored => "ignored",
            Fate::Refused => "refused",
        };
        telemetry.door_payloads.with_label_values(&[self.source, fate]).inc();
    }
}

impl Happening for PayloadWritten {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.door_duration.observe(self.seconds);
    }
}

impl Happening for FeedStale<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.door_stale.with_label_values(&[self.source]).set(i64::from(self.stale));
    }

    fn log(&self) {
        if self.stale {
            tracing::warn!(source = self.source, age_s = self.age_s, "A polled feed is stale.");
        } else {
            tracing::info!(source = self.source, age_s = self.age_s, "A polled feed is fresh again.");
        }
    }
}

impl Happening for Committed {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.commits.inc();
        telemetry.commit_duration.observe(self.seconds);
    }
}

impl Happening for Aborted<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.commit_aborts.inc();
    }

    fn log(&self) {
        tracing::warn!(why = self.why, "Transaction aborted; its work is done again.");
    }
}

impl Happening for ModelRan {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.model_runs.with_label_values(&[self.model, self.outcome]).inc();
        if self.outcome == "ok" {
            telemetry.model_run_duration.with_label_values(&[self.model]).observe(self.seconds);
        }
    }

    fn log(&self) {
        if self.outcome == "missed" {
            tracing::warn!(model = self.model, seconds = self.seconds, "Model missed its deadline; the fallback stands in.");
        }
    }
}

impl Happening for ModelJudged {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.model_cases.with_label_values(&[self.model]).inc_by(self.cases);
        telemetry.model_error.with_label_values(&[self.model]).inc_by(self.error);
        telemetry.model_inside.with_label_values(&[self.model]).inc_by(self.inside);
    }
}

impl Happening for ModelNamed<'_> {
    /// Whether it is lacking is told by [`ModelLacked`], which knows what all venues order.
    fn count(&self, _telemetry: &Telemetry) {}

    fn log(&self) {
        let ModelCardRef { name, version, sha256 } = self.card;
        match self.fault {
            None => tracing::info!(model = self.model, name, version, sha256, "An ordered model is loaded and warm."),
            Some(why) => {
                tracing::error!(model = self.model, name, version, sha256, why, "An ordered model cannot speak on this instance; who spoke before goes on.")
            }
        }
    }
}

impl Happening for ModelLacked<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.model_unavailable.with_label_values(&[self.model, self.sha256]).set(i64::from(self.lacking));
    }
}

impl Happening for ModelSwapped<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.model_swaps.with_label_values(&[self.venue, self.model]).inc();
    }

    fn log(&self) {
        let ModelCardRef { name, version, sha256 } = self.card;
        tracing::info!(venue = self.venue, model = self.model, name, version, sha256, pane = self.pane.as_millis(), "Another model speaks from this pane on.");
    }
}

impl Happening for InputsMoved<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.model_input_psi.with_label_values(&[self.venue, self.part, self.against]).set(self.psi);
    }
}

impl Happening for PanesClosed {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.pane_close_duration.observe(self.seconds);
    }
}

impl Happening for VenueAdvanced<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.event_time.with_label_values(&[self.venue]).set(self.closed_to.as_millis() as f64 / 1_000.0);
        telemetry.delay.with_label_values(&[self.venue]).set((self.now - self.closed_to.as_millis()) as f64 / 1_000.0);
        telemetry.panes_closed.with_label_values(&[self.venue]).inc_by(self.panes);
    }
}

impl Happening for HeartbeatSeen<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.heartbeats.with_label_values(&[self.member]).inc();
    }
}

impl Happening for SourceAdvanced<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.source_watermark.with_label_values(&[self.venue, self.source]).set(self.watermark.as_millis() as f64 / 1_000.0);
    }
}

impl Happening for Quarantined<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.quarantined.with_label_values(&[self.topic, self.reason]).inc();
    }
}

impl Happening for AlarmChanged<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.alarm_changes.with_label_values(&[self.venue, self.code, self.change]).inc();
    }

    fn log(&self) {
        // A standing alarm is reassessed at every pane.
        if self.change == "reassessed" {
            return tracing::debug!(venue = self.venue, alarm = self.alarm_id, change = self.change, "Alarm changed.");
        }
        tracing::info!(venue = self.venue, alarm = self.alarm_id, change = self.change, "Alarm changed.");
    }
}

impl Happening for AlarmsActive<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.alarms_active.with_label_values(&[self.venue, self.priority]).set(self.alarms);
    }
}

impl Happening for Covered<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.coverage.with_label_values(&[self.venue]).set(self.coverage);
    }
}

impl Happening for Lagging<'_> {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.log_lag.with_label_values(&[self.topic, &self.partition.to_string()]).set(self.records);
    }
}

impl Happening for Polled {
    fn count(&self, telemetry: &Telemetry) {
        telemetry.last_poll.with_label_values(&[&self.shard.to_string()]).set(self.at_s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_that_is_ordered_no_more_is_not_unavailable() {
        let telemetry = Telemetry::new().unwrap();
        for lacking in [true, false] {
            telemetry.emit(ModelLacked { model: "flow", sha256: "ab", lacking });
            let text = telemetry.render();
            assert!(text.contains(&format!("midan_model_unavailable{{model=\"flow\",sha256=\"ab\"}} {}\n", i64::from(lacking))), "{text}");
        }
    }

    #[test]
    fn a_shadows_score_stands_beside_that_of_the_model_that_speaks() {
        let telemetry = Telemetry::new().unwrap();
        telemetry.emit(ModelJudged { model: "flow", cases: 4, error: 10.5, inside: 3 });
        telemetry.emit(ModelJudged { model: "shadow", cases: 4, error: 8.0, inside: 4 });
        let text = telemetry.render();
        for line in [
            "error_persons_total{model=\"flow\"} 10.5",
            "error_persons_total{model=\"shadow\"} 8",
            "inside_total{model=\"flow\"} 3",
            "cases_total{model=\"shadow\"} 4",
        ] {
            assert!(text.contains(&format!("midan_model_{line}\n")), "{line}: {text}");
        }
    }
}

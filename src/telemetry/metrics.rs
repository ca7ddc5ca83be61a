//! Every metric of the service, in one place.

use super::happening::Happening;
use crate::engine::Sums;
use crate::venue::Feed;
use prometheus::{
    CounterVec, Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use std::sync::Arc;

/// The metrics, registered once.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    pub(super) records: IntCounterVec,
    pub(super) observations: IntCounterVec,
    pub(super) imbalance: IntGaugeVec,
    pub(super) quarantined: IntCounterVec,
    pub(super) event_time: GaugeVec,
    pub(super) source_watermark: GaugeVec,
    pub(super) delay: GaugeVec,
    pub(super) coverage: GaugeVec,
    pub(super) panes_closed: IntCounterVec,
    pub(super) alarms_active: IntGaugeVec,
    pub(super) alarm_changes: IntCounterVec,
    pub(super) commit_duration: Histogram,
    pub(super) commits: IntCounter,
    pub(super) commit_aborts: IntCounter,
    pub(super) alerts_unproven: IntCounter,
    pub(super) stalls: IntCounterVec,
    pub(super) disagreements: IntCounterVec,
    pub(super) model_runs: IntCounterVec,
    pub(super) model_run_duration: HistogramVec,
    pub(super) model_cases: IntCounterVec,
    pub(super) model_error: CounterVec,
    pub(super) model_inside: IntCounterVec,
    pub(super) model_input_psi: GaugeVec,
    pub(super) model_unavailable: IntGaugeVec,
    pub(super) model_swaps: IntCounterVec,
    pub(super) pane_close_duration: Histogram,
    pub(super) log_lag: IntGaugeVec,
    pub(super) last_poll: GaugeVec,
    pub(super) door_payloads: IntCounterVec,
    pub(super) door_records: IntCounterVec,
    pub(super) door_stale: IntGaugeVec,
    pub(super) door_ahead: GaugeVec,
    pub(super) door_duration: Histogram,
    pub(super) heartbeats: IntCounterVec,
    clients: IntGauge,
    started: Gauge,
}

/// A connected console; it counts until it is dropped.
#[derive(Debug)]
pub struct ConsoleClient(IntGauge);

impl Drop for ConsoleClient {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Telemetry {
    /// Registers every metric.
    ///
    /// # Errors
    /// When two metrics share a name, which is a fault of this file.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let r = &registry;
        let telemetry = Self {
            records: counters(r, "midan_records_total", "Records read, by what became of them.", &["topic", "partition", "verdict"])?,
            observations: counters(r, "midan_observations_total", "Observations, by what became of them.", &["topic", "partition", "verdict"])?,
            imbalance: int_gauges(r, "midan_ledger_imbalance", "Records and observations unaccounted for; must be 0.", &["topic", "partition"])?,
            quarantined: counters(r, "midan_quarantined_total", "Records and observations that could not be used, by reason.", &["topic", "reason"])?,
            event_time: gauges(r, "midan_event_time_seconds", "End of the last closed pane, unix time.", &["venue"])?,
            source_watermark: gauges(r, "midan_source_watermark_seconds", "Watermark of a source, unix time.", &["venue", "source"])?,
            delay: gauges(r, "midan_watermark_delay_seconds", "Broker time less the end of the last closed pane.", &["venue"])?,
            coverage: gauges(r, "midan_coverage_ratio", "Share of the expected sensors that reported.", &["venue"])?,
            panes_closed: counters(r, "midan_panes_closed_total", "Panes closed.", &["venue"])?,
            alarms_active: int_gauges(r, "midan_alarms_active", "Alarms that are not normal.", &["venue", "priority"])?,
            alarm_changes: counters(r, "midan_alarm_changes_total", "Changes of alarms.", &["venue", "code", "change"])?,
            commit_duration: histogram(r, "midan_commit_duration_seconds", "From the end of a transaction's work to its commit.")?,
            commits: counter(r, "midan_commits_total", "Transactions committed.")?,
            commit_aborts: counter(r, "midan_commit_aborts_total", "Transactions aborted.")?,
            alerts_unproven: counter(r, "midan_alerts_unproven_total", "Alerts sent before a crash that were not made again byte for byte; must be 0.")?,
            stalls: counters(r, "midan_stalls_total", "Partitions with unread records that stood still and were taken up again.", &["topic", "partition"])?,
            disagreements: counters(
                r,
                "midan_resume_disagreements_total",
                "Partitions taken up whose state, group and log did not agree, by what was wrong.",
                &["topic", "partition", "what"],
            )?,
            model_runs: counters(r, "midan_model_runs_total", "Requests to a model, by outcome.", &["model", "outcome"])?,
            model_run_duration: histograms(r, "midan_model_run_duration_seconds", "A model's run, tensor in to tensor out.", &["model"])?,
            model_cases: counters(r, "midan_model_cases_total", "Forecasts of the next step whose count came, by who made them.", &["model"])?,
            model_error: sums(r, "midan_model_error_persons_total", "Sum of the distances between their medians and what came.", &["model"])?,
            model_inside: counters(r, "midan_model_inside_total", "How many of them had what came within their 10 % and 90 % quantiles.", &["model"])?,
            model_input_psi: gauges(
                r,
                "midan_model_input_psi",
                "Population stability index of the flow model's inputs, last week against the model's training or the venue's second week.",
                &["venue", "part", "against"],
            )?,
            model_unavailable: int_gauges(
                r,
                "midan_model_unavailable",
                "Whether a model that was ordered cannot speak on this instance.",
                &["model", "sha256"],
            )?,
            model_swaps: counters(r, "midan_model_swaps_total", "How often another model was asked than before.", &["venue", "model"])?,
            pane_close_duration: histogram(r, "midan_pane_close_duration_seconds", "A step that closed panes, models included.")?,
            log_lag: int_gauges(r, "midan_log_lag_records", "Records that are not read yet.", &["topic", "partition"])?,
            last_poll: gauges(r, "midan_shard_last_poll_timestamp_seconds", "When a shard last polled the log, seconds since 1970.", &["shard"])?,
            door_payloads: counters(r, "midan_door_payloads_total", "Payloads that came to the door, by what became of them.", &["source", "fate"])?,
            door_records: counters(r, "midan_door_records_total", "Records that the door wrote.", &["source"])?,
            door_ahead: gauges(
                r,
                "midan_door_clock_ahead_seconds",
                "By how much the door's clock is ahead of the broker's, the way of a record included.",
                &[],
            )?,
            door_stale: int_gauges(r, "midan_door_feed_stale", "Whether a polled feed is stale.", &["source"])?,
            door_duration: histogram(r, "midan_door_write_duration_seconds", "From a webhook's body to the log's word that it has it.")?,
            heartbeats: counters(r, "midan_heartbeats_total", "Heartbeats read on midan.alerts, by the shard that left them.", &["member"])?,
            clients: {
                let gauge = IntGauge::new("midan_console_clients", "Consoles connected.")?;
                r.register(Box::new(gauge.clone()))?;
                gauge
            },
            started: {
                let opts = Opts::new("midan_build_info", "Always 1; the labels say what runs.").const_label("version", env!("CARGO_PKG_VERSION"));
                let gauge = Gauge::with_opts(opts.const_label("commit", option_env!("MIDAN_COMMIT").unwrap_or("unknown")))?;
                r.register(Box::new(gauge.clone()))?;
                gauge
            },
            registry,
        };
        telemetry.started.set(1.0);
        Ok(Arc::new(telemetry))
    }

    /// Takes a happening in.
    pub fn emit(&self, happening: impl Happening) {
        happening.log();
        happening.count(self);
    }

    /// Takes the totals of an input partition's ledger, as they stand.
    pub fn ledger(&self, feed: Feed, partition: u32, sums: &Sums) {
        let partition = partition.to_string();
        let labels = |verdict: &'static str| [feed.topic(), &partition, verdict].map(str::to_owned);
        for (verdict, total) in [("decoded", sums.decoded), ("undecodable", sums.undecodable), ("command", sums.command)] {
            raise(&self.records, &labels(verdict), total);
        }
        let fates = [
            ("windowed", sums.windowed),
            ("revised", sums.revised),
            ("late", sums.late),
            ("duplicate", sums.duplicate),
            ("quarantined", sums.quarantined),
            ("ignored", sums.ignored),
        ];
        for (verdict, total) in fates {
            raise(&self.observations, &labels(verdict), total);
        }
        let (records, observations) = sums.imbalance();
        self.imbalance.with_label_values(&[feed.topic(), &partition]).set(records.abs() + observations.abs());
    }

    /// Counts a console in until the guard is dropped.
    pub fn console_client(&self) -> ConsoleClient {
        self.clients.inc();
        ConsoleClient(self.clients.clone())
    }

    /// The exposition text.
    pub fn render(&self) -> String {
        let mut text = Vec::new();
        // Writing to memory cannot fail; an empty answer would show as absent metrics.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8(text).unwrap_or_default()
    }
}

/// Raises a counter to `total`; after a restore from an older state it stays where it is.
fn raise(counters: &IntCounterVec, labels: &[String; 3], total: u64) {
    let counter = counters.with_label_values(labels);
    counter.inc_by(total.saturating_sub(counter.get()));
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    let metric = IntCounter::new(name, help)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn sums(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<CounterVec, prometheus::Error> {
    let metric = CounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec, prometheus::Error> {
    let metric = GaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn int_gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

/// From a tenth of a millisecond to 3 s.
fn buckets() -> Result<Vec<f64>, prometheus::Error> {
    prometheus::exponential_buckets(0.000_1, 2.0, 16)
}

fn histogram(registry: &Registry, name: &str, help: &str) -> Result<Histogram, prometheus::Error> {
    let metric = Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets()?))?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn histograms(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<HistogramVec, prometheus::Error> {
    let metric = HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets()?), labels)?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

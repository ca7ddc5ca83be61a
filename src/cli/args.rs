//! The command line.

use clap::{Args, Parser, Subcommand};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Event-time operations for major sporting events.
#[derive(Debug, Parser)]
#[command(name = "midan", version, about, long_about = None)]
pub struct Cli {
    /// The settings; without it `config/midan.toml` where it exists, else the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The service: reads the feeds from Kafka, publishes, serves the console.
    Run(RunArgs),
    /// Lets in what is not keyed by venue: webhooks, polled addresses, foreign topics, files.
    Door(DoorArgs),
    /// A whole match night with nothing else installed.
    Demo(DemoArgs),
    /// Writes the feeds of a match night.
    Simulate(SimulateArgs),
    /// Runs what was recorded through the same engine.
    Replay(ReplayArgs),
    /// Takes records that were too late back in, and has what their windows lacked published.
    Reopen(ReopenArgs),
    /// Says why a window of a zone is open, closed or revised, or why an alarm stands.
    Explain(ExplainArgs),
    /// Holds the conservation ledger against the topics, from outside, and names the offsets of any difference.
    Ledger,
    /// Writes what the engine would show the flow model, as Parquet, for training.
    Features(FeaturesArgs),
    /// Checks a model file.
    Model {
        /// What to do with it.
        #[command(subcommand)]
        action: ModelAction,
    },
    /// Checks configuration, venues and models, and names every fault.
    Check(CheckArgs),
    /// Draws an illustrative venue from the public facts of a stadium.
    Layout {
        /// A file of `config/stadiums/`.
        file: PathBuf,
    },
    /// Turns zones drawn in a geographic information system into lines of a venue file.
    Geojson {
        /// A FeatureCollection of polygons with the properties `id` and `kind`.
        file: PathBuf,
    },
    /// Creates the topics, or checks those that stand.
    Topics {
        /// Which of both.
        #[command(subcommand)]
        action: TopicsAction,
    },
    /// Who has what: the group's shards, what each partition has still to read, who wrote its state.
    Status,
    /// Measures the pipeline beside a loop that only consumes and decodes.
    Bench(BenchArgs),
    /// The incident library and quiet nights through the engine: lead times and false findings.
    Incidents(IncidentsArgs),
    /// Asks a running service whether it is ready.
    Health {
        /// What to ask.
        #[arg(long, default_value = "http://127.0.0.1:8030/readyz")]
        url: String,
    },
}

/// The service.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Shards of this process; without it `shards.count`.
    #[arg(long)]
    pub shards: Option<usize>,
    /// Ends once every input is read to its end, as if no record could follow.
    #[arg(long)]
    pub until_end: bool,
    /// Decides by the records alone: no broker time, no deadline for the models. For runs that are compared with others.
    #[arg(long)]
    pub by_records: bool,
    /// Serves no console.
    #[arg(long)]
    pub no_console: bool,
    /// Opens the door of this file beside the shards.
    #[arg(long, value_name = "FILE")]
    pub door: Option<PathBuf>,
}

/// The door.
#[derive(Debug, Args)]
pub struct DoorArgs {
    /// Its settings.
    #[arg(long, value_name = "FILE", default_value = "config/door.toml")]
    pub file: PathBuf,
}

/// A whole match night.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Event time per wall time: a number, or `max` for as fast as it goes.
    #[arg(long, default_value = "60")]
    pub speed: Speed,
    /// Ends after the night with a summary.
    #[arg(long)]
    pub exit: bool,
    /// Seed of the night.
    #[arg(long, default_value_t = 2030)]
    pub seed: u64,
    /// Venues that play; without it the one whose match expects most people.
    #[arg(long = "venue", value_name = "VENUE")]
    pub venues: Vec<String>,
    /// Port of the console on the loopback address.
    #[arg(long)]
    pub port: Option<u16>,
    /// Opens no browser (the demonstration never does; kept so that scripts can say so).
    #[arg(long)]
    pub no_open: bool,
    /// Partitions of the embedded log.
    #[arg(long, default_value_t = 4)]
    pub partitions: u32,
    /// Writes what no input shows, persons by zone and minute, to this file.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
}

/// Event time per wall time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times real time.
    Times(f64),
    /// As fast as it goes.
    Max,
}

impl std::str::FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self::Max);
        }
        match text.parse() {
            Ok(times) if times > 0.0 && f64::is_finite(times) => Ok(Self::Times(times)),
            _ => Err(format!("{text:?} is no speed; write a number greater than 0, or max")),
        }
    }
}

/// The feeds of a match night.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Where they go: `kafka`, or a folder for files.
    #[arg(long)]
    pub to: String,
    /// Seed of the night.
    #[arg(long, default_value_t = 2030)]
    pub seed: u64,
    /// Venues that play.
    #[arg(long = "venue", value_name = "VENUE")]
    pub venues: Vec<String>,
    /// Begins so many minutes after the first kick-off, before it where negative; without it with the night.
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
    pub from_kick_off: Option<i64>,
    /// Ends after so many minutes; without it with the night.
    #[arg(long, value_name = "MINUTES")]
    pub minutes: Option<u32>,
    /// Event time per wall time.
    #[arg(long, default_value = "max")]
    pub speed: Speed,
    /// Instead of a night: count events of a synthetic load at this rate, events/s (0 for unpaced).
    #[arg(long)]
    pub rate: Option<u64>,
    /// Sends nothing, but writes the configuration of the load's venues into this folder, for `midan run` to read.
    #[arg(long, value_name = "DIR", requires = "rate")]
    pub venue_files: Option<PathBuf>,
    /// How many events the load has.
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// Puts broken records among the good ones.
    #[arg(long)]
    pub faults: bool,
    /// Writes what no input shows to this file.
    #[arg(long, value_name = "FILE")]
    pub truth: Option<PathBuf>,
}

/// What was recorded.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A table of counts (CSV, CSV.gz or Parquet).
    #[arg(long, value_name = "FILE", requires = "map")]
    pub table: Option<PathBuf>,
    /// The table's mapping.
    #[arg(long, visible_alias = "mapping", value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// The table's calendar.
    #[arg(long, value_name = "FILE")]
    pub calendar: Option<PathBuf>,
    /// A model of one's own instead of `models/crowd-flow.onnx`; its manifest lies beside it.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Asks no ONNX model, and loads no library: forecasts (`fallback`) and findings are of what is learnt in the stream alone.
    #[arg(long, conflicts_with = "model")]
    pub no_models: bool,
    /// Forecasts nothing and watches over nothing: counts, picture and rules alone, the fastest. Of a place without opening hours nobody then knows when people are expected, so its silence is not told.
    #[arg(long, conflicts_with_all = ["model", "no_models"])]
    pub counts_only: bool,
    /// GTFS-Realtime frames: files or folders.
    #[arg(long = "gtfs-rt", value_name = "PATH", num_args = 1..)]
    pub gtfs_rt: Vec<PathBuf>,
    /// The static feed that matches the frames, a zip.
    #[arg(long = "gtfs-static", value_name = "FILE")]
    pub gtfs_static: Option<PathBuf>,
    /// A venue file for the frames, beside the configured profiles.
    #[arg(long = "venue-file", value_name = "FILE")]
    pub venue_file: Option<PathBuf>,
    /// Reads the configured Kafka's input topics to their end, and does again what its journal says was decided.
    #[arg(long)]
    pub kafka: bool,
    /// Decides by rule although there is a journal.
    #[arg(long, requires = "kafka")]
    pub no_journal: bool,
    /// Where the results go.
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub out: PathBuf,
    /// Writes Parquet beside the lines.
    #[arg(long)]
    pub parquet: bool,
    /// The folder in which `midan features` writes.
    #[arg(skip)]
    pub features: Option<PathBuf>,
}

/// What the models would see of a recording.
#[derive(Debug, Args)]
pub struct FeaturesArgs {
    /// The recording, as for `replay`; `features.parquet` (flow model) and `anomaly.parquet` are written beside its results.
    #[command(flatten)]
    pub recording: ReplayArgs,
}

/// What to explain.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The venue.
    #[arg(long, requires = "zone")]
    pub venue: Option<String>,
    /// The zone.
    #[arg(long)]
    pub zone: Option<String>,
    /// A time in the window: RFC 3339 with an offset, or epoch milliseconds; without it the window that is to close next.
    #[arg(long)]
    pub at: Option<String>,
    /// Instead: an alarm's id.
    #[arg(long, conflicts_with_all = ["venue", "zone", "at"])]
    pub alarm: Option<String>,
    /// Where the service runs.
    #[arg(long, default_value = "http://127.0.0.1:8030")]
    pub url: String,
    /// The console's token, where one is configured.
    #[arg(long)]
    pub token: Option<String>,
}

/// What to take back in.
#[derive(Debug, Args)]
pub struct ReopenArgs {
    /// The venue.
    #[arg(long)]
    pub venue: String,
    /// Start of the window: RFC 3339 with an offset, or epoch milliseconds.
    #[arg(long)]
    pub from: String,
    /// End of the window.
    #[arg(long)]
    pub to: String,
    /// Says what would be taken in, and takes in nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What to check.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct CheckArgs {
    /// Something other than the folder.
    #[command(subcommand)]
    pub what: Option<CheckWhat>,
    /// A folder with `venues/` and `profiles/`, which alone is checked; without it the settings with all that they name.
    pub folder: Option<PathBuf>,
    /// Shows the safe capacity of every section, with what it was computed from.
    #[arg(long)]
    pub capacity: bool,
    /// Shows what is wrong with the plan of each match before anybody comes; fails if anything is.
    #[arg(long)]
    pub plan: bool,
}

/// What to check instead of the folder.
#[derive(Debug, Subcommand)]
pub enum CheckWhat {
    /// A mapping: names every fault, and shows each entry of a sample beside the event it becomes.
    Mapping {
        /// The mapping.
        file: PathBuf,
        /// A record as the source sends it; for the mapping of a table, the table or its first rows.
        #[arg(long, value_name = "FILE")]
        sample: Option<PathBuf>,
        /// The venue's id that stands in the events.
        #[arg(long, default_value = "venue")]
        venue: String,
    },
}

/// A model file.
#[derive(Clone, Debug, Subcommand)]
pub enum ModelAction {
    /// Checks manifest, hash, operators, shapes, determinism, speed and outputs, and says what it found.
    Check {
        /// The ONNX file, its manifest (`.toml`) beside it.
        file: PathBuf,
        /// How many rows a run has.
        #[arg(long, default_value = "2000")]
        rows: NonZeroUsize,
    },
    /// Orders that a model speaks from a time on, in place of the one that does.
    Swap(SwapArgs),
}

/// A model that is to speak.
#[derive(Clone, Debug, Args)]
pub struct SwapArgs {
    /// The ONNX file in the models' folder, its manifest (`.toml`) beside it. Every instance must have both.
    pub file: PathBuf,
    /// A venue at which it is to speak; all of them where none is named.
    #[arg(long = "venue", value_name = "ID")]
    pub venues: Vec<String>,
    /// It speaks from the first pane on that ends after this time: epoch milliseconds, or RFC 3339 with an offset. Without it, from the next pane on.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// The account id of who orders it.
    #[arg(long)]
    pub operator: String,
    /// Why, for those who read the commands later.
    #[arg(long)]
    pub reason: Option<String>,
}

/// Topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum TopicsAction {
    /// Creates what is missing.
    Create,
    /// Names every difference.
    Check,
}

/// A measurement.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Which log holds the topic.
    #[arg(long, value_enum, default_value_t = BenchLog::Embedded)]
    pub log: BenchLog,
    /// How many count events.
    #[arg(long, default_value_t = 3_000_000)]
    pub events: u64,
    /// Partitions.
    #[arg(long, default_value_t = 4)]
    pub partitions: u32,
    /// Shards, each a thread; the loop has as many readers.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub shards: u32,
    /// The load comes at this rate while it is read, events/s; without it, it is there before and is read as fast as can be.
    #[arg(long, conflicts_with = "close_zones", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// How often everything is measured; the best of each figure is told at the end.
    #[arg(long, default_value_t = 1)]
    pub repeat: u32,
    /// Instead: one pane close of a venue with this many zones, both models included.
    #[arg(long)]
    pub close_zones: Option<u32>,
    /// How many closes are measured.
    #[arg(long, default_value_t = 300)]
    pub closes: u32,
}

/// What is scored.
#[derive(Debug, Args)]
pub struct IncidentsArgs {
    /// Quiet nights to be played. Seeds 0 to 99 were used when thresholds were chosen; those that are reported on begin at 100.
    #[arg(long, default_value_t = 200)]
    pub nights: u64,
    /// Seed of the first of them.
    #[arg(long, default_value_t = 100)]
    pub first_night: u64,
    /// Only the incidents whose id holds this; no quiet nights then.
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Incidents of one's own: a folder with a folder for each, instead of those in the binary.
    #[arg(long, value_name = "DIR")]
    pub library: Option<PathBuf>,
    /// Prints JSON instead of the table.
    #[arg(long)]
    pub json: bool,
    /// Draws the lead times into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Tells every alarm of every run as it comes, on the error stream.
    #[arg(long)]
    pub verbose: bool,
}

/// A log to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BenchLog {
    /// The log inside the process.
    Embedded,
    /// The configured Kafka, in topics that are removed afterwards.
    Kafka,
}

impl std::fmt::Display for BenchLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Kafka => "kafka",
        })
    }
}

//! The settings: one tree, read once at the start from `config/midan.toml` and the environment, then handed down.
//!
//! `config/midan.toml` holds every setting with its default and a word about it; a test holds the two together. An unknown key is refused with the valid ones.

use super::settings_faults;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The commented defaults.
pub(super) const DEFAULTS: &str = include_str!("../../config/midan.toml");

/// Where the settings stand, where nobody names a file.
pub(super) const DEFAULT_FILE: &str = "config/midan.toml";

/// All settings.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the world is described.
    pub world: WorldSettings,
    /// The log.
    pub kafka: KafkaSettings,
    /// The shards of this process.
    pub shards: ShardSettings,
    /// Operators' commands.
    pub commands: CommandSettings,
    /// The models.
    pub models: ModelSettings,
    /// The console.
    pub console: ConsoleSettings,
    /// Metrics and logs.
    pub telemetry: TelemetrySettings,
}

/// Where the world is described.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WorldSettings {
    /// Folder with `venues/` and `profiles/`.
    pub folder: PathBuf,
    /// File with a key for the tickets of each match; without it tickets are dropped.
    #[serde(default)]
    pub ticket_keys: Option<PathBuf>,
}

/// The log.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas.
    pub bootstrap_servers: String,
    /// The consumer group.
    pub group: String,
    /// Name of this process, stable over restarts.
    pub instance: String,
    /// Stands before the name of every topic.
    pub topic_prefix: String,
    /// Partitions of every topic.
    pub partitions: u32,
    /// Copies of every topic.
    pub replication: u32,
    /// Properties of librdkafka for all clients.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
}

/// The shards of this process.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ShardSettings {
    /// Threads.
    pub count: usize,
    /// How often a transaction is committed.
    pub commit_interval: Length,
    /// Records that a shard takes at a time.
    pub max_batch: usize,
    /// What one shard may hold of records that are fetched, sent or wait for a commit, in MiB.
    pub memory_mib: usize,
    /// How long draining, committing and leaving may take once it is told to stop.
    pub stop_within: Length,
    /// How long a partition with unread records may stand still before it is taken up again.
    pub stall_patience: Length,
}

/// Operators' commands.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CommandSettings {
    /// When they take effect.
    pub placement: PlacementName,
}

/// When commands take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacementName {
    /// At once, and journaled.
    OnArrival,
    /// By their own time.
    ByPane,
}

/// The models.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Folder of the models and their manifests.
    pub folder: PathBuf,
    /// The ONNX Runtime library.
    pub library: PathBuf,
    /// Time that one request may take.
    pub deadline: Deadline,
    /// The manifest of a flow model that hears every request and is only measured.
    #[serde(default)]
    pub shadow: Option<PathBuf>,
}

/// The console.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleSettings {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Token that callers must show.
    #[serde(default)]
    pub token: Option<String>,
}

/// Metrics and logs.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Least level of the log lines.
    pub level: String,
    /// Form of the log lines.
    pub format: LogFormat,
}

/// Form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

/// A length of time with its unit, `100ms`, `10s`, `5min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Length(pub Duration);

/// A length of time, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Deadline(pub Option<Duration>);

impl Settings {
    /// Reads the defaults, then `file` where one is given (it must exist) or `config/midan.toml` where it does, then the environment
    /// (`MIDAN_<SECTION>__<KEY>`).
    ///
    /// # Errors
    /// When a file cannot be read, a key is unknown or a value is of the wrong form; the text names every fault and where it stands.
    pub fn read(file: Option<&Path>) -> Result<Self, String> {
        let file = match file {
            Some(file) if !file.is_file() => return Err(format!("{}: no such file; name the configuration with --config", file.display())),
            Some(file) => Some(file),
            None => Some(Path::new(DEFAULT_FILE)).filter(|file| file.is_file()),
        };
        let text = match file {
            Some(file) => std::fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?,
            None => String::new(),
        };
        // Other MIDAN_ variables are the tests' and the set-up's own; a setting always has a section.
        let environment = Env::prefixed("MIDAN_").filter(|key| key.as_str().contains("__")).split("__");
        let mut faults = file.map(|file| settings_faults::in_file(&file.display().to_string(), &text)).unwrap_or_default();
        faults.extend(settings_faults::in_environment(&environment));
        if !faults.is_empty() {
            let list: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
            return Err(format!("{} faults in the settings:{list}", faults.len()));
        }
        Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(&text)).merge(environment).extract().map_err(|fault| fault.to_string())
    }
}

impl KafkaSettings {
    /// What the Kafka edge needs of it.
    pub fn clients(&self) -> crate::kafka::Settings {
        let properties = self.properties.clone();
        let base = crate::kafka::Settings::new(&self.bootstrap_servers, &self.group, &self.instance);
        crate::kafka::Settings { prefix: self.topic_prefix.clone(), properties, ..base }
    }
}

impl ShardSettings {
    /// The same, in bytes.
    pub fn memory(&self) -> usize {
        self.memory_mib.max(16) << 20
    }
}

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let wrong = || format!("{text:?} is no length of time; write a whole number and ms, s, min or h, as in \"100ms\"");
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let per_unit = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        Ok(Self(Duration::from_millis(number.saturating_mul(per_unit))))
    }
}

impl From<Length> for String {
    fn from(length: Length) -> Self {
        format!("{}ms", length.0.as_millis())
    }
}

impl TryFrom<String> for Deadline {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        Length::try_from(text).map(|length| Self(Some(length.0)))
    }
}

impl From<Deadline> for String {
    fn from(deadline: Deadline) -> Self {
        deadline.0.map_or_else(|| "none".to_owned(), |length| Length(length).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        Figment::from(Toml::string(DEFAULTS)).merge(Toml::string(text)).extract().map_err(|fault: figment::Error| fault.to_string())
    }

    #[test]
    fn the_commented_file_holds_every_setting() {
        let settings = read("").unwrap();
        assert_eq!(settings.shards.commit_interval.0, Duration::from_millis(100));
        assert_eq!(settings.console.token, None);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_valid_ones() {
        let fault = read("[shards]\ncuont = 2").unwrap_err();
        assert!(fault.contains("cuont") && fault.contains("commit_interval"), "{fault}");
    }

    #[test]
    fn a_length_without_unit_is_refused() {
        let fault = read("[shards]\ncommit_interval = \"100\"").unwrap_err();
        assert!(fault.contains("100ms"), "{fault}");
    }
}

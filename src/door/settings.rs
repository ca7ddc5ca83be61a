//! The settings of the door: which payloads come from where, and how much of them.

use crate::venue::load::quantity::parse_span;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All settings of the door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DoorSettings {
    /// Where webhooks come in; without it none do.
    pub listen: Option<SocketAddr>,
    /// The largest body of a webhook, bytes. A record of Midan is never larger than 1 MiB.
    #[serde(default = "one_mebibyte")]
    pub max_body_bytes: usize,
    /// The largest answer to a poll, and the largest file, bytes: a network-wide frame is split before it is written.
    #[serde(default = "sixty_four_mebibytes")]
    pub max_frame_bytes: usize,
    /// How deep lists and objects of a JSON payload may lie in one another.
    #[serde(default = "thirty_two")]
    pub max_depth: usize,
    /// Payloads that may wait for the log; one more is answered with 429.
    #[serde(default = "queue")]
    pub queue: usize,
    /// How long a sender waits for the log before it is told to come again.
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    pub patience: Duration,
    /// How often a source that vouches for its order says so (a low-water mark).
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    pub heartbeat: Duration,
    /// Webhooks.
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
    /// Addresses that are asked.
    #[serde(default)]
    pub polls: Vec<Poll>,
    /// Foreign topics.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// Files and folders.
    #[serde(default)]
    pub files: Vec<File>,
}

/// One webhook: `POST /v1/feeds/VENUE/SOURCE`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The venue.
    pub venue: Box<str>,
    /// The source, as the venue file calls it.
    pub source: Box<str>,
    /// The token that the sender shows.
    pub token: Option<Secret>,
    /// The file that holds it, in its place.
    pub token_file: Option<PathBuf>,
    /// Payloads a second that it may send in the long run.
    #[serde(default = "hundred")]
    pub rate_per_s: f64,
    /// Payloads that it may send at once.
    #[serde(default = "two_hundred")]
    pub burst: f64,
    /// How late the sender sends at most: it vouches that nothing older is still to come. Without it the door says nothing for it.
    #[serde(default, deserialize_with = "may_duration")]
    pub vouches: Option<Duration>,
}

/// A text that no log shows.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub Box<str>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// An address that is asked for its newest frame.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// The address.
    pub url: String,
    /// The source, as the venue files call it.
    pub source: Box<str>,
    /// The venue; without it the frame is of a whole network, and every venue with a source of this name gets its part.
    pub venue: Option<Box<str>>,
    /// How often it is asked.
    #[serde(default = "fifteen_seconds", deserialize_with = "duration")]
    pub every: Duration,
    /// How long an answer may take.
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    pub timeout: Duration,
    /// The longest pause after failures, each of which doubles it.
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    pub longest_pause: Duration,
    /// A frame that is older is named stale.
    #[serde(default = "ninety_seconds", deserialize_with = "duration")]
    pub stale_after: Duration,
    /// Headers of the question (an API key).
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

/// A foreign topic, with any key and any number of partitions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name.
    pub topic: String,
    /// The source.
    pub source: Box<str>,
    /// The venue; without it as with a poll.
    pub venue: Option<Box<str>>,
    /// The group by which it is read.
    #[serde(default = "door_group")]
    pub group: String,
    /// Properties of librdkafka for this client, where it is another cluster's.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// The schema registry, where records bear a schema's id (Confluent's wire format).
    pub registry: Option<Registry>,
}

/// A schema registry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// Its address.
    pub url: String,
    /// How long an answer may take.
    #[serde(default = "two_seconds", deserialize_with = "duration")]
    pub timeout: Duration,
    /// How often it is asked for a schema before the record is refused.
    #[serde(default = "three")]
    pub attempts: u32,
    /// How long a schema that was not found is not asked for again.
    #[serde(default = "thirty_seconds", deserialize_with = "duration")]
    pub forget_after: Duration,
}

/// A file, or a folder of files in the order of their names.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Which.
    pub path: PathBuf,
    /// The source.
    pub source: Box<str>,
    /// The venue; without it as with a poll.
    pub venue: Option<Box<str>>,
    /// Whether each line is a payload; else the whole file is one.
    #[serde(default)]
    pub lines: bool,
    /// How often it is looked at for more.
    #[serde(default = "ten_seconds", deserialize_with = "duration")]
    pub every: Duration,
}

impl DoorSettings {
    /// Reads the settings from a file.
    ///
    /// # Errors
    /// It cannot be read, is not TOML, or has an unknown key; the text says where.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
        Self::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Reads the settings from their text.
    ///
    /// # Errors
    /// See [`DoorSettings::read`].
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|why| why.to_string())
    }
}

impl Webhook {
    /// The token, wherever it stands.
    ///
    /// # Errors
    /// There is none, or its file cannot be read.
    pub fn secret(&self) -> Result<Box<str>, String> {
        let of = || format!("webhook {}/{}", self.venue, self.source);
        match (&self.token, &self.token_file) {
            (Some(token), None) if token.0.len() >= 16 => Ok(token.0.clone()),
            (Some(_), None) => Err(format!("{}: the token must have 16 characters at least", of())),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|why| format!("{}: {}: {why}", of(), path.display()))?;
                if text.trim().len() < 16 {
                    Err(format!("{}: {}: the token must have 16 characters at least", of(), path.display()))
                } else {
                    Ok(text.trim().into())
                }
            }
            _ => Err(format!("{}: must have either `token` or `token_file`", of())),
        }
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_span(&text).map(|span| Duration::from_millis(span.as_millis())).map_err(serde::de::Error::custom)
}

fn may_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

const fn one_mebibyte() -> usize {
    1 << 20
}

const fn sixty_four_mebibytes() -> usize {
    64 << 20
}

const fn thirty_two() -> usize {
    32
}

const fn queue() -> usize {
    1_024
}

const fn hundred() -> f64 {
    100.0
}

const fn two_hundred() -> f64 {
    200.0
}

const fn three() -> u32 {
    3
}

const fn two_seconds() -> Duration {
    Duration::from_secs(2)
}

const fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

const fn fifteen_seconds() -> Duration {
    Duration::from_secs(15)
}

const fn thirty_seconds() -> Duration {
    Duration::from_secs(30)
}

const fn ninety_seconds() -> Duration {
    Duration::from_secs(90)
}

const fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

fn door_group() -> String {
    "midan-door".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_read() {
        let text = include_str!("../../config/door.toml");
        let settings = DoorSettings::parse(text).unwrap();
        assert!(settings.listen.is_some());
        let is_setting =
            |rest: &&str| rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        let shown = text.lines().map(|line| line.strip_prefix("# ").filter(is_setting).unwrap_or(line));
        let all = DoorSettings::parse(&shown.collect::<Vec<_>>().join("\n")).unwrap();
        assert!(all.webhooks.len() == 1 && all.polls.len() == 1 && all.topics.len() == 1 && all.files.len() == 1);
    }

    #[test]
    fn an_unknown_key_and_a_length_without_unit_are_refused() {
        assert!(DoorSettings::parse("listn = \"127.0.0.1:1\"").unwrap_err().contains("listn"));
        assert!(DoorSettings::parse("heartbeat = \"10\"").unwrap_err().contains("unit"));
    }

    #[test]
    fn a_token_is_long_and_shows_nowhere() {
        let settings = DoorSettings::parse("[[webhooks]]\nvenue = \"v\"\nsource = \"s\"\ntoken = \"0123456789abcdef\"\n").unwrap();
        assert_eq!(settings.webhooks[0].secret().as_deref(), Ok("0123456789abcdef"));
        assert!(!format!("{settings:?}").contains("0123456789"));
        let short = DoorSettings::parse("[[webhooks]]\nvenue = \"v\"\nsource = \"s\"\ntoken = \"short\"\n").unwrap();
        assert!(short.webhooks[0].secret().is_err());
    }
}

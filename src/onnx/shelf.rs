//! Models beside the configured ones, found by their hash and loaded when they are first named.
//!
//! The idea: an order to swap names a file by its hash, and any instance may be asked to follow it. So a model is looked for among the manifests of the models' folder, at the
//! first request that names it: while the order lies ahead that is before its pane, and it counts in no run's time. A model that cannot be had is looked for
//! again every minute, for somebody may be copying it.

use super::models::{self, Seat};
use super::{Library, Model};
use crate::inference::{ModelCardRef, Role};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A model that cannot be had is looked for again after so long.
const AGAIN: Duration = Duration::from_secs(60);

/// Models by role and hash.
#[derive(Debug)]
pub(super) struct Shelf {
    library: Result<Library, String>,
    /// Where to look: a folder of manifests, and manifests elsewhere.
    folder: Option<PathBuf>,
    elsewhere: Vec<PathBuf>,
    rows: usize,
    seats: BTreeMap<(Role, String), Seat>,
    missing: BTreeMap<(Role, String), Missing>,
    news: Vec<News>,
}

#[derive(Debug)]
struct Missing {
    since: Instant,
    why: String,
}

/// What became of a model that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// In which role.
    pub role: Role,
    /// Which.
    pub card: ModelCardRef,
    /// Why it cannot speak; `None` where it is ready.
    pub fault: Option<String>,
}

impl Shelf {
    /// With nothing on it yet; the warm-up of a model plans for `rows` rows.
    pub(super) fn new(library: Result<Library, String>, folder: Option<PathBuf>, elsewhere: Vec<PathBuf>, rows: usize) -> Self {
        Self { library, folder, elsewhere, rows, seats: BTreeMap::new(), missing: BTreeMap::new(), news: Vec::new() }
    }

    /// Sees to it that the model is there if it can be had; whether it is.
    #[allow(clippy::disallowed_methods, reason = "how often the disk is looked at decides no output: who was asked is journaled")]
    pub(super) fn has(&mut self, role: Role, card: &ModelCardRef) -> bool {
        let key = (role, card.sha256.clone());
        if self.seats.contains_key(&key) {
            return true;
        }
        if self.missing.get(&key).is_some_and(|missing| missing.since.elapsed() < AGAIN) {
            return false;
        }
        match self.load(role, &card.sha256) {
            Ok(model) => {
                self.missing.remove(&key);
                self.news.push(News { role, card: model.card(), fault: None });
                self.seats.insert(key, Seat::taken(role, model));
                true
            }
            Err(why) => {
                let before = self.missing.insert(key, Missing { since: Instant::now(), why: why.clone() });
                if before.is_none_or(|before| before.why != why) {
                    self.news.push(News { role, card: card.clone(), fault: Some(why) });
                }
                false
            }
        }
    }

    /// Whether the model was looked for and cannot be had.
    pub(super) fn lacks(&self, role: Role, card: &ModelCardRef) -> bool {
        self.missing.contains_key(&(role, card.sha256.clone()))
    }

    /// The seat of a model that is there.
    pub(super) fn seat(&mut self, role: Role, card: &ModelCardRef) -> Option<&mut Seat> {
        self.seats.get_mut(&(role, card.sha256.clone()))
    }

    /// The same, to look at.
    pub(super) fn peek(&self, role: Role, card: &ModelCardRef) -> Option<&Seat> {
        self.seats.get(&(role, card.sha256.clone()))
    }

    /// What is new since the last call.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    fn load(&self, role: Role, sha256: &str) -> Result<Model, String> {
        let library = self.library.as_ref().map_err(String::clone)?;
        let manifest = self.find(sha256)?;
        models::load(library, &manifest, role, self.rows)
    }

    /// The manifest that has this hash.
    fn find(&self, sha256: &str) -> Result<PathBuf, String> {
        let shown = self.folder.as_ref().map_or_else(|| "nowhere".to_owned(), |folder| folder.display().to_string());
        let mut manifests = self.elsewhere.clone();
        if let Some(folder) = &self.folder {
            let entries = std::fs::read_dir(folder).map_err(|why| format!("{shown} cannot be read: {why}"))?;
            manifests.extend(entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == "toml")));
        }
        manifests.sort();
        let found = manifests.into_iter().find(|path| hash_in(path).as_deref() == Some(sha256));
        found.ok_or_else(|| {
            format!("no manifest in {shown} (models.folder) names the SHA-256 {sha256}: copy the model and its manifest there, on every instance")
        })
    }
}

/// The hash that a manifest names; what else stands in it is checked when it is loaded.
fn hash_in(manifest: &Path) -> Option<String> {
    let table: toml::Table = std::fs::read_to_string(manifest).ok()?.parse().ok()?;
    table.get("sha256")?.as_str().map(str::to_ascii_lowercase)
}

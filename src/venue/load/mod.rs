//! From configuration to the world: venues and profiles are read together and checked whole.
//!
//! The idea: whoever writes a venue file learns everything that is wrong with it at once, each fault with its file, its line and the valid names. So
//! reading never stops at the first fault: a field that is wrong is noted and stands as its default until the end, and only a configuration without
//! any fault becomes a [`World`]. Nothing here reads a file; the edge hands over the texts.
//!
//! - [`fault`]: what is wrong, and where; `fields`: one table, field by field; [`quantity`]: lengths of time.
//! - `profile`: thresholds; `site`: a venue's general part; `parts`: zones, links, gates and the like; `plan`: approaches and matches; `checks`: what must fit together.
//! - [`stadium`]: the public facts of a stadium.

mod checks;
pub mod fault;
mod fields;
mod mapping;
mod parts;
mod plan;
mod profile;
pub mod quantity;
mod site;
pub mod stadium;

pub use fault::ConfigFault;
pub(crate) use fields::text_of;
pub use mapping::load_mapping;

use super::frame;
use super::mapping::Mapping;
use super::roll::bring_to_one_roll;
use super::{Later, Names, Profile, Source, Venue, World};
use crate::time::EventTime;
use fault::Report;
use fields::Fields;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeTable;

/// A configuration file as the edge read it.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name in messages.
    pub path: String,
    /// Its text. A file with a table `thresholds` is a profile, one with a key `mapping` a mapping, every other one a venue.
    pub text: String,
}

/// Reads venues and profiles and checks them whole.
///
/// # Errors
/// Every fault of every file, by file and line.
pub fn load(files: &[SourceFile]) -> Result<World, Vec<ConfigFault>> {
    let mut faults = Vec::new();
    let parsed: Vec<Parsed<'_>> = files.iter().map(|file| Parsed::new(file, &mut faults)).collect();
    let profiles = load_profiles(&parsed);
    let mappings = load_mappings(&parsed);
    let venues = load_venues(&parsed, &profiles, &mappings);
    faults.extend(parsed.into_iter().flat_map(|file| file.report.into_faults()));
    if venues.is_empty() && faults.is_empty() {
        faults.push(ConfigFault { file: String::new(), line: 0, what: "no venue is configured".into(), nearest: Vec::new() });
    }
    if faults.is_empty() {
        return Ok(World::new(venues));
    }
    faults.sort();
    faults.dedup();
    Err(faults)
}

/// Reads one profile by itself, for places that no venue file describes.
///
/// # Errors
/// Every fault of the file, by line.
pub fn load_profile(file: &SourceFile) -> Result<Profile, Vec<ConfigFault>> {
    let mut faults = Vec::new();
    let parsed = Parsed::new(file, &mut faults);
    let (_, profile) = profile::read(&parsed.report, &parsed.fields("profile"), parsed.hash.clone());
    faults.extend(parsed.report.into_faults());
    if faults.is_empty() { Ok(profile) } else { Err(faults) }
}

/// A file whose syntax is read.
struct Parsed<'t> {
    report: Report<'t>,
    document: Spanned<DeTable<'t>>,
    hash: String,
    /// Syntax errors leave holes; what seems to be missing may only have been unreadable.
    whole: bool,
}

impl<'t> Parsed<'t> {
    fn new(file: &'t SourceFile, faults: &mut Vec<ConfigFault>) -> Self {
        let report = Report::new(&file.path, &file.text);
        let (document, errors) = DeTable::parse_recoverable(&file.text);
        for error in &errors {
            report.fault(&error.span().unwrap_or(0..0), format!("not TOML: {}", error.message()));
        }
        let whole = errors.is_empty();
        if whole {
            return Self { report, document, hash: hash_of(&file.text), whole };
        }
        faults.extend(report.into_faults());
        Self { report: Report::new(&file.path, &file.text), document, hash: String::new(), whole }
    }

    fn is_profile(&self) -> bool {
        self.document.get_ref().keys().any(|key| key.get_ref() == "thresholds")
    }

    fn is_mapping(&self) -> bool {
        self.document.get_ref().keys().any(|key| key.get_ref() == "mapping")
    }

    fn fields(&self, kind: &str) -> Fields<'_, 't> {
        Fields::new(&self.report, self.document.get_ref(), 0..0, kind)
    }
}

fn load_profiles(files: &[Parsed<'_>]) -> BTreeMap<Box<str>, Arc<Profile>> {
    let mut profiles = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_profile()) {
        if !file.whole {
            // Its name stays known, so that a broken profile is not reported again by every zone that chooses it.
            let id = file.document.get_ref().iter().find(|(key, _)| key.get_ref() == "id").and_then(|(_, value)| value.get_ref().as_str());
            let nothing = Profile { label: "".into(), thresholds: BTreeMap::new(), hash: String::new() };
            profiles.insert(id.unwrap_or_default().into(), Arc::new(nothing));
            continue;
        }
        let fields = file.fields("profile");
        let (id, profile) = profile::read(&file.report, &fields, file.hash.clone());
        if profiles.insert(id, Arc::new(profile)).is_some() {
            fields.fault_in("id", "is the id of another profile too");
        }
    }
    profiles
}

/// The mappings by name.
pub(in crate::venue::load) type Mappings = BTreeMap<Box<str>, Arc<Mapping>>;

fn load_mappings(files: &[Parsed<'_>]) -> Mappings {
    let mut mappings = Mappings::new();
    for file in files.iter().filter(|file| file.is_mapping()) {
        let fields = file.fields("mapping");
        let mapping = mapping::read(&fields);
        if mappings.insert(mapping.name.clone(), Arc::new(mapping)).is_some() {
            fields.fault_in("mapping", "is the name of another mapping too");
        }
    }
    mappings
}

fn load_venues(files: &[Parsed<'_>], profiles: &BTreeMap<Box<str>, Arc<Profile>>, mappings: &Mappings) -> Vec<Venue> {
    let profile_names = Names::new(profiles.keys().map(|id| &**id));
    let profiles: Vec<Arc<Profile>> = profiles.values().cloned().collect();
    let choice = site::ProfileChoice { names: &profile_names, profiles: &profiles, mappings };
    let mut venue_ids = BTreeSet::new();
    let mut match_ids = BTreeSet::new();
    let mut venues = Vec::new();
    let mut later = Vec::new();
    for file in files.iter().filter(|file| file.whole && !file.is_profile() && !file.is_mapping()) {
        let fields = file.fields("venue");
        let from = site::read_from(&fields);
        let venue = site::read(&fields, &choice, venue_hash(&file.hash));
        if let Some(from) = from {
            later.push((fields, Later { from, venue }));
            continue;
        }
        if !venue_ids.insert(venue.id.clone()) {
            fields.fault_in("id", "is the id of another venue too");
        }
        checks::unique_matches(&fields, &mut match_ids);
        venues.push(venue);
    }
    let taken: Vec<_> = later.into_iter().filter_map(|(fields, later)| take_later(fields, later, &mut venues)).collect();
    // What is wrong by itself may name things that are not there.
    if files.iter().all(|file| file.report.is_clean()) {
        venues.iter_mut().for_each(bring_to_one_roll);
        taken.iter().for_each(|taken| check_later(taken, &venues));
    }
    venues
}

/// A file with `from`: its venue's position, and its time.
type Taken<'f, 't> = (Fields<'f, 't>, usize, EventTime);

/// A file with `from` belongs to the venue of its id.
fn take_later<'f, 't>(fields: Fields<'f, 't>, later: Later, venues: &mut [Venue]) -> Option<Taken<'f, 't>> {
    checks::unique_matches(&fields, &mut BTreeSet::new());
    let Some(index) = venues.iter().position(|venue| venue.id == later.venue.id) else {
        fields.fault_in("id", "is the id of no venue; a file with `from` changes one that has a file without it");
        return None;
    };
    let (base, from) = (&mut venues[index], later.from);
    let place = base.later.partition_point(|other| other.from < from);
    if base.later.get(place).is_some_and(|other| other.from == from) {
        fields.fault_in("from", "is the time of another file of this venue too");
        return None;
    }
    base.later.insert(place, later);
    Some((fields, index, from))
}

/// It may change nothing that the venue's state hangs on, and read no record otherwise.
fn check_later((fields, index, from): &Taken<'_, '_>, venues: &[Venue]) {
    let whole = &venues[*index];
    let Some(Later { venue, .. }) = whole.later.iter().find(|later| later.from == *from) else { return };
    if let Some(difference) = frame::difference(&frame::frame(whole), &frame::frame(venue)) {
        fields.fault_in("from", &format!("changes what the state hangs on: {difference}; what is another thing needs another name (docs/VENUES.md)"));
    }
    // A name that stood for itself, or for another thing, before or after.
    let is_of_a_thing =
        |name: &str| whole.find_sensor(name).is_some() || whole.find_gate(name).is_some() || whole.find_stop(name).is_some() || whole.find_zone(name).is_some();
    let means_otherwise = |whole: &Source, own: &Source| {
        whole.wire.names.iter().any(|(name, called)| own.wire.names.get(name).map_or_else(|| is_of_a_thing(name), |own| own != called))
    };
    let is_read_otherwise =
        |(whole, own): &(&Source, &Source)| whole.format != own.format || whole.wire.reading() != own.wire.reading() || means_otherwise(whole, own);
    let versions = [whole.version(0), venue].into_iter();
    if let Some((source, _)) = versions.flat_map(|version| version.with_sources(&whole.sources)).map(|(own, whole)| (whole, own)).find(is_read_otherwise) {
        let what = format!(
            "changes how the records of source {} are read (format, names, time zone, modulus, mapping): a record is read before its pane is known; change both files",
            source.id
        );
        fields.fault_in("from", &what);
    }
}

/// The hash of a venue: its text, and the version of the time-zone database, for an offset that changes changes the venue's day.
fn venue_hash(text_hash: &str) -> String {
    hash_of(&format!("{text_hash} tz {}", chrono_tz::IANA_TZDB_VERSION))
}

fn hash_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(in crate::venue) mod tests;

//! What is wrong with the settings, all of it at once: each fault with file, line and the valid names where one is unknown, as the venues' faults are.
//!
//! The idea: a reader that stops at the first fault makes somebody start a service five times. So every key that a file or the environment sets is tried alone over the
//! defaults, and one that is wrong hides no other.

use super::settings::{DEFAULTS, Settings};
use crate::venue::{ConfigFault, Names};
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use figment::value::Value;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::DeTable;

/// The faults of a file of settings.
pub(super) fn in_file(file: &str, text: &str) -> Vec<ConfigFault> {
    let fault = |at: usize, what: String, nearest| ConfigFault { file: file.to_owned(), line: line_of(text, at), what, nearest };
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(err) => return vec![fault(err.span().map_or(0, |span| span.start), format!("is not TOML: {}", err.message()), Vec::new())],
    };
    let values: toml::Table = text.parse().unwrap_or_default();
    let known = known();
    let mut faults = Vec::new();
    for (section, keys) in document.get_ref() {
        let (name, at) = (section.get_ref().as_ref(), section.span().start);
        let Some(of_section) = known.get(name) else {
            faults.push(fault(at, format!("unknown section [{name}]"), nearest(known.keys(), name)));
            continue;
        };
        let Some(table) = keys.get_ref().as_table() else {
            faults.push(fault(at, format!("`{name}` must be a section, [{name}]"), Vec::new()));
            continue;
        };
        for key in table.keys() {
            let (word, at) = (key.get_ref().as_ref(), key.span().start);
            if !of_section.iter().any(|known| known == word) {
                faults.push(fault(at, format!("unknown key `{name}.{word}`"), nearest(of_section, word)));
            } else if let Some(value) = values.get(name).and_then(|section| section.get(word)) {
                let path = format!("{name}.{word}");
                faults.extend(alone(&path, value).into_iter().map(|why| fault(at, format!("`{path}`: {why}"), Vec::new())));
            }
        }
    }
    faults.sort();
    faults
}

/// The faults of the settings that the environment holds.
pub(super) fn in_environment(environment: &Env) -> Vec<ConfigFault> {
    environment.iter().flat_map(|(path, text)| of_variable(path.as_str(), &text)).collect()
}

fn of_variable(path: &str, text: &str) -> Vec<ConfigFault> {
    let path = path.to_ascii_lowercase();
    let fault =
        |what: String, nearest| ConfigFault { file: format!("environment MIDAN_{}", path.to_ascii_uppercase().replace('.', "__")), line: 0, what, nearest };
    let known = known();
    let (section, key) = path.split_once('.').unwrap_or((&path, ""));
    let Some(of_section) = known.get(section) else { return vec![fault(format!("unknown section `{section}`"), nearest(known.keys(), section))] };
    // A property of a client has a name of its own behind its key.
    let word = key.split('.').next().unwrap_or_default();
    if !of_section.iter().any(|known| known == word) {
        return vec![fault(format!("unknown key `{path}`"), nearest(of_section, word))];
    }
    // Figment's reading of a text cannot fail: what is nothing else is a text.
    let value = text.parse::<Value>().unwrap_or_else(|never| match never {});
    alone(&path, &value).into_iter().map(|why| fault(why, Vec::new())).collect()
}

/// Where a file sets a key: its line, and 0 where it does not.
pub(super) fn line_of_key(text: &str, section: &str, key: &str) -> u32 {
    let Ok(document) = DeTable::parse(text) else { return 0 };
    let find = |table: &DeTable<'_>, name: &str| table.keys().find(|key| key.get_ref() == name).map(Spanned::span);
    let section = document.get_ref().iter().find(|(name, _)| name.get_ref() == section).and_then(|(_, value)| value.get_ref().as_table());
    section.and_then(|table| find(table, key)).map_or(0, |span| line_of(text, span.start))
}

/// What is wrong with one setting over the defaults.
fn alone(path: &str, value: &impl serde::Serialize) -> Vec<String> {
    let figment = Figment::from(Toml::string(DEFAULTS)).merge((path, value));
    match figment.extract::<Settings>() {
        Ok(_) => Vec::new(),
        Err(faults) => faults.into_iter().map(|fault| fault.kind.to_string()).collect(),
    }
}

/// The sections and their keys.
fn known() -> BTreeMap<String, Vec<String>> {
    let defaults = Figment::from(Toml::string(DEFAULTS)).extract::<Settings>().ok();
    let sections = defaults.and_then(|defaults| serde_json::to_value(defaults).ok()).and_then(|value| value.as_object().cloned()).unwrap_or_default();
    let keys = |section: &serde_json::Value| section.as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or_default();
    sections.iter().map(|(name, section)| (name.clone(), keys(section))).collect()
}

fn nearest<'a>(known: impl IntoIterator<Item = &'a String>, unknown: &str) -> Vec<String> {
    Names::new(known.into_iter().map(String::as_str)).nearest(unknown).into_iter().map(str::to_owned).collect()
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or(text);
    u32::try_from(1 + before.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_file_comes_at_once_with_its_line_and_the_valid_names() {
        let text = "kafka = 3\n[shards]\ncuont = 2\ncommit_interval = \"100\"\nmax_batch = -1\n\n[cosnole]\nlisten = \"x\"\n\n[console]\nlisten = \"here\"\n\n[telemetry]\nformat = \"xml\"\n";
        let faults: Vec<String> = in_file("m.toml", text).iter().map(ToString::to_string).collect();
        let lines: Vec<&str> = faults.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["m.toml:1", "m.toml:3", "m.toml:4", "m.toml:5", "m.toml:7", "m.toml:11", "m.toml:14"], "{faults:#?}");
        assert!(faults[1].contains("unknown key `shards.cuont`; nearest valid: count"), "{}", faults[1]);
        assert!(faults[2].contains("100ms") && faults[4].contains("nearest valid: console"), "{faults:#?}");
        assert!(faults[6].contains("text"), "{}", faults[6]);
    }

    #[test]
    fn a_variable_of_the_environment_is_named() {
        assert_eq!(of_variable("shards.count", "2"), []);
        assert_eq!(of_variable("kafka.properties.debug", "broker"), []);
        let told = of_variable("shards.count", "two")[0].to_string();
        assert!(told.starts_with("environment MIDAN_SHARDS__COUNT: "), "{told}");
        assert!(of_variable("kafka.gruop", "x")[0].to_string().contains("nearest valid: group"));
    }

    #[test]
    fn the_shipped_file_has_no_fault_and_says_where_its_keys_are() {
        assert_eq!(in_file("config/midan.toml", DEFAULTS), []);
        let line = line_of_key(DEFAULTS, "console", "listen") as usize;
        assert!(DEFAULTS.lines().nth(line - 1).unwrap().starts_with("listen"));
    }

    #[test]
    fn what_is_not_toml_says_where() {
        assert_eq!(in_file("m.toml", "[shards]\ncount = \n")[0].line, 2);
    }
}

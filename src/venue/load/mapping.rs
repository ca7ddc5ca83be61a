//! A mapping from its file (`docs/MAPPINGS.md`), every fault at once with its line.

use super::fields::{Fields, number_of};
use super::{ConfigFault, Parsed, SourceFile};
use crate::time::Span;
use crate::time::stamp::{Ambiguous, Format, Nonexistent, Stamps};
use crate::venue::Names;
use crate::venue::mapping::{Encoding, EventRule, FieldKind, FieldRule, Mapping, Origin, Path, Shift, Sign, TARGETS, UNITS};
use std::collections::BTreeMap;
use toml::de::DeValue;

/// The neutral formats that a record can become.
const BECOMES: [(&str, &str); 10] = [
    ("count", "count"),
    ("occupancy", "occupancy"),
    ("state", "state"),
    ("tracks", "tracks"),
    ("grid", "grid"),
    ("scan", "scan"),
    ("passengers", "passengers"),
    ("call", "call"),
    ("weather", "weather"),
    ("health", "health"),
];

/// Reads one mapping by itself.
///
/// # Errors
/// Every fault of the file, by line.
pub fn load_mapping(file: &SourceFile) -> Result<Mapping, Vec<ConfigFault>> {
    let mut faults = Vec::new();
    let parsed = Parsed::new(file, &mut faults);
    let mapping = read(&parsed.fields("mapping"));
    faults.extend(parsed.report.into_faults());
    faults.sort();
    if faults.is_empty() { Ok(mapping) } else { Err(faults) }
}

/// Reads a mapping.
pub(super) fn read(fields: &Fields<'_, '_>) -> Mapping {
    let name = fields.must("mapping", fields.text("mapping")).into();
    let stamps = stamps(fields.table("time", "time"), None);
    let encoding = encoding(fields);
    let events: Vec<EventRule> = fields.tables("events", "event").iter().map(|event| event_rule(event, &stamps)).collect();
    if events.is_empty() {
        fields.fault("has no [[events]]: what its records become");
    }
    fields.finish();
    Mapping { name, encoding, events }
}

fn encoding(fields: &Fields<'_, '_>) -> Encoding {
    let csv = fields.word("encoding", &[("json", false), ("csv", true)]).unwrap_or(false);
    let entries = fields.text("entries").map(path);
    let delimiter = fields.text("delimiter");
    let columns = texts(fields, "columns");
    if !csv {
        return Encoding::Json { entries };
    }
    let delimiter = match delimiter.map_or(b",".as_slice(), str::as_bytes) {
        [byte] if byte.is_ascii() => *byte,
        _ => {
            fields.fault_in("delimiter", "must be one ASCII character");
            b','
        }
    };
    Encoding::Csv { delimiter, columns }
}

/// How times are written: of the mapping as a whole, or of one field in its place.
fn stamps(time: Option<Fields<'_, '_>>, otherwise: Option<&Stamps>) -> Stamps {
    let mut stamps = otherwise.cloned().unwrap_or(Stamps {
        format: Format::Iso,
        zone: None,
        written_in: None,
        ambiguous: Ambiguous::First,
        nonexistent: Nonexistent::Refuse,
    });
    let Some(time) = time else { return stamps };
    stamp_keys(&time, &mut stamps);
    time.finish();
    stamps
}

fn stamp_keys(fields: &Fields<'_, '_>, stamps: &mut Stamps) {
    if let Some(format) = fields.text("format") {
        match Format::read(format) {
            Ok(format) => stamps.format = format,
            Err(why) => fields.fault_in("format", &why),
        }
    }
    if let Some(zone) = fields.text("time_zone") {
        stamps.zone = zone.parse().ok();
        if stamps.zone.is_none() {
            fields.fault_in("time_zone", "is no IANA time zone, like \"Africa/Casablanca\"");
        }
    }
    // A live clock that goes back writes the hour twice: when the record came tells which.
    stamps.ambiguous = Ambiguous::InOrder;
}

fn event_rule(fields: &Fields<'_, '_>, stamps: &Stamps) -> EventRule {
    let becomes = fields.must("becomes", fields.word("becomes", &BECOMES)).into();
    let when = fields.table("when", "condition").map(|when| conditions(&when)).unwrap_or_default();
    let rules = fields.table("fields", "fields").map(|list| field_rules(&list, stamps)).unwrap_or_default();
    if rules.is_empty() && fields.find("fields").is_none() {
        fields.fault("has no `fields`");
    }
    fields.finish();
    EventRule { becomes, when, fields: rules }
}

fn conditions(when: &Fields<'_, '_>) -> Vec<(Path, Vec<Box<str>>)> {
    let mut conditions = Vec::new();
    for (at, span, value) in when.entries() {
        let words = match value.get_ref() {
            DeValue::Array(list) => list.iter().map(|word| scalar(word.get_ref())).collect::<Option<Vec<_>>>(),
            single => scalar(single).map(|word| vec![word]),
        };
        match words {
            Some(words) => conditions.push((path(at), words)),
            None => when.report.fault(&span, format!("condition on \"{at}\": must be a word, a number, true or false, or a list of them")),
        }
    }
    conditions
}

fn field_rules(list: &Fields<'_, '_>, stamps: &Stamps) -> Vec<FieldRule> {
    let mut rules = Vec::new();
    for (name, span, value) in list.entries() {
        let Some((field, kind)) = TARGETS.iter().find(|(target, _)| *target == name).copied() else {
            let known = Names::new(TARGETS.iter().map(|(target, _)| *target));
            list.report.unknown(&span, format!("\"{name}\" is no field of a neutral event"), known.nearest(name).into_iter().map(str::to_owned).collect());
            continue;
        };
        let told = match value.get_ref() {
            DeValue::String(at) => Some(plain(field, kind, Origin::Path(path(at)), stamps)),
            DeValue::Table(table) => field_rule(&Fields::new(list.report, table, value.span(), &format!("field \"{name}\"")), field, kind, stamps),
            _ => None,
        };
        match told {
            Some(rule) => rules.push(rule),
            None => list.report.fault(&span, format!("field \"{name}\": must be a path, or a table with `path` or `is`")),
        }
    }
    rules
}

fn plain(field: &'static str, kind: FieldKind, from: Origin, stamps: &Stamps) -> FieldRule {
    let (words, missing) = (BTreeMap::new(), vec!["".into()]);
    FieldRule { field, kind, from, words, missing, unit: (1.0, 0.0), sign: None, stamps: stamps.clone(), shift: Shift::Later(Span::ZERO) }
}

fn field_rule(fields: &Fields<'_, '_>, field: &'static str, kind: FieldKind, stamps: &Stamps) -> Option<FieldRule> {
    let constant = fields.find("is").and_then(|value| scalar(value.get_ref()));
    let from = match (fields.text("path"), constant) {
        (Some(at), None) => Origin::Path(path(at)),
        (None, Some(constant)) => Origin::Constant(constant),
        _ => return None,
    };
    let mut rule = plain(field, kind, from, stamps);
    if let Some(words) = fields.table("words", "words") {
        rule.words = words.entries().filter_map(|(word, _, meaning)| Some((word.into(), scalar(meaning.get_ref())?))).collect();
    }
    if fields.find("missing").is_some() {
        rule.missing = texts(fields, "missing");
    }
    if let Some(unit) = fields.word("unit", UNITS) {
        rule.unit = unit;
    }
    if let Some(scale) = fields.number("scale") {
        rule.unit.0 *= scale;
        rule.unit.1 *= scale;
    }
    rule.sign = fields.word("sign", &[("positive", Sign::Positive), ("negative", Sign::Negative)]);
    stamp_keys(fields, &mut rule.stamps);
    if let Some(later) = fields.span("plus") {
        rule.shift = Shift::Later(later);
    }
    if let Some(earlier) = fields.span("minus") {
        rule.shift = Shift::Earlier(earlier);
    }
    if kind != FieldKind::Time && (fields.find("format").is_some() || fields.find("plus").is_some() || fields.find("minus").is_some()) {
        fields.fault("`format`, `plus` and `minus` make sense for a time only");
    }
    fields.finish();
    Some(rule)
}

/// `/a/b/0` leads through keys and positions; a name without a slash is one key.
fn path(text: &str) -> Path {
    match text.strip_prefix('/') {
        Some(rest) => rest.split('/').map(|key| key.replace("~1", "/").replace("~0", "~").into()).collect(),
        None => vec![text.into()],
    }
}

fn scalar(value: &DeValue<'_>) -> Option<Box<str>> {
    match value {
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Boolean(flag) => Some(flag.to_string().into()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number.to_string().into()),
        number @ DeValue::Float(_) => number_of(number).map(|number| number.to_string().into()),
        _ => None,
    }
}

fn texts(fields: &Fields<'_, '_>, key: &'static str) -> Vec<Box<str>> {
    let Some(value) = fields.find(key) else { return Vec::new() };
    let list = match value.get_ref() {
        DeValue::Array(list) => list.iter().map(|item| scalar(item.get_ref())).collect::<Option<Vec<_>>>(),
        single => scalar(single).map(|text| vec![text]),
    };
    if list.is_none() {
        fields.fault_in(key, "must be a list of texts");
    }
    list.unwrap_or_default()
}

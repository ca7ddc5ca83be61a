//! A threshold profile from its file: every required threshold, in its unit, with source and mark.

use super::fault::Report;
use super::fields::Fields;
use crate::venue::Names;
use crate::venue::profile::{Profile, REQUIRED, Threshold};
use std::collections::BTreeMap;

/// How far a threshold's source was checked.
const MARKS: [(&str, char); 3] = [("S", 'S'), ("C", 'C'), ("M", 'M')];

/// Reads a profile: its id and itself.
pub(super) fn read(report: &Report<'_>, fields: &Fields<'_, '_>, hash: String) -> (Box<str>, Profile) {
    let id = fields.id();
    let version = fields.must("version", fields.whole("version"));
    fields.text("name");
    let thresholds = fields.table("thresholds", "thresholds").map(|table| read_thresholds(report, &table)).unwrap_or_default();
    fields.finish();
    (id.clone(), Profile { label: format!("{id}/{version}").into(), thresholds, hash })
}

fn read_thresholds(report: &Report<'_>, table: &Fields<'_, '_>) -> BTreeMap<Box<str>, Threshold> {
    let required = Names::new(REQUIRED.iter().map(|(name, _)| *name));
    let mut thresholds = BTreeMap::new();
    for (name, at, value) in table.entries() {
        let Some(position) = required.position(name) else {
            let nearest = required.nearest(name).into_iter().map(str::to_owned).collect();
            report.unknown(&at, format!("unknown threshold \"{name}\""), nearest);
            continue;
        };
        let Some(fields) = value.get_ref().as_table() else {
            report.fault(&at, format!("threshold \"{name}\" must be a table of `value`, `unit`, `mark` and `source`"));
            continue;
        };
        let fields = Fields::new(report, fields, value.span(), &format!("threshold \"{name}\""));
        thresholds.insert(name.into(), read_threshold(&fields, REQUIRED[position].1));
    }
    for (name, unit) in REQUIRED.iter().filter(|(name, _)| table.entries().all(|(found, ..)| found != *name)) {
        report.fault(&table.at, format!("threshold \"{name}\" ({unit}) is missing"));
    }
    thresholds
}

fn read_threshold(fields: &Fields<'_, '_>, required_unit: &str) -> Threshold {
    let value = fields.must("value", fields.number("value"));
    let unit = fields.must("unit", fields.text("unit"));
    if !unit.is_empty() && unit != required_unit {
        fields.fault_in("unit", &format!("is \"{unit}\" but must be \"{required_unit}\""));
    }
    let source = fields.must("source", fields.text("source"));
    let mark = fields.must("mark", fields.word("mark", &MARKS));
    fields.finish();
    Threshold { value, unit: unit.into(), source: source.into(), mark }
}

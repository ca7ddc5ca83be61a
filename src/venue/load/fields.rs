//! Reading one table of a file field by field: each getter notes its own fault and goes on, and the keys that nobody asked for are the unknown ones.

use super::fault::Report;
use super::quantity::parse_span;
use crate::time::Span;
use crate::venue::Names;
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table of the file that is being read.
#[derive(Debug)]
pub(super) struct Fields<'r, 't> {
    pub(super) report: &'r Report<'t>,
    pub(super) at: Range<usize>,
    /// What the table is, for messages: `zone "bowl"`.
    pub(super) what: String,
    table: &'r DeTable<'t>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r, 't> Fields<'r, 't> {
    /// The fields of `table`, which stands at `at` and is a `kind` (`zone`); its `id`, where it has one, completes the name in messages.
    pub(super) fn new(report: &'r Report<'t>, table: &'r DeTable<'t>, at: Range<usize>, kind: &str) -> Self {
        let id = table.iter().find(|(key, _)| key.get_ref() == "id").and_then(|(_, value)| value.get_ref().as_str());
        let what = id.map_or_else(|| kind.to_owned(), |id| format!("{kind} \"{id}\""));
        Self { report, at, what, table, asked: RefCell::default() }
    }

    /// Notes a fault of the table as a whole.
    pub(super) fn fault(&self, what: &str) {
        self.report.fault(&self.at, format!("{}: {what}", self.what));
    }

    /// Notes a fault of one field.
    pub(super) fn fault_in(&self, key: &'static str, what: &str) {
        let at = self.find(key).map_or_else(|| self.at.clone(), Spanned::span);
        self.report.fault(&at, format!("{}: `{key}` {what}", self.what));
    }

    /// Ends the reading: whatever key nobody asked for is unknown.
    pub(super) fn finish(&self) {
        let asked = Names::new(self.asked.borrow().iter().copied());
        for key in self.table.keys().filter(|key| asked.position(key.get_ref()).is_none()) {
            let nearest = asked.nearest(key.get_ref()).into_iter().map(str::to_owned).collect();
            self.report.unknown(&key.span(), format!("{}: unknown key `{}`", self.what, key.get_ref()), nearest);
        }
    }

    /// The field, if it stands there.
    pub(super) fn find(&self, key: &'static str) -> Option<&'r Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// What a getter found for a field that must stand there; its default, with a fault, where it does not.
    pub(super) fn must<T: Default>(&self, key: &'static str, found: Option<T>) -> T {
        found.unwrap_or_else(|| {
            if self.find(key).is_none() {
                self.fault(&format!("`{key}` is missing"));
            }
            T::default()
        })
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &'static str) -> Option<&'r str> {
        let value = self.find(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(text),
            Some(_) => self.wrong(key, "is empty"),
            None => self.wrong(key, "must be a text"),
        }
    }

    /// An id: letters, digits, `-`, `_`, `.` and `:`, since ids stand in keys and labels.
    pub(super) fn id(&self) -> Box<str> {
        let id = self.must("id", self.text("id"));
        if let Some(odd) = id.chars().find(|c| !c.is_alphanumeric() && !"-_.:".contains(*c)) {
            self.fault_in("id", &format!("holds {odd:?}; an id is of letters, digits, `-`, `_`, `.` and `:`"));
        }
        id.into()
    }

    /// The name, or the id where none stands there.
    pub(super) fn name(&self) -> String {
        self.text("name").or_else(|| self.text("id")).unwrap_or_default().to_owned()
    }

    /// A finite number.
    pub(super) fn number(&self, key: &'static str) -> Option<f64> {
        let value = self.find(key)?;
        match number_of(value.get_ref()) {
            Some(number) => Some(number),
            None => self.wrong(key, "must be a number"),
        }
    }

    /// A number above zero.
    pub(super) fn positive(&self, key: &'static str) -> Option<f64> {
        let number = self.number(key)?;
        if number > 0.0 { Some(number) } else { self.wrong(key, &format!("must be greater than zero, not {number}")) }
    }

    /// A whole number above zero.
    pub(super) fn whole(&self, key: &'static str) -> Option<u32> {
        let value = self.find(key)?;
        match value.get_ref() {
            DeValue::Integer(integer) => match u32::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(whole) if whole > 0 => Some(whole),
                _ => self.wrong(key, &format!("must be a whole number from 1 to {}, not {integer}", u32::MAX)),
            },
            _ => self.wrong(key, "must be a whole number"),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.find(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong(key, "must be true or false"),
        }
    }

    /// A length of time as text with its unit.
    pub(super) fn span(&self, key: &'static str) -> Option<Span> {
        let value = self.find(key)?;
        let Some(text) = value.get_ref().as_str() else {
            return self.wrong(key, "must be a text with a unit, like \"10s\" or \"5min\"");
        };
        match parse_span(text) {
            Ok(span) => Some(span),
            Err(why) => self.wrong(key, &why),
        }
    }

    /// One of a closed list of words.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            self.not_found(key, text, "word", &Names::new(words.iter().map(|(word, _)| *word)));
        }
        found
    }

    /// The position of what the field names in the list of that `kind`.
    pub(super) fn reference(&self, key: &'static str, kind: &str, names: &Names) -> Option<usize> {
        let text = self.text(key)?;
        let found = names.position(text);
        if found.is_none() {
            self.not_found(key, text, kind, names);
        }
        found
    }

    /// The positions of what a list of names names, each of that `kind`.
    pub(super) fn references(&self, key: &'static str, kind: &str, names: &Names) -> Vec<usize> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let texts: Option<Vec<&str>> = value.get_ref().as_array().and_then(|list| list.iter().map(|item| item.get_ref().as_str()).collect());
        let Some(texts) = texts else {
            self.fault_in(key, "must be a list of names");
            return Vec::new();
        };
        let position = |text: &&str| {
            let found = names.position(text);
            if found.is_none() {
                self.not_found(key, text, kind, names);
            }
            found
        };
        texts.iter().filter_map(position).collect()
    }

    /// A list of texts or dates; a single one is a list of one.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let texts = match value.get_ref() {
            DeValue::Array(list) => list.iter().map(|item| text_of(item.get_ref())).collect(),
            one => text_of(one).map(|text| vec![text]),
        };
        texts.or_else(|| self.wrong(key, "must be a list of texts or dates")).unwrap_or_default()
    }

    /// A list of pairs of numbers; `what` says what they are.
    pub(super) fn pairs(&self, key: &'static str, what: &str) -> Vec<(f64, f64)> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let pair = |item: &Spanned<DeValue<'_>>| super::parts::pair(item.get_ref()).map(|[a, b]| (a, b));
        let pairs: Option<Vec<(f64, f64)>> = value.get_ref().as_array().and_then(|list| list.iter().map(pair).collect());
        if pairs.is_none() {
            self.fault_in(key, &format!("must be a list of pairs {what}"));
        }
        pairs.unwrap_or_default()
    }

    /// An RFC 3339 time with an offset, epoch ms.
    pub(super) fn moment(&self, key: &'static str) -> Option<i64> {
        let text = self.text(key)?;
        let at = chrono::DateTime::parse_from_rfc3339(text);
        if at.is_err() {
            self.fault_in(key, &format!("is \"{text}\"; write RFC 3339 with an offset, like \"2030-06-16T21:00:00+01:00\""));
        }
        at.ok().map(|at| at.timestamp_millis())
    }

    /// The tables of a list, each a `kind`.
    pub(super) fn tables(&self, key: &'static str, kind: &str) -> Vec<Fields<'r, 't>> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            self.fault_in(key, "must be a list of tables");
            return Vec::new();
        };
        list.iter().filter_map(|item| self.table_of(item, key, kind)).collect()
    }

    /// A table within this one.
    pub(super) fn table(&self, key: &'static str, kind: &str) -> Option<Fields<'r, 't>> {
        let value = self.find(key)?;
        self.table_of(value, key, kind)
    }

    /// The entries of this table, whatever their keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'r str, Range<usize>, &'r Spanned<DeValue<'t>>)> + use<'r, 't> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
    }

    fn table_of(&self, value: &'r Spanned<DeValue<'t>>, key: &str, kind: &str) -> Option<Fields<'r, 't>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.report.fault(&value.span(), format!("{}: `{key}` must be a table of named fields", self.what));
        }
        Some(Fields::new(self.report, table?, value.span(), kind))
    }

    fn wrong<T>(&self, key: &'static str, what: &str) -> Option<T> {
        self.fault_in(key, what);
        None
    }

    fn not_found(&self, key: &'static str, text: &str, kind: &str, names: &Names) {
        let at = self.find(key).map_or_else(|| self.at.clone(), Spanned::span);
        let nearest = names.nearest(text).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let none = if nearest.is_empty() { " (none is configured)" } else { "" };
        self.report.unknown(&at, format!("{}: `{key}` names an unknown {kind} \"{text}\"{none}", self.what), nearest);
    }
}

/// A text, or a date as it would be written as one.
pub(crate) fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        _ => None,
    }
}

/// The finite number that a value is.
pub(super) fn number_of(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).ok()? as f64,
        DeValue::Float(float) => float.as_str().parse::<f64>().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

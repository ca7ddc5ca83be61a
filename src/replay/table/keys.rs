//! A mapping's keys, read one by one from TOML: every fault is collected with its line, and a key that nobody asked for is named with the nearest valid ones.

use crate::venue::Names;
use crate::venue::load::text_of;
use std::cell::RefCell;
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One fault of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingFault {
    /// The mapping's file.
    pub file: String,
    /// The line, from 1; 0 where the fault is of no line.
    pub line: usize,
    /// The key, with its table: `time.format`.
    pub key: String,
    /// What is wrong and what to do.
    pub detail: String,
}

impl fmt::Display for MappingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if self.key.is_empty() { f.write_str(&self.detail) } else { write!(f, "{}: {}", self.key, self.detail) }
    }
}

/// The faults found so far in one file.
#[derive(Debug)]
pub(super) struct Faults<'t> {
    file: String,
    text: &'t str,
    list: RefCell<Vec<MappingFault>>,
    /// The keys that were asked for, each with its table.
    asked: RefCell<Vec<(&'static str, &'static str)>>,
    /// The keys that nobody had asked for when their table was done: where, the table, the key.
    unknown: RefCell<Vec<(usize, &'static str, String)>>,
}

impl<'t> Faults<'t> {
    pub(super) fn of(file: &str, text: &'t str) -> Self {
        Self { file: file.to_owned(), text, list: RefCell::default(), asked: RefCell::default(), unknown: RefCell::default() }
    }

    /// Notes a fault at a byte of the file.
    pub(super) fn note(&self, at: usize, key: &str, detail: impl Into<String>) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        self.list.borrow_mut().push(MappingFault { file: self.file.clone(), line, key: key.to_owned(), detail: detail.into() });
    }

    /// All of them by line, if there are any.
    pub(super) fn into_result(self) -> Result<(), Vec<MappingFault>> {
        for (at, path, key) in self.unknown.take() {
            self.note(at, &within(path, &key), self.cure(path, &key));
        }
        let mut list = self.list.into_inner();
        list.sort_by_key(|fault| fault.line);
        if list.is_empty() { Ok(()) } else { Err(list) }
    }
}

impl Faults<'_> {
    /// What is to be done about a key that its table does not have: most stand in the wrong one, after a `[table]` that was meant to come later.
    fn cure(&self, path: &str, key: &str) -> String {
        let asked = self.asked.borrow();
        let is_table = |name: &str| asked.iter().any(|(table, _)| *table == name);
        let stands = |(table, known): &&(&str, &str)| *known == key && *table != path && !(table.is_empty() && is_table(known));
        let elsewhere: Vec<&str> = asked.iter().filter(stands).map(|(table, _)| *table).collect();
        match elsewhere[..] {
            [""] => "must stand before the first [table]".to_owned(),
            [table] => format!("must stand in [{table}]"),
            _ => {
                let names = Names::new(asked.iter().filter(|(table, _)| *table == path).map(|(_, key)| *key));
                format!("is no key of a mapping; nearest valid: {}", names.nearest(key).join(", "))
            }
        }
    }
}

fn within(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// One table of the mapping and the keys that were asked of it.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    table: Option<&'a DeTable<'a>>,
    at: usize,
    path: &'static str,
    faults: &'a Faults<'a>,
}

impl<'a> Keys<'a> {
    /// The root of a document.
    pub(super) fn root(document: &'a Spanned<DeTable<'a>>, faults: &'a Faults<'a>) -> Self {
        Self { table: Some(document.get_ref()), at: 0, path: "", faults }
    }

    /// The table under `key`; one that is not there reads as empty.
    pub(super) fn table(&self, key: &'static str) -> Self {
        let value = self.get(key);
        let table = value.and_then(|value| match value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                self.note(key, value.span().start, format!("must be a table, is {}", other.type_str()));
                None
            }
        });
        Self { table, at: value.map_or(self.at, |value| value.span().start), path: key, faults: self.faults }
    }

    /// Whether the table stands in the file.
    pub(super) const fn is_there(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the key stands in the file.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        self.get(key).and_then(|value| match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            other => self.refuse(key, value, format!("must be a text, is {}", other.type_str())),
        })
    }

    /// A text that must be there.
    pub(super) fn must_text(&self, key: &'static str) -> Option<String> {
        if self.get(key).is_none() {
            self.note(key, self.at, "must be there");
        }
        self.text(key)
    }

    /// The name of something: a text that says something.
    pub(super) fn name(&self, key: &'static str) -> Option<String> {
        self.parsed(key, |text| if text.trim().is_empty() { Err("is empty, and must be a name".to_owned()) } else { Ok(text.to_owned()) })
    }

    /// A name that must be there.
    pub(super) fn must_name(&self, key: &'static str) -> Option<String> {
        if self.get(key).is_none() {
            self.note(key, self.at, "must be there");
        }
        self.name(key)
    }

    /// Yes or no.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        self.get(key).and_then(|value| match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            other => self.refuse(key, value, format!("must be true or false, is {}", other.type_str())),
        })
    }

    /// A number.
    pub(super) fn number(&self, key: &'static str) -> Option<f64> {
        let value = self.get(key)?;
        let read = match value.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        if read.is_some() { read } else { self.refuse(key, value, format!("must be a number, is {}", value.get_ref().type_str())) }
    }

    /// A list of texts or dates; a single one is a list of one.
    pub(super) fn texts(&self, key: &'static str) -> Option<Vec<String>> {
        let value = self.get(key)?;
        let items = match value.get_ref() {
            DeValue::Array(items) => items,
            one if text_of(one).is_some() => return text_of(one).map(|text| vec![text]),
            other => return self.refuse(key, value, format!("must be a list of texts, is {}", other.type_str())),
        };
        let texts: Vec<String> = items.iter().filter_map(|item| text_of(item.get_ref())).collect();
        if texts.len() == items.len() { Some(texts) } else { self.refuse(key, value, "must be a list of texts".to_owned()) }
    }

    /// A list of pairs of texts or dates.
    pub(super) fn pairs(&self, key: &'static str) -> Option<Vec<[String; 2]>> {
        let value = self.get(key)?;
        let pair = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::Array(two) => two.iter().map(|item| text_of(item.get_ref())).collect::<Option<Vec<_>>>()?.try_into().ok(),
            _ => None,
        };
        let pairs: Option<Vec<[String; 2]>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(pair).collect(),
            _ => None,
        };
        pairs.or_else(|| self.refuse(key, value, "must be a list of pairs, such as [[\"2019-11-06\", \"2020-01-02\"]]".to_owned()))
    }

    /// One of `words`.
    pub(super) fn word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        self.parsed(key, |text| match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(*value),
            None => Err(format!("must be one of {}", words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", "))),
        })
    }

    /// A text that `parse` understands.
    pub(super) fn parsed<T>(&self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(key)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(detail) => {
                self.note(key, self.get(key).map_or(self.at, |value| value.span().start), detail);
                None
            }
        }
    }

    /// Notes a fault of this table.
    pub(super) fn fault(&self, key: &str, detail: impl Into<String>) {
        let at = self.entry(key).map_or(self.at, |value| value.span().start);
        self.note(key, at, detail);
    }

    /// Ends the reading of this table: names the keys that nobody asked for.
    pub(super) fn finish(self) {
        self.refuse_unknown();
    }

    /// Names the keys that nobody has asked for.
    pub(super) fn refuse_unknown(&self) {
        let asked = self.faults.asked.borrow();
        let mut unknown = self.faults.unknown.borrow_mut();
        for (key, _) in self.table.into_iter().flatten() {
            if !asked.iter().any(|(path, asked)| *path == self.path && *asked == key.get_ref()) {
                unknown.push((key.span().start, self.path, key.get_ref().to_string()));
            }
        }
    }

    fn refuse<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, detail: String) -> Option<T> {
        self.note(key, value.span().start, detail);
        None
    }

    fn note(&self, key: &str, at: usize, detail: impl Into<String>) {
        self.faults.note(at, &within(self.path, key), detail);
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        let asked = (self.path, key);
        if !self.faults.asked.borrow().contains(&asked) {
            self.faults.asked.borrow_mut().push(asked);
        }
        self.entry(key)
    }

    fn entry(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table?.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}

//! What is wrong with a configuration, and where: a fault always names its file and line, and the valid names where one is unknown.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

/// One fault of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigFault {
    /// The file, as the caller named it; empty where the fault is in no single file.
    pub file: String,
    /// The line, from 1; 0 where the fault is in no single line.
    pub line: u32,
    /// What is wrong and what to do.
    pub what: String,
    /// The valid names nearest to an unknown one, best first; empty where no name is unknown.
    pub nearest: Vec<String>,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, _) => {}
            (false, 0) => write!(f, "{}: ", self.file)?,
            (false, line) => write!(f, "{}:{line}: ", self.file)?,
        }
        f.write_str(&self.what)?;
        if !self.nearest.is_empty() {
            write!(f, "; nearest valid: {}", self.nearest.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFault {}

/// The faults of one file as they are found. Shared by everything that reads the file, so that one fault does not hide the next.
#[derive(Debug)]
pub(super) struct Report<'t> {
    file: &'t str,
    line_starts: Vec<usize>,
    faults: RefCell<Vec<ConfigFault>>,
}

impl<'t> Report<'t> {
    /// No faults yet, in the file of this name and text.
    pub(super) fn new(file: &'t str, text: &str) -> Self {
        let line_starts = std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1)).collect();
        Self { file, line_starts, faults: RefCell::default() }
    }

    /// Notes a fault at a place in the text.
    pub(super) fn fault(&self, at: &Range<usize>, what: impl Into<String>) {
        self.unknown(at, what, Vec::new());
    }

    /// Notes a name that is not known, with the valid ones nearest to it.
    pub(super) fn unknown(&self, at: &Range<usize>, what: impl Into<String>, nearest: Vec<String>) {
        let line = self.line_starts.partition_point(|start| *start <= at.start);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.faults.borrow_mut().push(ConfigFault { file: self.file.to_owned(), line, what: what.into(), nearest });
    }

    /// Whether nothing was found.
    pub(super) fn is_clean(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    /// All that was found.
    pub(super) fn into_faults(self) -> Vec<ConfigFault> {
        self.faults.into_inner()
    }
}

//! Why a table cannot be read at all, and what to do about it.

use crate::time::Span;
use crate::venue::Names;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How many columns a message lists.
const NAMED_COLUMNS: usize = 40;

/// Why a table cannot be read at all.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("{}: {why}; it must be a file, or a pipe, that may be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file is not what it is said to be.
    #[error("{}: {detail}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The mapping names a column that is not there.
    #[error("{}: has no column \"{column}\"; nearest: {nearest}; its columns are: {all}{hint}", path.display())]
    NoColumn {
        /// Which file.
        path: PathBuf,
        /// The column that the mapping names.
        column: String,
        /// The columns nearest to it.
        nearest: String,
        /// The columns, as far as a line holds them.
        all: String,
        /// What may be behind it, where the header itself tells.
        hint: &'static str,
    },
    /// The rows can be read, but none tells a figure.
    #[error("{}: {rows} rows, and not one has a figure: {what}; the mapping names the columns of the figures, and what stands for missing ones", path.display())]
    NoFigure {
        /// Which file.
        path: PathBuf,
        /// How many rows were read.
        rows: u64,
        /// What is wrong with the first, or what they hold instead.
        what: String,
    },
    /// Ages lie between one half of the rows and the other.
    #[error("{}: {years} years without a row lie between line {before} and line {after}: which of the two is mistyped, only you can tell", path.display())]
    TornApart {
        /// Which file.
        path: PathBuf,
        /// How long the gap is.
        years: u64,
        /// The last row before it.
        before: u32,
        /// The first row after it.
        after: u32,
    },
    /// No row of the table is of use.
    #[error("{}: no row is of use; the first fault: {first}", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
        /// What is wrong with the first row.
        first: String,
    },
    /// The rows follow no grid.
    #[error(
        "{}:{line}: lies {off} beside the grid of the step ({step}), as {lines} of {rows} rows do; {why} `off_grid = \"down\"` under [time] takes each row \
         to the step that it lies in, `\"nearest\"` to the step that begins nearest", path.display()
    )]
    OffGrid {
        /// Which file.
        path: PathBuf,
        /// The step of the mapping.
        step: Span,
        /// How far beside it.
        off: Span,
        /// The first row that is.
        line: u32,
        /// How many are.
        lines: u64,
        /// Of so many.
        rows: u64,
        /// Why that cannot be.
        why: &'static str,
    },
}

impl TableError {
    pub(in crate::replay::table) fn malformed(path: &Path, detail: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), detail: detail.to_string() }
    }

    /// Whether the rows' times are at fault, not the file.
    pub(super) const fn is_of_rows(&self) -> bool {
        matches!(self, Self::OffGrid { .. } | Self::Empty { .. } | Self::TornApart { .. })
    }

    /// Whether no more rows are beside the grid than with `other`.
    pub(super) fn is_no_worse_than(&self, other: &Self) -> bool {
        matches!((self, other), (Self::OffGrid { lines, .. }, Self::OffGrid { lines: others, .. }) if lines <= others)
    }

    pub(in crate::replay::table) fn no_column(path: &Path, name: &str, columns: &[String]) -> Self {
        let nearest = Names::new(columns.iter().map(String::as_str)).nearest(name).join(", ");
        let more = if columns.len() > NAMED_COLUMNS { ", …" } else { "" };
        let all = columns.iter().take(NAMED_COLUMNS).map(String::as_str).collect::<Vec<_>>().join(", ") + more;
        let hint = match columns {
            [only] if only.contains([';', '\t', '|']) => "; is it the delimiter? `delimiter` under [file] says what stands between two cells",
            [_] => "; does a title stand before the header? `skip` under [file] passes over so many lines",
            _ => "",
        };
        Self::NoColumn { path: path.to_owned(), column: name.to_owned(), nearest, all, hint }
    }
}

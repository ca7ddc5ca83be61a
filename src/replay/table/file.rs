//! The rows of a file, whatever wrote it: CSV, CSV.gz or Parquet, each cell as text.
//!
//! Text is what all of them share. A Parquet time stamp becomes an ISO time: with an offset where the column says that it is UTC, without one
//! where it is a wall clock, so that the mapping's zone decides.

use super::TableError;
use super::faults::RowFault;
use super::lines::{self, BREAKS, END, Kept, Lines, breaks_in, is_end, lines_of, unclosed};
use super::mapping::FileShape;
use super::quotes::{Plain, Reads};
use super::sensors::in_one_line;
use chrono::{DateTime, SecondsFormat};
use csv::StringRecord;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::fs::File;
use std::io::{BufRead, Cursor, ErrorKind, Read};
use std::path::Path;

/// A table's file, open, its columns known.
pub(super) struct Rows {
    columns: Vec<String>,
    source: Source,
}

enum Source {
    Csv {
        reader: Box<csv::Reader<Kept>>,
        /// The header's text, where there is one.
        header: Option<String>,
        /// Lines before the header.
        skipped: u32,
        delimiter: u8,
    },
    Parquet {
        reader: SerializedFileReader<File>,
        stamps: Vec<Option<Stamp>>,
    },
}

/// What a file is, whatever its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Parquet,
    Gzip,
    Zip,
    Utf16,
    Text,
}

impl Kind {
    /// By its first bytes.
    fn of(first: &[u8]) -> Self {
        match first[..] {
            [b'P', b'A', b'R', b'1'] => Self::Parquet,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', 3, 4] => Self::Zip,
            // With its mark, or as two letters without one.
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [1..=255, 0, 1..=255, 0] | [0, 1..=255, 0, 1..=255] => Self::Utf16,
            _ => Self::Text,
        }
    }
}

/// How a Parquet column writes time stamps.
#[derive(Clone, Copy)]
struct Stamp {
    utc: bool,
    to_milli: i64,
}

/// The cells of one row.
pub(super) enum Cells<'a> {
    Csv(&'a StringRecord, Lacks),
    Parquet(&'a [String]),
}

/// What a row lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lacks {
    /// Nothing that is read.
    Nothing,
    /// Cells that other rows have, none of which is read where they are those at the end.
    Unread,
    /// Cells at its end that are read: its writer may drop empty ones.
    Cells,
    /// The rest of the file: why it must have been longer.
    Rest(RowFault),
    /// Figures that can be trusted: why its cells may not be its own. Nobody knows what it counted, and nobody may take it for absent.
    Figures(RowFault),
    /// A place of its own: why it may be none of the table's rows. It stands within another, and may be a remark.
    Place(RowFault),
}

impl Cells<'_> {
    /// The text of a cell, without blanks around it; empty for a cell that is not there.
    pub(super) fn get(&self, column: usize) -> &str {
        match self {
            Self::Csv(record, _) => record.get(column).unwrap_or_default().trim(),
            Self::Parquet(cells) => cells.get(column).map_or("", |cell| cell.trim()),
        }
    }

    /// What the row lacks.
    pub(super) fn lacks(&self) -> Lacks {
        match self {
            Self::Csv(_, lacks) => lacks.clone(),
            Self::Parquet(_) => Lacks::Nothing,
        }
    }
}

impl Rows {
    /// Opens a file and reads the names of its columns.
    pub(super) fn open(path: &Path, shape: &FileShape) -> Result<Self, TableError> {
        let unreadable = |why| TableError::Unreadable { path: path.to_owned(), why };
        let file = File::open(path).map_err(unreadable)?;
        let mut first = Vec::with_capacity(4);
        (&file).take(4).read_to_end(&mut first).map_err(unreadable)?;
        let kind = Kind::of(&first);
        if shape.parquet.unwrap_or(kind == Kind::Parquet) {
            return Self::open_parquet(path, file);
        }
        // A pipe cannot go back to its beginning.
        let whole = Cursor::new(first).chain(file);
        let bytes: Box<dyn Read> = match kind {
            Kind::Gzip => Box::new(flate2::read::MultiGzDecoder::new(whole)),
            Kind::Zip => return Err(TableError::malformed(path, "is a zip archive, or a workbook, which is one: unpack it, or save the sheet as CSV")),
            Kind::Utf16 => return Err(TableError::malformed(path, "is UTF-16: save it as UTF-8")),
            Kind::Parquet | Kind::Text => Box::new(whole),
        };
        let mut bytes = std::io::BufReader::with_capacity(1 << 16, bytes);
        let skipped = skip_lines(&mut bytes, shape.skip).map_err(unreadable)?;
        let bytes = Kept::of(Box::new(bytes.chain(Cursor::new(format!("\n{END}\n")))));
        let mut reader = csv::ReaderBuilder::new().has_headers(shape.header).delimiter(shape.delimiter).flexible(true).from_reader(bytes);
        let mut header = None;
        let columns = if shape.header {
            let headers = reader.headers().map_err(|err| TableError::malformed(path, told(&err)))?.clone();
            if is_end(&headers) {
                return Err(TableError::Empty { path: path.to_owned(), first: "the file is empty".to_owned() });
            }
            if headers.as_slice().contains(END) {
                return Err(unclosed(path, (skipped + 1, lines_of(headers.as_slice()))));
            }
            if headers.as_slice().contains('\0') {
                return Err(TableError::malformed(path, "has NULs in its header: it is UTF-16, or no text at all; save it as CSV in UTF-8"));
            }
            header = Some(String::from_utf8_lossy(reader.get_ref().between(0, reader.position().byte())).into_owned());
            headers.iter().map(|header| header.trim_start_matches('\u{feff}').trim().to_owned()).collect()
        } else {
            shape.columns.clone()
        };
        let columns = told_apart(path, columns)?;
        Ok(Self { columns, source: Source::Csv { reader: Box::new(reader), header, skipped, delimiter: shape.delimiter } })
    }

    fn open_parquet(path: &Path, file: File) -> Result<Self, TableError> {
        if !can_be_read_again(path) {
            return Err(TableError::malformed(path, "is Parquet, whose end is read first, and cannot come through a pipe: give it as a file"));
        }
        let reader = SerializedFileReader::new(file).map_err(|err| TableError::malformed(path, err))?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let columns = schema.root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
        let columns = told_apart(path, columns)?;
        let stamps = schema.root_schema().get_fields().iter().map(|field| Stamp::of(field.get_basic_info().logical_type_ref())).collect();
        Ok(Self { columns, source: Source::Parquet { reader, stamps } })
    }

    /// The names of the columns, no two of them alike but for those without a name.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether a column holds time stamps by its type: they are written as ISO times, whatever the mapping says of texts.
    pub(super) fn is_of_stamps(&self, column: usize) -> bool {
        match &self.source {
            Source::Csv { .. } => false,
            Source::Parquet { stamps, .. } => stamps.get(column).copied().flatten().is_some(),
        }
    }

    /// Hands on each row with its line (a row's number for Parquet), from 1.
    pub(super) fn each(self, path: &Path, reads: &Reads<'_>, mut row: impl FnMut(u32, Cells<'_>)) -> Result<(), TableError> {
        match self.source {
            Source::Csv { reader, header, skipped, delimiter } => {
                let plain = Plain::of(&self.columns, delimiter);
                let (line, columns) = (skipped + 1, self.columns.len());
                let text = header.as_deref().unwrap_or_default();
                let rows = plain.rows_in_header(text.trim_end_matches(BREAKS), reads);
                if rows > 0 {
                    let lines = lines_of(text);
                    let what = format!("the header, line {line}, reaches over {lines} lines, {rows} of which look like rows: is a quote in it not closed?");
                    return Err(TableError::malformed(path, what));
                }
                let line = line.saturating_add(breaks_in(text.as_bytes()));
                Lines { width: header.is_some().then_some(columns), columns, line, reads, plain }.each(*reader, path, &mut row)
            }
            Source::Parquet { reader, stamps } => each_parquet(&reader, &stamps, path, &mut row),
        }
    }
}

/// Whether a second reading would find the same: what came through a pipe is gone.
pub(super) fn can_be_read_again(path: &Path) -> bool {
    path.metadata().is_ok_and(|is| is.is_file())
}

/// Passes over what stands before the table, such as a title; answers how many lines there were.
fn skip_lines(bytes: &mut dyn BufRead, lines: u32) -> std::io::Result<u32> {
    let mut line = Vec::new();
    for passed in 0..lines {
        line.clear();
        if bytes.read_until(b'\n', &mut line)? == 0 {
            return Ok(passed);
        }
    }
    Ok(lines)
}

/// What the reader of CSV says, and what to do about the commonest faults of files.
pub(super) fn told(err: &csv::Error) -> String {
    match err.kind() {
        csv::ErrorKind::Utf8 { err, .. } => lines::not_utf8(err).to_string(),
        // What unpacks a gzip says either of one that is cut or damaged, and of what stands behind it.
        csv::ErrorKind::Io(why) if matches!(why.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
            format!("the gzip is cut short or damaged ({why}): fetch or pack the file anew")
        }
        _ => err.to_string(),
    }
}

/// Two columns of one name cannot be told apart: the figures of the second would silently be those of the first.
fn told_apart(path: &Path, columns: Vec<String>) -> Result<Vec<String>, TableError> {
    let names: Vec<_> = columns.iter().map(|name| in_one_line(name)).collect();
    let twice = names.iter().enumerate().find(|(i, name)| !name.is_empty() && names[..*i].contains(name));
    match twice {
        Some((_, name)) => Err(TableError::malformed(path, format!("two columns are called \"{name}\"; rename one, or name the columns in [file] columns"))),
        None => Ok(columns),
    }
}

/// Takes a row with its line.
pub(super) type Take<'t> = dyn FnMut(u32, Cells<'_>) + 't;

fn each_parquet(reader: &SerializedFileReader<File>, stamps: &[Option<Stamp>], path: &Path, row: &mut Take<'_>) -> Result<(), TableError> {
    let rows = reader.get_row_iter(None).map_err(|err| TableError::malformed(path, err))?;
    for (number, read) in rows.enumerate() {
        let read = read.map_err(|err| TableError::malformed(path, err))?;
        let columns = read.into_columns().into_iter().enumerate();
        let cells: Vec<String> = columns.map(|(i, (_, field))| cell(&field, stamps.get(i).copied().flatten())).collect();
        row(u32::try_from(number + 1).unwrap_or(u32::MAX), Cells::Parquet(&cells));
    }
    Ok(())
}

fn cell(field: &Field, stamp: Option<Stamp>) -> String {
    match (field, stamp) {
        (Field::Null, _) => String::new(),
        (Field::Str(text), _) => text.clone(),
        // Older writers do not say that a column is of texts.
        (Field::Bytes(bytes), _) => String::from_utf8_lossy(bytes.data()).into_owned(),
        (Field::Long(n) | Field::TimestampMillis(n) | Field::TimestampMicros(n), Some(stamp)) => stamp.text(*n),
        // Without a logical type a time stamp is an instant (Spark's INT96).
        (Field::TimestampMillis(n), None) => Stamp { utc: true, to_milli: 1 }.text(*n),
        (Field::TimestampMicros(n), None) => Stamp { utc: true, to_milli: 1_000 }.text(*n),
        (Field::Double(x), _) => x.to_string(),
        (Field::Float(x), _) => x.to_string(),
        (other, _) => other.to_string(),
    }
}

impl Stamp {
    fn of(logical: Option<&LogicalType>) -> Option<Self> {
        let Some(LogicalType::Timestamp(stamp)) = logical else { return None };
        let to_milli = match stamp.unit {
            TimeUnit::MILLIS => 1,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1_000_000,
        };
        Some(Self { utc: stamp.is_adjusted_to_u_t_c, to_milli })
    }

    fn text(self, number: i64) -> String {
        let millis = number.div_euclid(self.to_milli);
        match DateTime::from_timestamp_millis(millis) {
            Some(at) if self.utc => at.to_rfc3339_opts(SecondsFormat::Millis, true),
            Some(at) => at.naive_utc().format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
            None => String::new(),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;

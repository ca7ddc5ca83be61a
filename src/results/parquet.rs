//! The results as Parquet, beside the lines: the same fields in the same order, an estimate `{v, lo, hi}` as three columns, and what is nested deeper as JSON text.
//!
//! It reads back the lines that stand in the folder, so both always say the same; a file that is not there is passed over.

use super::NamedFile;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::Value;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Lines that make a row group.
const GROUP: usize = 65_536;

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Whole,
    Instant,
    /// Three columns of numbers.
    Estimate,
}

use Kind::{Estimate, Instant, Number, Text, Whole};

/// A file of the results, and its columns.
struct Shape {
    lines: &'static str,
    columns: &'static [(&'static str, Kind)],
}

const SHAPES: [Shape; 5] = [
    Shape {
        lines: "forecasts.ndjson",
        columns: &[
            ("zone", Text),
            ("what", Text),
            ("issued", Instant),
            ("target_from", Instant),
            ("target_to", Instant),
            ("h_s", Whole),
            ("q10", Number),
            ("q50", Number),
            ("q90", Number),
            ("model", Text),
        ],
    },
    Shape {
        lines: "findings.ndjson",
        columns: &[
            ("zone", Text),
            ("what", Text),
            ("from", Instant),
            ("to", Instant),
            ("detected", Instant),
            ("score", Number),
            ("p", Number),
            ("came", Number),
            ("expected", Number),
            ("code", Text),
        ],
    },
    Shape {
        lines: "zones.ndjson",
        columns: &[
            ("v", Whole),
            ("venue", Text),
            ("kind", Text),
            ("zone", Text),
            ("event_time", Instant),
            ("watermark", Instant),
            ("coverage", Number),
            ("revision", Whole),
            ("from", Instant),
            ("to", Instant),
            ("in", Whole),
            ("out", Whole),
            ("count", Whole),
            ("occupancy", Estimate),
            ("density", Estimate),
            ("los", Text),
            ("queue", Estimate),
            ("wait_s", Estimate),
            ("spill_s", Number),
            ("flow", Number),
            ("backward_flow", Number),
            ("specific_flow", Number),
            ("lanes_open", Whole),
            ("capacity_per_min", Number),
            ("arrivals_per_min", Number),
            ("entry_eta", Estimate),
            ("match", Text),
            ("sources", Text),
            ("age_s", Text),
            ("forecast", Text),
            ("model", Text),
            ("score", Number),
        ],
    },
    Shape {
        lines: "ledger.json",
        columns: &[
            ("v", Whole),
            ("topic", Text),
            ("partition", Whole),
            ("pane", Instant),
            ("read", Whole),
            ("decoded", Whole),
            ("undecodable", Whole),
            ("command", Whole),
            ("observations", Whole),
            ("windowed", Whole),
            ("revised", Whole),
            ("late", Whole),
            ("duplicate", Whole),
            ("quarantined", Whole),
            ("ignored", Whole),
        ],
    },
    Shape { lines: "arrivals.ndjson", columns: &[("venue", Text), ("stop", Text), ("name", Text), ("from", Instant), ("to", Instant), ("arrivals", Whole)] },
];

/// What the Parquet files are called.
pub(super) fn names() -> impl Iterator<Item = PathBuf> {
    SHAPES.iter().map(|shape| Path::new(shape.lines).with_extension("parquet"))
}

/// Writes a Parquet file beside each file of results in `folder`.
pub(super) fn beside(folder: &Path) -> io::Result<()> {
    for shape in &SHAPES {
        let lines = folder.join(shape.lines);
        if lines.is_file() {
            write(&lines, shape)?;
        }
    }
    Ok(())
}

fn write(lines: &Path, shape: &Shape) -> io::Result<()> {
    let columns = flat(shape);
    let schema = Arc::new(parse_message_type(&message(&columns)).map_err(fault)?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut writer = SerializedFileWriter::new(super::create(&lines.with_extension("parquet"))?, schema, properties).map_err(fault)?;
    let mut rows: Vec<Value> = Vec::new();
    let mut group = |rows: &mut Vec<Value>| -> io::Result<()> {
        let mut group = writer.next_row_group().map_err(fault)?;
        columns.iter().try_for_each(|column| column.write(rows, &mut group)).map_err(fault)?;
        group.close().map_err(fault)?;
        rows.clear();
        Ok(())
    };
    let file = BufReader::new(File::open(lines)?);
    if lines.extension().is_some_and(|extension| extension == "json") {
        rows = serde_json::from_reader(file)?;
    } else {
        for line in file.lines() {
            rows.push(serde_json::from_str(&line?)?);
            if rows.len() >= GROUP {
                group(&mut rows)?;
            }
        }
    }
    if !rows.is_empty() {
        group(&mut rows)?;
    }
    writer.close().map_err(fault)?;
    Ok(())
}

/// One column of the file.
struct Column {
    name: String,
    pointer: String,
    kind: Kind,
}

fn flat(shape: &Shape) -> Vec<Column> {
    let plain = |name: &str, kind| vec![Column { name: name.to_owned(), pointer: format!("/{name}"), kind }];
    let parts = |name: &str| ["v", "lo", "hi"].map(|part| Column { name: format!("{name}_{part}"), pointer: format!("/{name}/{part}"), kind: Number });
    shape.columns.iter().flat_map(|(name, kind)| if matches!(kind, Estimate) { parts(name).into() } else { plain(name, *kind) }).collect()
}

fn message(columns: &[Column]) -> String {
    let field = |column: &Column| {
        let (kind, meaning) = match column.kind {
            Text => ("binary", " (STRING)"),
            Number | Estimate => ("double", ""),
            Whole => ("int64", ""),
            Instant => ("int64", " (TIMESTAMP(MILLIS,true))"),
        };
        format!("optional {kind} {}{meaning};", column.name)
    };
    format!("message midan {{ {} }}", columns.iter().map(field).collect::<Vec<_>>().join(" "))
}

impl Column {
    fn write(&self, rows: &[Value], group: &mut SerializedRowGroupWriter<'_, NamedFile>) -> Result<(), ParquetError> {
        let Some(mut column) = group.next_column()? else { return Ok(()) };
        let cells = || rows.iter().map(|row| row.pointer(&self.pointer).filter(|cell| !cell.is_null()));
        let levels: Vec<i16> = cells().map(|cell| i16::from(cell.and_then(|cell| self.fits(cell)).is_some())).collect();
        let present = cells().flatten().filter(|cell| self.fits(cell).is_some());
        match self.kind {
            Text => column.typed::<ByteArrayType>().write_batch(&present.map(text).collect::<Vec<_>>(), Some(&levels), None)?,
            Number | Estimate => column.typed::<DoubleType>().write_batch(&present.filter_map(Value::as_f64).collect::<Vec<_>>(), Some(&levels), None)?,
            Whole | Instant => column.typed::<Int64Type>().write_batch(&present.filter_map(Value::as_i64).collect::<Vec<_>>(), Some(&levels), None)?,
        };
        column.close()
    }

    fn fits(&self, cell: &Value) -> Option<()> {
        match self.kind {
            Text => Some(()),
            Number | Estimate => cell.as_f64().map(drop),
            Whole | Instant => cell.as_i64().map(drop),
        }
    }
}

fn text(cell: &Value) -> ByteArray {
    let text = cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    ByteArray::from(text.into_bytes())
}

fn fault(why: ParquetError) -> io::Error {
    io::Error::other(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use std::collections::BTreeMap;

    fn read(path: &Path) -> Vec<BTreeMap<String, Field>> {
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns().into_iter().collect()).collect()
    }

    #[test]
    fn a_line_comes_back_from_parquet_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let lines = concat!(
            r#"{"zone":"a","what":"","from":1000,"to":2000,"detected":2000,"score":0.5,"p":null,"came":null,"expected":null,"code":"BLIND"}"#,
            "\n",
            r#"{"zone":"b","what":"in","from":3000,"to":4000,"detected":4000,"score":0.001,"p":0.001,"came":9.5,"expected":2,"code":"ANOMALY"}"#,
            "\n"
        );
        std::fs::write(folder.path().join("findings.ndjson"), lines).unwrap();
        beside(folder.path()).unwrap();
        let rows = read(&folder.path().join("findings.parquet"));
        assert_eq!(rows.len(), 2);
        assert_eq!((&rows[0]["zone"], &rows[0]["p"]), (&Field::Str("a".into()), &Field::Null));
        assert_eq!((&rows[1]["p"], &rows[1]["from"]), (&Field::Double(0.001), &Field::TimestampMillis(3_000)));
    }

    #[test]
    fn an_estimate_is_three_columns() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("zones.ndjson"), r#"{"zone":"a","in":3,"occupancy":{"v":1.0,"lo":0.5,"hi":2.0},"forecast":[{"h_s":300}]}"#).unwrap();
        beside(folder.path()).unwrap();
        let row = read(&folder.path().join("zones.parquet")).remove(0);
        assert_eq!((&row["occupancy_hi"], &row["in"], &row["out"]), (&Field::Double(2.0), &Field::Long(3), &Field::Null));
        assert_eq!(row["forecast"], Field::Str(r#"[{"h_s":300}]"#.into()));
    }
}

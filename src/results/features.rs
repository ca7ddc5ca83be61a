//! What a model would be shown, as Parquet: `midan features`.
//!
//! The idea: the rows are the very tensors that the engine asks the models with, taken at the edge where a model would sit, so nobody computes them a second time. A row per
//! series and step: `venue`, `zone`, `what`, `issued` (the end of the step), and the columns of the model's feature set (docs/FEATURES.md): `f000` to `f104` for the flow model,
//! `a00` to `a29` for the anomaly model. What is to be forecast is not in the row: it is what came (`f099`) in the rows 1, 2, 3, 6 and 12 steps later.

use super::NamedFile;
use crate::forecast::Series;
use crate::forecast::calendar::Calendar;
use crate::forecast::series;
use crate::inference::{Ask, Role};
use crate::venue::{Venue, World};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Rows that make a row group.
const GROUP: usize = 65_536;

/// The file of one model's features, being written.
pub struct FeatureFile {
    role: Role,
    writer: SerializedFileWriter<NamedFile>,
    venues: Vec<(ByteArray, Vec<(ByteArray, ByteArray)>)>,
    calendars: Vec<Calendar>,
    /// Row by row: venue, place of the series, issued.
    rows: Vec<(usize, usize, i64)>,
    values: Vec<f32>,
    written: u64,
}

impl std::fmt::Debug for FeatureFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeatureFile").field("written", &self.written).finish_non_exhaustive()
    }
}

impl FeatureFile {
    /// What the file of a model's features is called.
    pub const fn name(role: Role) -> &'static str {
        match role {
            Role::Flow => "features.parquet",
            Role::Anomaly => "anomaly.parquet",
        }
    }

    /// Opens the file of a model in that folder; what was there is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(folder: &Path, role: Role, world: &World) -> io::Result<Self> {
        let column = |place: usize| match role {
            Role::Flow => format!(" required float f{place:03};"),
            Role::Anomaly => format!(" required float a{place:02};"),
        };
        let features: String = (0..role.features()).map(column).collect();
        let message = format!(
            "message midan {{ required binary venue (STRING); required binary zone (STRING); required binary what (STRING); \
             required int64 issued (TIMESTAMP(MILLIS,true));{features} }}"
        );
        let schema = Arc::new(parse_message_type(&message).map_err(io::Error::other)?);
        let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
        let writer = SerializedFileWriter::new(super::create(&folder.join(Self::name(role)))?, schema, properties).map_err(io::Error::other)?;
        let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
        let names = |venue: &Venue, series: &Series| (text(&venue.zones[series.zone.index()].id), text(series.kind.word()));
        let venues = world.venues.iter().map(|venue| (text(&venue.id), series::of(venue).iter().map(|series| names(venue, series)).collect()));
        let calendars = world.venues.iter().map(Calendar::of);
        Ok(Self { role, writer, venues: venues.collect(), calendars: calendars.collect(), rows: Vec::new(), values: Vec::new(), written: 0 })
    }

    /// Takes the rows of one request, where a step ends there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(&mut self, ask: &Ask) -> io::Result<()> {
        let venue = ask.ticket.venue.index();
        let Some((_, series)) = self.venues.get(venue).filter(|_| self.calendars[venue].is_step_end(ask.ticket.pane)) else { return Ok(()) };
        let issued = ask.ticket.pane.as_millis();
        self.rows.extend((0..series.len()).map(|place| (venue, place, issued)));
        self.values.extend_from_slice(&ask.shown(self.role)[..series.len() * self.role.features()]);
        if self.rows.len() >= GROUP { self.write() } else { Ok(()) }
    }

    /// Writes the rest; answers how many rows there are.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> io::Result<u64> {
        self.write()?;
        self.writer.close().map_err(io::Error::other)?;
        Ok(self.written)
    }

    fn write(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let Self { role, writer, venues, rows, values, .. } = self;
        let mut group = writer.next_row_group().map_err(io::Error::other)?;
        let texts: [Vec<ByteArray>; 3] = [
            rows.iter().map(|(venue, ..)| venues[*venue].0.clone()).collect(),
            rows.iter().map(|(venue, place, _)| venues[*venue].1[*place].0.clone()).collect(),
            rows.iter().map(|(venue, place, _)| venues[*venue].1[*place].1.clone()).collect(),
        ];
        let issued: Vec<i64> = rows.iter().map(|(.., issued)| *issued).collect();
        columns(&mut group, &texts, &issued, values, role.features()).map_err(io::Error::other)?;
        group.close().map_err(io::Error::other)?;
        self.written += self.rows.len() as u64;
        self.rows.clear();
        self.values.clear();
        Ok(())
    }
}

fn columns(
    group: &mut SerializedRowGroupWriter<'_, NamedFile>,
    texts: &[Vec<ByteArray>],
    issued: &[i64],
    values: &[f32],
    width: usize,
) -> Result<(), ParquetError> {
    for text in texts {
        if let Some(mut column) = group.next_column()? {
            column.typed::<ByteArrayType>().write_batch(text, None, None)?;
            column.close()?;
        }
    }
    if let Some(mut column) = group.next_column()? {
        column.typed::<Int64Type>().write_batch(issued, None, None)?;
        column.close()?;
    }
    for place in 0..width {
        if let Some(mut column) = group.next_column()? {
            let of_column: Vec<f32> = values.iter().skip(place).step_by(width).copied().collect();
            column.typed::<FloatType>().write_batch(&of_column, None, None)?;
            column.close()?;
        }
    }
    Ok(())
}

//! Where in a row of the table the things stand that its mapping names.
//!
//! The idea: a column's name is looked up once, and a column that is not there refuses the table before the first row is read.

use super::TableError;
use super::file::Cells;
use super::grid;
use super::mapping::{Direction, Layout, Mapping, SensorIs, Values};
use super::quotes::Looks;
use super::sensors::in_one_line;
use crate::time::stamp::Stamps;
use std::borrow::Cow;
use std::path::Path;

/// Where in a row things stand.
pub(super) struct Plan {
    time: Vec<usize>,
    pub(super) layout: Places,
}

/// Where the sensor and the figures stand.
pub(super) enum Places {
    Columns { sensor: Vec<usize>, values: Vec<(Direction, Option<usize>)> },
    Told { sensor: Vec<usize>, direction: usize, value: Option<usize>, inwards: Vec<String>, outwards: Vec<String> },
    Wide { measures: Direction, columns: Vec<(usize, String)> },
}

impl Plan {
    /// Finds the mapping's columns.
    pub(super) fn of(path: &Path, columns: &[String], mapping: &Mapping) -> Result<Self, TableError> {
        let find = |name: &String| columns.iter().position(|column| column == name).ok_or_else(|| TableError::no_column(path, name, columns));
        let time = mapping.time_columns.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let layout = match &mapping.layout {
            Layout::Long { sensor, values } => {
                let sensor = match sensor {
                    SensorIs::Columns(names) => names.iter().map(find).collect::<Result<Vec<_>, _>>()?,
                    SensorIs::Fixed(_) => Vec::new(),
                };
                let words = |words: &[String]| words.iter().map(|word| in_one_line(word).into_owned()).collect();
                let figure = |name: &Option<String>| name.as_ref().map(find).transpose();
                match values {
                    Values::Columns(values) => {
                        Places::Columns { sensor, values: values.iter().map(|(of, name)| Ok((*of, figure(name)?))).collect::<Result<_, TableError>>()? }
                    }
                    Values::Told { direction, inwards, outwards, value } => {
                        Places::Told { sensor, direction: find(direction)?, value: figure(value)?, inwards: words(inwards), outwards: words(outwards) }
                    }
                }
            }
            Layout::Wide { measures, columns: named, except } => {
                for name in except {
                    find(name)?;
                }
                // A data frame's index has no name, or one that says so, and counts nothing.
                let is_sensor = |column: &&String| {
                    !column.is_empty() && !column.starts_with("Unnamed: ") && !mapping.time_columns.contains(column) && !except.contains(column)
                };
                let all = || columns.iter().filter(is_sensor).cloned().collect();
                let named: Vec<String> = if named.is_empty() { all() } else { named.clone() };
                Places::Wide { measures: *measures, columns: named.into_iter().map(|name| Ok((find(&name)?, name))).collect::<Result<_, TableError>>()? }
            }
        };
        Ok(Self { time, layout })
    }

    /// The column of the time, where it is only one.
    pub(super) fn only_time(&self) -> Option<usize> {
        if let [column] = self.time[..] { Some(column) } else { None }
    }

    /// The text of a row's time.
    pub(super) fn time_of<'a>(&self, cells: &'a Cells<'_>) -> Cow<'a, str> {
        match self.time[..] {
            [column] => Cow::Borrowed(cells.get(column)),
            _ => Cow::Owned(self.time.iter().map(|column| cells.get(*column)).collect::<Vec<_>>().join(" ")),
        }
    }

    /// The last column that is read at all.
    pub(super) fn last(&self) -> usize {
        let last_of = |columns: &[usize]| columns.iter().copied().max().unwrap_or_default();
        let of_layout = match &self.layout {
            Places::Columns { sensor, values } => values.iter().filter_map(|(_, column)| *column).max().unwrap_or_default().max(last_of(sensor)),
            Places::Told { sensor, direction, value, .. } => value.unwrap_or_default().max(*direction).max(last_of(sensor)),
            Places::Wide { columns, .. } => columns.iter().map(|(column, _)| *column).max().unwrap_or_default(),
        };
        of_layout.max(last_of(&self.time))
    }

    /// How the cells of a line look that may be a row; none where their time cannot be read.
    pub(super) fn looks(&self, cells: &Cells<'_>, mapping: &Mapping, stamps: &Stamps) -> Option<Looks> {
        let time = self.time_of(cells);
        let at = stamps.read_wall(&time).ok()?;
        if grid::unbelievable_year(at).is_some() {
            return None;
        }
        let is_figure = |column: usize| mapping.read_figure(cells.get(column)).is_ok();
        let is_named = |columns: &[usize]| columns.iter().all(|column| !cells.get(*column).is_empty());
        let is_whole = match &self.layout {
            Places::Columns { sensor, values } => is_named(sensor) && values.iter().filter_map(|(_, column)| *column).all(is_figure),
            Places::Told { sensor, direction, value, inwards, outwards } => {
                let told = in_one_line(cells.get(*direction));
                is_named(sensor) && inwards.iter().chain(outwards).any(|word| *word == told) && value.is_none_or(is_figure)
            }
            Places::Wide { columns, .. } => columns.iter().all(|(column, _)| is_figure(*column)),
        };
        Some(Looks::of(&time, is_whole))
    }
}

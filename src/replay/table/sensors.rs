//! The sensors that the rows of a long table name.
//!
//! The idea: a name is a name however its cell is broken into lines, and where several columns make it, no two sensors may become one: then the figures of both would be taken for one
//! place's, and which of them stands in the results nobody could tell.

use super::faults::RowFault;
use super::file::Cells;
use super::mapping::{Layout, Mapping, SensorIs};
use indexmap::IndexSet;
use std::borrow::Cow;

/// The sensors' ids in the order of the file.
#[derive(Default)]
pub(super) struct Sensors {
    pub(super) ids: IndexSet<String>,
    /// Two sensors of several columns that have the same id, and what to do.
    pub(super) alike: Option<String>,
    /// Where several columns make the id: the cells of each.
    parts: Vec<String>,
    /// Whether no more are to come: one that is not among them is none.
    pub(super) are_all: bool,
    /// The place of the last row's.
    last: usize,
}

impl Sensors {
    /// The place of the sensor that a row tells of.
    pub(super) fn of(&mut self, columns: &[usize], cells: &Cells<'_>, mapping: &Mapping) -> Result<u32, RowFault> {
        let name = match (columns, &mapping.layout) {
            ([column], _) => in_one_line(cells.get(*column)),
            ([], Layout::Long { sensor: SensorIs::Fixed(name), .. }) => Cow::Borrowed(name.as_str()),
            _ => Cow::Owned(columns.iter().map(|column| in_one_line(cells.get(*column))).collect::<Vec<_>>().join("/")),
        };
        if name.is_empty() {
            return Err(RowFault::Nameless);
        }
        // Most tables tell the same sensors in the same order for each step, or one after the other.
        let is_at = |place: &usize| self.ids.get_index(*place).is_some_and(|id| *id == name);
        let likely = [self.last + 1, self.last, 0].into_iter().find(is_at);
        self.last = match likely.or_else(|| self.ids.get_index_of(&*name)) {
            Some(place) => place,
            None if self.are_all => return Err(RowFault::UnknownSensor),
            None => self.ids.insert_full(name.clone().into_owned()).0,
        };
        // A slash in a cell looks like one between two.
        if columns.len() > 1 && !self.are_all && name.matches('/').count() >= columns.len() {
            self.tell_apart(columns, cells, &name);
        }
        Ok(self.last as u32)
    }

    /// Notes that two sensors are called alike.
    fn tell_apart(&mut self, columns: &[usize], cells: &Cells<'_>, name: &str) {
        let parts = columns.iter().map(|column| format!("\"{}\"", in_one_line(cells.get(*column)))).collect::<Vec<_>>().join(" + ");
        if self.parts.len() <= self.last {
            self.parts.resize(self.last + 1, String::new());
        }
        let known = &mut self.parts[self.last];
        if known.is_empty() {
            *known = parts;
        } else if *known != parts {
            let (a, b) = if *known < parts { (&*known, &parts) } else { (&parts, &*known) };
            let what = format!(
                "two sensors would be one, {name}: {a} and {b}; take the slashes out of the columns that long.sensor names, or name one column that tells them apart"
            );
            self.alike.get_or_insert(what);
        }
    }
}

/// A name without line breaks, and with one blank where several stand.
pub(super) fn in_one_line(name: &str) -> Cow<'_, str> {
    let mut before = ' ';
    let is_so = name.chars().all(|c| {
        let is_fine = !c.is_whitespace() || c == ' ' && before != ' ';
        before = c;
        is_fine
    });
    if is_so { Cow::Borrowed(name) } else { Cow::Owned(name.split_whitespace().collect::<Vec<_>>().join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::table::tests::{LONG, counts, short, table, try_table};

    #[test]
    fn a_name_in_several_lines_or_with_many_blanks_is_the_same_name() {
        for (name, told) in
            [("a", "a"), ("North  gate", "North gate"), ("North\r\n gate", "North gate"), ("\tN\u{a0}1", "N 1"), ("N 1", "N 1"), ("N 1 ", "N 1 ")]
        {
            assert_eq!(in_one_line(name), told);
        }
        let rows = b"t,s,i,o\n2020-06-01T10:00,\"North\ngate\",1,2\n2020-06-01T10:30,North  gate,3,4\n2020-06-01T11:00,North gate,5,6\n";
        let table_of = table("a.csv", LONG, rows);
        assert_eq!((table_of.sensors(), table_of.report().faulty, counts(&table_of).len()), (&["North gate".to_owned()][..], 0, 3));
        let told = LONG.replace("in = \"i\"\nout = \"o\"", "direction = \"d\"\nvalue = \"i\"\nin_is = \"to  city\"\nout_is = \"from city\"");
        let rows = b"t,s,d,i\n2020-06-01T10:00,a,\"to\ncity\",1\n2020-06-01T10:00,a,\"from  city\",2\n";
        assert_eq!(short(&counts(&table("a.csv", &told, rows))), ["a 06-01T08:00 1/2/0"]);
        let wide = "venue = \"v\"\ntime_zone = \"UTC\"\nstep = \"30m\"\n[time]\ncolumns = [\"t\"]\n[wide]\n";
        assert_eq!(table("a.csv", wide, b"t,\"Gate\n1\",Gate 2\n2020-06-01T10:00,1,2\n").sensors(), ["Gate 1", "Gate 2"]);
        let twice = try_table("a.csv", wide, b"t,\"Gate\n1\",Gate 1\n2020-06-01T10:00,1,2\n").unwrap_err().to_string();
        assert!(twice.contains("two columns are called \"Gate 1\""), "{twice}");
    }

    #[test]
    fn two_sensors_of_several_columns_that_would_be_one_refuse_the_table() {
        let text = LONG.replace("sensor = \"s\"", "sensor = [\"s\", \"l\"]");
        let told = try_table("a.csv", &text, b"t,s,l,i,o\n2020-06-01T10:00,x/y,z,1,2\n2020-06-01T10:00,x,y/z,3,4\n").unwrap_err().to_string();
        assert!(told.contains("two sensors would be one, x/y/z: \"x\" + \"y/z\" and \"x/y\" + \"z\""), "{told}");
        let fair = table("a.csv", &text, b"t,s,l,i,o\n2020-06-01T10:00,x/y,z,1,2\n2020-06-01T10:00,x,z,3,4\n2020-06-01T10:30,x/y,z,3,4\n");
        assert_eq!(fair.sensors(), ["x/y/z", "x/z"]);
    }
}

//! The public facts of a stadium, from its file in `config/stadiums/`.

use super::{Parsed, fault::ConfigFault};

/// A stadium.
#[derive(Clone, Debug, PartialEq)]
pub struct Stadium {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The city.
    pub city: String,
    /// The country.
    pub country: String,
    /// The region's id.
    pub region: String,
    /// Its time zone by its IANA name.
    pub time_zone: String,
    /// Latitude and longitude, degrees.
    pub coordinates: [f64; 2],
    /// Persons it holds.
    pub capacity: u32,
    /// The profile of its jurisdiction.
    pub profile: String,
}

/// Reads a stadium.
///
/// # Errors
/// Every fault of the file, by line.
pub fn read(path: &str, text: &str) -> Result<Stadium, Vec<ConfigFault>> {
    let file = super::SourceFile { path: path.to_owned(), text: text.to_owned() };
    let mut faults = Vec::new();
    let parsed = Parsed::new(&file, &mut faults);
    let fields = parsed.fields("stadium");
    let told = |key| fields.must(key, fields.text(key)).to_owned();
    let stadium = Stadium {
        id: fields.id().into(),
        name: fields.name(),
        city: told("city"),
        country: told("country"),
        region: told("region"),
        time_zone: super::site::read_time_zone(&fields).name().to_owned(),
        coordinates: fields.must("coordinates", super::site::read_coordinates(&fields)),
        capacity: fields.must("capacity", fields.whole("capacity")),
        profile: told("profile"),
    };
    told("source");
    fields.finish();
    drop(fields);
    faults.extend(parsed.report.into_faults());
    if faults.is_empty() { Ok(stadium) } else { Err(faults) }
}

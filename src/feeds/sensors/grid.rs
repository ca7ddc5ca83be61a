//! `grid`: densities over a zone at one instant, cell by cell along x first, and where told the velocities of the crowd in the same cells.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::fields::{Field, FieldSet, Fields, missing};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, Grid, What};
use crate::feeds::origin::{Kind, Origin};
use crate::venue::Feed;
use std::ops::RangeInclusive;

/// The format.
pub const FORMAT: Format = Format {
    name: "grid",
    type_name: "midan.grid.v1",
    media_types: &["application/vnd.midan.grid+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"grid","sensor":"cas-cam-fan","venue":"casablanca","at":1907863200000,"cell_m":2.0,"nx":3,"ny":2,"density":[0.4,1.1,0.0,2.5,3.25,0.9],"vx":[0.5,0.4,0.0,0.1,-0.1,0.6],"vy":[0.0,0.1,0.0,0.0,0.2,0.0]}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::Sensor, Field::At, Field::CellM, Field::Nx, Field::Ny, Field::Density, Field::Vx, Field::Vy]), decode),
};

/// How many cells a grid may have. A snapshot is one record of the state (24 bytes a cell at most), and a log takes a megabyte as one.
const MOST_CELLS: u64 = 32_768;

/// What a density can be, persons/m²: bodies leave no room for more, so beyond it the unit is wrong.
const DENSITIES: RangeInclusive<f64> = 0.0..=30.0;

/// What the velocity of a crowd can be, m/s.
const VELOCITIES: RangeInclusive<f64> = -15.0..=15.0;

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let at = fields.time(Field::At)?;
    let cell_m = fields.real(Field::CellM, 0.01..=100.0)?;
    let nx = fields.number(Field::Nx)?;
    let ny = fields.number(Field::Ny)?;
    let cells = u64::from(nx) * u64::from(ny);
    let density = cells_of(fields, Field::Density, cells, DENSITIES)?.ok_or_else(|| missing(Field::Density))?;
    if cells > MOST_CELLS {
        let detail = format!("nx times ny is {cells}, at most {MOST_CELLS} are taken: send larger cells, or give parts of the zone sensors of their own");
        return Err(Fault::in_field(Reason::WrongValue, Field::Nx.word(), detail));
    }
    let velocity = match (cells_of(fields, Field::Vx, cells, VELOCITIES)?, cells_of(fields, Field::Vy, cells, VELOCITIES)?) {
        (Some(vx), Some(vy)) => Some((vx, vy)),
        (None, None) => None,
        (Some(_), None) => return Err(missing(Field::Vy)),
        (None, Some(_)) => return Err(missing(Field::Vx)),
    };
    let (sensor, name) = origin.sensor(fields, Kind::Zone)?;
    let identity = Canonical::of("grid").text(name).number(at.as_millis());
    let content = identity.real(cell_m).number(nx.into()).number(ny.into());
    let numbers = density.iter().chain(velocity.iter().flat_map(|(vx, vy)| vx.iter().chain(vy)));
    let content = numbers.fold(content, |said, number| said.real(*number));
    Ok(Item::Observation(origin.observation(
        at,
        Entity::Sensor(sensor),
        identity,
        content,
        What::Grid(Box::new(Grid { cell_m, nx, ny, density, velocity })),
    )?))
}

fn cells_of(fields: &Fields<'_>, field: Field, cells: u64, within: RangeInclusive<f64>) -> Result<Option<Vec<f64>>, Fault> {
    let Some(mut numbers) = fields.may_nested::<Vec<f64>>(field, "a list of numbers, one per cell")? else { return Ok(None) };
    if numbers.len() as u64 != cells {
        return Err(Fault::in_field(Reason::WrongValue, field.word(), format!("has {} numbers, but nx times ny is {cells}", numbers.len())));
    }
    for number in &mut numbers {
        if !within.contains(number) {
            return Err(Fault::in_field(Reason::WrongValue, field.word(), format!("holds a number that is not within {} to {}", within.start(), within.end())));
        }
        *number += 0.0;
    }
    Ok(Some(numbers))
}

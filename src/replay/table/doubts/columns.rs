//! Columns of a wide table that are hardly places, where the mapping takes all but the time's.

use crate::replay::table::mapping::{Layout, Mapping};

/// Names of columns that tables of counts mostly have beside their places, in lower case.
const NO_PLACES: [&str; 36] = [
    "total",
    "totals",
    "sum",
    "all",
    "grand total",
    "gesamt",
    "summe",
    "total général",
    "hour",
    "hr",
    "minute",
    "day",
    "weekday",
    "day of week",
    "day_of_week",
    "dayofweek",
    "dow",
    "week",
    "month",
    "year",
    "date",
    "time",
    "quarter",
    "weekend",
    "is_weekend",
    "holiday",
    "is_holiday",
    "index",
    "id",
    "row",
    "temperature",
    "temp",
    "rain",
    "precipitation",
    "humidity",
    "wind",
];

/// So many are named.
const NAMED: usize = 5;

/// What is said of them.
pub(super) fn that_are_no_places(sensors: &[String], mapping: &Mapping) -> Option<String> {
    if !matches!(&mapping.layout, Layout::Wide { columns, .. } if columns.is_empty()) {
        return None;
    }
    let found: Vec<String> = sensors.iter().filter(|id| NO_PLACES.contains(&id.to_lowercase().as_str())).map(|id| format!("\"{id}\"")).collect();
    let more = if found.len() > NAMED { ", …" } else { "" };
    let named = found.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    (!found.is_empty()).then(|| {
        format!("taken for places, as all columns but the time's are: {named}{more}. If they are none, except = [{named}{more}] under [wide] leaves them out")
    })
}

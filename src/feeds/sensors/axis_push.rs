//! What an Axis people counter pushes ("Axis Retail Data" 0.4): counts by direction, a minute or more at a time.
//!
//! The device tells its times twice, in UTC and on its own wall clock; UTC is taken where it stands there. A sensor is called by its serial number.

use super::count::crossings;
use crate::feeds::Item;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::moment;
use crate::feeds::origin::Origin;
use crate::feeds::vendor::{missing, read, time};
use crate::time::EventTime;
use crate::venue::Feed;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The format.
pub const FORMAT: Format = Format {
    name: "axis_push",
    type_name: "axis.retail_data.v0_4",
    media_types: &["application/vnd.axis.retail-data+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: SAMPLE.as_bytes(),
    decoder: Decoder::Bytes(decode),
};

const SAMPLE: &str = r#"{"apiName":"Axis Retail Data","apiVersion":"0.4","utcSent":"2030-06-15T19:01:02Z","localSent":"2030-06-15T20:01:02","data":{"utcFrom":"2030-06-15T19:00:00Z","utcTo":"2030-06-15T19:01:00Z","localFrom":"2030-06-15T20:00:00","localTo":"2030-06-15T20:01:00","measurements":[{"kind":"people-counts","utcFrom":"2030-06-15T19:00:00Z","utcTo":"2030-06-15T19:01:00Z","localFrom":"2030-06-15T20:00:00","localTo":"2030-06-15T20:01:00","items":[{"direction":"in","count":41,"adults":38},{"direction":"out","count":2,"adults":2}]}]},"sensor":{"application":"AXIS People Counter","applicationVersion":"4.0","timeZone":"Africa/Casablanca","name":"Gate N12","serial":"ACCC8E012345","ipAddress":"192.0.2.12"}}"#;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Push<'a> {
    #[serde(borrow)]
    api_name: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
    #[serde(borrow)]
    sensor: Device<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    utc_from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    utc_to: Option<Cow<'a, str>>,
    #[serde(borrow)]
    local_from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    local_to: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    measurements: Vec<Measurement<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measurement<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    utc_from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    utc_to: Option<Cow<'a, str>>,
    #[serde(borrow)]
    local_from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    local_to: Option<Cow<'a, str>>,
    /// Only those of a kind that is read are looked into.
    #[serde(borrow)]
    items: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Counted<'a> {
    #[serde(borrow)]
    direction: Cow<'a, str>,
    count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Device<'a> {
    #[serde(borrow)]
    serial: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time_zone: Option<Cow<'a, str>>,
}

fn decode(bytes: &[u8], origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let push: Push<'_> = read(bytes, "push of an Axis people counter")?;
    if push.api_name != "Axis Retail Data" {
        return Err(Fault::in_field(Reason::WrongValue, "apiName", "must be \"Axis Retail Data\""));
    }
    let device = push.sensor.serial.as_deref().or(push.sensor.name.as_deref()).ok_or_else(|| missing("sensor.serial"))?;
    let mut items = Vec::with_capacity(push.data.measurements.len());
    for measurement in &push.data.measurements {
        if measurement.kind != "people-counts" || origin.leaves_out(device) {
            items.push(Item::Ignored);
            continue;
        }
        let (from, to) = interval(measurement, &push, origin)?;
        items.push(origin.settle(crossings(origin, ("sensor.serial", device), (from, to), persons(measurement)?))?);
    }
    items.into_iter().for_each(each);
    Ok(())
}

/// What a measurement covers: its own times, else those of the whole push; in UTC, else on the device's wall clock.
fn interval(measurement: &Measurement<'_>, push: &Push<'_>, origin: &Origin<'_>) -> Result<(EventTime, EventTime), Fault> {
    let (m, d) = (measurement, &push.data);
    let utc = m.utc_from.as_deref().zip(m.utc_to.as_deref());
    let local = m.local_from.as_deref().zip(m.local_to.as_deref());
    let of_all = || d.utc_from.as_deref().zip(d.utc_to.as_deref());
    if let Some((from, to)) = utc.or_else(|| if local.is_none() { of_all() } else { None }) {
        return origin.check_interval(time("utcFrom", moment::from_utc_text(from))?, time("utcTo", moment::from_utc_text(to))?);
    }
    let (from, to) = local.or_else(|| d.local_from.as_deref().zip(d.local_to.as_deref())).ok_or_else(|| missing("utcFrom"))?;
    let zone = origin.wire().and_then(|wire| wire.time_zone).or_else(|| push.sensor.time_zone.as_deref().and_then(|zone| zone.parse().ok()));
    let wall = |text: &str| moment::from_wall_clock(text, "%Y-%m-%dT%H:%M:%S%.f", zone, origin.received_at());
    origin.check_interval(time("localFrom", wall(from))?, time("localTo", wall(to))?)
}

fn persons(measurement: &Measurement<'_>) -> Result<[u32; 3], Fault> {
    let json = measurement.items.ok_or_else(|| missing("items"))?.get();
    let items: Vec<Counted<'_>> = read(json.as_bytes(), "list of Axis people counts")?;
    let mut persons = [0_u32; 3];
    for item in &items {
        let direction = match &*item.direction {
            "in" => 0,
            "out" => 1,
            _ => return Err(Fault::in_field(Reason::WrongValue, "direction", "must be \"in\" or \"out\"")),
        };
        persons[direction] = persons[direction].saturating_add(item.count);
    }
    Ok(persons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::observation::{Observation, What};
    use crate::feeds::sample;

    fn items(record: &str) -> Result<Vec<Item>, Fault> {
        sample::items_of(&FORMAT, record.as_bytes())
    }

    #[test]
    fn a_push_is_a_count_of_the_sensor_that_bears_the_serial_number() {
        let items = items(SAMPLE).unwrap();
        let [Item::Observation(Observation { what: What::Count(count), at, .. })] = &items[..] else { panic!("{items:?}") };
        assert_eq!((count.inwards, count.outwards), (41, 2));
        assert_eq!((count.from.as_millis(), at.as_millis()), (1_907_780_400_000, 1_907_780_459_999));
    }

    #[test]
    fn a_device_that_tells_only_its_wall_clock_needs_a_zone() {
        let local = SAMPLE.replace("\"utcFrom\":\"2030-06-15T19:00:00Z\",\"utcTo\":\"2030-06-15T19:01:00Z\",", "");
        assert_eq!(items(&local), items(SAMPLE), "the device names its zone");
        let zoneless = local.replace("\"timeZone\":\"Africa/Casablanca\",", "");
        let fault = sample::items_with(&FORMAT, zoneless.as_bytes(), |source| source.wire.time_zone = None).unwrap_err();
        assert_eq!((fault.reason, fault.field.as_str()), (Reason::ZonelessTime, "localFrom"));
    }

    #[test]
    fn measurements_of_another_kind_are_ignored_one_by_one() {
        let other = SAMPLE.replace("people-counts", "queue-lengths");
        assert_eq!(items(&other), Ok(vec![Item::Ignored]));
        assert_eq!(items(&SAMPLE.replace("\"out\"", "\"up\"")).unwrap_err().field, "direction");
        assert_eq!(items(&SAMPLE.replace("Axis Retail Data", "Axis Something")).unwrap_err().field, "apiName");
        assert!(matches!(items(&SAMPLE.replace("ACCC8E012345", "ACCC8E999999")).unwrap()[..], [Item::Unusable { .. }]));
    }
}

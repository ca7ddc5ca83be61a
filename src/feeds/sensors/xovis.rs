//! What a Xovis sensor pushes (version 5): `logics_data`, counts and occupancies by logic, and `live_data`, who is where, frame by frame.
//!
//! Times are epoch milliseconds. A logic is called `SERIAL/NAME`, or by its name alone; the sensor itself, as it sees its whole scene, by its serial number.
//! What a logic counts is told by what the configured sensor measures: crossings of a link, or heads in a zone. A `GROUP` stands beside the persons whom it is made of, so it
//! is ignored. Single crossings of the live data are ignored as well: the logics count them.

use super::count::crossings;
use super::health::certificate;
use super::occupancy::heads;
use super::tracks::everybody;
use crate::feeds::Item;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::moment;
use crate::feeds::observation::{Health, Track};
use crate::feeds::origin::{Kind, Origin};
use crate::feeds::vendor::{missing, read, time};
use crate::time::EventTime;
use crate::venue::Feed;
use serde::Deserialize;
use std::borrow::Cow;

/// The format.
pub const FORMAT: Format = Format {
    name: "xovis",
    type_name: "xovis.push.v5",
    media_types: &["application/vnd.xovis.push+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: LOGICS.as_bytes(),
    decoder: Decoder::Bytes(decode),
};

const LOGICS: &str = r#"{"logics_data":{"package_info":{"version":"5.0","id":6,"agent_id":4},"sensor_info":{"serial_number":"00:6E:02:00:1C:CD","type":"SINGLE_SENSOR","name":"N12","group":"north"},"logics":[{"id":0,"name":"Line 1","info":"XLT_4X_LINE_IN_OUT_COUNT","geometries":[{"id":1,"type":"LINE","name":"Line 1"}],"records":[{"from":1907780400000,"to":1907780460000,"samples":600,"samples_expected":600,"counts":[{"id":1,"name":"fw","value":41},{"id":2,"name":"bw","value":2}]}]},{"id":1,"name":"Zone 1","info":"XLT_4X_ZONE_COUNT","geometries":[{"id":2,"type":"ZONE","name":"Zone 1"}],"records":[{"from":1907780400000,"to":1907780460000,"samples":600,"samples_expected":600,"counts":[{"id":3,"name":"fw","value":90},{"id":4,"name":"bw","value":50},{"id":5,"name":"balance","value":412}]}]}]}}"#;

/// A longer push is no push of a sensor; frames and logics of a minute are some hundreds.
const MOST_PARTS: usize = 100_000;

#[derive(Deserialize)]
struct Push<'a> {
    #[serde(borrow)]
    logics_data: Option<LogicsData<'a>>,
    #[serde(borrow)]
    live_data: Option<LiveData<'a>>,
}

#[derive(Deserialize)]
struct LogicsData<'a> {
    #[serde(borrow)]
    sensor_info: Option<Device<'a>>,
    #[serde(borrow)]
    logics: Vec<Logic<'a>>,
}

#[derive(Deserialize)]
struct LiveData<'a> {
    #[serde(borrow)]
    sensor_info: Option<Device<'a>>,
    #[serde(borrow)]
    frames: Vec<Frame<'a>>,
}

#[derive(Deserialize)]
struct Device<'a> {
    #[serde(borrow)]
    serial_number: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Logic<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
struct Record<'a> {
    from: i64,
    to: i64,
    #[serde(borrow)]
    counts: Vec<Figure<'a>>,
}

#[derive(Deserialize)]
struct Figure<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    value: i64,
}

#[derive(Deserialize)]
struct Frame<'a> {
    time: i64,
    #[serde(borrow)]
    tracked_objects: Option<Vec<Object<'a>>>,
    #[serde(borrow, default)]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Object<'a> {
    track_id: u64,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    position: Vec<f64>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    attributes: Option<Attributes>,
}

#[derive(Deserialize)]
struct Attributes {
    sequence_number: Option<u64>,
}

/// What the sensor says of itself. `SENSOR_FAILURE` and `ILLUMINATION_INSUFFICIENT` are in the public text; the others are as integrators tell them, and do no harm
/// where a sensor never says so.
const HEALTH: &[(&str, Health)] = &[
    ("SENSOR_FAILURE", Health::Failed),
    ("SENSOR_OFFLINE", Health::Down),
    ("SENSOR_STARTED", Health::Up),
    ("SENSOR_RECOVERED", Health::Up),
    ("ILLUMINATION_INSUFFICIENT", Health::Degraded),
    ("ILLUMINATION_SUFFICIENT", Health::Up),
    ("VIEW_OBSTRUCTED", Health::Degraded),
    ("VIEW_CLEARED", Health::Up),
];

fn decode(bytes: &[u8], origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let push: Push<'_> = read(bytes, "push of a Xovis sensor")?;
    let mut items = Vec::new();
    match (&push.logics_data, &push.live_data) {
        (None, None) => return Err(Fault { detail: "must be there, or \"live_data\"".to_owned(), ..missing("logics_data") }),
        (logics, live) => {
            if let Some(data) = logics {
                logics_of(data, origin, &mut items)?;
            }
            if let Some(data) = live {
                frames_of(data, origin, &mut items)?;
            }
        }
    }
    if items.len() > MOST_PARTS {
        return Err(Fault::new(Reason::TooLarge, format!("holds more than {MOST_PARTS} records and frames")));
    }
    items.into_iter().for_each(each);
    Ok(())
}

fn serial<'a>(device: Option<&'a Device<'_>>) -> Option<&'a str> {
    device.and_then(|device| device.serial_number.as_deref())
}

fn at(field: &str, millis: i64) -> Result<EventTime, Fault> {
    time(field, moment::from_millis(Some(millis)))
}

fn logics_of(data: &LogicsData<'_>, origin: &Origin<'_>, items: &mut Vec<Item>) -> Result<(), Fault> {
    for logic in &data.logics {
        let long = serial(data.sensor_info.as_ref()).map(|serial| format!("{serial}/{}", logic.name));
        // The longer name goes first where it is known: two sensors may both have a "Line 1".
        let name = long.filter(|long| origin.leaves_out(long) || origin.any_sensor("logics.name", long).is_ok()).unwrap_or_else(|| logic.name.to_string());
        for record in &logic.records {
            if origin.leaves_out(&name) {
                items.push(Item::Ignored);
                continue;
            }
            let (from, to) = (at("from", record.from)?, at("to", record.to)?);
            let item = match origin.any_sensor("logics.name", &name) {
                Err(fault) => origin.settle(Err(fault))?,
                Ok((_, _, Kind::Zone)) => origin.settle(heads(origin, ("logics.name", &name), to, balance(record)?, 0))?,
                Ok(_) => {
                    let (from, to) = origin.check_interval(from, to)?;
                    origin.settle(crossings(origin, ("logics.name", &name), (from, to), directions(record)?))?
                }
            };
            items.push(item);
        }
    }
    Ok(())
}

fn figure(record: &Record<'_>, name: &str) -> Option<i64> {
    record.counts.iter().find(|figure| figure.name == name).map(|figure| figure.value)
}

fn directions(record: &Record<'_>) -> Result<[u32; 3], Fault> {
    let (forward, backward) = (figure(record, "fw"), figure(record, "bw"));
    if forward.is_none() && backward.is_none() {
        return Err(Fault { detail: "must hold \"fw\" or \"bw\", since its sensor counts crossings".to_owned(), ..missing("counts") });
    }
    let persons = |value: Option<i64>| u32::try_from(value.unwrap_or(0)).map_err(|_| Fault::in_field(Reason::WrongValue, "counts.value", "must be 0 or more"));
    Ok([persons(forward)?, persons(backward)?, 0])
}

/// Heads in the zone. The sensor's own balance goes below 0 when it has missed entries.
fn balance(record: &Record<'_>) -> Result<u32, Fault> {
    let heads = figure(record, "balance").or_else(|| figure(record, "occupancy"));
    let heads = heads.ok_or_else(|| Fault { detail: "must hold \"balance\", since its sensor sees heads in a zone".to_owned(), ..missing("counts") })?;
    Ok(u32::try_from(heads.max(0)).unwrap_or(u32::MAX))
}

fn frames_of(data: &LiveData<'_>, origin: &Origin<'_>, items: &mut Vec<Item>) -> Result<(), Fault> {
    let device = serial(data.sensor_info.as_ref()).ok_or_else(|| missing("sensor_info.serial_number"))?;
    for frame in &data.frames {
        let at = at("frames.time", frame.time)?;
        if let Some(objects) = &frame.tracked_objects {
            let groups = objects.iter().filter(|object| object.kind != "PERSON").count();
            items.extend(std::iter::repeat_n(Item::Ignored, groups));
            let persons: Vec<Track> = objects.iter().filter(|object| object.kind == "PERSON").map(track).collect::<Result<_, _>>()?;
            items.push(if origin.leaves_out(device) {
                Item::Ignored
            } else {
                origin.settle(everybody(origin, ("sensor_info.serial_number", device), at, persons))?
            });
        }
        for event in &frame.events {
            let health = HEALTH.iter().find(|(word, _)| *word == event.kind).map(|(_, health)| *health);
            items.push(match health {
                Some(health) if !origin.leaves_out(device) => {
                    let seq = event.attributes.as_ref().and_then(|attributes| attributes.sequence_number).unwrap_or_default();
                    origin.settle(certificate(origin, ("sensor_info.serial_number", device), at, health, seq))?
                }
                _ => Item::Ignored,
            });
        }
    }
    Ok(())
}

fn track(object: &Object<'_>) -> Result<Track, Fault> {
    match object.position[..] {
        [x_m, y_m, ..] => Ok(Track { id: object.track_id, x_m, y_m }),
        _ => Err(Fault::in_field(Reason::WrongValue, "tracked_objects.position", "must be [x, y, z], in metres")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::observation::{Observation, What};
    use crate::feeds::sample;

    const LIVE: &str = r#"{"live_data":{"package_info":{"version":"5.0","id":9,"agent_id":4},"sensor_info":{"serial_number":"00:6E:02:00:1C:CD","type":"SINGLE_SENSOR"},"frames":[{"framenumber":881,"time":1907780400040,"tracked_objects":[{"track_id":17,"type":"PERSON","position":[3.25,8.5,1.71]},{"track_id":18,"type":"PERSON","position":[4.0,8.1,1.62]},{"track_id":900,"type":"GROUP","position":[3.6,8.3,0.0]}],"events":[{"category":"TRACK","type":"TRACK_CREATE","attributes":{"track_id":18}},{"category":"COUNT","type":"LINE_CROSS_FORWARD","attributes":{"track_id":17,"geometry_id":1,"sequence_number":5}},{"category":"HEALTH","type":"ILLUMINATION_INSUFFICIENT","attributes":{"sequence_number":6}}]}]}}"#;

    fn items(record: &str) -> Result<Vec<Item>, Fault> {
        sample::items_of(&FORMAT, record.as_bytes())
    }

    #[test]
    fn a_line_counts_and_a_zone_sees_heads() {
        let items = items(LOGICS).unwrap();
        let [Item::Observation(line), Item::Observation(zone)] = &items[..] else { panic!("{items:?}") };
        assert!(matches!(line.what, What::Count(count) if (count.inwards, count.outwards) == (41, 2)));
        assert!(matches!(zone.what, What::Occupancy { persons: 412, .. }));
        assert_eq!(zone.at.as_millis(), 1_907_780_460_000);
    }

    #[test]
    fn a_group_is_not_counted_beside_its_persons() {
        let items = items(LIVE).unwrap();
        let tracks: Vec<&Observation> = items.iter().filter_map(|item| if let Item::Observation(seen) = item { Some(seen) } else { None }).collect();
        assert!(matches!(&tracks[0].what, What::Tracks(tracks) if tracks.iter().map(|track| track.id).collect::<Vec<_>>() == [17, 18]));
        assert!(matches!(tracks[1].what, What::Health { health: Health::Degraded, seq: 6 }));
        assert_eq!(items.iter().filter(|item| matches!(item, Item::Ignored)).count(), 3, "the group, the new track, the crossing");
    }

    #[test]
    fn what_is_no_push_says_where() {
        assert_eq!(items("{}").unwrap_err().field, "logics_data");
        assert_eq!(items(&LIVE.replace("[3.25,8.5,1.71]", "[3.25]")).unwrap_err().field, "tracked_objects.position");
        assert_eq!(items(&LOGICS.replace("\"value\":41", "\"value\":-41")).unwrap_err().field, "counts.value");
        assert_eq!(items(&LOGICS.replace("1907780460000", "1907780400000")).unwrap_err().reason, Reason::WrongValue);
        assert!(matches!(items(&LOGICS.replace("Line 1", "Line 9")).unwrap()[..], [Item::Unusable { .. }, Item::Observation(_)]));
    }
}

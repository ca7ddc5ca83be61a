//! `tracks`: where everybody in a zone was at one instant, each under a number that holds for one session of the sensor.

use crate::feeds::Item;
use crate::feeds::canonical::Canonical;
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::fields::{Field, FieldSet, Fields};
use crate::feeds::format::{Decoder, Format};
use crate::feeds::observation::{Entity, Observation, Track, What};
use crate::feeds::origin::{Kind, Origin};
use crate::time::EventTime;
use crate::venue::Feed;

/// The format.
pub const FORMAT: Format = Format {
    name: "tracks",
    type_name: "midan.tracks.v1",
    media_types: &["application/vnd.midan.tracks+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: br#"{"type":"tracks","sensor":"cas-cam-fan","venue":"casablanca","at":1907863200040,"tracks":[[17,3.25,8.5],[18,4.0,8.1]]}"#,
    decoder: Decoder::Json(FieldSet::of(&[Field::Sensor, Field::At, Field::Tracks]), decode),
};

/// How many persons a sensor may see at once. A snapshot is one record of the state (26 bytes a person at most), and a log takes a megabyte as one.
const MOST_TRACKS: usize = 32_768;

/// Nobody is farther than this from the origin of a zone's frame, m.
const FARTHEST_M: f64 = 10_000.0;

fn decode(fields: &Fields<'_>, origin: &Origin<'_>) -> Result<Item, Fault> {
    let at = fields.time(Field::At)?;
    let told: Vec<(u64, f64, f64)> = fields.nested(Field::Tracks, "a list of [id, x, y], id a whole number, x and y in metres")?;
    let tracks = told.into_iter().map(|(id, x_m, y_m)| Track { id, x_m, y_m }).collect();
    everybody(origin, (Field::Sensor.word(), fields.text(Field::Sensor)?), at, tracks).map(Item::Observation)
}

/// Everybody whom a sensor, which the record calls so in that field, sees at an instant.
pub(in crate::feeds) fn everybody(origin: &Origin<'_>, (field, name): (&str, &str), at: EventTime, mut tracks: Vec<Track>) -> Result<Observation, Fault> {
    let wrong = |detail: String| Fault::in_field(Reason::WrongValue, Field::Tracks.word(), detail);
    if tracks.len() > MOST_TRACKS {
        return Err(wrong(format!("holds {} persons, at most {MOST_TRACKS} are taken: give parts of the zone sensors of their own", tracks.len())));
    }
    for track in &mut tracks {
        if !(track.x_m.abs() <= FARTHEST_M && track.y_m.abs() <= FARTHEST_M) {
            return Err(wrong(format!("holds a place more than {FARTHEST_M} m from the origin: metres are wanted")));
        }
        // A zero has one form only, so that equal tracks have equal content.
        (track.x_m, track.y_m) = (track.x_m + 0.0, track.y_m + 0.0);
    }
    // The order in which the sensor lists them says nothing.
    tracks.sort_by_key(|track| track.id);
    if tracks.windows(2).any(|pair| pair[0].id == pair[1].id) {
        return Err(wrong("holds an id twice".to_owned()));
    }
    let (sensor, name) = origin.sensor_named(field, name, Kind::Zone)?;
    let identity = Canonical::of("tracks").text(name).number(at.as_millis());
    let content = tracks.iter().fold(identity, |said, track| said.number(track.id as i64).real(track.x_m).real(track.y_m));
    origin.observation(at, Entity::Sensor(sensor), identity, content, What::Tracks(tracks))
}

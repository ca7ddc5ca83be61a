//! Numbers over time → records of the neutral formats, as the venue's systems would have sent them.
//!
//! Totals are drawn straight between their points and told as counts of whole persons, so that over a stream nobody is lost to rounding. At every full minute each source
//! says that it has nothing earlier to send, so panes close without a broker.

use super::crowding::Crowding;
use super::script::{Clock, Point, Stream, What};
use crate::venue::Feed;
use serde_json::{Value, json};

/// A record to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When it comes, epoch ms.
    pub at: i64,
    /// The feed.
    pub feed: Feed,
    /// Its source.
    pub source: String,
    /// Its JSON.
    pub value: String,
}

/// Between which times the records lie, of which venue.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The venue's id.
    pub venue: &'a str,
    /// Local times.
    pub clock: Clock,
    /// Start, epoch ms.
    pub from: i64,
    /// End.
    pub to: i64,
}

const MINUTE: i64 = 60_000;

/// The records of all streams and the low-water marks of all sources, in the order in which they come.
///
/// # Errors
/// When a point lacks what its stream tells, or a time is none.
pub fn records(streams: &[Stream], sources: &[(String, Feed)], frame: &Frame<'_>) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    for (number, stream) in streams.iter().enumerate() {
        let found = Timed::new(stream, frame).and_then(|timed| timed.records(frame, number as u64));
        records.extend(found.map_err(|why| format!("stream {number} ({:?} {}): {why}", stream.what, stream.place))?);
    }
    let mut minute = frame.from;
    while minute <= frame.to {
        let low = |(source, feed): &(String, Feed)| {
            let value = json!({"type": "low_water", "venue": frame.venue, "at": minute});
            Record { at: minute, feed: *feed, source: source.clone(), value: value.to_string() }
        };
        records.extend(sources.iter().map(low));
        minute += MINUTE;
    }
    // Stable: at one instant a source's own records come before its low-water mark.
    records.sort_by_key(|record| record.at);
    Ok(records)
}

/// A stream with its points' times.
struct Timed<'a> {
    stream: &'a Stream,
    points: Vec<(i64, &'a Point)>,
}

impl<'a> Timed<'a> {
    fn new(stream: &'a Stream, frame: &Frame<'_>) -> Result<Self, String> {
        let points = stream.points.iter().map(|point| Ok((frame.clock.at(&point.at)?, point))).collect::<Result<_, String>>()?;
        Ok(Self { stream, points })
    }

    fn records(&self, frame: &Frame<'_>, seed: u64) -> Result<Vec<Record>, String> {
        let Some((first, last)) = self.points.first().zip(self.points.last()).map(|(first, last)| (first.0, last.0)) else { return Ok(Vec::new()) };
        let step = i64::from(self.stream.every_s).max(1) * 1_000;
        // What has a value between its points is told at every step from its first point to the end.
        let steps = || (1..).map(move |k| first + k * step).take_while(|at| *at <= frame.to);
        let mut records = Vec::new();
        match self.stream.what {
            What::Count => {
                for at in steps() {
                    let (inwards, outwards) = (self.crossed(at - step, at, |p| p.total), self.crossed(at - step, at, |p| p.back));
                    let value = json!({"type": "count", "sensor": self.stream.place, "from": at - step, "to": at, "in": inwards, "out": outwards});
                    // It covers up to its last instant, and comes before anything of the next minute.
                    records.push(self.record(frame, Feed::Sensors, at - 1, value));
                }
            }
            What::Passengers => {
                for at in steps().take_while(|at| *at < last + step) {
                    records.push(self.passengers(frame, at - step, at, self.crossed(at - step, at, |p| p.total)));
                }
            }
            What::Report => {
                let mut before = 0.0;
                for (at, point) in &self.points {
                    let total = point.total.ok_or("a report needs `total`")?;
                    records.push(self.passengers(frame, at - MINUTE, *at, whole(total - before)));
                    before = total;
                }
            }
            What::Scan => {
                for at in steps().take_while(|at| *at < last + step) {
                    let accepted = self.crossed(at - step, at, |p| p.total);
                    records.extend((0..accepted).map(|n| self.scan(frame, at, step, (n, accepted), "ok")));
                    let rejected = self.crossed(at - step, at, |p| p.back);
                    records.extend((0..rejected).map(|n| self.scan(frame, at, step, (n, rejected), "rejected")));
                }
            }
            What::Occupancy => {
                for at in steps() {
                    let persons = whole(self.between(at, |p| p.persons).ok_or("an occupancy needs `persons`")?);
                    records.push(self.record(
                        frame,
                        Feed::Sensors,
                        at - 1,
                        json!({"type": "occupancy", "sensor": self.stream.place, "at": at - 1, "persons": persons}),
                    ));
                }
            }
            What::State => {
                for at in (0..).map(|k| first + k * step).take_while(|at| *at <= frame.to) {
                    let Some((_, point)) = self.points.iter().rev().find(|(from, _)| *from <= at) else { continue };
                    let state = point.state.as_deref().ok_or("a state needs `state`")?;
                    let mut value = json!({"type": "state", "sensor": self.stream.place, "at": at, "state": state});
                    if let Some(lanes) = point.lanes_open {
                        value["lanes_open"] = lanes.into();
                    }
                    records.push(self.record(frame, Feed::Sensors, at, value));
                }
            }
            What::Call => {
                for (number, (at, point)) in self.points.iter().enumerate() {
                    let kind = point.kind.as_deref().ok_or("a call needs `kind`")?;
                    let id = format!("{}-{seed}-{number}", frame.venue);
                    records.push(self.record(
                        frame,
                        Feed::Sensors,
                        *at,
                        json!({"type": "call", "call_id": id, "at": at, "zone": self.stream.place, "kind": kind}),
                    ));
                }
            }
            What::Match => {
                for (at, point) in &self.points {
                    let event = point.kind.as_deref().ok_or("a match event needs `kind`")?;
                    let mut value = json!({"type": "match", "match_id": self.stream.place, "at": at, "event": event});
                    if let Some(to) = &point.to {
                        value["to"] = frame.clock.at(to)?.into();
                    }
                    records.push(self.record(frame, Feed::Commands, *at, value));
                }
            }
            What::Weather => {
                for at in (0..).map(|k| first + k * step).take_while(|at| *at <= frame.to) {
                    let mut value = json!({"type": "weather", "station": self.stream.place, "at": at});
                    for (key, field) in [("wbgt_c", self.between(at, |p| p.wbgt_c)), ("rain_mm_h", self.between(at, |p| p.rain_mm_h))] {
                        if let Some(field) = field {
                            value[key] = json!((field * 10.0).round() / 10.0);
                        }
                    }
                    records.push(self.record(frame, Feed::Sensors, at, value));
                }
            }
            What::Grid => {
                // Twice a second: what the spectrum of a dense crowd needs.
                let mut at = first;
                while at < last {
                    let crowd = self.crowd(at).ok_or("a grid needs `crowd`")?;
                    let cells = crowd.cells(seed, (at - first) as f64 / 1_000.0);
                    let value = json!({
                        "type": "grid", "sensor": self.stream.place, "at": at, "cell_m": crowd.cell_m, "nx": crowd.nx, "ny": crowd.ny,
                        "density": cells.density, "vx": cells.vx, "vy": cells.vy,
                    });
                    records.push(self.record(frame, Feed::Sensors, at, value));
                    at += 500;
                }
            }
        }
        Ok(records)
    }

    fn record(&self, frame: &Frame<'_>, feed: Feed, at: i64, mut value: Value) -> Record {
        value["venue"] = frame.venue.into();
        Record { at, feed, source: self.stream.source.clone(), value: value.to_string() }
    }

    fn passengers(&self, frame: &Frame<'_>, from: i64, to: i64, alighting: u32) -> Record {
        let value = json!({"type": "passengers", "stop": self.stream.place, "line": self.stream.line, "from": from, "to": to, "alighting": alighting});
        self.record(frame, Feed::Transport, to - 1, value)
    }

    /// The `n`th of so many scans of the step that ends at `at`, spread over it.
    fn scan(&self, frame: &Frame<'_>, at: i64, step: i64, (n, of): (u32, u32), result: &str) -> Record {
        let time = at - step + step * i64::from(n) / i64::from(of.max(1));
        let id = format!("{}-{time}-{result}-{n}", self.stream.place);
        let value = json!({"type": "scan", "scan_id": id, "gate": self.stream.place, "result": result, "event_time": time});
        self.record(frame, Feed::Ticketing, time, value)
    }

    /// Whole persons between two times.
    fn crossed(&self, from: i64, to: i64, of: fn(&Point) -> Option<f64>) -> u32 {
        let total = |at| whole(self.between(at, of).unwrap_or(0.0));
        total(to).saturating_sub(total(from))
    }

    /// A value drawn straight between the points that have it; held after the last, and before the first.
    fn between(&self, at: i64, of: fn(&Point) -> Option<f64>) -> Option<f64> {
        let known = || self.points.iter().filter_map(|(time, point)| Some((*time, of(point)?)));
        let before = known().take_while(|(time, _)| *time <= at).last();
        let after = known().find(|(time, _)| *time > at);
        match (before, after) {
            (Some((from, low)), Some((to, high))) => Some(low + (high - low) * (at - from) as f64 / (to - from) as f64),
            (held, None) | (None, held) => held.map(|(_, value)| value),
        }
    }

    fn crowd(&self, at: i64) -> Option<Crowding> {
        let place = self.points.iter().rposition(|(time, _)| *time <= at)?;
        let (from, crowd) = (self.points[place].0, self.points[place].1.crowd?);
        let Some((to, later)) = self.points.get(place + 1).and_then(|(to, point)| Some((*to, point.crowd?))) else { return Some(crowd) };
        Some(crowd.towards(&later, (at - from) as f64 / (to - from).max(1) as f64))
    }
}

fn whole(persons: f64) -> u32 {
    libm::round(persons.max(0.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(stream: &str) -> Vec<Value> {
        let stream: Stream = toml::from_str(stream).unwrap();
        let frame = Frame { venue: "v", clock: Clock::from_midnight(0), from: 0, to: 10 * MINUTE };
        let records = records(&[stream], &[("s".into(), Feed::Sensors)], &frame).unwrap();
        let values = records.iter().map(|record| serde_json::from_str::<Value>(&record.value).unwrap());
        values.filter(|value| value["type"] != "low_water").collect()
    }

    #[test]
    fn counts_add_up_to_the_total_whatever_the_rounding() {
        let told = told("what = 'count'\nplace = 'c'\nsource = 's'\npoints = [{at = '00:00', total = 0, back = 0}, {at = '00:07', total = 100, back = 10}]");
        let sum = |key: &str| told.iter().map(|value| value[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!((told.len(), sum("in"), sum("out")), (10, 100, 10));
    }

    #[test]
    fn a_report_comes_whole_in_its_minute() {
        let told = told("what = 'report'\nplace = 'p'\nline = 'd'\nsource = 's'\npoints = [{at = '00:05', total = 8660}, {at = '00:09', total = 16400}]");
        let shown: Vec<(i64, u64)> = told.iter().map(|value| (value["to"].as_i64().unwrap() / MINUTE, value["alighting"].as_u64().unwrap())).collect();
        assert_eq!(shown, [(5, 8660), (9, 7740)]);
    }

    #[test]
    fn a_state_is_told_again_until_it_changes() {
        let told =
            told("what = 'state'\nplace = 'd'\nsource = 's'\nevery_s = 120\npoints = [{at = '00:00', state = 'closed'}, {at = '00:05', state = 'open'}]");
        let shown: Vec<&str> = told.iter().map(|value| value["state"].as_str().unwrap()).collect();
        assert_eq!(shown, ["closed", "closed", "closed", "open", "open", "open"]);
    }

    #[test]
    fn scans_have_ids_of_their_own_and_lie_within_their_step() {
        let told = told("what = 'scan'\nplace = 'g'\nsource = 's'\npoints = [{at = '00:00', total = 0, back = 0}, {at = '00:02', total = 30, back = 4}]");
        let ids: std::collections::BTreeSet<&str> = told.iter().map(|value| value["scan_id"].as_str().unwrap()).collect();
        assert_eq!((told.len(), ids.len()), (34, 34));
        assert!(told.iter().all(|value| value["event_time"].as_i64().unwrap() < 2 * MINUTE));
    }
}

//! The static side of GTFS: what the stops are called, which platforms a station has, and what the timetable promises.
//!
//! It names the stops of a venue and says how far the calendar reaches, so that nobody compares live trains with a timetable that ended
//! last month. `stop_times.txt` is as large as a city's whole week, so it is streamed out of the zip and only sums stay. What is not read: `frequencies.txt`,
//! shapes, fares.

use crate::feeds::fault::{Fault, Reason};
use crate::time::{EventTime, Span};
use crate::venue::{Names, Stop, Venue};
use chrono::{Datelike, NaiveDate, TimeZone, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// The slots in which scheduled arrivals are counted.
pub const SLOT: Span = Span::from_mins(5);

/// Scheduled arrivals by GTFS stop id and start of the 5-minute slot.
pub type Arrivals = BTreeMap<(Box<str>, EventTime), u32>;

/// A static feed without its stop times.
#[derive(Clone, Debug, Default)]
pub struct Timetable {
    stops: BTreeMap<Box<str>, Place>,
    services: BTreeMap<Box<str>, Service>,
    zone: chrono_tz::Tz,
}

#[derive(Clone, Debug)]
struct Place {
    name: String,
    parent: Option<Box<str>>,
    /// The fare zone.
    zone: Option<Box<str>>,
    /// Trains call here: no entrance, no mezzanine, no boarding area of a platform.
    calls: bool,
}

/// On which days a service runs.
#[derive(Clone, Debug, Default)]
struct Service {
    weekdays: [bool; 7],
    span: Option<(NaiveDate, NaiveDate)>,
    added: BTreeSet<NaiveDate>,
    removed: BTreeSet<NaiveDate>,
}

impl Timetable {
    /// Reads a static feed from the bytes of its zip.
    ///
    /// # Errors
    /// It is no zip, has no `stops.txt`, or a table in it lacks a column that it must have; the fault's field is `file.column`.
    pub fn read(zip: &[u8]) -> Result<Self, Fault> {
        let mut archive = open(zip)?;
        let mut timetable = Self { zone: zone_of(&mut archive)?, ..Self::default() };
        let found = rows(&mut archive, "stops.txt", &["stop_id", "stop_name", "parent_station", "location_type", "zone_id"], &["stop_id"], |row| {
            let parent = Some(row[2]).filter(|parent| !parent.is_empty()).map(Box::from);
            timetable.stops.insert(
                row[0].into(),
                Place { name: row[1].to_owned(), parent, zone: Some(row[4]).filter(|zone| !zone.is_empty()).map(Box::from), calls: matches!(row[3], "" | "0") },
            );
        })?;
        if !found {
            return Err(Fault::new(Reason::MissingField, "the static feed has no stops.txt"));
        }
        timetable.read_calendar(&mut archive)?;
        Ok(timetable)
    }

    /// The stop's name.
    pub fn stop_name(&self, stop_id: &str) -> Option<&str> {
        self.stops.get(stop_id).map(|place| place.name.as_str())
    }

    /// The station that the stop is a platform of.
    pub fn station_of(&self, stop_id: &str) -> Option<&str> {
        self.stops.get(stop_id).and_then(|place| place.parent.as_deref())
    }

    /// The fare zone of the stop, or of the station that it is a platform of.
    pub fn zone_of(&self, stop_id: &str) -> Option<&str> {
        let place = self.stops.get(stop_id)?;
        let of_station = || place.parent.as_ref().and_then(|parent| self.stops.get(parent)).and_then(|station| station.zone.as_deref());
        place.zone.as_deref().or_else(of_station)
    }

    /// The platforms of a station, by id.
    pub fn platforms<'a>(&'a self, station_id: &'a str) -> impl Iterator<Item = &'a str> {
        self.stops.iter().filter(move |(_, place)| place.calls && place.parent.as_deref() == Some(station_id)).map(|(id, _)| &**id)
    }

    /// How many stops there are.
    pub fn stop_count(&self) -> usize {
        self.stops.len()
    }

    /// Whether any service runs on that day: a timetable that has ended covers nothing.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.services.values().any(|service| service.runs_on(day))
    }

    /// The first and the last day on which any service runs by the calendar.
    pub fn reach(&self) -> Option<(NaiveDate, NaiveDate)> {
        let days = || self.services.values().flat_map(Service::bounds);
        Some((days().min()?, days().max()?))
    }

    /// Names the venue's stops and adds, for each that is a station, its platforms as stops of their own in the station's zone: live feeds
    /// report platforms, people say the station. Stops that the venue already has stay as they are.
    pub fn add_platforms(&self, venue: &mut Venue) {
        let configured = venue.stops.len();
        for index in 0..configured {
            let station = venue.stops[index].clone();
            if let Some(name) = self.stop_name(&station.id)
                && (station.name.is_empty() || *station.name == *station.id)
            {
                name.clone_into(&mut venue.stops[index].name);
            }
            for platform in self.platforms(&station.id) {
                if venue.find_stop(platform).is_none() {
                    let name = self.stop_name(platform).unwrap_or(&station.name).to_owned();
                    venue.stops.push(Stop { id: platform.into(), name, zone: station.zone });
                }
            }
        }
        venue.stop_names = Names::new(venue.stops.iter().map(|stop| &*stop.id));
    }

    /// The arrivals that the timetable promises at `stops` on the service day `day`, per 5 minutes; trips past midnight count to the day they began.
    ///
    /// # Errors
    /// As [`Timetable::read`], for `trips.txt` and `stop_times.txt`.
    pub fn arrivals(&self, zip: &[u8], day: NaiveDate, stops: &[&str]) -> Result<Arrivals, Fault> {
        let mut archive = open(zip)?;
        let mut running: BTreeSet<Box<str>> = BTreeSet::new();
        rows(&mut archive, "trips.txt", &["trip_id", "service_id"], &["trip_id", "service_id"], |row| {
            if self.services.get(row[1]).is_some_and(|service| service.runs_on(day)) {
                running.insert(row[0].into());
            }
        })?;
        let wanted: BTreeSet<&str> = stops.iter().copied().collect();
        let Some(midnight) = self.service_midnight(day) else { return Ok(Arrivals::new()) };
        let mut arrivals = Arrivals::new();
        rows(&mut archive, "stop_times.txt", &["trip_id", "stop_id", "arrival_time"], &["trip_id", "stop_id", "arrival_time"], |row| {
            if !wanted.contains(row[1]) || !running.contains(row[0]) {
                return;
            }
            if let Some(after) = clock_span(row[2]) {
                let at = midnight.after(after).as_millis();
                let slot = EventTime::from_millis(at - at.rem_euclid(SLOT.as_millis() as i64));
                *arrivals.entry((row[1].into(), slot)).or_default() += 1;
            }
        })?;
        Ok(arrivals)
    }

    /// GTFS counts a day's times from noon less twelve hours, which differs from midnight when the clocks change.
    fn service_midnight(&self, day: NaiveDate) -> Option<EventTime> {
        let noon = self.zone.from_local_datetime(&day.and_hms_opt(12, 0, 0)?).earliest()?;
        Some(EventTime::from_millis(noon.timestamp_millis()).before(Span::from_mins(12 * 60)))
    }

    fn read_calendar(&mut self, archive: &mut Archive<'_>) -> Result<(), Fault> {
        const CALENDAR: [&str; 10] = ["service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "start_date", "end_date"];
        rows(archive, "calendar.txt", &CALENDAR, &CALENDAR, |row| {
            let service = self.services.entry(row[0].into()).or_default();
            for (runs, cell) in service.weekdays.iter_mut().zip(&row[1..8]) {
                *runs = *cell == "1";
            }
            service.span = date(row[8]).zip(date(row[9]));
        })?;
        const DATES: [&str; 3] = ["service_id", "date", "exception_type"];
        rows(archive, "calendar_dates.txt", &DATES, &DATES, |row| {
            let service = self.services.entry(row[0].into()).or_default();
            match (date(row[1]), row[2]) {
                (Some(day), "1") => _ = service.added.insert(day),
                (Some(day), "2") => _ = service.removed.insert(day),
                _ => {}
            }
        })?;
        Ok(())
    }
}

impl Service {
    fn runs_on(&self, day: NaiveDate) -> bool {
        if self.added.contains(&day) {
            return true;
        }
        let regular = self.span.is_some_and(|(first, last)| (first..=last).contains(&day)) && self.weekdays[weekday_index(day.weekday())];
        regular && !self.removed.contains(&day)
    }

    fn bounds(&self) -> impl Iterator<Item = NaiveDate> {
        let regular = self.span.filter(|_| self.weekdays.contains(&true)).map(|(first, last)| [first, last]);
        regular.into_iter().flatten().chain(self.added.first().copied()).chain(self.added.last().copied())
    }
}

type Archive<'z> = ZipArchive<Cursor<&'z [u8]>>;

fn open(zip: &[u8]) -> Result<Archive<'_>, Fault> {
    ZipArchive::new(Cursor::new(zip)).map_err(|err| Fault::new(Reason::Malformed, format!("the static feed is no zip: {err}")))
}

fn zone_of(archive: &mut Archive<'_>) -> Result<chrono_tz::Tz, Fault> {
    let mut zone = None;
    rows(archive, "agency.txt", &["agency_timezone"], &["agency_timezone"], |row| zone = zone.or_else(|| row[0].parse().ok()))?;
    Ok(zone.unwrap_or_default())
}

/// Streams the `columns` of a table of the zip; a column that is not there reads as empty, unless it is in `must`. Says whether the table is there.
fn rows(archive: &mut Archive<'_>, file: &str, columns: &[&str], must: &[&str], mut each: impl FnMut(&[&str])) -> Result<bool, Fault> {
    let Ok(entry) = archive.by_name(file) else { return Ok(false) };
    let malformed = |err: csv::Error| Fault::in_field(Reason::Malformed, file, err.to_string());
    let mut table = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(entry.take(MAX_TABLE_BYTES));
    let headers = table.headers().map_err(malformed)?;
    let position = |column: &str| headers.iter().position(|header| header.trim_start_matches('\u{feff}') == column);
    let positions: Vec<Option<usize>> = columns.iter().map(|column| position(column)).collect();
    if let Some(absent) = must.iter().find(|column| position(column).is_none()) {
        return Err(Fault::in_field(Reason::MissingField, format!("{file}.{absent}"), "the table has no such column"));
    }
    let mut record = csv::StringRecord::new();
    while table.read_record(&mut record).map_err(malformed)? {
        let cells: smallvec::SmallVec<[&str; 10]> = positions.iter().map(|at| at.and_then(|at| record.get(at)).unwrap_or_default()).collect();
        each(&cells);
    }
    Ok(true)
}

/// A table that unpacks to more than this is no timetable but a bomb.
const MAX_TABLE_BYTES: u64 = 4 << 30;

fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y%m%d").ok()
}

/// `25:14:30` is a quarter past one on the next day.
fn clock_span(text: &str) -> Option<Span> {
    let mut parts = text.split(':').map(|part| part.trim().parse::<u64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    (hours < 1_000 && minutes < 60 && seconds < 60 && parts.next().is_none()).then(|| Span::from_secs((hours * 60 + minutes) * 60 + seconds))
}

const fn weekday_index(day: Weekday) -> usize {
    day.num_days_from_monday() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zip(files: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn small() -> Vec<u8> {
        zip(&[
            ("agency.txt", "agency_id,agency_timezone\nA,Africa/Casablanca\n"),
            (
                "stops.txt",
                "\u{feff}stop_id,stop_name,location_type,parent_station,zone_id\nS,Stade,1,,5\nS1,Stade quai 1,0,S,\nS-in,Entrance,2,S,\nX,Ailleurs,,,1\n",
            ),
            ("calendar.txt", "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nW,0,0,0,0,0,1,1,20300601,20300630\n"),
            ("calendar_dates.txt", "service_id,date,exception_type\nW,20300616,2\nW,20300617,1\n"),
            ("trips.txt", "route_id,service_id,trip_id\nR,W,t1\nR,V,t2\n"),
            ("stop_times.txt", "trip_id,arrival_time,stop_id\nt1,23:59:00,S1\nt1,25:14:30,S1\nt2,10:00:00,S1\nt1,,S1\nt1,10:00:00,X\n"),
        ])
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2030, 6, day).unwrap()
    }

    #[test]
    fn the_calendar_tells_which_days_it_covers() {
        let timetable = Timetable::read(&small()).unwrap();
        assert!(timetable.covers(day(15)) && timetable.covers(day(17)));
        assert!(!timetable.covers(day(14)) && !timetable.covers(day(16)));
        assert_eq!(timetable.reach(), Some((day(1), day(30))));
    }

    #[test]
    fn arrivals_past_midnight_count_to_the_day_the_trip_began() {
        let timetable = Timetable::read(&small()).unwrap();
        let arrivals = timetable.arrivals(&small(), day(15), &["S1"]).unwrap();
        let slots: Vec<String> = arrivals.iter().map(|((stop, slot), n)| format!("{stop} {slot} {n}")).collect();
        assert_eq!(slots, ["S1 2030-06-15T22:55:00.000Z 1", "S1 2030-06-16T00:10:00.000Z 1"]);
    }

    #[test]
    fn a_station_brings_its_platforms() {
        let timetable = Timetable::read(&small()).unwrap();
        let mut venue = crate::feeds::sample::venue();
        venue.stops = vec![Stop { id: "S".into(), name: String::new(), zone: None }];
        timetable.add_platforms(&mut venue);
        assert_eq!((timetable.zone_of("S1"), timetable.zone_of("X"), timetable.zone_of("?")), (Some("5"), Some("1"), None));
        let names: Vec<_> = venue.stops.iter().map(|stop| (&*stop.id, stop.name.as_str())).collect();
        assert_eq!(names, [("S", "Stade"), ("S1", "Stade quai 1")]);
        assert!(venue.find_stop("S1").is_some());
    }

    #[test]
    fn what_is_no_feed_says_so() {
        assert_eq!(Timetable::read(b"PK").unwrap_err().reason, Reason::Malformed);
        assert_eq!(Timetable::read(&zip(&[("agency.txt", "agency_timezone\nUTC\n")])).unwrap_err().reason, Reason::MissingField);
        assert_eq!(Timetable::read(&zip(&[("stops.txt", "id,name\n1,a\n")])).unwrap_err().field, "stops.txt.stop_id");
    }
}

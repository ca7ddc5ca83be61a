//! Where a record comes from: the venue by its key, the source by its header, and the names that it may use.
//!
//! A record that names something which is not configured there is not undecodable: it was read well, only nobody knows the place.
//! [`Reason::UnknownName`] therefore costs one observation ([`super::Item::Unusable`]), every other fault the record.

use super::canonical::Canonical;
use super::fault::{Fault, Reason};
use super::fields::{Field, Fields};
use super::observation::{Entity, Observation, What};
use super::record::RecordRef;
use crate::time::{EventTime, Span};
use crate::venue::{Feed, GateId, Measures, Names, SensorId, Source, SourceId, StopId, Venue, VenueId, World, ZoneId};

/// The origin of one record.
#[derive(Clone, Copy, Debug)]
pub(in crate::feeds) struct Origin<'a> {
    /// The venue's id.
    pub(in crate::feeds) venue_id: VenueId,
    /// The venue.
    pub(in crate::feeds) venue: &'a Venue,
    source: Option<SourceId>,
    cloud_event: Option<(&'a str, &'a str)>,
}

/// What a kind of sensor measures, in words for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::feeds) enum Kind {
    /// People crossing a link.
    Link,
    /// Heads in a zone.
    Zone,
    /// The state of a gate.
    Gate,
}

impl<'a> Origin<'a> {
    /// Finds the venue by the record's key and the source by its header; without header it is the feed's only source.
    pub(in crate::feeds) fn of(record: &RecordRef<'a>, world: &'a World) -> Result<Self, Fault> {
        let venue_id = venue_of(record, world)?;
        let venue = world.venue(venue_id);
        let source = source_of(record, venue)?;
        Ok(Self { venue_id, venue, source, cloud_event: record.cloud_event })
    }

    /// The source, where it is known.
    pub(in crate::feeds) const fn source_id(&self) -> Option<SourceId> {
        self.source
    }

    /// The source's configuration, where it is known.
    pub(in crate::feeds) fn source(&self) -> Option<&'a Source> {
        self.source.and_then(|id| self.venue.sources.get(id.index()))
    }

    /// The field `venue` must be the record's key, by which it was partitioned.
    pub(in crate::feeds) fn check_venue(&self, fields: &Fields<'_>) -> Result<(), Fault> {
        if fields.text(Field::Venue)? == &*self.venue.id {
            return Ok(());
        }
        Err(Fault::in_field(Reason::WrongKey, Field::Venue.word(), format!("is not the record's key \"{}\"", self.venue.id)))
    }

    /// The sensor that the record names; it must measure `kind` and follow the record's source.
    pub(in crate::feeds) fn sensor(&self, fields: &Fields<'_>, kind: Kind) -> Result<(SensorId, &'a str), Fault> {
        let (index, name) = known(Field::Sensor, fields.text(Field::Sensor)?, &self.venue.sensor_names)?;
        let id = SensorId::from(index);
        let unfit = |detail: String| Fault::in_field(Reason::UnknownName, Field::Sensor.word(), detail);
        let sensor = self.venue.sensors.get(index).ok_or_else(|| unfit(format!("\"{name}\" has no configuration")))?;
        if Some(sensor.source) != self.source {
            let own = self.venue.source_names.name(sensor.source.index());
            return Err(unfit(format!("\"{name}\" belongs to source \"{own}\", from which this record does not come")));
        }
        let measures = Kind::of(sensor.measures);
        if measures != kind {
            return Err(unfit(format!("\"{name}\" measures {}, not {}", measures.words(), kind.words())));
        }
        Ok((id, name))
    }

    /// The gate that the record names.
    pub(in crate::feeds) fn gate(&self, fields: &Fields<'_>) -> Result<(GateId, &'a str), Fault> {
        known(Field::Gate, fields.text(Field::Gate)?, &self.venue.gate_names).map(|(index, name)| (GateId::from(index), name))
    }

    /// The stop that the record names.
    pub(in crate::feeds) fn stop(&self, fields: &Fields<'_>) -> Result<(StopId, &'a str), Fault> {
        known(Field::Stop, fields.text(Field::Stop)?, &self.venue.stop_names).map(|(index, name)| (StopId::from(index), name))
    }

    /// The zone that the record names.
    pub(in crate::feeds) fn zone(&self, fields: &Fields<'_>) -> Result<ZoneId, Fault> {
        known(Field::Zone, fields.text(Field::Zone)?, &self.venue.zone_names).map(|(index, _)| ZoneId::from(index))
    }

    /// An interval `[from, to)`; one longer than a pane must be no longer than the source is configured to count.
    pub(in crate::feeds) fn interval(&self, fields: &Fields<'_>) -> Result<(EventTime, EventTime), Fault> {
        let (from, to) = ordered_interval(fields)?;
        let length = to.since(from);
        let Some(source) = self.source() else { return Ok((from, to)) };
        if length > source.interval && length > self.venue.pane.span() {
            let detail = format!("covers {length}, but source \"{}\" is configured to count at most {}", source.id, source.interval);
            return Err(Fault::in_field(Reason::WrongValue, Field::To.word(), detail));
        }
        Ok((from, to))
    }

    /// An observation of this origin; `identity` is the format's own, which gives way to the CloudEvents one.
    pub(in crate::feeds) fn observation(
        &self,
        at: EventTime,
        entity: Entity,
        identity: Canonical,
        content: Canonical,
        what: What,
    ) -> Result<Observation, Fault> {
        let identity = match self.cloud_event {
            Some((source, id)) => Canonical::of("cloudevent").text(source).text(id),
            None => identity,
        };
        self.part(at, entity, identity, content, what)
    }

    /// One of many observations of a record: its identity is its own, never the record's.
    pub(in crate::feeds) fn part(&self, at: EventTime, entity: Entity, identity: Canonical, content: Canonical, what: What) -> Result<Observation, Fault> {
        let source = self
            .source
            .ok_or_else(|| Fault::in_field(Reason::UnknownName, "midan-source", "the record names no source, and its venue has not just one for the feed"))?;
        Ok(Observation { venue: self.venue_id, source, at, entity, identity: identity.hash(), content: content.hash(), offline: false, what })
    }
}

/// An interval `[from, to)` of any length above zero.
pub(in crate::feeds) fn ordered_interval(fields: &Fields<'_>) -> Result<(EventTime, EventTime), Fault> {
    let (from, to) = (fields.time(Field::From)?, fields.time(Field::To)?);
    if from >= to {
        return Err(Fault::in_field(Reason::WrongValue, Field::To.word(), "must lie after \"from\""));
    }
    Ok((from, to))
}

/// The last instant that an interval ending at `to` covers.
pub(in crate::feeds) const fn last_instant(to: EventTime) -> EventTime {
    to.before(Span::from_millis(1))
}

impl Kind {
    const fn of(measures: Measures) -> Self {
        match measures {
            Measures::Link { .. } => Self::Link,
            Measures::Zone(_) => Self::Zone,
            Measures::Gate(_) => Self::Gate,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Link => "people crossing a link",
            Self::Zone => "heads in a zone",
            Self::Gate => "the state of a gate",
        }
    }
}

fn venue_of(record: &RecordRef<'_>, world: &World) -> Result<VenueId, Fault> {
    let key = record.key.ok_or_else(|| Fault::new(Reason::WrongKey, "the record has no key; it must be the venue's id"))?;
    let key = std::str::from_utf8(key).map_err(|_| Fault::new(Reason::UnknownVenue, "the record's key is not UTF-8; it must be the venue's id"))?;
    world.find(key).ok_or_else(|| Fault::new(Reason::UnknownVenue, format!("the record's key is no configured venue; {}", nearest(key, &world.names))))
}

fn source_of(record: &RecordRef<'_>, venue: &Venue) -> Result<Option<SourceId>, Fault> {
    let unknown = |detail: String| Fault::in_field(Reason::UnknownName, "midan-source", detail);
    let Some(name) = record.source else {
        let sole = venue.sole_source(record.feed);
        // A command follows no clock, so it needs no source.
        if sole.is_none() && record.feed != Feed::Commands {
            return Err(unknown(format!("is missing, and \"{}\" has not just one source for {}", venue.id, record.feed.topic())));
        }
        return Ok(sole);
    };
    let id = venue.find_source(name).ok_or_else(|| unknown(format!("is no source of \"{}\"; {}", venue.id, nearest(name, &venue.source_names))))?;
    match venue.sources.get(id.index()) {
        Some(source) if source.feed == record.feed => Ok(Some(id)),
        Some(source) => Err(unknown(format!("\"{}\" is configured for {}, not for {}", source.id, source.feed.topic(), record.feed.topic()))),
        None => Err(unknown("has no configuration".to_owned())),
    }
}

fn known<'n>(field: Field, name: &str, names: &'n Names) -> Result<(usize, &'n str), Fault> {
    match names.position(name) {
        Some(index) => Ok((index, names.name(index))),
        None => Err(Fault::in_field(Reason::UnknownName, field.word(), format!("is not configured; {}", nearest(name, names)))),
    }
}

/// The configured names nearest to an unknown one; the unknown one is not repeated, for it may be anything.
fn nearest(unknown: &str, names: &Names) -> String {
    // An edit distance is quadratic, and a name on the wire can be as long as a record.
    let unknown: String = unknown.chars().take(64).collect();
    let near = names.nearest(&unknown);
    if near.is_empty() { "none is".to_owned() } else { format!("nearest known: {}", near.join(", ")) }
}

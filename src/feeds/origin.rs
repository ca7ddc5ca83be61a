//! Where a record comes from: the venue by its key, the source by its header, and the names that it may use.
//!
//! A record that names something which is not configured there is not undecodable: it was read well, only nobody knows the place.
//! [`Reason::UnknownName`] therefore costs one observation ([`super::Item::Unusable`]), every other fault the record.

use super::Item;
use super::canonical::Canonical;
use super::fault::{Fault, Reason};
use super::fields::{Field, Fields};
use super::observation::{Entity, Observation, What};
use super::record::RecordRef;
use crate::time::{EventTime, Span};
use crate::venue::{Called, Feed, GateId, LinkId, Measures, Names, SensorId, Source, SourceId, StopId, Venue, VenueId, Wire, World, ZoneId};

/// The origin of one record.
#[derive(Clone, Copy, Debug)]
pub(in crate::feeds) struct Origin<'a> {
    /// The venue's id.
    pub(in crate::feeds) venue_id: VenueId,
    /// The venue.
    pub(in crate::feeds) venue: &'a Venue,
    /// When the record was received (epoch ms), where that is told.
    pub(in crate::feeds) received: Option<i64>,
    source: Option<SourceId>,
    cloud_event: Option<(&'a str, &'a str)>,
    /// The record's place in its source's order, by CloudEvents' `sequence`.
    sequence: Option<u64>,
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
        let sequence = record.attributes.sequence().and_then(|text| text.parse().ok());
        Ok(Self { venue_id, venue, received: record.received_at(), source, cloud_event: record.cloud_event, sequence })
    }

    /// An origin without source in a venue of no name: for checks of a record's form.
    pub(in crate::feeds) const fn nowhere(venue: &'a Venue) -> Self {
        Self { venue_id: VenueId(0), venue, received: None, source: None, cloud_event: None, sequence: None }
    }

    /// What CloudEvents' attributes must be, where they are there. Their values are the sender's, so none is repeated.
    pub(in crate::feeds) fn check_attributes(&self, record: &RecordRef<'_>) -> Result<(), Fault> {
        let attributes = &record.attributes;
        if attributes.spec_version().is_some_and(|version| !version.starts_with("1.")) {
            return Err(Fault::in_field(Reason::UnknownFormat, "ce_specversion", "must be 1.0: another version is not read"));
        }
        if attributes.partition_key().is_some_and(|key| key != &*self.venue.id) {
            return Err(Fault::in_field(Reason::WrongKey, "ce_partitionkey", format!("is not the record's key \"{}\"", self.venue.id)));
        }
        if let Some(Err((reason, detail))) = attributes.recorded_time().map(super::moment::from_text) {
            return Err(Fault::in_field(reason, "ce_recordedtime", detail));
        }
        Ok(())
    }

    /// The sender's own number of a record: the one that it tells, else CloudEvents' `sequence`, else 0.
    pub(in crate::feeds) fn seq(&self, fields: &Fields<'_>) -> Result<u64, Fault> {
        Ok(fields.may_whole(Field::Seq)?.or(self.sequence).unwrap_or_default())
    }

    /// The origin of one of many things in a record: the record's own identity is none of theirs.
    pub(in crate::feeds) const fn without_cloud_event(&self) -> Self {
        Self { cloud_event: None, sequence: None, ..*self }
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
        self.sensor_named(Field::Sensor.word(), fields.text(Field::Sensor)?, kind)
    }

    /// The sensor that the record calls `name` in `field`; it must measure `kind` and follow the record's source.
    pub(in crate::feeds) fn sensor_named(&self, field: &str, name: &str, kind: Kind) -> Result<(SensorId, &'a str), Fault> {
        let (id, name, measures) = self.any_sensor(field, name)?;
        if measures != kind {
            let detail = format!("\"{name}\" measures {}, not {}", measures.words(), kind.words());
            return Err(Fault::in_field(Reason::UnknownName, field, detail));
        }
        Ok((id, name))
    }

    /// The sensor that the record calls `name` in `field`, whatever it measures; it must follow the record's source.
    pub(in crate::feeds) fn any_sensor(&self, field: &str, name: &str) -> Result<(SensorId, &'a str, Kind), Fault> {
        let (index, name) = self.known(field, name, &self.venue.sensor_names)?;
        let id = SensorId::from(index);
        let unfit = |detail: String| Fault::in_field(Reason::UnknownName, field, detail);
        let sensor = self.venue.sensors.get(index).ok_or_else(|| unfit(format!("\"{name}\" has no configuration")))?;
        if Some(sensor.source) != self.source {
            let own = self.venue.source_names.name(sensor.source.index());
            return Err(unfit(format!("\"{name}\" belongs to source \"{own}\", from which this record does not come")));
        }
        let kind = Kind::of(sensor.measures).ok_or_else(|| unfit(format!("\"{name}\" measures nothing")))?;
        Ok((id, name, kind))
    }

    /// Whether the source's names leave `name` out on purpose.
    pub(in crate::feeds) fn leaves_out(&self, name: &str) -> bool {
        self.source().is_some_and(|source| source.wire.called(name) == Called::LeftOut)
    }

    /// What the source's records mean beyond their format.
    pub(in crate::feeds) fn wire(&self) -> Option<&'a Wire> {
        self.source().map(|source| &source.wire)
    }

    /// The pseudonym of a ticket that was scanned at `at`, under the match's key; none without a key.
    pub(in crate::feeds) fn pseudonym(&self, ticket: &str, at: EventTime) -> Option<u64> {
        self.wire().and_then(|wire| wire.tickets.pseudonym(ticket, at))
    }

    /// When the record was received.
    pub(in crate::feeds) fn received_at(&self) -> Option<EventTime> {
        self.received.map(EventTime::from_millis)
    }

    fn known<'n>(&self, field: &str, name: &str, names: &'n Names) -> Result<(usize, &'n str), Fault> {
        let called = match self.wire().map(|wire| wire.called(name)) {
            Some(Called::Name(called)) => called,
            Some(Called::LeftOut) | None => name,
        };
        match names.position(called) {
            Some(index) => Ok((index, names.name(index))),
            None => Err(Fault::in_field(Reason::UnknownName, field, format!("is not configured; {}", nearest(called, names)))),
        }
    }

    /// The gate that the record names.
    pub(in crate::feeds) fn gate(&self, fields: &Fields<'_>) -> Result<(GateId, &'a str), Fault> {
        self.gate_named(Field::Gate.word(), fields.text(Field::Gate)?)
    }

    /// The gate that the record calls `name` in `field`.
    pub(in crate::feeds) fn gate_named(&self, field: &str, name: &str) -> Result<(GateId, &'a str), Fault> {
        self.known(field, name, &self.venue.gate_names).map(|(index, name)| (GateId::from(index), name))
    }

    /// The stop that the record names.
    pub(in crate::feeds) fn stop(&self, fields: &Fields<'_>) -> Result<(StopId, &'a str), Fault> {
        self.known(Field::Stop.word(), fields.text(Field::Stop)?, &self.venue.stop_names).map(|(index, name)| (StopId::from(index), name))
    }

    /// The zone that the record names.
    pub(in crate::feeds) fn zone(&self, fields: &Fields<'_>) -> Result<ZoneId, Fault> {
        self.known(Field::Zone.word(), fields.text(Field::Zone)?, &self.venue.zone_names).map(|(index, _)| ZoneId::from(index))
    }

    /// The stop of that name, told in `field`.
    pub(in crate::feeds) fn stop_named(&self, field: Field, name: &str) -> Result<StopId, Fault> {
        self.known(field.word(), name, &self.venue.stop_names).map(|(index, _)| StopId::from(index))
    }

    /// The stop that a transport record calls `name`, if it is one of the venue's: most are elsewhere.
    pub(in crate::feeds) fn stop_called(&self, name: &str) -> Option<(StopId, &'a str)> {
        let names = &self.venue.stop_names;
        let called = match self.wire().map(|wire| wire.called(name)) {
            Some(Called::Name(called)) => called,
            Some(Called::LeftOut) | None => name,
        };
        names.position(called).map(|index| (StopId::from(index), names.name(index)))
    }

    /// The zone of that name, told in `field`.
    pub(in crate::feeds) fn section(&self, field: Field, name: &str) -> Result<ZoneId, Fault> {
        self.known(field.word(), name, &self.venue.zone_names).map(|(index, _)| ZoneId::from(index))
    }

    /// What people come by: a stop, a link, a gate or a zone, the first that bears the name.
    pub(in crate::feeds) fn approach(&self, field: Field, name: &str) -> Result<Entity, Fault> {
        let venue = self.venue;
        let stop = venue.stop_names.position(name).map(|index| Entity::Stop(StopId::from(index)));
        let link = || venue.link_names.position(name).map(|index| Entity::Link(LinkId::from(index)));
        let gate = || venue.gate_names.position(name).map(|index| Entity::Gate(GateId::from(index)));
        let place = stop.or_else(link).or_else(gate);
        place.map_or_else(|| self.section(field, name).map(Entity::Zone), Ok)
    }

    /// An interval `[from, to)`; one longer than a pane must be no longer than the source is configured to count.
    pub(in crate::feeds) fn interval(&self, fields: &Fields<'_>) -> Result<(EventTime, EventTime), Fault> {
        let (from, to) = ordered_interval(fields)?;
        self.check_interval(from, to)
    }

    /// The interval, if it is not empty and its source may count over so long.
    pub(in crate::feeds) fn check_interval(&self, from: EventTime, to: EventTime) -> Result<(EventTime, EventTime), Fault> {
        if from >= to {
            return Err(Fault::in_field(Reason::WrongValue, Field::To.word(), "must lie after \"from\""));
        }
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

    /// What becomes of one of many observations of a record: a name that is not configured costs that one only, whatever else is wrong the record.
    pub(in crate::feeds) fn settle(&self, read: Result<Observation, Fault>) -> Result<Item, Fault> {
        match read {
            Ok(observation) => Ok(Item::Observation(observation)),
            Err(fault) if fault.reason == Reason::UnknownName => Ok(Item::Unusable { source: self.source, fault }),
            Err(fault) => Err(fault),
        }
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
    const fn of(measures: Measures) -> Option<Self> {
        match measures {
            Measures::Link { .. } => Some(Self::Link),
            Measures::Zone(_) => Some(Self::Zone),
            Measures::Gate(_) | Measures::Door(_) => Some(Self::Gate),
            Measures::Nothing => None,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Link => "people crossing a link",
            Self::Zone => "heads in a zone",
            Self::Gate => "the state of a gate or door",
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

/// The configured names nearest to an unknown one; the unknown one is not repeated, for it may be anything.
fn nearest(unknown: &str, names: &Names) -> String {
    // An edit distance is quadratic, and a name on the wire can be as long as a record.
    let unknown: String = unknown.chars().take(64).collect();
    let near = names.nearest(&unknown);
    if near.is_empty() { "none is".to_owned() } else { format!("nearest known: {}", near.join(", ")) }
}

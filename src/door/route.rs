//! From a payload to the records that are written: to which venue, in which form, or why not at all.
//!
//! The idea: a payload is written as it came, so that what is decoded later is what the vendor sent. Two things are not: a frame of a whole network is split by
//! venue ([`super::split`]), and whatever comes for `feeds.ticketing` is written as neutral scans, in which a ticket is a pseudonym or nothing. A ticket
//! never reaches a topic.

use super::split;
use crate::feeds::{self, Attributes, Fault, Format, Item, Observation, Reason, RecordRef, neutral};
use crate::venue::{Feed, VenueId, World};

/// Where a payload's source belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The source, as the venue files call it.
    pub source: Box<str>,
    /// Its feed.
    pub feed: Feed,
    /// The venues whose source it is: one, or all that know a network's.
    pub venues: Vec<VenueId>,
    /// Whether the payload is of a whole network, and each venue gets its part.
    pub network_wide: bool,
}

/// What came in.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What its sender calls them, where it does; what says nothing or is not known leaves it to the source.
    pub content_type: Option<&'a str>,
    /// When it came, epoch ms.
    pub received: i64,
    /// CloudEvents' (source, id).
    pub cloud_event: Option<(&'a str, &'a str)>,
    /// CloudEvents' other attributes.
    pub attributes: Attributes<'a>,
}

/// A record for an input topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The venue, which is the key.
    pub venue: VenueId,
    /// The feed, which is the topic.
    pub feed: Feed,
    /// The source.
    pub source: Box<str>,
    /// The content type, where the source does not tell it.
    pub content_type: Option<Box<str>>,
    /// The bytes.
    pub value: Vec<u8>,
    /// When it came, epoch ms.
    pub received: i64,
    /// CloudEvents' (source, id).
    pub cloud_event: Option<(Box<str>, Box<str>)>,
    /// CloudEvents' other attributes, by header.
    pub attributes: Vec<(&'static str, Box<str>)>,
}

/// What becomes of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// These records; and, of parts that nobody could use, why (a gate that is not configured).
    Written {
        /// What is written.
        records: Vec<Outgoing>,
        /// What is wrong with the rest.
        unusable: Vec<Fault>,
    },
    /// It concerns nothing that is configured.
    Ignored,
    /// Nobody could read it.
    Refused(Fault),
}

impl Route {
    /// The route of a source: of one venue, or without one of all that have a source of this name.
    ///
    /// # Errors
    /// No such venue or source; the text lists the nearest valid names.
    pub fn find(world: &World, venue: Option<&str>, source: &str) -> Result<Self, String> {
        let venues: Vec<VenueId> = match venue {
            Some(name) => vec![world.find(name).ok_or_else(|| format!("no venue \"{name}\"; nearest known: {}", world.names.nearest(name).join(", ")))?],
            None => (0..world.venues.len()).map(VenueId::from).filter(|id| world.venue(*id).find_source(source).is_some()).collect(),
        };
        let of = |id: &VenueId| world.venue(*id).find_source(source).and_then(|found| world.venue(*id).sources.get(found.index()));
        let Some(first) = venues.first().and_then(of) else {
            let known = world.venues.iter().flat_map(|venue| venue.sources.iter().map(|source| &*source.id));
            return Err(format!("no source \"{source}\"; nearest known: {}", crate::venue::Names::new(known).nearest(source).join(", ")));
        };
        let feed = first.feed;
        if venues.iter().filter_map(of).any(|source| source.feed != feed) {
            return Err(format!("source \"{source}\" is of different feeds at different venues"));
        }
        Ok(Self { source: source.into(), feed, network_wide: venue.is_none(), venues })
    }

    /// What becomes of `payload`.
    pub fn admit(&self, world: &World, payload: &Payload<'_>, max_depth: usize) -> Admission {
        if depth(payload.bytes) > max_depth {
            return Admission::Refused(Fault::new(Reason::Malformed, format!("its lists and objects lie deeper than {max_depth} in one another")));
        }
        let parts =
            if self.network_wide { split::by_venue(self, world, payload) } else { Ok(self.venues.iter().map(|id| (*id, payload.bytes.to_vec())).collect()) };
        let parts = match parts {
            Ok(parts) => parts,
            Err(fault) => return Admission::Refused(fault),
        };
        let (mut records, mut unusable) = (Vec::new(), Vec::new());
        for (venue, bytes) in parts {
            if let Err(fault) = self.admit_part(world, venue, bytes, payload, &mut records, &mut unusable) {
                return Admission::Refused(fault);
            }
        }
        match (records.is_empty(), unusable.first()) {
            (true, None) => Admission::Ignored,
            (true, Some(fault)) => Admission::Refused(fault.clone()),
            (false, _) => Admission::Written { records, unusable },
        }
    }

    fn admit_part(
        &self,
        world: &World,
        venue: VenueId,
        bytes: Vec<u8>,
        payload: &Payload<'_>,
        records: &mut Vec<Outgoing>,
        unusable: &mut Vec<Fault>,
    ) -> Result<(), Fault> {
        let key = &world.venue(venue).id;
        let told = payload.content_type.and_then(|told| Format::find(told.split(';').next().unwrap_or_default().trim()));
        let record = RecordRef {
            feed: self.feed,
            partition: 0,
            offset: 0,
            appended: None,
            received: Some(payload.received),
            key: Some(key.as_bytes()),
            value: &bytes,
            source: Some(&self.source),
            format: told.map(|format| format.media_types[0]),
            cloud_event: payload.cloud_event,
            attributes: payload.attributes,
        };
        let mut items = Vec::new();
        feeds::decode(&record, world, &mut |item| items.push(item))?;
        if self.feed == Feed::Ticketing {
            self.scans(world, venue, payload.received, items, records, unusable);
        } else if items.iter().any(|item| !matches!(item, Item::Ignored | Item::UnknownFields(_))) {
            records.push(Outgoing {
                venue,
                feed: self.feed,
                source: self.source.clone(),
                content_type: told.map(|format| format.media_types[0].into()),
                received: payload.received,
                cloud_event: payload.cloud_event.map(|(source, id)| (source.into(), id.into())),
                attributes: payload.attributes.iter().map(|(name, value)| (name, value.into())).collect(),
                value: bytes,
            });
        }
        Ok(())
    }

    fn scans(&self, world: &World, venue: VenueId, received: i64, items: Vec<Item>, records: &mut Vec<Outgoing>, unusable: &mut Vec<Fault>) {
        for item in items {
            match item {
                Item::Observation(scan) => records.push(self.neutral(world, venue, received, &scan)),
                Item::Unusable { fault, .. } => unusable.push(fault),
                Item::Command(_) | Item::Ignored | Item::UnknownFields(_) => {}
            }
        }
    }

    fn neutral(&self, world: &World, venue: VenueId, received: i64, seen: &Observation) -> Outgoing {
        Outgoing {
            venue,
            feed: self.feed,
            source: self.source.clone(),
            content_type: Some(feeds::ticketing::scan::FORMAT.media_types[0].into()),
            value: neutral::to_json(seen, world.venue(venue)).to_string().into_bytes(),
            received,
            // The identity is in the scan's id already.
            cloud_event: None,
            attributes: Vec::new(),
        }
    }
}

/// How deep lists and objects lie in one another, as far as brackets outside of texts tell; what is no JSON has no depth.
fn depth(bytes: &[u8]) -> usize {
    if !matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'[')) {
        return 0;
    }
    let (mut deepest, mut now, mut in_text, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in bytes {
        match (in_text, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => in_text = !in_text,
            (false, _, b'{' | b'[') => {
                now += 1;
                deepest = deepest.max(now);
            }
            (false, _, b'}' | b']') => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::sample::wired_venue;

    fn world() -> World {
        World::new(vec![wired_venue()])
    }

    fn payload(bytes: &[u8]) -> Payload<'_> {
        Payload { bytes, content_type: None, received: 1_907_863_300_000, cloud_event: None, attributes: Attributes::NONE }
    }

    fn admit(source: &str, format: &Format, bytes: &[u8]) -> Admission {
        let world = world();
        let route = Route::find(&world, Some("casablanca"), source).unwrap();
        route.admit(&world, &Payload { content_type: Some(format.media_types[0]), ..payload(bytes) }, 32)
    }

    #[test]
    fn a_vendors_payload_is_written_as_it_came() {
        let format = &feeds::sensors::axis_push::FORMAT;
        let Admission::Written { records, .. } = admit("counters", format, format.sample) else { panic!() };
        assert_eq!((records.len(), records[0].value.as_slice(), records[0].content_type.as_deref()), (1, format.sample, Some(format.media_types[0])));
    }

    #[test]
    fn a_ticket_never_reaches_a_topic() {
        let planted = String::from_utf8(feeds::ticketing::pretix::FORMAT.sample.to_vec()).unwrap();
        let Admission::Written { records, .. } = admit("tickets", &feeds::ticketing::pretix::FORMAT, planted.as_bytes()) else { panic!() };
        let written = String::from_utf8(records[0].value.clone()).unwrap();
        for personal in ["z3fsn8jyufm5kpk768q69gkbyr5f4h6w", "Peter", "ABC12", "Pvrk50vU"] {
            assert!(planted.contains(personal) && !written.contains(personal), "{written}");
        }
        // What was written reads as the same scan.
        let again = admit("tickets", &feeds::ticketing::scan::FORMAT, &records[0].value);
        assert!(matches!(again, Admission::Written { records: again, .. } if again.len() == 1));
    }

    #[test]
    fn a_repeat_is_written_with_the_same_identity() {
        let written = |bytes: &[u8]| match admit("tickets", &feeds::ticketing::pretix::FORMAT, bytes) {
            Admission::Written { records, .. } => records[0].value.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(written(feeds::ticketing::pretix::FORMAT.sample), written(feeds::ticketing::pretix::FORMAT.sample));
    }

    #[test]
    fn what_nobody_could_read_is_refused_and_what_concerns_nothing_is_ignored() {
        let axis = &feeds::sensors::axis_push::FORMAT;
        assert!(matches!(admit("counters", axis, b"{\"apiName\":"), Admission::Refused(fault) if fault.reason == Reason::Malformed));
        let other = String::from_utf8(axis.sample.to_vec()).unwrap().replace("people-counts", "queue-lengths");
        assert_eq!(admit("counters", axis, other.as_bytes()), Admission::Ignored);
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        assert!(matches!(admit("counters", axis, deep.as_bytes()), Admission::Refused(fault) if fault.detail.contains("deeper")));
        let stray = String::from_utf8(feeds::ticketing::pretix::FORMAT.sample.to_vec())
            .unwrap()
            .replace("\"gate\":5", "\"gate\":6")
            .replace("15", "16")
            .replace("\"device\":7", "\"device\":null");
        assert!(
            matches!(admit("tickets", &feeds::ticketing::pretix::FORMAT, stray.as_bytes()), Admission::Refused(fault) if fault.reason == Reason::UnknownName)
        );
    }

    #[test]
    fn an_unknown_source_lists_the_nearest() {
        let why = Route::find(&world(), Some("casablanca"), "conters").unwrap_err();
        assert!(why.contains("counters"), "{why}");
        assert!(Route::find(&world(), Some("casablance"), "counters").unwrap_err().contains("casablanca"));
    }

    #[test]
    fn brackets_in_texts_are_not_depth() {
        assert_eq!(depth(br#"{"a":"[[[[\"[["}"#), 1);
        assert_eq!(depth(b"<xml>[[[["), 0);
        assert_eq!(depth(b" [[1],{\"a\":[]}]"), 3);
    }
}

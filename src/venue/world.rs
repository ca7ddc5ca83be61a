//! All venues together, and the configurations that take another one's place.

use super::ids::VenueId;
use super::model::Venue;
use super::names::Names;
use crate::time::EventTime;

/// Everything that is configured: the venues, in the order of their ids.
#[derive(Clone, Debug)]
pub struct World {
    /// The venues.
    pub venues: Vec<Venue>,
    /// Their names.
    pub names: Names,
}

/// A configuration that takes another one's place.
#[derive(Clone, Debug)]
pub struct Later {
    /// It is in force from the first pane on that ends after this time.
    pub from: EventTime,
    /// The venue by it.
    pub venue: Venue,
}

impl World {
    /// A world of these venues.
    pub fn new(venues: Vec<Venue>) -> Self {
        let names = Names::new(venues.iter().map(|venue| &*venue.id));
        Self { venues, names }
    }

    /// The venue of that name.
    pub fn find(&self, name: &str) -> Option<VenueId> {
        self.names.position(name).map(VenueId::from)
    }

    /// The venue of that id.
    pub fn venue(&self, id: VenueId) -> &Venue {
        &self.venues[id.index()]
    }
}

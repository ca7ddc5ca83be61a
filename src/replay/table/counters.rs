//! Which counters the places of a table become.
//!
//! The idea: a counter that says nothing is a gap. So a place whose ways in and out are known in the same steps has one counter, as most have, and one of which a step knows the one without
//! the other has one for each: the way that is silent is a gap, and the other counts. A way of which no row knows anything is none of the place's.

use super::entry::Entry;
use indexmap::IndexSet;

/// What a table tells of one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of in, out and undirected any step knows.
    pub(super) told: [bool; 3],
    /// The counter of its way out, where that is one of its own.
    pub(super) way_out: Option<usize>,
}

/// The counters of a table's places: first one of each place, then those of the ways out.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// By sensor of the table.
    pub(super) places: Vec<Place>,
    /// The counters' ids.
    pub(super) ids: IndexSet<String>,
}

impl Counters {
    /// What these entries tell of these sensors.
    pub(super) fn of(sensors: &[String], entries: &[Entry]) -> Self {
        let mut places = vec![Place::default(); sensors.len()];
        let mut is_apart = vec![false; sensors.len()];
        for entry in entries {
            let (known, sensor) = (entry.known().map(|figure| figure.is_some()), entry.sensor as usize);
            places[sensor].told.iter_mut().zip(known).for_each(|(told, is_known)| *told |= is_known);
            is_apart[sensor] |= known[0] != known[1];
        }
        let mut ids: IndexSet<String> = sensors.iter().cloned().collect();
        for ((place, is_apart), id) in places.iter_mut().zip(is_apart).zip(sensors) {
            if is_apart && place.told[0] && place.told[1] {
                let id = free_id(id, &ids);
                place.way_out = Some(ids.insert_full(id).0);
            }
        }
        Self { places, ids }
    }
}

impl Place {
    /// What its counters say of one step, each by its place among them: of a counter that says nothing nobody knows anything.
    pub(super) fn said(&self, sensor: usize, [inwards, outwards, undirected]: [Option<u32>; 3]) -> [Option<(usize, [Option<u32>; 3])>; 2] {
        let [way_in, way_out, _] = self.told;
        match self.way_out {
            Some(apart) => {
                [inwards.map(|_| (sensor, [inwards, None, undirected])), outwards.map(|_| (apart, [None, outwards, undirected.filter(|_| inwards.is_none())]))]
            }
            None => {
                let is_said = if way_in || way_out { inwards.or(outwards).is_some() } else { undirected.is_some() };
                [is_said.then_some((sensor, [inwards, outwards, undirected])), None]
            }
        }
    }

    /// Whether an entry has one of its figures and lacks another.
    pub(super) fn is_half_told_by(&self, entry: &Entry) -> bool {
        entry.knows() && self.told.iter().zip(entry.known()).any(|(told, known)| *told && known.is_none())
    }
}

/// An id for the counter of a way out that no other has.
fn free_id(place: &str, taken: &IndexSet<String>) -> String {
    let mut id = format!("{place} out");
    while taken.contains(&id) {
        id.push('\'');
    }
    id
}

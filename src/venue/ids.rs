//! Dense ids: the position of a thing in its venue's list.

use serde::{Deserialize, Serialize};

macro_rules! dense_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the list.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<$name> for usize {
            fn from(id: $name) -> Self {
                id.index()
            }
        }

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }
        }
    )*};
}

dense_id! {
    /// A venue of the world.
    VenueId,
    /// A perimeter of a venue.
    PerimeterId,
    /// A zone of a venue.
    ZoneId,
    /// A link of a venue.
    LinkId,
    /// A gate of a venue: a link with lanes.
    GateId,
    /// A sensor of a venue.
    SensorId,
    /// A source of a venue: one configured origin of records, with a clock.
    SourceId,
    /// A stop of public transport at a venue.
    StopId,
    /// An approach of a venue: one of the ways by which people come and go.
    ApproachId,
}

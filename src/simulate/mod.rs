//! A believable match night from a seed: everybody who comes, and what the three feeds and the match control say of them.
//!
//! # The model
//! Each person is one, with a ticket for a gate, a way to come and a time to leave ([`Night`] draws them all before the first second). Seconds are
//! played one by one: a person crosses a zone at the speed that its density allows, then waits in line at the next link; a line moves as fast as the
//! link's width, the gate's open lanes or the standing train let it, and only while there is room behind. Queues, spill-back, waits and the jam at
//! the station after the match come out of that; nobody writes them down. Devices look at these people and say what they see, with their
//! faults; what really happened is the [`Truth`], which no record shows.
//!
//! ```text
//!   script ─► people ─► flow ─► devices, railway, match control ─► outbox ─► records by time of receipt
//!                         └───► truth
//! ```
//!
//! A night is a pure function of (world, venue, match, seed, options): chance comes from ChaCha8 and nowhere else, each part with a stream of its own.
//!
//! # What is invented
//! All of it: shares of visitors and of means of transport, arrival curves (beta), lingering, train loads and delays, noise of the sensors, the
//! failures. Widths, areas, lanes and lane rates come from the venue's configuration; walking speed is Weidmann's. The figures make a night that
//! looks like one; they say nothing about a real stadium.
//!
//! # What goes wrong every night
//! One gate fails for twenty minutes while people come; two gates' scanners lose the network for a quarter of an hour and upload eight to
//! twenty-five minutes late; one counter's clock is an hour ahead for a while; one counter is silent for half an hour; one record in a thousand
//! comes twice; in some nights kick-off is delayed. With [`Options::faults`] records that are broken in every way come on top.

mod breakage;
pub(crate) mod chance;
mod devices;
mod flow;
mod load;
mod night;
mod nights;
mod outbox;
mod people;
mod railway;
mod routes;
mod script;
mod trains;
mod truth;

pub use load::{Load, LoadPlan, LoadRecord};
pub use night::Night;
pub use nights::Nights;
pub use truth::{Truth, TruthMinute};

use crate::time::Span;
use crate::venue::Feed;
use std::sync::Arc;

/// A record of a simulated feed, as a producer would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimRecord {
    /// The feed, which is the topic.
    pub feed: Feed,
    /// The key: the venue's id.
    pub key: Arc<str>,
    /// The value.
    pub value: Vec<u8>,
    /// The `midan-source` header.
    pub source: Arc<str>,
    /// The `content-type` header, where the value is not JSON that names its type.
    pub format: Option<&'static str>,
    /// The `midan-received` header, epoch ms.
    pub received: i64,
    /// The event time as the record tells it, epoch ms; of an interval its last instant, of a record broken on purpose when it was sent.
    pub at: i64,
}

/// What a night can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether broken records come in between.
    pub faults: bool,
    /// How much later than planned the match begins, at most an hour; drawn from the seed where this is not told.
    pub kick_off_delay: Option<Span>,
    /// Every line counter counts wrong all night by a factor of its own, one standard deviation in thousandths; `None` for what such devices usually miss and double.
    pub gain_error_permille: Option<u32>,
    /// This line counter, by its id, says nothing all night.
    pub dead_counter: Option<String>,
}

/// Why there is no night.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// The venue has no such match.
    #[error("venue \"{venue}\" has no match \"{match_id}\"; its matches: {}", known.join(", "))]
    UnknownMatch {
        /// The venue.
        venue: String,
        /// What was asked for.
        match_id: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Nobody could get in.
    #[error("venue \"{venue}\" cannot be simulated: no way leads from a link without `from` to a gate with a queue, and on to a bowl or stand")]
    NoWayIn {
        /// The venue.
        venue: String,
    },
    /// No venue of the world has a match.
    #[error("no venue has a match to play")]
    NoMatch,
}

#[cfg(test)]
mod tests;

//! What an Axis people counter answers when it is asked (the old API): totals since its last reset (`live-sum.json`), or its occupancy estimate
//! (`live-occupancy.json`). Its times are a wall clock without zone, so the source must name the zone.
//!
//! A device is called by its serial number. One that also estimates occupancy is two sensors: the serial number counts, `SERIAL/occupancy` sees heads.

use super::count::total;
use super::occupancy::heads;
use crate::feeds::Item;
use crate::feeds::fault::Fault;
use crate::feeds::format::{Decoder, Format};
use crate::feeds::moment;
use crate::feeds::origin::Origin;
use crate::feeds::vendor::{missing, read, time};
use crate::time::Span;
use crate::venue::Feed;
use serde::Deserialize;
use std::borrow::Cow;

/// The format.
pub const FORMAT: Format = Format {
    name: "axis_pull",
    type_name: "axis.tvpc.live",
    media_types: &["application/vnd.axis.tvpc+json"],
    folder: "sensors",
    feeds: &[Feed::Sensors],
    sample: SAMPLE.as_bytes(),
    decoder: Decoder::Bytes(decode),
};

const SAMPLE: &str = r#"{"serial":"ACCC8E012345","name":"Gate N12","timestamp":"20300615200000","in":1204,"out":318}"#;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    serial: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(rename = "in")]
    inwards: Option<u64>,
    #[serde(rename = "out")]
    outwards: Option<u64>,
    /// An estimate of the device; it goes below 0 when it has missed entries.
    occupancy: Option<i64>,
    total_in: Option<u64>,
    total_out: Option<u64>,
}

fn decode(bytes: &[u8], origin: &Origin<'_>, each: &mut dyn FnMut(Item)) -> Result<(), Fault> {
    let answer: Answer<'_> = read(bytes, "answer of an Axis people counter")?;
    let zone = origin.wire().and_then(|wire| wire.time_zone);
    let at = time("timestamp", moment::from_wall_clock(&answer.timestamp, "%Y%m%d%H%M%S", zone, origin.received_at()))?;
    let mut items = Vec::with_capacity(2);
    if let Some(persons) = answer.occupancy {
        let name = format!("{}/occupancy", answer.serial);
        let heads = || heads(origin, ("serial", &name), at, u32::try_from(persons.max(0)).unwrap_or(u32::MAX), 0);
        items.push(if origin.leaves_out(&name) { Item::Ignored } else { origin.settle(heads())? });
    }
    let (inwards, outwards) = (answer.inwards.or(answer.total_in), answer.outwards.or(answer.total_out));
    if inwards.is_some() || outwards.is_some() {
        let persons = [inwards.unwrap_or_default(), outwards.unwrap_or_default(), 0];
        let total = || total(origin, ("serial", &answer.serial), (at, at.after(Span::from_millis(1))), persons, 0);
        items.push(if origin.leaves_out(&answer.serial) { Item::Ignored } else { origin.settle(total())? });
    }
    if items.is_empty() {
        return Err(missing("in"));
    }
    items.into_iter().for_each(each);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::Reason;
    use crate::feeds::observation::{Observation, What};
    use crate::feeds::sample;

    const OCCUPANCY: &str = r#"{"occupancy":886,"serial":"ACCC8E012345","timestamp":"20300615200000","total_in":1204,"total_out":318}"#;

    #[test]
    fn a_wall_clock_is_read_in_the_sources_zone() {
        let items = sample::items_of(&FORMAT, SAMPLE.as_bytes()).unwrap();
        let [Item::Observation(Observation { what: What::Total(total), at, .. })] = &items[..] else { panic!("{items:?}") };
        assert_eq!((total.inwards, total.outwards, total.modulus), (1_204, 318, None));
        assert_eq!(at.as_millis(), 1_907_780_400_000);
        let zoneless = sample::items_with(&FORMAT, SAMPLE.as_bytes(), |source| source.wire.time_zone = None).unwrap_err();
        assert_eq!((zoneless.reason, zoneless.field.as_str()), (Reason::ZonelessTime, "timestamp"));
    }

    #[test]
    fn an_occupancy_estimate_and_its_totals_are_two_sensors() {
        let items = sample::items_of(&FORMAT, OCCUPANCY.as_bytes()).unwrap();
        let [Item::Observation(heads), Item::Observation(totals)] = &items[..] else { panic!("{items:?}") };
        assert!(matches!(heads.what, What::Occupancy { persons: 886, .. }) && matches!(totals.what, What::Total(_)));
        let negative = sample::items_of(&FORMAT, OCCUPANCY.replace("886", "-3").as_bytes()).unwrap();
        assert!(matches!(&negative[0], Item::Observation(Observation { what: What::Occupancy { persons: 0, .. }, .. })));
    }

    #[test]
    fn a_counter_that_begins_again_carries_how_many_values_it_has() {
        let items = sample::items_with(&FORMAT, SAMPLE.as_bytes(), |source| source.wire.modulus = Some(65_536)).unwrap();
        assert!(matches!(&items[0], Item::Observation(Observation { what: What::Total(total), .. }) if total.modulus == Some(65_536)));
    }

    #[test]
    fn an_answer_that_counts_nothing_is_refused() {
        let fault = sample::items_of(&FORMAT, br#"{"serial":"ACCC8E012345","timestamp":"20300615200000"}"#).unwrap_err();
        assert_eq!(fault.reason, Reason::MissingField);
    }
}

//! What frames tell at all, whatever stop it is about: how many positions, how old, and whether any says how full a train is.

use super::arrivals::STALE;
use crate::feeds::transport::wire::FeedMessage;
use crate::time::{EventTime, Span};
use prost::Message;

/// `OccupancyStatus.NO_DATA_AVAILABLE`: the feed has the field and nothing to say in it.
const NO_DATA: i32 = 7;

/// The sums over all frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Frames that could be read.
    pub frames: u64,
    /// Positions of vehicles, each frame's own.
    pub positions: u64,
    /// Those that were older than [`STALE`] by their frame's clock.
    pub stale: u64,
    /// Age of the oldest.
    pub oldest: Span,
    /// Calls at stops that trip updates tell.
    pub calls: u64,
    /// Positions and calls that tell how full a vehicle is.
    pub with_occupancy: u64,
    /// Positions and calls that say outright that there is no such data.
    pub without_data: u64,
}

impl Census {
    /// Counts a frame; one that cannot be read counts for nothing.
    pub fn count(&mut self, frame: &[u8]) {
        let Ok(message) = FeedMessage::decode(frame) else {
            return;
        };
        self.frames += 1;
        let clock = message.header.as_ref().and_then(|header| header.timestamp).and_then(instant);
        for entity in &message.entity {
            if let Some(vehicle) = &entity.vehicle {
                let age = clock.zip(vehicle.timestamp.filter(|secs| *secs > 0).and_then(instant)).map_or(Span::ZERO, |(clock, measured)| clock.since(measured));
                self.positions += 1;
                self.stale += u64::from(age > STALE);
                self.oldest = self.oldest.max(age);
                self.occupancy(vehicle.occupancy_status, vehicle.occupancy_percentage.is_some());
            }
            let calls = entity.trip_update.iter().flat_map(|update| &update.stop_time_update);
            for call in calls {
                self.calls += 1;
                self.occupancy(call.departure_occupancy_status, false);
            }
        }
    }

    fn occupancy(&mut self, status: Option<i32>, has_percentage: bool) {
        let is_told = has_percentage || status.is_some_and(|status| status != NO_DATA);
        self.with_occupancy += u64::from(is_told);
        self.without_data += u64::from(!is_told && status.is_some());
    }

    /// The share of stale positions.
    pub fn stale_percent(&self) -> f64 {
        100.0 * self.stale as f64 / self.positions.max(1) as f64
    }
}

fn instant(secs: u64) -> Option<EventTime> {
    i64::try_from(secs).ok()?.checked_mul(1_000).map(EventTime::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::transport::wire::{FeedEntity, FeedHeader, VehiclePosition};

    #[test]
    fn a_position_that_says_no_data_says_nothing_of_persons() {
        let vehicle = |status, secs| {
            let vehicle = VehiclePosition { occupancy_status: status, timestamp: Some(secs), ..VehiclePosition::default() };
            FeedEntity { id: Some("v".into()), vehicle: Some(vehicle), ..FeedEntity::default() }
        };
        let header = Some(FeedHeader { timestamp: Some(1_000), ..FeedHeader::default() });
        let entity = vec![vehicle(Some(NO_DATA), 1_000), vehicle(None, 909), vehicle(Some(2), 910)];
        let mut census = Census::default();
        census.count(&FeedMessage { header, entity }.encode_to_vec());
        census.count(b"<html>");
        let expected = Census { frames: 1, positions: 3, stale: 1, oldest: Span::from_secs(91), calls: 0, with_occupancy: 1, without_data: 1 };
        assert_eq!(census, expected);
    }
}

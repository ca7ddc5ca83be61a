//! Trains: a timetable with a headway and delays that carry over, loads that people fill, and boarding while a train stands.

use super::chance::Chance;

/// Persons whom a train can carry.
pub(super) const TRAIN_CAPACITY: u32 = 1_200;
const HEADWAY_S: u32 = 300;
const DWELL_S: u32 = 60;

/// One train at one platform. Times are seconds of the night.
#[derive(Clone, Debug)]
pub(super) struct Train {
    pub(super) trip: String,
    pub(super) planned: u32,
    pub(super) arrival: u32,
    pub(super) departure: u32,
    /// On board when it comes: all of them alight.
    pub(super) load: u32,
    pub(super) boarded: u32,
}

/// The trains of one platform, in order.
#[derive(Clone, Debug)]
pub(super) struct Platform {
    pub(super) trains: Vec<Train>,
}

impl Platform {
    /// The timetable of a platform; `number` shifts it, so that two platforms take turns.
    pub(super) fn new(number: usize, seconds: u32, chance: &mut Chance) -> Self {
        let shift = if number.is_multiple_of(2) { 90 } else { 90 + HEADWAY_S / 2 };
        // One train in the hours before the match is held up on the line for a quarter of an hour.
        let held = chance.whole(10, 40);
        let mut delay = 0.0f64;
        let mut free_from = 0;
        let mut trains = Vec::new();
        for (count, planned) in (shift..seconds).step_by(HEADWAY_S as usize).enumerate() {
            let carried = if count as u32 == held { 900.0 } else { 0.0 };
            delay = (0.75 * delay + chance.normal(5.0, 35.0)).max(0.0) + carried;
            let arrival = (planned + delay as u32).max(free_from);
            let departure = arrival + DWELL_S;
            free_from = departure + 60;
            trains.push(Train {
                trip: format!("{}{:03}", if number.is_multiple_of(2) { "A" } else { "C" }, count + 1),
                planned,
                arrival,
                departure,
                load: 0,
                boarded: 0,
            });
        }
        Self { trains }
    }

    /// Puts a person on the first train with room that comes at `wish` or later; the second at which that person steps out, `None` when no train comes.
    pub(super) fn ride(&mut self, wish: u32, chance: &mut Chance) -> Option<u32> {
        let first = self.trains.partition_point(|train| train.arrival < wish);
        let train = self.trains[first..].iter_mut().find(|train| train.load < TRAIN_CAPACITY)?;
        train.load += 1;
        Some(train.arrival + chance.whole(0, DWELL_S - 10))
    }

    /// The train that stands at the platform and has room.
    pub(super) fn boarding(&mut self, now: u32) -> Option<&mut Train> {
        let next = self.trains.partition_point(|train| train.departure <= now);
        self.trains.get_mut(next).filter(|train| train.arrival <= now && train.boarded < TRAIN_CAPACITY)
    }
}

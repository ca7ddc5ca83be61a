//! Level of service: Fruin's grades A to F, read off the density, from the table that fits the place.
//!
//! Flow is two-valued (little flow may be A or F), so the grade comes from the density alone (crowd-science §2.1).

use super::figures::{Grade, LevelOfService};
use super::limits::ZoneLimits;
use crate::venue::FlowTable;

/// The grades from B on, in the order of the profile's bounds.
const FROM_B: [Grade; 5] = [Grade::B, Grade::C, Grade::D, Grade::E, Grade::F];

/// The level of service at `density` persons/m². `limits` holds the lower bounds of `table`; a bound belongs to the worse grade.
pub fn level_of_service(density: f64, table: FlowTable, limits: &ZoneLimits) -> LevelOfService {
    let reached = FROM_B.iter().zip(limits.los).filter(|(_, bound)| density >= *bound).map(|(grade, _)| *grade);
    LevelOfService { table, grade: reached.max().unwrap_or(Grade::A) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::profile;

    /// Fruin 1971 as in crowd-science §2.1: walkway, stair and queue.
    #[test]
    fn the_bounds_are_fruins() {
        use FlowTable::{Queue, Stair, Walkway};
        use Grade::{A, B, C, D, E, F};
        let cases = [
            (Walkway, 0.30, A),
            (Walkway, 0.31, B),
            (Walkway, 0.42, B),
            (Walkway, 0.43, C),
            (Walkway, 0.72, D),
            (Walkway, 1.07, D),
            (Walkway, 1.08, E),
            (Walkway, 2.14, E),
            (Walkway, 2.15, F),
            (Walkway, 6.0, F),
            (Stair, 0.5, A),
            (Stair, 0.6, B),
            (Stair, 1.0, C),
            (Stair, 1.5, D),
            (Stair, 2.0, E),
            (Stair, 2.8, F),
            (Queue, 0.80, A),
            (Queue, 0.9, B),
            (Queue, 1.2, C),
            (Queue, 2.0, D),
            (Queue, 4.0, E),
            (Queue, 5.4, F),
        ];
        for (table, density, grade) in cases {
            let limits = ZoneLimits::of(&profile(), table);
            assert_eq!(level_of_service(density, table, &limits), LevelOfService { table, grade }, "{density} persons/m² by the {table:?} table");
        }
    }
}

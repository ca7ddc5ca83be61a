//! Counterflow: how many go against the main direction.
//!
//! The main direction is the axis along which people move most (the greater eigenvector of ⟨v vᵀ⟩, so that two opposed streams have one axis and not the mean zero);
//! the share is that of the smaller of the two senses. Who stands, or goes across, is on neither side.

use super::field::{Field, length};
use super::polygon::{Point, dot};
use super::unfit::Unfit;

/// What moves along the main axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counterflow {
    /// The share of the smaller sense among those who move along the axis, 0 to 0.5.
    pub share: f64,
    /// The unit vector of the greater sense.
    pub axis: Point,
    /// How far movement is along one axis: 1 all along it, 0 the same in all directions.
    pub order: f64,
}

/// The counterflow of movers, each with a weight (one a person, or persons/m² at a point of a field).
///
/// Those slower along the axis than `least_m_s` count to neither sense; an axis must be told apart by at least `least_order`.
///
/// # Errors
/// [`Unfit::TooFew`] where nobody moves, [`Unfit::NoDirection`] where no axis stands out.
pub fn counterflow(movers: impl Iterator<Item = (Point, f64)> + Clone, least_m_s: f64, least_order: f64) -> Result<Counterflow, Unfit> {
    let moving = movers.filter(|(velocity, weight)| *weight > 0.0 && length(*velocity) >= least_m_s);
    let [xx, xy, yy] =
        moving.clone().fold([0.0; 3], |[xx, xy, yy], (v, weight)| [xx + weight * v[0] * v[0], xy + weight * v[0] * v[1], yy + weight * v[1] * v[1]]);
    if !(xx + yy).is_finite() {
        return Err(Unfit::NotFinite);
    }
    if xx + yy <= 0.0 {
        return Err(Unfit::TooFew);
    }
    let spread = libm::sqrt((xx - yy) * (xx - yy) + 4.0 * xy * xy);
    let order = spread / (xx + yy);
    if order < least_order {
        return Err(Unfit::NoDirection);
    }
    let angle = 0.5 * libm::atan2(2.0 * xy, xx - yy);
    let axis = [libm::cos(angle), libm::sin(angle)];
    let (mut with, mut against) = (0.0, 0.0);
    for (velocity, weight) in moving {
        let along = dot(velocity, axis);
        if along >= least_m_s {
            with += weight;
        } else if along <= -least_m_s {
            against += weight;
        }
    }
    if with + against <= 0.0 {
        return Err(Unfit::NoDirection);
    }
    let axis = if against > with { [-axis[0], -axis[1]] } else { axis };
    Ok(Counterflow { share: with.min(against) / (with + against), axis, order })
}

/// The movers of a field, weighted by density.
pub fn movers_of(field: &Field) -> impl Iterator<Item = (Point, f64)> + Clone + '_ {
    field.velocity.iter().zip(&field.density).filter_map(|(velocity, density)| velocity.map(|velocity| (velocity, *density)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(velocities: &[Point]) -> Result<Counterflow, Unfit> {
        counterflow(velocities.iter().map(|v| (*v, 1.0)), 0.1, 0.3)
    }

    #[test]
    fn one_in_five_against_is_a_fifth() {
        let found = of(&[[1.0, 0.1], [1.0, -0.1], [0.9, 0.0], [1.1, 0.0], [-0.8, 0.0]]).unwrap();
        assert_eq!(found.share, 0.2);
        assert!(found.axis[0] > 0.99, "the greater sense leads");
    }

    #[test]
    fn the_axis_is_found_in_any_direction_and_sense() {
        let found = of(&[[-0.7, -0.7], [-0.7, -0.7], [0.7, 0.7]]).unwrap();
        assert!((found.share - 1.0 / 3.0).abs() < 1e-12 && found.axis[0] < 0.0 && found.axis[1] < 0.0);
    }

    #[test]
    fn who_stands_is_on_neither_side() {
        assert_eq!(of(&[[1.0, 0.0], [0.01, 0.0], [-0.02, 0.0]]).unwrap().share, 0.0);
        assert_eq!(of(&[[0.01, 0.0]; 5]), Err(Unfit::TooFew));
    }

    #[test]
    fn a_crowd_that_mills_about_has_no_direction() {
        assert_eq!(of(&[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]), Err(Unfit::NoDirection));
    }
}

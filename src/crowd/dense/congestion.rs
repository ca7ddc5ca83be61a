//! Congestion level `Cl = (max rot v − min rot v)·l / |v|` and crowd danger `Cd = Cl·ρ`: a crowd in which neighbours turn against one another is jammed.
//!
//! Feliciani and Nishinari, Transp. Res. C 91 (2018); l is the side of the region of interest (definition not checked against the primary text). Meaningful against the
//! place's own baseline, not as an absolute number.

use super::field::{Field, Lattice, length};
use super::unfit::Unfit;

/// Congestion at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Congestion {
    /// Congestion level, no unit.
    pub level: f64,
    /// Crowd danger, persons/m².
    pub danger: f64,
}

/// The congestion of a field over its whole lattice. Below a mean speed of `least_m_s` the level has no meaning: it divides by the speed.
///
/// # Errors
/// [`Unfit::TooSmall`] where no point has its four neighbours with a velocity, [`Unfit::NoDirection`] where hardly anybody moves.
pub fn congestion(lattice: &Lattice, field: &Field, least_m_s: f64) -> Result<Congestion, Unfit> {
    let rotations: Vec<f64> = (0..lattice.len()).filter_map(|i| rotation(lattice, field, i)).collect();
    let greatest = rotations.iter().copied().max_by(f64::total_cmp).ok_or(Unfit::TooSmall)?;
    let least = rotations.iter().copied().min_by(f64::total_cmp).ok_or(Unfit::TooSmall)?;
    let speeds: Vec<f64> = field.velocity.iter().flatten().map(|velocity| length(*velocity)).collect();
    let speed = speeds.iter().sum::<f64>() / speeds.len() as f64;
    if speed.is_nan() || speed < least_m_s {
        return Err(Unfit::NoDirection);
    }
    let side = lattice.step_m * lattice.columns.min(lattice.rows) as f64;
    let level = (greatest - least) * side / speed;
    let density = field.mean_density().ok_or(Unfit::TooFew)?;
    if level.is_finite() { Ok(Congestion { level, danger: level * density }) } else { Err(Unfit::NotFinite) }
}

/// ∂v_y/∂x − ∂v_x/∂y at a point by central differences, s⁻¹.
fn rotation(lattice: &Lattice, field: &Field, i: usize) -> Option<f64> {
    let beside = |columns, rows| field.velocity.get(lattice.beside(i, columns, rows)?).copied().flatten();
    let (left, right, below, above) = (beside(-1, 0)?, beside(1, 0)?, beside(0, -1)?, beside(0, 1)?);
    Some(((right[1] - left[1]) - (above[0] - below[0])) / (2.0 * lattice.step_m))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice() -> Lattice {
        Lattice { origin: [-2.0, -2.0], step_m: 1.0, columns: 5, rows: 5 }
    }

    fn field(velocity: impl Fn([f64; 2]) -> [f64; 2]) -> Field {
        let lattice = lattice();
        Field { density: vec![2.0; 25], velocity: (0..25).map(|i| Some(velocity(lattice.point(i)))).collect() }
    }

    #[test]
    fn a_shear_of_one_rate_everywhere_has_level_zero_and_two_opposed_ones_their_difference() {
        assert_eq!(congestion(&lattice(), &field(|_| [1.0, 0.0]), 0.05).unwrap().level, 0.0);
        assert!(congestion(&lattice(), &field(|p| [1.0 - 0.1 * p[1], 0.0]), 0.05).unwrap().level < 1e-12);
        // v_x = 1 + 0.1·y²: rot = −0.2·y, from 0.2 at y = −1 to −0.2 at y = 1; mean speed 1.2, side 5.
        let found = congestion(&lattice(), &field(|p| [1.0 + 0.1 * p[1] * p[1], 0.0]), 0.05).unwrap();
        assert!((found.level - 0.4 * 5.0 / 1.2).abs() < 1e-9 && (found.danger - 2.0 * found.level).abs() < 1e-9);
    }

    #[test]
    fn a_standing_crowd_and_a_narrow_lattice_have_none() {
        assert_eq!(congestion(&lattice(), &field(|_| [0.001, 0.0]), 0.05), Err(Unfit::NoDirection));
        let narrow = Lattice { rows: 1, ..lattice() };
        let row = Field { density: vec![2.0; 5], velocity: vec![Some([1.0, 0.0]); 5] };
        assert_eq!(congestion(&narrow, &row, 0.05), Err(Unfit::TooSmall));
    }
}

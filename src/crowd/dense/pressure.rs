//! Crowd pressure `P(r) = ρ(r)·Var(V(r))`, s⁻²: not a force but how much the crowd is shaken where it is dense.
//!
//! Helbing, Johansson and Al-Abideen, Phys. Rev. E 75, 046109 (2007): 0.02 s⁻² marked the onset of crowd turbulence at Mina on 12 January 2006 (limit not checked
//! against the primary text). The variance is that of the local velocity over the window, both components together.

use super::field::Window;
use super::unfit::Unfit;

/// Crowd pressure over a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pressure {
    /// The greatest at any point of the lattice, s⁻².
    pub greatest: f64,
    /// The point, by its place in the lattice.
    pub at: usize,
    /// The mean over all points with a value, s⁻².
    pub mean: f64,
}

/// The pressure over the window.
///
/// # Errors
/// [`Unfit::TooShort`] with fewer than three fields, [`Unfit::TooFew`] where no point has a velocity throughout.
pub fn pressure(window: &Window<'_>) -> Result<Pressure, Unfit> {
    if window.fields.len() < 3 {
        return Err(Unfit::TooShort);
    }
    let mut greatest: Option<(f64, usize)> = None;
    let (mut sum, mut points) = (0.0, 0_u32);
    for at in 0..window.lattice.len() {
        let Some(velocities) = window.velocities_at(at) else { continue };
        let pressure = window.density_at(at) * variance(&velocities);
        if !pressure.is_finite() {
            return Err(Unfit::NotFinite);
        }
        sum += pressure;
        points += 1;
        if greatest.is_none_or(|(most, _)| pressure > most) {
            greatest = Some((pressure, at));
        }
    }
    let (greatest, at) = greatest.ok_or(Unfit::TooFew)?;
    Ok(Pressure { greatest, at, mean: sum / f64::from(points) })
}

/// ⟨|v − ⟨v⟩|²⟩, m²/s².
fn variance(velocities: &[[f64; 2]]) -> f64 {
    let number = velocities.len() as f64;
    let mean = velocities.iter().fold([0.0, 0.0], |sum, v| [sum[0] + v[0], sum[1] + v[1]]).map(|sum| sum / number);
    velocities.iter().map(|v| (v[0] - mean[0]) * (v[0] - mean[0]) + (v[1] - mean[1]) * (v[1] - mean[1])).sum::<f64>() / number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::dense::field::{Field, Lattice};

    fn of(density: f64, velocities: &[[f64; 2]]) -> Result<Pressure, Unfit> {
        let lattice = Lattice { origin: [0.0, 0.0], step_m: 1.0, columns: 1, rows: 1 };
        let fields: Vec<Field> = velocities.iter().map(|v| Field { density: vec![density], velocity: vec![Some(*v)] }).collect();
        pressure(&Window { lattice: &lattice, fields: &fields, step_s: 0.5 })
    }

    #[test]
    fn it_is_density_times_the_variance_of_the_velocity() {
        let shaken = of(5.0, &[[0.1, 0.0], [-0.1, 0.0], [0.0, 0.1], [0.0, -0.1]]).unwrap();
        assert!((shaken.greatest - 0.05).abs() < 1e-12 && shaken.at == 0);
    }

    #[test]
    fn a_steady_stream_has_none_however_fast_and_dense() {
        assert_eq!(of(6.0, &[[1.0, 0.5]; 4]).unwrap().greatest, 0.0);
    }

    #[test]
    fn it_says_why_it_has_no_value() {
        assert_eq!(of(5.0, &[[0.0, 0.0]; 2]), Err(Unfit::TooShort));
        let lattice = Lattice { origin: [0.0, 0.0], step_m: 1.0, columns: 1, rows: 1 };
        let empty = vec![Field { density: vec![1.0], velocity: vec![None] }; 5];
        assert_eq!(pressure(&Window { lattice: &lattice, fields: &empty, step_s: 0.5 }), Err(Unfit::TooFew));
    }
}

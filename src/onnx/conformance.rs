//! Whether a model that loads may be served: what its answers must hold to, tried on it before anybody hears it.
//!
//! The idea: hash and shapes say that a file is the one its manifest means, and nothing of what it says. So it is asked: the same twice, at any input a venue may show, with one row beside
//! other rows, and for the rows that were recorded when it was built. `midan model check`, an order to swap, a replay and the service's start all ask this and nothing else, so that none
//! serves what another refuses. All faults are told, not the first.

use super::{Model, ModelFault};
use crate::inference::Role;
use crate::inference::ask::QUANTILES;
use std::ops::RangeInclusive;

/// Operator sets that the pinned ONNX Runtime serves.
const OPSETS: RangeInclusive<u32> = 7..=23;
/// So far may what is said of a recorded row lie from what was said when the model was built, as a share of it or of one: another processor adds up in another order.
const AS_RECORDED: f32 = 1e-3;
/// So far may a row's answer move when other rows do.
const ALONE: f32 = 1e-4;
/// Inputs lie within this as a rule (deviations, logarithms), and within this at the worst.
const REACH: [(&str, f32); 2] = [("plausible", 1.0), ("extreme", 40.0)];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conformance {
    /// What does not hold, in words; none where the model may be served.
    pub faults: Vec<String>,
    /// Recorded rows that were asked for, and how far the farthest answer lay from the one of then, as a share of it or of one.
    pub recorded: (usize, f32),
}

impl Model {
    /// Asks the model of so many rows at a time.
    ///
    /// # Errors
    /// Where it does not run at all at a plausible input.
    pub fn conformance(&mut self, rows: usize) -> Result<Conformance, ModelFault> {
        let mut found = Conformance::default();
        let opset = self.manifest().opset;
        if !OPSETS.contains(&opset) {
            found.faults.push(format!("operator set {opset}: served are {} to {}", OPSETS.start(), OPSETS.end()));
        }
        let plausible = numbers(self.role(), rows, REACH[0].1);
        let once = self.run(&plausible, rows)?;
        let twice = self.run(&plausible, rows)?;
        if once.iter().zip(&twice).any(|(a, b)| a.to_bits() != b.to_bits()) {
            found.faults.push("the same input gives other bits the second time".to_owned());
        }
        for (what, reach) in REACH {
            match self.run(&numbers(self.role(), rows, reach), rows) {
                Err(why) => found.faults.push(format!("at {what} input: {why}")),
                Ok(said) => found.faults.extend(out_of_order(self.role(), &said).map(|row| format!("at {what} input: the quantiles of row {row} cross"))),
            }
        }
        if rows > 1 && self.hangs_on_others(plausible, &once, rows)? {
            found.faults.push("a row's answer hangs on other rows".to_owned());
        }
        self.hold_against_recorded(rows, &mut found)?;
        Ok(found)
    }

    /// The model, if it may be served.
    ///
    /// # Errors
    /// With all that does not hold.
    pub fn conforming(mut self, rows: usize) -> Result<Self, ModelFault> {
        let Conformance { faults, .. } = self.conformance(rows)?;
        if faults.is_empty() { Ok(self) } else { Err(ModelFault::Unfit { file: self.manifest().file.clone(), faults: faults.join("; ") }) }
    }

    /// Whether the first row's answer moves with the other rows.
    fn hangs_on_others(&mut self, mut input: Vec<f32>, before: &[f32], rows: usize) -> Result<bool, ModelFault> {
        let (features, width) = (self.role().features(), self.role().width());
        input[features..].iter_mut().for_each(|value| *value = 0.5 - *value);
        let moved = self.run(&input, rows)?;
        Ok(moved[..width].iter().zip(before).any(|(now, before)| (now - before).abs() > ALONE))
    }

    /// Recorded rows of which the model says another thing than when it was built.
    fn hold_against_recorded(&mut self, rows: usize, found: &mut Conformance) -> Result<(), ModelFault> {
        let recorded = self.manifest().recorded.clone();
        found.recorded.0 = recorded.len();
        for (place, row) in recorded.iter().enumerate() {
            let mut input = row.features.clone();
            input.resize(rows * self.role().features(), 0.0);
            let said = self.run(&input, rows)?;
            // The manifest's are numbers, and so is what a run gives, or it fails.
            let off = said.iter().zip(&row.says).map(|(now, then)| (now - then).abs() / then.abs().max(1.0)).fold(0.0, f32::max);
            found.recorded.1 = found.recorded.1.max(off);
            if off > AS_RECORDED {
                found.faults.push(format!(
                    "recorded row {place}: what it says is off by {off} from what it said when it was built; this runtime does not compute it as that one did"
                ));
            }
        }
        Ok(())
    }
}

/// Numbers that jump about within ± `reach`, the same each time.
pub fn numbers(role: Role, rows: usize, reach: f32) -> Vec<f32> {
    (0..rows * role.features()).map(|place| ((place * 37 % 101) as f32 / 50.0 - 1.0) * reach).collect()
}

fn out_of_order(role: Role, said: &[f32]) -> Option<usize> {
    if role != Role::Flow {
        return None;
    }
    said.chunks_exact(role.width()).position(|row| row.chunks_exact(QUANTILES).any(|of| of.windows(2).any(|pair| pair[0] > pair[1])))
}

//! Faults of rows, by their kind.
//!
//! The idea: a table of a million rows has few kinds of faults and many faults, and whoever mends a mapping needs one row of each kind, not the first five of one.
//! Two faults are of a kind if what is said of them differs in figures and quoted text only.

use serde::Serialize;

/// How many kinds are told apart; faults of later ones are only counted among all.
const KINDS: usize = 20;

/// Faults of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultKind {
    /// The first of them, as `file:line: what`.
    pub first: String,
    /// How many there are.
    pub count: u64,
    #[serde(skip)]
    shape: String,
}

/// Counts one fault among its kind; `at` is the place of what is said, `file:line`.
pub(super) fn count(kinds: &mut Vec<FaultKind>, at: impl FnOnce() -> String, detail: &str) {
    let (shape, known) = (shape(detail), kinds.len());
    match kinds.iter_mut().find(|kind| kind.shape == shape) {
        Some(kind) => kind.count += 1,
        None if known < KINDS => kinds.push(FaultKind { first: format!("{}: {detail}", at()), count: 1, shape }),
        None => {}
    }
}

/// What is left of a sentence without its figures, what it quotes, and what to do about it.
fn shape(detail: &str) -> String {
    let unquoted = detail.split('"').step_by(2).collect::<Vec<_>>().join("\"");
    unquoted.chars().take_while(|letter| *letter != ';').filter(|letter| !letter.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_differ_in_figures_and_quotes_are_of_a_kind() {
        let mut kinds = Vec::new();
        for (line, detail) in [
            (2, "\"a 1\" is no number"),
            (3, "7 is more than 500"),
            (4, "\"b;7\" is no number; write one"),
            (9, "\"\" is no number"),
            (12, "99 is more than 500"),
        ] {
            count(&mut kinds, || format!("t.csv:{line}"), detail);
        }
        let told: Vec<_> = kinds.iter().map(|kind| (kind.first.as_str(), kind.count)).collect();
        assert_eq!(told, [("t.csv:2: \"a 1\" is no number", 3), ("t.csv:3: 7 is more than 500", 2)]);
    }
}

//! Lengths of time as people write them: a number and its unit.

use crate::time::Span;

/// Units and their milliseconds.
const UNITS: [(&str, f64); 6] = [("ms", 1.0), ("s", 1_000.0), ("min", 60_000.0), ("m", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];

/// A hundred years: nothing that is configured lasts longer, and sums of such spans stay far from overflow.
const LONGEST_MILLIS: f64 = 100.0 * 366.0 * 86_400_000.0;

/// Reads `10s`, `1.5 h`, `250ms`; the error says what is wrong.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let text = text.trim();
    let number_ends = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_ends);
    let unit = unit.trim();
    let wrong = || format!("\"{text}\" is no length of time; write a number and a unit (ms, s, min, h, d), like \"10s\"");
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let (_, millis) = UNITS.iter().find(|(word, _)| *word == unit).ok_or_else(wrong)?;
    let millis = number * millis;
    if millis > LONGEST_MILLIS {
        return Err(format!("\"{text}\" is longer than a hundred years"));
    }
    if libm::trunc(millis) != millis {
        return Err(format!("\"{text}\" is no whole number of milliseconds"));
    }
    Ok(Span::from_millis(millis as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        let cases = [("10s", 10_000), ("5min", 300_000), ("5m", 300_000), ("1.5 h", 5_400_000), ("250ms", 250), ("0s", 0), ("2d", 172_800_000)];
        for (text, millis) in cases {
            assert_eq!(parse_span(text), Ok(Span::from_millis(millis)), "{text}");
        }
        for text in ["10", "s", "", "-5s", "10 sec", "1e9s", "0.0001s", "99999999d"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}

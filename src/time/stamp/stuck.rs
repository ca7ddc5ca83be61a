//! Where a pattern stops in a text that it cannot read.
//!
//! The idea: "input contains invalid characters" helps nobody who looks at `5 März 2024`. The pattern is tried piece by piece, and the first that cannot be read is shown with what stands there.

use chrono::format::{Parsed, StrftimeItems, parse_and_remainder};

/// A text that is shown is no longer than this.
const SHOWN: usize = 24;

/// What to say of such a time after its fault; nothing where every piece can be read, and it is only no time (the 31st of February).
pub(super) fn hint(pattern: &str, text: &str) -> Option<String> {
    let shown = |text: &str| text.trim_start().chars().take(SHOWN).collect::<String>();
    let mut left = text;
    for (from, to) in pieces(pattern) {
        let piece = pattern[from..to].trim();
        left = match parse_and_remainder(&mut Parsed::new(), text, StrftimeItems::new(&pattern[..to])) {
            Ok(left) => left,
            Err(_) if left.trim().is_empty() => return Some(format!("; it ends before {piece}{}", meaning(piece))),
            Err(_) => return Some(format!("; at \"{}\" it is not {piece}{}", shown(left), meaning(piece))),
        };
    }
    (!left.is_empty()).then(|| format!("; \"{}\" is left over", shown(left)))
}

/// Where the pieces of a pattern begin and end: a % with its letter, and what stands between two of them.
fn pieces(pattern: &str) -> Vec<(usize, usize)> {
    let mut bounds = vec![0];
    let mut letters = pattern.char_indices();
    while let Some((at, letter)) = letters.next() {
        if letter == '%' {
            let ends = letters.by_ref().find(|(_, letter)| letter.is_ascii_alphabetic() || matches!(letter, '%' | '+'));
            bounds.extend([at, ends.map_or(pattern.len(), |(end, letter)| end + letter.len_utf8())]);
        }
    }
    bounds.push(pattern.len());
    bounds.dedup();
    bounds.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// What a piece stands for, where its letter does not say so itself.
fn meaning(piece: &str) -> &'static str {
    match piece {
        "%p" | "%P" => " (AM or PM)",
        "%b" | "%h" | "%B" => " (the English name of a month)",
        "%a" | "%A" => " (the English name of a weekday)",
        "%z" | "%:z" | "%#z" => " (an offset such as +01:00)",
        "%Y" => " (a year)",
        "%y" => " (a year of two digits)",
        "%m" => " (a month from 01 to 12)",
        "%d" | "%e" => " (a day from 01 to 31)",
        "%H" | "%k" => " (an hour from 00 to 24)",
        "%I" | "%l" => " (an hour from 01 to 12)",
        "%M" => " (a minute from 00 to 59)",
        "%S" => " (a second from 00 to 60)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn what_a_pattern_cannot_read_is_shown_with_the_piece_that_stands_there() {
        for (pattern, text, told) in [
            ("%d/%m/%Y %I:%M %p", "03/04/2024 10:30 a.m.", "; at \"a.m.\" it is not %p (AM or PM)"),
            ("%d. %B %Y %H:%M", "5. März 2024 10:30", "; at \"März 2024 10:30\" it is not %B (the English name of a month)"),
            ("%m/%d/%Y %H:%M", "31/12/2024 10:30", "; at \"31/12/2024 10:30\" it is not %m (a month from 01 to 12)"),
            ("%d.%m.%Y %H:%M", "01/02/2024 10:30", "; at \"/02/2024 10:30\" it is not ."),
            ("%d.%m.%Y %H:%M", "01.02.2024 1", "; it ends before :"),
            ("%d.%m.%Y", "01.02.2024 10:30", "; \"10:30\" is left over"),
        ] {
            assert_eq!(hint(pattern, text).as_deref(), Some(told), "{text}");
        }
        assert_eq!(hint("%d.%m.%Y", "31.02.2024"), None);
    }
}

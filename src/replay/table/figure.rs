//! One figure of a table: how many persons its text means, or that nobody knows.

use super::mapping::Decimals;
use thiserror::Error;

/// A figure that nobody has: no column, or another row.
pub(super) const NONE: u32 = u32::MAX;
/// A figure that is missing: nobody knows.
pub(super) const MISSING: u32 = u32::MAX - 1;

/// Why a text is no figure.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum FigureFault {
    #[error("\"{text}\" is no whole number of persons from 0, and no missing marker{}", if *is_marked_off { " (thousands, decimal_mark and decimals say how figures are written)" } else { "" })]
    NoNumber { text: String, is_marked_off: bool },
    #[error("\"{text}\" is no whole number of persons from 0, and no missing marker: no count is so large")]
    TooLarge { text: String },
    #[error("{persons} is more than {most}, which the mapping calls the most of a step")]
    AboveMost { persons: u32, most: u32 },
}

/// How the figures of a table are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Texts that mean that nobody knows.
    pub missing: Missing,
    /// What a figure means that is no whole number of persons.
    pub decimals: Decimals,
    /// Between the whole number and its decimals.
    pub decimal_mark: char,
    /// Between thousands, where anything is.
    pub thousands: Option<char>,
}

/// Texts that mean that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    words: Vec<String>,
    /// Whether one of them holds a digit: else none can be meant by a plain number.
    has_digits: bool,
}

impl Missing {
    /// These texts.
    pub fn of(words: Vec<String>) -> Self {
        let has_digits = words.iter().any(|word| has_digit(word));
        Self { words, has_digits }
    }

    /// Whether `text` is one of them.
    fn is_meant_by(&self, text: &str) -> bool {
        text.is_empty() || self.words.iter().any(|marker| is_marker(marker, text))
    }
}

/// What spreadsheets, databases and data frames write where there is no figure.
const USUAL_MISSING: [&str; 14] = ["NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None", "\\N", "-", "--", "?"];

impl Default for Figures {
    fn default() -> Self {
        Self { missing: Missing::of(USUAL_MISSING.map(str::to_owned).to_vec()), decimals: Decimals::Refuse, decimal_mark: '.', thousands: None }
    }
}

impl Figures {
    /// Persons, or [`MISSING`].
    pub(super) fn read(&self, text: &str) -> Result<u32, FigureFault> {
        // Nearly all are plain.
        if let (false, Some(persons)) = (self.missing.has_digits, plain(text)) {
            return Ok(persons);
        }
        if self.missing.is_meant_by(text) {
            return Ok(MISSING);
        }
        let persons = match text.parse::<u32>() {
            Ok(persons) => Some(persons),
            Err(_) => self.unusual(text),
        };
        persons.filter(|persons| *persons < MISSING).ok_or_else(|| {
            // Texts of a whole page are no figures, and belong in no message.
            let shown = text.chars().take(24).collect::<String>();
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                return FigureFault::TooLarge { text: shown };
            }
            let is_marked_off = has_digit(text) && text.contains([',', '.', '\'', ' ', '\u{a0}', '\u{202f}']);
            FigureFault::NoNumber { text: shown, is_marked_off }
        })
    }

    /// A figure with decimals or thousands marked off.
    fn unusual(&self, text: &str) -> Option<u32> {
        let (narrow, whole);
        // A blank between thousands is seldom the one on the keyboard.
        let text = if self.thousands == Some(' ') {
            narrow = text.replace(['\u{a0}', '\u{202f}', '\u{2009}'], " ");
            narrow.as_str()
        } else {
            text
        };
        let text = match self.thousands {
            Some(mark) if text.contains(mark) => {
                whole = without(mark, text, self.decimal_mark)?;
                whole.as_str()
            }
            _ => text,
        };
        // A point is no decimal mark where a comma is.
        let number = || {
            let text = if self.decimal_mark == '.' { text.to_owned() } else { Some(text).filter(|text| !text.contains('.'))?.replace(self.decimal_mark, ".") };
            text.parse::<f64>().ok().filter(|number| (0.0..f64::from(MISSING)).contains(number))
        };
        // R and spreadsheets write large whole numbers as 1e+05.
        if text.contains(['e', 'E'])
            && let Some(whole) = number().filter(|number| number.fract() == 0.0)
        {
            return Some(whole as u32);
        }
        // Spreadsheets write whole numbers as 12.0.
        let (whole_part, decimals) = text.split_once(self.decimal_mark).unwrap_or((text, "0"));
        let whole = whole_part.parse().ok().filter(|_| !decimals.is_empty() && decimals.bytes().all(|digit| digit == b'0'));
        if whole.is_some() || self.decimals == Decimals::Refuse {
            return whole;
        }
        number().map(|estimate| (estimate + 0.5) as u32)
    }
}

/// Digits only.
fn plain(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    Some(text).filter(|_| is_plain).and_then(|text| text.parse().ok()).filter(|persons| *persons < MISSING)
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a text says what a marker says: the same word, or the same number, for who writes 0 or -1 in one column writes 0.0 or -1.0 in another.
fn is_marker(marker: &str, text: &str) -> bool {
    let number = |text: &str| Some(text).filter(|text| has_digit(text)).and_then(|text| text.parse::<f64>().ok());
    marker == text || number(marker).is_some_and(|marker| number(text) == Some(marker))
}

/// The number without the marks between its thousands: each stands before three digits, or the text means something else.
fn without(mark: char, text: &str, decimal_mark: char) -> Option<String> {
    let (whole, decimals) = text.split_once(decimal_mark).unwrap_or((text, ""));
    let digits = |group: &str, least: usize| (least..=3).contains(&group.len()) && group.bytes().all(|digit| digit.is_ascii_digit());
    let mut groups = whole.split(mark);
    let is_right = groups.next().is_some_and(|first| digits(first, 1)) && groups.all(|three| digits(three, 3)) && !decimals.contains(mark);
    is_right.then(|| text.replace(mark, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_as_the_mapping_says_it_is_written() {
        let usual = Figures::default();
        let rounded = Figures { decimals: Decimals::Round, ..Figures::default() };
        let german = Figures { decimal_mark: ',', thousands: Some('.'), ..rounded.clone() };
        let english = Figures { thousands: Some(','), ..Figures::default() };
        let french = Figures { decimal_mark: ',', thousands: Some(' '), ..Figures::default() };
        let marked = Figures { missing: Missing::of(vec!["-1".to_owned(), "0".to_owned()]), ..Figures::default() };
        let cases: [(&Figures, &str, Option<u32>); 34] = [
            (&french, "1\u{202f}234", Some(1_234)),
            (&french, "1 234\u{a0}567,0", Some(1_234_567)),
            (&usual, "-", Some(MISSING)),
            (&marked, "", Some(MISSING)),
            (&marked, "-1.0", Some(MISSING)),
            (&marked, "0.0", Some(MISSING)),
            (&marked, "10", Some(10)),
            (&marked, "NA", None),
            (&usual, "12", Some(12)),
            (&usual, "12.0", Some(12)),
            (&usual, "12.5", None),
            (&usual, "1,234", None),
            (&usual, "-3", None),
            (&usual, "", Some(MISSING)),
            (&usual, "4294967295", None),
            (&usual, "1e3", Some(1_000)),
            (&usual, "1.0844E+04", Some(10_844)),
            (&usual, "1.05e1", None),
            (&usual, "1e12", None),
            (&usual, "999999999999", None),
            (&german, "1,5e3", Some(1_500)),
            (&rounded, "12.5", Some(13)),
            (&rounded, "1e3", Some(1_000)),
            (&rounded, "nan", Some(MISSING)),
            (&rounded, "-0.7", None),
            (&german, "1.234,5", Some(1_235)),
            (&german, "1.234", Some(1_234)),
            (&german, "12.5", None),
            (&english, "1,234,567", Some(1_234_567)),
            (&english, "1,23", None),
            (&english, "12,345.00", Some(12_345)),
            (&english, "1234,567", None),
            (&english, ",123", None),
            (&german, "1,234.5", None),
        ];
        for (figures, text, persons) in cases {
            assert_eq!(figures.read(text).ok(), persons, "{text} by {figures:?}");
        }
    }
}

//! The plain record, read in one pass: a flat object of texts without escapes, whole numbers from 0, `true`, `false` and `null`.
//!
//! The idea: almost every neutral record is plain, and for such a one a general JSON reader costs twice what the reading of its bytes does. This one knows only plain
//! records. Whatever else it meets, right or wrong, it leaves to serde_json, which then reads the record from its beginning and says what is wrong with it: so there is
//! one judge of what JSON is, and the two agree on every record that both read (a property test holds them together).

use super::fields::Scalar;
use std::borrow::Cow;

/// A number of so many digits always fits 64 bits.
const SAFE_DIGITS: usize = 19;

/// Hands each field of a plain record to `each`, in order, and answers whether the record is plain; if not, what was handed on says nothing.
pub(super) fn read<'a>(text: &'a str, mut each: impl FnMut(&'a str, Scalar<'a>)) -> bool {
    let mut reader = Reader { text, at: 0 };
    reader.object(&mut each).is_some()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// `None` where the record is not plain.
    fn object(&mut self, each: &mut impl FnMut(&'a str, Scalar<'a>)) -> Option<()> {
        self.sign(b'{')?;
        if self.sign(b'}').is_none() {
            loop {
                self.sign(b'"')?;
                let name = self.rest_of_text()?;
                self.sign(b':')?;
                let value = self.value()?;
                each(name, value);
                if self.sign(b',').is_none() {
                    break;
                }
            }
            self.sign(b'}')?;
        }
        self.skip_blanks();
        (self.at == self.text.len()).then_some(())
    }

    fn value(&mut self) -> Option<Scalar<'a>> {
        self.skip_blanks();
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.rest_of_text().map(|text| Scalar::Text(Cow::Borrowed(text)))
            }
            b'0'..=b'9' => self.whole().map(Scalar::Whole),
            b't' => self.word("true").then_some(Scalar::Flag(true)),
            b'f' => self.word("false").then_some(Scalar::Flag(false)),
            b'n' => self.word("null").then_some(Scalar::Null),
            _ => None,
        }
    }

    /// Up to the closing quotation mark; an escape or a control character is not plain.
    fn rest_of_text(&mut self) -> Option<&'a str> {
        let start = self.at;
        let length = self.text.as_bytes().get(start..)?.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        self.at = start + length;
        self.sign_here(b'"')?;
        self.text.get(start..start + length)
    }

    fn whole(&mut self) -> Option<u64> {
        let start = self.at;
        let mut number: u64 = 0;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - start;
        let leads_with_zero = digits > 1 && self.text.as_bytes()[start] == b'0';
        // What goes on is no whole number; neither the comma nor the brace could then follow, but the reason should be told here.
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        (digits <= SAFE_DIGITS && !leads_with_zero && !goes_on).then_some(number)
    }

    fn word(&mut self, word: &str) -> bool {
        let is_there = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        is_there
    }

    /// Passes over a sign and the blanks before it; stays before it where it is not there.
    fn sign(&mut self, sign: u8) -> Option<()> {
        self.skip_blanks();
        self.sign_here(sign)
    }

    fn sign_here(&mut self, sign: u8) -> Option<()> {
        (self.peek()? == sign).then(|| self.at += 1)
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn plain(text: &str) -> Option<Vec<(String, Value)>> {
        let mut fields = Vec::new();
        let is_plain = read(text, |name, value| {
            let value = match value {
                Scalar::Null => Value::Null,
                Scalar::Flag(flag) => flag.into(),
                Scalar::Whole(number) => number.into(),
                Scalar::Text(text) => (*text).into(),
                other => panic!("not plain: {other:?}"),
            };
            fields.push((name.to_owned(), value));
        });
        is_plain.then_some(fields)
    }

    #[test]
    fn a_plain_record_is_read_in_order() {
        let fields = plain(" {\"a\" : 14 ,\t\"b\":\"é\",\"c\":true,\"d\":false,\"e\":null, \"a\":9999999999999999999}\n ").unwrap();
        let expected =
            [("a", 14u64.into()), ("b", "é".into()), ("c", true.into()), ("d", false.into()), ("e", Value::Null), ("a", 9_999_999_999_999_999_999u64.into())];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(plain("{}"), Some(vec![]));
    }

    #[test]
    fn whatever_else_there_is_is_left_to_the_general_reader() {
        let others = [
            "",
            "{",
            "[]",
            "{}x",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":01}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":-1}"#,
            r#"{"a":"\n"}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"\u0041":1}"#,
            "{\"a\":\"\t\"}",
            r#"{"a":[1]}"#,
            r#"{"a":{}}"#,
            r#"{"a":tru}"#,
            r#"{"a":nul"#,
            r#"{"a":18446744073709551615}"#,
            r#"{"a":"x}"#,
            r#"{"a":1 "b":2}"#,
            r#"{a:1}"#,
        ];
        for text in others {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    /// Texts that are nearly JSON.
    fn nearly_json() -> impl Strategy<Value = String> {
        let words = [
            "{",
            "}",
            "\"",
            "\"a\"",
            "\"in\"",
            ":",
            ",",
            " ",
            "0",
            "17",
            "007",
            "-",
            ".",
            "e",
            "true",
            "false",
            "null",
            "[",
            "]",
            "\\",
            "é",
            "\n",
            "\"a\":1",
            "\"b\":\"x\"",
        ];
        prop::collection::vec(prop::sample::select(words.to_vec()), 0..14).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn what_it_reads_is_what_the_general_reader_reads(inner in nearly_json()) {
            for text in [inner.clone(), format!("{{{inner}}}"), format!("{{\"z\":{inner}}}")] {
                let Some(fields) = plain(&text) else { continue };
                let general: Value = serde_json::from_str(&text).unwrap();
                let by_name: serde_json::Map<String, Value> = fields.into_iter().collect();
                prop_assert_eq!(general, Value::Object(by_name));
            }
        }
    }
}

//! From the times of the output records to those of the files.
//!
//! The idea: they are the same, but for a table of local days. Its steps follow the clock on the wall, on which every day has 24 hours, so that the engine's panes can
//! be of one length; what is written down for somebody to join to the rows again is event time.

use std::fmt;

/// Turns the times of the records, epoch ms, into event times.
#[derive(Default)]
pub struct Times(Option<Box<dyn Fn(i64) -> i64 + Send>>);

/// The fields of `midan.zones` that are times.
const FIELDS: [&[u8]; 6] = [b"\"event_time\":", b"\"watermark\":", b"\"from\":", b"\"to\":", b"\"kick_off\":", b"\"planned_kick_off\":"];

impl Times {
    /// Times of another clock, which `instant` turns into event times.
    pub fn of_clock(instant: impl Fn(i64) -> i64 + Send + 'static) -> Self {
        Self(Some(Box::new(instant)))
    }

    /// One time.
    pub(super) fn of(&self, at: i64) -> i64 {
        self.0.as_ref().map_or(at, |instant| instant(at))
    }

    /// A record of `midan.zones` with its times; `None` where they stay as they are.
    pub(super) fn of_record(&self, record: &[u8]) -> Option<Vec<u8>> {
        let instant = self.0.as_ref()?;
        let mut text = Vec::with_capacity(record.len() + 16);
        let mut rest = record;
        while let Some(first) = rest.first() {
            // A name that holds such a word holds it with its quotes escaped.
            let Some(field) = FIELDS.iter().find(|field| rest.starts_with(field)) else {
                text.push(*first);
                rest = &rest[1..];
                continue;
            };
            let (name, behind) = rest.split_at(field.len());
            text.extend_from_slice(name);
            let digits = behind.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
            let (number, behind) = behind.split_at(digits);
            match std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()) {
                Some(at) => text.extend_from_slice(instant(at).to_string().as_bytes()),
                None => text.extend_from_slice(number),
            }
            rest = behind;
        }
        Some(text)
    }
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Times(of a clock)" } else { "Times" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_are_turned() {
        let times = Times::of_clock(|at| at - 3_600);
        let record = br#"{"zone":"\"from\":1","event_time":7200,"from":3600,"to":7200,"in":7200,"los":{"to":"x"}}"#;
        let turned = String::from_utf8(times.of_record(record).unwrap()).unwrap();
        assert_eq!(turned, r#"{"zone":"\"from\":1","event_time":3600,"from":0,"to":3600,"in":7200,"los":{"to":"x"}}"#);
        assert_eq!((Times::default().of(5), Times::default().of_record(record)), (5, None));
    }
}

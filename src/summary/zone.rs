//! What the readers of a run want of a zone's record of `midan.zones`, read once for all of them.
//!
//! The idea: a replay publishes several records for each row of its table, and most of them (links, gates) interest nobody here. So a record is looked at before it is
//! parsed, ids are borrowed, and quantiles stay the text that they are until somebody computes with them. Most records of a table that is only counted forecast nothing and
//! are plain, and for such a one a general reader costs three times what the reading of its bytes does; whatever else a record is, the general reader judges it.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A zone's record.
#[derive(Debug, Deserialize)]
pub struct ZoneRecord<'a> {
    /// The venue's id.
    #[serde(borrow)]
    pub venue: Cow<'a, str>,
    /// The zone's id.
    #[serde(borrow)]
    pub zone: Cow<'a, str>,
    /// End of the pane, epoch ms.
    pub event_time: i64,
    /// Start of the pane, epoch ms.
    pub from: i64,
    /// 0, then rising.
    pub revision: u32,
    /// Persons in, where told.
    #[serde(rename = "in", default)]
    pub inwards: Option<f64>,
    /// Persons out, where told.
    #[serde(default)]
    pub out: Option<f64>,
    /// Persons without direction, where told.
    #[serde(default)]
    pub count: Option<f64>,
    /// What was forecast.
    #[serde(default, borrow)]
    pub forecast: Vec<ZoneForecast<'a>>,
    /// Which model spoke: its name, version and hash, or `"fallback"`.
    #[serde(default, borrow)]
    pub model: Option<&'a RawValue>,
}

/// One horizon of one series of a zone.
#[derive(Debug, Deserialize)]
pub struct ZoneForecast<'a> {
    /// How far ahead, s.
    pub h_s: u32,
    /// The 10 % quantile, as it stands in the record.
    #[serde(borrow)]
    pub q10: &'a RawValue,
    /// The median.
    #[serde(borrow)]
    pub q50: &'a RawValue,
    /// The 90 % quantile.
    #[serde(borrow)]
    pub q90: &'a RawValue,
    /// `in`, `out`, `count` or `occupancy`.
    pub what: &'a str,
}

impl<'a> ZoneRecord<'a> {
    /// Reads a record; none where it is another kind's (a link's, a gate's, the venue's, a correction).
    pub fn read(value: &'a [u8]) -> Option<Self> {
        // Within a text its quotes would be escaped, so this is the field.
        const KIND: &[u8] = b"\"kind\":\"";
        let kind = value.windows(KIND.len()).position(|window| window == KIND)?;
        if !value[kind + KIND.len()..].starts_with(b"zone\"") {
            return None;
        }
        plain(value).or_else(|| serde_json::from_slice(value).ok())
    }
}

/// A record without forecasts whose ids have no escapes and whose times and counts are whole numbers, as the engine writes them; none where it is anything else.
fn plain(value: &[u8]) -> Option<ZoneRecord<'_>> {
    let (mut venue, mut zone, mut event_time, mut from, mut revision) = (None, None, None, None, None);
    let (mut inwards, mut out, mut count) = (None, None, None);
    let mut rest = value.strip_prefix(b"{")?;
    loop {
        let (name, behind) = text(rest)?;
        let behind = behind.strip_prefix(b":")?;
        let (field, behind) = match name {
            b"event_time" | b"from" | b"revision" | b"in" | b"out" | b"count" => {
                let (number, behind) = whole(behind)?;
                let field = match name {
                    b"event_time" => &mut event_time,
                    b"from" => &mut from,
                    b"revision" => &mut revision,
                    b"in" => &mut inwards,
                    b"out" => &mut out,
                    _ => &mut count,
                };
                (field.replace(number).is_some(), behind)
            }
            b"venue" | b"zone" => {
                let (id, behind) = text(behind)?;
                let field = if name == b"venue" { &mut venue } else { &mut zone };
                (field.replace(std::str::from_utf8(id).ok()?).is_some(), behind)
            }
            b"v" | b"kind" | b"watermark" | b"coverage" | b"to" => (false, passed(behind)?),
            b"age_s" => (false, passed_object(behind)?),
            _ => return None,
        };
        // A field that stands twice is the general reader's to judge.
        if field {
            return None;
        }
        match behind {
            b"}" => break,
            _ => rest = behind.strip_prefix(b",")?,
        }
    }
    let persons = |number: Option<u64>| number.map(|number| number as f64);
    Some(ZoneRecord {
        venue: Cow::Borrowed(venue?),
        zone: Cow::Borrowed(zone?),
        event_time: i64::try_from(event_time?).ok()?,
        from: i64::try_from(from?).ok()?,
        revision: u32::try_from(revision?).ok()?,
        inwards: persons(inwards),
        out: persons(out),
        count: persons(count),
        forecast: Vec::new(),
        model: None,
    })
}

/// A text without escapes, and what stands behind it.
fn text(json: &[u8]) -> Option<(&[u8], &[u8])> {
    let json = json.strip_prefix(b"\"")?;
    let end = json.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
    (json[end] == b'"').then(|| (&json[..end], &json[end + 1..]))
}

/// A whole number that is exact as a float too, and what stands behind it.
fn whole(json: &[u8]) -> Option<(u64, &[u8])> {
    let digits = json.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_one = (1..=15).contains(&digits) && (digits == 1 || json[0] != b'0') && matches!(json.get(digits), Some(b',' | b'}'));
    let number = || json[..digits].iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    is_one.then(|| (number(), &json[digits..]))
}

/// What stands behind a number or a text that nobody asks for.
fn passed(json: &[u8]) -> Option<&[u8]> {
    if let Some((_, behind)) = text(json) {
        return Some(behind);
    }
    let end = json.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e'))?;
    (end > 0).then(|| &json[end..])
}

/// What stands behind an object of numbers.
fn passed_object(json: &[u8]) -> Option<&[u8]> {
    let mut rest = json.strip_prefix(b"{")?;
    loop {
        let (_, behind) = text(rest)?;
        let behind = passed(behind.strip_prefix(b":")?)?;
        match behind.strip_prefix(b"}") {
            Some(behind) => return Some(behind),
            None => rest = behind.strip_prefix(b",")?,
        }
    }
}

impl ZoneForecast<'_> {
    /// The quantiles 10, 50 and 90 %.
    pub fn quantiles(&self) -> Option<[f64; 3]> {
        let number = |text: &RawValue| text.get().parse().ok();
        Some([number(self.q10)?, number(self.q50)?, number(self.q90)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zones_are_read_whatever_their_names_hold() {
        let text = r#"{"venue":"a\"kind\":\"link","kind":"zone","zone":"zö","event_time":60,"from":0,"revision":0,"in":3,"forecast":[{"h_s":60,"q10":1.0,"q50":2.5,"q90":4.0,"what":"in"}],"model":"fallback"}"#;
        let record = ZoneRecord::read(text.as_bytes()).unwrap();
        assert_eq!((&*record.venue, &*record.zone, record.inwards, record.out), ("a\"kind\":\"link", "zö", Some(3.0), None));
        assert_eq!(record.forecast[0].quantiles(), Some([1.0, 2.5, 4.0]));
        assert!(ZoneRecord::read(text.replace(r#""kind":"zone""#, r#""kind":"link""#).as_bytes()).is_none());
        assert!(ZoneRecord::read(b"{}").is_none());
    }

    #[test]
    fn the_plain_reader_says_what_the_general_one_says_or_nothing() {
        let record = r#"{"v":1,"venue":"big","kind":"zone","zone":"zö","event_time":1704067500000,"watermark":1704067500000,"coverage":0.5,"revision":2,"from":1704067200000,"to":1704067500000,"in":48,"count":9,"age_s":{"sensors":0.001,"tickets":1e-7}}"#;
        let told = |record: Option<ZoneRecord<'_>>| record.map(|record| format!("{record:?}"));
        let general = |text: &str| serde_json::from_slice::<ZoneRecord<'_>>(text.as_bytes()).map(|record| format!("{record:?}"));
        assert_eq!(told(plain(record.as_bytes())), general(record).ok());
        assert!(plain(record.as_bytes()).is_some());
        let others = [
            ("big", "b\\u0041"),
            ("\"in\":48", "\"in\":48.5"),
            ("\"in\":48", "\"in\":-48"),
            ("\"in\":48", "\"in\":048"),
            ("\"in\":48", "\"in\":1,\"in\":2"),
            ("\"in\":48", "\"in\":12345678901234567"),
            ("\"in\":48", "\"forecast\":[]"),
            ("\"in\":48", "\"occupancy\":{\"v\":1.0}"),
            ("\"zone\":\"zö\",", ""),
            ("}}", "}"),
            ("}}", "}} "),
            (":", ": "),
        ];
        for (part, other) in others {
            let text = record.replace(part, other);
            assert_ne!(text, record);
            assert!(plain(text.as_bytes()).is_none(), "{text}");
        }
        for end in 0..record.len() {
            assert!(plain(&record.as_bytes()[..end]).is_none(), "cut at {end}");
        }
    }
}

//! What the readers of a run want of a zone's record of `midan.zones`, read once for all of them.
//!
//! The idea: a replay publishes several records for each row of its table, and most of them (links, gates) interest nobody here. So a record is looked at before it is
//! parsed, ids are borrowed, and quantiles stay the text that they are until somebody computes with them.

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
        serde_json::from_slice(value).ok()
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
}

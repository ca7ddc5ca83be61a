//! The end of a place's record: forecast, model and score, written as JSON text straight from the outlooks.
//!
//! The idea: nine tenths of a pane's bytes are forecasts, the same few names over and over with three numbers between them. So this part is not described to a general
//! serializer field by field; the rest of the record is, and this is put behind it. The numbers are written by serde_json as everywhere, so the bytes are the same.

use crate::forecast::{Horizon, Outlook};

/// What stands at the end of a record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail<'a> {
    /// The flows of the zone.
    pub(super) flows: &'a [Outlook],
    /// Its head count, by horizon.
    pub(super) heads: &'a [Horizon],
    /// Who spoke, as JSON.
    pub(super) model: Option<&'a [u8]>,
    /// The calibrated anomaly score.
    pub(super) score: Option<f64>,
}

impl Tail<'_> {
    /// Whether nothing is forecast.
    pub(super) fn forecasts_nothing(&self) -> bool {
        self.heads.is_empty() && self.flows.iter().all(|outlook| outlook.horizons.is_empty())
    }

    /// Puts itself into the JSON object that `text` ends with, behind its last field.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        text.pop_if(|last| *last == b'}');
        if !self.forecasts_nothing() {
            text.extend_from_slice(b",\"forecast\":[");
            for outlook in self.flows {
                write_horizons(&outlook.horizons, outlook.series.kind.word(), text);
            }
            write_horizons(self.heads, "occupancy", text);
            text.pop_if(|last| *last == b',');
            text.push(b']');
        }
        if let Some(model) = self.model {
            text.extend_from_slice(b",\"model\":");
            text.extend_from_slice(model);
        }
        if let Some(score) = self.score {
            text.extend_from_slice(b",\"score\":");
            write_number(score, text);
        }
        text.push(b'}');
    }
}

/// Each horizon with a comma behind it; `what` is a word without anything to be escaped.
fn write_horizons(horizons: &[Horizon], what: &str, text: &mut Vec<u8>) {
    for Horizon { h_s, q10, q50, q90, .. } in horizons {
        text.extend_from_slice(b"{\"h_s\":");
        write_number(*h_s, text);
        text.extend_from_slice(b",\"q10\":");
        write_number(*q10, text);
        text.extend_from_slice(b",\"q50\":");
        write_number(*q50, text);
        text.extend_from_slice(b",\"q90\":");
        write_number(*q90, text);
        text.extend_from_slice(b",\"what\":\"");
        text.extend_from_slice(what.as_bytes());
        text.extend_from_slice(b"\"},");
    }
}

fn write_number(number: impl serde::Serialize, text: &mut Vec<u8>) {
    // Writing a number to memory cannot fail.
    let _ = serde_json::to_writer(text, &number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::{Series, SeriesKind};
    use crate::venue::ZoneId;
    use serde_json::{Value, json};

    fn horizons(times: u32) -> Vec<Horizon> {
        (1..=times).map(|n| Horizon { h_s: 300 * n, q10: 0.0, q50: 1.25 * f64::from(n), q90: 1e21, expected: 0.0 }).collect()
    }

    fn outlook(kind: SeriesKind, horizons: Vec<Horizon>) -> Outlook {
        let series = Series { zone: ZoneId(0), kind };
        Outlook { horizons, by_model: true, ..Outlook::silent(series) }
    }

    fn written(tail: &Tail<'_>) -> String {
        let mut text = b"{\"v\":1}".to_vec();
        tail.write(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn it_is_what_a_serializer_would_write() {
        let flows = [outlook(SeriesKind::In, horizons(2)), outlook(SeriesKind::Out, horizons(1))];
        let (heads, model) = (horizons(1), br#"{"name":"m"}"#);
        let entries = [(&flows[0].horizons, "in"), (&flows[1].horizons, "out"), (&heads, "occupancy")];
        let entry = |horizon: &Horizon, what| format!("{},\"what\":\"{what}\"}}", serde_json::to_string(horizon).unwrap().trim_end_matches('}'));
        let forecast: Vec<String> = entries.iter().flat_map(|(horizons, what)| horizons.iter().map(|horizon| entry(horizon, *what))).collect();
        let expected = format!("{{\"v\":1,\"forecast\":[{}],\"model\":{{\"name\":\"m\"}},\"score\":0.25}}", forecast.join(","));
        assert_eq!(written(&Tail { flows: &flows, heads: &heads, model: Some(model), score: Some(0.25) }), expected);
    }

    #[test]
    fn what_there_is_not_is_left_out() {
        assert_eq!(written(&Tail::default()), "{\"v\":1}");
        let silent = [outlook(SeriesKind::In, vec![])];
        assert_eq!(written(&Tail { flows: &silent, ..Tail::default() }), "{\"v\":1}");
        let not_finite = Tail { score: Some(f64::NAN), ..Tail::default() };
        assert_eq!(serde_json::from_str::<Value>(&written(&not_finite)).unwrap(), json!({"v": 1, "score": null}));
    }
}

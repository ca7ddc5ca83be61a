//! How the words of flow models hold against what came, read off the requests alone.
//!
//! The idea: a row of `midan-features-2` tells the plain forecast, its unit and the newest step (docs/FEATURES.md). So whoever sees the requests can turn a model's words into
//! persons, wait a step, and read in the next request what came. A model that only listens (a shadow) is measured like this beside the one that speaks, without the core knowing of
//! it. Only the next step is measured; what is kept is gone with the process.

use super::ask::{Ask, FLOW_FEATURES, HORIZONS, QUANTILES};
use super::flow_row::{self, COS, NEWEST, SCALE, SIN, STEP};
use crate::time::{EventTime, Span};
use crate::venue::VenueId;
use std::collections::BTreeMap;

/// The plain forecast of the next step.
const PLAIN: usize = flow_row::PLAIN.start;

/// Who is measured: the plain forecast without any model, the model that speaks, the shadow.
pub const VOICES: [&str; 3] = ["plain", "flow", "shadow"];

/// What is waited for, by venue.
#[derive(Clone, Debug, Default)]
pub struct Track {
    waiting: BTreeMap<VenueId, Issued>,
}

#[derive(Clone, Debug)]
struct Issued {
    due: EventTime,
    /// By row, the quantiles of each voice, persons.
    said: Vec<[Option<[f64; QUANTILES]>; VOICES.len()]>,
}

/// What one step added to a voice's record. Only cases in which all who speak at that pane were heard are counted, so that the sums can be compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Series whose next step came.
    pub cases: u64,
    /// Sum of the distances between the median and what came, persons.
    pub error: f64,
    /// How often what came lay within the 10 % and 90 % quantiles, bounds included.
    pub inside: u64,
}

impl Track {
    /// Hears a request and what the model that speaks and the shadow said to it. Answers what came of the words that were due at its pane, by voice; `None` where none were.
    pub fn hear(&mut self, ask: &Ask, flow: Option<&[f32]>, shadow: Option<&[f32]>) -> Option<[Option<Score>; VOICES.len()]> {
        let (venue, pane) = (ask.ticket.venue, ask.ticket.pane);
        let scores = self.waiting.remove(&venue).and_then(|issued| {
            let is_still_due = issued.due > pane && step_of(ask).is_none_or(|step| issued.due <= pane.after(step));
            // What lies further ahead was said before the venue's time began again elsewhere.
            if is_still_due {
                self.waiting.insert(venue, issued);
                return None;
            }
            // Words whose pane was passed over are not judged by another.
            (issued.due == pane).then(|| issued.judge(ask))
        });
        if let Some(step) = step_of(ask).filter(|_| !self.waiting.contains_key(&venue)) {
            let said = rows(ask).enumerate().map(|(place, row)| said(row, place, [flow, shadow])).collect();
            self.waiting.insert(venue, Issued { due: pane.after(step), said });
        }
        scores
    }
}

impl Issued {
    fn judge(&self, ask: &Ask) -> [Option<Score>; VOICES.len()] {
        let mut scores = [None; VOICES.len()];
        for (row, said) in rows(ask).zip(&self.said) {
            // A gap is no count, and stands as −1.
            if row[NEWEST] < 0.0 {
                continue;
            }
            let came = persons(row[NEWEST]);
            for (score, said) in scores.iter_mut().zip(said) {
                let Some([low, median, high]) = said else { continue };
                let score = score.get_or_insert_with(Score::default);
                score.cases += 1;
                score.error += (median - came).abs();
                score.inside += u64::from((*low..=*high).contains(&came));
            }
        }
        scores
    }
}

/// The rows that are a series: padding has no time of day.
pub(super) fn rows(ask: &Ask) -> impl Iterator<Item = &[f32]> {
    ask.flow.chunks_exact(FLOW_FEATURES).filter(|row| row[SIN] != 0.0 || row[COS] != 0.0)
}

/// The length of a step, as the rows tell it.
pub(super) fn step_of(ask: &Ask) -> Option<Span> {
    let seconds = 300.0 * libm::exp(f64::from(rows(ask).next()?[STEP]));
    Some(Span::from_secs(libm::round(seconds) as u64))
}

/// Persons whose ln(x + 1) stands in a column; a half is lost in 32 bits only beyond a million.
fn persons(logarithm: f32) -> f64 {
    let persons = libm::exp(f64::from(logarithm)) - 1.0;
    libm::round(persons * 1_000.0) / 1_000.0
}

fn said(row: &[f32], place: usize, models: [Option<&[f32]>; 2]) -> [Option<[f64; QUANTILES]>; VOICES.len()] {
    if row[PLAIN] < 0.0 {
        return [None; VOICES.len()];
    }
    let plain = persons(row[PLAIN]);
    let unit = libm::exp(f64::from(row[SCALE])) * (plain + 1.0).sqrt();
    let of = |model: &[f32]| {
        let words = model.get(place * HORIZONS * QUANTILES..)?.first_chunk::<QUANTILES>()?;
        Some(words.map(|word| (plain + unit * f64::from(word)).max(0.0)))
    };
    // The plain forecast has no band; its own share inside is that of hits.
    let said = [Some([plain; QUANTILES]), models[0].and_then(of), models[1].and_then(of)];
    let all_heard = models.iter().zip(&said[1..]).all(|(model, said)| model.is_none() || said.is_some());
    if all_heard { said } else { [None; VOICES.len()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::ask::{FEATURES, Ticket};
    use std::sync::Arc;

    /// A request of three series and padding: plain forecasts of 99 persons, a scale of 1, so a unit of ten; the newest counts as given.
    fn ask(pane_s: i64, newest: [Option<u32>; 3]) -> Ask {
        let mut flow = vec![0.0f32; 16 * FLOW_FEATURES];
        for (row, newest) in flow.chunks_exact_mut(FLOW_FEATURES).zip(newest) {
            row[PLAIN] = 100.0f32.ln();
            row[NEWEST] = newest.map_or(-1.0, |newest| (newest as f32 + 1.0).ln());
            row[COS] = 1.0;
        }
        let ticket = Ticket { venue: VenueId(0), pane: EventTime::from_millis(pane_s * 1_000) };
        Ask { ticket, rows: 16, features: Arc::new(vec![0.0; 16 * FEATURES]), flow: Arc::new(flow), calls: Default::default() }
    }

    fn says(quantiles: [f32; QUANTILES]) -> Vec<f32> {
        quantiles.repeat(16 * HORIZONS)
    }

    #[test]
    fn the_next_step_tells_who_was_right() {
        let (flow, shadow) = (says([-1.0, 0.5, 1.0]), says([0.0, 1.0, 2.0]));
        let mut track = Track::default();
        assert_eq!(track.hear(&ask(0, [Some(5); 3]), Some(&flow), Some(&shadow)), None, "nothing was due");
        assert_eq!(track.hear(&ask(10, [Some(7); 3]), Some(&flow), Some(&shadow)), None, "the step is five minutes");
        let [plain, flow, shadow] = track.hear(&ask(300, [Some(109), Some(129), None]), None, None).unwrap().map(Option::unwrap);
        assert_eq!((plain.cases, flow.cases, shadow.cases), (2, 2, 2), "a gap is no case");
        let near = |score: Score, error: f64| (score.error - error).abs() < 0.01;
        assert!(near(plain, 40.0) && near(flow, 30.0) && near(shadow, 20.0), "{plain:?} {flow:?} {shadow:?}");
        assert_eq!((flow.inside, shadow.inside), (1, 1));
    }

    #[test]
    fn who_was_silent_has_no_record() {
        let shadow = says([0.0, 1.0, 2.0]);
        let mut track = Track::default();
        track.hear(&ask(0, [Some(5); 3]), None, Some(&shadow));
        let [plain, flow, shadow] = track.hear(&ask(300, [Some(109); 3]), None, None).unwrap();
        assert!(plain.is_some() && flow.is_none() && shadow.is_some());
    }

    #[test]
    fn a_pane_that_never_came_is_not_judged_by_another() {
        let flow = says([0.0; 3]);
        let mut track = Track::default();
        track.hear(&ask(0, [Some(5); 3]), Some(&flow), None);
        assert_eq!(track.hear(&ask(310, [Some(500); 3]), Some(&flow), None), None);
        assert!(track.hear(&ask(610, [Some(500); 3]), Some(&flow), None).is_some(), "and it goes on from there");
    }
}

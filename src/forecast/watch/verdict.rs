//! One zone under watch, over all its series and both directions: an event is one finding, from when it stands out until it has been quiet, and what lasts is no event but the new usual.
//!
//! ```text
//!   quiet ──(a score ≥ threshold)──► found ──(short windows quiet for the off-time)──► quiet, windows restart
//!     └──────────────────────────────────┴──(the last day is off, and has been for long)──► new regime: the usual is scaled to the last day, until it has caught up
//! ```
//!
//! What creeps in is found by no window, for the pace follows it: a new regime that the zone's own findings have not told is told as soon as its last day stands out, once for all zones of a group.
//!
//! A lockdown is quiet every night and off again every morning: while the last day as a whole is off, what stands out in the same direction is still the same finding.

use super::budget::strength;
use super::deviation::{Deviation, Directed};
use super::joint::{Twofold, Voice, joined};
use super::scan::{Evidence, Scan, Seen, Window};
use super::settings::Settings;
use crate::time::{EventTime, Span};
use serde::{Deserialize, Serialize};

/// After so long below the bar an episode of a group's scores is over, and so long after an event its neighbours tell no new one.
pub(super) const EPISODE_APART: Span = Span::from_mins(120);
/// A finding that could not be judged for so long is closed.
const UNJUDGED: Span = Span::from_mins(240);
/// The last day is off when a series is further from the usual than this, as a logarithm: by a factor of 1.65.
const OFF: f64 = 0.5;
/// A regime has been caught up with when no series is further from the usual than this share of what is off.
const CAUGHT_UP: f64 = 0.5;
/// A new regime lasts for so long at least.
const A_DAY: Span = Span::from_mins(24 * 60);
/// For so long after a finding the same direction is the same finding, while the last day is off.
const SAME_FINDING: Span = Span::from_mins(24 * 60);
/// A new regime that no finding has told is told where the last day as a whole is off by this, z.
const STANDS_OUT: f64 = 2.5;
/// All places together are off now where the short windows are by this, z.
const STILL_OFF: f64 = 1.0;
/// So long after one was told the same direction is the same change, of the zone and of its neighbours: a town does not shut its doors at once, and its Sundays are learnt last.
pub(super) const SAME_REGIME: Span = Span::from_mins(28 * 24 * 60);
/// A change that came so much later than a neighbour's is the same one only where it is one of many.
pub(super) const AT_ONCE: Span = Span::from_mins(48 * 60);
/// After so long without a judged step nobody knows what is usual now: a new regime begins, and lasts for a day at least.
const LONG_GAP: Span = Span::from_mins(28 * 24 * 60);
/// A regime is given up as an explanation after so long.
const LONGEST_REGIME: Span = Span::from_mins(21 * 24 * 60);

/// What is said of a zone after its newest complete step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Position of the series that speaks among the zone's own.
    pub speaker: usize,
    /// The normal score that stands out furthest against its threshold, over windows, series and directions.
    pub score: f64,
    /// The score from which there is a finding.
    pub threshold: f64,
    /// Whether the score reaches it.
    pub exceeds: bool,
    /// Whether a finding is open and still holds.
    pub holds: bool,
    /// In which way it stands out.
    pub deviation: Deviation,
    /// Whose score it is: asked for in the step that is judged, and by nobody later.
    #[serde(skip)]
    pub voice: Voice,
    /// Start of the window that speaks.
    pub from: EventTime,
    /// Persons that came in it.
    pub came: f64,
    /// Persons that were expected in it.
    pub expected: f64,
    /// The expected share of quiet steps with a higher score.
    pub share_above: f64,
}

/// The watch over one zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ZoneWatch {
    /// By series of the zone; the last is the sum of both directions, where there are both.
    scans: Vec<Scan>,
    /// Whether it is all places together.
    is_whole: bool,
    /// When what is usual was last unknown, after a long gap.
    returned_at: Option<EventTime>,
    finding: Option<Open>,
    /// The last finding.
    last: Option<Closed>,
    /// While the last day is off.
    off: Option<Off>,
    /// The newest step that was judged.
    judged_at: Option<EventTime>,
    /// What has lasted to be otherwise than usual.
    regime_since: Option<EventTime>,
    /// The last lasting change that was a finding of its own.
    told: Option<Told>,
    verdict: Option<Verdict>,
}

/// The last day is off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Off {
    /// Since then.
    since: EventTime,
    /// For so long, s: a step counts by what is usual of it, so that a night in which nobody is expected proves nothing, and a day is a day.
    lasted_s: f64,
}

/// A lasting change that was a finding of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// In which way it is off.
    pub deviation: Deviation,
    /// When it was told.
    pub at: EventTime,
}

/// An open finding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    deviation: Deviation,
    opened_at: EventTime,
    quiet_since: Option<EventTime>,
    judged_at: EventTime,
    /// Whether it is part of what another has already told.
    joined: Option<Teller>,
}

/// A finding that was closed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Closed {
    deviation: Deviation,
    at: EventTime,
}

/// An open finding as its neighbours see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opened {
    /// In which way it stands out.
    pub deviation: Deviation,
    /// When it opened.
    pub at: EventTime,
}

/// Who has told what a finding is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Teller {
    /// Another zone of the group.
    Neighbour,
    /// All places together, while they stand out themselves and this one no further.
    Whole,
}

impl Open {
    fn at(end: EventTime, deviation: Deviation) -> Self {
        Self { deviation, opened_at: end, quiet_since: None, judged_at: end, joined: None }
    }
}

/// The window of one series that speaks for the zone.
#[derive(Clone, Copy, Debug)]
struct Said {
    speaker: usize,
    window: Window,
    deviation: Deviation,
    score: f64,
}

impl ZoneWatch {
    /// A watch over so many series, of which the first two are both directions when `summed`.
    pub fn new(series: usize, summed: bool) -> Self {
        Self { scans: vec![Scan::default(); series + usize::from(summed)], ..Self::default() }
    }

    /// A watch over all places together, by their sums.
    pub fn of_whole(series: usize, summed: bool) -> Self {
        let mut watch = Self { is_whole: true, ..Self::new(series, summed) };
        watch.scans.iter_mut().for_each(Scan::be_of_whole);
        watch
    }

    /// How many series it watches, the sum included.
    pub fn scans(&self) -> usize {
        self.scans.len()
    }

    /// What was said after the newest complete step; `None` where it could not be judged.
    pub const fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Whether a finding is open; it may be quiet for the moment.
    pub const fn is_open(&self) -> bool {
        self.finding.is_some()
    }

    /// The open finding.
    pub fn opened(&self) -> Option<Opened> {
        self.finding.map(|open| Opened { deviation: open.deviation, at: open.opened_at })
    }

    /// The last lasting change that was a finding of its own.
    pub const fn told(&self) -> Option<Told> {
        self.told
    }

    /// In which way a new regime is off that has not become the usual yet.
    pub fn regime(&self) -> Option<Deviation> {
        let offs = self.scans.iter().map(|scan| libm::log(scan.regime_ratio()));
        let furthest = offs.reduce(|most, next| if next.abs() > most.abs() { next } else { most });
        furthest.filter(|_| self.regime_since.is_some()).map(Deviation::of)
    }

    /// Who has told what the open finding is a part of.
    pub fn joined(&self) -> Option<Teller> {
        self.finding.and_then(|open| open.joined)
    }

    /// The open finding is no longer a part of what another has told: if it goes on, it is told from the next step on.
    pub fn speak_for_itself(&mut self) {
        if let Some(open) = &mut self.finding {
            open.joined = None;
        }
    }

    /// What came in the last hour, or since the last person did, against what was usual of it.
    pub fn times_usual(&self, step: Span) -> f64 {
        let speaker = self.verdict.map_or(0, |verdict| verdict.speaker);
        self.scans.get(speaker).map_or(1.0, |scan| scan.times_usual(step))
    }

    /// When it was judged last.
    pub const fn judged_at(&self) -> Option<EventTime> {
        self.judged_at
    }

    /// The open finding is part of what another has told, and is not told again.
    pub fn join(&mut self, teller: Teller) {
        if let Some(open) = &mut self.finding {
            open.joined = Some(teller);
            // Who was not heard silences nobody.
            self.told = self.told.filter(|told| told.at != open.opened_at);
        }
        if let Some(verdict) = &mut self.verdict {
            (verdict.exceeds, verdict.holds) = (false, false);
        }
    }

    /// Sets the share of quiet steps with a higher score.
    pub fn set_share(&mut self, share_above: f64) {
        if let Some(verdict) = &mut self.verdict {
            verdict.share_above = share_above;
        }
    }

    /// Takes in the step that ended at `end`, one [`Seen`] per series; the threshold is that of the direction and the score that speaks. Returns the strengths (z²/2) of the scores, 0 where an
    /// open finding has told of them before; `None` where nothing could be judged.
    pub fn take(&mut self, seen: &[Seen], end: EventTime, step: Span, thresholds: Directed<Twofold>, settings: &Settings) -> Option<Directed<Twofold>> {
        if seen.iter().any(|seen| seen.is_judged(settings.min_days)) {
            self.end_gap(end);
        }
        let summed = (self.scans.len() > seen.len()).then(|| sum(seen));
        let (in_finding, new_regime) = (self.finding.is_some(), self.regime_since.is_some());
        let all = || seen.iter().chain(&summed);
        let alone: Vec<Option<Evidence>> =
            self.scans.iter_mut().zip(all()).map(|(scan, seen)| scan.take(seen, step, settings.min_days, in_finding, new_regime)).collect();
        let with_learnt = with_learnt(&alone, all(), settings.learnt);
        let evidence = with_learnt.as_ref().unwrap_or(&alone);
        let voice = if with_learnt.is_some() { Voice::Joint } else { Voice::Alone };
        let thresholds = thresholds.map(|of| of.of(voice));
        let Some(mut said) = most_unusual(evidence, thresholds) else {
            self.verdict = None;
            self.pass_unjudged(end);
            return None;
        };
        self.open_or_close(evidence, &said, end, step, thresholds, settings);
        if let Some(regime) = self.follow_regime(&alone, end, step, settings) {
            // It lies in no window that is held against a threshold, so it is told as what just reaches it.
            said = Said { score: thresholds.of(regime.deviation), ..regime };
        }
        let Said { speaker, window, deviation, score } = said;
        let threshold = thresholds.of(deviation);
        let holds = self.finding.is_some_and(|open| open.quiet_since.is_none() && open.joined.is_none());
        self.verdict = Some(Verdict {
            // The sum speaks through the series that is itself further off.
            speaker: if speaker < seen.len() { speaker } else { further_off(&evidence[..seen.len()], deviation) },
            score,
            threshold,
            exceeds: score >= threshold && holds,
            holds,
            deviation,
            voice,
            from: end.before(step.times(window.steps as u64)),
            came: window.came,
            expected: window.expected,
            share_above: 1.0,
        });
        let is_told = self.finding.is_some_and(|open| end.since(open.opened_at) > EPISODE_APART);
        let new = |evidence: &[Option<Evidence>]| highest(evidence).map(|score| if is_told { 0.0 } else { strength(score) });
        let joint = with_learnt.as_deref().map(new).map_or(Directed::default(), |joint| joint.map(Some));
        Some(new(&alone).with(joint, |alone, joint| Twofold { alone, joint }))
    }

    fn open_or_close(&mut self, evidence: &[Option<Evidence>], said: &Said, end: EventTime, step: Span, thresholds: Directed<f64>, settings: &Settings) {
        let exceeds = said.score >= thresholds.of(said.deviation);
        let Some(open) = &mut self.finding else {
            let is_the_same = |last: Closed| last.deviation == said.deviation && end.since(last.at) < SAME_FINDING;
            if exceeds && !(self.off.is_some() && self.last.is_some_and(is_the_same)) {
                self.finding = Some(Open::at(end, said.deviation));
            }
            return;
        };
        open.judged_at = end;
        let holds = holding(evidence, open.deviation) >= settings.hold * thresholds.of(open.deviation);
        open.quiet_since = if holds { None } else { open.quiet_since.or(Some(end)) };
        let is_over = open.quiet_since.is_some_and(|since| end.since(since) >= settings.off.max(step));
        // Who flees is missing next: the other direction does not wait until the first has been quiet for long.
        let turns = open.quiet_since.is_some() && said.deviation != open.deviation && exceeds;
        if is_over || turns {
            self.close(end);
        }
        if turns {
            self.finding = Some(Open::at(end, said.deviation));
        }
    }

    fn close(&mut self, end: EventTime) {
        let closed = self.finding.take().map(|open| Closed { deviation: open.deviation, at: end });
        self.last = closed.or(self.last);
        self.scans.iter_mut().for_each(|scan| scan.restart(closed.map(|closed| closed.deviation)));
    }

    /// A new regime begins when the last day has been off for long, and ends when what is usual has caught up with it. Returns the last day where that is told now.
    fn follow_regime(&mut self, judged: &[Option<Evidence>], end: EventTime, step: Span, settings: &Settings) -> Option<Said> {
        let offs = self.scans.iter().map(|scan| self.how_far_off(scan, step)).enumerate();
        let (speaker, how_far) =
            offs.zip(judged).filter_map(|(off, judged)| judged.and(Some(off))).reduce(|most, next| if next.1.abs() > most.1.abs() { next } else { most })?;
        let is_off = how_far.abs() > 1.0;
        match self.regime_since {
            None if is_off => {
                let off = self.off.get_or_insert(Off { since: end, lasted_s: 0.0 });
                // The last day of all together is off for long after an odd one: only what is off now too lasts.
                if !self.is_whole || holding(judged, Deviation::of(how_far)) >= STILL_OFF {
                    off.lasted_s += step.as_secs_f64() * self.scans[speaker].share_of_day();
                }
                if off.lasted_s >= settings.regime.as_secs_f64() {
                    self.regime_since = Some(end);
                    if self.finding.is_some_and(|open| open.opened_at < end) {
                        self.close(end);
                    }
                }
            }
            Some(since) if how_far.abs() <= CAUGHT_UP && end.since(since) >= A_DAY || end.since(since) >= LONGEST_REGIME => {
                (self.regime_since, self.off) = (None, None);
            }
            None => self.off = None,
            Some(_) => {}
        }
        let off = self.off.filter(|_| is_off && self.regime_since.is_some() && self.finding.is_none())?;
        self.tell_regime(end, off.since, (speaker, Deviation::of(how_far)), step, settings)
    }

    /// How far the last day is off, against what counts as off: a place by a factor, all together by how far days are ever off, for they never are by so much.
    fn how_far_off(&self, scan: &Scan, step: Span) -> f64 {
        if self.is_whole { scan.last_day(step).score / STANDS_OUT } else { libm::log(scan.regime_ratio()) / OFF }
    }

    /// A regime that nothing has told is a finding as soon as the last day stands out.
    fn tell_regime(&mut self, end: EventTime, off_since: EventTime, (speaker, deviation): (usize, Deviation), step: Span, settings: &Settings) -> Option<Said> {
        let by_finding = self.last.is_some_and(|last| last.deviation == deviation && last.at >= off_since.before(SAME_FINDING));
        // Sundays catch up last: they are the same change still.
        let by_regime = self.told.is_some_and(|told| told.deviation == deviation && end.since(told.at) <= SAME_REGIME)
            || self.returned_at.is_some_and(|at| end.since(at) <= SAME_REGIME);
        let is_wanted = settings.budget().of(deviation) > 0.0;
        let day = self.scans[speaker].last_day(step);
        let score = deviation.along(day.score);
        if by_finding || by_regime || !is_wanted || score < STANDS_OUT {
            return None;
        }
        self.told = Some(Told { deviation, at: end });
        self.finding = Some(Open::at(end, deviation));
        Some(Said { speaker, window: day, deviation, score })
    }

    /// After a gap nobody knows whether what was off is so still: the next day will tell; and after a long one not even what is usual.
    fn end_gap(&mut self, end: EventTime) {
        let Some(before) = self.judged_at.replace(end) else { return };
        if end.since(before) > LONG_GAP {
            (self.regime_since, self.off, self.returned_at) = (Some(end), None, Some(end));
            self.scans.iter_mut().for_each(Scan::begin_regime);
        } else if self.regime_since.is_none() && end.since(before) > SAME_FINDING {
            self.off = None;
        }
    }

    fn pass_unjudged(&mut self, end: EventTime) {
        if let Some(open) = &mut self.finding {
            open.quiet_since = None;
            if end.since(open.judged_at) >= UNJUDGED {
                self.close(end);
            }
        }
    }
}

/// The evidence with what the learnt score says of each series; `None` where it says nothing of any.
fn with_learnt<'a>(alone: &[Option<Evidence>], seen: impl Iterator<Item = &'a Seen>, weight: f64) -> Option<Vec<Option<Evidence>>> {
    let mut has_spoken = false;
    let mut of_series = |(evidence, seen): (&Option<Evidence>, &Seen)| match (evidence, seen.learnt) {
        (Some(evidence), Some(share)) => {
            has_spoken = true;
            Some(joined(evidence, share, weight))
        }
        (evidence, _) => *evidence,
    };
    let joined = alone.iter().zip(seen).map(&mut of_series).collect();
    has_spoken.then_some(joined)
}

/// Both directions together.
fn sum(seen: &[Seen]) -> Seen {
    let [a, b] = [seen[0], seen[1]];
    let occasion = match (a.occasion, b.occasion) {
        (Some((a, doubt_a)), Some((b, doubt_b))) => Some((a + b, doubt_a + doubt_b)),
        (one, other) => one.or(other),
    };
    Seen {
        came: a.came.zip(b.came).map(|(a, b)| a + b),
        usual: a.usual.zip(b.usual).map(|((a, days_a), (b, days_b))| (a + b, days_a.min(days_b))),
        weekday: a.weekday.zip(b.weekday).map(|(a, b)| a + b),
        occasion,
        // The model sees no sum; the rarer of its two words stands for it.
        learnt: a.learnt.zip(b.learnt).map(|(a, b)| a.min(b)),
    }
}

/// What stands out furthest against the threshold of its direction.
fn most_unusual(evidence: &[Option<Evidence>], thresholds: Directed<f64>) -> Option<Said> {
    let against = |said: &Said| said.score / thresholds.of(said.deviation);
    let further = |most: Said, next: Said| if against(&next) > against(&most) { next } else { most };
    let of_series = |(speaker, evidence): (usize, &Option<Evidence>)| {
        let Evidence { high, low, .. } = (*evidence)?;
        Some(further(
            Said { speaker, window: high, deviation: Deviation::Surge, score: high.score },
            Said { speaker, window: low, deviation: Deviation::Shortfall, score: -low.score },
        ))
    };
    evidence.iter().enumerate().filter_map(of_series).reduce(further)
}

/// The highest score of any series in each direction.
fn highest(evidence: &[Option<Evidence>]) -> Directed<f64> {
    let most = |score: fn(&Evidence) -> f64| evidence.iter().flatten().map(score).fold(f64::NEG_INFINITY, f64::max);
    Directed { surge: most(|evidence| evidence.high.score), shortfall: most(|evidence| -evidence.low.score) }
}

/// How far the short windows still are off in the direction of the finding.
fn holding(evidence: &[Option<Evidence>], deviation: Deviation) -> f64 {
    let of_series = |evidence: &Evidence| Directed { surge: evidence.holds_high, shortfall: -evidence.holds_low }.of(deviation);
    evidence.iter().flatten().map(of_series).fold(f64::NEG_INFINITY, f64::max)
}

fn further_off(evidence: &[Option<Evidence>], deviation: Deviation) -> usize {
    let far = |evidence: Evidence| Directed { surge: evidence.high.score, shortfall: -evidence.low.score }.of(deviation);
    let of_series = |evidence: &Option<Evidence>| evidence.map_or(f64::NEG_INFINITY, far);
    let furthest = evidence.iter().map(of_series).enumerate().reduce(|most, next| if next.1 > most.1 { next } else { most });
    furthest.map_or(0, |(series, _)| series)
}

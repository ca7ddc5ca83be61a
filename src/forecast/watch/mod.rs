//! The watch: what came is held against what was usual, and what stands out is said once.
//!
//! The idea: an operator has a budget of false alarms, not a threshold. So a zone's counts become normal scores ([`law`], [`spread`], [`scan`]), the most unusual of which speaks ([`verdict`]), and
//! the threshold is learnt so that quiet times spend the budget ([`budget`]). Where a model has scored the same step, both speak together ([`joint`]); no model is needed. What the match calendar
//! expects is no surprise ([`occasion`]). The places of a table are watched together too ([`whole`]). It moves at the ends of steps; between them the last verdict stands.
//!
//! ```text
//!   Seen per series ─► Scan (windows) ─► ZoneWatch (one finding) ─► Verdict
//!                                            │ strongest    ▲ threshold
//!                                            └──► Budgets ──┘   one per zone group
//! ```

pub mod budget;
pub mod deviation;
pub mod joint;
pub mod law;
pub mod occasion;
pub mod scan;
pub mod settings;
pub mod spread;
pub mod verdict;
pub mod whole;

use super::calibration::Calibration;
use super::outlook::{Series, SeriesKind};
use crate::time::{EventTime, Span};
use crate::venue::Venue;
use deviation::Directed;
use joint::{Budgets, Twofold};
use occasion::Occasions;
pub use scan::Seen;
use settings::Settings;
use std::collections::BTreeMap;
pub use verdict::Verdict;
use verdict::{AT_ONCE, EPISODE_APART, Opened, SAME_REGIME, Teller, ZoneWatch};
use whole::{Whole, is_part};

/// A place that was not judged for so long is not missed in the whole.
const LATELY: Span = Span::from_mins(7 * 24 * 60);

/// A change is one of many where one in so many zones of the group is in it besides.
const MANY: usize = 3;

/// A week, s.
const WEEK_S: f64 = 604_800.0;

/// What thresholds mostly are, z: the histogram of scores is finest below it.
const ORDINARY_THRESHOLD: f64 = 5.0;

/// The watch over one venue.
#[derive(Debug)]
pub struct Watch {
    groups: Vec<Group>,
    zones: Vec<Zone>,
    /// What the places of a group are together, where that is watched.
    whole: Option<(Whole, Zone)>,
    scores: Calibration,
    occasions: Occasions,
    step: Span,
}

/// Zones that share a budget.
#[derive(Debug)]
struct Group {
    settings: Settings,
    /// Its first zone, by which its budgets are known: a zone keeps its place when others are grouped anew.
    first: usize,
    zones: usize,
    budgets: Budgets,
    /// Of the running step; `None` while none of the zones was judged.
    strongest: Option<Directed<Twofold>>,
}

/// A zone, and where its series stand among the venue's.
#[derive(Debug)]
struct Zone {
    group: usize,
    first: usize,
    series: usize,
    watch: ZoneWatch,
}

impl Watch {
    /// The watch over a venue's series, which stand by zone; `is_counted` says which of them this configuration has.
    pub fn new(venue: &Venue, series: &[Series], is_counted: &[bool]) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut by_profile: BTreeMap<&str, usize> = BTreeMap::new();
        let mut zones: Vec<Zone> = Vec::new();
        for of_zone in series.chunk_by(|a, b| a.zone == b.zone) {
            let Some(profile) = venue.zones.get(of_zone[0].zone.index()).map(|zone| &zone.profile) else { continue };
            let settings = Settings::of(profile);
            let blank = Group { settings, first: zones.len(), zones: 0, budgets: Budgets::default(), strongest: None };
            let group = match by_profile.get(&*profile.label).filter(|_| settings.is_shared) {
                Some(group) => *group,
                None => {
                    groups.push(blank);
                    by_profile.insert(&profile.label, groups.len() - 1);
                    groups.len() - 1
                }
            };
            let summed = of_zone.len() > 1 && (of_zone[0].kind, of_zone[1].kind) == (SeriesKind::In, SeriesKind::Out);
            let first = zones.last().map_or(0, |zone| zone.first + zone.series);
            groups[group].zones += usize::from(is_counted.iter().skip(first).take(of_zone.len()).any(|is_counted| *is_counted));
            zones.push(Zone { group, first, series: of_zone.len(), watch: ZoneWatch::new(of_zone.len(), summed) });
        }
        let whole = whole(venue, series, &groups, &zones);
        Self { groups, zones, whole, scores: Calibration::default(), occasions: Occasions::new(venue, series.len()), step: venue.step }
    }

    /// Goes on under another configuration of the same frame: thresholds and calendar are that one's, what was learnt stays.
    pub fn reload(&mut self, venue: &Venue, series: &[Series], is_counted: &[bool]) {
        let mut fresh = Self::new(venue, series, is_counted);
        let mut known: BTreeMap<usize, Group> = std::mem::take(&mut self.groups).into_iter().map(|group| (group.first, group)).collect();
        for group in &mut fresh.groups {
            if let Some(known) = known.remove(&group.first) {
                *group = Group { settings: group.settings, zones: group.zones, ..known };
            }
        }
        for (zone, known) in fresh.zones.iter_mut().zip(std::mem::take(&mut self.zones)) {
            zone.watch = known.watch;
        }
        if let Some((_, known)) = self.whole.take() {
            fresh.restore_whole(known.watch);
        }
        fresh.scores = std::mem::take(&mut self.scores);
        for (bin, learnt) in (0..).map_while(|bin| Some((bin, self.occasions.bin(bin)?.clone()))) {
            fresh.occasions.restore(bin, learnt);
        }
        *self = fresh;
    }

    /// Takes in the step that ended at `end`, one [`Seen`] per series in the venue's order; the calendar's part is filled in here.
    /// Returns the bin of the calendar's part that has learnt.
    pub fn take(&mut self, end: EventTime, seen: &mut [Seen]) -> Option<usize> {
        let learnt = self.occasions.explain(end.before(self.step), seen);
        for zone in &mut self.zones {
            let Some(of_zone) = seen.get(zone.first..zone.first + zone.series) else { continue };
            let group = &mut self.groups[zone.group];
            let strengths = zone.watch.take(of_zone, end, self.step, group.budgets.thresholds(), &group.settings);
            group.hear(strengths);
        }
        if let Some((whole, zone)) = &mut self.whole {
            let group = &mut self.groups[zone.group];
            let sums = whole.sums(seen, group.settings.min_days, |row| takes_part(&self.zones, row, end));
            let strengths = zone.watch.take(&sums, end, self.step, group.budgets.thresholds(), &group.settings);
            // No model sees the sum; where one speaks of the places, what all together show is spent of the same budget.
            let speaks = group.strongest.is_some_and(|strongest| strongest.surge.joint.is_some());
            group.hear(strengths.map(|of| of.map(|of| Twofold { joint: speaks.then_some(of.alone), ..of })));
        }
        self.join_neighbours(end);
        self.join_whole();
        for group in &mut self.groups {
            if let Some(strongest) = group.strongest.take() {
                group.budgets.pass(self.step.as_secs_f64() / WEEK_S, strongest, end, group.zones, group.settings.budget());
            }
        }
        self.share_out();
        learnt
    }

    /// One event is one finding: of the zones of a group that stand out in the same direction, the first tells it, of several at once the one that stands out most. Who
    /// follows within [`EPISODE_APART`] of the last one is part of it; so a zone that stands out for days silences no other event.
    fn join_neighbours(&mut self, end: EventTime) {
        let zones = &self.zones;
        // Who is part of the whole tells nothing, and so silences nobody.
        let told = |watch: &ZoneWatch| watch.opened().filter(|_| watch.joined() != Some(Teller::Whole));
        let opened: Vec<Option<(usize, Opened)>> = zones.iter().map(|zone| Some((zone.group, told(&zone.watch)?))).collect();
        let score = |zone: usize| zones[zone].watch.verdict().map_or(0.0, |verdict| verdict.score);
        let mut joined = Vec::new();
        for (zone, own) in opened.iter().enumerate() {
            let Some((group, Opened { deviation, at })) = *own else { continue };
            if at != end {
                continue;
            }
            let tells_before = |(other, of): (usize, &Option<(usize, Opened)>)| {
                of.is_some_and(|(its_group, its)| {
                    let is_one_event = its_group == group && its.deviation == deviation && end.since(its.at) <= EPISODE_APART;
                    is_one_event && other != zone && (its.at < end || (score(other), zone) > (score(zone), other))
                })
            };
            let is_told = |of: &Zone| of.watch.told().filter(|told| told.deviation == deviation && of.group == group);
            let tells_regime = is_told(&zones[zone]).is_some_and(|told| told.at == end);
            // A counter that dies two weeks after another is no part of what happened there; a town that shuts its doors takes days.
            let in_regime = zones.iter().filter(|of| of.group == group && of.watch.regime() == Some(deviation)).count();
            // Besides the one that told and the one that might.
            let of_many = MANY * in_regime.saturating_sub(2) >= self.groups[group].zones;
            let within = if of_many { SAME_REGIME } else { AT_ONCE };
            let has_told_it = |of: &Zone| is_told(of).is_some_and(|told| told.at < end && end.since(told.at) <= within);
            let is_part_of_regime = tells_regime && zones.iter().any(has_told_it);
            if is_part_of_regime || opened.iter().enumerate().any(tells_before) {
                joined.push(zone);
            }
        }
        joined.into_iter().for_each(|zone| self.zones[zone].watch.join(Teller::Neighbour));
    }

    /// While all places together stand out, a place that began no sooner and stands out no further is part of that; when they do no more, or it goes further, it speaks for itself.
    fn join_whole(&mut self) {
        let Some((_, whole)) = &self.whole else { return };
        let of_all = whole.watch.opened().zip(Some(whole.watch.times_usual(self.step)));
        for zone in self.zones.iter_mut().filter(|zone| zone.group == whole.group) {
            let Some(own) = zone.watch.opened() else { continue };
            let is_part = |(all, times): &(Opened, f64)| {
                let of_place = zone.watch.verdict().is_some_and(|place| place.deviation != own.deviation || is_part(place, *times));
                all.deviation == own.deviation && own.at >= all.at && of_place
            };
            match (of_all.as_ref().is_some_and(is_part), zone.watch.joined()) {
                (true, None) => zone.watch.join(Teller::Whole),
                (false, Some(Teller::Whole)) => zone.watch.speak_for_itself(),
                _ => {}
            }
        }
    }

    /// By zone that has series: its place among the series, and what is said of it.
    pub fn verdicts(&self) -> impl Iterator<Item = (usize, &Verdict)> {
        self.zones.iter().filter_map(|zone| zone.watch.verdict().map(|verdict| (zone.first + verdict.speaker, verdict)))
    }

    /// What is said of all places together, and of which way.
    pub fn of_all(&self) -> Option<(SeriesKind, &Verdict)> {
        let (whole, zone) = self.whole.as_ref()?;
        let verdict = zone.watch.verdict()?;
        Some((whole.kinds().nth(verdict.speaker)?, verdict))
    }

    /// How many zones are watched.
    pub const fn zones(&self) -> usize {
        self.zones.len()
    }

    /// What the state stores of a zone.
    pub fn zone(&self, zone: usize) -> Option<&ZoneWatch> {
        self.zones.get(zone).map(|zone| &zone.watch)
    }

    /// Puts a zone back. Returns `false` when there is none such or it is of another number of series.
    pub fn restore_zone(&mut self, zone: usize, stored: ZoneWatch) -> bool {
        match self.zones.get_mut(zone) {
            Some(zone) if zone.watch.scans() == stored.scans() => {
                zone.watch = stored;
                true
            }
            _ => false,
        }
    }

    /// What the state stores of all places together.
    pub fn whole(&self) -> Option<&ZoneWatch> {
        self.whole.as_ref().map(|(_, zone)| &zone.watch)
    }

    /// Puts it back; where nothing of the kind is watched any more, it is not wanted. Returns `false` when it is of another number of series.
    pub fn restore_whole(&mut self, stored: ZoneWatch) -> bool {
        let Some((_, zone)) = &mut self.whole else { return true };
        let fits = zone.watch.scans() == stored.scans();
        if fits {
            zone.watch = stored;
        }
        fits
    }

    /// The histogram of scores of the venue.
    pub const fn scores(&self) -> &Calibration {
        &self.scores
    }

    /// Puts it back. Returns `false` when it is of another size.
    pub fn restore_scores(&mut self, stored: Calibration) -> bool {
        let is_sound = stored.is_sound();
        if is_sound {
            self.scores = stored;
        }
        is_sound
    }

    /// The names by which the state knows the zone groups: the first zone of each.
    pub fn groups(&self) -> impl Iterator<Item = u32> {
        self.groups.iter().map(|group| group.first as u32)
    }

    /// The budgets of the group that begins with that zone.
    pub fn budgets(&self, first: u32) -> Option<&Budgets> {
        self.groups.iter().find(|group| group.first == first as usize).map(|group| &group.budgets)
    }

    /// Puts them back; where no group begins with that zone any more, they are not wanted. Returns `false` when they are of another size.
    pub fn restore_budgets(&mut self, first: u32, stored: Budgets) -> bool {
        let is_sound = stored.is_sound();
        if let Some(group) = self.groups.iter_mut().find(|group| group.first == first as usize).filter(|_| is_sound) {
            group.budgets = stored;
        }
        is_sound
    }

    /// The calendar's part of the state.
    pub const fn occasions(&self) -> &Occasions {
        &self.occasions
    }

    /// The same, to be put back.
    pub const fn occasions_mut(&mut self) -> &mut Occasions {
        &mut self.occasions
    }

    /// Turns scores into shares of quiet steps, by those before, and counts them. No quiet step was ever beyond its threshold, so from there on the share falls as the tail does.
    fn share_out(&mut self) {
        let judge = self.scores.judge();
        for zone in self.zones.iter_mut().chain(self.whole.as_mut().map(|(_, zone)| zone)) {
            if let Some(verdict) = zone.watch.verdict() {
                let beyond = self.groups[zone.group].budgets.rarity(verdict.deviation, verdict.voice, verdict.score);
                zone.watch.set_share(beyond * judge.share_above(as_share(verdict)));
            }
        }
        // A step within a finding is no quiet one, nor one that would be a finding were it not told already.
        let quiet = self.zones.iter().filter(|zone| !zone.watch.is_open()).filter_map(|zone| zone.watch.verdict());
        self.scores.learn(quiet.filter(|verdict| verdict.score < verdict.threshold).map(as_share));
    }
}

/// Whether the place whose series stands in `row` takes part in the whole: it was counted lately, and does not stand out by itself.
fn takes_part(zones: &[Zone], row: usize, end: EventTime) -> bool {
    let zone = zones.partition_point(|zone| zone.first <= row).checked_sub(1).and_then(|zone| zones.get(zone));
    zone.map(|zone| &zone.watch).is_some_and(|watch| {
        let is_counted = watch.judged_at().is_some_and(|at| end.since(at) <= LATELY);
        is_counted && (!watch.is_open() || watch.joined() == Some(Teller::Whole))
    })
}

impl Group {
    /// Takes in how strong the scores of one of its zones are in this step.
    fn hear(&mut self, strengths: Option<Directed<Twofold>>) {
        self.strongest = [self.strongest, strengths].into_iter().flatten().reduce(|one, other| one.with(other, Twofold::max));
    }
}

/// The whole of the group that has most zones.
fn whole(venue: &Venue, series: &[Series], groups: &[Group], zones: &[Zone]) -> Option<(Whole, Zone)> {
    let size = |group: &usize| zones.iter().filter(|zone| zone.group == *group).count();
    // Of groups of one size the first.
    let group = (0..groups.len()).rev().max_by_key(size)?;
    let rows: Vec<usize> = zones.iter().filter(|zone| zone.group == group).flat_map(|zone| zone.first..zone.first + zone.series).collect();
    let whole = Whole::of(venue, series, &rows)?;
    let kinds: Vec<SeriesKind> = whole.kinds().collect();
    let watch = ZoneWatch::of_whole(kinds.len(), kinds.starts_with(&[SeriesKind::In, SeriesKind::Out]));
    Some((whole, Zone { group, first: series.len(), series: kinds.len(), watch }))
}

/// How far a verdict stands out as the histogram of [`Calibration`] takes it, 0 to 1: only its order matters, which is that of the scores against the thresholds of their directions.
fn as_share(verdict: &Verdict) -> f64 {
    let strength = budget::strength(ORDINARY_THRESHOLD * verdict.score / verdict.threshold);
    strength / (strength + 1.0)
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;

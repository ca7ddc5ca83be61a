//! The whole of a zone group: one more zone under watch, whose counts are the sums of all places.
//!
//! The idea: a town that stays at home is nowhere to be seen where each of a hundred places has three persons an hour; it is plain in their sum. So the places of a table (or others of that kind: counted
//! each for itself, nobody twice) are watched together too, by the law of the sum, which learns how far days are good or bad everywhere. It shares the group's budget.
//!
//! Who tells what: a place that stands out by itself is left out of the sum, so that its own event is not told of the town; and while the town stands out, a place is part of that as long as it
//! would not stand out against its own share of it ([`is_part`]).

use super::scan::Seen;
use super::verdict::Verdict;
use crate::forecast::outlook::{Series, SeriesKind};
use crate::venue::{Venue, ZoneKind};

/// Of what is usual at all places that were counted lately, at least this share must be counted.
const COUNTED: f64 = 0.5;
/// Fewer places are seen well enough one by one.
const PLACES: usize = 3;

/// The rows of a venue that are summed, by kind.
#[derive(Debug)]
pub struct Whole {
    kinds: Vec<(SeriesKind, Vec<usize>)>,
}

impl Whole {
    /// Of the series that stand in `rows`; `None` where they are of few places, where the venue has such as count the same persons, or where one bears its name and would speak for all.
    pub fn of(venue: &Venue, series: &[Series], rows: &[usize]) -> Option<Self> {
        let mut places: Vec<_> = rows.iter().map(|row| series[*row].zone).collect();
        places.dedup();
        let are_places = venue.zones.iter().all(|zone| zone.kind == ZoneKind::Counted);
        if places.len() < PLACES || !are_places || venue.find_zone(&venue.id).is_some() {
            return None;
        }
        let of_kind = |kind| rows.iter().copied().filter(|row| series[*row].kind == kind).collect::<Vec<_>>();
        let kinds = [SeriesKind::In, SeriesKind::Out, SeriesKind::Count].map(|kind| (kind, of_kind(kind)));
        Some(Self { kinds: kinds.into_iter().filter(|(_, rows)| !rows.is_empty()).collect() })
    }

    /// The kinds of its series.
    pub fn kinds(&self) -> impl ExactSizeIterator<Item = SeriesKind> {
        self.kinds.iter().map(|(kind, _)| *kind)
    }

    /// What is known of its series, by the rows of `seen` that at least so many days have taught and that take part.
    pub fn sums(&self, seen: &[Seen], min_days: f64, takes_part: impl Fn(usize) -> bool) -> Vec<Seen> {
        self.kinds.iter().map(|(_, rows)| sum(rows.iter().filter(|row| takes_part(**row)).filter_map(|row| seen.get(*row)), min_days)).collect()
    }
}

/// Whether a place that stands out would not if it were held against so many times its usual as all together show.
pub fn is_part(place: &Verdict, times: f64) -> bool {
    let deviation = (place.came - place.expected).abs() / place.score.max(1e-3);
    let further = place.deviation.along(place.came - times * place.expected);
    further < place.threshold * deviation * times.sqrt()
}

fn sum<'a>(seen: impl Iterator<Item = &'a Seen>, min_days: f64) -> Seen {
    let (mut came, mut usual, mut weekday, mut taught, mut days, mut everywhere, mut counted) = (0.0, 0.0, 0.0, 0.0, 0.0_f64, 0.0, 0_u32);
    let mut occasion: Option<(f64, f64)> = None;
    for one in seen {
        let Some((persons, own_days)) = one.usual else { continue };
        everywhere += persons;
        let Some(count) = one.came.filter(|_| one.is_judged(min_days)) else { continue };
        came += count;
        usual += persons;
        weekday += one.weekday.unwrap_or(persons);
        taught += persons * own_days;
        days = days.max(own_days);
        counted += 1;
        if let Some((added, doubt)) = one.occasion {
            let (sum, doubts) = occasion.unwrap_or_default();
            occasion = Some((sum + added, doubts + doubt));
        }
    }
    let is_counted = counted > 0 && usual >= COUNTED * everywhere;
    // Where nobody is usual anywhere, days weigh alike.
    let days = if usual > 0.0 { taught / usual } else { days };
    // The model sees no sum.
    Seen { came: is_counted.then_some(came), usual: is_counted.then_some((usual, days)), weekday: is_counted.then_some(weekday), occasion, learnt: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::watch::Watch;
    use crate::forecast::watch::verdict::ZoneWatch;
    use crate::forecast::{sample, series};
    use crate::time::{EventTime, Span};

    fn seen(came: Option<f64>, usual: f64, days: f64) -> Seen {
        Seen { came, usual: Some((usual, days)), occasion: None, weekday: None, learnt: None }
    }

    /// Forty places of a table with two persons an hour at most, under one watch.
    struct Town {
        watch: Watch,
        step: u32,
        /// Whether a place's finding was open before.
        holds: Vec<bool>,
    }

    const PLACES_HERE: usize = 40;
    const A_WEEK: u32 = 336;

    impl Town {
        fn new() -> Self {
            let mut venue = sample::large(PLACES_HERE);
            venue.step = Span::from_mins(30);
            // As on a table: what comes back within two hours is the same event.
            let mut profile = (*venue.zones[0].profile).clone();
            if let Some(off) = profile.thresholds.get_mut("anomaly.off_s") {
                off.value = 7_200.0;
            }
            let profile = std::sync::Arc::new(profile);
            venue.zones.iter_mut().for_each(|zone| (zone.kind, zone.profile) = (ZoneKind::Counted, profile.clone()));
            let series: Vec<_> = series::of(&venue).into_iter().filter(|series| series.kind == SeriesKind::In).collect();
            Self { watch: Watch::new(&venue, &series, &[true; PLACES_HERE]), step: 0, holds: vec![false; PLACES_HERE] }
        }

        /// So many steps with `times(place)` as many people as usual: findings of places, and of all together.
        fn run(&mut self, steps: u32, times: impl Fn(usize) -> f64) -> (u32, u32) {
            let (mut of_places, mut of_all) = (0, 0);
            for _ in 0..steps {
                let hour = f64::from(self.step % 48) / 2.0;
                let usual = 0.02 + libm::exp(-libm::pow((hour - 13.0) / 4.0, 2.0));
                let seen = |place: usize| {
                    let came = persons(usual * times(place), u64::from(self.step) * 64 + place as u64);
                    Seen { came: Some(came), usual: Some((usual, f64::from(self.step / 48).min(12.0))), occasion: None, weekday: None, learnt: None }
                };
                let mut seen: Vec<Seen> = (0..PLACES_HERE).map(seen).collect();
                self.step += 1;
                let end = EventTime::from_millis(i64::from(self.step) * 1_800_000);
                self.watch.take(end, &mut seen);
                of_all += u32::from(self.watch.whole().and_then(ZoneWatch::opened).is_some_and(|opened| opened.at == end));
                for (place, verdict) in self.watch.verdicts() {
                    of_places += u32::from(verdict.exceeds && !self.holds[place]);
                    self.holds[place] = verdict.holds;
                }
            }
            (of_places, of_all)
        }
    }

    /// Persons who come each for himself, by chance number `n`.
    fn persons(mean: f64, n: u64) -> f64 {
        let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mut chance = ((mixed ^ (mixed >> 27)) >> 11) as f64 / (1_u64 << 53) as f64;
        let (mut count, mut share) = (0.0, libm::exp(-mean));
        while chance > share && count < 1_000.0 {
            chance -= share;
            count += 1.0;
            share *= mean / count;
        }
        count
    }

    #[test]
    fn a_day_on_which_all_stay_away_is_found_though_no_place_shows_it() {
        let mut town = Town::new();
        town.run(6 * A_WEEK, |_| 1.0);
        let (of_places, of_all) = town.run(8 * A_WEEK, |_| 1.0);
        assert!(of_places + of_all <= 16, "{of_places} and {of_all} in eight quiet weeks");
        let (of_places, of_all) = town.run(48, |_| 0.1);
        assert_eq!((of_places, of_all), (0, 1), "an empty day");
        town.run(48 * 6, |_| 1.0);
        let (of_places, of_all) = town.run(48, |_| 2.5);
        assert!(of_all == 1 && of_places <= 1, "{of_places} and {of_all} on a full day");
    }

    #[test]
    fn what_happens_at_one_place_is_told_of_that_place() {
        let mut town = Town::new();
        town.run(8 * A_WEEK + 20, |_| 1.0);
        let (of_places, of_all) = town.run(8, |place| if place == 7 { 15.0 } else { 1.0 });
        assert_eq!((of_places, of_all), (1, 0));
    }

    #[test]
    fn what_is_grave_at_one_place_is_told_beside_what_all_show() {
        let mut town = Town::new();
        town.run(8 * A_WEEK + 20, |_| 1.0);
        let (_, of_all) = town.run(6, |_| 2.0);
        let (of_places, _) = town.run(6, |place| if place == 7 { 20.0 } else { 2.0 });
        assert_eq!((of_all, of_places), (1, 1));
    }

    #[test]
    fn what_all_show_is_told_though_one_place_was_found_before() {
        let mut town = Town::new();
        town.run(8 * A_WEEK + 20, |_| 1.0);
        let (of_places, _) = town.run(4, |place| if place == 7 { 15.0 } else { 1.0 });
        let (_, of_all) = town.run(12, |place| if place == 7 { 15.0 } else { 2.5 });
        assert_eq!((of_places, of_all), (1, 1));
    }

    #[test]
    fn its_state_comes_back_and_is_not_wanted_where_nothing_of_the_kind_is_watched() {
        let mut town = Town::new();
        town.run(4 * A_WEEK + 20, |_| 1.0);
        let stored = postcard::to_stdvec(town.watch.whole().unwrap()).unwrap();
        let read = || postcard::from_bytes::<ZoneWatch>(&stored).unwrap();
        assert_eq!(&read(), town.watch.whole().unwrap());
        let mut other = Town::new();
        assert!(other.watch.restore_whole(read()));
        assert_eq!(other.watch.whole(), town.watch.whole());
        assert!(!other.watch.restore_whole(ZoneWatch::of_whole(2, true)), "of another number of series");
        let stadium = sample::large(PLACES_HERE);
        assert!(Watch::new(&stadium, &series::of(&stadium), &[true; 2 * PLACES_HERE]).restore_whole(read()));
    }

    #[test]
    fn zones_that_count_the_same_persons_have_no_sum() {
        let venue = sample::large(PLACES_HERE);
        let series = series::of(&venue);
        assert!(Whole::of(&venue, &series, &(0..series.len()).collect::<Vec<_>>()).is_none());
    }

    #[test]
    fn what_is_counted_is_summed_with_what_was_usual_of_it() {
        let rows = [seen(Some(3.0), 2.0, 10.0), seen(None, 1.0, 10.0), seen(Some(0.0), 2.0, 5.0), seen(Some(9.0), 1.0, 1.0)];
        let whole = sum(rows.iter(), 2.0);
        assert_eq!((whole.came, whole.usual), (Some(3.0), Some((4.0, 7.5))));
        let whole = Whole { kinds: vec![(SeriesKind::Count, vec![0, 1, 2, 3])] };
        let without = whole.sums(&rows, 2.0, |row| row >= 2)[0];
        assert_eq!((without.came, without.usual), (Some(0.0), Some((2.0, 5.0))));
    }

    #[test]
    fn where_most_are_silent_nothing_is_known_of_the_whole() {
        let rows = [seen(Some(3.0), 2.0, 10.0), seen(None, 3.0, 10.0)];
        assert_eq!(sum(rows.iter(), 2.0), Seen { came: None, usual: None, occasion: None, weekday: None, learnt: None });
    }
}

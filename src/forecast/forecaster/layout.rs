//! What of a forecaster the venue's configuration decides: which series there are, who counts them, the clock, the matches.
//!
//! It is made anew at each reload; nothing in it is learnt.

use crate::forecast::calendar::Calendar;
use crate::forecast::event::{Manner, Programme};
use crate::forecast::judgement::Target;
use crate::forecast::outlook::{Series, SeriesKind};
use crate::forecast::{series, tonight};
use crate::time::{EventTime, Span};
use crate::venue::{Venue, ZoneId};

/// What the venue's configuration decides.
#[derive(Debug)]
pub(super) struct Layout {
    /// Those of all configurations of the venue.
    pub(super) series: Vec<Series>,
    /// By series: whether somebody counts it in this one.
    pub(super) is_counted: Vec<bool>,
    /// Zones whose head count follows from their flows, with the rows of `In` and `Out`.
    pub(super) balanced: Vec<(ZoneId, usize, usize)>,
    /// By series: in how many panes scores must have been counted before one is given out.
    pub(super) warm_up_panes: Vec<f64>,
    pub(super) programme: Programme,
    /// By series, the series of the other way.
    pub(super) opposites: Vec<usize>,
    pub(super) calendar: Calendar,
    pub(super) step: Span,
}

impl Layout {
    /// The step that starts at `start`, as a target.
    pub(super) fn target(&self, start: EventTime) -> Target {
        Target::new(self.calendar.place(start), self.programme.at(start))
    }

    /// What the configuration `venue` decides; `whole` knows what all have.
    pub(super) fn new(whole: &Venue, venue: &Venue) -> Self {
        let (series, counted) = (series::of(whole), series::of(venue));
        let row = |zone: ZoneId, kind: SeriesKind| series.iter().position(|series| *series == Series { zone, kind });
        let closed = venue.zones.iter().enumerate().filter(|(_, zone)| zone.closed).map(|(index, _)| ZoneId::from(index));
        let balanced = closed.filter_map(|zone| Some((zone, row(zone, SeriesKind::In)?, row(zone, SeriesKind::Out)?))).collect();
        let warm_up = |series: &Series| venue.zones.get(series.zone.index()).map_or(f64::NAN, |zone| zone.profile.value("anomaly.warm_up_panes"));
        let warm_up_panes = series.iter().map(warm_up).collect();
        let of_venue = |key: &str| venue.zones.first().map_or(f64::NAN, |zone| zone.profile.value(key));
        let manner = Manner {
            arrival_median_s: of_venue("event.arrival_median_s"),
            arrival_spread_s: of_venue("event.arrival_spread_s"),
            leaving_s: of_venue("event.leaving_s"),
            lasts_s: of_venue("event.lasts_s"),
        };
        Self {
            is_counted: series.iter().map(|series| counted.contains(series)).collect(),
            balanced,
            warm_up_panes,
            opposites: tonight::opposites(&series),
            series,
            programme: Programme::new(&venue.matches, manner),
            calendar: Calendar::of(venue),
            step: venue.step,
        }
    }
}

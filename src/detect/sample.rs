//! A stage for tests of detectors: the sample site, and a picture of it in which nothing is known until a test says so.

use super::{Finding, Scene};
use crate::crowd::dense::{DenseFigures, Unfit};
use crate::crowd::sample::{Site, site};
use crate::crowd::{VenueFigures, ZoneFigures};
use crate::forecast::{Horizon, Outlook, Series, SeriesKind};
use crate::time::EventTime;
use crate::venue::ZoneId;

/// The site, its picture and its forecast.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) figures: VenueFigures,
    pub(crate) outlooks: Vec<Outlook>,
}

impl Stage {
    /// An empty picture of the pane that ends at `end`.
    pub(crate) fn at(end: EventTime) -> Self {
        let site = site();
        let mut figures = site.close(&mut site.state(), 1, |_| ());
        (figures.end, figures.entry) = (end, None);
        for zone in &mut figures.zones {
            (zone.occupancy, zone.density, zone.los, zone.expected) = (None, None, None, 0);
        }
        for gate in &mut figures.gates {
            (gate.queue, gate.arrivals_per_min, gate.spill_s) = (None, None, None);
        }
        Self { site, figures, outlooks: Vec::new() }
    }

    pub(crate) fn zone(&mut self, name: &str) -> &mut ZoneFigures {
        &mut self.figures.zones[self.site.zone(name)]
    }

    /// A camera that sees a dense crowd in a zone, of which nothing but the density is known until a test says so.
    pub(crate) fn watch(&mut self, name: &str, density: f64) -> &mut DenseFigures {
        let dense = DenseFigures {
            fields: 20,
            density,
            greatest_density: density,
            flow: Err(Unfit::TooShort),
            change: Err(Unfit::TooShort),
            pressure: Err(Unfit::TooShort),
            wave_z: Err(Unfit::TooShort),
            counterflow: Err(Unfit::TooShort),
            peak: Err(Unfit::TooShort),
            congestion: Err(Unfit::TooShort),
        };
        self.zone(name).dense.insert(Box::new(dense))
    }

    /// A forecast of persons coming into a zone; three came in the last step.
    pub(crate) fn expect(&mut self, zone: &str, persons: f64, score: Option<f64>) {
        let series = Series { zone: ZoneId::from(self.site.zone(zone)), kind: SeriesKind::In };
        self.outlooks.push(Outlook {
            horizons: vec![Horizon { h_s: 300, q10: persons / 2.0, q50: persons, q90: persons * 2.0 }],
            by_model: true,
            score,
            watch: None,
            expected_last: Some(persons),
            actual_last: Some(3.0),
            ..Outlook::silent(series)
        });
    }

    /// What a detector finds.
    pub(crate) fn all(&self, detect: fn(&Scene<'_>, &mut Vec<Finding>)) -> Vec<Finding> {
        let mut findings = Vec::new();
        let end = self.figures.end;
        let pane_start = self.site.venue.pane.start(end);
        detect(&Scene { venue: &self.site.venue, figures: &self.figures, outlooks: &self.outlooks, pane_start, end }, &mut findings);
        findings
    }

    /// The one thing that a detector finds.
    pub(crate) fn only(&self, detect: fn(&Scene<'_>, &mut Vec<Finding>)) -> Finding {
        let mut findings = self.all(detect);
        assert_eq!(findings.len(), 1);
        findings.remove(0)
    }
}

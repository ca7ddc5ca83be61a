//! A stage for tests of detectors: the sample site, and a picture of it in which nothing is known until a test says so.

use super::{Finding, ModelsSeen, Scene};
use crate::crowd::dense::{DenseFigures, Unfit};
use crate::crowd::sample::{Site, site};
use crate::crowd::{ApproachFigures, ScanWindow, VenueFigures, ZoneFigures};
use crate::forecast::{Horizon, OfAll, Outlook, Series, SeriesKind};
use crate::time::EventTime;
use crate::venue::ZoneId;

/// The site, its picture and its forecast.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) figures: VenueFigures,
    pub(crate) outlooks: Vec<Outlook>,
    pub(crate) of_all: Option<OfAll>,
    pub(crate) models: ModelsSeen,
}

/// An approach over which 8,660 of 9,870 came where 40 % were planned, without gates or a station of its own.
pub(crate) fn approach() -> ApproachFigures {
    ApproachFigures {
        came: 8_660,
        share_tonight: 0.85,
        share: Some(0.877),
        counted: 9_870,
        planned: Some(0.4),
        sum: 0.4,
        p_over: 0.9,
        p_over_eased: 0.95,
        admitted: 0,
        capacity_per_min: Some(110.0),
        p_late: None,
        p_planned: None,
        station: None,
        coming: None,
        platform: None,
    }
}

impl Stage {
    /// An empty picture of the pane that ends at `end`.
    pub(crate) fn at(end: EventTime) -> Self {
        let site = site();
        let mut figures = site.close(&mut site.state(), 1, |_| ());
        (figures.end, figures.entry, figures.presence) = (end, None, None);
        (figures.approaches, figures.sold, figures.calls, figures.wbgt_c) = (Vec::new(), Vec::new(), Vec::new(), None);
        for zone in &mut figures.zones {
            (zone.occupancy, zone.density, zone.los, zone.egress, zone.expected) = (None, None, None, None, 0);
        }
        for gate in &mut figures.gates {
            (gate.queue, gate.arrivals_per_min, gate.spill_s, gate.scans) = (None, None, None, ScanWindow::default());
        }
        Self { site, figures, outlooks: Vec::new(), of_all: None, models: ModelsSeen::default() }
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
            horizons: vec![Horizon { h_s: 300, q10: persons / 2.0, q50: persons, q90: persons * 2.0, expected: persons }],
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
        detect(
            &Scene {
                venue: &self.site.venue,
                figures: &self.figures,
                outlooks: &self.outlooks,
                of_all: self.of_all.as_ref(),
                models: self.models,
                clocks: &[],
                pane_start,
                end,
            },
            &mut findings,
        );
        findings
    }

    /// The one thing that a detector finds.
    pub(crate) fn only(&self, detect: fn(&Scene<'_>, &mut Vec<Finding>)) -> Finding {
        let mut findings = self.all(detect);
        assert_eq!(findings.len(), 1);
        findings.remove(0)
    }
}

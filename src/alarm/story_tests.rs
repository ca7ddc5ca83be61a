//! From counters to alarms: small nights through picture, detectors and book.

use super::*;
use crate::crowd::sample::{KICK_OFF, Site, count, site};
use crate::crowd::{CrowdState, VenueFigures};
use crate::detect::{Code, ModelsSeen, PlaceKind, Priority, Scene, detect};
use crate::time::{EventTime, Span};
use crate::window::PaneContent;

struct Night {
    site: Site,
    state: CrowdState,
    book: AlarmBook,
    log: Vec<Change>,
}

impl Night {
    fn new() -> Self {
        let site = site();
        Self { state: site.state(), site, book: AlarmBook::default(), log: Vec::new() }
    }

    fn pane(&mut self, n: i64, fill: impl FnOnce(&Site, &mut PaneContent)) -> VenueFigures {
        let end = self.site.end(n);
        let site = &self.site;
        let figures = site.close(&mut self.state, n, |pane| fill(site, pane));
        let findings = detect(&Scene {
            venue: &site.venue,
            figures: &figures,
            outlooks: &[],
            of_all: None,
            models: ModelsSeen::default(),
            clocks: &[],
            pane_start: site.venue.pane.start(end),
            end,
        });
        let at = At { venue: &site.venue.id, event_time: end, watermark: end, coverage: figures.coverage };
        self.log.extend(self.book.expire(&at, at.event_time));
        self.log.extend(self.book.assess(&at, &findings));
        figures
    }

    fn told(&self, code: Code) -> Vec<(ChangeKind, Priority, EventTime)> {
        let of_code = self.log.iter().filter(|change| change.code == code && change.change != ChangeKind::Reassessed);
        of_code.map(|change| (change.change, change.priority, change.event_time)).collect()
    }
}

const fn before_kick_off(mins: u64) -> EventTime {
    KICK_OFF.before(Span::from_mins(mins))
}

/// 9,000 are expected and 6 lanes let 66 a minute in: 136 min, to be done 15 min before kick-off. From 151 min before kick-off on it is even odds.
#[test]
fn too_few_gates_are_known_two_and_a_half_hours_before_kick_off() {
    let mut night = Night::new();
    let (first, last) = (night.site.panes_to(before_kick_off(250)), night.site.panes_to(before_kick_off(120)));
    for n in first..=last {
        night.pane(n, |_, _| ());
    }
    let told = night.told(Code::EntryEta);
    let [(ChangeKind::Raised, Priority::Medium, raised), (ChangeKind::Priority, Priority::High, risen)] = told[..] else {
        panic!("{told:?}");
    };
    assert!(raised > before_kick_off(151) && raised <= before_kick_off(147), "{raised}: even odds, and three minutes of on-delay");
    assert!(risen > raised && risen < before_kick_off(125), "{risen}");
    for n in last + 1..=last + 62 {
        night.pane(n, |site, pane| pane.add_count(site.sensor("gate-a"), &count(if n == last + 1 { 9_000 } else { 0 }, 0)));
    }
    assert_eq!(night.told(Code::EntryEta).last().map(|told| told.0), Some(ChangeKind::Cleared), "all are in: it clears after ten minutes");
}

/// Everything falls silent with 500 in the bowl: nothing is guessed, BLIND comes, and goes when the counters are back.
#[test]
fn silence_is_an_event() {
    let mut night = Night::new();
    let speak = |site: &Site, pane: &mut PaneContent| pane.counts.iter_mut().take(site.venue.sensors.len()).for_each(|count| count.reports = 1);
    night.pane(1, |site, pane| {
        pane.add_count(site.sensor("gate-a"), &count(500, 0));
        speak(site, pane);
    });
    for n in 2..=20 {
        night.pane(n, |_, _| ());
    }
    let raised = night.log.iter().filter(|change| change.code == Code::Blind && change.change == ChangeKind::Raised);
    let places: Vec<(PlaceKind, &str)> = raised.map(|change| (change.place.kind, &*change.place.id)).collect();
    assert_eq!(
        places,
        [(PlaceKind::Zone, "bowl"), (PlaceKind::Venue, "casablanca")],
        "first the bowl, then everything, when the last sensor's interval is over"
    );
    let held = night.pane(21, speak).zones[night.site.zone("bowl")].occupancy.map(|heads| heads.v);
    assert_eq!(held, Some(500.0));
    for n in 22..=40 {
        night.pane(n, speak);
    }
    assert!(night.book.live().filter(|(key, _)| key.0 == Code::Blind).all(|(_, alarm)| !alarm.active));
}

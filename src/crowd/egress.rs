//! A zone's exits: which are open, what they let out, how long it would take (Green Guide; Kanjuruhan 2022, Rabat 2009).
//!
//! The idea: capacity that is shut is no capacity. An exit whose sensor says `closed` or `fault` lets nobody out; one that nobody tells about counts as open, and is
//! counted as untold. An exit that is to be opened only near the end of a match counts as open before, for it will be.

use super::figures::{EgressFigures, Phase, ZoneFigures};
use super::flow::CrossingFlow;
use super::phase::{Tonight, expected_end};
use super::state::CrowdState;
use super::topology::{ExitPlan, Topology};
use crate::feeds::observation::DoorState;
use crate::time::EventTime;
use crate::venue::Venue;

/// How an exit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Shut,
    Untold,
}

impl CrowdState {
    /// Fills in the exits of every zone that has any.
    pub(super) fn egress(
        &mut self,
        venue: &Venue,
        topology: &Topology,
        end: EventTime,
        crossings: &[CrossingFlow],
        tonight: Option<&Tonight>,
        zones: &mut [ZoneFigures],
    ) {
        for (i, exits) in topology.exits.iter().enumerate().filter(|(_, exits)| !exits.is_empty()) {
            let intruders = exits.iter().filter(|exit| exit.is_one_way()).filter_map(|exit| crossings.get(exit.link.index()).map(|flow| flow.backward));
            let window = topology.zones[i].limits.breach_window(venue.pane);
            let counted_in = self.zones[i].take_intruders(venue.pane, end, window, intruders.fold(0, u32::saturating_add));
            zones[i].egress = Some(self.egress_of(topology, end, exits, tonight, zones[i].occupancy.map(|heads| heads.v), counted_in));
        }
    }

    fn egress_of(
        &self,
        topology: &Topology,
        end: EventTime,
        exits: &[ExitPlan],
        tonight: Option<&Tonight>,
        heads: Option<f64>,
        counted_in: u32,
    ) -> EgressFigures {
        let mut figures =
            EgressFigures { exits: exits.len() as u32, shut: 0, untold: 0, open_width_m: 0.0, open_per_min: 0.0, all_per_min: 0.0, counted_in, empty_s: None };
        for exit in exits {
            figures.all_per_min += exit.per_min;
            match self.standing(topology, exit) {
                Standing::Shut if is_due(exit, tonight, end) => {
                    figures.shut += 1;
                    continue;
                }
                Standing::Untold => figures.untold += 1,
                _ => {}
            }
            figures.open_width_m += exit.width_m;
            figures.open_per_min += exit.per_min;
        }
        figures.empty_s = heads.filter(|_| figures.open_per_min > 0.0).map(|heads| heads / figures.open_per_min * 60.0);
        figures
    }

    fn standing(&self, topology: &Topology, exit: &ExitPlan) -> Standing {
        let mut told = topology.doors[exit.link.index()].iter().filter_map(|sensor| self.sensor(*sensor)?.door).peekable();
        if told.peek().is_none() {
            return Standing::Untold;
        }
        // Of several sensors on one door any that finds it open is believed to have seen a gap: but a fault opens nothing.
        if told.any(|state| matches!(state, DoorState::Open | DoorState::Ok | DoorState::Forced)) { Standing::Open } else { Standing::Shut }
    }
}

/// Whether an exit should be open by now.
fn is_due(exit: &ExitPlan, tonight: Option<&Tonight>, end: EventTime) -> bool {
    let (Some(before), Some(tonight)) = (exit.opens_before_end, tonight) else {
        return true;
    };
    tonight.phase == Phase::After || end >= expected_end(tonight).before(before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::sample::{KICK_OFF, Site, count, site};
    use crate::feeds::observation::MatchEventKind;
    use crate::time::Span;
    use crate::venue::{Exit, Measures, Sensor, SourceId, ZoneId};

    /// The bowl with two exits of 6 m: one with a sensor on its door, one that nobody tells about.
    fn two_exits(opens_before_end: Option<Span>) -> Site {
        let mut site = site();
        let of = ZoneId::from(site.zone("bowl"));
        for (name, opens_before_end) in [("exit", opens_before_end), ("gate-b", None)] {
            let link = site.venue.links.iter_mut().find(|link| &*link.id == name).unwrap();
            link.exit = Some(Exit { of, opens_before_end });
        }
        let link = site.venue.link_names.position("exit").unwrap().into();
        site.venue.sensors.push(Sensor { id: "door".into(), source: SourceId(0), measures: Measures::Door(link), interval: Span::from_secs(60) });
        site.venue.sensor_names = crate::venue::Names::new(site.venue.sensors.iter().map(|sensor| &*sensor.id));
        site.turn_round();
        site
    }

    fn egress(site: &Site, n: i64, told: DoorState) -> EgressFigures {
        let figures = site.close(&mut site.state(), n, |pane| {
            pane.add_count(site.sensor("gate-a"), &count(2_000, 0));
            site.tells(pane, "door", (told, None));
        });
        figures.zones[site.zone("bowl")].egress.unwrap()
    }

    /// 82 persons/m/min (test profile: as shipped) over 6 m or 12 m.
    #[test]
    fn a_shut_exit_lets_nobody_out() {
        let site = two_exits(None);
        let (open, shut) = (egress(&site, 1, DoorState::Open), egress(&site, 1, DoorState::Closed));
        assert_eq!((open.exits, open.shut, open.untold, open.open_width_m), (2, 0, 1, 12.0));
        assert_eq!((shut.shut, shut.open_width_m), (1, 6.0));
        assert!((shut.empty_s.unwrap() - 2.0 * open.empty_s.unwrap()).abs() < 1e-9);
        assert_eq!(egress(&site, 1, DoorState::Fault).shut, 1);
        assert_eq!(egress(&site, 1, DoorState::Forced).shut, 0, "a forced door is open");
    }

    /// Kanjuruhan: to be opened ten minutes before the end.
    #[test]
    fn an_exit_that_is_to_be_opened_late_is_shut_only_from_then_on() {
        let site = two_exits(Some(Span::from_mins(10)));
        let at = |mins: u64| egress(&site, site.panes_to(KICK_OFF.after(Span::from_mins(mins))), DoorState::Closed).shut;
        assert_eq!((at(90), at(96)), (0, 1), "the end is expected 105 min after kick-off");
    }

    #[test]
    fn who_comes_in_over_an_exit_is_counted_for_two_minutes() {
        let site = two_exits(None);
        let mut state = site.state();
        let counted = |state: &mut CrowdState, n, inwards| {
            let figures = site.close(state, n, |pane| pane.add_count(site.sensor("exit"), &count(inwards, 0)));
            figures.zones[site.zone("bowl")].egress.unwrap().counted_in
        };
        assert_eq!(counted(&mut state, 1, 15), 15);
        assert_eq!(counted(&mut state, 5, 15), 30);
        assert_eq!(counted(&mut state, 30, 0), 0);
    }

    /// Two minutes are twelve panes: the third is in the windows up to the fourteenth.
    #[test]
    fn who_is_told_late_to_have_come_in_is_in_the_windows_that_hold_his_pane() {
        use crate::crowd::Correction;
        use crate::feeds::observation::{Entity, What};
        let site = two_exits(None);
        let mut state = site.state();
        let counted = |state: &mut CrowdState, n| site.close(state, n, |_| ()).zones[site.zone("bowl")].egress.unwrap().counted_in;
        assert_eq!((1..=5).map(|n| counted(&mut state, n)).max(), Some(0));
        let (what, end) = (What::Count(count(30, 4)), site.end(3));
        let late = Correction { at: end, end, entity: Entity::Sensor(site.sensor("exit")), what: &what, pane: None };
        state.correct(&site.venue, &site.topology, &late);
        assert_eq!((counted(&mut state, 6), counted(&mut state, 14), counted(&mut state, 15)), (30, 30, 0));
    }

    #[test]
    fn the_end_is_told_by_the_match_where_it_has_begun() {
        let site = two_exits(None);
        let mut night = crate::crowd::NightState::default();
        let event = |event| crate::feeds::observation::MatchEvent { match_id: "m1".into(), event, expected_attendance: None, to: None };
        night.learn(KICK_OFF.after(Span::from_mins(36)), &event(MatchEventKind::KickOff));
        let tonight = night.tonight(&site.venue, KICK_OFF.after(Span::from_mins(40))).unwrap();
        assert_eq!(expected_end(&tonight), KICK_OFF.after(Span::from_mins(36 + 105)));
    }
}

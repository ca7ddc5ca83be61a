//! The life cycle, transition by transition, and its laws over any sequence of findings and commands.

use super::*;
use crate::detect::finding::{Code, Evidence, Finding, Message, Place, PlaceKind, Priority, Way};
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::observation::{Action, Command};
use crate::time::{EventTime, Span};
use crate::venue::VenueId;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Panes are 10 s; on-delay 20 s, off-delay 30 s.
struct Night {
    book: AlarmBook,
    pane: i64,
    log: Vec<Change>,
}

const BEGIN: i64 = 1_907_850_000_000;

fn time(pane: i64) -> EventTime {
    EventTime::from_millis(BEGIN + pane * 10_000)
}

fn at(pane: i64) -> At<'static> {
    At { venue: "casablanca", event_time: time(pane), watermark: time(pane), coverage: 0.961_234_567 }
}

fn finding(place: &str, exceeds: Option<Priority>, holds: Option<Priority>, value: f64) -> Finding {
    let message = |key: &'static str| Message { key: key.into(), args: [("density".into(), value)].into_iter().collect() };
    let evidence = Evidence { what: "density".into(), value, unit: "persons/m2".into(), threshold: Some(2.0), profile: None, from: time(0), to: time(1) };
    Finding {
        code: Code::Dens,
        place: Place { kind: PlaceKind::Zone, id: place.into() },
        exceeds,
        holds: holds.max(exceeds),
        on_delay: Span::from_secs(20),
        off_delay: Span::from_secs(30),
        headline: message("alarm.dens"),
        evidence: [evidence].into(),
        against: Default::default(),
        would_clear: message("clear.dens"),
        certainty: "observed",
        urgency: "immediate",
        severity: "severe",
        score: None,
        way: None,
    }
}

fn over(priority: Priority) -> Finding {
    finding("bowl", Some(priority), None, 2.5)
}

fn held(priority: Priority) -> Finding {
    finding("bowl", None, Some(priority), 1.8)
}

fn quiet() -> Finding {
    finding("bowl", None, None, 0.5)
}

impl Night {
    fn new() -> Self {
        Self { book: AlarmBook::default(), pane: 0, log: Vec::new() }
    }

    /// The same finding in the next `times` panes; what changed in them.
    fn panes(&mut self, times: usize, finding: &Finding) -> Vec<(ChangeKind, AlarmState)> {
        let first = self.log.len();
        for _ in 0..times {
            self.close(std::slice::from_ref(finding));
        }
        self.since(first)
    }

    fn close(&mut self, findings: &[Finding]) {
        self.pane += 1;
        let at = at(self.pane);
        let ended = self.book.expire(&at, at.event_time);
        self.log.extend(ended);
        let changes = self.book.assess(&at, findings);
        self.log.extend(changes);
    }

    fn order(&mut self, action: Action) -> Result<(ChangeKind, AlarmState), Fault> {
        let command = Command { command_id: "c".into(), venue: VenueId(0), operator: "op-7".into(), at: time(self.pane), action, reason: Some("seen".into()) };
        let changes = self.book.command(&at(self.pane), &command)?;
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].operator.as_deref(), changes[0].reason.as_deref()), (Some("op-7"), Some("seen")));
        self.log.extend(changes);
        Ok((self.log[self.log.len() - 1].change, self.log[self.log.len() - 1].state))
    }

    fn since(&self, first: usize) -> Vec<(ChangeKind, AlarmState)> {
        self.log[first..].iter().map(|change| (change.change, change.state)).collect()
    }

    fn id(&self) -> Box<str> {
        self.book.live().next().map(|(_, alarm)| alarm.alarm_id.clone()).unwrap_or_default()
    }

    fn state(&self) -> Option<AlarmState> {
        self.book.live().next().map(|(_, alarm)| alarm.state())
    }

    /// With an alarm raised at medium priority and brought to `state`.
    fn in_state(state: AlarmState) -> Self {
        let mut night = Self::new();
        night.panes(3, &over(Priority::Medium));
        let alarm_id = night.id();
        match state {
            AlarmState::Unack | AlarmState::Normal => {}
            AlarmState::Ack => _ = night.order(Action::Ack { alarm_id }).unwrap(),
            AlarmState::RtnUnack => _ = night.panes(4, &quiet()),
            AlarmState::Shelved => _ = night.order(Action::Shelve { alarm_id, until: time(1_000) }).unwrap(),
            AlarmState::Suppressed => _ = night.order(Action::Suppress { alarm_id }).unwrap(),
            AlarmState::OutOfService => _ = night.order(Action::OutOfService { alarm_id }).unwrap(),
        }
        assert_eq!(night.state(), Some(state));
        night
    }
}

#[test]
fn an_alarm_is_raised_when_it_has_exceeded_in_every_pane_of_the_on_delay() {
    let mut night = Night::new();
    assert_eq!(night.panes(2, &over(Priority::Low)), []);
    assert_eq!(night.panes(1, &quiet()), [], "one quiet pane breaks the run");
    assert!(night.book.entries.is_empty(), "and leaves nothing behind");
    assert_eq!(night.panes(2, &over(Priority::Low)), []);
    assert_eq!(night.panes(1, &over(Priority::Low)), [(ChangeKind::Raised, AlarmState::Unack)]);
    let change = &night.log[0];
    assert_eq!(change.onset, time(4), "the end of the first pane of the run");
    assert_eq!(&*change.alarm_id, format!("DENS/casablanca/bowl/{}", time(4).as_millis()));
    assert_eq!((change.change_no, change.priority, change.event_time, change.coverage), (1, Priority::Low, time(6), 0.961_235));
}

#[test]
fn an_alarm_starts_with_the_priority_that_lasted_and_rises_when_the_higher_one_has() {
    let mut night = Night::new();
    night.panes(2, &over(Priority::Low));
    night.panes(3, &over(Priority::High));
    let told: Vec<_> = night.log.iter().map(|change| (change.change, change.priority, change.event_time)).collect();
    assert_eq!(told, [(ChangeKind::Raised, Priority::Low, time(3)), (ChangeKind::Priority, Priority::High, time(5))]);
}

#[test]
fn a_rise_asks_for_attention_anew_and_a_fall_does_not() {
    let mut night = Night::in_state(AlarmState::Ack);
    assert_eq!(night.panes(3, &over(Priority::High)), [(ChangeKind::Priority, AlarmState::Unack)]);
    let alarm_id = night.id();
    night.order(Action::Ack { alarm_id }).unwrap();
    assert_eq!(night.panes(3, &held(Priority::Medium)), []);
    assert_eq!(night.panes(1, &held(Priority::Medium)), [(ChangeKind::Priority, AlarmState::Ack)]);
    assert_eq!(night.log.last().unwrap().priority, Priority::Medium);
}

#[test]
fn a_surge_behind_a_shortfall_is_raised_at_once_however_long_that_would_be_quiet() {
    let said = |way: Way, value: f64| Finding { way: Some(way), off_delay: Span::from_secs(7_200), ..finding("bowl", Some(Priority::Medium), None, value) };
    for (acked, cleared) in [(false, AlarmState::RtnUnack), (true, AlarmState::Normal)] {
        let mut night = Night::new();
        night.panes(3, &said(Way::Fewer, 2.5));
        let before = night.id();
        if acked {
            night.order(Action::Ack { alarm_id: before.clone() }).unwrap();
        }
        assert_eq!(night.panes(2, &said(Way::More, 9.0)), [], "not before its own on-delay");
        let told = night.panes(1, &said(Way::More, 9.0));
        assert_eq!(told, [(ChangeKind::Cleared, cleared), (ChangeKind::Raised, AlarmState::Unack)]);
        assert_eq!(night.log[night.log.len() - 2].quiet_since, Some(time(4)), "it was held until it turned");
        assert_eq!(night.id() == before, !acked, "one that nobody has seen is raised again, as ever");
        // Whoever is missing behind it is of the same alarm, and so is whoever comes then, however far the figures move.
        for value in [0.1, 8.0, 0.2, 7.0] {
            let way = if value < 1.0 { Way::Fewer } else { Way::More };
            let told = night.panes(30, &said(way, value));
            assert!(told.iter().all(|(change, _)| *change == ChangeKind::Reassessed), "{value}: {told:?}");
        }
    }
}

#[test]
fn findings_move_an_alarm_through_its_states() {
    use AlarmState::{Ack, Normal, OutOfService, RtnUnack, Shelved, Suppressed, Unack};
    use ChangeKind::{Cleared, Raised};
    let cases = [
        (Unack, quiet(), 4, vec![(Cleared, RtnUnack)], Some(RtnUnack)),
        (Ack, quiet(), 4, vec![(Cleared, Normal)], None),
        (RtnUnack, quiet(), 100, vec![], Some(RtnUnack)),
        (RtnUnack, over(Priority::Low), 3, vec![(Raised, Unack)], Some(Unack)),
        (Shelved, quiet(), 4, vec![(Cleared, Shelved)], Some(Shelved)),
        (Suppressed, quiet(), 4, vec![(Cleared, Suppressed)], Some(Suppressed)),
        (OutOfService, quiet(), 4, vec![(Cleared, OutOfService)], Some(OutOfService)),
        (Unack, quiet(), 3, vec![], Some(Unack)),
        (Unack, held(Priority::Medium), 100, vec![], Some(Unack)),
    ];
    for (from, finding, times, changes, to) in cases {
        let mut night = Night::in_state(from);
        let told: Vec<_> = night.panes(times, &finding).into_iter().filter(|(kind, _)| *kind != ChangeKind::Reassessed).collect();
        assert_eq!((told, night.state()), (changes, to), "from {from:?}");
    }
}

#[test]
fn commands_move_an_alarm_through_its_states() {
    use AlarmState::{Ack, Normal, OutOfService, RtnUnack, Shelved, Suppressed, Unack};
    let id = || Box::<str>::from("");
    let actions = [
        Action::Ack { alarm_id: id() },
        Action::Unack { alarm_id: id() },
        Action::Shelve { alarm_id: id(), until: time(50) },
        Action::Unshelve { alarm_id: id() },
        Action::Suppress { alarm_id: id() },
        Action::OutOfService { alarm_id: id() },
        Action::Return { alarm_id: id() },
        Action::Escalate { alarm_id: id() },
        Action::Comment { alarm_id: id() },
    ];
    // The table of `command`: ack, unack, shelve, unshelve, suppress, out of service, return, escalate, comment.
    let (s, u, o) = (Some(Shelved), Some(Suppressed), Some(OutOfService));
    let table = [
        (Unack, [Some(Ack), None, s, None, u, o, None, Some(Unack), Some(Unack)]),
        (Ack, [None, Some(Unack), s, None, u, o, None, Some(Ack), Some(Ack)]),
        (RtnUnack, [Some(Normal), None, s, None, u, o, None, Some(RtnUnack), Some(RtnUnack)]),
        (Shelved, [None, None, s, Some(Unack), u, o, None, s, s]),
        (Suppressed, [None, None, None, None, None, o, Some(Unack), u, u]),
        (OutOfService, [None, None, None, None, None, None, Some(Unack), o, o]),
    ];
    for (from, expected) in table {
        for (action, expected) in actions.iter().zip(expected) {
            let mut night = Night::in_state(from);
            let outcome = night.order(with_id(action, night.id()));
            match expected {
                Some(state) => assert_eq!(outcome.unwrap().1, state, "{action:?} on {from:?}"),
                None => assert_eq!(outcome.unwrap_err().reason, Reason::Refused, "{action:?} on {from:?}"),
            }
            assert_eq!(night.book.entries.is_empty(), expected == Some(Normal));
        }
    }
}

fn with_id(action: &Action, alarm_id: Box<str>) -> Action {
    match action {
        Action::Ack { .. } => Action::Ack { alarm_id },
        Action::Unack { .. } => Action::Unack { alarm_id },
        Action::Shelve { until, .. } => Action::Shelve { alarm_id, until: *until },
        Action::Unshelve { .. } => Action::Unshelve { alarm_id },
        Action::Suppress { .. } => Action::Suppress { alarm_id },
        Action::OutOfService { .. } => Action::OutOfService { alarm_id },
        Action::Return { .. } => Action::Return { alarm_id },
        Action::Escalate { .. } => Action::Escalate { alarm_id },
        Action::Comment { .. } | Action::Recount { .. } | Action::SwapModel { .. } => Action::Comment { alarm_id },
    }
}

#[test]
fn a_shelf_ends_at_the_close_of_the_pane_that_reaches_its_end() {
    for (goes_on, expected) in [(true, AlarmState::Unack), (false, AlarmState::Normal)] {
        let mut night = Night::in_state(AlarmState::Ack);
        let alarm_id = night.id();
        let until = EventTime::from_millis(time(10).as_millis() - 5_000);
        night.order(Action::Shelve { alarm_id, until }).unwrap();
        assert_eq!(night.log.last().unwrap().until, Some(until));
        let finding = if goes_on { over(Priority::Medium) } else { quiet() };
        night.panes(6, &finding);
        assert_eq!(night.state(), Some(AlarmState::Shelved));
        assert_eq!(night.panes(1, &finding)[0], (ChangeKind::Unshelved, expected));
        assert_eq!(night.book.entries.is_empty(), !goes_on);
    }
}

#[test]
fn a_shelf_in_the_past_is_refused() {
    let mut night = Night::in_state(AlarmState::Unack);
    let alarm_id = night.id();
    let refused = night.order(Action::Shelve { alarm_id, until: time(3) }).unwrap_err();
    assert_eq!((refused.reason, &*refused.field), (Reason::Refused, "until"));
}

#[test]
fn an_unknown_alarm_is_refused_with_the_nearest_live_ones() {
    let mut night = Night::in_state(AlarmState::Unack);
    let refused = night.order(Action::Ack { alarm_id: "DENS/casablanca/bowl/1".into() }).unwrap_err();
    assert!(refused.detail.contains(&*night.id()), "{refused}");
    assert!(!refused.detail.contains("bowl/1 "), "what came in is not repeated");
    let refused = Night::new().order(Action::Ack { alarm_id: "x".into() }).unwrap_err();
    assert_eq!((refused.reason, &*refused.field), (Reason::Refused, "alarm_id"));
}

#[test]
fn a_place_that_cannot_be_judged_keeps_its_alarm_and_starts_its_runs_anew() {
    let mut night = Night::new();
    night.panes(2, &over(Priority::Medium));
    night.close(&[]);
    assert!(night.book.entries.is_empty(), "a run that was broken");
    let mut night = Night::in_state(AlarmState::Ack);
    night.panes(3, &quiet());
    night.close(&[]);
    assert_eq!(night.panes(3, &quiet()), [], "the quiet must last in every pane");
    assert_eq!(night.panes(1, &quiet()), [(ChangeKind::Cleared, AlarmState::Normal)]);
}

#[test]
fn an_alarm_is_reassessed_once_a_minute_when_a_figure_has_moved() {
    let mut night = Night::in_state(AlarmState::Unack);
    assert_eq!(night.panes(60, &over(Priority::Medium)), [], "the same figure is no news");
    assert_eq!(night.panes(30, &finding("bowl", Some(Priority::Medium), None, 2.6)), [], "2.5 to 2.6 are 4 %");
    let grows: Vec<_> = (0..18).flat_map(|i| night.panes(1, &finding("bowl", Some(Priority::Medium), None, 2.7 + 0.1 * f64::from(i)))).collect();
    assert_eq!(grows, [(ChangeKind::Reassessed, AlarmState::Unack); 3], "once a minute in three minutes");
}

#[test]
fn a_leading_figure_that_stands_still_holds_no_other_back() {
    let late = |eta: f64| {
        let mut finding = over(Priority::Medium);
        let eta = Evidence { what: "entry_eta".into(), value: eta, unit: "ms".into(), ..finding.evidence[0].clone() };
        finding.evidence.push(eta);
        finding
    };
    let mut night = Night::new();
    night.panes(10, &late(1_900_000_000_000.0));
    assert_eq!(night.panes(10, &late(1_900_000_059_000.0)), [], "less than a minute");
    assert_eq!(night.panes(10, &late(1_900_000_061_000.0)), [(ChangeKind::Reassessed, AlarmState::Unack)]);
    assert_eq!(night.panes(10, &over(Priority::Medium)), [(ChangeKind::Reassessed, AlarmState::Unack)], "a figure that is gone");
}

#[test]
fn an_alarm_that_is_over_still_says_what_it_was_about() {
    let mut night = Night::in_state(AlarmState::Unack);
    assert_eq!(night.panes(4, &quiet()), [(ChangeKind::Cleared, AlarmState::RtnUnack)]);
    let cleared = night.log.last().expect("it cleared");
    assert_eq!((cleared.headline.args["density"], cleared.evidence[0].value), (2.5, quiet().evidence[0].value));
    assert_ne!(quiet().evidence[0].value, 2.5);
    let mut night = Night::new();
    night.panes(3, &over(Priority::High));
    night.panes(1, &held(Priority::Medium));
    assert_eq!(night.panes(3, &quiet()), [(ChangeKind::Priority, AlarmState::Unack)], "falls on the way to its end");
    assert_eq!(night.log.last().expect("it fell").headline.args["density"], 2.5);
}

#[test]
fn within_the_deadband_nothing_chatters() {
    let mut night = Night::in_state(AlarmState::Ack);
    let first = night.log.len();
    for _ in 0..500 {
        night.panes(1, &over(Priority::Medium));
        night.panes(3, &held(Priority::Medium));
    }
    assert!(night.since(first).iter().all(|(kind, state)| (*kind, *state) == (ChangeKind::Reassessed, AlarmState::Ack)));
}

#[test]
fn changed_entries_are_told_once_and_gone_ones_too() {
    let mut night = Night::new();
    night.panes(1, &over(Priority::Medium));
    assert_eq!(night.book.take_changed().len(), 1);
    assert!(night.book.take_changed().is_empty());
    night.panes(2, &over(Priority::Medium));
    night.book.take_changed();
    night.panes(5, &over(Priority::Medium));
    assert!(night.book.take_changed().is_empty(), "an alarm that stays as it is costs nothing");
    let alarm_id = night.id();
    night.order(Action::Ack { alarm_id }).unwrap();
    night.panes(4, &quiet());
    let gone = night.book.take_changed();
    assert_eq!(gone.len(), 1);
    assert!(gone.iter().all(|key| !night.book.entries.contains_key(key)));
}

#[test]
fn figures_leave_rounded_and_only_as_numbers() {
    let mut night = Night::new();
    let mut finding = finding("bowl", Some(Priority::High), None, 2.123_456_789);
    finding.on_delay = Span::ZERO;
    finding.evidence.push(Evidence { value: f64::NAN, ..finding.evidence[0].clone() });
    finding.headline.args.insert("p".into(), f64::INFINITY);
    night.panes(1, &finding);
    let change = &night.log[0];
    assert_eq!((change.evidence.len(), change.evidence[0].value, change.headline.args.len()), (1, 2.123_46, 1));
    let text = String::from_utf8(serde_json::to_vec(change).unwrap()).unwrap();
    assert!(text.starts_with(r#"{"v":1,"venue":"casablanca","event_time":1907850010000,"#) && !text.contains("null,\"unit"), "{text}");
    assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), *change);
}

/// What may happen in one pane: what is found of two places (exceeds, holds), and a command.
type Happening = ([Option<(u8, u8)>; 2], Option<u8>);

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let found = prop::option::weighted(0.9, (0u8..5, 0u8..5));
    prop::collection::vec((prop::array::uniform2(found), prop::option::of(0u8..9)), 1..120)
}

fn level(n: u8) -> Option<Priority> {
    [None, Some(Priority::Low), Some(Priority::Medium), Some(Priority::High), Some(Priority::Top)][usize::from(n)]
}

fn command(n: u8, alarm_id: Box<str>, pane: i64) -> Action {
    let action = match n {
        0 => Action::Ack { alarm_id },
        1 => Action::Unack { alarm_id },
        2 => Action::Shelve { alarm_id, until: time(pane + 5) },
        3 => Action::Unshelve { alarm_id },
        4 => Action::Suppress { alarm_id },
        5 => Action::OutOfService { alarm_id },
        6 => Action::Return { alarm_id },
        7 => Action::Escalate { alarm_id },
        _ => Action::Comment { alarm_id },
    };
    with_id(&action, alarm_of(&action))
}

fn alarm_of(action: &Action) -> Box<str> {
    match action {
        Action::Ack { alarm_id } | Action::Unack { alarm_id } | Action::Shelve { alarm_id, .. } | Action::Unshelve { alarm_id } => alarm_id.clone(),
        Action::Suppress { alarm_id } | Action::OutOfService { alarm_id } | Action::Return { alarm_id } => alarm_id.clone(),
        Action::Escalate { alarm_id } | Action::Comment { alarm_id } => alarm_id.clone(),
        Action::Recount { .. } | Action::SwapModel { .. } => "".into(),
    }
}

proptest! {
    /// Whatever is found and ordered: changes are numbered without a gap, begin with `raised` and end with `normal`, ids are never used twice, and a stored book goes on the same.
    #[test]
    fn the_record_of_every_alarm_is_whole(happenings in happenings()) {
        let mut night = Night::new();
        let mut restored = Night::new();
        for (places, order) in &happenings {
            let found = |(i, found): (usize, &Option<(u8, u8)>)| found.map(|(e, h)| finding(["bowl", "plaza"][i], level(e), level(h), f64::from(e) + 0.5));
            let findings: Vec<Finding> = places.iter().enumerate().filter_map(found).collect();
            night.close(&findings);
            restored.book = postcard::from_bytes(&postcard::to_stdvec(&restored.book).unwrap()).unwrap();
            restored.close(&findings);
            if let Some(order) = order {
                let before = night.book.clone();
                let action = command(*order, night.id(), night.pane);
                if night.order(action.clone()).is_err() {
                    prop_assert_eq!(&night.book, &before, "a refused command changes nothing");
                }
                _ = restored.order(action);
            }
            night.book.take_changed();
            restored.book.take_changed();
            prop_assert_eq!(&night.book, &restored.book);
        }
        prop_assert_eq!(&night.log, &restored.log);
        let mut alarms: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
        for change in &night.log {
            alarms.entry(&change.alarm_id).or_default().push(change);
        }
        let live: Vec<&str> = night.book.live().map(|(_, alarm)| &*alarm.alarm_id).collect();
        for (id, changes) in alarms {
            prop_assert!(changes.iter().zip(1..).all(|(change, n)| change.change_no == n));
            prop_assert_eq!(changes[0].change, ChangeKind::Raised);
            prop_assert!(changes.iter().all(|change| change.onset == changes[0].onset && change.place == changes[0].place));
            let ends: Vec<usize> = (0..changes.len()).filter(|i| changes[*i].state == AlarmState::Normal).collect();
            let ended_last = ends == [changes.len() - 1];
            prop_assert_eq!(ended_last, !live.contains(&id));
            prop_assert!(ended_last || ends.is_empty());
        }
    }
}

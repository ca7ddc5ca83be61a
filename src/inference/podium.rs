//! Which model has the word at a venue, and from which pane on another one has it.
//!
//! The idea: an operator orders a model by its hash and a time; from the first pane that ends after that time on it is asked for. Whether the instance at hand has it only the edge
//! knows, so the request names who is wanted and who stands in, and the answer says who was asked. A change of that is journaled with its pane, and a replay asks whom the journal names.
//!
//! ```text
//!   ordered from 20:00   panes  … 19:59:50  20:00:00 │ 20:00:10 …
//!                        asked          old       old │ new
//! ```

use super::manifest::{ModelCardRef, Role};
use crate::time::EventTime;
use serde::{Deserialize, Serialize};

/// Whom a request is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The first of these that the instance has is asked, and where it has none the one that is configured.
    pub now: Vec<ModelCardRef>,
    /// Nobody is to be asked, not the one that is configured either: a replay of a pane at which live had no model.
    pub nobody: bool,
    /// Who is to be asked from a later pane on, and had better be at hand by then.
    pub ahead: Option<ModelCardRef>,
}

/// What a request's answer tells of who has the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Who was asked last was asked again, or nobody.
    AsBefore,
    /// The one that is configured is the first that was asked, or there was none from the start.
    First,
    /// It is another one than before, or nobody any more: what was learnt of that one says nothing of it.
    Another,
}

/// Who has the word at a venue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Podium {
    roles: [OfRole; Role::ALL.len()],
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OfRole {
    /// By their times.
    ahead: Vec<Order>,
    /// Whom the last order that is due wants; `None` for the one that is configured.
    wanted: Option<ModelCardRef>,
    /// Who was asked last.
    spoke: Option<ModelCardRef>,
    /// Who was asked before that one.
    before: Option<ModelCardRef>,
    /// Since then there was nobody to ask: the instance has no model at all.
    silent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    from: EventTime,
    card: ModelCardRef,
}

impl Podium {
    /// Orders a model from the first pane that ends after `from`, or the next where that one has closed. A later order for the same time takes its place.
    pub fn order(&mut self, role: Role, card: ModelCardRef, from: EventTime) {
        let ahead = &mut self.roles[role as usize].ahead;
        let place = ahead.partition_point(|order| order.from < from);
        ahead.retain(|order| order.from != from);
        ahead.insert(place, Order { from, card });
    }

    /// The pane ending at `end` closes: orders that are due by then are in force. Whether there were any.
    pub fn turn_to(&mut self, end: EventTime) -> bool {
        let mut any = false;
        for of in &mut self.roles {
            let due = of.ahead.partition_point(|order| order.from < end);
            if let Some(last) = of.ahead.drain(..due).next_back() {
                of.wanted = Some(last.card);
                any = true;
            }
        }
        any
    }

    /// Whom to ask: who is wanted, and who stands in where the instance does not have it.
    pub fn call(&self, role: Role) -> Call {
        let of = &self.roles[role as usize];
        let now = of.wanted.iter().chain(of.stands_in()).cloned().collect();
        Call { now, nobody: false, ahead: of.ahead.first().map(|order| order.card.clone()) }
    }

    /// Whom to ask in a replay: who spoke live. `journaled` is who began to speak at this pane, `Some(None)` where from it on there was nobody.
    pub fn call_again(&self, role: Role, journaled: Option<Option<&ModelCardRef>>) -> Call {
        let of = &self.roles[role as usize];
        let heard = of.spoke.is_some().then(|| self.spoke(role));
        let speaker = journaled.or(heard);
        Call { now: speaker.flatten().cloned().into_iter().collect(), nobody: speaker == Some(None), ahead: None }
    }

    /// Hears who was asked; `by` is `None` for `configured`, of which there may be none: nobody is a speaker like any other.
    pub fn hear(&mut self, role: Role, by: Option<&ModelCardRef>, configured: Option<&ModelCardRef>) -> Heard {
        let of = &mut self.roles[role as usize];
        let Some(asked) = by.or(configured) else {
            return match (std::mem::replace(&mut of.silent, true), &of.spoke) {
                (true, _) => Heard::AsBefore,
                (false, None) => Heard::First,
                (false, Some(_)) => Heard::Another,
            };
        };
        let was_silent = std::mem::take(&mut of.silent);
        let heard = match (&of.spoke, configured) {
            (Some(spoke), _) if same(spoke, asked) => return if was_silent { Heard::Another } else { Heard::AsBefore },
            (None, Some(configured)) if same(configured, asked) && !was_silent => Heard::First,
            _ => Heard::Another,
        };
        of.before = of.spoke.replace(asked.clone()).or_else(|| configured.cloned());
        heard
    }

    /// Whether an order is in force.
    pub fn is_ordered(&self, role: Role) -> bool {
        self.roles[role as usize].wanted.is_some()
    }

    /// Whether one who is wanted is not the one that was asked last: another instance may have it.
    pub fn is_stood_in_for(&self) -> bool {
        let speaks = |role, wanted| self.spoke(role).is_some_and(|spoke| same(spoke, wanted));
        Role::ALL.into_iter().any(|role| self.roles[role as usize].wanted.as_ref().is_some_and(|wanted| !speaks(role, wanted)))
    }

    /// Who was asked last; `None` before the first pane, and where there was none.
    pub fn spoke(&self, role: Role) -> Option<&ModelCardRef> {
        let of = &self.roles[role as usize];
        of.spoke.as_ref().filter(|_| !of.silent)
    }
}

impl OfRole {
    fn stands_in(&self) -> Option<&ModelCardRef> {
        let wanted = self.wanted.as_ref()?;
        [&self.spoke, &self.before].into_iter().flatten().find(|other| !same(other, wanted))
    }
}

/// The hash alone tells: who writes an order may have the name wrong.
fn same(one: &ModelCardRef, other: &ModelCardRef) -> bool {
    one.sha256 == other.sha256
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: Role = Role::Flow;

    fn card(sha: &str) -> ModelCardRef {
        ModelCardRef { name: "m".into(), version: "1".into(), sha256: sha.into() }
    }

    const fn at(secs: i64) -> EventTime {
        EventTime::from_millis(secs * 1_000)
    }

    fn now(podium: &Podium) -> Vec<String> {
        podium.call(ROLE).now.into_iter().map(|card| card.sha256).collect()
    }

    #[test]
    fn an_order_is_in_force_from_the_first_pane_that_ends_after_its_time() {
        let mut podium = Podium::default();
        podium.order(ROLE, card("new"), at(20));
        podium.turn_to(at(20));
        assert_eq!((now(&podium), podium.call(ROLE).ahead), (vec![], Some(card("new"))));
        podium.turn_to(at(30));
        assert_eq!((now(&podium), podium.call(ROLE).ahead), (vec!["new".to_owned()], None));
        assert_eq!(podium.call(Role::Anomaly), Call::default());
    }

    #[test]
    fn of_two_orders_for_one_time_the_later_counts_and_of_two_that_are_due_the_last() {
        let mut podium = Podium::default();
        podium.order(ROLE, card("c"), at(30));
        podium.order(ROLE, card("a"), at(10));
        podium.order(ROLE, card("b"), at(10));
        assert_eq!(podium.call(ROLE).ahead, Some(card("b")));
        podium.turn_to(at(40));
        assert_eq!(now(&podium), ["c"]);
    }

    #[test]
    fn who_spoke_stands_in_until_the_one_that_is_wanted_is_there_and_again_when_it_is_gone() {
        let (old, new, configured) = (card("old"), card("new"), card("configured"));
        let mut podium = Podium::default();
        assert_eq!(podium.hear(ROLE, None, Some(&configured)), Heard::First);
        podium.order(ROLE, old.clone(), at(0));
        podium.turn_to(at(10));
        assert_eq!(podium.hear(ROLE, Some(&old), Some(&configured)), Heard::Another);
        podium.order(ROLE, new.clone(), at(10));
        podium.turn_to(at(20));
        assert_eq!(now(&podium), ["new", "old"]);
        assert_eq!(podium.hear(ROLE, Some(&old), Some(&configured)), Heard::AsBefore, "it has stood in");
        assert!(podium.is_stood_in_for());
        assert_eq!(podium.hear(ROLE, Some(&new), Some(&configured)), Heard::Another);
        assert!(!podium.is_stood_in_for());
        assert_eq!(now(&podium), ["new", "old"], "on an instance that lacks it");
        assert_eq!(podium.hear(ROLE, Some(&old), Some(&configured)), Heard::Another);
        assert_eq!((now(&podium), podium.spoke(ROLE)), (vec!["new".to_owned(), "old".to_owned()], Some(&old)));
    }

    #[test]
    fn nobody_is_a_speaker_too() {
        let mut podium = Podium::default();
        assert_eq!(podium.hear(ROLE, None, None), Heard::First);
        assert_eq!(podium.hear(ROLE, None, None), Heard::AsBefore);
        podium.order(ROLE, card("new"), at(0));
        podium.turn_to(at(10));
        assert_eq!(podium.hear(ROLE, Some(&card("new")), None), Heard::Another, "one where there was none");
        assert!(!podium.is_stood_in_for());
        assert_eq!(podium.hear(ROLE, None, None), Heard::Another, "on an instance that has no model at all");
        assert_eq!(podium.hear(ROLE, None, None), Heard::AsBefore);
        assert_eq!((podium.spoke(ROLE), podium.is_stood_in_for()), (None, true));
        assert_eq!(podium.call_again(ROLE, None), Call { nobody: true, ..Call::default() }, "a replay asks nobody");
        assert_eq!(podium.hear(ROLE, Some(&card("new")), None), Heard::Another);
        assert_eq!((podium.spoke(ROLE), podium.is_stood_in_for()), (Some(&card("new")), false));
    }

    #[test]
    fn who_has_spoken_stands_in_also_behind_panes_with_nobody() {
        let mut podium = Podium::default();
        podium.hear(ROLE, None, Some(&card("old")));
        podium.order(ROLE, card("new"), at(0));
        podium.turn_to(at(10));
        podium.hear(ROLE, Some(&card("new")), Some(&card("old")));
        podium.hear(ROLE, None, None);
        assert_eq!(now(&podium), ["new", "old"]);
    }

    #[test]
    fn another_model_by_configuration_is_a_change_too() {
        let mut podium = Podium::default();
        podium.hear(ROLE, None, Some(&card("old")));
        assert_eq!(podium.hear(ROLE, None, Some(&card("new"))), Heard::Another);
    }

    #[test]
    fn a_replay_asks_whom_the_journal_names_and_then_who_spoke() {
        let mut podium = Podium::default();
        podium.order(ROLE, card("ordered"), at(0));
        podium.turn_to(at(10));
        assert_eq!(podium.call_again(ROLE, None), Call::default(), "the one that is configured");
        assert_eq!(podium.call_again(ROLE, Some(Some(&card("live")))).now, [card("live")]);
        assert!(podium.call_again(ROLE, Some(None)).nobody);
        podium.hear(ROLE, Some(&card("live")), None);
        assert_eq!(podium.call_again(ROLE, None).now, [card("live")]);
    }
}

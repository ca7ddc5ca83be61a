//! Alerts that an earlier life of a partition sent before their commit, and that this life owes: it must make each of them again, byte for byte.
//!
//! The idea: an alert that left at once is a function of the logs, so whoever reads the same records makes the same alert (DESIGN §4 rule 7). Each commit
//! writes down how far the alerts stood ([`Owner`]); what stands behind that on `midan.alerts` was sent by somebody who died before the
//! commit. Until all of it has been made again nothing else may move the partition: no tick, and no command beyond those that the sender
//! had read. So an operator's word that came after an alert cannot prevent it afterwards.
//!
//! A repeat is not sent again, unless something newer of the same alarm has been: then the last record of a key would not be the newest.

use crate::engine::Alert;
use crate::log::{Identities, SentAlert};
use crate::venue::Feed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a shard writes to `midan.state` beside its cores' entries, under [`crate::log::OWNER_KEY`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) v: u32,
    /// The id under which its transactions run.
    pub(super) id: String,
    /// The group through which it had the partition.
    #[serde(default)]
    pub(super) group: String,
    /// The term under which it wrote this, and what of it was added to the group's generation ([`super::resume`]).
    #[serde(default, rename = "generation")]
    pub(super) term: i32,
    #[serde(default)]
    pub(super) lift: i32,
    /// Alerts of this partition before this offset belong to commits that stand.
    pub(super) alerts: i64,
    /// The term from which on alerts behind it are owed, where that is an owner's before this one.
    #[serde(default)]
    pub(super) owed_since: Option<i32>,
    /// Those behind it that do so too: alarm and change.
    pub(super) settled: Vec<(String, u32)>,
    /// The next offset of each feed behind what the state contains; the older versions left that to the group.
    #[serde(default)]
    pub(super) next: BTreeMap<Feed, i64>,
    /// Of which topics these are the offsets, where the log tells; none where it did not.
    #[serde(default, skip_serializing_if = "Identities::is_empty")]
    pub(super) topics: Identities,
}

/// How a shard signs a mark: its id and group, and its term with what was added to the generation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature<'a> {
    pub(super) id: &'a str,
    pub(super) group: &'a str,
    pub(super) term: i32,
    pub(super) lift: i32,
    pub(super) topics: &'a Identities,
}

/// An alert's identity.
type Identity = (Vec<u8>, u32);

#[derive(Debug)]
struct Sent {
    value: Vec<u8>,
    commands_read: i64,
}

/// What is owed on one partition.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Where the tail began, and where it ended when it was read.
    from: i64,
    end: i64,
    /// The term of the owner who left the tail; what was sent under an earlier one behind its mark is a sleeper's, whom it had replaced.
    term: i32,
    /// The greatest term of the tail.
    greatest: i32,
    alerts: BTreeMap<Identity, Sent>,
    /// Made since the tail was read: what the next life must not look for.
    settled: BTreeSet<Identity>,
    /// Of each alarm, the greatest term of the tail, and the greatest change.
    newest: BTreeMap<Vec<u8>, (i32, u32)>,
    /// Alarms of which something was sent since, or of which the tail ends with something older: what is owed of them comes again, so that the last is the newest.
    spoken: BTreeSet<Vec<u8>>,
    read_to_end: BTreeSet<Feed>,
}

/// What an alert that falls due is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nobody has sent it, or it must come again behind a newer one.
    New,
    /// It stands already.
    Sent,
    /// Another one stands in its place: a promise is broken, and somebody must look into it.
    Differs,
}

impl Owed {
    /// The tail begins at the owner's mark; nothing is owed yet.
    pub(super) fn since(owner: Option<&Owner>) -> Self {
        let settled = owner.map(|owner| owner.settled.iter().map(|(key, change_no)| (key.clone().into_bytes(), *change_no)).collect());
        let (from, term) = owner.map_or((0, 0), |owner| (owner.alerts, owner.owed_since.unwrap_or(owner.term)));
        Self { from, term, settled: settled.unwrap_or_default(), ..Self::default() }
    }

    /// One alert of the tail.
    pub(super) fn add(&mut self, alert: SentAlert<'_>) {
        let identity = (alert.key.to_vec(), alert.change_no);
        self.greatest = self.greatest.max(alert.term);
        let (term, change_no) = self.newest.entry(alert.key.to_vec()).or_insert((alert.term, alert.change_no));
        // A sleeper speaks under an older term; whoever died while repeating left an older change under its own.
        if alert.term < *term || alert.change_no < *change_no {
            self.spoken.insert(alert.key.to_vec());
        } else {
            self.spoken.remove(alert.key);
        }
        (*term, *change_no) = (alert.term.max(*term), alert.change_no.max(*change_no));
        if alert.term >= self.term && !self.settled.contains(&identity) {
            self.alerts.insert(identity, Sent { value: alert.value.to_vec(), commands_read: alert.commands_read });
        }
    }

    /// The tail was read to this offset.
    pub(super) fn read_to(&mut self, end: i64) {
        self.end = end;
    }

    /// The greatest term under which one of them was sent.
    pub(super) fn greatest_term(&self) -> i32 {
        self.greatest
    }

    pub(super) fn is_any(&self) -> bool {
        !self.alerts.is_empty()
    }

    /// The commands that whoever sent the alerts had read.
    pub(super) fn commands_until(&self) -> i64 {
        self.alerts.values().map(|sent| sent.commands_read).max().unwrap_or(i64::MAX)
    }

    /// An alert falls due.
    pub(super) fn take(&mut self, alert: &Alert) -> Due {
        if self.alerts.is_empty() {
            return Due::New;
        }
        let identity = (alert.key.clone(), alert.change_no);
        let sent = self.alerts.remove(&identity);
        self.settled.insert(identity);
        let due = match sent {
            Some(sent) if sent.value != alert.value => Due::Differs,
            Some(_) if !alert.after_commit && !self.spoken.contains(&alert.key) => return Due::Sent,
            _ => Due::New,
        };
        self.spoken.insert(alert.key.clone());
        due
    }

    /// A feed was read to its end: whatever its records make has been made.
    pub(super) fn ended(&mut self, feed: Feed) {
        if !self.alerts.is_empty() {
            self.read_to_end.insert(feed);
        }
    }

    /// Whether every record that was there has been read, so that what is still owed will not come.
    pub(super) fn is_hopeless(&self) -> bool {
        self.is_any() && Feed::ALL.iter().filter(|feed| **feed != Feed::Commands).all(|feed| self.read_to_end.contains(feed))
    }

    /// Gives up what is still owed, and answers it.
    pub(super) fn give_up(&mut self) -> Vec<Identity> {
        std::mem::take(&mut self.alerts).into_keys().collect()
    }

    /// What a commit writes down; `own_end` is the offset behind the last alert that this shard sent, `next` are the offsets that it commits.
    pub(super) fn mark(&self, by: Signature<'_>, own_end: Option<i64>, next: BTreeMap<Feed, i64>) -> Owner {
        let owner =
            Owner { v: 2, id: by.id.to_owned(), group: by.group.to_owned(), term: by.term, lift: by.lift, topics: by.topics.clone(), next, ..Owner::default() };
        if self.is_any() {
            let settled = self.settled.iter().map(|(key, change_no)| (String::from_utf8_lossy(key).into_owned(), *change_no)).collect();
            return Owner { alerts: self.from, owed_since: Some(self.term), settled, ..owner };
        }
        Owner { alerts: own_end.unwrap_or(self.end).max(self.end), ..owner }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(key: &'static str, change_no: u32, commands_read: i64) -> SentAlert<'static> {
        SentAlert { key: key.as_bytes(), change_no, value: b"text", commands_read, term: 3 }
    }

    fn signed(term: i32) -> Signature<'static> {
        const NONE: &Identities = &Identities::new();
        Signature { id: "me", group: "us", term, lift: 1, topics: NONE }
    }

    fn made(key: &str, change_no: u32) -> Alert {
        Alert { key: key.into(), change_no, value: b"text".to_vec(), after_commit: false }
    }

    fn owing(alerts: &[SentAlert<'_>]) -> Owed {
        let mut owed = Owed::since(Some(&Owner { alerts: 10, ..Owner::default() }));
        alerts.iter().for_each(|alert| owed.add(*alert));
        owed.read_to(20);
        owed
    }

    #[test]
    fn what_was_sent_is_not_sent_again_and_what_differs_is_told() {
        let mut owed = owing(&[sent("a", 1, 0), sent("b", 1, 0)]);
        assert_eq!(owed.take(&made("a", 1)), Due::Sent);
        assert_eq!(owed.take(&Alert { value: b"another".to_vec(), ..made("b", 1) }), Due::Differs);
        assert!(!owed.is_any());
        assert_eq!(owed.take(&made("c", 1)), Due::New);
    }

    #[test]
    fn a_repeat_behind_something_newer_of_its_alarm_comes_again() {
        // Compaction took the first change away.
        let mut owed = owing(&[sent("a", 2, 0)]);
        assert_eq!([owed.take(&made("a", 1)), owed.take(&made("a", 2))], [Due::New, Due::New]);
    }

    #[test]
    fn whoever_died_while_repeating_leaves_an_older_change_last_and_the_newest_comes_again() {
        // The first change was lost, and made again by a life that died before it came to the second.
        let mut owed = owing(&[sent("a", 2, 0), sent("b", 1, 0), sent("a", 1, 0)]);
        assert_eq!([owed.take(&made("a", 1)), owed.take(&made("b", 1)), owed.take(&made("a", 2))], [Due::New, Due::Sent, Due::New]);
        // Nor does it make a difference that the first stands by now.
        let mut mark = Owner { alerts: 10, settled: vec![("a".to_owned(), 1)], ..Owner::default() };
        mark.term = 3;
        let mut next = Owed::since(Some(&mark));
        [sent("a", 2, 0), sent("a", 1, 0)].into_iter().for_each(|alert| next.add(alert));
        assert_eq!(next.take(&made("a", 2)), Due::New);
    }

    #[test]
    fn whoever_dies_while_repeating_under_a_new_term_leaves_an_older_change_last_too() {
        // As it came in a schedule: the second change was lost, its heir made the second and the third again, and died before the fourth.
        let mark = Owner { alerts: 5, owed_since: Some(17), settled: vec![("a".to_owned(), 2), ("a".to_owned(), 3)], ..Owner::default() };
        let mut owed = Owed::since(Some(&mark));
        for (term, change_no) in [(17, 3), (17, 4), (18, 2), (18, 3)] {
            owed.add(SentAlert { term, ..sent("a", change_no, 0) });
        }
        assert_eq!(owed.take(&made("a", 4)), Due::New, "the last that stands is the third");
        for tail in [&[(17, 3), (17, 4), (18, 3), (18, 4)][..], &[(18, 4), (17, 3), (18, 4)][..]] {
            let mut owed = Owed::since(Some(&mark));
            tail.iter().for_each(|(term, change_no)| owed.add(SentAlert { term: *term, ..sent("a", *change_no, 0) }));
            assert_eq!(owed.take(&made("a", 4)), Due::Sent, "it stands as the last: {tail:?}");
        }
    }

    #[test]
    fn a_second_crash_looks_only_for_what_is_still_owed() {
        // Whoever died first spoke under term 3, and the heir, who dies too, signs with its own.
        let mut owed = Owed::since(Some(&Owner { alerts: 10, term: 3, ..Owner::default() }));
        [sent("a", 1, 0), sent("b", 1, 0)].into_iter().for_each(|alert| owed.add(alert));
        owed.take(&made("a", 1));
        let mark = owed.mark(signed(4), Some(25), BTreeMap::new());
        assert_eq!((mark.alerts, mark.settled.as_slice()), (10, &[("a".to_owned(), 1)][..]));
        let mut next = Owed::since(Some(&mark));
        [sent("a", 1, 0), sent("b", 1, 0)].into_iter().for_each(|alert| next.add(alert));
        assert_eq!(next.take(&made("b", 1)), Due::Sent);
        assert!(!next.is_any());
        let places = BTreeMap::from([(Feed::Sensors, 9)]);
        assert_eq!(
            next.mark(signed(5), Some(25), places.clone()),
            Owner { v: 2, id: "me".into(), group: "us".into(), term: 5, lift: 1, alerts: 25, next: places, ..Owner::default() }
        );
    }

    #[test]
    fn what_a_sleeper_sent_behind_its_successors_mark_is_not_owed() {
        let mut owed = Owed::since(Some(&Owner { term: 4, ..Owner::default() }));
        owed.add(sent("a", 1, 0));
        assert!(!owed.is_any());
    }

    #[test]
    fn commands_are_read_as_far_as_the_sender_had_read_them() {
        let owed = owing(&[sent("a", 1, 3), sent("b", 1, 7)]);
        assert_eq!(owed.commands_until(), 7);
    }

    #[test]
    fn what_no_record_makes_again_is_given_up_when_all_are_read() {
        let mut owed = owing(&[sent("a", 1, 0)]);
        [Feed::Sensors, Feed::Ticketing, Feed::Commands].into_iter().for_each(|feed| owed.ended(feed));
        assert!(!owed.is_hopeless());
        owed.ended(Feed::Transport);
        assert!(owed.is_hopeless());
        assert_eq!(owed.give_up(), [(b"a".to_vec(), 1)]);
    }
}

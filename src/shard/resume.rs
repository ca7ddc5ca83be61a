//! Where a partition is read on, and under which term its shard speaks: where its state says.
//!
//! The idea: outputs, state and offsets move in one transaction, so the state and the group's offsets agree, as long as the group lives. But a group can be deleted or renamed, and of one that
//! stands empty for a week Kafka forgets the offsets (`offsets.retention.minutes`), as between two matches. Only the state knows what it contains: so each commit
//! writes down in it where it stands, and it goes on from there, whatever the group has come to think. In the same way the group's generation begins anew with a new group, and readers
//! would take everything that comes for a sleeper's words; the term of a partition never does.
//!
//! What the state needs and the log has no more is gone, and is told, place by place.

use super::owed::Owner;
use super::partition::Found;
use crate::log::{LogError, Offsets, Place};

/// What is noted where state, group and log do not agree. Reading goes on all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disagreement {
    /// The group stands elsewhere than the state, or nowhere; the state counts.
    Group {
        /// Where the state stands.
        state: i64,
        /// Where the group does.
        group: Option<i64>,
    },
    /// The group has read up to here, and there is no state of it: what was known is gone.
    NoState {
        /// Where the group stands.
        group: i64,
    },
    /// The topic was made anew since the state was written: it is read from its beginning.
    Anew {
        /// Where the state stood in the old one.
        state: i64,
    },
    /// The log ends before the state does, and the partition waits: records that had been read are lost.
    CutShort {
        /// Where the state stands.
        state: i64,
        /// Where the log ends.
        end: i64,
    },
    /// Records were deleted before they were read.
    Deleted {
        /// The first that is missing.
        from: i64,
        /// The first that is there again.
        to: i64,
    },
}

/// Where the reading goes on, and what does not agree.
pub(super) type Resumed = (Offsets, Vec<(Place, Disagreement)>);

/// The next offset of each feed: the state's where it tells, the group's where it does not, and otherwise the first that is kept, for one that begins.
///
/// Refused is a state that does not tell, and put off is a log that ends before the state does.
pub(super) fn resume(partition: u32, owner: Option<&Owner>, has_state: bool, found: &Found<'_>) -> Result<Resumed, LogError> {
    let (mut next, mut told) = (Offsets::new(), Vec::new());
    let group = &found.committed;
    for (place, kept) in &found.kept {
        let stands = owner.and_then(|owner| owner.next.get(&place.feed).copied());
        let known = group.get(place).copied();
        let topics = owner.and_then(|owner| owner.topics.get(&place.feed)).zip(found.topics.get(&place.feed));
        // Where the log does not tell: a group is forgotten as a whole; of a topic that was deleted Kafka forgets the offsets alone.
        let is_anew = topics.map_or(known.is_none() && !group.is_empty(), |(of_state, now)| of_state != now);
        let from = match (stands, known) {
            (Some(state), _) if is_anew => {
                told.push((*place, Disagreement::Anew { state }));
                kept.start
            }
            (Some(state), group) => {
                if group != Some(state) {
                    told.push((*place, Disagreement::Group { state, group }));
                }
                state
            }
            (None, Some(group)) => {
                if owner.is_none() && !has_state {
                    told.push((*place, Disagreement::NoState { group }));
                }
                group
            }
            (None, None) if has_state => return Err(LogError::State { partition, detail: format!("it does not say where in {place} it stands") }),
            (None, None) => kept.start,
        };
        if from > kept.end {
            return Err(LogError::CutShort { place: *place, state: from, end: kept.end });
        }
        if from < kept.start {
            told.push((*place, Disagreement::Deleted { from, to: kept.start }));
        }
        next.insert(*place, from.max(kept.start));
    }
    Ok((next, told))
}

/// What is added to the group's generation to make the term, so that no owner speaks under a term of one before it: neither of its mark nor `spoken`, the greatest of the alerts behind that.
pub(super) fn lift(owner: Option<&Owner>, spoken: i32, id: &str, generation: i32) -> i32 {
    let Some(owner) = owner else { return 0 };
    let (term, before) = (generation.saturating_add(owner.lift), owner.term.max(spoken));
    let is_behind = term < before || term == before && owner.id != id;
    if is_behind { before.saturating_add(1).saturating_sub(generation) } else { owner.lift }
}

/// Whether whoever owned the partition had it through another group: then no group has dropped it, and only fencing stops it.
///
/// Not of a group that was forgotten and goes on under its name: it was empty then, and whoever is in it now may be the owner of before, alive, at another partition.
pub(super) fn is_of_another_group(owner: &Owner, id: &str, group: &str) -> bool {
    owner.id != id && !owner.group.is_empty() && owner.group != group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::Feed;
    use std::collections::BTreeMap;

    const PLACE: Place = Place { feed: Feed::Sensors, partition: 3 };

    fn standing(next: Option<i64>) -> Owner {
        Owner { id: "a".into(), term: 7, next: next.map(|next| (Feed::Sensors, next)).into_iter().collect(), ..Owner::default() }
    }

    fn at(next: i64) -> Offsets {
        BTreeMap::from([(PLACE, next)])
    }

    fn resumed(owner: Option<&Owner>, group: &Offsets) -> Result<(i64, Vec<Disagreement>), LogError> {
        resumed_on(owner, group, None)
    }

    /// The same where the log tells which topic it is.
    fn resumed_on(owner: Option<&Owner>, group: &Offsets, topic: Option<&str>) -> Result<(i64, Vec<Disagreement>), LogError> {
        let topics = topic.map(|topic| (PLACE.feed, topic.to_owned())).into_iter().collect();
        let found = Found { id: "b", group: "g", generation: 8, committed: group.clone(), kept: BTreeMap::from([(PLACE, 100..200)]), topics, alerts_end: 0 };
        resume(3, owner, owner.is_some(), &found).map(|(next, told)| (next[&PLACE], told.into_iter().map(|(_, what)| what).collect()))
    }

    #[test]
    fn the_state_says_where_it_stands_whatever_the_group_thinks() {
        let owner = standing(Some(150));
        assert_eq!(resumed(Some(&owner), &at(150)).unwrap(), (150, vec![]));
        assert_eq!(resumed(Some(&owner), &at(120)).unwrap(), (150, vec![Disagreement::Group { state: 150, group: Some(120) }]));
        assert_eq!(resumed(Some(&owner), &Offsets::new()).unwrap(), (150, vec![Disagreement::Group { state: 150, group: None }]));
    }

    #[test]
    fn one_that_begins_reads_what_is_kept_and_one_whose_state_is_gone_says_so() {
        assert_eq!(resumed(None, &Offsets::new()).unwrap(), (100, vec![]));
        assert_eq!(resumed(None, &at(150)).unwrap(), (150, vec![Disagreement::NoState { group: 150 }]));
    }

    #[test]
    fn a_state_that_does_not_tell_goes_by_the_group_and_is_refused_without_it() {
        assert_eq!(resumed(Some(&standing(None)), &at(150)).unwrap(), (150, vec![]));
        let refused = resumed(Some(&standing(None)), &Offsets::new()).unwrap_err();
        assert_eq!(refused.answer(), crate::log::Answer::Stop);
        assert!(refused.to_string().contains("feeds.sensors[3]"), "{refused}");
    }

    #[test]
    fn a_topic_that_was_made_anew_is_read_from_its_beginning_however_far_it_has_come() {
        let of_another_feed = BTreeMap::from([(Place { feed: Feed::Commands, partition: 3 }, 9)]);
        for state in [150, 5_000] {
            assert_eq!(resumed(Some(&standing(Some(state))), &of_another_feed).unwrap(), (100, vec![Disagreement::Anew { state }]));
        }
    }

    #[test]
    fn where_the_log_tells_which_topic_it_is_nothing_is_guessed() {
        let of = |topic: &str, next| Owner { topics: [(PLACE.feed, topic.to_owned())].into(), ..standing(Some(next)) };
        let of_another_feed = BTreeMap::from([(Place { feed: Feed::Commands, partition: 3 }, 9)]);
        for group in [Offsets::new(), at(150), of_another_feed.clone()] {
            for state in [150, 5_000] {
                let told = resumed_on(Some(&of("first", state)), &group, Some("second")).unwrap();
                assert_eq!(told, (100, vec![Disagreement::Anew { state }]), "all made anew at once look like a forgotten group, and have come further or not");
            }
        }
        // The group's offsets of this topic alone were deleted.
        let told = resumed_on(Some(&of("first", 150)), &of_another_feed, Some("first")).unwrap();
        assert_eq!(told, (150, vec![Disagreement::Group { state: 150, group: None }]));
        // A state of before, or a broker that does not say.
        let told = resumed_on(Some(&of("first", 150)), &of_another_feed, None).unwrap();
        assert_eq!(told, (100, vec![Disagreement::Anew { state: 150 }]));
    }

    #[test]
    fn an_owner_of_another_group_is_fenced_and_one_of_this_was_dropped_by_it() {
        let mark = |id: &str, group: &str, term| Owner { id: id.into(), group: group.into(), term, ..Owner::default() };
        assert!(is_of_another_group(&mark("a", "old", 7), "b", "new"));
        assert!(!is_of_another_group(&mark("a", "same", 7), "b", "same"));
        assert!(!is_of_another_group(&mark("a", "old", 7), "a", "new"), "one's own past is fenced already");
    }

    #[test]
    fn what_was_deleted_unread_is_told() {
        assert_eq!(resumed(Some(&standing(Some(40))), &at(40)).unwrap(), (100, vec![Disagreement::Deleted { from: 40, to: 100 }]));
    }

    #[test]
    fn a_log_that_ends_before_the_state_is_not_read_from_elsewhere() {
        let refused = resumed(Some(&standing(Some(201))), &at(201)).unwrap_err();
        // A follower that has become the leader may learn only later how far the log is agreed on.
        assert_eq!(refused.answer(), crate::log::Answer::Retry);
        assert!(refused.to_string().contains("ends at 200"), "{refused}");
    }

    #[test]
    fn no_owner_speaks_under_a_term_of_one_before_it() {
        let mark = |id: &str, term, lift| Owner { id: id.into(), term, lift, ..Owner::default() };
        let term = |owner: &Owner, id, generation| generation + lift(Some(owner), 0, id, generation);
        assert_eq!(term(&mark("a", 7, 0), "b", 8), 8, "the group goes on");
        assert_eq!(term(&mark("a", 7, 0), "a", 7), 7, "the same owner, after an abort");
        assert_eq!(term(&mark("a", 7, 0), "b", 1), 8, "a new group");
        assert_eq!(term(&mark("a", 7, 0), "b", 7), 8, "a new group that has come as far");
        assert_eq!(term(&mark("b", 8, 7), "c", 2), 9, "and its next generation");
        assert_eq!(12 + lift(Some(&mark("a", 7, 0)), 12, "b", 12), 13, "nor of one whose mark was never committed");
        assert_eq!(lift(None, 0, "a", 5), 0);
    }
}

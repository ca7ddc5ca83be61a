//! An owner that came through another group: when that group is empty it is fenced, and what stands then is read, before its partition is taken up.
//!
//! The idea: of an owner of this group the group says when it is gone; of one of another group nobody does. And the one that wrote last need not be the one at work: within a group a
//! partition goes from hand to hand before the next has committed anything. So the partition waits while that group has any member; the offsets of whoever is none any more are refused, and its
//! transaction with them. What is under way is ended by fencing whoever wrote last, and its state counts only as it is read after that:
//!
//! ```text
//!             ┌──── it has members ────┐
//!             ▼                        │
//!   AtWork ──look──► Unknown ──read: the group is empty──► Asked ──look: done──► Fenced ──read: the group is empty──► taken up
//!                       ▲                                    │
//!                       └── look: failed, or the client that was asked is gone
//! ```

use crate::log::{Fencing, LogError};

const DOING: &str = "taking a partition up";

/// How far the fencing of an owner of another group has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Foreign {
    /// Nobody was asked.
    #[default]
    Unknown,
    /// This group has members.
    AtWork(String),
    /// The log was asked to fence this id.
    Asked(String),
    /// It was fenced before the state was read.
    Fenced(String),
}

impl Foreign {
    /// Looks, before the state is read, what has come of what was asked; `fencing` is what the log says of an id.
    ///
    /// # Errors
    /// [`LogError::Blocked`] while it goes on or when it has failed, [`LogError::Refused`] where it will not come about.
    pub(super) fn look(&mut self, fencing: impl FnOnce(&str) -> Option<Fencing>) -> Result<(), LogError> {
        let id = match self {
            Self::Asked(id) => id,
            Self::AtWork(_) => {
                *self = Self::Unknown;
                return Ok(());
            }
            Self::Unknown | Self::Fenced(_) => return Ok(()),
        };
        match fencing(id) {
            Some(Fencing::Going) => Err(LogError::Blocked { doing: DOING, detail: format!("{id} of another group is being fenced") }),
            Some(Fencing::Done) => {
                *self = Self::Fenced(std::mem::take(id));
                Ok(())
            }
            Some(Fencing::Failed(why)) => {
                let detail = format!("{id} of another group could not be fenced: {why}");
                *self = Self::Unknown;
                Err(LogError::Blocked { doing: DOING, detail })
            }
            Some(Fencing::Refused { detail, cure }) => {
                let detail = format!("{id} of another group may not be fenced: {detail}");
                *self = Self::Unknown;
                Err(LogError::Refused { doing: DOING, detail, cure })
            }
            None => {
                *self = Self::Unknown;
                Ok(())
            }
        }
    }

    /// Whether the outcome of a fence is still to come.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self, Self::Asked(_))
    }

    /// The group that was at work when it was looked last.
    pub(super) fn group_at_work(&self) -> Option<&str> {
        if let Self::AtWork(group) = self { Some(group) } else { None }
    }

    /// Notes that this group has members.
    pub(super) fn at_work(&mut self, group: &str) {
        *self = Self::AtWork(group.to_owned());
    }

    /// Whether what was read of this owner is final.
    pub(super) fn is_fenced(&self, id: &str) -> bool {
        matches!(self, Self::Fenced(known) if known == id)
    }

    /// Notes that the log was asked to fence `id`, and answers why the partition is not taken up yet.
    pub(super) fn asked(&mut self, id: &str) -> LogError {
        *self = Self::Asked(id.to_owned());
        LogError::Blocked { doing: DOING, detail: format!("{id} of another group is to be fenced") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Answer;

    fn asked() -> Foreign {
        let mut foreign = Foreign::default();
        assert!(!foreign.is_fenced("a"));
        assert_eq!(foreign.asked("a").answer(), Answer::Retry);
        foreign
    }

    #[test]
    fn what_was_read_before_the_fence_stood_is_not_gone_by() {
        let mut foreign = asked();
        assert!(foreign.look(|_| Some(Fencing::Going)).is_err() && !foreign.is_fenced("a"));
        assert!(foreign.is_asked());
        foreign.look(|_| Some(Fencing::Done)).unwrap();
        assert!(foreign.is_fenced("a"), "and the state is read now");
        assert!(!foreign.is_fenced("b"), "of another one that has taken it meanwhile nothing is known");
    }

    #[test]
    fn a_fence_that_failed_is_no_fence() {
        let mut foreign = asked();
        let blocked = foreign.look(|_| Some(Fencing::Failed("the broker is away".to_owned()))).unwrap_err();
        assert_eq!(blocked.answer(), Answer::Retry);
        assert!(blocked.to_string().contains("the broker is away"), "{blocked}");
        assert!(!foreign.is_fenced("a") && !foreign.is_asked());
    }

    #[test]
    fn what_will_not_come_about_stops_with_its_cure() {
        let refused = asked().look(|_| Some(Fencing::Refused { detail: "not authorised".to_owned(), cure: "let the account use it" })).unwrap_err();
        assert_eq!(refused.answer(), Answer::Stop);
        assert!(refused.to_string().contains("let the account use it"), "{refused}");
    }

    #[test]
    fn a_client_that_was_built_anew_is_asked_again() {
        let mut foreign = asked();
        foreign.look(|_| None).unwrap();
        assert_eq!(foreign, Foreign::Unknown);
    }
}

//! An owner that came through another group: it is fenced, and what stands then is read, before its partition is taken up.
//!
//! The idea: of an owner of this group the group says when it is gone; of one of another group nobody does. So it is fenced first, and its state counts only as it is read after that:
//!
//! ```text
//!   Unknown ──ask──► Asked ──it is done──► Fenced ──the state is read again──► taken up
//!                      └──it failed, or the client that was asked is gone──► Unknown
//! ```

use crate::log::{Fencing, LogError};

/// How far the fencing of an owner of another group has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Foreign {
    /// Nobody was asked.
    #[default]
    Unknown,
    /// The log was asked to fence this id.
    Asked(String),
    /// It is fenced; what is read from here on is final.
    Fenced(String),
}

impl Foreign {
    /// Whether the log is to be asked to fence `id` now.
    pub(super) fn asks(&mut self, id: &str) -> bool {
        let is_known = matches!(self, Self::Asked(known) | Self::Fenced(known) if known == id);
        if !is_known {
            *self = Self::Asked(id.to_owned());
        }
        !is_known
    }

    /// Whether the partition may be taken up with the state that was read before this call, given how the log says the fencing stands.
    ///
    /// # Errors
    /// [`LogError::Blocked`] when the state is to be read again, later.
    pub(super) fn pass(&mut self, fencing: Option<Fencing>) -> Result<(), LogError> {
        let detail = match (std::mem::take(self), fencing) {
            (Self::Fenced(id), _) => {
                *self = Self::Fenced(id);
                return Ok(());
            }
            (Self::Asked(id), Some(Fencing::Done)) => {
                let detail = format!("{id} of another group is fenced; what it has committed is read again");
                *self = Self::Fenced(id);
                detail
            }
            (Self::Asked(id), Some(Fencing::Going)) => {
                let detail = format!("{id} of another group is being fenced");
                *self = Self::Asked(id);
                detail
            }
            (Self::Asked(id), Some(Fencing::Failed(why))) => format!("{id} of another group could not be fenced ({why}); it is tried again"),
            (Self::Asked(id), None) => format!("{id} of another group is to be fenced once more, by another client"),
            (Self::Unknown, _) => "an owner of another group is to be fenced".to_owned(),
        };
        Err(LogError::Blocked { doing: "taking a partition up", detail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_the_fence_stood_is_not_gone_by() {
        let mut foreign = Foreign::default();
        assert!(foreign.asks("a"));
        assert!(foreign.pass(Some(Fencing::Going)).is_err());
        assert!(!foreign.asks("a"), "it is asked once");
        assert!(foreign.pass(Some(Fencing::Done)).is_err(), "the state was read before this was known");
        assert!(!foreign.asks("a"));
        assert!(foreign.pass(None).is_ok());
    }

    #[test]
    fn a_fence_that_failed_is_no_fence() {
        let mut foreign = Foreign::default();
        foreign.asks("a");
        let blocked = foreign.pass(Some(Fencing::Failed("not authorised".to_owned()))).unwrap_err();
        assert_eq!(blocked.answer(), crate::log::Answer::Retry);
        assert!(blocked.to_string().contains("not authorised"), "{blocked}");
        assert!(foreign.asks("a"), "it is asked again");
    }

    #[test]
    fn a_client_that_was_built_anew_is_asked_again_and_another_owner_too() {
        let mut foreign = Foreign::default();
        foreign.asks("a");
        assert!(foreign.pass(None).is_err());
        assert!(foreign.asks("a"));
        assert!(foreign.pass(Some(Fencing::Done)).is_err());
        assert!(foreign.asks("b"), "another one has taken it meanwhile");
        assert!(foreign.pass(Some(Fencing::Going)).is_err());
    }
}

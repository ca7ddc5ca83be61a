//! What operators do to alarms. A command that makes no sense in the alarm's state is refused with the reason, and changes nothing.
//!
//! | state | ack | unack | shelve | unshelve | suppress | out of service | return | escalate, comment |
//! |---|---|---|---|---|---|---|---|---|
//! | unack | ack | – | shelved | – | suppressed | out of service | – | recorded |
//! | ack | – | unack | shelved | – | suppressed | out of service | – | recorded |
//! | rtn_unack | normal | – | shelved | – | suppressed | out of service | – | recorded |
//! | shelved | – | – | shelved anew | unack or normal | suppressed | out of service | – | recorded |
//! | suppressed | – | – | – | – | – | out of service | unack or normal | recorded |
//! | out of service | – | – | – | – | – | – | unack or normal | recorded |

use super::book::{AlarmBook, At, By, EntryKey};
use super::change::{AlarmState, Change, ChangeKind};
use super::entry::{Alarm, Aside};
use crate::feeds::fault::{Fault, Reason};
use crate::feeds::observation::{Action, Command};
use crate::venue::Names;

impl AlarmBook {
    /// Carries a command out. Errors with [`Reason::Refused`] where the alarm is unknown or has ended (naming the nearest live ones), where the
    /// action does not fit its state, and for an action that is not about an alarm.
    pub fn command(&mut self, at: &At<'_>, command: &Command) -> Result<Vec<Change>, Fault> {
        let Some(alarm_id) = alarm_of(&command.action) else {
            return Err(Fault::in_field(Reason::Refused, "action", "this one is not about an alarm"));
        };
        let (key, state) = match self.find(alarm_id) {
            Some((key, alarm)) => (key.clone(), alarm.state()),
            None => return Err(self.unknown(alarm_id)),
        };
        let by = By { operator: Some(&command.operator), reason: command.reason.as_deref() };
        let change = self.carry_out(at, &key, state, &command.action, by)?;
        Ok(change.into_iter().collect())
    }

    fn carry_out(&mut self, at: &At<'_>, key: &EntryKey, state: AlarmState, action: &Action, by: By<'_>) -> Result<Option<Change>, Fault> {
        use AlarmState::{Ack, OutOfService, RtnUnack, Shelved, Suppressed, Unack};
        let change = match (action, state) {
            (Action::Ack { .. }, Unack | RtnUnack) => self.change(at, key, ChangeKind::Acked, by, |alarm| alarm.acked = true),
            (Action::Unack { .. }, Ack) => self.change(at, key, ChangeKind::Unacked, by, |alarm| alarm.acked = false),
            (Action::Shelve { until, .. }, Unack | Ack | RtnUnack | Shelved) => {
                if *until <= at.event_time {
                    return Err(Fault::in_field(Reason::Refused, "until", format!("a shelf ends after the last closed pane, {}", at.event_time)));
                }
                self.change(at, key, ChangeKind::Shelved, by, |alarm| alarm.aside = Some(Aside::Shelved { until: *until }))
            }
            (Action::Unshelve { .. }, Shelved) => self.change(at, key, ChangeKind::Unshelved, by, Alarm::bring_back),
            (Action::Suppress { .. }, Unack | Ack | RtnUnack | Shelved) => {
                self.change(at, key, ChangeKind::Suppressed, by, |alarm| alarm.aside = Some(Aside::Suppressed))
            }
            (Action::OutOfService { .. }, Unack | Ack | RtnUnack | Shelved | Suppressed) => {
                self.change(at, key, ChangeKind::Suppressed, by, |alarm| alarm.aside = Some(Aside::OutOfService))
            }
            (Action::Return { .. }, Suppressed | OutOfService) => self.change(at, key, ChangeKind::Returned, by, Alarm::bring_back),
            (Action::Escalate { .. }, _) => self.change(at, key, ChangeKind::Escalated, by, |_| ()),
            (Action::Comment { .. }, _) => self.change(at, key, ChangeKind::Commented, by, |_| ()),
            (action, state) => return Err(misfit(action, state)),
        };
        Ok(change)
    }

    fn unknown(&self, alarm_id: &str) -> Fault {
        let names = Names::new(self.live().map(|(_, alarm)| &*alarm.alarm_id));
        let detail = match names.nearest(alarm_id) {
            near if near.is_empty() => "no such alarm is live, nor any other".to_owned(),
            near => format!("no such alarm is live; the nearest that are: {}", near.join(", ")),
        };
        Fault::in_field(Reason::Refused, "alarm_id", detail)
    }
}

const fn alarm_of(action: &Action) -> Option<&str> {
    match action {
        Action::Ack { alarm_id }
        | Action::Unack { alarm_id }
        | Action::Shelve { alarm_id, .. }
        | Action::Unshelve { alarm_id }
        | Action::Suppress { alarm_id }
        | Action::OutOfService { alarm_id }
        | Action::Return { alarm_id }
        | Action::Escalate { alarm_id }
        | Action::Comment { alarm_id } => Some(alarm_id),
        Action::Recount { .. } | Action::SwapModel { .. } => None,
    }
}

fn misfit(action: &Action, state: AlarmState) -> Fault {
    let (wanted, fits) = match action {
        Action::Ack { .. } => ("ack", "unack or rtn_unack"),
        Action::Unack { .. } => ("unack", "ack"),
        Action::Unshelve { .. } => ("unshelve", "shelved"),
        Action::Return { .. } => ("return", "suppressed or out_of_service"),
        Action::Shelve { .. } => ("shelve", "unack, ack, rtn_unack or shelved"),
        Action::Suppress { .. } => ("suppress", "unack, ack, rtn_unack or shelved"),
        _ => ("out_of_service", "any but out_of_service"),
    };
    let is = match state {
        AlarmState::Unack => "unack",
        AlarmState::Ack => "ack",
        AlarmState::RtnUnack => "rtn_unack",
        AlarmState::Normal => "normal",
        AlarmState::Shelved => "shelved",
        AlarmState::Suppressed => "suppressed",
        AlarmState::OutOfService => "out_of_service",
    };
    Fault::in_field(Reason::Refused, "action", format!("the alarm is {is}; {wanted} needs {fits}"))
}

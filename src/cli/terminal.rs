//! A night as lines in a terminal: one a minute of event time, one for each alarm that comes, changes its priority or goes.
//!
//! ```text
//!  KO−01:36  ENTRY-ETA raised medium at bowl (p_after_deadline 0.52, limit 0.5)
//!  KO−01:35   18588 in    2 alarms, 1 not acknowledged  data until 18:25:00 UTC   99 % of sensors
//! ```

use super::pump::{News, VenuePane};
use crate::alarm::{AlarmState, Change, ChangeKind};
use std::collections::BTreeMap;

/// What the lines are written from: the venue they follow, and what stands of its alarms.
pub(super) struct Terminal {
    venue: Box<str>,
    last_minute: i64,
    kick_off: Option<i64>,
    alarms: BTreeMap<Box<str>, AlarmState>,
}

impl Terminal {
    /// Lines of `venue`.
    pub(super) fn of(venue: Box<str>) -> Self {
        Self { venue, last_minute: i64::MIN, kick_off: None, alarms: BTreeMap::new() }
    }

    /// The line for `news`, if there is one to say.
    pub(super) fn line(&mut self, news: &News<'_>) -> Option<String> {
        match news {
            News::Pane(pane) if pane.venue == &*self.venue => self.minute(pane),
            News::Alarm(change) if change.venue == self.venue => self.alarm(change),
            _ => None,
        }
    }

    fn minute(&mut self, pane: &VenuePane<'_>) -> Option<String> {
        let minute = pane.event_time.div_euclid(60_000);
        if minute <= self.last_minute {
            return None;
        }
        self.last_minute = minute;
        self.kick_off = pane.match_day.as_ref().map(|day| day.kick_off);
        let admitted = pane.match_day.as_ref().and_then(|day| day.admitted).map_or_else(|| "–".to_owned(), |persons| persons.to_string());
        let until = chrono::DateTime::from_timestamp_millis(pane.event_time).map(|at| at.format("%H:%M:%S UTC").to_string()).unwrap_or_default();
        let sensors = 100.0 * pane.coverage;
        let alarms = self.alarms();
        Some(format!("{:>9}  {admitted:>7} in  {alarms}  data until {until}  {sensors:>3.0} % of sensors", self.relative(pane.event_time)))
    }

    /// `3 alarms, 1 not acknowledged`: those whose condition stands, and all that nobody has looked at.
    fn alarms(&self) -> String {
        let count = |is: fn(AlarmState) -> bool| self.alarms.values().filter(|state| is(**state)).count();
        let standing = count(|state| !matches!(state, AlarmState::Normal | AlarmState::RtnUnack));
        let unseen = count(|state| matches!(state, AlarmState::Unack | AlarmState::RtnUnack));
        format!("{standing:>2} alarms, {unseen:>2} not acknowledged")
    }

    fn alarm(&mut self, change: &Change) -> Option<String> {
        self.alarms.insert(change.alarm_id.clone(), change.state);
        let what = match change.change {
            ChangeKind::Raised => "raised",
            ChangeKind::Priority => "now",
            ChangeKind::Cleared => "over",
            _ => return None,
        };
        let (code, place, at) = (change.code.word(), &change.place.id, self.relative(change.event_time.as_millis()));
        if change.change == ChangeKind::Cleared {
            return Some(format!("{at:>9}  {code} {what} at {place}"));
        }
        let priority = serde_json::to_value(change.priority).ok();
        let priority = priority.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let because = change.evidence.first().map(|seen| {
            let limit = seen.threshold.map(|limit| format!(", limit {limit}")).unwrap_or_default();
            format!(" ({} {}{limit})", seen.what, seen.value)
        });
        Some(format!("{at:>9}  {code} {what} {priority} at {place}{}", because.unwrap_or_default()))
    }

    fn relative(&self, at: i64) -> String {
        let Some(kick_off) = self.kick_off else { return String::new() };
        let minutes = (at - kick_off).div_euclid(60_000).abs();
        let sign = if at < kick_off { '−' } else { '+' };
        format!("KO{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_counted_from_kick_off_to_the_way_home() {
        let mut terminal = Terminal::of("casablanca".into());
        let mut line = |text: &str| terminal.line(&News::Pane(serde_json::from_str(text).unwrap()));
        let before = r#"{"venue":"casablanca","kind":"venue","event_time":1907857500000,"coverage":0.96,"match":{"kick_off":1907863200000,"admitted":31840}}"#;
        assert_eq!(line(before).unwrap(), " KO−01:35    31840 in   0 alarms,  0 not acknowledged  data until 16:25:00 UTC   96 % of sensors");
        assert_eq!(line(&before.replace("1907857500000", "1907857510000")), None, "the same minute");
        let after = before.replace("1907857500000", "1907871300000").replace(r#","admitted":31840"#, "");
        assert_eq!(line(&after).unwrap(), " KO+02:15        – in   0 alarms,  0 not acknowledged  data until 20:15:00 UTC   96 % of sensors");
        assert_eq!(line(&after.replace("casablanca", "rabat").replace("1907871300000", "1907871900000")), None, "another venue");
    }
}

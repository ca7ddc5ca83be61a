//! Alarms → lead times of the incidents, and false findings of the quiet nights.
//!
//! A *finding* here is an alarm of medium priority or above that speaks of the crowd; BLIND, ANOMALY and MODEL-OFF speak of the system. Its lead is counted from the end of
//! the pane that raised it, which is when an operator is told.

use super::library::Incident;
use super::play::{Outcomes, Told};
use super::quiet::{NearMiss, Night};
use super::script::Part;
use crate::detect::Priority;
use serde::Serialize;
use std::collections::BTreeMap;

const MINUTE: f64 = 60_000.0;
/// Codes that speak of the system and not of the crowd.
const OF_THE_SYSTEM: [&str; 3] = ["BLIND", "ANOMALY", "MODEL-OFF"];

/// One incident, scored.
#[derive(Clone, Debug, Serialize)]
pub struct IncidentScore {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether thresholds were chosen with it.
    pub part: Part,
    /// The harm, local time.
    pub harm: String,
    /// When people acted, local time.
    pub acted: String,
    /// The first finding.
    pub first: Option<Lead>,
    /// What must come, and whether it did.
    pub expected: Vec<ExpectedScore>,
    /// The first finding of each code, in order.
    pub findings: Vec<Lead>,
}

/// A finding and how long it came before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lead {
    /// Its code.
    pub code: &'static str,
    /// Its priority when first told.
    pub priority: Priority,
    /// Where.
    pub place: Box<str>,
    /// When, local time.
    pub at: String,
    /// Minutes before the harm.
    pub before_harm_min: f64,
    /// Minutes before people acted.
    pub before_acting_min: f64,
    /// Whether it came with the first pane, from plan and layout alone.
    pub at_load: bool,
    /// What it was raised for: a figure, its value, the threshold.
    pub because: Option<(Box<str>, f64, Option<f64>)>,
}

/// What had to come.
#[derive(Clone, Debug, Serialize)]
pub struct ExpectedScore {
    /// Any of these.
    pub codes: Vec<String>,
    /// The least lead, min; for what must come at load, none.
    pub least_min: Option<f64>,
    /// The lead of the first of them.
    pub lead_min: Option<f64>,
    /// Whether it is met.
    pub is_met: bool,
}

/// One quiet night, scored.
#[derive(Clone, Debug, Serialize)]
pub struct NightScore {
    /// Its seed.
    pub seed: u64,
    /// What nearly went wrong.
    pub near_miss: Option<NearMiss>,
    /// How long it was watched, h.
    pub hours: f64,
    /// Persons who came.
    pub attendance: u32,
    /// Alarms by code and priority, those of the system included.
    pub told: BTreeMap<(&'static str, Priority), u32>,
    /// Panes that closed.
    pub panes: u64,
}

/// Everything.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scores {
    /// The incidents, by id.
    pub incidents: Vec<IncidentScore>,
    /// The quiet nights that are reported on.
    #[serde(skip)]
    pub nights: Vec<NightScore>,
    /// False findings over them.
    pub quiet: QuietSum,
}

/// False findings over the quiet nights.
#[derive(Clone, Debug, Default, Serialize)]
pub struct QuietSum {
    /// Nights.
    pub nights: usize,
    /// Near misses among them.
    pub near_misses: usize,
    /// Hours watched: one operator a venue.
    pub hours: f64,
    /// By priority.
    pub by_priority: BTreeMap<&'static str, Rate>,
    /// Findings of medium priority or above.
    pub medium_or_above: Rate,
    /// Of high or top.
    pub high_or_top: Rate,
    /// By code, of medium priority or above.
    pub by_code: BTreeMap<&'static str, u32>,
    /// Alarms of the system (BLIND, ANOMALY, MODEL-OFF), of any priority.
    pub of_the_system: Rate,
}

/// How often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// In all.
    pub number: u32,
    /// Per venue-night.
    pub per_night: f64,
    /// Per operator-hour.
    pub per_hour: f64,
    /// Nights with at least one.
    pub nights_with: u32,
}

impl IncidentScore {
    /// Scores what came of an incident.
    ///
    /// # Errors
    /// When its file tells no time.
    pub fn of(incident: &Incident, outcomes: &Outcomes) -> Result<Self, String> {
        let script = &incident.script;
        let clock = script.clock()?;
        let (harm, acted) = (clock.at(&script.harm.at)?, clock.at(&script.acted.at)?);
        let lead = |told: &Told| Lead {
            code: told.code,
            priority: told.priority,
            place: told.place.clone(),
            at: clock.text(told.at),
            before_harm_min: (harm - told.at) as f64 / MINUTE,
            before_acting_min: (acted - told.at) as f64 / MINUTE,
            at_load: told.is_first_pane,
            because: told.lead.clone(),
        };
        let mut findings: Vec<Lead> = Vec::new();
        for told in outcomes.told.iter().filter(|told| is_finding(told.code, told.priority)) {
            if !findings.iter().any(|known| known.code == told.code) {
                findings.push(lead(told));
            }
        }
        let expected = script.expected.iter().map(|expected| {
            let found = |told: &&Told| is_finding(told.code, told.priority) && expected.codes.iter().any(|code| code == told.code);
            let live = |told: &&Told| found(told) && (expected.at_load || !told.is_first_pane);
            let first = outcomes.told.iter().find(live).map(lead);
            let is_met = first.as_ref().is_some_and(|lead| if expected.at_load { lead.at_load } else { lead.before_harm_min >= expected.lead_min });
            let lead_min = first.map(|lead| lead.before_harm_min);
            ExpectedScore { codes: expected.codes.clone(), least_min: (!expected.at_load).then_some(expected.lead_min), lead_min, is_met }
        });
        Ok(Self {
            id: script.id.clone(),
            name: script.name.clone(),
            part: script.part,
            harm: script.harm.at.clone(),
            acted: script.acted.at.clone(),
            first: findings.first().filter(|first| first.before_harm_min > 0.0).cloned(),
            expected: expected.collect(),
            findings,
        })
    }

    /// Whether everything came that had to.
    pub fn is_met(&self) -> bool {
        self.expected.iter().all(|expected| expected.is_met)
    }
}

impl NightScore {
    /// Scores what came of a quiet night: every alarm counts once, at the greatest priority that it was told with.
    pub fn of(night: &Night, outcomes: &Outcomes) -> Self {
        let mut alarms: BTreeMap<&str, (&'static str, Priority)> = BTreeMap::new();
        for told in &outcomes.told {
            let known = alarms.entry(&told.alarm_id).or_insert((told.code, told.priority));
            known.1 = known.1.max(told.priority);
        }
        let mut sums = BTreeMap::new();
        for alarm in alarms.into_values() {
            *sums.entry(alarm).or_default() += 1;
        }
        Self { seed: night.seed, near_miss: night.near_miss, hours: night.hours(), attendance: night.attendance, told: sums, panes: outcomes.panes }
    }

    fn number(&self, which: &dyn Fn(&'static str, Priority) -> bool) -> u32 {
        self.told.iter().filter(|((code, priority), _)| which(code, *priority)).map(|(_, number)| *number).sum()
    }
}

impl QuietSum {
    /// Sums the nights up.
    pub fn of(nights: &[NightScore]) -> Self {
        let hours: f64 = nights.iter().map(|night| night.hours).sum();
        let rate = |which: &dyn Fn(&'static str, Priority) -> bool| {
            let numbers: Vec<u32> = nights.iter().map(|night| night.number(which)).collect();
            let number: u32 = numbers.iter().sum();
            let nights_with = numbers.iter().filter(|number| **number > 0).count() as u32;
            let per = |of: f64| if of > 0.0 { f64::from(number) / of } else { 0.0 };
            Rate { number, per_night: per(nights.len() as f64), per_hour: per(hours), nights_with }
        };
        let crowd = |code: &str| !OF_THE_SYSTEM.contains(&code);
        let of = |wanted: Priority| rate(&move |code, priority| crowd(code) && priority == wanted);
        let mut by_code = BTreeMap::new();
        for ((code, priority), number) in nights.iter().flat_map(|night| &night.told) {
            if is_finding(code, *priority) {
                *by_code.entry(*code).or_default() += number;
            }
        }
        Self {
            nights: nights.len(),
            near_misses: nights.iter().filter(|night| night.near_miss.is_some()).count(),
            hours,
            by_priority: BTreeMap::from([
                ("low", of(Priority::Low)),
                ("medium", of(Priority::Medium)),
                ("high", of(Priority::High)),
                ("top", of(Priority::Top)),
            ]),
            medium_or_above: rate(&is_finding),
            high_or_top: rate(&|code, priority| crowd(code) && priority >= Priority::High),
            by_code,
            of_the_system: rate(&|code, _| !crowd(code)),
        }
    }
}

/// Whether an alarm is a finding about the crowd, of medium priority or above.
fn is_finding(code: &'static str, priority: Priority) -> bool {
    priority >= Priority::Medium && !OF_THE_SYSTEM.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &'static str, priority: Priority, alarm: &str) -> Told {
        Told { at: 0, alarm_id: alarm.into(), code, priority, place: "x".into(), lead: None, is_first_pane: false }
    }

    #[test]
    fn an_alarm_counts_once_at_its_greatest_priority_and_the_system_apart() {
        let told = vec![
            told("DENS", Priority::Low, "a"),
            told("DENS", Priority::High, "a"),
            told("BLIND", Priority::High, "b"),
            told("QUEUE-SPILL", Priority::Medium, "c"),
        ];
        let night = NightScore::of(&Night::draw(1), &Outcomes { told, ..Outcomes::default() });
        let sum = QuietSum::of(&[night.clone(), NightScore { told: BTreeMap::new(), ..night }]);
        assert_eq!((sum.medium_or_above.number, sum.medium_or_above.per_night, sum.medium_or_above.nights_with), (2, 1.0, 1));
        assert_eq!((sum.high_or_top.number, sum.of_the_system.number, sum.by_priority["low"].number), (1, 1, 0));
        assert_eq!(sum.by_code, BTreeMap::from([("DENS", 1), ("QUEUE-SPILL", 1)]));
    }
}

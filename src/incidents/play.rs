//! Records → alarms: the engine itself, driven by nothing but its inputs.

use super::stream::Record;
use crate::alarm::{Change, ChangeKind};
use crate::detect::Priority;
use crate::engine::{Control, Effects, Engine, OutTopic, Placement, Settings};
use crate::feeds::{Batch, RecordRef};
use crate::inference::{Answer, Outcome};
use crate::venue::{Feed, World};
use std::sync::Arc;

const MINUTE: i64 = 60_000;

/// An alarm as the operators were told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When, epoch ms: the end of the pane that raised it, or raised its priority.
    pub at: i64,
    /// Its id.
    pub alarm_id: Box<str>,
    /// Its code.
    pub code: &'static str,
    /// Its priority then.
    pub priority: Priority,
    /// Where.
    pub place: Box<str>,
    /// Its leading figure and the threshold that it exceeds.
    pub lead: Option<(Box<str>, f64, Option<f64>)>,
    /// Whether it came with the first pane of the run, before anything had happened.
    pub is_first_pane: bool,
}

/// What came of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Alarms raised, and each rise of their priority, in order.
    pub told: Vec<Told>,
    /// Records that went to quarantine or came late: the streams are made to have none.
    pub refused: Vec<String>,
    /// Panes that closed.
    pub panes: u64,
}

/// Runs the records, which are in the order in which they come, to their end.
pub fn play(world: &Arc<World>, records: &[Record]) -> Outcomes {
    let mut run = Run {
        engine: Engine::new(Arc::clone(world), 0, 1, Settings { placement: Placement::ByPane, ..Settings::default() }),
        outcomes: Outcomes::default(),
        first_pane: None,
    };
    let mut offsets = [0_i64; Feed::ALL.len()];
    let mut batch = Batch::default();
    let minute_of = |record: &Record| (record.at - 1).div_euclid(MINUTE);
    for minute in records.chunk_by(|a, b| minute_of(a) == minute_of(b)) {
        batch.clear();
        for record in minute {
            let offset = &mut offsets[record.feed as usize];
            let venue = world.venues.first().map_or("", |venue| &*venue.id);
            batch.push(&RecordRef {
                feed: record.feed,
                partition: 0,
                offset: *offset,
                appended: None,
                received: Some(record.at),
                key: Some(venue.as_bytes()),
                value: record.value.as_bytes(),
                source: Some(&record.source),
                format: None,
                cloud_event: None,
                attributes: crate::feeds::Attributes::NONE,
            });
            *offset += 1;
        }
        run.step(&batch, &[]);
    }
    run.step(&Batch::default(), &[Control::EndOfInput]);
    run.outcomes
}

struct Run {
    engine: Engine,
    outcomes: Outcomes,
    first_pane: Option<i64>,
}

impl Run {
    /// One step, and as many as the models' answers ask for. There are no models: rules and fallback go on alone.
    fn step(&mut self, batch: &Batch, controls: &[Control]) {
        let mut effects = self.engine.step(batch, controls);
        loop {
            self.outcomes.panes += effects.asks.len() as u64;
            let absent = |ask: &crate::inference::Ask| Answer { ticket: ask.ticket, flow: Outcome::Absent, anomaly: Outcome::Absent, by: Default::default() };
            let answers: Vec<Control> = effects.asks.iter().map(|ask| Control::Models(absent(ask))).collect();
            if let Some(ask) = effects.asks.first() {
                self.first_pane.get_or_insert(ask.ticket.pane.as_millis());
            }
            self.note(&effects);
            if answers.is_empty() {
                break;
            }
            effects = self.engine.step(&Batch::default(), &answers);
        }
        self.engine.committed();
    }

    fn note(&mut self, effects: &Effects) {
        for record in &effects.records {
            if matches!(record.topic, OutTopic::Quarantine | OutTopic::Late) {
                self.outcomes.refused.push(String::from_utf8_lossy(&record.value).into_owned());
            }
        }
        for alert in &effects.alerts {
            let Ok(change) = serde_json::from_slice::<Change>(&alert.value) else { continue };
            if matches!(change.change, ChangeKind::Raised | ChangeKind::Priority) {
                let at = change.event_time.as_millis();
                self.outcomes.told.push(Told {
                    at,
                    code: change.code.word(),
                    priority: change.priority,
                    place: change.place.id.clone(),
                    lead: change.evidence.first().map(|first| (Box::from(&*first.what), first.value, first.threshold)),
                    is_first_pane: self.first_pane.is_none_or(|first| at <= first),
                    alarm_id: change.alarm_id,
                });
            }
        }
    }
}

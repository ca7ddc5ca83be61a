//! What the loop drives: one core per partition number, and the models that a core may ask.

use crate::engine::{Control, Effects, Engine, StateChange};
use crate::feeds::Batch;
use crate::inference::{Answer, Ask, Outcome};
use crate::time::EventTime;
use crate::venue::Feed;

/// One partition number's venues. It is deterministic: no clock, no I/O; whatever influences it comes in as records and controls.
pub trait Core {
    /// Takes in a batch, then the controls, and answers what is to be carried out.
    fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects;

    /// Whether steps begin nothing that asks the models, until told otherwise: what can wait for the next step waits.
    fn hold(&mut self, _holds: bool) {}

    /// Event time that a feed's records have reached, as panes read it; `None` before the first that is believed.
    fn reached(&self, _feed: Feed) -> Option<EventTime> {
        None
    }

    /// What has changed since the last call, for the changelog.
    fn take_state_changes(&mut self) -> Vec<StateChange>;

    /// All that was taken since the last call now stands.
    fn committed(&mut self);

    /// Takes up one entry of the changelog.
    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String>;

    /// Every entry was given.
    fn restored(&mut self) -> Result<(), String>;
}

impl Core for Engine {
    fn step(&mut self, batch: &Batch, controls: &[Control]) -> Effects {
        Self::step(self, batch, controls)
    }

    fn hold(&mut self, holds: bool) {
        Self::hold(self, holds);
    }

    fn reached(&self, feed: Feed) -> Option<EventTime> {
        Self::reached(self, feed)
    }

    fn take_state_changes(&mut self) -> Vec<StateChange> {
        Self::take_state_changes(self)
    }

    fn committed(&mut self) {
        Self::committed(self);
    }

    fn restore(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        Self::restore(self, key, value)
    }

    fn restored(&mut self) -> Result<(), String> {
        Self::restored(self);
        Ok(())
    }
}

/// Makes the core of a partition number, in the state of one that has seen nothing.
pub trait MakeCore {
    /// The core it makes.
    type Core: Core;

    /// Makes one.
    fn make(&mut self, partition: u32) -> Self::Core;
}

impl<C: Core, F: FnMut(u32) -> C> MakeCore for F {
    type Core = C;

    fn make(&mut self, partition: u32) -> C {
        self(partition)
    }
}

/// Runs the models that a core asks for.
pub trait Models {
    /// Runs them, or says that they missed their deadline or are not there.
    fn run(&mut self, ask: &Ask) -> Answer;

    /// Runs them for as long as they take: nothing is missed. Those without a deadline need not tell the two apart.
    fn run_unhurried(&mut self, ask: &Ask) -> Answer {
        self.run(ask)
    }
}

/// No models: every request falls back on the rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModels;

impl Models for NoModels {
    fn run(&mut self, ask: &Ask) -> Answer {
        Answer { ticket: ask.ticket, flow: Outcome::Absent, anomaly: Outcome::Absent, by: Default::default() }
    }
}

//! The loop's only clock: it decides when something leaves, never what an output says. The simulation gives it a clock of its own, which is how a night of
//! faults runs in milliseconds and twice the same.

use std::time::{Duration, Instant};

/// Tells how long it has run, and waits.
pub trait Clock {
    /// The time since some beginning.
    fn now(&self) -> Duration;

    /// Waits.
    fn rest(&self, length: Duration);
}

/// The machine's own.
#[derive(Clone, Copy, Debug)]
pub struct MachineClock(Instant);

impl Default for MachineClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the commit interval and the session time-out are lengths of real time at the edge; no output depends on them"
    )]
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    #[allow(clippy::disallowed_methods, reason = "there is no signal to wait for when a broker is out of reach")]
    fn rest(&self, length: Duration) {
        std::thread::sleep(length);
    }
}

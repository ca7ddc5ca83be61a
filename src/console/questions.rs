//! Questions to the engines, which live on the shards' threads: asked here, answered there between two steps.
//!
//! A shard that has nothing to step answers with its next tick, within a second; one whose partition is another instance's never does.

use crate::engine::explain::Explanation;
use crate::time::EventTime;
use crate::venue::ZoneId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// How many questions wait at most: a console that asks faster than shards answer is told so.
const WAITING: usize = 64;

/// Why a window of a zone is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The venue's id.
    pub venue: String,
    /// The zone.
    pub zone: ZoneId,
    /// A time in the window.
    pub at: EventTime,
}

/// The questions that wait.
#[derive(Debug, Default)]
pub struct Questions {
    any: AtomicBool,
    waiting: Mutex<Vec<(Question, oneshot::Sender<Explanation>)>>,
}

impl Questions {
    /// Asks; `None` when too many wait already.
    pub fn ask(&self, question: Question) -> Option<oneshot::Receiver<Explanation>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever asked and has gone wants no answer any more.
        waiting.retain(|(_, asker)| !asker.is_closed());
        if waiting.len() >= WAITING {
            return None;
        }
        let (asker, answer) = oneshot::channel();
        waiting.push((question, asker));
        self.any.store(true, Ordering::Release);
        Some(answer)
    }

    /// Answers what can be answered here; costs one load where nobody asks.
    pub fn answer(&self, explain: impl Fn(&Question) -> Option<Explanation>) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = std::mem::take(&mut *waiting);
        for (question, asker) in asked {
            match explain(&question) {
                // One that has gone meanwhile is no loss.
                Some(answer) => drop(asker.send(answer)),
                None => waiting.push((question, asker)),
            }
        }
        self.any.store(!waiting.is_empty(), Ordering::Release);
    }
}

//! What follows an error of the log: nothing, a transaction given up and its input read again, or new clients. The error says which ([`Answer`]), and whether anything has stood lately.

use super::partition::Arriving;
use super::{MakeCore, Shard};
use crate::log::{Answer, Inbox, LogError};

impl<M: MakeCore> Shard<'_, '_, M> {
    /// Carries out the answer to an error; an error comes back when that takes a person.
    pub(super) fn recover(&mut self, error: LogError) -> Result<(), LogError> {
        let error = match error.answer() {
            Answer::Retry => {
                self.around.watch.retried(&error);
                return Ok(());
            }
            Answer::AbortAndRewind if !self.desk.is_ailing(self.around.settings.stall_patience) => match self.rewind(&error) {
                Ok(()) => return Ok(()),
                Err(worse) => worse,
            },
            Answer::AbortAndRewind => {
                self.desk.ail();
                error
            }
            Answer::Rebuild | Answer::Stop => error,
        };
        self.rebuild(error)
    }

    /// Gives the transaction up, whatever ended it, and answers the partitions that are to be halted; an error comes back where that takes new clients, which let the old ones go once nothing of theirs
    /// is open.
    pub(super) fn give_up(&mut self, why: LogError) -> Result<Vec<u32>, LogError> {
        match why.answer() {
            Answer::Retry | Answer::AbortAndRewind if !self.desk.is_ailing(self.around.settings.stall_patience) => self.go_back(&why),
            _ => Err(why),
        }
    }

    /// Back to the last commit: the transaction, the cores and the input.
    fn rewind(&mut self, why: &LogError) -> Result<(), LogError> {
        let stopped = self.go_back(why)?;
        self.desk.log()?.halt(&stopped)
    }

    /// The same, but for the partitions that it answers, which are to be halted.
    fn go_back(&mut self, why: &LogError) -> Result<Vec<u32>, LogError> {
        self.desk.abort(why)?;
        self.inbox.clear();
        self.quiet = false;
        let partitions: Vec<u32> = self.running.keys().copied().collect();
        let now = self.around.clock.now();
        self.running.clear();
        self.arriving.extend(partitions.iter().map(|partition| (*partition, Arriving::at(now))));
        Ok(partitions)
    }

    /// Lets the clients go; the next turn builds new ones.
    fn rebuild(&mut self, error: LogError) -> Result<(), LogError> {
        // A fenced producer refuses the abort too; then its successor's start aborts for it.
        let _ = self.desk.abort(&error);
        if error.answer() == Answer::Stop || self.is_stopping() {
            return Err(error);
        }
        self.around.watch.rebuilding(&error);
        self.desk.stats.rebuilds += 1;
        self.desk.disconnect();
        self.running.clear();
        self.arriving.clear();
        self.inbox = Inbox::default();
        self.quiet = false;
        self.around.clock.rest(self.around.settings.retry_pause);
        Ok(())
    }
}

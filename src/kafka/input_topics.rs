//! Which topics the inputs are: one that is made anew under its name is another.
//!
//! The idea: the client goes on in a topic that was made anew at the offset where it stood in the old one, and says nothing. So the broker is asked for the topics' ids from time to time, beside
//! the shard, and a shard that has seen two of one name begins anew with new clients: its state names the old one, and says that the new one is read from its beginning.

use super::producer::now;
use super::restore::Restorer;
use super::settings::Settings;
use crate::log::{Identities, LogError, Topic};
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(10);
/// After a difference it is asked again so soon. It counts when it is told twice in a row: of several brokers one may be behind, and an answer may have been on its way.
const AGAIN: Duration = Duration::from_secs(1);

/// What came of asking: the client, to be used again, and its answer; nothing of one that had none.
type Answer = Option<(Restorer, Identities)>;

/// The inputs' topics as this shard knows them.
pub(super) struct InputTopics {
    settings: Settings,
    known: Identities,
    client: Option<Restorer>,
    asked: Option<Receiver<Answer>>,
    due: Instant,
    is_doubtful: bool,
}

impl InputTopics {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), known: Identities::new(), client: None, asked: None, due: now(), is_doubtful: false }
    }

    /// Holds what the broker says against what it said before.
    ///
    /// # Errors
    /// [`LogError::Unknown`] where a topic is another.
    pub(super) fn hold(&mut self, told: &Identities) -> Result<(), LogError> {
        for (feed, id) in told {
            let known = self.known.entry(*feed).or_insert_with(|| id.clone());
            if known != id {
                let detail = format!("{} was made anew", self.settings.name(Topic::In(*feed)));
                return Err(LogError::Unknown { doing: "reading the inputs", detail });
            }
        }
        Ok(())
    }

    /// Asks when it is time to, and looks whether an answer has come; waits for nothing.
    ///
    /// # Errors
    /// As [`hold`](Self::hold).
    pub(super) fn look(&mut self) -> Result<(), LogError> {
        let Some(asked) = &self.asked else {
            if now() >= self.due {
                self.ask();
            }
            return Ok(());
        };
        match asked.try_recv() {
            Err(TryRecvError::Empty) => Ok(()),
            // One that does not answer may have lost its brokers: the next question has a client of its own.
            Err(TryRecvError::Disconnected) | Ok(None) => {
                self.asked = None;
                Ok(())
            }
            Ok(Some((client, told))) => {
                (self.asked, self.client) = (None, Some(client));
                let held = self.hold(&told);
                let was_doubtful = std::mem::replace(&mut self.is_doubtful, held.is_err());
                if held.is_err() && !was_doubtful {
                    self.due = now() + AGAIN;
                    return Ok(());
                }
                held
            }
        }
    }

    fn ask(&mut self) {
        self.due = now() + EVERY;
        let (tell, asked) = bounded(1);
        let (client, settings) = (self.client.take(), self.settings.clone());
        std::thread::spawn(move || {
            let answer = client.map_or_else(|| Restorer::start(&settings), Ok).and_then(|client| client.identities().map(|told| (client, told)));
            let _ = tell.send(answer.ok());
        });
        self.asked = Some(asked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Answer;
    use crate::venue::Feed;

    #[test]
    fn a_topic_that_has_another_id_is_another_and_one_of_which_nothing_is_said_may_be_the_same() {
        let mut topics = InputTopics::new(&Settings::new("b", "g", "i"));
        let told = |ids: &[(Feed, &str)]| ids.iter().map(|(feed, id)| (*feed, (*id).to_owned())).collect::<Identities>();
        topics.hold(&told(&[(Feed::Sensors, "one")])).unwrap();
        topics.hold(&told(&[])).unwrap();
        topics.hold(&told(&[(Feed::Sensors, "one"), (Feed::Commands, "two")])).unwrap();
        let error = topics.hold(&told(&[(Feed::Sensors, "one"), (Feed::Commands, "three")])).unwrap_err();
        assert_eq!(error.answer(), Answer::Rebuild);
        assert!(error.to_string().contains("midan.commands was made anew"), "{error}");
    }
}

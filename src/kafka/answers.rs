//! What each error of the client means for the shard: one answer for each class, in one place.
//!
//! | what the client says | where | what the shard does |
//! |---|---|---|
//! | retriable (time-out, coordinator loading, request in flight) | a transaction's call | the same call again, for half a minute; a commit of which nothing is known then: new clients; before the commit: abort and rewind |
//! | must abort (`UnknownMemberId`, `IllegalGeneration`, `InvalidTxnState`, a record that failed) | a transaction's call | abort, restore from `midan.state`, read again from the committed offsets |
//! | fatal (`Fenced`, `InvalidProducerEpoch`, `TransactionalIdAuthorizationFailed`, `OutOfOrderSequence`) | a transaction's call, a send | new clients, restore |
//! | `Fenced` | the start of a producer | new clients: another shard has started under the same id meanwhile, and is asked again, or is the rightful one |
//! | anything else that no second try mends (not authorised, a time-out that the broker does not allow) | the start of a producer | stop: a person has to change something |
//! | neither (a call in the wrong state) | a transaction's call | nobody knows what stands: new clients, restore |
//! | `QueueFull` | a send | it waits for room, which is the shard's back-pressure; after half a minute abort and rewind |
//! | unknown topic or partition, not authorised, message too large | a send | stop: a person has to change something |
//! | anything else | a send | abort and rewind |
//! | a report of a failed record (`MessageTimedOut`, `PurgeQueue`, …) | the outputs | the commit says "must abort" |
//! | a report of a failed alert, or none within ten seconds | the alerts' lane | abort and rewind: the offsets must not pass an alert that is lost |
//! | the end of a partition | the inputs | no error: an event with its offset |
//! | an offset that is not there | the inputs | new clients, restore: left to itself the client would jump |
//! | an unknown topic | the inputs | stop |
//! | fatal (`MessageConsumptionFatal`) | the inputs | new clients, restore |
//! | brokers down, transport, time-out | the inputs | nothing: the client connects again by itself; the watchdog sees to it that reading goes on |
//! | time-out | a question (watermarks, committed offsets, state) | again, a quarter of a second later; after 120 times new clients |
//! | the third transaction in a row that must be given up, and none has stood for `shards.stall_patience` | all of these | new clients, restore: the fault may be theirs |
//! | a transaction is open where the state must be read to its end | the state | again, and its owner is fenced |
//!
//! A time-out never leaves the state ahead of the offsets: whatever is not known to stand is thrown away, and read again from what is committed.

use super::ffi::TxnFailure;
use crate::log::LogError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What a send's or a transaction's error means.
pub(super) fn of(doing: &'static str, error: KafkaError) -> LogError {
    match error {
        KafkaError::Transaction(error) => {
            let failure = TxnFailure { text: error.string(), fatal: error.is_fatal(), retriable: error.is_retriable(), must_abort: error.txn_requires_abort() };
            of_transaction(doing, failure, None)
        }
        KafkaError::MessageProduction(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Fenced) => LogError::Fenced { doing, detail: error.to_string() },
        KafkaError::MessageProduction(
            RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::MessageSizeTooLarge,
        ) => LogError::Refused { doing, detail: error.to_string(), cure: "`midan topics check` names what is wrong with the topics" },
        other => LogError::Aborted { doing, detail: other.to_string() },
    }
}

/// What it means that a producer could not start. The client calls nearly everything fatal here.
pub(super) fn of_start(doing: &'static str, error: KafkaError) -> LogError {
    match error {
        KafkaError::Transaction(error)
            if matches!(error.code(), RDKafkaErrorCode::Fenced | RDKafkaErrorCode::InvalidProducerEpoch | RDKafkaErrorCode::ProducerFenced) =>
        {
            LogError::Fenced { doing, detail: error.string() }
        }
        other => {
            let cure = "check that the account may use the transactional id and that the broker allows the transaction time-out";
            LogError::Refused { doing, detail: other.to_string(), cure }
        }
    }
}

/// What a transaction's failure means; `report` is what a record's delivery report told.
pub(super) fn of_transaction(doing: &'static str, failure: TxnFailure, report: Option<String>) -> LogError {
    let detail = report.map_or(failure.text.clone(), |report| format!("{} ({report})", failure.text));
    if failure.fatal {
        return LogError::Fenced { doing, detail };
    }
    if failure.must_abort || failure.retriable {
        return LogError::Aborted { doing, detail };
    }
    LogError::Unknown { doing, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Answer;

    fn transaction(fatal: bool, must_abort: bool, retriable: bool) -> Answer {
        of_transaction("testing", TxnFailure { text: "no".into(), fatal, retriable, must_abort }, None).answer()
    }

    #[test]
    fn every_class_of_a_transactions_error_has_its_answer() {
        let table = [
            ((true, false, false), Answer::Rebuild),
            ((true, true, true), Answer::Rebuild),
            ((false, true, false), Answer::AbortAndRewind),
            ((false, true, true), Answer::AbortAndRewind),
            ((false, false, true), Answer::AbortAndRewind),
            ((false, false, false), Answer::Rebuild),
        ];
        for ((fatal, must_abort, retriable), answer) in table {
            assert_eq!(transaction(fatal, must_abort, retriable), answer, "fatal {fatal}, must abort {must_abort}, retriable {retriable}");
        }
    }

    #[test]
    fn every_class_of_a_sends_error_has_its_answer() {
        let table = [
            (RDKafkaErrorCode::Fatal, Answer::Rebuild),
            (RDKafkaErrorCode::Fenced, Answer::Rebuild),
            (RDKafkaErrorCode::QueueFull, Answer::AbortAndRewind),
            (RDKafkaErrorCode::MessageTimedOut, Answer::AbortAndRewind),
            (RDKafkaErrorCode::PurgeQueue, Answer::AbortAndRewind),
            (RDKafkaErrorCode::State, Answer::AbortAndRewind),
            (RDKafkaErrorCode::UnknownTopic, Answer::Stop),
            (RDKafkaErrorCode::UnknownPartition, Answer::Stop),
            (RDKafkaErrorCode::UnknownTopicOrPartition, Answer::Stop),
            (RDKafkaErrorCode::TopicAuthorizationFailed, Answer::Stop),
            (RDKafkaErrorCode::MessageSizeTooLarge, Answer::Stop),
        ];
        for (code, answer) in table {
            assert_eq!(of("testing", KafkaError::MessageProduction(code)).answer(), answer, "{code:?}");
        }
    }

    /// confluentinc/librdkafka#3297: a transaction's time-out became fatal for the application. What was told with the failure is kept for whoever reads the log.
    #[test]
    fn librdkafka_3297_a_failed_record_is_named_and_its_transaction_is_given_up() {
        let failure = TxnFailure { text: "abort required".into(), fatal: false, retriable: false, must_abort: true };
        let error = of_transaction("committing", failure, Some("Local: Message timed out".into()));
        assert_eq!(error.answer(), Answer::AbortAndRewind);
        assert!(error.to_string().contains("Message timed out"), "{error}");
    }
}

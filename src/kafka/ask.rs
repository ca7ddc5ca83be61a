//! Questions to the broker that the Rust wrapper does not know: the ids of topics, and who is in a group, told by its coordinator.
//!
//! Like [`super::ffi`] it calls librdkafka directly, and what it hands out is safe: texts are copied before what they belong to is given back.

#![allow(unsafe_code, reason = "two questions of librdkafka that have no safe wrapper; each block says why it is sound")]

use crate::log::LogError;
use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

/// What a broker says where a topic has no id.
const NO_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// An answer, given back when it goes.
struct Event(*mut sys::rd_kafka_event_t);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event is ours, not null, and nothing of it is kept.
        unsafe { sys::rd_kafka_event_destroy(self.0) };
    }
}

/// The ids that the broker gave to topics when they were made, in the order of their names; none of one that it does not know, or of a broker older than Kafka 2.8.
///
/// # Errors
/// [`LogError::Busy`] where it does not answer within `wait`.
pub(super) fn topic_ids<C: ClientContext>(client: &Client<C>, names: &[&str], wait: Duration) -> Result<Vec<Option<String>>, LogError> {
    let busy = |detail| LogError::Busy { doing: "asking which topics there are", detail };
    let names: Vec<CString> = names.iter().map(|name| CString::new(*name).unwrap_or_default()).collect();
    let mut starts: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
    let put = |options: *mut sys::rd_kafka_AdminOptions_t, queue: *mut sys::rd_kafka_queue_t| {
        // SAFETY: the client is alive while borrowed. The names are copied into the collection, and the collection into the question; it is given back here.
        unsafe {
            let collection = sys::rd_kafka_TopicCollection_of_topic_names(starts.as_mut_ptr(), starts.len());
            sys::rd_kafka_DescribeTopics(client.native_ptr(), collection, options, queue);
            sys::rd_kafka_TopicCollection_destroy(collection);
        }
    };
    let event = ask(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, wait, put).map_err(busy)?;
    let mut ids = vec![None; names.len()];
    let mut count = 0;
    // SAFETY: the event answers this question; descriptions, names and ids belong to it and are copied before it goes.
    unsafe {
        let topics = sys::rd_kafka_DescribeTopics_result_topics(sys::rd_kafka_event_DescribeTopics_result(event.0), &mut count);
        for topic in (0..count).map(|i| *topics.add(i)).filter(|topic| !topic.is_null()) {
            let name = text(sys::rd_kafka_TopicDescription_name(topic));
            let id = text(sys::rd_kafka_Uuid_base64str(sys::rd_kafka_TopicDescription_topic_id(topic)));
            if let Some(at) = names.iter().position(|wanted| wanted.as_bytes() == name.as_bytes()) {
                ids[at] = Some(id).filter(|id| !id.is_empty() && id != NO_ID);
            }
        }
    }
    Ok(ids)
}

/// How many members a group has, as its coordinator says; none of a group that there is not.
///
/// # Errors
/// [`LogError::Busy`] where the coordinator does not answer within `wait`, [`LogError::Refused`] where the account may not ask.
pub(super) fn members<C: ClientContext>(client: &Client<C>, group: &str, wait: Duration) -> Result<usize, LogError> {
    use sys::rd_kafka_resp_err_t as Code;
    let doing = "asking who is in another group";
    let busy = |detail| LogError::Busy { doing, detail };
    let name = CString::new(group).unwrap_or_default();
    let mut starts = [name.as_ptr()];
    let put = |options: *mut sys::rd_kafka_AdminOptions_t, queue: *mut sys::rd_kafka_queue_t| {
        // SAFETY: the client is alive while borrowed, and the name is copied into the question.
        unsafe { sys::rd_kafka_DescribeConsumerGroups(client.native_ptr(), starts.as_mut_ptr(), starts.len(), options, queue) };
    };
    let event = ask(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, wait, put).map_err(busy)?;
    let mut count = 0;
    // SAFETY: the event answers this question; the description and its error belong to it and are copied before it goes.
    unsafe {
        let groups = sys::rd_kafka_DescribeConsumerGroups_result_groups(sys::rd_kafka_event_DescribeConsumerGroups_result(event.0), &mut count);
        if count == 0 || (*groups).is_null() {
            return Err(busy(format!("nothing was said of {group}")));
        }
        let error = sys::rd_kafka_ConsumerGroupDescription_error(*groups);
        let code = if error.is_null() { Code::RD_KAFKA_RESP_ERR_NO_ERROR } else { sys::rd_kafka_error_code(error) };
        match code {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(sys::rd_kafka_ConsumerGroupDescription_member_count(*groups)),
            Code::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND => Ok(0),
            Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED => {
                let cure = "its state is taken over only when that group is known to be empty: allow this account to describe it";
                Err(LogError::Refused { doing, detail: format!("the account may not describe group {group}"), cure })
            }
            _ => Err(busy(format!("{group}: {}", text(sys::rd_kafka_error_string(error))))),
        }
    }
}

/// Puts a question and waits for its answer, or for why there is none.
fn ask<C: ClientContext>(
    client: &Client<C>,
    what: sys::rd_kafka_admin_op_t,
    wait: Duration,
    put: impl FnOnce(*mut sys::rd_kafka_AdminOptions_t, *mut sys::rd_kafka_queue_t),
) -> Result<Event, String> {
    let millis = |wait: Duration| i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client is alive while borrowed. Options and queue are ours and given back once each; an answer that comes after that is dropped by the client.
    let event = unsafe {
        let rk = client.native_ptr();
        let options = sys::rd_kafka_AdminOptions_new(rk, what);
        sys::rd_kafka_AdminOptions_set_request_timeout(options, millis(wait), ptr::null_mut(), 0);
        let queue = sys::rd_kafka_queue_new(rk);
        put(options, queue);
        // The client ends it by its own time-out, which is shorter. Of a group it asks twice, for it may be of the new protocol.
        let event = sys::rd_kafka_queue_poll(queue, millis(2 * wait + Duration::from_secs(1)));
        sys::rd_kafka_queue_destroy(queue);
        sys::rd_kafka_AdminOptions_destroy(options);
        event
    };
    if event.is_null() {
        return Err("no answer".to_owned());
    }
    let event = Event(event);
    // SAFETY: the event is alive, and its text is copied.
    unsafe {
        let is_answered = sys::rd_kafka_event_error(event.0) == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        if is_answered { Ok(event) } else { Err(text(sys::rd_kafka_event_error_string(event.0))) }
    }
}

/// A copy of one of librdkafka's texts.
///
/// # Safety
/// It is null or ends with a zero, and lives for the length of the call.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: as the caller promises.
    if text.is_null() { String::new() } else { unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned() }
}

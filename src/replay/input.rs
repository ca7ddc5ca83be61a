//! A record that a replay hands on, as the topic would hold it: key, value and the headers that matter.

use crate::feeds::RecordRef;
use crate::time::EventTime;
use crate::venue::Feed;
use std::sync::Arc;

/// One record of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRecord {
    /// The feed whose topic it belongs on.
    pub feed: Feed,
    /// The key: the venue's id.
    pub key: Arc<str>,
    /// The value.
    pub value: Vec<u8>,
    /// The `midan-source` header.
    pub source: Arc<str>,
    /// The `content-type` header.
    pub content_type: &'static str,
    /// The `midan-received` header, where the input tells it.
    pub received: Option<EventTime>,
}

impl InputRecord {
    /// The record as it is read back from `partition` at `offset`.
    pub fn as_read(&self, partition: u32, offset: i64) -> RecordRef<'_> {
        RecordRef {
            feed: self.feed,
            partition,
            offset,
            appended: None,
            received: self.received.map(EventTime::as_millis),
            key: Some(self.key.as_bytes()),
            value: &self.value,
            source: Some(&self.source),
            format: Some(self.content_type),
            cloud_event: None,
            attributes: crate::feeds::Attributes::default(),
        }
    }
}

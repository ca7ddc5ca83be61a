//! What the vendors' JSON formats have in common: a record is read whole into the vendor's own shape, and nothing of it is repeated in a fault.

use super::fault::{Fault, Reason};
use crate::time::EventTime;
use serde::Deserialize;

/// Reads a record of the shape `T`, which is called `what` in faults.
pub(in crate::feeds) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &str) -> Result<T, Fault> {
    serde_json::from_slice(bytes).map_err(|err| {
        // serde's own message may quote a value.
        let how = match err.classify() {
            serde_json::error::Category::Eof => "ends too early",
            serde_json::error::Category::Data => "holds a field of another type, or lacks one that must be there",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "is not JSON",
        };
        Fault::new(Reason::Malformed, format!("is no {what}: {how}, at line {} column {}", err.line(), err.column()))
    })
}

/// The fault of a field that must be there and is not.
pub(in crate::feeds) fn missing(field: &str) -> Fault {
    Fault::in_field(Reason::MissingField, field, "must be there")
}

/// A time that was read, or the fault of the field in which it stands.
pub(in crate::feeds) fn time(field: &str, read: Result<EventTime, (Reason, &'static str)>) -> Result<EventTime, Fault> {
    read.map_err(|(reason, detail)| Fault::in_field(reason, field, detail))
}

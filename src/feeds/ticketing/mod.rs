//! What ticketing systems send: scans. A ticket is read past, or becomes a pseudonym under a key that is destroyed after the match; a device is never kept.

pub mod pretix;
pub mod scan;

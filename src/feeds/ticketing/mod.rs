//! What ticketing systems send: scans. A ticket or a device is read past and never kept, not even as a hash.

pub mod scan;

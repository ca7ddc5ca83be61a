//! The `midan` binary.
fn main() {}

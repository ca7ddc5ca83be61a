//! Room for series that have come since something was stored. They stand behind the others (`venue::roll`), and nothing is known of them.

/// Makes room for `size` series in what was stored by series. False where it is of more than that: then it is another venue's.
pub(super) fn widen<T: Clone>(stored: &mut Vec<T>, size: usize, nothing: T) -> bool {
    if stored.len() > size {
        return false;
    }
    stored.resize(size, nothing);
    true
}

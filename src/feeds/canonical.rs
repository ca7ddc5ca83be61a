//! The canonical bytes behind identity and content hashes: what was said, in one fixed order and one fixed form.
//!
//! The form is: the kind's word, then each part; a text is its length (u32, little-endian) and its UTF-8, a number is 8 bytes
//! little-endian. No two different lists of parts have the same bytes, and the hash (XXH3, 64 bits) is the same on every machine. Names go in,
//! not dense ids, so that a reload which renumbers the sensors does not make repeats look new.

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

/// Canonical bytes in the making.
pub(in crate::feeds) struct Canonical {
    bytes: SmallVec<[u8; 160]>,
}

impl Canonical {
    /// Opens with the kind of thing, so that a count and an occupancy never share a hash.
    #[inline]
    pub(in crate::feeds) fn of(kind: &str) -> Self {
        Self { bytes: SmallVec::new() }.text(kind)
    }

    /// Adds a text.
    #[inline]
    pub(in crate::feeds) fn text(mut self, text: &str) -> Self {
        self.bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a number.
    #[inline]
    pub(in crate::feeds) fn number(mut self, number: i64) -> Self {
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Adds a number that may be absent; absent differs from every number.
    #[inline]
    pub(in crate::feeds) fn may_number(self, number: Option<i64>) -> Self {
        let present = self.number(i64::from(number.is_some()));
        present.number(number.unwrap_or_default())
    }

    /// The hash of it all.
    #[inline]
    pub(in crate::feeds) fn hash(&self) -> u64 {
        xxh3_64(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_run_together_the_same_way_still_differ() {
        let hash = |a: &str, b: &str| Canonical::of("count").text(a).text(b).hash();
        assert_ne!(hash("ab", "c"), hash("a", "bc"));
        assert_ne!(Canonical::of("count").text("a").hash(), Canonical::of("state").text("a").hash());
        assert_ne!(Canonical::of("x").may_number(None).hash(), Canonical::of("x").may_number(Some(0)).hash());
    }

    #[test]
    fn the_hash_is_the_same_on_every_machine_and_in_every_release() {
        assert_eq!(Canonical::of("count").text("cas-n-g12").number(1_907_863_200_000).hash(), 10_473_862_489_750_637_933);
    }
}

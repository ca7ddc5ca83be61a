//! Identity and content hashes: what was said, part by part in one fixed order, each part in one fixed form.
//!
//! The form: the kind's word, then each part; a text is its UTF-8, a number is 8 bytes little-endian. Every part is hashed (XXH3, 64 bits) with the hash of
//! those before it as its seed, so nothing is copied together and parts that run together the same way still differ. The result is the same
//! on every machine and in every release. Names go in, not dense ids, so that a reload which renumbers the sensors does not make repeats look new.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// A hash in the making.
#[derive(Clone, Copy, Debug)]
pub(in crate::feeds) struct Canonical(u64);

impl Canonical {
    /// Opens with the kind of thing, so that a count and an occupancy never share a hash.
    pub(in crate::feeds) fn of(kind: &str) -> Self {
        Self(xxh3_64(kind.as_bytes()))
    }

    /// Adds a text.
    pub(in crate::feeds) fn text(self, text: &str) -> Self {
        Self(xxh3_64_with_seed(text.as_bytes(), self.0))
    }

    /// Adds a number.
    pub(in crate::feeds) fn number(self, number: i64) -> Self {
        Self(xxh3_64_with_seed(&number.to_le_bytes(), self.0))
    }

    /// Adds a number that may be absent; absent differs from every number.
    pub(in crate::feeds) fn may_number(self, number: Option<i64>) -> Self {
        match number {
            Some(number) => self.text("some").number(number),
            None => self.text("none"),
        }
    }

    /// Adds a number with a fraction, by its bits; the sender of −0 writes 0.
    pub(in crate::feeds) fn real(self, number: f64) -> Self {
        self.number((number + 0.0).to_bits() as i64)
    }

    /// Adds a number with a fraction that may be absent; absent differs from every number.
    pub(in crate::feeds) fn may_real(self, number: Option<f64>) -> Self {
        self.may_number(number.map(|number| (number + 0.0).to_bits() as i64))
    }

    /// The hash of it all.
    pub(in crate::feeds) const fn hash(self) -> u64 {
        self.0
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
        assert_eq!(Canonical::of("count").text("cas-n-g12").number(1_907_863_200_000).hash(), 1_363_547_526_651_086_189);
    }
}

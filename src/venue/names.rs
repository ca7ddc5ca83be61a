//! Interned names: from the word on the wire to a dense id, in one hash and no allocation.

use indexmap::IndexSet;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The names of one kind of thing, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Names {
    set: IndexSet<Box<str>, BuildHasherDefault<WordHasher>>,
}

impl Names {
    /// Takes the names in the order of their ids; a name that comes again keeps its first id.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { set: names.into_iter().map(Box::from).collect() }
    }

    /// The position of `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.set.get_index_of(name)
    }

    /// The name at `index`; empty for none.
    pub fn name(&self, index: usize) -> &str {
        self.set.get_index(index).map_or("", |name| name)
    }

    /// The names in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.set.iter().map(|name| &**name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// The known names nearest to `unknown`, best first, at most three: for error messages.
    pub fn nearest(&self, unknown: &str) -> Vec<&str> {
        let mut near: Vec<(usize, &str)> = self.iter().map(|name| (edit_distance(unknown, name), name)).collect();
        near.sort_unstable();
        near.into_iter().take(3).map(|(_, name)| name).collect()
    }
}

/// XXH3 of a word in one go. The streaming form of the same hash fills a buffer of half a kilobyte first, which costs more than a short name's hash.
#[derive(Clone, Copy, Debug, Default)]
struct WordHasher(u64);

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    /// The end mark of a text: one word a hash, so there is nothing to be told apart.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_order_and_find_their_neighbours() {
        let names = Names::new(["bowl", "forecourt-n1", "forecourt-n2"]);
        assert_eq!(names.position("forecourt-n2"), Some(2));
        assert_eq!(names.position("forecourt"), None);
        assert_eq!(names.nearest("forecour-n1")[0], "forecourt-n1");
    }
}

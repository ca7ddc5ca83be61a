//! The arguments of a message: numbers by name.
//!
//! The idea: a detector speaks of every place at every pane, and mostly nobody reads what it says. There are few arguments, so they lie in the finding itself, and a quiet finding asks for no memory.

use super::finding::Word;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use smallvec::SmallVec;
use std::fmt;

/// Numbers by name, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args(SmallVec<[(Word, f64); 3]>);

impl Args {
    /// Each name with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&Word, f64)> {
        self.0.iter().map(|(name, value)| (name, *value))
    }

    /// The number of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.place(name).ok().map(|at| self.0[at].1)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives a name its number; the last word counts.
    pub fn insert(&mut self, name: Word, value: f64) {
        match self.place(&name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }
}

impl FromIterator<(Word, f64)> for Args {
    fn from_iter<I: IntoIterator<Item = (Word, f64)>>(named: I) -> Self {
        let mut args = Self::default();
        named.into_iter().for_each(|(name, value)| args.insert(name, value));
        args
    }
}

#[cfg(test)]
impl std::ops::Index<&str> for Args {
    type Output = f64;

    fn index(&self, name: &str) -> &f64 {
        let at = self.place(name).unwrap_or(usize::MAX);
        &self.0[at].1
    }
}

impl Serialize for Args {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Named)
    }
}

struct Named;

impl<'de> Visitor<'de> for Named {
    type Value = Args;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Args, A::Error> {
        let mut args = Args::default();
        while let Some((name, value)) = map.next_entry()? {
            args.insert(name, value);
        }
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A state and an alarm must read as if the arguments were a map.
    #[test]
    fn they_are_written_and_read_as_a_map_in_the_order_of_their_names() {
        let named = [("share", 0.9), ("capacity", 500.0), ("occupancy", 450.0), ("share", 0.91)];
        let args: Args = named.iter().map(|(name, value)| ((*name).into(), *value)).collect();
        let map: BTreeMap<Word, f64> = named.iter().map(|(name, value)| ((*name).into(), *value)).collect();
        assert_eq!(serde_json::to_string(&args).unwrap(), serde_json::to_string(&map).unwrap());
        let stored = postcard::to_stdvec(&args).unwrap();
        assert_eq!(stored, postcard::to_stdvec(&map).unwrap());
        assert_eq!(postcard::from_bytes::<Args>(&stored).unwrap(), args);
        assert_eq!(serde_json::from_str::<Args>(r#"{"share":0.91,"occupancy":450.0,"capacity":500.0}"#).unwrap(), args);
        assert_eq!((args["share"], args.get("occupancy"), args.get("limit"), args.len()), (0.91, Some(450.0), None, 3));
    }
}

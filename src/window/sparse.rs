//! Dense arrays of which most entries hold nothing, written down as what they hold: how long, and each entry with the gap before it.

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// No pane of a real venue is longer: a length beyond it is no array but damage.
const LONGEST: usize = 1 << 20;

/// Writes the length, and each entry that is not the default behind the number of entries skipped before it.
pub(super) fn serialize<T: Serialize + Default + PartialEq, S: Serializer>(entries: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    let blank = T::default();
    let told: Vec<(usize, &T)> = entries.iter().enumerate().filter(|(_, entry)| **entry != blank).collect();
    let mut seq = serializer.serialize_seq(Some(told.len() + 1))?;
    seq.serialize_element(&(entries.len() as u32, None::<&T>))?;
    let mut next = 0;
    for (index, entry) in told {
        seq.serialize_element(&((index - next) as u32, Some(entry)))?;
        next = index + 1;
    }
    seq.end()
}

/// Reads it back.
pub(super) fn deserialize<'de, T: Deserialize<'de> + Default + Clone, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let mut told = Vec::<(u32, Option<T>)>::deserialize(deserializer)?.into_iter();
    let length = told.next().map_or(0, |(length, _)| length as usize);
    if length > LONGEST {
        return Err(D::Error::custom("an array of a pane is too long"));
    }
    let mut entries = vec![T::default(); length];
    let mut next = 0usize;
    for (gap, entry) in told {
        let index = next.saturating_add(gap as usize);
        let (Some(place), Some(entry)) = (entries.get_mut(index), entry) else {
            return Err(D::Error::custom("an entry of a pane lies behind its end"));
        };
        *place = entry;
        next = index + 1;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Array(#[serde(with = "super")] Vec<u32>);

    proptest! {
        #[test]
        fn what_is_written_is_read_back(entries in proptest::collection::vec(prop_oneof![4 => Just(0u32), 1 => any::<u32>()], 0..200)) {
            let array = Array(entries);
            let bytes = postcard::to_allocvec(&array).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Array>(&bytes).unwrap(), array);
        }

        #[test]
        fn damage_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = postcard::from_bytes::<Array>(&bytes);
        }
    }

    #[test]
    fn nothing_takes_no_room() {
        assert!(postcard::to_allocvec(&Array(vec![0; 10_000])).unwrap().len() < 8);
    }
}

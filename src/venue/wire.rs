//! What a source's records mean beyond their format: whose names stand on the wire, whose wall clock, whose counters.
//!
//! The idea: a vendor's record knows a serial number, a check-in list or a quay, and no gate of ours; often it knows no time zone either. Both are
//! facts of the place, so they stand in the venue's file, with the source. Nothing of it is guessed.

use super::mapping::Mapping;
use crate::time::{EventTime, Span};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How a source's records are read beyond their format.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// From the name on the wire to the configured one. `-` stands for a name that is left out on purpose.
    pub names: BTreeMap<Box<str>, Box<str>>,
    /// The zone of its wall clock, where its times bear none.
    pub time_zone: Option<Tz>,
    /// How many values its cumulative counters have before they begin again at 0.
    pub modulus: Option<u64>,
    /// What its records mean where their format is `mapping`.
    pub mapping: Option<Arc<Mapping>>,
    /// The keys under which its tickets become pseudonyms; without a key a ticket is dropped.
    pub tickets: Arc<TicketKeys>,
}

/// What a name on the wire is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called<'a> {
    /// This configured name.
    Name(&'a str),
    /// Left out on purpose.
    LeftOut,
}

impl Wire {
    /// How records are read by it, in words that differ where two are read differently. Without the names, which a later configuration may add to, and the keys, which follow the matches.
    pub fn reading(&self) -> String {
        let Self { names: _, time_zone, modulus, mapping, tickets: _ } = self;
        format!("time_zone {time_zone:?} modulus {modulus:?} mapping {mapping:?}")
    }

    /// What the source's names say of `name`; itself where they do not mention it.
    pub fn called<'a>(&'a self, name: &'a str) -> Called<'a> {
        match self.names.get(name).map(|known| &**known) {
            Some("-") => Called::LeftOut,
            Some(known) => Called::Name(known),
            None => Called::Name(name),
        }
    }
}

/// A key for each match, from a file that is destroyed after the last one. All shards read the same file, so a ticket has the same pseudonym on all.
#[derive(Clone, Default)]
pub struct TicketKeys {
    keys: Vec<MatchKey>,
}

#[derive(Clone)]
struct MatchKey {
    from: EventTime,
    to: EventTime,
    key: Box<[u8]>,
}

impl TicketKeys {
    /// How long before and after a kick-off the match's key is in force.
    pub const AROUND: Span = Span::from_mins(12 * 60);

    /// Adds the key of the match that kicks off at `kick_off`.
    pub fn add(&mut self, kick_off: EventTime, key: &[u8]) {
        self.keys.push(MatchKey { from: kick_off.before(Self::AROUND), to: kick_off.after(Self::AROUND), key: key.into() });
    }

    /// The pseudonym of `ticket` at `at`: the first 64 bits of HMAC-SHA-256 (RFC 2104) under the key in force; none without a key.
    pub fn pseudonym(&self, ticket: &str, at: EventTime) -> Option<u64> {
        let known = self.keys.iter().find(|known| known.from <= at && at < known.to)?;
        let digest = hmac_sha256(&known.key, ticket.as_bytes());
        Some(u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]]))
    }
}

/// A key shows nowhere.
impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketKeys({})", self.keys.len())
    }
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let keyed = |pad: u8, message: &[u8]| -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(block.map(|byte| byte ^ pad));
        hash.update(message);
        hash.finalize().into()
    };
    keyed(0x5c, &keyed(0x36, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_keyed_hash_is_that_of_rfc_4231() {
        let short = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&short), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(&long), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn each_match_has_pseudonyms_of_its_own_and_none_without_a_key() {
        let kick_off = EventTime::from_millis(1_907_870_400_000);
        let next = kick_off.after(Span::from_mins(3 * 24 * 60));
        let mut keys = TicketKeys::default();
        assert_eq!(keys.pseudonym("t", kick_off), None);
        keys.add(kick_off, b"first");
        keys.add(next, b"second");
        assert_ne!(keys.pseudonym("t", kick_off), keys.pseudonym("t", next));
        assert_ne!(keys.pseudonym("t", kick_off), keys.pseudonym("u", kick_off));
        assert_eq!(keys.pseudonym("t", kick_off.after(Span::from_mins(1_000))), None);
        assert!(!format!("{keys:?}").contains("first"));
    }

    #[test]
    fn a_name_is_itself_unless_the_source_says_otherwise() {
        let names = [("ACCC8E", "gate-1"), ("spare", "-")].map(|(wire, name)| (wire.into(), name.into()));
        let wire = Wire { names: names.into_iter().collect(), ..Wire::default() };
        assert_eq!(wire.called("ACCC8E"), Called::Name("gate-1"));
        assert_eq!(wire.called("gate-2"), Called::Name("gate-2"));
        assert_eq!(wire.called("spare"), Called::LeftOut);
    }
}

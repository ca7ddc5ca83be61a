//! The keys of tickets: one a match, in a file that is destroyed after the last one (`docs/DOOR.md`, "Tickets").

use super::WorldError;
use crate::venue::{Feed, TicketKeys, World};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Gives every ticketing source the keys of its venue's matches.
///
/// # Errors
/// The file cannot be read, names a match that is not configured, or a key is not 64 hexadecimal digits.
pub fn give_ticket_keys(world: &mut World, path: &Path) -> Result<(), WorldError> {
    let text = std::fs::read_to_string(path).map_err(|why| WorldError::Unreadable { path: path.to_owned(), why })?;
    let wrong = |what: String| WorldError::TicketKeys { path: path.to_owned(), what };
    // The parser's own message would show the line, and with it a key.
    let keys: BTreeMap<String, String> = toml::from_str(&text).map_err(|_| wrong("is not a list of `match_id = \"key\"`".to_owned()))?;
    for venue in &mut world.venues {
        let mut of_venue = TicketKeys::default();
        for of_match in &venue.matches {
            if let Some(key) = keys.get(&*of_match.id) {
                of_venue.add(of_match.kick_off, &bytes(key).ok_or_else(|| wrong(format!("the key of {} is not 64 hexadecimal digits", of_match.id)))?);
            }
        }
        let of_venue = Arc::new(of_venue);
        for source in venue.sources.iter_mut().filter(|source| source.feed == Feed::Ticketing) {
            source.wire.tickets = Arc::clone(&of_venue);
        }
    }
    let configured = |id: &String| world.venues.iter().any(|venue| venue.matches.iter().any(|known| *known.id == **id));
    match keys.keys().find(|id| !configured(id)) {
        Some(stray) => Err(wrong(format!("{stray} is no configured match"))),
        None => Ok(()),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: &str) -> Result<World, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let mut world = crate::config::read_world(Path::new("config")).unwrap();
        give_ticket_keys(&mut world, file.path()).map(|()| world).map_err(|why| why.to_string())
    }

    #[test]
    fn a_match_has_its_key_and_a_fault_shows_none() {
        let world = crate::config::read_world(Path::new("config")).unwrap();
        let (venue, of_match) = world.venues.iter().find_map(|venue| Some((venue.id.clone(), venue.matches.first()?.clone()))).unwrap();
        let keyed = given(&format!("{} = \"{}\"", of_match.id, "0f".repeat(32))).unwrap();
        let venue = keyed.venue(keyed.find(&venue).unwrap());
        let source = venue.sources.iter().find(|source| source.feed == Feed::Ticketing).unwrap();
        assert!(source.wire.tickets.pseudonym("T-77", of_match.kick_off).is_some());
        for text in [format!("{} = \"secretkey\"", of_match.id), "m-none = \"00\"".to_owned(), "secretkey".to_owned()] {
            let why = given(&text).unwrap_err();
            assert!(!why.contains("secretkey"), "{why}");
        }
    }
}

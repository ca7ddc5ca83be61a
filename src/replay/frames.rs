//! GTFS-Realtime frames in files, in the order of their headers' times, as records of the transport feed of each venue.
//!
//! The idea: a frame is about a whole network, so each venue gets all of it, and what concerns none of its stops is counted as ignored in the
//! ledger, not dropped on the way. Only the times are kept; a frame is read again when its turn comes.

use super::input::InputRecord;
use crate::feeds::transport::gtfs_realtime::{self, frame_time};
use crate::time::EventTime;
use crate::venue::{Feed, Source, Venue, World};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The frames of a replay.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    files: Vec<(Option<EventTime>, PathBuf)>,
}

/// Why frames cannot be read.
#[derive(Debug, Error)]
pub enum FramesError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no frame.
    #[error("no GTFS-Realtime frame (*.pb) in {0}")]
    None(String),
}

impl Frames {
    /// Finds the frames in `paths`: files as they are, folders with every `*.pb` below them; sorted by header time, then by path.
    ///
    /// A file without a readable header stands first: it goes to quarantine wherever it stands, and the frames after it go on.
    ///
    /// # Errors
    /// A path cannot be read, or no frame is there.
    pub fn find(paths: &[PathBuf]) -> Result<Self, FramesError> {
        let mut found = Vec::new();
        for path in paths {
            collect(path, true, &mut found)?;
        }
        if found.is_empty() {
            let searched: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            return Err(FramesError::None(searched.join(", ")));
        }
        let mut files = Vec::with_capacity(found.len());
        for path in found {
            files.push((frame_time(&read(&path)?).ok(), path));
        }
        files.sort();
        Ok(Self { files })
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// The files in the order of the frames.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(_, path)| path.as_path())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The times of the first and the last frame that tells one.
    pub fn reach(&self) -> Option<(EventTime, EventTime)> {
        let mut times = self.files.iter().filter_map(|(at, _)| *at);
        let first = times.next()?;
        Some((first, times.next_back().unwrap_or(first)))
    }

    /// A record per frame and venue, in the order of the frames; venues without a source of transport get none.
    pub fn records<'a>(&'a self, world: &'a World) -> impl Iterator<Item = Result<InputRecord, FramesError>> + 'a {
        let venues: Vec<(&Venue, &Source)> = world.venues.iter().filter_map(|venue| Some((venue, source_of(venue)?))).collect();
        self.files.iter().flat_map(move |(at, path)| match read(path) {
            Ok(frame) => venues.iter().map(|(venue, source)| Ok(record(venue, source, &frame, *at))).collect::<Vec<_>>(),
            Err(err) => vec![Err(err)],
        })
    }
}

/// The source that is configured for frames, else the first of the feed.
fn source_of(venue: &Venue) -> Option<&Source> {
    let of_feed = || venue.sources.iter().filter(|source| source.feed == Feed::Transport);
    let for_frames =
        |source: &&Source| source.format.as_deref().is_some_and(|named| named == gtfs_realtime::FORMAT.name || named == gtfs_realtime::FORMAT.type_name);
    of_feed().find(for_frames).or_else(|| of_feed().next())
}

fn record(venue: &Venue, source: &Source, frame: &[u8], at: Option<EventTime>) -> InputRecord {
    InputRecord {
        feed: Feed::Transport,
        key: (&*venue.id).into(),
        value: frame.to_vec(),
        source: (&*source.id).into(),
        content_type: gtfs_realtime::FORMAT.media_types[0],
        received: at,
    }
}

fn collect(path: &Path, named: bool, found: &mut Vec<PathBuf>) -> Result<(), FramesError> {
    let unreadable = |source| FramesError::Unreadable { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        // A file that was named is meant; one that lies in a folder must look like a frame.
        if named || path.extension().is_some_and(|extension| extension == "pb") {
            found.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        collect(&entry.map_err(unreadable)?.path(), false, found)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, FramesError> {
    std::fs::read(path).map_err(|source| FramesError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::sample;

    /// A frame of that header time and nothing else.
    fn frame(secs: u64) -> Vec<u8> {
        use crate::feeds::transport::wire::{FeedHeader, FeedMessage};
        use prost::Message;
        FeedMessage { header: Some(FeedHeader { timestamp: Some(secs), ..FeedHeader::default() }), entity: vec![] }.encode_to_vec()
    }

    #[test]
    fn frames_come_in_the_order_of_their_headers_once_for_each_venue() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for (name, bytes) in
            [("z.pb", frame(100)), ("b/a.pb", frame(300)), ("c.pb", frame(200)), ("broken.pb", b"<html>".to_vec()), ("readme.txt", b"x".to_vec())]
        {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let frames = Frames::find(&[folder.path().to_owned()]).unwrap();
        let mut other = sample::venue();
        other.id = "rabat".into();
        let mut without = sample::venue();
        (without.id, without.sources) = ("tanger".into(), vec![]);
        let world = World::new(vec![sample::venue(), other, without]);
        let seen: Vec<(String, Option<i64>)> =
            frames.records(&world).map(|record| record.unwrap()).map(|record| (record.key.to_string(), record.received.map(EventTime::as_secs))).collect();
        let expected = [None, Some(100), Some(200), Some(300)].map(|at| [("casablanca".to_owned(), at), ("rabat".to_owned(), at)]).concat();
        assert_eq!(seen, expected);
        assert_eq!(frames.reach().map(|(first, last)| (first.as_secs(), last.as_secs())), Some((100, 300)));
    }

    #[test]
    fn a_folder_without_frames_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Frames::find(&[folder.path().to_owned()]), Err(FramesError::None(_))));
        assert!(matches!(Frames::find(&[folder.path().join("absent")]), Err(FramesError::Unreadable { .. })));
    }
}

//! One partition: records in order, the last of them in memory, the others in sealed segments, in memory or on disk.
//!
//! Offsets only grow. Trimming moves the start; compaction takes records out and leaves the offsets of the others as they are, so a reader
//! never sees a record twice nor out of order.

use super::segment::{Fresh, Segment, Stored, decode, encode};
use crate::log::LogError;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// The growing end has an index entry about every so many bytes.
const INDEX_STEP: usize = 4_096;

/// A partition of a topic.
#[derive(Debug)]
pub(super) struct PartitionLog {
    folder: PathBuf,
    segment_bytes: usize,
    sealed: VecDeque<Segment>,
    active: Active,
    start: i64,
    end: i64,
    next_id: u64,
    /// Bytes sealed since the last compaction, and what was left by it.
    dirty: usize,
    clean: usize,
}

#[derive(Debug, Default)]
struct Active {
    id: u64,
    base: i64,
    bytes: Vec<u8>,
    index: Vec<(i64, usize)>,
}

/// Where a reader stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    /// The next offset to be read.
    pub(super) next: i64,
    /// The segment it is in, and where.
    hint: Option<(u64, usize)>,
    /// The sealed segment it is reading, kept so that a file is read once.
    loaded: Option<(u64, Arc<Vec<u8>>)>,
}

impl Cursor {
    /// A reader that starts at `next`.
    pub(super) fn at(next: i64) -> Self {
        Self { next, hint: None, loaded: None }
    }
}

impl PartitionLog {
    /// An empty partition, whose sealed segments go to `folder`.
    pub(super) fn new(folder: PathBuf, segment_bytes: usize) -> Self {
        Self { folder, segment_bytes, sealed: VecDeque::new(), active: Active::default(), start: 0, end: 0, next_id: 1, dirty: 0, clean: 0 }
    }

    /// The first offset that is kept.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// The offset that the next record will have.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// How much is kept, in bytes, in memory and on disk.
    pub(super) fn bytes(&self) -> usize {
        self.active.bytes.len() + self.sealed.iter().map(|segment| segment.len).sum::<usize>()
    }

    /// The size of the segments that hold offset `from` or a later one, in bytes.
    pub(super) fn bytes_after(&self, from: i64) -> usize {
        if from >= self.end {
            return 0;
        }
        self.active.bytes.len() + self.sealed.iter().rev().take_while(|segment| segment.next > from).map(|segment| segment.len).sum::<usize>()
    }

    /// Appends a record and answers whether its segment is full and wants to be sealed.
    pub(super) fn append(&mut self, record: &Fresh<'_>) -> bool {
        let at = self.active.bytes.len();
        if self.active.index.last().is_none_or(|(_, last)| at - last >= INDEX_STEP) {
            self.active.index.push((self.end, at));
        }
        encode(&mut self.active.bytes, (self.end - self.active.base) as u32, record);
        self.end += 1;
        self.active.bytes.len() >= self.segment_bytes
    }

    /// Leaves out the offsets up to `offset`, as compaction and transaction markers do on a broker.
    pub(super) fn skip_to(&mut self, offset: i64) {
        // An empty partition begins there; a record is found by its distance from the start of its segment.
        if self.active.bytes.is_empty() {
            self.active.base = self.active.base.max(offset);
        }
        self.end = self.end.max(offset);
    }

    /// Ends the growing end and starts a new one in `spare`, memory that is free. Answers the sealed segment's id and size; none where there was nothing.
    pub(super) fn seal(&mut self, spare: impl FnOnce() -> Vec<u8>) -> Option<(u64, usize)> {
        if self.active.bytes.is_empty() {
            return None;
        }
        let mut bytes = spare();
        bytes.reserve(self.active.bytes.len().min(self.segment_bytes));
        let fresh = Active { id: self.next_id, base: self.end, bytes, index: Vec::new() };
        let full = std::mem::replace(&mut self.active, fresh);
        self.next_id += 1;
        let sealed = (full.id, full.bytes.len());
        self.dirty += full.bytes.len();
        self.sealed.push_back(self.segment(full.id, full.base, self.end, full.bytes));
        Some(sealed)
    }

    /// Drops a sealed segment's bytes from memory; they stay in its file. Answers how many bytes that were.
    pub(super) fn evict(&mut self, id: u64) -> Result<usize, LogError> {
        let Some(segment) = self.sealed.iter_mut().find(|segment| segment.id == id) else { return Ok(0) };
        segment.write()?;
        Ok(segment.resident.take().map_or(0, |bytes| bytes.len()))
    }

    /// Writes down whatever is sealed and in memory only.
    pub(super) fn write_sealed(&mut self) -> Result<(), LogError> {
        self.sealed.iter_mut().try_for_each(Segment::write)
    }

    /// Reads up to `max` records and moves the cursor behind them.
    pub(super) fn read(&self, cursor: &mut Cursor, max: usize, each: &mut dyn FnMut(&Stored<'_>)) -> Result<usize, LogError> {
        // A reader that slept through a trim goes on with what there is.
        if cursor.next < self.start {
            *cursor = Cursor::at(self.start);
        }
        let mut read = 0;
        while read < max && cursor.next < self.end {
            let passed = self.sealed.partition_point(|segment| segment.next <= cursor.next);
            read += match self.sealed.get(passed) {
                Some(segment) => self.read_sealed(segment, cursor, max - read, each)?,
                None => self.read_active(cursor, max - read, each)?,
            };
        }
        Ok(read)
    }

    fn read_sealed(&self, segment: &Segment, cursor: &mut Cursor, max: usize, each: &mut dyn FnMut(&Stored<'_>)) -> Result<usize, LogError> {
        let bytes = match &cursor.loaded {
            Some((id, bytes)) if *id == segment.id => Arc::clone(bytes),
            _ => segment.bytes()?,
        };
        let from = match cursor.hint {
            Some((id, at)) if id == segment.id => at,
            _ => 0,
        };
        let (read, at) = walk(&bytes, from, segment.base, cursor, max, each).map_err(|at| segment.damaged(at))?;
        cursor.hint = Some((segment.id, at));
        cursor.loaded = Some((segment.id, Arc::clone(&bytes)));
        if at >= bytes.len() {
            // The rest of the segment's offsets may have been compacted away.
            *cursor = Cursor::at(cursor.next.max(segment.next));
        }
        Ok(read)
    }

    fn read_active(&self, cursor: &mut Cursor, max: usize, each: &mut dyn FnMut(&Stored<'_>)) -> Result<usize, LogError> {
        cursor.loaded = None;
        if cursor.next < self.active.base {
            cursor.next = self.active.base;
        }
        let from = match cursor.hint {
            Some((id, at)) if id == self.active.id => at,
            _ => {
                let after = self.active.index.partition_point(|(offset, _)| *offset <= cursor.next);
                after.checked_sub(1).map_or(0, |i| self.active.index[i].1)
            }
        };
        let damaged = |at| LogError::Corrupt { place: self.folder.display().to_string(), detail: format!("no record at byte {at} of the growing end") };
        let (read, at) = walk(&self.active.bytes, from, self.active.base, cursor, max, each).map_err(damaged)?;
        cursor.hint = Some((self.active.id, at));
        Ok(read)
    }

    /// The time stamp of the record that the cursor would read next.
    pub(super) fn next_timestamp(&self, cursor: &mut Cursor) -> Result<Option<i64>, LogError> {
        let mut ahead = cursor.clone();
        let mut timestamp = None;
        self.read(&mut ahead, 1, &mut |record| timestamp = Some(record.timestamp))?;
        // The way there is worth keeping (a loaded file), the step over the record is not.
        cursor.loaded = ahead.loaded;
        Ok(timestamp)
    }

    /// Removes the sealed segments that lie wholly before `offset`, and hands on the memory of each that held some.
    pub(super) fn trim(&mut self, offset: i64, freed: &mut dyn FnMut(Arc<Vec<u8>>)) {
        while let Some(mut segment) = self.sealed.pop_front_if(|segment| segment.next <= offset) {
            self.start = segment.next;
            discard(&segment);
            segment.resident.take().map(&mut *freed);
        }
    }

    /// Whether enough has come since the last compaction to make another worth its while.
    pub(super) fn wants_compaction(&self) -> bool {
        self.dirty > (2 * self.clean).max(4 * self.segment_bytes)
    }

    /// Keeps the last record of each key; a key whose last record has no value goes altogether. Answers how many bytes of memory that freed.
    pub(super) fn compact(&mut self) -> Result<usize, LogError> {
        self.seal(Vec::new);
        let mut latest: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        self.read(&mut Cursor::at(self.start), usize::MAX, &mut |record| match latest.get_mut(record.key) {
            Some(offset) => *offset = record.offset,
            None => {
                latest.insert(record.key.to_vec(), record.offset);
            }
        })?;
        let mut kept = Active::default();
        let mut rewritten: Vec<(i64, i64, Vec<u8>)> = Vec::new();
        let segment_bytes = self.segment_bytes;
        self.read(&mut Cursor::at(self.start), usize::MAX, &mut |record| {
            if record.value.is_none() || latest.get(record.key) != Some(&record.offset) {
                return;
            }
            if kept.bytes.is_empty() {
                kept.base = record.offset;
            }
            let headers: Vec<(&str, &[u8])> = record.headers.map(|(name, value)| (std::str::from_utf8(name).unwrap_or(""), value)).collect();
            let fresh = Fresh { timestamp: record.timestamp, key: record.key, value: record.value, headers: &headers };
            encode(&mut kept.bytes, (record.offset - kept.base) as u32, &fresh);
            if kept.bytes.len() >= segment_bytes {
                rewritten.push((kept.base, record.offset + 1, std::mem::take(&mut kept.bytes)));
            }
        })?;
        if !kept.bytes.is_empty() {
            rewritten.push((kept.base, self.end, kept.bytes));
        }
        let old: Vec<Segment> = self.sealed.drain(..).collect();
        let freed = old.iter().filter_map(|segment| segment.resident.as_ref()).map(|bytes| bytes.len()).sum();
        for (base, next, bytes) in rewritten {
            let id = self.next_id;
            self.next_id += 1;
            let mut segment = self.segment(id, base, next, bytes);
            segment.write()?;
            segment.resident = None;
            self.sealed.push_back(segment);
        }
        old.iter().for_each(discard);
        self.dirty = 0;
        self.clean = self.bytes();
        // Ids must stay apart from the rewritten ones, or a reader's place in the old would be taken for one in the new.
        self.active.id = self.next_id;
        self.next_id += 1;
        Ok(freed)
    }

    fn segment(&self, id: u64, base: i64, next: i64, bytes: Vec<u8>) -> Segment {
        let path = self.folder.join(format!("{base:020}-{next:020}-{id}.seg"));
        Segment { id, base, next, len: bytes.len(), path, resident: Some(Arc::new(bytes)), is_written: false }
    }

    /// Takes up the segments that an earlier life left in the folder; `start` and `end` are what it knew.
    pub(super) fn reopen(folder: PathBuf, segment_bytes: usize, start: i64, end: i64) -> Result<Self, LogError> {
        let mut log = Self::new(folder, segment_bytes);
        (log.start, log.end) = (start, end);
        if log.folder.is_dir() {
            let failed = |source| LogError::Io { path: log.folder.display().to_string(), source };
            for entry in std::fs::read_dir(&log.folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let len = entry.metadata().map_err(failed)?.len() as usize;
                let Some((base, next, id)) = parts(&entry.file_name().to_string_lossy()) else { continue };
                log.next_id = log.next_id.max(id + 1);
                log.sealed.push_back(Segment { id, base, next, len, path: entry.path(), resident: None, is_written: true });
            }
        }
        log.sealed.make_contiguous().sort_by_key(|segment| segment.base);
        log.active = Active { id: log.next_id, base: end, bytes: Vec::new(), index: Vec::new() };
        log.next_id += 1;
        Ok(log)
    }
}

/// The base, the end and the id that a file's name tells.
fn parts(name: &str) -> Option<(i64, i64, u64)> {
    let mut parts = name.strip_suffix(".seg")?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A file that is already gone is as good as removed.
fn discard(segment: &Segment) {
    if segment.is_written {
        let _ = std::fs::remove_file(&segment.path);
    }
}

/// Hands on the records from byte `at` that the cursor has not passed yet, and answers how many and where it stopped, or where the bytes are no record.
fn walk(bytes: &[u8], mut at: usize, base: i64, cursor: &mut Cursor, max: usize, each: &mut dyn FnMut(&Stored<'_>)) -> Result<(usize, usize), usize> {
    let mut read = 0;
    while read < max && at < bytes.len() {
        let (record, next) = decode(bytes, at, base).ok_or(at)?;
        at = next;
        if record.offset >= cursor.next {
            each(&record);
            cursor.next = record.offset + 1;
            read += 1;
        }
    }
    Ok((read, at))
}

#[cfg(test)]
#[path = "partition_tests.rs"]
mod tests;

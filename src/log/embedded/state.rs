//! Everything behind the lock: the partitions of every topic, the groups, the readers, the clock.

use super::group::Group;
use super::partition::{Cursor, PartitionLog};
use super::segment::{Fresh, Stored};
use super::{Held, Options, Retention, index};
use crate::log::{LogError, Place, Topic};
use crate::venue::Feed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// So many segments' memory is kept for the next ones.
const SPARE: usize = 8;

/// A partition of a topic.
pub(super) type Spot = (Topic, u32);

#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    /// The broker's time, epoch ms.
    pub(super) clock: i64,
    /// How many feeders hold the inputs open.
    pub(super) feeders: usize,
    pub(super) groups: BTreeMap<String, Group>,
    /// Where each plain reader stands, for trimming.
    pub(super) readers: BTreeMap<u64, BTreeMap<Spot, i64>>,
    next_reader: u64,
    logs: Vec<PartitionLog>,
    /// Sealed segments in memory, oldest first.
    resident: VecDeque<(Spot, u64)>,
    resident_bytes: usize,
    /// Memory of segments that are gone, used again: fresh pages cost more than what is written to them.
    spare: Vec<Vec<u8>>,
}

/// What outlives the process beside the segments.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Meta {
    partitions: u32,
    clock: i64,
    /// Per partition of each topic, topic by topic: (start, end).
    bounds: Vec<(i64, i64)>,
    /// Per group: (feed, partition, next offset).
    offsets: BTreeMap<String, Vec<(Feed, u32, i64)>>,
}

impl State {
    pub(super) fn open(options: Options) -> Result<Self, LogError> {
        let meta = read_meta(&options)?;
        let mut logs = Vec::new();
        for (i, (topic, partition)) in spots(options.partitions).enumerate() {
            let folder = options.folder.join(format!("{topic}-{partition}"));
            let (start, end) = meta.bounds.get(i).copied().unwrap_or_default();
            logs.push(PartitionLog::reopen(folder, options.segment_bytes, start, end)?);
        }
        let groups = meta.offsets.into_iter().map(|(name, offsets)| (name, Group::with_offsets(offsets))).collect();
        Ok(Self {
            clock: meta.clock,
            options,
            feeders: 0,
            groups,
            readers: BTreeMap::new(),
            next_reader: 0,
            logs,
            resident: VecDeque::new(),
            resident_bytes: 0,
            spare: Vec::new(),
        })
    }

    pub(super) fn group(&mut self, name: &str) -> &mut Group {
        self.groups.entry(name.to_owned()).or_default()
    }

    pub(super) fn expel(&mut self, group: &str) {
        let partitions = self.options.partitions;
        self.group(group).expel(partitions);
    }

    pub(super) fn register_reader(&mut self, positions: BTreeMap<Spot, i64>) -> u64 {
        self.next_reader += 1;
        self.readers.insert(self.next_reader, positions);
        self.next_reader
    }

    pub(super) fn start(&self, topic: Topic, partition: u32) -> i64 {
        self.log(topic, partition).map_or(0, PartitionLog::start)
    }

    pub(super) fn end(&self, topic: Topic, partition: u32) -> i64 {
        self.log(topic, partition).map_or(0, PartitionLog::end)
    }

    /// Leaves out a partition's offsets up to `offset`.
    pub(super) fn skip_to(&mut self, topic: Topic, partition: u32, offset: i64) {
        let at = self.slot(topic, partition);
        if let Some(log) = self.logs.get_mut(at) {
            log.skip_to(offset);
        }
    }

    pub(super) fn append(&mut self, topic: Topic, partition: u32, record: &Fresh<'_>) -> Result<(), LogError> {
        let (partitions, at) = (self.options.partitions, self.slot(topic, partition));
        let Some(log) = self.logs.get_mut(at).filter(|_| partition < partitions) else {
            return Err(LogError::Refused {
                doing: "appending",
                detail: format!("{topic} has no partition {partition}"),
                cure: "open the log with as many partitions as the outputs name",
            });
        };
        if log.append(record) {
            self.seal(topic, partition)?;
        }
        Ok(())
    }

    fn seal(&mut self, topic: Topic, partition: u32) -> Result<(), LogError> {
        let at = self.slot(topic, partition);
        let spare = &mut self.spare;
        if let Some((id, len)) = self.logs[at].seal(|| spare.pop().unwrap_or_default()) {
            self.resident.push_back(((topic, partition), id));
            self.resident_bytes += len;
        }
        while self.resident_bytes > self.options.resident_bytes
            && let Some(((topic, partition), id)) = self.resident.pop_front()
        {
            let at = self.slot(topic, partition);
            self.resident_bytes -= self.logs[at].evict(id)?;
        }
        let at = self.slot(topic, partition);
        if topic.is_compacted() && self.logs[at].wants_compaction() {
            self.resident_bytes -= self.logs[at].compact()?;
        }
        Ok(())
    }

    pub(super) fn compact(&mut self, topic: Topic) -> Result<(), LogError> {
        for partition in 0..self.options.partitions {
            let at = self.slot(topic, partition);
            self.resident_bytes -= self.logs[at].compact()?;
        }
        Ok(())
    }

    pub(super) fn read(&self, topic: Topic, partition: u32, cursor: &mut Cursor, max: usize, each: &mut dyn FnMut(&Stored<'_>)) -> Result<usize, LogError> {
        self.log(topic, partition).map_or(Ok(0), |log| log.read(cursor, max, each))
    }

    pub(super) fn next_timestamp(&self, topic: Topic, partition: u32, cursor: &mut Cursor) -> Result<Option<i64>, LogError> {
        self.log(topic, partition).map_or(Ok(None), |log| log.next_timestamp(cursor))
    }

    /// Removes what everybody has passed. Compacted topics are left to compaction: their oldest record may be the newest of its key.
    pub(super) fn trim(&mut self, topic: Topic) {
        if self.options.retention == Retention::Keep || topic.is_compacted() {
            return;
        }
        for partition in 0..self.options.partitions {
            if let Some(floor) = self.passed_by_all(topic, partition) {
                let at = self.slot(topic, partition);
                let (held, spare) = (&mut self.resident_bytes, &mut self.spare);
                self.logs[at].trim(floor, &mut |freed| {
                    *held -= freed.len();
                    // A reader may still have it.
                    if let Ok(mut bytes) = Arc::try_unwrap(freed)
                        && spare.len() < SPARE
                    {
                        bytes.clear();
                        spare.push(bytes);
                    }
                });
            }
        }
    }

    fn passed_by_all(&self, topic: Topic, partition: u32) -> Option<i64> {
        let readers = self.readers.values().filter_map(|positions| positions.get(&(topic, partition)).copied());
        match topic {
            Topic::In(feed) => {
                let place = Place { feed, partition };
                let groups = self.groups.values().map(|group| group.offsets.get(&place).copied().unwrap_or(0));
                readers.chain(groups).min()
            }
            Topic::Out(_) => readers.min(),
        }
    }

    /// How much input some group has not committed yet, in bytes, to the segment.
    pub(super) fn unread_bytes(&self) -> usize {
        let of = |place: Place| {
            let passed = self.groups.values().map(|group| group.offsets.get(&place).copied().unwrap_or(0)).min().unwrap_or(0);
            self.log(Topic::In(place.feed), place.partition).map_or(0, |log| log.bytes_after(passed))
        };
        Feed::ALL.into_iter().flat_map(|feed| (0..self.options.partitions).map(move |partition| Place { feed, partition })).map(of).sum()
    }

    /// Whether anybody is there to make room.
    pub(super) fn is_being_read(&self) -> bool {
        self.groups.values().any(Group::has_members)
    }

    pub(super) fn held(&self) -> Held {
        Held { bytes: self.logs.iter().map(PartitionLog::bytes).sum(), resident_bytes: self.resident_bytes }
    }

    pub(super) fn flush(&mut self) -> Result<(), LogError> {
        for (topic, partition) in spots(self.options.partitions) {
            self.seal(topic, partition)?;
            let at = self.slot(topic, partition);
            self.logs[at].write_sealed()?;
        }
        let offsets = self.groups.iter().map(|(name, group)| (name.clone(), group.offsets.iter().map(|(at, next)| (at.feed, at.partition, *next)).collect()));
        let meta = Meta {
            partitions: self.options.partitions,
            clock: self.clock,
            bounds: self.logs.iter().map(|log| (log.start(), log.end())).collect(),
            offsets: offsets.collect(),
        };
        let path = meta_path(&self.options);
        let failed = |source| LogError::Io { path: path.display().to_string(), source };
        let text = serde_json::to_vec(&meta).map_err(|error| failed(error.into()))?;
        std::fs::create_dir_all(&self.options.folder).map_err(failed)?;
        // Renaming is atomic: a crash leaves the old file or the new one.
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, text).map_err(failed)?;
        std::fs::rename(&fresh, &path).map_err(failed)
    }

    fn slot(&self, topic: Topic, partition: u32) -> usize {
        index(topic) * self.options.partitions as usize + partition as usize
    }

    fn log(&self, topic: Topic, partition: u32) -> Option<&PartitionLog> {
        self.logs.get(self.slot(topic, partition)).filter(|_| partition < self.options.partitions)
    }
}

fn spots(partitions: u32) -> impl Iterator<Item = Spot> {
    Topic::all().flat_map(move |topic| (0..partitions).map(move |partition| (topic, partition)))
}

fn meta_path(options: &Options) -> PathBuf {
    options.folder.join("log.json")
}

fn read_meta(options: &Options) -> Result<Meta, LogError> {
    let path = meta_path(options);
    if !path.exists() {
        return Ok(Meta::default());
    }
    let text = std::fs::read(&path).map_err(|source| LogError::Io { path: path.display().to_string(), source })?;
    let corrupt = |detail: String| LogError::Corrupt { place: path.display().to_string(), detail };
    let meta: Meta = serde_json::from_slice(&text).map_err(|error| corrupt(error.to_string()))?;
    if meta.partitions != options.partitions {
        return Err(corrupt(format!("it has {} partitions, not {}", meta.partitions, options.partitions)));
    }
    Ok(meta)
}

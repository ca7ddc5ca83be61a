//! Files: a folder is read in the order of its names, and looked at again for more. The door remembers what it has read only while it runs; after a restart it reads all again,
//! and the repeats collapse downstream. A file should be put in place whole (written elsewhere, then renamed). One that changes after it was read is read again from its
//! beginning: of a file seen half-written nothing is missing, only its cut line is in quarantine too.

use super::poll::too_large;
use super::route::{Payload, Route};
use super::run::{Context, Gathered};
use super::settings;
use crate::feeds::Attributes;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// So many lines are written together.
const TOGETHER: usize = 1_000;

/// By what a changed file is known: its length in bytes, and when it was last written to.
type Stamp = (u64, SystemTime);

/// A file or folder that is read.
pub struct Reader {
    settings: settings::File,
    route: Route,
    read: BTreeMap<PathBuf, Stamp>,
}

impl Reader {
    /// Nothing of it is read yet.
    pub const fn new(settings: settings::File, route: Route) -> Self {
        Self { settings, route, read: BTreeMap::new() }
    }

    /// Reads until it is told to stop.
    pub fn run(mut self, context: &Context) {
        while !context.stopped() {
            if let Err(why) = self.look(context) {
                tracing::warn!(path = %self.settings.path.display(), %why, "A file could not be read; it is tried again.");
            }
            context.sleep(self.settings.every);
        }
    }

    /// Reads what has not been read as it now is, and answers how many files that were.
    ///
    /// # Errors
    /// One cannot be read, or the log does not take it; it will be read again. Those behind it are read all the same.
    pub fn look(&mut self, context: &Context) -> Result<usize, String> {
        let (mut count, mut fault) = (0, None);
        for path in files(&self.settings.path).map_err(|why| format!("{}: {why}", self.settings.path.display()))? {
            match self.look_at(context, &path) {
                Ok(is_read) => count += usize::from(is_read),
                Err(why) => drop(fault.get_or_insert(why)),
            }
        }
        fault.map_or(Ok(count), Err)
    }

    /// Reads a file where it has not been read as it now is; one that was read and is gone is done with.
    fn look_at(&mut self, context: &Context, path: &Path) -> Result<bool, String> {
        // Before it is read: what is written meanwhile makes another stamp.
        let stamp = match stamp(path) {
            Err(why) if why.kind() == std::io::ErrorKind::NotFound && self.read.contains_key(path) => return Ok(false),
            stamp => stamp.map_err(|why| format!("{}: {why}", path.display()))?,
        };
        if context.stopped() || self.read.get(path) == Some(&stamp) {
            return Ok(false);
        }
        self.file(context, path, stamp.0)?;
        self.read.insert(path.to_owned(), stamp);
        Ok(true)
    }

    fn file(&self, context: &Context, path: &Path, bytes: u64) -> Result<(), String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let limit = context.settings.max_frame_bytes;
        if bytes > limit as u64 {
            let mut gathered = Gathered::default();
            context.gather_refused(&self.route, too_large(limit), &format!("file/{name}"), &mut gathered);
            return context.write(gathered).map(drop);
        }
        let bytes = std::fs::read(path).map_err(|why| format!("{}: {why}", path.display()))?;
        if !self.settings.lines {
            return self.payloads(context, &[(bytes.as_slice(), format!("file/{name}"))]);
        }
        let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
        let lines: Vec<(&[u8], String)> = lines.map(|(number, line)| (line, format!("file/{name}/{}", number + 1))).collect();
        lines.chunks(TOGETHER).try_for_each(|lines| self.payloads(context, lines))
    }

    fn payloads(&self, context: &Context, payloads: &[(&[u8], String)]) -> Result<(), String> {
        let mut gathered = Gathered::default();
        for (bytes, position) in payloads {
            let payload = Payload { bytes, content_type: None, received: context.now_ms(), cloud_event: None, attributes: Attributes::NONE };
            context.gather(&self.route, &payload, position, &mut gathered);
        }
        context.write(gathered).map(drop)
    }
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified()?))
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.retain(|path| path.is_file() && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    files.sort();
    Ok(files)
}

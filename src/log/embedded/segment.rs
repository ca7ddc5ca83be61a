//! A run of records in one buffer: how a record lies in it, and where it lies once it is sealed.
//!
//! A segment grows in memory; sealed, it is never changed again. Its bytes stay in memory for the readers that are close behind, and are written to one file when there is
//! no room for them any more; whoever comes later loads the file whole, which is one sequential read. What was read by all while it was in memory never sees a disk.
//!
//! ```text
//!   size u32 │ offset − base u32 │ time i64 │ key u32 │ value u32 (MAX: none) │ headers u16 │ { name u16, value u32, bytes… }… │ key │ value
//! ```

use crate::log::LogError;
use std::path::PathBuf;
use std::sync::Arc;

const FIXED: usize = 4 + 4 + 8 + 4 + 4 + 2;
const HEADER: usize = 2 + 4;
const NO_VALUE: u32 = u32::MAX;

/// A record as it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored<'a> {
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    pub(super) key: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Headers<'a>,
}

/// The headers of a stored record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Headers<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let name_len = usize::from(u16::from_le_bytes(fixed(self.bytes, 0)?));
        let value_len = u32::from_le_bytes(fixed(self.bytes, 2)?) as usize;
        let name = self.bytes.get(HEADER..HEADER + name_len)?;
        let value = self.bytes.get(HEADER + name_len..HEADER + name_len + value_len)?;
        self.bytes = &self.bytes[HEADER + name_len + value_len..];
        Some((name, value))
    }
}

/// A record to be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh<'a> {
    pub(super) timestamp: i64,
    pub(super) key: &'a [u8],
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: &'a [(&'a str, &'a [u8])],
}

/// Writes a record to the end of `bytes`; `delta` is its offset less the segment's base.
pub(super) fn encode(bytes: &mut Vec<u8>, delta: u32, record: &Fresh<'_>) {
    let headers: usize = record.headers.iter().map(|(name, value)| HEADER + name.len() + value.len()).sum();
    let size = FIXED - 4 + headers + record.key.len() + record.value.map_or(0, <[u8]>::len);
    bytes.reserve(4 + size);
    bytes.extend_from_slice(&(size as u32).to_le_bytes());
    bytes.extend_from_slice(&delta.to_le_bytes());
    bytes.extend_from_slice(&record.timestamp.to_le_bytes());
    bytes.extend_from_slice(&(record.key.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&record.value.map_or(NO_VALUE, |value| value.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(record.headers.len() as u16).to_le_bytes());
    for (name, value) in record.headers {
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(value);
    }
    bytes.extend_from_slice(record.key);
    bytes.extend_from_slice(record.value.unwrap_or_default());
}

/// The record at `at`, and where the next one begins; none where the bytes are no record.
pub(super) fn decode(bytes: &[u8], at: usize, base: i64) -> Option<(Stored<'_>, usize)> {
    let size = u32::from_le_bytes(fixed(bytes, at)?) as usize;
    let end = at + 4 + size;
    let record = bytes.get(at + 4..end)?;
    let delta = u32::from_le_bytes(fixed(record, 0)?);
    let timestamp = i64::from_le_bytes(fixed(record, 4)?);
    let key_len = u32::from_le_bytes(fixed(record, 12)?) as usize;
    let value_len = u32::from_le_bytes(fixed(record, 16)?);
    let kept = if value_len == NO_VALUE { 0 } else { value_len as usize };
    let key_at = record.len().checked_sub(key_len.checked_add(kept)?)?;
    let headers = Headers { bytes: record.get(FIXED - 4..key_at)? };
    let key = &record[key_at..key_at + key_len];
    let value = (value_len != NO_VALUE).then(|| &record[key_at + key_len..]);
    Some((Stored { offset: base + i64::from(delta), timestamp, key, value, headers }, end))
}

fn fixed<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// A sealed segment.
#[derive(Debug)]
pub(super) struct Segment {
    /// Tells it from every other of this partition; a rewritten one has a new id.
    pub(super) id: u64,
    pub(super) base: i64,
    /// One past its last offset.
    pub(super) next: i64,
    pub(super) len: usize,
    pub(super) path: PathBuf,
    pub(super) resident: Option<Arc<Vec<u8>>>,
    /// Whether its file is there.
    pub(super) is_written: bool,
}

impl Segment {
    /// Its bytes, from memory or from its file.
    pub(super) fn bytes(&self) -> Result<Arc<Vec<u8>>, LogError> {
        if let Some(bytes) = &self.resident {
            return Ok(Arc::clone(bytes));
        }
        let bytes = std::fs::read(&self.path).map_err(|source| LogError::Io { path: self.path.display().to_string(), source })?;
        if bytes.len() != self.len {
            return Err(self.damaged(bytes.len()));
        }
        Ok(Arc::new(bytes))
    }

    /// Writes its file, where that is not done yet.
    pub(super) fn write(&mut self) -> Result<(), LogError> {
        let (false, Some(bytes)) = (self.is_written, &self.resident) else { return Ok(()) };
        let failed = |source| LogError::Io { path: self.path.display().to_string(), source };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(&self.path, &**bytes).map_err(failed)?;
        self.is_written = true;
        Ok(())
    }

    /// What is to be said of bytes that are no record.
    pub(super) fn damaged(&self, at: usize) -> LogError {
        LogError::Corrupt { place: self.path.display().to_string(), detail: format!("no record at byte {at}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(key: Vec<u8>, value: Option<Vec<u8>>, timestamp: i64, delta: u32, header: Vec<u8>) {
            let mut bytes = vec![7; 3];
            let headers: [(&str, &[u8]); 2] = [("midan-source", &header), ("x", b"")];
            encode(&mut bytes, delta, &Fresh { timestamp, key: &key, value: value.as_deref(), headers: &headers });
            let (stored, end) = decode(&bytes, 3, 1_000).unwrap();
            prop_assert_eq!(end, bytes.len());
            prop_assert_eq!(stored.offset, 1_000 + i64::from(delta));
            prop_assert_eq!(stored.timestamp, timestamp);
            prop_assert_eq!(stored.key, &key[..]);
            prop_assert_eq!(stored.value, value.as_deref());
            let read: Vec<_> = stored.headers.collect();
            prop_assert_eq!(read, vec![(&b"midan-source"[..], &header[..]), (&b"x"[..], &b""[..])]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, at in 0usize..64) {
            if let Some((stored, _)) = decode(&bytes, at, 0) {
                let _ = stored.headers.count();
            }
        }
    }
}

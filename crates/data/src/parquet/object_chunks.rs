//! A Parquet file in an object store: the columns of a row group are read side by side, each in windows ahead of its reader.

use super::pages;
use super::shared_file::end_of;
use bytes::{Buf, Bytes};
use headsmith_objects::{Object, ReadAhead};
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bytes at the end that are read at once: the footers of most files.
const TAIL: u64 = 256 << 10;

/// The memory for windows of all columns, of which each has two, as far as their smallest size allows.
const ALL_WINDOWS: u64 = 64 << 20;
const SMALLEST_WINDOW: u64 = 256 << 10;
const LARGEST_WINDOW: u64 = 8 << 20;

/// A Parquet file in an object store.
#[derive(Clone)]
pub(crate) struct ObjectChunks {
    object: Object,
    len: u64,
    tail: Bytes,
    columns: Arc<Mutex<Vec<Arc<Column>>>>,
}

/// A column chunk that is read.
struct Column {
    chunk: Range<u64>,
    ahead: Mutex<ReadAhead>,
}

impl ObjectChunks {
    pub(crate) fn new(object: &Object) -> io::Result<ObjectChunks> {
        let len = object.len()?;
        let tail = object.get(len.saturating_sub(TAIL)..len)?;
        Ok(ObjectChunks { object: object.clone(), len, tail, columns: Arc::default() })
    }

    /// Begins to read these column chunks, and no longer those before.
    pub(crate) fn will_read(&self, chunks: Vec<Range<u64>>) -> io::Result<()> {
        let window = ALL_WINDOWS / (2 * chunks.len().max(1) as u64);
        let window = window.clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
        let column = |chunk: Range<u64>| {
            let ahead = ReadAhead::of_range(self.object.clone(), chunk.clone(), window)?;
            Ok(Arc::new(Column { chunk, ahead: Mutex::new(ahead) }))
        };
        *locked(&self.columns) = chunks.into_iter().map(column).collect::<io::Result<_>>()?;
        Ok(())
    }

    /// The column chunk that has the byte `at`.
    fn column(&self, at: u64) -> Option<Arc<Column>> {
        locked(&self.columns).iter().find(|column| column.chunk.contains(&at)).cloned()
    }

    /// Some bytes from `at` on.
    fn some(&self, at: u64) -> io::Result<Bytes> {
        match self.column(at) {
            Some(column) => locked(&column.ahead).some(at),
            None => self.object.get(at..(at + SMALLEST_WINDOW).min(self.len)),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes from an offset on. The decoder reads headers of pages with it, and takes their contents with `get_bytes`.
pub(crate) struct Cursor {
    file: ObjectChunks,
    at: u64,
    here: Bytes,
    is_checked: bool,
}

impl Cursor {
    /// Checks what the page here claims, before anything is allocated for it.
    fn check(&mut self) -> io::Result<()> {
        if let Some(column) = self.file.column(self.at).filter(|_| !self.is_checked) {
            let damaged = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
            pages::check_page(&self.file, self.at, column.chunk.end).map_err(damaged)?;
        }
        self.is_checked = true;
        Ok(())
    }
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        if self.here.is_empty() && self.at < self.file.len {
            self.here = self.file.some(self.at)?;
        }
        let n = (&mut self.here).reader().read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Length for ObjectChunks {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for ObjectChunks {
    type T = Cursor;

    fn get_read(&self, start: u64) -> Result<Cursor> {
        Ok(Cursor { file: self.clone(), at: start, here: Bytes::new(), is_checked: false })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = end_of(start, length, self.len)?;
        let tail_start = self.len - self.tail.len() as u64;
        if start >= tail_start {
            let from = (start - tail_start) as usize;
            return Ok(self.tail.slice(from..from + length));
        }
        Ok(match self.column(start) {
            Some(column) => locked(&column.ahead).exactly(start, length)?,
            None => self.object.get(start..end)?,
        })
    }
}

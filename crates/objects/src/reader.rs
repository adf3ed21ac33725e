//! An object as a file that is read.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::{Buf, Bytes};

use crate::Object;
use crate::read_ahead::ReadAhead;

/// Reads an object: in order as fast as the network brings it, or here and there.
pub struct ObjectReader {
    object: Object,
    ahead: Option<ReadAhead>,
    at: u64,
    /// The bytes from `at` on that are here.
    here: Bytes,
}

impl ObjectReader {
    pub(crate) fn new(object: Object) -> ObjectReader {
        ObjectReader { object, ahead: None, at: 0, here: Bytes::new() }
    }

    fn more(&mut self) -> io::Result<Bytes> {
        let ahead = match &mut self.ahead {
            Some(ahead) => ahead,
            None => {
                let len = self.object.len()?;
                self.ahead.insert(ReadAhead::growing(self.object.clone(), 0..len))
            }
        };
        ahead.some(self.at)
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.here.is_empty() && !buffer.is_empty() {
            self.here = self.more()?;
        }
        let n = (&mut self.here).reader().read(buffer)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.object.len()?.checked_add_signed(by),
        };
        let at =
            at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "an offset before the object"))?;
        match at.checked_sub(self.at).and_then(|by| usize::try_from(by).ok()) {
            Some(by) if by <= self.here.len() => self.here.advance(by),
            _ => self.here.clear(),
        }
        self.at = at;
        Ok(at)
    }
}

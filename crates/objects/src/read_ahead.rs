//! Reads a range of an object in windows, some of them before they are asked for.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::Object;
use crate::in_flight::InFlight;

/// The first window of a reader whose way is not known, and the windows of one that reads on.
const FIRST: u64 = 256 << 10;
const LARGEST: u64 = 8 << 20;
/// The number of windows that such a reader has in flight.
const MOST_AHEAD: usize = 4;

/// The windows of a range that are in memory or on their way: from the one that was read last onwards.
///
/// A read before them, or far behind them, starts anew at its offset.
pub struct ReadAhead {
    object: Object,
    range: Range<u64>,
    pace: Pace,
    windows: VecDeque<Window>,
    /// The offset after the last window.
    next: u64,
    /// The windows begun since the last start.
    n_begun: usize,
}

/// The size and number of windows.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// All of this size, the next one always on its way.
    Even(u64),
    /// They grow in size and number while the reader reads on.
    Growing,
}

struct Window {
    range: Range<u64>,
    bytes: WindowBytes,
}

enum WindowBytes {
    InFlight(Option<InFlight<Bytes>>),
    Here(Bytes),
}

impl ReadAhead {
    /// Reads `range` in windows of `window` bytes, of which the first two are requested at once.
    ///
    /// # Errors
    /// If the object does not exist.
    pub fn of_range(object: Object, range: Range<u64>, window: u64) -> io::Result<ReadAhead> {
        let mut ahead = ReadAhead::new(object, range, Pace::Even(window.max(1)));
        ahead.request(ahead.range.start)?;
        Ok(ahead)
    }

    /// Reads `range` in order, as far as it is read.
    pub(crate) fn growing(object: Object, range: Range<u64>) -> ReadAhead {
        ReadAhead::new(object, range, Pace::Growing)
    }

    fn new(object: Object, range: Range<u64>, pace: Pace) -> ReadAhead {
        let next = range.start;
        ReadAhead { object, range, pace, windows: VecDeque::new(), next, n_begun: 0 }
    }

    /// Bytes from offset `at` of the object: up to the end of a window, none after the range.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn some(&mut self, at: u64) -> io::Result<Bytes> {
        if at >= self.range.end {
            return Ok(Bytes::new());
        }
        self.request(at)?;
        self.part(0, at)
    }

    /// The `n` bytes from offset `at` of the object; fewer at the end of the range.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn exactly(&mut self, at: u64, n: usize) -> io::Result<Bytes> {
        let first = self.some(at)?;
        if first.len() >= n {
            return Ok(first.slice(..n));
        }
        let end = at.saturating_add(n as u64).min(self.range.end);
        let mut bytes = BytesMut::with_capacity(end.saturating_sub(at) as usize);
        bytes.extend_from_slice(&first);
        let mut i = 1;
        while at + (bytes.len() as u64) < end {
            if i == self.windows.len() {
                self.begin()?;
            }
            let part = self.part(i, at + bytes.len() as u64)?;
            bytes.extend_from_slice(&part[..part.len().min(n - bytes.len())]);
            i += 1;
        }
        Ok(bytes.freeze())
    }

    /// Drops the windows before `at` and requests those from there on.
    fn request(&mut self, at: u64) -> io::Result<()> {
        let starts_anew = self.windows.front().is_none_or(|window| at < window.range.start) || at > self.next;
        if starts_anew {
            self.windows.clear();
            (self.next, self.n_begun) = (at, 0);
        }
        while self.windows.front().is_some_and(|window| window.range.end <= at) {
            self.windows.pop_front();
        }
        let n_ahead = match self.pace {
            Pace::Even(_) => 1,
            Pace::Growing => self.n_begun.saturating_sub(self.windows.len()).min(MOST_AHEAD),
        };
        while self.windows.len() <= n_ahead && self.next < self.range.end {
            self.begin()?;
        }
        Ok(())
    }

    /// Requests the next window.
    fn begin(&mut self) -> io::Result<()> {
        let size = match self.pace {
            Pace::Even(size) => size,
            Pace::Growing => (FIRST << self.n_begun.min(16)).min(LARGEST),
        };
        let range = self.next..self.next.saturating_add(size).min(self.range.end);
        let bytes = WindowBytes::InFlight(Some(self.object.fetch(range.clone())?));
        self.next = range.end;
        self.n_begun += 1;
        self.windows.push_back(Window { range, bytes });
        Ok(())
    }

    /// The bytes of window `i` from offset `at` on.
    fn part(&mut self, i: usize, at: u64) -> io::Result<Bytes> {
        let window = &mut self.windows[i];
        let bytes = window.bytes.wait()?;
        let start = (at - window.range.start) as usize;
        match bytes.len() as u64 == window.range.end - window.range.start {
            true => Ok(bytes.slice(start..)),
            false => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the store sent too few bytes")),
        }
    }
}

impl WindowBytes {
    fn wait(&mut self) -> io::Result<Bytes> {
        match self {
            WindowBytes::Here(bytes) => Ok(bytes.clone()),
            WindowBytes::InFlight(transfer) => {
                let failed =
                    || io::Error::new(io::ErrorKind::ConnectionAborted, "the transfer failed before");
                let bytes = transfer.take().ok_or_else(failed)?.wait()?;
                *self = WindowBytes::Here(bytes.clone());
                Ok(bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use super::*;
    use crate::object::tests::{content, in_memory};

    const LEN: usize = 3_000_000;

    #[test]
    fn a_reader_gives_the_bytes_in_order() {
        let mut bytes = Vec::new();
        in_memory(LEN).reader().read_to_end(&mut bytes).unwrap();
        assert!(bytes == content(LEN));
    }

    #[test]
    fn a_reader_moves_anywhere() {
        let (mut reader, content) = (in_memory(LEN).reader(), content(LEN));
        for (to, at) in [
            (SeekFrom::Start(2_000_001), 2_000_001),
            (SeekFrom::Current(-5), 2_000_096),
            (SeekFrom::Current(900), 2_001_096),
            (SeekFrom::Start(3), 3),
            (SeekFrom::End(-100), LEN - 100),
            (SeekFrom::Start(0), 0),
        ] {
            assert_eq!(reader.seek(to).unwrap(), at as u64, "{to:?}");
            let mut bytes = [0; 100];
            reader.read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, content[at..at + 100], "{to:?}");
        }
        assert!(reader.seek(SeekFrom::Current(-1000)).is_err());
        reader.seek(SeekFrom::End(7)).unwrap();
        assert_eq!(reader.read(&mut [0; 3]).unwrap(), 0);
    }

    #[test]
    fn ranges_are_read_across_windows_and_again() {
        let content = content(LEN);
        for window in [1, 7, 1000, 1 << 20] {
            let mut ahead = ReadAhead::of_range(in_memory(LEN), 500..2_500, window).unwrap();
            for (at, n) in [(500, 300), (500, 1), (1400, 600), (700, 1), (2499, 1)] {
                let bytes = ahead.exactly(at as u64, n).unwrap();
                assert!(bytes == content[at..at + n], "{n} bytes at {at} in windows of {window}");
            }
            assert_eq!(ahead.exactly(2_400, 500).unwrap(), content[2_400..2_500], "the end of the range");
            assert!(ahead.some(2_500).unwrap().is_empty());
        }
    }

    #[test]
    fn few_windows_are_kept() {
        let mut ahead = ReadAhead::growing(in_memory(LEN), 0..LEN as u64);
        let mut at = 0;
        while at < LEN as u64 {
            at += ahead.some(at).unwrap().len() as u64;
            assert!(ahead.windows.len() <= MOST_AHEAD + 1);
        }
        assert_eq!(ahead.n_begun, 4, "256 KiB, 512 KiB, 1 MiB, the rest");
    }
}

//! The messages of an Arrow stream: a FlatBuffer header and a body of buffers.
//!
//! `FF FF FF FF, i32 length, the FlatBuffer, padding, body`; a length of 0 ends the stream. A file is a stream between
//! two `ARROW1`, with a footer that repeats the positions of the messages.

use super::flat::FlatTable;
use super::{cut_off, damaged};
use crate::source::{read_error, read_full};
use crate::{Error, Result};
use bytes::Bytes;
use std::io::Read;

const MAGIC: &[u8; 6] = b"ARROW1";

/// The maximum length of a header: that of a table with 65,536 columns has a few megabytes.
const MAX_METADATA: u64 = 256 << 20;

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageKind {
    Schema,
    Dictionary,
    Batch,
    /// A kind that tables do not have.
    Other,
}

/// A message with its body.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: MessageKind,
    metadata: Vec<u8>,
    pub(super) body: Bytes,
}

impl Message {
    /// The header's table.
    pub(super) fn header(&self) -> Result<FlatTable<'_>> {
        FlatTable::root(&self.metadata).and_then(|message| message.table(2)).ok_or_else(|| damaged(NONSENSE))
    }

    /// The length of the header in bytes.
    pub(super) fn len(&self) -> usize {
        self.metadata.len()
    }

    /// Whether its version is one in which unions may be null.
    pub(super) fn is_old(&self) -> bool {
        FlatTable::root(&self.metadata).is_some_and(|message| message.i16(0, 0) < 4)
    }
}

const NONSENSE: &str = "a message describes nothing that is known";

/// The messages of a stream or file, in order.
pub(super) struct Messages<'a> {
    input: Box<dyn Read + 'a>,
    is_file: bool,
    ended: bool,
}

impl<'a> Messages<'a> {
    pub(super) fn new(mut input: Box<dyn Read + 'a>) -> Result<Messages<'a>> {
        let mut head = [0; 8];
        let n = read_full(&mut input, &mut head).map_err(read_error)?;
        let is_file = head.starts_with(MAGIC);
        let input: Box<dyn Read + 'a> =
            if is_file { input } else { Box::new(std::io::Cursor::new(head[..n].to_vec()).chain(input)) };
        Ok(Messages { input, is_file, ended: false })
    }

    fn length(&mut self) -> Result<Option<u32>> {
        let mut word = [0; 4];
        match read_full(&mut self.input, &mut word).map_err(read_error)? {
            4 => Ok(Some(u32::from_le_bytes(word))),
            // A stream may end without an end marker.
            0 if !self.is_file => Ok(None),
            _ => Err(cut_off()),
        }
    }

    /// The next message; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Message>> {
        if self.ended {
            return Ok(None);
        }
        let length = match self.length()? {
            // The first versions had no marker before the length.
            Some(u32::MAX) => self.length()?.ok_or_else(cut_off)?,
            Some(length) => length,
            None => 0,
        };
        if length == 0 {
            self.ended = true;
            return self.check_end().map(|()| None);
        }
        let metadata = self.take(u64::from(length), MAX_METADATA)?;
        let message = FlatTable::root(&metadata).ok_or_else(|| damaged(NONSENSE))?;
        let kind = match message.u8(1, 0) {
            1 => MessageKind::Schema,
            2 => MessageKind::Dictionary,
            3 => MessageKind::Batch,
            _ => MessageKind::Other,
        };
        let body_len =
            u64::try_from(message.i64(3, 0)).map_err(|_| damaged("a body has a negative length"))?;
        let body = self.take(body_len, u64::MAX)?.into();
        Ok(Some(Message { kind, metadata, body }))
    }

    /// Reads the next bytes. Memory grows with the bytes that are really there, not with the claimed length.
    fn take(&mut self, len: u64, most: u64) -> Result<Vec<u8>> {
        if len > most {
            return Err(damaged(&format!("a message claims {len} bytes")));
        }
        let mut bytes = Vec::new();
        self.input.by_ref().take(len).read_to_end(&mut bytes).map_err(read_error)?;
        if (bytes.len() as u64) < len { Err(cut_off()) } else { Ok(bytes) }
    }

    /// Checks that a file ends with the same bytes as it starts with.
    fn check_end(&mut self) -> Result<()> {
        let (mut last, mut block) = (Vec::new(), [0; 8192]);
        while self.is_file {
            let n = read_full(&mut self.input, &mut block).map_err(read_error)?;
            last.extend_from_slice(&block[..n]);
            last.drain(..last.len().saturating_sub(MAGIC.len()));
            if n < block.len() {
                return if last == MAGIC { Ok(()) } else { Err(cut_off()) };
            }
        }
        Ok(())
    }
}

/// The body's buffers, decompressed if necessary.
pub(super) struct Buffers<'a> {
    body: &'a Bytes,
    places: std::slice::Iter<'a, [u8; 16]>,
    codec: Option<Codec>,
    size: u64,
}

/// How many times its stored size a batch may have, decompressed and with shared buffers counted each time.
const MAX_EXPANSION: u64 = 300;

/// The size that any batch may have, however small it is.
const MIN_LIMIT: u64 = 64 << 20;

#[derive(Debug, Clone, Copy)]
enum Codec {
    Lz4,
    Zstd,
}

impl<'a> Buffers<'a> {
    /// The buffers of a record batch.
    pub(super) fn new(batch: &FlatTable<'a>, body: &'a Bytes) -> Result<Buffers<'a>> {
        let codec = match batch.table(3).map(|compression| compression.u8(0, 0)) {
            None => None,
            Some(0) => Some(Codec::Lz4),
            Some(1) => Some(Codec::Zstd),
            Some(other) => {
                let what = format!("the Arrow file is compressed in a way that is not read (codec {other})");
                return Err(Error::format(what).with_hint(
                    "write it again: t = pyarrow.feather.read_table(path); pyarrow.feather.write_feather(t, \"table.feather\")",
                ));
            }
        };
        let mut size: u64 = 0;
        for place in batch.items(2) {
            size = size.saturating_add(StoredBuffer::at(place, body, codec)?.claimed()?);
        }
        let len = body.len() as u64;
        if size > len.saturating_mul(MAX_EXPANSION).max(MIN_LIMIT) {
            return Err(damaged(&format!("a batch of {len} bytes claims to hold {size}")));
        }
        Ok(Buffers { body, places: batch.items(2).iter(), codec, size })
    }

    /// The claimed size of all buffers after decompression.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The next buffer as stored; it is decompressed only when needed.
    pub(super) fn next(&mut self) -> Result<StoredBuffer> {
        let place = self.places.next().ok_or_else(|| damaged("a batch lacks a buffer"))?;
        StoredBuffer::at(place, self.body, self.codec)
    }
}

/// A buffer as stored.
#[derive(Debug, Clone)]
pub(super) struct StoredBuffer {
    bytes: Bytes,
    codec: Option<Codec>,
}

impl StoredBuffer {
    fn at(place: &[u8; 16], body: &Bytes, codec: Option<Codec>) -> Result<StoredBuffer> {
        let (first, second) = place.split_at(8);
        let word = |half: &[u8]| {
            half.try_into().map(i64::from_le_bytes).ok().and_then(|word| usize::try_from(word).ok())
        };
        let range = word(first).zip(word(second)).and_then(|(at, len)| Some(at..at.checked_add(len)?));
        let range = range.filter(|range| range.end <= body.len());
        let range = range.ok_or_else(|| damaged("a buffer lies outside its batch"))?;
        Ok(StoredBuffer { bytes: body.slice(range), codec })
    }

    /// Its claimed length after decompression.
    fn claimed(&self) -> Result<u64> {
        match (self.codec, self.bytes.split_first_chunk::<8>()) {
            (None, _) => Ok(self.bytes.len() as u64),
            (Some(_), None) => Ok(0),
            (Some(_), Some((len, packed))) => match i64::from_le_bytes(*len) {
                -1 => Ok(packed.len() as u64),
                len => u64::try_from(len).map_err(|_| damaged("a compressed buffer has a negative length")),
            },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its bytes.
    pub(super) fn open(&self) -> Result<Bytes> {
        let Some(codec) = self.codec.filter(|_| !self.bytes.is_empty()) else {
            return Ok(self.bytes.clone());
        };
        let Some((len, packed)) = self.bytes.split_first_chunk::<8>() else {
            return Err(damaged("a compressed buffer does not say how long it is"));
        };
        if i64::from_le_bytes(*len) == -1 {
            return Ok(self.bytes.slice(8..));
        }
        let len = self.claimed()?;
        let mut bytes = Vec::new();
        let stored = packed.len() as u64;
        // Reads one byte more than expected, to detect a longer buffer.
        let read = match codec {
            Codec::Lz4 => {
                let decoder = lz4_flex::frame::FrameDecoder::new(packed);
                crate::source::limited(decoder, stored).take(len.saturating_add(1)).read_to_end(&mut bytes)
            }
            Codec::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(read_error)?;
                crate::source::limited(decoder, stored).take(len.saturating_add(1)).read_to_end(&mut bytes)
            }
        };
        read.map_err(read_error)?;
        if bytes.len() as u64 != len {
            return Err(damaged("a compressed buffer has another length than it says"));
        }
        Ok(bytes.into())
    }
}

//! The bytes of a table: in a file or in memory, plain or compressed.

use crate::format::{self, HEAD_LEN};
use crate::{Error, Result};
use bytes::Bytes;
use headsmith_objects::{Object, is_url};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

mod zipped;

/// Bytes with random access.
pub(crate) trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// A table's bytes, which can be read more than once.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Bytes(PathBuf, Bytes),
    Object(Object),
}

/// The compression of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compression {
    Plain,
    Gzip,
    Zstd,
    /// A zip archive with one table.
    Zip,
}

impl Source {
    /// The file at `path`, or the object if it is a URL; a source that can be read only once (a pipe, a device, `-` for standard input) is read into
    /// memory.
    pub(crate) fn at(path: &Path) -> Result<Source> {
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
            return Ok(Source::Bytes("standard input".into(), bytes.into()));
        }
        if is_url(path) {
            return Object::at(path).map(Source::Object).map_err(|error| Error::io(path, error));
        }
        let once = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if !once {
            return Ok(Source::File(path.to_owned()));
        }
        let read = |at_most: u64, input: &mut File, bytes: &mut Vec<u8>| {
            input.take(at_most).read_to_end(bytes).map_err(|error| Error::io(path, error))
        };
        let mut input = File::open(path).map_err(|error| Error::io(path, error))?;
        let mut bytes = Vec::new();
        read(HEAD_LEN as u64, &mut input, &mut bytes)?;
        // An endless device is refused by its first bytes.
        if compression_of(&bytes) == Compression::Plain {
            format::detect(&bytes)?;
        }
        read(u64::MAX, &mut input, &mut bytes)?;
        Ok(Source::Bytes(path.to_owned(), bytes.into()))
    }

    /// The name for messages.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Source::File(path) | Source::Bytes(path, _) => path,
            Source::Object(object) => object.url(),
        }
    }

    /// Its length before decompression.
    pub(crate) fn len(&self) -> Result<u64> {
        match self {
            Source::File(path) => {
                let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, error))?;
                if metadata.is_dir() {
                    return Err(Error::format("is a folder; expected a file").at(path));
                }
                Ok(metadata.len())
            }
            Source::Bytes(_, bytes) => Ok(bytes.len() as u64),
            Source::Object(object) => object.len().map_err(|error| Error::io(object.url(), error)),
        }
    }

    /// Its bytes as stored.
    pub(crate) fn open_raw(&self) -> Result<Box<dyn Read>> {
        match self {
            Source::File(path) => Ok(Box::new(File::open(path).map_err(|error| Error::io(path, error))?)),
            Source::Bytes(_, bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Source::Object(object) => Ok(Box::new(object.reader())),
        }
    }

    /// Its compression, by its first bytes.
    pub(crate) fn compression(&self) -> Result<Compression> {
        let mut head = [0; 4];
        let n = read_full(&mut self.open_raw()?, &mut head).map_err(|error| Error::io(self.path(), error))?;
        if head[..n].starts_with(b"PK") && zipped::holds_table(self)? {
            return Ok(Compression::Zip);
        }
        Ok(compression_of(&head[..n]))
    }

    /// Its bytes, decompressed.
    pub(crate) fn open(&self, compression: Compression) -> Result<Box<dyn Read>> {
        let raw = self.open_raw()?;
        let len = self.len()?;
        Ok(match compression {
            Compression::Plain => raw,
            Compression::Gzip => {
                let decoder = flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(1 << 18, raw));
                Box::new(limited(decoder, len))
            }
            Compression::Zstd => {
                let decoder = zstd::stream::read::Decoder::new(raw).map_err(read_error)?;
                Box::new(limited(decoder, len))
            }
            Compression::Zip => Box::new(limited(zipped::open(self)?, len)),
        })
    }

    /// Its bytes as stored, with random access.
    pub(crate) fn open_anywhere(&self) -> Result<Box<dyn ReadSeek>> {
        match self {
            Source::File(path) => {
                let file = File::open(path).map_err(|error| Error::io(path, error))?;
                Ok(Box::new(BufReader::new(file)))
            }
            Source::Bytes(_, bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Source::Object(object) => Ok(Box::new(object.reader())),
        }
    }

    /// The first bytes after decompression, at most `n`.
    pub(crate) fn head(&self, compression: Compression, n: usize) -> Result<Vec<u8>> {
        let mut head = vec![0; n];
        let len = read_full(&mut self.open(compression)?, &mut head).map_err(read_error)?;
        head.truncate(len);
        Ok(head)
    }

    /// All bytes after decompression. Memory grows with the bytes that are really there, not with the size in a
    /// header.
    pub(crate) fn read_all(&self, compression: Compression) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if compression == Compression::Plain {
            bytes.reserve_exact(usize::try_from(self.len()?).unwrap_or(0));
        }
        self.open(compression)?.read_to_end(&mut bytes).map_err(read_error)?;
        Ok(bytes)
    }
}

fn compression_of(head: &[u8]) -> Compression {
    match head {
        [0x1F, 0x8B, ..] => Compression::Gzip,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Compression::Zstd,
        _ => Compression::Plain,
    }
}

/// How many times its size a compressed table may expand to; embeddings compress two- to tenfold.
const MAX_EXPANSION: u64 = 300;

/// The size that any compressed table may expand to, however small it is.
const MIN_EXPANDED: u64 = 64 << 20;

/// Wraps `decoder`; the result returns an error once it has read more than a legitimate file of `len` bytes would
/// give.
pub(crate) fn limited<R: Read>(decoder: R, len: u64) -> impl Read {
    LimitedReader { decoder, left: len.saturating_mul(MAX_EXPANSION).max(MIN_EXPANDED) }
}

/// Returns an error once more was decompressed than any legitimate table would give.
struct LimitedReader<R> {
    decoder: R,
    left: u64,
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| {
            let what = format!(
                "expands to more than {MAX_EXPANSION} times its size, as no table of embeddings does"
            );
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        Ok(n)
    }
}

/// The error for a failure while reading: of the system, or of the compressed data.
pub(crate) fn read_error(error: io::Error) -> Error {
    let hint = "copy or download the file again";
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::format("the compressed data ends too early").with_hint(hint),
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            Error::format(format!("the compressed data is damaged: {error}")).caused_by(error).with_hint(hint)
        }
        _ => Error::unread(error),
    }
}

/// Fills `buffer` as far as there are bytes.
pub(crate) fn read_full(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match input.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

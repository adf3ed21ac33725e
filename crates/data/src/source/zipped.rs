//! Zip archives with one table, as competitions distribute and accept them.

use super::Source;
use crate::columns::quoted;
use crate::format::{self, FROM_EXCEL, FROM_TORCH};
use crate::{Error, Result};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use zip::{CompressionMethod, ZipArchive};

/// Whether the zip archive contains a table and is no format of its own (npz).
///
/// # Errors
/// If it is an unsupported format, or contains several tables or none. A damaged archive is left for the reader.
pub(super) fn holds_table(source: &Source) -> Result<bool> {
    let Ok(archive) = ZipArchive::new(source.open_anywhere()?) else { return Ok(false) };
    let names: Vec<String> = archive.file_names().flatten().map(|name| name.into_owned()).collect();
    if names.is_empty() || names.iter().all(|name| name.ends_with(".npy")) {
        return Ok(false);
    }
    if names.iter().any(|name| name == "data.pkl" || name.ends_with("/data.pkl")) {
        return Err(format::unread("a PyTorch file, which is a pickle", FROM_TORCH));
    }
    if names.iter().any(|name| name.starts_with("xl/")) {
        return Err(format::unread("an Excel workbook", FROM_EXCEL));
    }
    table_in(&names).map(|_| true)
}

/// The name of the one table: the only file, or the only one with the name of a table.
fn table_in(names: &[String]) -> Result<String> {
    let is_file = |name: &&String| {
        let last = name.rsplit('/').next().unwrap_or(name);
        !last.is_empty() && !last.starts_with('.') && !name.starts_with("__MACOSX/")
    };
    let files: Vec<&String> = names.iter().filter(is_file).collect();
    let tables: Vec<&String> = files.iter().copied().filter(|name| format::is_table_name(name)).collect();
    match (&tables[..], &files[..]) {
        ([table], _) | ([], [table]) => Ok((*table).clone()),
        ([], _) => {
            Err(Error::format(format!("the zip archive holds no table: its files are {}", quoted(files))))
        }
        _ => Err(Error::format(format!(
            "the zip archive holds several tables: {}; expected one",
            quoted(tables)
        ))
        .with_hint("unpack it and name the table")),
    }
}

/// The bytes of the table in a zip archive.
pub(super) fn open(source: &Source) -> Result<Box<dyn Read>> {
    let mut archive = ZipArchive::new(source.open_anywhere()?).map_err(damaged)?;
    let names: Vec<String> = archive.file_names().flatten().map(|name| name.into_owned()).collect();
    let entry = archive.by_name(&table_in(&names)?).map_err(damaged)?;
    let expected = EntryInfo { crc: entry.crc32(), len: entry.size() };
    let (start, len, method) = (entry.data_start(), entry.compressed_size(), entry.compression());
    drop(entry);
    let start = start.ok_or_else(|| Error::format("the zip archive is damaged: an entry without data"))?;
    let mut input = archive.into_inner();
    input.seek(SeekFrom::Start(start)).map_err(super::read_error)?;
    let input = input.take(len);
    match method {
        CompressionMethod::Stored => Ok(Box::new(ChecksumReader::new(input, expected))),
        CompressionMethod::Deflated => {
            let decoder = flate2::bufread::DeflateDecoder::new(BufReader::with_capacity(1 << 18, input));
            Ok(Box::new(ChecksumReader::new(decoder, expected)))
        }
        other => Err(Error::format(format!("the zip archive is packed with {other}; expected deflate"))
            .with_hint("unpack it first")),
    }
}

fn damaged(error: zip::result::ZipError) -> Error {
    Error::format(format!("the zip archive is damaged or locked: {error}"))
        .caused_by(error)
        .with_hint("unpack it first, or download it again")
}

/// The size and checksum that an archive states for an entry.
struct EntryInfo {
    crc: u32,
    len: u64,
}

/// Returns an error if the bytes differ from those that the archive states.
struct ChecksumReader<R> {
    input: R,
    expected: EntryInfo,
    crc: crc32fast::Hasher,
    len: u64,
}

impl<R: Read> ChecksumReader<R> {
    fn new(input: R, expected: EntryInfo) -> ChecksumReader<R> {
        ChecksumReader { input, expected, crc: crc32fast::Hasher::new(), len: 0 }
    }
}

impl<R: Read> Read for ChecksumReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.crc.update(&buffer[..n]);
        self.len += n as u64;
        let at_end = n == 0 && !buffer.is_empty();
        if at_end && (self.len != self.expected.len || self.crc.clone().finalize() != self.expected.crc) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong"));
        }
        Ok(n)
    }
}

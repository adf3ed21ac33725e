//! Writes a cache file: under a temporary name, and the first bytes last.

use super::key::Key;
use super::stored::{FEATURES_AT, Header, PREAMBLE_LEN, Preamble, checksum};
use crate::features::Features;
use crate::output::{folder_of, remove_leftovers, temporary};
use crate::rows::RowBlock;
use crate::table::Contents;
use crate::{Error, Result};
use headsmith_kernels::{Mapped, Matrix, Pool};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The number of bytes that are moved at once.
const BLOCK: usize = 1 << 20;

/// Features that are being written to a cache file. Without a call of `end`, nothing remains.
#[derive(Debug)]
pub(super) struct CacheWriter {
    path: PathBuf,
    file: NamedTempFile,
    /// Rows as bytes.
    bytes: Vec<u8>,
}

impl CacheWriter {
    /// Begins the cache file at `path`.
    pub(super) fn begin(path: &Path) -> Result<CacheWriter> {
        let folder = folder_of(path);
        remove_leftovers(folder);
        let begin = || -> io::Result<NamedTempFile> {
            let mut file = temporary(folder)?;
            file.as_file_mut().seek(SeekFrom::Start(FEATURES_AT))?;
            Ok(file)
        };
        let file = begin().map_err(|error| not_written(path, error))?;
        Ok(CacheWriter { path: path.to_owned(), file, bytes: Vec::new() })
    }

    /// Writes the rest of the file, renames it, and maps it.
    pub(super) fn end(mut self, contents: &Contents, key: &Key, pool: &Pool) -> Result<Matrix> {
        let x = self.finish(contents, key, pool).map_err(|error| not_written(&self.path, error))?;
        self.file.persist(&self.path).map_err(|error| not_written(&self.path, error.error))?;
        Ok(x)
    }

    fn finish(&mut self, contents: &Contents, key: &Key, pool: &Pool) -> io::Result<Matrix> {
        let (n_rows, n_features) = (contents.n_rows(), contents.n_features);
        let header = serde_json::to_vec(&Header::new(contents, key))?;
        let codes = contents.labels.as_ref().map_or(&[][..], |labels| labels.codes());
        let codes: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
        let mut header_crc = crc32fast::Hasher::new();
        header_crc.update(&header);
        header_crc.update(&codes);
        let file = self.file.as_file_mut();
        file.write_all(&header)?;
        file.write_all(&codes)?;
        // The checksum covers the mapped values; the later writes go to the space before them.
        let x = Mapped::new(file, FEATURES_AT, n_rows * n_features)?;
        let preamble = Preamble {
            n_rows: n_rows as u64,
            n_features: n_features as u64,
            header_len: header.len() as u64,
            codes_len: codes.len() as u64,
            features_crc: checksum(&x, pool),
            header_crc: header_crc.finalize(),
        };
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&preamble.to_bytes())?;
        Ok(Matrix::mapped(x, n_rows, n_features))
    }
}

const _: () = assert!(PREAMBLE_LEN as u64 <= FEATURES_AT);

impl Features for CacheWriter {
    fn expect(&mut self, _: usize) {}

    fn append(&mut self, rows: &mut RowBlock) -> Result<()> {
        self.bytes.clear();
        self.bytes.extend(rows.x.iter().flat_map(|value| value.to_le_bytes()));
        self.file.as_file_mut().write_all(&self.bytes).map_err(|error| not_written(&self.path, error))
    }

    fn retain(&mut self, keep: &[bool], n_features: usize) -> Result<()> {
        retain(self.file.as_file_mut(), keep, n_features as u64 * 4)
            .map_err(|error| not_written(&self.path, error))
    }
}

/// Moves the rows to keep, of `row_len` bytes each, to the start, run by run, and truncates the file.
fn retain(file: &mut File, keep: &[bool], row_len: u64) -> io::Result<()> {
    let (mut row, mut to) = (0, FEATURES_AT);
    for run in keep.chunk_by(|a, b| a == b) {
        if run[0] {
            let len = run.len() as u64 * row_len;
            copy_down(file, FEATURES_AT + row * row_len, to, len)?;
            to += len;
        }
        row += run.len() as u64;
    }
    file.set_len(to)?;
    file.seek(SeekFrom::Start(to))?;
    Ok(())
}

/// Copies `len` bytes from offset `from` to offset `to`, which is not greater.
fn copy_down(file: &mut File, mut from: u64, mut to: u64, mut len: u64) -> io::Result<()> {
    let mut block = vec![0; BLOCK.min(usize::try_from(len).unwrap_or(BLOCK))];
    while from != to && len > 0 {
        let n = len.min(BLOCK as u64);
        let block = &mut block[..n as usize];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(block)?;
        file.seek(SeekFrom::Start(to))?;
        file.write_all(block)?;
        (from, to, len) = (from + n, to + n, len - n);
    }
    Ok(())
}

pub(super) fn not_written(path: &Path, error: io::Error) -> Error {
    Error::output(path, error).with_hint(
        "put the cache where there is room for the table and leave to write it, or read it without one",
    )
}

//! Checks the claims of a Parquet file's page headers against the file's size before any memory is allocated.
//!
//! A page states its size after decompression and its number of values, and decoders reserve that. A hostile or
//! damaged file can claim gigabytes in a few bytes. So the page headers of the columns to read (Thrift compact
//! protocol, parquet.thrift of the Parquet format) are walked first, without decoding.

use super::thrift::{INT32, STRUCT, ThriftReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::ChunkReader;

/// How many times its size a file may have after decompression, and how many values per byte.
const MAX_EXPANSION: u64 = 300;

/// The decompressed size and the number of values that any file may have, however small it is.
const MIN_LIMIT: u64 = 16 << 20;

/// The maximum length of a page header: with statistics of long texts, it has a few kilobytes.
const MAX_HEADER: usize = 1 << 20;

/// The totals that the pages claim.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PageTotals {
    bytes: u64,
    values: u64,
}

impl PageTotals {
    /// Adds the pages of a column chunk. The error message does not name the file.
    pub(crate) fn add(&mut self, file: &impl ChunkReader, chunk: &ColumnChunkMetaData) -> Result<(), String> {
        let file_len = file.len();
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let end = start.checked_add(chunk.compressed_size());
        let (Ok(mut at), Some(Ok(end))) = (u64::try_from(start), end.map(u64::try_from)) else {
            return Err("a column lies at a negative place".to_owned());
        };
        if at > end || end > file_len {
            return Err(format!("a column claims to end at byte {end}; the file has {file_len}"));
        }
        let mut has_dictionary = false;
        while at < end {
            let page = read_header(file, at, end)?;
            has_dictionary |= page.is_dictionary;
            if page.needs_dictionary && !has_dictionary {
                return Err(format!("the page at byte {at} has no dictionary before it"));
            }
            self.bytes = self.bytes.saturating_add(page.uncompressed);
            self.values = self.values.saturating_add(page.n_values);
            self.check(file_len)?;
            at = at.saturating_add(page.header_len).saturating_add(page.compressed);
        }
        Ok(())
    }

    /// Adds a column chunk as the footer states it, without a look at its pages: those of an object would all be read for that.
    /// [`check_page`] is for them.
    pub(crate) fn add_stated(&mut self, file_len: u64, chunk: &ColumnChunkMetaData) -> Result<(), String> {
        let stated = |n: i64| u64::try_from(n).map_err(|_| "a column claims a negative size".to_owned());
        self.bytes = self.bytes.saturating_add(stated(chunk.uncompressed_size())?);
        self.values = self.values.saturating_add(stated(chunk.num_values())?);
        self.check(file_len)
    }

    fn check(self, file_len: u64) -> Result<(), String> {
        let limit = file_len.saturating_mul(MAX_EXPANSION).max(MIN_LIMIT);
        if self.bytes > limit || self.values > limit {
            return Err(format!(
                "its pages claim {} bytes and {} values, which a file of {file_len} bytes cannot honestly hold",
                self.bytes, self.values
            ));
        }
        Ok(())
    }
}

/// Checks the claims of the page at byte `at` of a column chunk that ends at `end`.
pub(crate) fn check_page(file: &impl ChunkReader, at: u64, end: u64) -> Result<(), String> {
    let page = read_header(file, at, end)?;
    PageTotals { bytes: page.uncompressed, values: page.n_values }.check(file.len())
}

#[derive(Default)]
struct PageHeader {
    header_len: u64,
    uncompressed: u64,
    compressed: u64,
    n_values: u64,
    is_dictionary: bool,
    needs_dictionary: bool,
}

fn read_header(file: &impl ChunkReader, at: u64, end: u64) -> Result<PageHeader, String> {
    for len in [4 << 10, MAX_HEADER] {
        let len = len.min((end - at) as usize);
        let bytes = file.get_bytes(at, len).map_err(|error| error.to_string())?;
        if let Some(header) = parse_header(&bytes) {
            return Ok(header);
        }
    }
    Err(format!("the page header at byte {at} is damaged"))
}

/// `struct PageHeader { 1: type, 2: i32 uncompressed_page_size, 3: i32 compressed_page_size, 5: data page, 7: dictionary
/// page, 8: data page v2 }`. In the last three, field 1 is `i32 num_values`; the encoding is field 2 of a data page and
/// field 4 of one of version 2.
fn parse_header(bytes: &[u8]) -> Option<PageHeader> {
    const DICTIONARY: [i64; 2] = [2, 8];
    let mut thrift = ThriftReader::new(bytes);
    let mut header = PageHeader::default();
    let mut id = 0;
    while let Some(kind) = thrift.field(&mut id)? {
        match (id, kind) {
            (2, INT32) => header.uncompressed = u64::try_from(thrift.integer()?).ok()?,
            (3, INT32) => header.compressed = u64::try_from(thrift.integer()?).ok()?,
            (5 | 7 | 8, STRUCT) => {
                let integers = thrift.integers()?;
                header.n_values = u64::try_from(integers[1]).ok()?;
                header.is_dictionary |= id == 7;
                let encoding = integers[if id == 8 { 4 } else { 2 }];
                header.needs_dictionary |= id != 7 && DICTIONARY.contains(&encoding);
            }
            _ => thrift.skip(kind, 0)?,
        }
    }
    header.header_len = thrift.at() as u64;
    Some(header)
}

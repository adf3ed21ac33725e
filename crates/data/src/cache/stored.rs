//! The parts of a cache file. Opening one checks everything before it is used.

use super::key::Key;
use crate::beside::RowPositions;
use crate::columns::{Columns, MAX_FEATURES, Role};
use crate::format::Format;
use crate::gather::RowNumbers;
use crate::source::{Compression, Source};
use crate::table::{Contents, Part};
use crate::{Finding, Labels, RowLocation, Severity};
use headsmith_kernels::{Mapped, Matrix, Pool};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The offset of the features: a multiple of every system's page size.
pub(super) const FEATURES_AT: u64 = 65_536;
/// The first bytes of a cache file.
const MAGIC: [u8; 8] = *b"HEADROWS";
/// The version of the format.
const VERSION: u32 = 1;
/// The number of values that are checksummed as one piece, in parallel.
const PIECE: usize = 1 << 18;

/// The fixed start of a cache file. It is written last, so that an unfinished file has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Preamble {
    pub(super) n_rows: u64,
    pub(super) n_features: u64,
    pub(super) header_len: u64,
    pub(super) codes_len: u64,
    /// The checksum of the features.
    pub(super) features_crc: u32,
    /// The checksum of header and codes.
    pub(super) header_crc: u32,
}

/// The size of a [`Preamble`] in bytes.
pub(super) const PREAMBLE_LEN: usize = 56;

impl Preamble {
    pub(super) fn to_bytes(self) -> [u8; PREAMBLE_LEN] {
        let mut bytes = Vec::with_capacity(PREAMBLE_LEN);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        for value in [self.n_rows, self.n_features, self.header_len, self.codes_len] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(self.features_crc.to_le_bytes());
        bytes.extend(self.header_crc.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let mut all = [0; PREAMBLE_LEN];
        all.copy_from_slice(&bytes);
        all
    }

    fn from_bytes(bytes: &[u8; PREAMBLE_LEN]) -> Result<Preamble, String> {
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        if bytes[..8] == [0; 8] {
            return Err("was never finished".to_owned());
        }
        if bytes[..8] != MAGIC {
            return Err("is not a cache file".to_owned());
        }
        if u32_at(8) != VERSION {
            return Err(format!("is of version {} of the format, not {VERSION}", u32_at(8)));
        }
        if u32_at(PREAMBLE_LEN - 4) != crc32fast::hash(&bytes[..PREAMBLE_LEN - 4]) {
            return Err(DAMAGED.to_owned());
        }
        Ok(Preamble {
            n_rows: u64_at(12),
            n_features: u64_at(20),
            header_len: u64_at(28),
            codes_len: u64_at(36),
            features_crc: u32_at(44),
            header_crc: u32_at(48),
        })
    }

    /// The offset of the header and the length of the file, if the numbers are possible.
    fn ends(&self) -> Option<(u64, u64)> {
        let possible = (1..=u64::from(u32::MAX)).contains(&self.n_rows)
            && (1..=MAX_FEATURES as u64).contains(&self.n_features)
            && (self.codes_len == 0 || self.codes_len == self.n_rows * 4);
        let header = (self.n_rows.checked_mul(self.n_features)?).checked_mul(4)?.checked_add(FEATURES_AT)?;
        let end = header.checked_add(self.header_len)?.checked_add(self.codes_len)?;
        possible.then_some((header, end))
    }
}

const DAMAGED: &str = "is damaged";

/// The JSON header.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    key: Key,
    format: Format,
    compression: Compression,
    columns: Columns,
    labels: Option<LabelHeader>,
    /// The first row of each run of rows with consecutive numbers, and its number.
    numbers: Vec<(usize, u64)>,
    warnings: Vec<StoredFinding>,
    n_skipped: usize,
    /// The files of its labels, if they are separate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels_from: Vec<PathBuf>,
    /// The further files of the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more: Vec<PartHeader>,
}

/// One file of a table with several.
#[derive(Debug, Serialize, Deserialize)]
struct PartHeader {
    format: Format,
    compression: Compression,
    columns: Columns,
    numbers: Vec<(usize, u64)>,
    n_rows: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct LabelHeader {
    column: String,
    names: Vec<String>,
}

/// A finding of the reader.
#[derive(Debug, Serialize, Deserialize)]
struct StoredFinding {
    code: String,
    message: String,
    count: usize,
    places: Vec<RowLocation>,
}

/// The codes of the readers' findings.
const CODES: [&str; 11] = [
    "skipped-rows",
    "blank-lines",
    "underflow",
    "label-variants",
    "missing-word-label",
    "index-column",
    "left-out-columns",
    "encoding",
    "no-header",
    "unknown-columns",
    "label-column",
];

impl Header {
    pub(super) fn new(contents: &Contents, key: &Key) -> Header {
        let warning = |finding: &Finding| StoredFinding {
            code: finding.code.to_owned(),
            message: finding.message.clone(),
            count: finding.count,
            places: finding.places.clone(),
        };
        let labels = contents
            .labels
            .as_ref()
            .map(|labels| LabelHeader { column: labels.column().to_owned(), names: labels.names().to_vec() });
        let first = &contents.parts[0];
        let more = |part: &Part| PartHeader {
            format: part.format,
            compression: part.compression,
            columns: part.columns.clone(),
            numbers: part.numbers.runs().to_vec(),
            n_rows: part.numbers.n_rows(),
        };
        Header {
            key: key.clone(),
            format: first.format,
            compression: first.compression,
            columns: first.columns.clone(),
            labels,
            numbers: first.numbers.runs().to_vec(),
            warnings: contents.warnings.iter().map(warning).collect(),
            n_skipped: contents.n_skipped,
            labels_from: contents.labels_from.clone(),
            more: contents.parts[1..].iter().map(more).collect(),
        }
    }

    /// The contents, of a table with the name `table` in the files `sources`; `None` if the header contradicts itself.
    fn contents(
        self,
        codes: Vec<u32>,
        n_rows: usize,
        n_features: usize,
        (table, sources): (&Path, &[Source]),
    ) -> Option<Contents> {
        let table = table.display().to_string();
        let finding = |warning: StoredFinding| {
            let code = CODES.into_iter().find(|code| *code == warning.code)?;
            let StoredFinding { message, count, places, .. } = warning;
            let (severity, table) = (Severity::Warning, table.clone());
            Some(Finding { severity, code, table, message, count, places })
        };
        let labels = match self.labels {
            None if codes.is_empty() => None,
            Some(labels) if codes.len() == n_rows => {
                Some(Labels::from_parts(labels.column, labels.names, codes)?)
            }
            _ => return None,
        };
        let n_behind = self.more.iter().try_fold(0usize, |sum, part| sum.checked_add(part.n_rows))?;
        let first = PartHeader {
            format: self.format,
            compression: self.compression,
            columns: self.columns,
            numbers: self.numbers,
            n_rows: n_rows.checked_sub(n_behind)?,
        };
        let headers: Vec<PartHeader> = std::iter::once(first).chain(self.more).collect();
        (headers.len() == sources.len()).then_some(())?;
        let parts = headers.into_iter().zip(sources);
        Some(Contents {
            parts: parts.map(|(header, source)| header.part(source, n_features)).collect::<Option<_>>()?,
            n_features,
            labels,
            warnings: self.warnings.into_iter().map(finding).collect::<Option<_>>()?,
            n_skipped: self.n_skipped,
            labels_from: self.labels_from,
            positions: RowPositions::default(),
        })
    }
}

impl PartHeader {
    fn part(self, source: &Source, n_features: usize) -> Option<Part> {
        are_columns(&self.columns, n_features).then_some(())?;
        let numbers = RowNumbers::from_runs(self.numbers, self.n_rows)?;
        let PartHeader { format, compression, columns, .. } = self;
        Some(Part { source: source.clone(), format, compression, columns, numbers })
    }
}

/// Whether the columns fit a table with so many features.
fn are_columns(columns: &Columns, n_features: usize) -> bool {
    let known = |role: &Role| match role {
        Role::OneHot(class) => (*class as usize) < columns.one_hot.len(),
        _ => true,
    };
    let n_columns = columns.with_role(Role::Feature).len();
    columns.names.len() == columns.roles.len()
        && columns.roles.iter().all(known)
        && columns.left_out.iter().all(|&column| column < columns.names.len())
        && columns.unknown.iter().all(|&column| column < columns.names.len())
        && (columns.order.is_empty() || is_order(&columns.order, n_columns))
        && (columns.position(Role::Embeddings).is_some() || n_columns == n_features)
}

/// Whether `order` is a permutation of the numbers below `n`.
fn is_order(order: &[usize], n: usize) -> bool {
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..n)
}

/// Opens the cache file at `path` if it belongs to `key`, for a table with this name and these files.
///
/// # Errors
/// `None` if there is no file; else the reason why it cannot be used, as the end of a sentence about it.
pub(super) fn open(
    path: &Path,
    key: &Key,
    table: (&Path, &[Source]),
    pool: &Pool,
) -> Result<(Contents, Matrix), Option<String>> {
    let mut file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => None,
        _ => Some(format!("cannot be read ({error})")),
    })?;
    read(&mut file, key, table, pool).map_err(Some)
}

fn read(
    file: &mut File,
    key: &Key,
    table: (&Path, &[Source]),
    pool: &Pool,
) -> Result<(Contents, Matrix), String> {
    let unread = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => DAMAGED.to_owned(),
        _ => format!("cannot be read ({error})"),
    };
    let damaged = || DAMAGED.to_owned();
    let mut preamble = [0; PREAMBLE_LEN];
    file.read_exact(&mut preamble).map_err(unread)?;
    let preamble = Preamble::from_bytes(&preamble)?;
    let (header_at, end) = preamble.ends().ok_or_else(damaged)?;
    if file.metadata().map_err(unread)?.len() != end {
        return Err(damaged());
    }
    // Not longer than the file, which exists.
    let mut header = vec![0; usize::try_from(end - header_at).map_err(|_| damaged())?];
    file.seek(SeekFrom::Start(header_at)).map_err(unread)?;
    file.read_exact(&mut header).map_err(unread)?;
    if crc32fast::hash(&header) != preamble.header_crc {
        return Err(damaged());
    }
    let (header, codes) = header.split_at(preamble.header_len as usize);
    let header: Header = serde_json::from_slice(header).map_err(|_| damaged())?;
    if let Some(difference) = key.difference(&header.key) {
        return Err(difference.to_owned());
    }
    let (n_rows, n_features) = (preamble.n_rows as usize, preamble.n_features as usize);
    let codes = codes.as_chunks().0.iter().map(|code| u32::from_le_bytes(*code)).collect();
    let contents = header.contents(codes, n_rows, n_features, table).ok_or_else(damaged)?;
    let x = Mapped::new(file, FEATURES_AT, n_rows * n_features).map_err(unread)?;
    if checksum(&x, pool) != preamble.features_crc {
        return Err(damaged());
    }
    Ok((contents, Matrix::mapped(x, n_rows, n_features)))
}

/// The CRC-32 of the CRC-32s (little-endian) of the features in pieces of a megabyte.
pub(super) fn checksum(x: &[f32], pool: &Pool) -> u32 {
    let of_pieces = pool.map(x.len().div_ceil(PIECE), |piece| {
        let mut hasher = crc32fast::Hasher::new();
        let mut bytes = [0; 4096];
        for values in x[piece * PIECE..x.len().min((piece + 1) * PIECE)].chunks(bytes.len() / 4) {
            let bytes = &mut bytes[..values.len() * 4];
            let to = bytes.as_chunks_mut().0;
            to.iter_mut().zip(values).for_each(|(to, value)| *to = value.to_le_bytes());
            hasher.update(bytes);
        }
        hasher.finalize()
    });
    crc32fast::hash(&of_pieces.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
}

//! Detects a file's format by its content, and checks that its name agrees.

use crate::gather::Numbering;
use crate::list::shown;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The supported input formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Csv,
    /// JSON Lines: one object per line.
    Json,
    /// A JSON array of objects, with any line breaks.
    JsonArray,
    Parquet,
    /// Arrow IPC: a file, including Feather version 2, or a stream.
    Arrow,
    Npy,
    Npz,
    Safetensors,
}

impl Format {
    /// How rows are numbered in messages.
    pub(crate) fn numbering(self) -> Numbering {
        if self.is_text() && self != Format::JsonArray { Numbering::Lines } else { Numbering::Rows }
    }

    /// Whether it holds arrays, whose columns have no names.
    pub(crate) fn is_arrays(self) -> bool {
        matches!(self, Format::Npy | Format::Npz | Format::Safetensors)
    }

    /// Whether it is text that is read as CSV.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Format::Csv | Format::Json | Format::JsonArray)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Json | Format::JsonArray => "JSON",
            Format::Parquet => "Parquet",
            Format::Arrow => "Arrow",
            Format::Npy => "npy",
            Format::Npz => "npz",
            Format::Safetensors => "safetensors",
        }
    }
}

/// The number of bytes that [`detect`] examines.
pub(crate) const HEAD_LEN: usize = 1024;

/// Detects the format by the first bytes.
pub(crate) fn detect(head: &[u8]) -> Result<Format> {
    match head {
        [] => Err(Error::format("the file is empty: expected a header line and rows")
            .with_hint("was the file written completely?")),
        [b'P', b'A', b'R', b'1', ..] => Ok(Format::Parquet),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xFF, 0xFF, 0xFF, 0xFF, ..] => Ok(Format::Arrow),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Ok(Format::Npy),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Format::Npz),
        // The length of a JSON header, then the header.
        [_, _, _, _, 0, 0, 0, 0, b'{', ..] => Ok(Format::Safetensors),
        _ => detect_text(head),
    }
}

fn detect_text(head: &[u8]) -> Result<Format> {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") || looks_like_utf16(head) {
        return Ok(Format::Csv);
    }
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let text = head.trim_ascii_start();
    if text.starts_with(b"version https://git-lfs") {
        return Err(Error::format("this is a Git LFS pointer, not the table itself")
            .with_hint("fetch the table with git lfs pull"));
    }
    if text.starts_with(b"<") {
        let what =
            format!("this is an HTML or XML page, not a table: it begins with {}", shown(first_line(text)));
        return Err(
            Error::format(what).with_hint("the download failed or needed a log-in: download the file itself")
        );
    }
    let list = text.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
    if text.starts_with(b"{") {
        return Ok(Format::Json);
    }
    if list.is_some_and(|list| list.starts_with(b"{")) {
        return Ok(Format::JsonArray);
    }
    match unread_format(head) {
        Some((name, convert)) => Err(unread(name, convert)),
        None if is_binary(head) => {
            let shown = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            let what = format!("the file begins with the bytes {shown}, which no format that is read does");
            Err(Error::format(format!("{what}; expected {READ}"))
                .with_hint("convert it, e.g. with pandas to_parquet or numpy save"))
        }
        None => Ok(Format::Csv),
    }
}

/// The supported formats, for messages.
const READ: &str = "CSV, JSON, Parquet, Arrow, npy, npz or safetensors";

/// The error for a known but unsupported format, with the Python code that converts it.
pub(crate) fn unread(name: &str, convert: &str) -> Error {
    Error::format(format!("this is {name}; expected {READ}")).with_hint(convert)
}

/// The Python code that converts a PyTorch file.
pub(crate) const FROM_TORCH: &str = "convert it: d = torch.load(path, map_location=\"cpu\"); \
     numpy.savez(\"table.npz\", x=d[\"embeddings\"].float().numpy(), y=d[\"labels\"].numpy())";

/// The Python code that converts a workbook.
pub(crate) const FROM_EXCEL: &str =
    "convert it: df = pandas.read_excel(path); df.to_csv(\"table.csv\", index=False)";

/// ASCII text in UTF-16 has a zero in every other byte.
fn looks_like_utf16(head: &[u8]) -> bool {
    let pairs = head.chunks_exact(2).take(16);
    pairs.len() >= 2
        && (pairs.clone().all(|pair| pair[0] == 0 && pair[1] != 0)
            || pairs.clone().all(|pair| pair[0] != 0 && pair[1] == 0))
}

fn first_line(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b'\n').next().unwrap_or(text).trim_ascii_end()
}

/// Known but unsupported formats of embeddings, each with the code that converts it.
fn unread_format(head: &[u8]) -> Option<(&'static str, &'static str)> {
    const ANY: &str = "convert it, e.g. with pandas to_parquet or numpy save";
    const FEATHER: &str = "convert it: df = pandas.read_feather(path); df.to_feather(\"table.feather\")";
    const HDF5: &str = "convert it: f = h5py.File(path); numpy.savez(\"table.npz\", x=f[\"embeddings\"][:], y=f[\"labels\"][:])";
    const PICKLE: &str = "convert it: df = pandas.read_pickle(path); df.to_parquet(\"table.parquet\"), or, if it holds arrays, \
                          numpy.savez(\"table.npz\", x=x, y=y); only from who you trust, as a pickle can run anything";
    let formats: [(&[u8], &str, &str); 12] = [
        (b"\x89HDF\r\n\x1A\n", "an HDF5 file", HDF5),
        (b"FEA1", "a Feather file of version 1", FEATHER),
        (b"SQLite format 3", "an SQLite database", ANY),
        (b"\xFD7zXZ", "an xz archive", "unpack it first: xz -d"),
        (b"BZh", "a bzip2 archive", "unpack it first: bzip2 -d"),
        (b"7z\xBC\xAF", "a 7z archive", "unpack it first"),
        (b"%PDF", "a PDF", ANY),
        (b"\x89PNG", "a PNG image", ANY),
        (b"\xFF\xD8\xFF", "a JPEG image", ANY),
        (b"ORC", "an ORC file", ANY),
        (b"Obj\x01", "an Avro file", ANY),
        (b"\x80", "a Python pickle", PICKLE),
    ];
    let is = |(magic, name, _): &(&[u8], &str, &str)| {
        head.starts_with(magic) && (*name != "a Python pickle" || matches!(head.get(1), Some(2..=5)))
    };
    let (_, name, convert) = formats.into_iter().find(is)?;
    Some((name, convert))
}

/// Whether the bytes are not text: tables in text form have no control characters. Those of a single bad cell are
/// found when it is read.
fn is_binary(head: &[u8]) -> bool {
    let is_control = |byte: &&u8| matches!(**byte, 0..=8 | 11 | 12 | 14..=31);
    head.iter().take(4).any(|byte| is_control(&byte))
        || head.iter().filter(is_control).count() * 10 > head.len()
}

/// Refuses a file whose name claims another format than its content has: one of the two is a mistake.
pub(crate) fn check_extension(path: &Path, format: Format, compressed: bool) -> Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let packed = PACKED.iter().find_map(|end| name.strip_suffix(end));
    if packed.is_some() && !compressed {
        let what = format!("the name ends in {}, but the content is not compressed", extension(&name));
        return Err(Error::format(what).with_hint("give the file the extension of its content"));
    }
    let Some(claimed) = claimed(packed.unwrap_or(&name)) else { return Ok(()) };
    // A file with a text format's name may contain JSON.
    let is_json = format.name() == Format::Json.name();
    if claimed.name() == format.name() || claimed == Format::Csv && is_json && !name.contains(".csv") {
        return Ok(());
    }
    let content = if format == Format::Csv { "text" } else { format.name() };
    let what = format!("the name says {}, but the content is {content}", claimed.name());
    Err(Error::format(what).with_hint("was the file damaged, or saved under the wrong extension?"))
}

/// The format in a file's name, if it is a supported one.
pub(crate) fn named(path: &Path) -> Option<&'static str> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let packed = PACKED.iter().find_map(|end| name.strip_suffix(end));
    claimed(packed.unwrap_or(&name)).map(Format::name)
}

/// The name of a file of arrays without its extensions; `None` for other files.
pub(crate) fn array_stem(name: &str) -> Option<&str> {
    let packed = PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let is_arrays = claimed(&packed.to_ascii_lowercase()).is_some_and(Format::is_arrays);
    packed.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| is_arrays && !stem.is_empty())
}

/// Whether a file is a `.txt`, in which each line is one label.
pub(crate) fn is_txt(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    PACKED.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).ends_with(".txt")
}

/// The extensions of compressed files.
const PACKED: [&str; 5] = [".gz", ".gzip", ".zst", ".zstd", ".zip"];

/// Whether a name, perhaps with a compression extension, is that of a table.
pub(crate) fn is_table_name(name: &str) -> bool {
    claimed(&name.to_ascii_lowercase()).is_some()
}

fn claimed(name: &str) -> Option<Format> {
    Some(match extension(name) {
        ".csv" | ".tsv" | ".txt" => Format::Csv,
        ".json" | ".jsonl" | ".ndjson" => Format::Json,
        ".parquet" | ".pq" | ".parq" => Format::Parquet,
        ".arrow" | ".arrows" | ".feather" | ".ipc" => Format::Arrow,
        ".safetensors" => Format::Safetensors,
        ".npy" => Format::Npy,
        ".npz" => Format::Npz,
        _ => return None,
    })
}

fn extension(name: &str) -> &str {
    name.rfind('.').map_or("", |dot| &name[dot..])
}

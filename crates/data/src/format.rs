//! What format a file is in, by its content; and whether its name agrees.

use crate::gather::Numbering;
use crate::list::shown;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Csv,
    Parquet,
    Npy,
    Npz,
}

impl Format {
    /// How its rows are numbered.
    pub(crate) fn numbering(self) -> Numbering {
        if self == Format::Csv { Numbering::Lines } else { Numbering::Rows }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Parquet => "Parquet",
            Format::Npy => "npy",
            Format::Npz => "npz",
        }
    }
}

/// How many bytes [`detect`] looks at.
pub(crate) const HEAD_LEN: usize = 1024;

/// The format by the first bytes.
pub(crate) fn detect(head: &[u8]) -> Result<Format> {
    match head {
        [] => Err(Error::format("the file is empty: expected a header line and rows")
            .with_hint("was the file written completely?")),
        [b'P', b'A', b'R', b'1', ..] => Ok(Format::Parquet),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Ok(Format::Npy),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Format::Npz),
        _ => detect_text(head),
    }
}

fn detect_text(head: &[u8]) -> Result<Format> {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") || looks_like_utf16(head) {
        return Err(Error::format("the text is UTF-16; expected UTF-8").with_hint("save the table as UTF-8"));
    }
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
    if text.starts_with(b"{") {
        return Err(Error::format("this is JSON; expected CSV, Parquet, npy or npz"));
    }
    match unread_format(head) {
        Some(name) => Err(unknown(&format!("this is {name}"))),
        None if is_binary(head) => {
            let shown = head.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
            Err(unknown(&format!(
                "the file begins with the bytes {shown}, which no format that is read does"
            )))
        }
        None => Ok(Format::Csv),
    }
}

fn unknown(what: &str) -> Error {
    Error::format(format!("{what}; expected CSV, Parquet, npy or npz"))
        .with_hint("convert it, e.g. with pandas to_parquet or numpy save")
}

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

/// Formats people have embeddings in that are not read.
fn unread_format(head: &[u8]) -> Option<&'static str> {
    let formats: [(&[u8], &str); 12] = [
        (b"\x89HDF\r\n\x1A\n", "an HDF5 file"),
        (b"ARROW1", "an Arrow or Feather file"),
        (b"SQLite format 3", "an SQLite database"),
        (b"\xFD7zXZ", "an xz archive"),
        (b"BZh", "a bzip2 archive"),
        (b"7z\xBC\xAF", "a 7z archive"),
        (b"%PDF", "a PDF"),
        (b"\x89PNG", "a PNG image"),
        (b"\xFF\xD8\xFF", "a JPEG image"),
        (b"ORC", "an ORC file"),
        (b"Obj\x01", "an Avro file"),
        (b"\x80", "a Python pickle"),
    ];
    let (_, name) = formats.into_iter().find(|(magic, name)| {
        head.starts_with(magic) && (*name != "a Python pickle" || matches!(head.get(1), Some(2..=5)))
    })?;
    Some(name)
}

/// Text of tables has no control characters; those of a single bad cell are found when it is read.
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
    if claimed == format {
        return Ok(());
    }
    let content = if format == Format::Csv { "text" } else { format.name() };
    let what = format!("the name says {}, but the content is {content}", claimed.name());
    Err(Error::format(what).with_hint("was the file damaged, or saved under the wrong extension?"))
}

/// The format that a file's name says it has, where it says one that is read.
pub(crate) fn named(path: &Path) -> Option<&'static str> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let packed = PACKED.iter().find_map(|end| name.strip_suffix(end));
    claimed(packed.unwrap_or(&name)).map(Format::name)
}

/// The endings of compressed files.
const PACKED: [&str; 4] = [".gz", ".gzip", ".zst", ".zstd"];

fn claimed(name: &str) -> Option<Format> {
    Some(match extension(name) {
        ".csv" | ".tsv" | ".txt" => Format::Csv,
        ".parquet" | ".pq" | ".parq" => Format::Parquet,
        ".npy" => Format::Npy,
        ".npz" => Format::Npz,
        _ => return None,
    })
}

fn extension(name: &str) -> &str {
    name.rfind('.').map_or("", |dot| &name[dot..])
}

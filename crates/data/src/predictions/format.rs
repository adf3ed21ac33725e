//! The format of the output, by its file name.

use super::{Columns, WriteOptions};
use crate::output::is_standard_output;
use std::io::{self, Write};
use std::path::Path;

/// The format of predictions, and the compression of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputFormat {
    pub(super) kind: FileFormat,
    pub(super) packed: TextCompression,
}

/// The supported output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    Csv,
    Tsv,
    Jsonl,
    Parquet,
    Npy,
}

/// The compression of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextCompression {
    No,
    Gzip,
    Zstd,
}

const EXPECTED: &str =
    ".csv, .tsv, .jsonl (these also with .gz or .zst), .parquet, .npy, or - for CSV on standard output";

impl OutputFormat {
    /// The format for the extension of a file's name; CSV if there is none, and on standard output.
    ///
    /// # Errors
    /// If the extension is unknown; the message lists the supported ones.
    pub fn of(path: &Path) -> Result<OutputFormat, String> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
        let name = name.filter(|_| !is_standard_output(path)).unwrap_or_default();
        let (stem, packed) = match name.rsplit_once('.') {
            Some((stem, "gz")) => (stem, TextCompression::Gzip),
            Some((stem, "zst")) => (stem, TextCompression::Zstd),
            _ => (name.as_str(), TextCompression::No),
        };
        // A name that starts with a dot has no extension there.
        let ending = stem.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ending)| ending);
        let kind = match ending {
            None | Some("csv") => FileFormat::Csv,
            Some("tsv") => FileFormat::Tsv,
            Some("jsonl" | "ndjson") => FileFormat::Jsonl,
            Some("parquet" | "pq") => FileFormat::Parquet,
            Some("npy") => FileFormat::Npy,
            Some("zip") => {
                return Err(format!("{}: a zip archive is written by --zip beside a .csv", path.display()));
            }
            Some(other) => {
                return Err(format!(
                    "{}: \".{other}\" is not a format for predictions; expected {EXPECTED}",
                    path.display()
                ));
            }
        };
        if packed != TextCompression::No && matches!(kind, FileFormat::Parquet | FileFormat::Npy) {
            let what = "is not compressed again: leave out the last ending";
            return Err(format!("{}: {} {what}", path.display(), ending.unwrap_or_default()));
        }
        Ok(OutputFormat { kind, packed })
    }

    /// Returns an error if the format cannot hold the requested content.
    ///
    /// # Errors
    /// If columns are named for an array, which has none.
    pub fn check(self, options: &WriteOptions) -> Result<(), String> {
        match options.columns {
            Columns::Named(_) if self.is_npy() => {
                Err("a .npy holds the labels or the probabilities alone: leave out the names of columns, or \
                     write a .csv, .tsv, .jsonl or .parquet"
                    .to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Whether the cells of a column have a type.
    pub(super) fn has_types(self) -> bool {
        matches!(self.kind, FileFormat::Jsonl | FileFormat::Parquet)
    }

    pub(super) fn is_npy(self) -> bool {
        self.kind == FileFormat::Npy
    }

    /// Whether it is a plain CSV, which can go into a zip archive.
    pub fn is_plain_csv(self) -> bool {
        self == OutputFormat { kind: FileFormat::Csv, packed: TextCompression::No }
    }
}

impl TextCompression {
    /// Calls `write` with an output that compresses to `out`; equal content gives equal bytes.
    pub(super) fn through<E: From<io::Error>>(
        self,
        out: &mut dyn Write,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            TextCompression::No => write(out)?,
            TextCompression::Gzip => {
                let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
                write(&mut packed)?;
                packed.finish()?;
            }
            TextCompression::Zstd => {
                let mut packed = zstd::stream::write::Encoder::new(out, 0)?;
                write(&mut packed)?;
                packed.finish()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_determines_the_format() {
        let of = |name: &str| OutputFormat::of(Path::new(name)).map(|format| (format.kind, format.packed));
        for (name, format) in [
            ("p.csv", (FileFormat::Csv, TextCompression::No)),
            ("P.CSV.GZ", (FileFormat::Csv, TextCompression::Gzip)),
            ("a.b/p.tsv.zst", (FileFormat::Tsv, TextCompression::Zstd)),
            ("p.jsonl", (FileFormat::Jsonl, TextCompression::No)),
            ("p.1.parquet", (FileFormat::Parquet, TextCompression::No)),
            ("p.npy", (FileFormat::Npy, TextCompression::No)),
            ("a.b/predictions", (FileFormat::Csv, TextCompression::No)),
            ("-", (FileFormat::Csv, TextCompression::No)),
            ("/dev/stdout", (FileFormat::Csv, TextCompression::No)),
        ] {
            assert_eq!(of(name), Ok(format), "{name}");
        }
        for (name, why) in [
            ("p.xlsx", "expected .csv, .tsv, .jsonl"),
            ("p.npy.gz", "not compressed again"),
            ("p.zip", "--zip"),
        ] {
            assert!(of(name).unwrap_err().contains(why), "{name}");
        }
    }
}

//! What the output is written as, by the name of its file.

use super::{Columns, WriteOptions};
use crate::output::is_standard_output;
use std::io::{self, Write};
use std::path::Path;

/// How predictions are written: a format, and the compression of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputFormat {
    pub(super) kind: Kind,
    pub(super) packed: Packed,
}

/// The formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Tsv,
    Jsonl,
    Parquet,
    Npy,
}

/// How a text is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    No,
    Gzip,
    Zstd,
}

const EXPECTED: &str =
    ".csv, .tsv, .jsonl (these also with .gz or .zst), .parquet, .npy, or - for CSV on standard output";

impl OutputFormat {
    /// The format by the ending of a file's name; CSV where it has none, and on standard output.
    ///
    /// # Errors
    /// When the ending is that of no format that is written: what is.
    pub fn of(path: &Path) -> Result<OutputFormat, String> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
        let name = name.filter(|_| !is_standard_output(path)).unwrap_or_default();
        let (stem, packed) = match name.rsplit_once('.') {
            Some((stem, "gz")) => (stem, Packed::Gzip),
            Some((stem, "zst")) => (stem, Packed::Zstd),
            _ => (name.as_str(), Packed::No),
        };
        // A name that begins with a dot has no ending.
        let ending = stem.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ending)| ending);
        let kind = match ending {
            None | Some("csv") => Kind::Csv,
            Some("tsv") => Kind::Tsv,
            Some("jsonl" | "ndjson") => Kind::Jsonl,
            Some("parquet" | "pq") => Kind::Parquet,
            Some("npy") => Kind::Npy,
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
        if packed != Packed::No && matches!(kind, Kind::Parquet | Kind::Npy) {
            let what = "is not compressed again: leave out the last ending";
            return Err(format!("{}: {} {what}", path.display(), ending.unwrap_or_default()));
        }
        Ok(OutputFormat { kind, packed })
    }

    /// Ends with an error where the format cannot hold what is asked for.
    ///
    /// # Errors
    /// When columns are named for an array, which has none.
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

    pub(super) fn is_npy(self) -> bool {
        self.kind == Kind::Npy
    }

    /// Whether it is a plain CSV, of which there may be a zip archive.
    pub fn is_plain_csv(self) -> bool {
        self == OutputFormat { kind: Kind::Csv, packed: Packed::No }
    }
}

impl Packed {
    /// Calls `write` with an output whose bytes go to `out` compressed; the same bytes for the same content.
    pub(super) fn through<E: From<io::Error>>(
        self,
        out: &mut dyn Write,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Packed::No => write(out)?,
            Packed::Gzip => {
                let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
                write(&mut packed)?;
                packed.finish()?;
            }
            Packed::Zstd => {
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
    fn the_ending_says_the_format() {
        let of = |name: &str| OutputFormat::of(Path::new(name)).map(|format| (format.kind, format.packed));
        for (name, format) in [
            ("p.csv", (Kind::Csv, Packed::No)),
            ("P.CSV.GZ", (Kind::Csv, Packed::Gzip)),
            ("a.b/p.tsv.zst", (Kind::Tsv, Packed::Zstd)),
            ("p.jsonl", (Kind::Jsonl, Packed::No)),
            ("p.1.parquet", (Kind::Parquet, Packed::No)),
            ("p.npy", (Kind::Npy, Packed::No)),
            ("a.b/predictions", (Kind::Csv, Packed::No)),
            ("-", (Kind::Csv, Packed::No)),
            ("/dev/stdout", (Kind::Csv, Packed::No)),
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

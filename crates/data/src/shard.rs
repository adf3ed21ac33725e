//! Parts of a table, for many processes that read one table together.
//!
//! A table of `F` files is cut into `n` shards of `F / n` files each, in order; a file that two shards share is cut by its
//! rows. So the cut depends on the files and their rows alone.

use crate::Result;
use crate::rows::{ALL_ROWS, RowRange};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The maximum number of shards.
const MAX_SHARDS: u32 = 1_000_000;

/// One of several parts of a table. All parts together, in order, have all rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    n: u32,
}

impl Shard {
    /// Part `index` (from 0) of `n`; `None` unless `index` is below `n`, and `n` at most a million.
    pub fn new(index: u32, n: u32) -> Option<Shard> {
        (index < n && n <= MAX_SHARDS).then_some(Shard { index, n })
    }

    /// Its number, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// The number of all parts.
    pub fn n(self) -> u32 {
        self.n
    }

    /// The name of the output of this part, for an output `path` of the whole: `p-00003-of-00016.csv.gz` for `p.csv.gz`.
    pub fn file_of(self, path: &Path) -> PathBuf {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let is_packed =
            |ending: &str| ending.eq_ignore_ascii_case("gz") || ending.eq_ignore_ascii_case("zst");
        let dot = |text: &str| text.rfind('.').filter(|&at| at > 0).unwrap_or(text.len());
        let last = dot(&name);
        let at = match name.get(last + 1..).is_some_and(is_packed) {
            true => dot(&name[..last]),
            false => last,
        };
        path.with_file_name(format!("{}-{:05}-of-{:05}{}", &name[..at], self.index, self.n, &name[at..]))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.n)
    }
}

/// Parses `0/4` to `3/4`.
impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Shard, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no shard: expected INDEX/N with INDEX from 0 to N - 1, such as 0/4 for the first of four (at \
                 most {MAX_SHARDS})"
            )
        };
        let (index, n) = text.split_once('/').ok_or_else(wrong)?;
        match (index.trim().parse(), n.trim().parse()) {
            (Ok(index), Ok(n)) => Shard::new(index, n).ok_or_else(wrong),
            _ => Err(wrong()),
        }
    }
}

/// A part of one file: the rows between two fractions of all its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePart {
    /// The fractions, as multiples of `1 / n`.
    fractions: Range<u64>,
    n: u64,
}

impl FilePart {
    pub(crate) const WHOLE: FilePart = FilePart { fractions: 0..1, n: 1 };

    /// The part of file `file` of `n_files` that belongs to `shard`; all of it without one.
    pub(crate) fn of(shard: Option<Shard>, file: usize, n_files: usize) -> FilePart {
        let Some(Shard { index, n }) = shard else { return FilePart::WHOLE };
        let (index, n, file, n_files) = (u64::from(index), u64::from(n), file as u64, n_files as u64);
        // In files divided by n: the shard begins at `index * n_files`, the file at `file * n`.
        let within = |at: u64| at.saturating_sub(file * n).min(n);
        FilePart { fractions: within(index * n_files)..within((index + 1) * n_files), n }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fractions.is_empty()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.fractions == (0..self.n)
    }

    /// The rows of the part; `count` gives the number of all rows, where that matters.
    ///
    /// # Errors
    /// Those of `count`.
    pub(crate) fn rows(&self, count: impl FnOnce() -> Result<u64>) -> Result<RowRange> {
        if self.is_whole() {
            return Ok(ALL_ROWS);
        }
        if self.is_empty() {
            return Ok(0..0);
        }
        let n_rows = u128::from(count()?);
        let row = |fraction: u64| (n_rows * u128::from(fraction) / u128::from(self.n)) as u64;
        Ok(row(self.fractions.start)..row(self.fractions.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of files with these numbers of rows, by shard.
    fn cut(n_shards: u32, files: &[u64]) -> Vec<Vec<(usize, u64)>> {
        let of_shard = |index| {
            let shard = Shard::new(index, n_shards);
            let rows = files.iter().enumerate().flat_map(move |(file, &n_rows)| {
                let range = FilePart::of(shard, file, files.len()).rows(|| Ok(n_rows)).unwrap();
                (range.start..range.end.min(n_rows)).map(move |row| (file, row))
            });
            rows.collect()
        };
        (0..n_shards).map(of_shard).collect()
    }

    #[test]
    fn shards_have_each_row_once_and_in_order() {
        for files in [&[10][..], &[0], &[1], &[7, 0, 12], &[3, 3, 3, 3, 3, 3, 3]] {
            let all: Vec<(usize, u64)> =
                files.iter().enumerate().flat_map(|(file, &n)| (0..n).map(move |row| (file, row))).collect();
            for n_shards in [1, 2, 3, 4, 7, 20] {
                assert_eq!(cut(n_shards, files).concat(), all, "{files:?} in {n_shards}");
            }
        }
        let sizes: Vec<usize> = cut(4, &[10]).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 3, 2, 3]);
        let sizes: Vec<usize> = cut(2, &[10, 10, 10, 10]).iter().map(Vec::len).collect();
        assert_eq!(sizes, [20, 20]);
    }

    #[test]
    fn a_file_that_no_other_shard_has_is_not_counted() {
        let part = FilePart::of(Shard::new(1, 2), 3, 4);
        assert_eq!(part.rows(|| panic!("counted")).unwrap(), ALL_ROWS);
        assert!(FilePart::of(Shard::new(0, 2), 3, 4).is_empty());
    }

    #[test]
    fn shards_count_from_0() {
        assert_eq!("3/16".parse(), Ok(Shard { index: 3, n: 16 }));
        for wrong in ["4/4", "0/0", "1", "a/b", "-1/2", "0/2000000", ""] {
            assert!(wrong.parse::<Shard>().unwrap_err().contains("from 0 to N - 1"), "{wrong}");
        }
    }

    #[test]
    fn outputs_are_named_before_their_endings() {
        let shard = Shard::new(3, 16).unwrap();
        for (name, expected) in [
            ("out/p.parquet", "out/p-00003-of-00016.parquet"),
            ("p.csv.gz", "p-00003-of-00016.csv.gz"),
            ("a.b.csv", "a.b-00003-of-00016.csv"),
            ("p", "p-00003-of-00016"),
            (".csv", ".csv-00003-of-00016"),
        ] {
            assert_eq!(shard.file_of(Path::new(name)), Path::new(expected));
        }
    }
}

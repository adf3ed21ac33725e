//! Floats in a file that is mapped into memory instead of read: the system keeps as many of them in memory as fit,
//! processes that map the file share them, and none needs a copy.
//!
//! The caller opens the file; this module handles no paths.

#![allow(unsafe_code)]

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Deref;

/// The little-endian floats of a mapped file. It dereferences to a slice.
pub struct Mapped {
    storage: Storage,
    len: usize,
}

enum Storage {
    Map(memmap2::Mmap),
    /// For empty files, and for big-endian machines.
    Read(Vec<f32>),
}

impl Mapped {
    /// Maps `len` floats that start at byte `offset` of `file`, a multiple of 4. The file may be closed afterwards.
    ///
    /// While they are mapped, nothing may write to them or truncate the file: the system kills a process that
    /// reads beyond the end of the file (SIGBUS). If the file is replaced by renaming another one over it, the mapping
    /// keeps the old content.
    ///
    /// # Errors
    /// If the file is too short, or the system cannot map it.
    pub fn new(file: &File, offset: u64, len: usize) -> io::Result<Mapped> {
        let n_bytes = check(file, offset, len)?;
        if len == 0 || cfg!(target_endian = "big") {
            return Ok(Mapped { storage: Storage::Read(read(file, offset, len)?), len });
        }
        // SAFETY: the mapping is read-only and private, and `check` saw that the file has the bytes. Any bytes are
        // floats. The caller guarantees that they are not changed or truncated while they are mapped: ours are files
        // that were written under another name, and are never written after the renaming.
        let map =
            unsafe { memmap2::MmapOptions::new().offset(offset).len(n_bytes).map_copy_read_only(file)? };
        Ok(Mapped { storage: Storage::Map(map), len })
    }
}

impl Deref for Mapped {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.storage {
            // SAFETY: `len` floats are mapped (see `new`). The map starts at `offset` of the file, whose offset within
            // a page is the same in memory, and `check` saw that it is a multiple of four.
            Storage::Map(map) => unsafe { std::slice::from_raw_parts(map.as_ptr().cast(), self.len) },
            Storage::Read(values) => values,
        }
    }
}

impl fmt::Debug for Mapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} mapped floats", self.len)
    }
}

/// The number of bytes of `len` floats from `offset` on, which must exist.
fn check(file: &File, offset: u64, len: usize) -> io::Result<usize> {
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidInput, what);
    if !offset.is_multiple_of(size_of::<f32>() as u64) {
        return Err(invalid(format!("floats at byte {offset}, which is not a multiple of 4")));
    }
    let (n_bytes, there) = (len.checked_mul(size_of::<f32>()), file.metadata()?.len());
    match n_bytes.filter(|&n| isize::try_from(n).is_ok()) {
        Some(n) if offset.checked_add(n as u64).is_some_and(|end| end <= there) => Ok(n),
        _ => Err(invalid(format!("{len} floats from byte {offset} on in a file of {there} bytes"))),
    }
}

/// Reads the floats that [`Mapped::new`] maps.
fn read(mut file: &File, offset: u64, len: usize) -> io::Result<Vec<f32>> {
    let mut bytes = vec![0; len * size_of::<f32>()];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Matrix, Philox};
    use std::io::Write;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    /// Random bytes: a file may contain any float.
    fn bytes(len: usize) -> Vec<u8> {
        let mut draws = Philox::new(1, 0, 0).sequence(0, 0);
        (0..len).map(|_| draws.below(256) as u8).collect()
    }

    #[test]
    fn mapped_values_equal_read_ones() {
        let file = file(&bytes(70_000));
        for (offset, len) in [(0, 0), (0, 1), (4, 17), (4096, 1000), (8, 17_000), (65_536, 1116), (69_996, 1)]
        {
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            let mapped = Mapped::new(&file, offset, len).unwrap();
            assert_eq!(bits(&mapped), bits(&read(&file, offset, len).unwrap()), "{len} from {offset}");
        }
    }

    #[test]
    fn missing_bytes_are_refused() {
        let file = file(&[0; 100]);
        for (offset, len) in [(0, 26), (100, 1), (1 << 40, 0), (u64::MAX - 3, 1), (0, usize::MAX), (2, 1)] {
            let error = Mapped::new(&file, offset, len).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{len} from {offset}");
        }
    }

    #[test]
    fn a_mapped_matrix_is_one_and_writing_to_it_copies() {
        let values: Vec<f32> = (0..12).map(|v| v as f32).collect();
        let file = file(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        let mapped = Matrix::mapped(Mapped::new(&file, 0, 12).unwrap(), 3, 4);
        let (owned, mut written) = (Matrix::new(values, 3, 4), mapped.clone());
        assert_eq!((mapped.row(1), mapped.is_mapped()), (owned.row(1), true));
        assert_eq!((&mapped, mapped.view().rows(1, 3).as_slice()), (&owned, &owned.as_slice()[4..]));
        written.row_mut(2)[3] = 7.0;
        assert_eq!((written.row(2)[3], written.is_mapped(), mapped.row(2)[3]), (7.0, false, 11.0));
        assert_ne!(written, mapped);
        assert_eq!(mapped.into_vec(), owned.into_vec());
    }
}

//! Floats aligned to a cache line, so that no vector load of a panel crosses two.

#![allow(unsafe_code)]

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Floats in a cache line.
pub const LINE: usize = 16;

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct CacheLine([f32; LINE]);

const _: () = assert!(size_of::<CacheLine>() == LINE * size_of::<f32>());

/// A vector of floats that starts at a cache line. It dereferences to a slice.
#[derive(Clone, Default)]
pub struct Buffer {
    lines: Vec<CacheLine>,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Buffer {
        Buffer { lines: vec![CacheLine([0.0; LINE]); len.div_ceil(LINE)], len }
    }

    /// The first `len` values, of unspecified content; the buffer grows if needed.
    pub fn first(&mut self, len: usize) -> &mut [f32] {
        if self.len < len {
            self.lines.resize(len.div_ceil(LINE), CacheLine([0.0; LINE]));
            self.len = len;
        }
        &mut self[..len]
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a `CacheLine` is exactly LINE floats without padding, and stricter aligned; `len` of them are there.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and the lines are borrowed for as long as the floats.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Buffer) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_slice_at_the_beginning_of_a_line() {
        let mut buffer = Buffer::zeros(17);
        assert_eq!(buffer.as_ptr() as usize % 64, 0);
        buffer[16] = 2.0;
        assert_eq!((buffer.len(), buffer.iter().sum::<f32>()), (17, 2.0));
        assert_eq!(buffer.first(40).len(), 40);
        assert_eq!((buffer[16], buffer.len(), buffer.first(3).len()), (2.0, 40, 3));
        assert_ne!(buffer, Buffer::zeros(40));
    }
}

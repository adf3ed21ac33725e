//! Numbers in large pages, for tables that are read here and there: the processor knows the places of few pages, so in pages of the
//! common size nearly every row costs a look for its page first.

#![allow(unsafe_code)]

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Numbers in pages of 2 MB where the system has some. It dereferences to a slice.
pub struct Pages<T> {
    memory: Memory<T>,
    len: usize,
}

enum Memory<T> {
    Map(memmap2::MmapMut),
    /// Where the system maps nothing.
    Plain(Vec<T>),
}

/// A number of which any bytes are one, and zeros are zero.
///
/// # Safety
/// That holds, and no page begins in the middle of one.
pub unsafe trait Number: Copy + Default {}

// SAFETY: any bits are a float, and pages are multiples of four bytes.
unsafe impl Number for f32 {}
// SAFETY: any byte is one.
unsafe impl Number for u8 {}

impl<T: Number> Pages<T> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Pages<T> {
        let map = len.checked_mul(size_of::<T>()).filter(|&n| n > 0).map(memmap2::MmapMut::map_anon);
        let memory = match map {
            Some(Ok(map)) => {
                // Without large pages it is memory all the same.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage);
                Memory::Map(map)
            }
            _ => Memory::Plain(vec![T::default(); len]),
        };
        Pages { memory, len }
    }
}

impl<T: Number> Deref for Pages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.memory {
            // SAFETY: `len` numbers are mapped, from the beginning of a page on; any bytes are numbers.
            Memory::Map(map) => unsafe { std::slice::from_raw_parts(map.as_ptr().cast(), self.len) },
            Memory::Plain(values) => values,
        }
    }
}

impl<T: Number> DerefMut for Pages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.memory {
            // SAFETY: as above, and the map is borrowed for as long as the numbers.
            Memory::Map(map) => unsafe { std::slice::from_raw_parts_mut(map.as_mut_ptr().cast(), self.len) },
            Memory::Plain(values) => values,
        }
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} numbers in pages", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zeros_that_keep_what_is_written() {
        for len in [0, 1, 1 << 20] {
            let mut pages = Pages::<f32>::zeros(len);
            assert!(pages.len() == len && pages.iter().all(|value| *value == 0.0));
            pages.fill(2.5);
            assert!(pages.iter().all(|value| *value == 2.5));
        }
    }
}

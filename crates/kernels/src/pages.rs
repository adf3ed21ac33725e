//! Floats in large pages, for tables that are read here and there: the processor knows the places of few pages, so in pages of the
//! common size nearly every row costs a look for its page first.

#![allow(unsafe_code)]

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Floats in pages of 2 MB where the system has some. It dereferences to a slice.
pub struct Pages {
    memory: Memory,
    len: usize,
}

enum Memory {
    Map(memmap2::MmapMut),
    /// Where the system maps nothing.
    Plain(Vec<f32>),
}

impl Pages {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Pages {
        let map = len.checked_mul(size_of::<f32>()).filter(|&n| n > 0).map(memmap2::MmapMut::map_anon);
        let memory = match map {
            Some(Ok(map)) => {
                // Without large pages it is memory all the same.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage);
                Memory::Map(map)
            }
            _ => Memory::Plain(vec![0.0; len]),
        };
        Pages { memory, len }
    }
}

impl Deref for Pages {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.memory {
            // SAFETY: `len` floats are mapped, from the beginning of a page on; any bytes are floats.
            Memory::Map(map) => unsafe { std::slice::from_raw_parts(map.as_ptr().cast(), self.len) },
            Memory::Plain(values) => values,
        }
    }
}

impl DerefMut for Pages {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.memory {
            // SAFETY: as above, and the map is borrowed for as long as the floats.
            Memory::Map(map) => unsafe { std::slice::from_raw_parts_mut(map.as_mut_ptr().cast(), self.len) },
            Memory::Plain(values) => values,
        }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} floats in pages", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_zeros_that_keep_what_is_written() {
        for len in [0, 1, 1 << 20] {
            let mut pages = Pages::zeros(len);
            assert!(pages.len() == len && pages.iter().all(|value| *value == 0.0));
            pages.fill(2.5);
            assert!(pages.iter().all(|value| *value == 2.5));
        }
    }
}

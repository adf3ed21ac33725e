//! A slice that is cut into chunks for threads.

use std::marker::PhantomData;

/// The chunks of a slice that is borrowed for the lifetime of this value.
pub(super) struct Chunks<'a, T> {
    values: *mut T,
    len: usize,
    chunk_len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: each chunk is given to one thread only, as if the slice were split and its parts sent.
unsafe impl<T: Send> Sync for Chunks<'_, T> {}

impl<'a, T> Chunks<'a, T> {
    /// # Panics
    /// If `chunk_len` is zero.
    pub(super) fn new(values: &'a mut [T], chunk_len: usize) -> Chunks<'a, T> {
        assert!(chunk_len > 0, "a chunk length of zero");
        Chunks { values: values.as_mut_ptr(), len: values.len(), chunk_len, lifetime: PhantomData }
    }

    /// The number of chunks.
    pub(super) fn n(&self) -> usize {
        self.len.div_ceil(self.chunk_len)
    }

    /// The chunk of this index.
    ///
    /// # Panics
    /// If there is no such chunk.
    ///
    /// # Safety
    /// No chunk may be taken twice.
    #[allow(clippy::mut_from_ref)] // the caller vouches for what the borrow would
    pub(super) unsafe fn take(&self, i: usize) -> &'a mut [T] {
        assert!(i < self.n());
        let start = i * self.chunk_len;
        // SAFETY: the chunk is within the slice, and by the caller's guarantee nobody else has it.
        unsafe {
            std::slice::from_raw_parts_mut(self.values.add(start), self.chunk_len.min(self.len - start))
        }
    }
}

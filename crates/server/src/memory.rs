//! The memory that requests under way share: their bodies, rows, probabilities and answers. It bounds what many large requests take together.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::failure::{Failure, Result};

/// Bytes that requests may take together.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    used: AtomicUsize,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Arc<Memory> {
        Arc::new(Memory { limit, used: AtomicUsize::new(0) })
    }

    /// The bytes in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// A part that a request has taken; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    memory: Arc<Memory>,
    /// The bytes of all leases of the request.
    of_request: Arc<AtomicUsize>,
    bytes: usize,
}

impl Lease {
    /// The first lease of a request.
    pub(crate) fn new(memory: &Arc<Memory>) -> Lease {
        Lease { memory: memory.clone(), of_request: Arc::default(), bytes: 0 }
    }

    /// Another lease of the same request, for what is dropped at another time.
    pub(crate) fn beside(&self) -> Lease {
        Lease { memory: self.memory.clone(), of_request: self.of_request.clone(), bytes: 0 }
    }

    /// Takes `bytes` more, before they are allocated.
    ///
    /// # Errors
    /// When the request alone would have more than all may, or all together.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<()> {
        let limit = self.memory.limit;
        let of_request = self.of_request.load(Ordering::Relaxed).saturating_add(bytes);
        if of_request > limit {
            return Err(Failure::too_large(format!(
                "the request needs {of_request} bytes for its body, rows and answer, and all requests together may take {limit}: send fewer rows"
            )));
        }
        // What does not fit is not counted, so that it refuses no others.
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= limit);
        if self.memory.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            return Err(Failure::overloaded(
                "the requests under way fill the server's memory: try again later",
            ));
        }
        self.of_request.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        Ok(())
    }

    /// Takes `bytes` in place of what it has.
    ///
    /// # Errors
    /// As [`grow`](Lease::grow).
    pub(crate) fn settle(&mut self, bytes: usize) -> Result<()> {
        self.give_back();
        self.grow(bytes)
    }

    fn give_back(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.of_request.fetch_sub(bytes, Ordering::Relaxed);
        self.memory.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// A value that holds the lease of its memory as long as it lives.
#[derive(Debug)]
pub(crate) struct Leased<T> {
    value: T,
    lease: Lease,
}

impl<T> Leased<T> {
    pub(crate) fn new(value: T, lease: Lease) -> Leased<T> {
        Leased { value, lease }
    }

    /// Another lease of the same request.
    pub(crate) fn lease_beside(&self) -> Lease {
        self.lease.beside()
    }
}

impl<T> Deref for Leased<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl AsRef<[u8]> for Leased<Vec<u8>> {
    fn as_ref(&self) -> &[u8] {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_share_memory_and_give_it_back() {
        let memory = Memory::new(10);
        let (mut a, mut b) = (Lease::new(&memory), Lease::new(&memory));
        a.grow(6).unwrap();
        assert_eq!(b.grow(5).unwrap_err().status.as_u16(), 503);
        assert_eq!(memory.used(), 6, "what did not fit does not count");
        b.grow(4).unwrap();
        drop(a);
        b.settle(9).unwrap();
        assert_eq!(memory.used(), 9);
        drop(b);
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn a_request_that_never_fits_need_not_try_again() {
        let memory = Memory::new(10);
        let mut body = Lease::new(&memory);
        body.grow(6).unwrap();
        let mut rows = body.beside();
        let never = rows.grow(5).unwrap_err();
        assert!(never.status.as_u16() == 413 && never.message.contains("send fewer rows"), "{never:?}");
        rows.grow(4).unwrap();
        drop(Leased::new((), body));
        rows.grow(6).unwrap();
        assert_eq!(memory.used(), 10);
    }
}

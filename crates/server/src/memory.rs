//! The memory that requests under way share: their bodies, probabilities and answers. It bounds what many large requests take together.

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

/// The part that one request has taken; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    memory: Arc<Memory>,
    bytes: usize,
    /// Of them those for an answer that is not made yet.
    reserved: usize,
}

impl Lease {
    pub(crate) fn new(memory: &Arc<Memory>) -> Lease {
        Lease { memory: memory.clone(), bytes: 0, reserved: 0 }
    }

    /// Takes `bytes` more.
    ///
    /// # Errors
    /// When all requests together would have more than they may.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<()> {
        let used = self.memory.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        match used.saturating_add(bytes) > self.memory.limit {
            true => {
                Err(Failure::overloaded("the requests under way fill the server's memory: try again later")
                    .closing())
            }
            false => Ok(()),
        }
    }

    /// Takes `bytes` for the answer before it is made.
    ///
    /// # Errors
    /// When the request alone would have more than all may, or all together.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<()> {
        if self.bytes.saturating_add(bytes) > self.memory.limit {
            return Err(Failure::too_large(format!(
                "the answer needs about {} MiB, and all requests together may take {} MiB: send fewer rows",
                bytes >> 20,
                self.memory.limit >> 20
            )));
        }
        self.grow(bytes)?;
        self.reserved += bytes;
        Ok(())
    }

    /// Takes the `bytes` of the answer that was made in place of those reserved for it.
    ///
    /// # Errors
    /// As [`grow`](Lease::grow).
    pub(crate) fn settle(&mut self, bytes: usize) -> Result<()> {
        let reserved = std::mem::take(&mut self.reserved);
        self.bytes -= reserved;
        self.memory.used.fetch_sub(reserved, Ordering::Relaxed);
        self.grow(bytes)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Bytes of an answer that hold their lease until the client has them.
#[derive(Debug)]
pub(crate) struct Leased {
    pub(crate) bytes: Vec<u8>,
    pub(crate) _lease: Lease,
}

impl AsRef<[u8]> for Leased {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
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
        assert!(b.grow(5).unwrap_err().closes);
        drop(b);
        let mut c = Lease::new(&memory);
        c.grow(4).unwrap();
        drop((a, c));
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn an_answer_counts_before_it_is_made_and_by_its_bytes_then() {
        let memory = Memory::new(10);
        let mut lease = Lease::new(&memory);
        lease.grow(2).unwrap();
        lease.reserve(7).unwrap();
        assert_eq!(memory.used(), 9);
        let mut other = Lease::new(&memory);
        assert!(other.reserve(4).unwrap_err().closes);
        drop(other);
        lease.settle(3).unwrap();
        assert_eq!(memory.used(), 5);
        // One that never fits need not try again.
        let never = Lease::new(&memory).reserve(11).unwrap_err();
        assert!(!never.closes && never.message.contains("send fewer rows"), "{never:?}");
        drop(lease);
        assert_eq!(memory.used(), 0);
    }
}

//! The memory that requests under way share: their bodies and answers. It bounds what many large requests take together.

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
}

impl Lease {
    pub(crate) fn new(memory: &Arc<Memory>) -> Lease {
        Lease { memory: memory.clone(), bytes: 0 }
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
                Err(Failure::overloaded("the requests under way fill the server's memory: come back")
                    .closing())
            }
            false => Ok(()),
        }
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
}

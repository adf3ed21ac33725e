//! The body of a request: of bounded length, memory and time, whatever its headers say.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};

use crate::aside;
use crate::failure::{Failure, Result};
use crate::memory::{Lease, Leased, Memory};

/// Bytes that are read before other connections have their turn, however fast they come.
const TURN: usize = 64 << 10;
/// Bytes of a part. A body that grew as a whole would be copied again and again, by the thread that all connections share.
const PART: usize = 64 << 10;

/// The bytes of a body, in parts, and the lease of their memory.
#[derive(Debug)]
pub(crate) struct BodyParts {
    parts: Vec<Vec<u8>>,
    len: usize,
    lease: Lease,
}

impl BodyParts {
    fn new(lease: Lease) -> BodyParts {
        BodyParts { parts: Vec::new(), len: 0, lease }
    }

    /// A lease for what is made of the body.
    pub(crate) fn lease_beside(&self) -> Lease {
        self.lease.beside()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// When there is no memory for them.
    fn push(&mut self, mut data: &[u8]) -> Result<()> {
        self.lease.grow(data.len())?;
        self.len += data.len();
        while !data.is_empty() {
            if self.parts.last().is_none_or(|part| part.len() == PART) {
                // Most bodies are one part, as short as it is.
                let n = if self.parts.is_empty() { data.len().min(PART) } else { PART };
                self.parts.push(Vec::with_capacity(n));
            }
            let Some(part) = self.parts.last_mut() else { break };
            let (now, later) = data.split_at(data.len().min(PART - part.len()));
            part.extend_from_slice(now);
            data = later;
        }
        Ok(())
    }

    /// All bytes, one after another, with the lease.
    pub(crate) fn whole(mut self) -> Leased<Vec<u8>> {
        let lease = self.lease.beside();
        let lease = std::mem::replace(&mut self.lease, lease);
        let mut parts = std::mem::take(&mut self.parts);
        if parts.len() == 1 {
            return Leased::new(parts.swap_remove(0), lease);
        }
        let mut whole = Vec::with_capacity(self.len);
        for part in parts {
            whole.extend_from_slice(&part);
            aside::pause();
        }
        Leased::new(whole, lease)
    }
}

impl Drop for BodyParts {
    fn drop(&mut self) {
        aside::dropped(self.len, std::mem::take(&mut self.parts));
    }
}

/// The bounds of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

impl Bounds {
    /// Reads a body, whose bytes are counted in `memory` as they come.
    ///
    /// # Errors
    /// When it is too long or too slow, ends early, or there is no memory for it.
    pub(crate) async fn read(self, body: Incoming, memory: &Arc<Memory>) -> Result<BodyParts> {
        // A length that is claimed is refused at once, and is not a reason to allocate.
        if body.size_hint().lower() > self.bytes as u64 {
            return Err(self.too_long());
        }
        match tokio::time::timeout(self.time, self.collect(body, memory)).await {
            Ok(read) => read,
            Err(_) => {
                Err(Failure::timeout(format!("the body took longer than {} s", self.time.as_secs_f64())))
            }
        }
    }

    async fn collect(self, mut body: Incoming, memory: &Arc<Memory>) -> Result<BodyParts> {
        let (mut bytes, mut turn) = (BodyParts::new(Lease::new(memory)), 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::bad("the body ended early or is malformed").closing())?;
            let Some(data) = frame.data_ref() else { continue };
            if data.len() > self.bytes - bytes.len() {
                return Err(self.too_long());
            }
            // The rest of the body is not waited for.
            bytes.push(data).map_err(Failure::closing)?;
            turn += data.len();
            if turn >= TURN {
                turn = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(bytes)
    }

    fn too_long(self) -> Failure {
        Failure::too_large(format!("the body is longer than {} bytes", self.bytes)).closing()
    }
}

/// Refuses bodies that are compressed, or say that they are no JSON.
pub(crate) fn check_type(headers: &HeaderMap, allowed: &[&str]) -> Result<()> {
    let is_plain = |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_plain) {
        return Err(Failure::unsupported("compressed bodies are not read: send the body as it is").closing());
    }
    let Some(given) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let given = given.to_str().unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    match allowed.iter().any(|allowed| kind.eq_ignore_ascii_case(allowed)) {
        true => Ok(()),
        false => Err(Failure::unsupported(format!("send the body as {}", allowed.join(" or "))).closing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_the_bytes_in_their_order() {
        for lengths in [&[][..], &[0], &[10], &[PART], &[PART - 1, 3], &[1, 3 * PART, 0, 7]] {
            let memory = Memory::new(usize::MAX);
            let mut parts = BodyParts::new(Lease::new(&memory));
            let mut expected = Vec::new();
            for (i, length) in lengths.iter().enumerate() {
                let data: Vec<u8> = (0..*length).map(|j| (i + j) as u8).collect();
                parts.push(&data).unwrap();
                expected.extend(data);
            }
            assert_eq!(parts.len(), expected.len());
            let whole = parts.whole();
            assert_eq!((&*whole, memory.used()), (&expected, expected.len()), "{lengths:?}");
            drop(whole);
            assert_eq!(memory.used(), 0);
        }
    }
}

//! The body of a request: of bounded length, memory and time, whatever its headers say.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::failure::{Failure, Result};
use crate::memory::Lease;

/// Bytes that are read before other connections have their turn, however fast they come.
const TURN: usize = 256 << 10;

/// The bounds of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) bytes: usize,
    pub(crate) time: Duration,
}

impl Bounds {
    /// Reads a body, whose bytes are added to `lease` as they come.
    ///
    /// # Errors
    /// When it is too long or too slow, ends early, or there is no memory for it.
    pub(crate) async fn read(self, body: Incoming, lease: &mut Lease) -> Result<Vec<u8>> {
        // A length that is claimed is refused at once, and is not a reason to allocate.
        if body.size_hint().lower() > self.bytes as u64 {
            return Err(self.too_long());
        }
        match tokio::time::timeout(self.time, self.collect(body, lease)).await {
            Ok(read) => read,
            Err(_) => {
                Err(Failure::timeout(format!("the body took longer than {} s", self.time.as_secs_f64())))
            }
        }
    }

    async fn collect(self, mut body: Incoming, lease: &mut Lease) -> Result<Vec<u8>> {
        let (mut bytes, mut turn) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::bad("the body ended early or is malformed").closing())?;
            let Some(data) = frame.data_ref() else { continue };
            if data.len() > self.bytes - bytes.len() {
                return Err(self.too_long());
            }
            lease.grow(data.len())?;
            bytes.extend_from_slice(data);
            turn += data.len();
            if turn > TURN {
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
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
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

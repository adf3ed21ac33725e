//! An object that is written.

use std::io::{self, Write};
use std::path::Path;

use object_store::buffered::BufWriter;
use object_store::{MultipartUpload, ObjectStoreExt};
use tokio::io::AsyncWriteExt;

use crate::client::{self, io_error};
use crate::in_flight::run;
use crate::location::Location;

/// The bytes that are handed to the transfers at once.
const BLOCK: usize = 1 << 20;
/// The bytes of a part. A store takes 10,000, so an object has at most 160 GB.
const PART: usize = 16 << 20;
/// The parts that are sent at once.
const N_AT_ONCE: usize = 3;

/// Writes an object in parts. It appears, or replaces its older version, when it is [finished](ObjectWriter::finish);
/// a writer that is dropped before leaves nothing.
pub struct ObjectWriter {
    block: Vec<u8>,
    /// Missing only after an error that left nothing to abort.
    parts: Option<BufWriter>,
}

impl ObjectWriter {
    /// A writer of the object with this URL.
    ///
    /// # Errors
    /// If the URL is not that of an object, or the environment has no usable configuration of its store.
    pub fn create(url: &Path) -> io::Result<ObjectWriter> {
        let (store, key) = client::open(Location::of_object(url)?)?;
        let parts = BufWriter::with_capacity(store, key, PART).with_max_concurrency(N_AT_ONCE);
        Ok(ObjectWriter { block: Vec::with_capacity(BLOCK), parts: Some(parts) })
    }

    /// Sends the rest and makes the object appear.
    ///
    /// # Errors
    /// If a part cannot be sent, or the store refuses the object.
    pub fn finish(mut self) -> io::Result<()> {
        self.send()?;
        let mut parts = self.parts.take().ok_or_else(ended)?;
        // A failed shutdown has aborted the upload itself.
        run(async move { parts.shutdown().await.map_err(described) })
    }

    fn send(&mut self) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        let mut parts = self.parts.take().ok_or_else(ended)?;
        let (parts, sent) = run(async move {
            let sent = parts.write_all(&block).await.map_err(described);
            Ok((parts, sent))
        })?;
        self.parts = Some(parts);
        sent
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() >= BLOCK {
            self.send()?;
        }
        let n = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    /// Does nothing: parts have a size that the store prescribes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        if let Some(mut parts) = self.parts.take() {
            // Without a connection nothing can be cleaned up; stores remove unfinished uploads by rule.
            let _ = run(async move { parts.abort().await.map_err(io_error) });
        }
    }
}

/// Checks that an object can be written: begins an upload and aborts it. An existing object is unchanged.
///
/// # Errors
/// If the store does not permit it or does not answer.
pub fn prepare(url: &Path) -> io::Result<()> {
    let (store, key) = client::open(Location::of_object(url)?)?;
    run(async move {
        let mut upload: Box<dyn MultipartUpload> = store.put_multipart(&key).await.map_err(io_error)?;
        upload.abort().await.map_err(io_error)
    })
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the upload has failed before")
}

/// The error of a client within an error of the system.
fn described(error: io::Error) -> io::Error {
    let kind = error.kind();
    match error.into_inner().map(|inner| inner.downcast::<object_store::Error>()) {
        Some(Ok(inner)) => io_error(*inner),
        Some(Err(other)) => io::Error::new(kind, other),
        None => kind.into(),
    }
}

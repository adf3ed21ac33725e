//! One object.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::Semaphore;

use crate::client::{self, Store, io_error};
use crate::in_flight::{InFlight, run};
use crate::location::Location;
use crate::reader::ObjectReader;

/// The number of requests that are answered at once.
static REQUESTS: Semaphore = Semaphore::const_new(32);

/// An object of a store, which is read by ranges. Clones share what is known of it.
///
/// Its length and version are asked for once. If it is replaced afterwards, reads fail rather than mix two versions: by its ETag, or the time of its last
/// change where the store has no ETag.
#[derive(Debug, Clone)]
pub struct Object(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: PathBuf,
    store: Store,
    key: object_store::path::Path,
    metadata: OnceLock<ObjectMeta>,
}

impl Object {
    /// The object with this URL. Nothing is sent yet.
    ///
    /// # Errors
    /// If the URL is not that of an object, or the environment has no usable configuration of its store.
    pub fn at(url: &Path) -> io::Result<Object> {
        let (store, key) = client::open(Location::of_object(url)?)?;
        Ok(Object(Arc::new(Inner { url: url.to_owned(), store, key, metadata: OnceLock::new() })))
    }

    /// Its URL.
    pub fn url(&self) -> &Path {
        &self.0.url
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// If it does not exist, or the store does not answer.
    pub fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.size)
    }

    /// Whether it has no bytes.
    ///
    /// # Errors
    /// As [`len`](Object::len).
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The time of its last change.
    ///
    /// # Errors
    /// As [`len`](Object::len).
    pub fn modified(&self) -> io::Result<SystemTime> {
        Ok(self.metadata()?.last_modified.into())
    }

    /// Whether there is such an object.
    ///
    /// # Errors
    /// If the store does not answer.
    pub fn exists(&self) -> io::Result<bool> {
        match self.metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The bytes in `range`.
    ///
    /// # Errors
    /// If they cannot be read after some tries.
    pub fn get(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.fetch(range)?.wait()
    }

    /// Its bytes in order, with random access.
    pub fn reader(&self) -> ObjectReader {
        ObjectReader::new(self.clone())
    }

    /// Begins to read the bytes in `range`.
    pub(crate) fn fetch(&self, range: Range<u64>) -> io::Result<InFlight<Bytes>> {
        let metadata = self.metadata()?;
        // A weak tag does not say that the bytes are the same, and servers refuse it here.
        let version = metadata.e_tag.clone().filter(|tag| !tag.starts_with("W/"));
        // A store that does not give the time either has the first second.
        let is_dated = version.is_none() && metadata.last_modified.timestamp() > 0;
        let unchanged = is_dated.then_some(metadata.last_modified);
        let object = self.0.clone();
        InFlight::start(async move {
            if range.is_empty() {
                return Ok(Bytes::new());
            }
            let _turn = REQUESTS.acquire().await.map_err(io::Error::other)?;
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                if_match: version,
                if_unmodified_since: unchanged,
                ..GetOptions::default()
            };
            let answer = object.store.get_opts(&object.key, options).await.map_err(io_error)?;
            answer.bytes().await.map_err(io_error)
        })
    }

    fn metadata(&self) -> io::Result<&ObjectMeta> {
        if let Some(metadata) = self.0.metadata.get() {
            return Ok(metadata);
        }
        let object = self.0.clone();
        let metadata = run(async move { object.store.head(&object.key).await.map_err(io_error) })?;
        Ok(self.0.metadata.get_or_init(|| metadata))
    }
}

/// The URLs of all objects below the folder `url`, of all depths, in the order of the store.
///
/// # Errors
/// If the store cannot list them.
pub fn list(url: &Path) -> io::Result<Vec<PathBuf>> {
    let location = Location::parse(url)?;
    let (store, prefix) = client::open(location)?;
    let found: Vec<ObjectMeta> =
        run(async move { store.list(Some(&prefix)).try_collect().await.map_err(io_error) })?;
    let of = |object: &ObjectMeta| PathBuf::from(format!("{}/{}", location.container, object.location));
    // Some tools write an object of no bytes for a folder, or to say that a job is done. A table's file of no bytes is a mistake, which its reader names.
    let is_marker = |object: &ObjectMeta| object.size == 0 && object.location.extension().is_none();
    Ok(found.iter().filter(|object| !is_marker(object)).map(of).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use object_store::memory::InMemory;

    use super::*;

    /// Bytes without a period that windows could have.
    pub(crate) fn content(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    fn of_store(store: Store) -> Object {
        let (url, key) = ("memory://x".into(), "x".into());
        Object(Arc::new(Inner { url, store, key, metadata: OnceLock::new() }))
    }

    fn put(store: &Store, bytes: Vec<u8>) {
        let store = store.clone();
        run(async move { store.put(&"x".into(), bytes.into()).await.map_err(io_error) }).unwrap();
    }

    /// An object with [`content`].
    pub(crate) fn in_memory(len: usize) -> Object {
        let store: Store = Arc::new(InMemory::new());
        put(&store, content(len));
        of_store(store)
    }

    #[test]
    fn an_object_that_is_replaced_is_not_mixed() {
        let store: Store = Arc::new(InMemory::new());
        assert!(!of_store(store.clone()).exists().unwrap());
        put(&store, vec![1; 10]);
        let object = of_store(store.clone());
        assert_eq!(object.get(2..5).unwrap(), vec![1; 3]);
        assert_eq!((object.len().unwrap(), object.is_empty().unwrap()), (10, false));
        put(&store, vec![2; 10]);
        let error = object.get(2..5).unwrap_err();
        assert!(error.to_string().contains("replaced while it was read"), "{error}");
        assert_eq!(of_store(store).get(2..5).unwrap(), vec![2; 3]);
    }
}

//! Refuses all objects, where the clients of stores are not compiled in.
//!
//! The types have no values, but only inside: were they enums without variants, the compiler would warn of unreachable code wherever they are used.

use std::convert::Infallible;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use crate::location::Location;

fn refused(url: &Path) -> io::Error {
    let what =
        "objects of stores are not read here: the feature `object-store` was left out when this was built";
    Location::parse(url).err().unwrap_or_else(|| io::Error::new(io::ErrorKind::Unsupported, what))
}

/// An object of a store. There is none.
#[derive(Debug, Clone)]
pub struct Object(Infallible);

impl Object {
    /// Refuses the object.
    ///
    /// # Errors
    /// Always.
    pub fn at(url: &Path) -> io::Result<Object> {
        Err(refused(url))
    }

    /// Its URL.
    pub fn url(&self) -> &Path {
        match self.0 {}
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn len(&self) -> io::Result<u64> {
        match self.0 {}
    }

    /// Whether it has no bytes.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn is_empty(&self) -> io::Result<bool> {
        match self.0 {}
    }

    /// The time of its last change.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn modified(&self) -> io::Result<SystemTime> {
        match self.0 {}
    }

    /// Whether there is such an object.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn exists(&self) -> io::Result<bool> {
        match self.0 {}
    }

    /// The bytes in a range.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn get(&self, _: Range<u64>) -> io::Result<Bytes> {
        match self.0 {}
    }

    /// Its bytes in order.
    pub fn reader(&self) -> ObjectReader {
        match self.0 {}
    }
}

/// Refuses the folder.
///
/// # Errors
/// Always.
pub fn list(url: &Path) -> io::Result<Vec<PathBuf>> {
    Err(refused(url))
}

/// Refuses the object.
///
/// # Errors
/// Always.
pub fn prepare(url: &Path) -> io::Result<()> {
    Err(refused(url))
}

/// Reads an object. There is none.
pub struct ObjectReader(Infallible);

impl Read for ObjectReader {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        match self.0 {}
    }
}

/// Reads a range of an object. There is none.
pub struct ReadAhead(Infallible);

impl ReadAhead {
    /// Reads a range.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn of_range(object: Object, _: Range<u64>, _: u64) -> io::Result<ReadAhead> {
        match object.0 {}
    }

    /// Bytes from an offset of the object.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn some(&mut self, _: u64) -> io::Result<Bytes> {
        match self.0 {}
    }

    /// Bytes from an offset of the object.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn exactly(&mut self, _: u64, _: usize) -> io::Result<Bytes> {
        match self.0 {}
    }
}

/// Writes an object. There is none.
pub struct ObjectWriter(Infallible);

impl ObjectWriter {
    /// Refuses the object.
    ///
    /// # Errors
    /// Always.
    pub fn create(url: &Path) -> io::Result<ObjectWriter> {
        Err(refused(url))
    }

    /// Makes the object appear.
    ///
    /// # Errors
    /// None: there is no object.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {}
    }
}

impl Write for ObjectWriter {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }
}

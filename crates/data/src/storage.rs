//! Files of this machine and objects of stores, by their paths and URLs.

pub use headsmith_objects::is_url;

use headsmith_objects::Object;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

/// All bytes of the file or object at `path`.
///
/// # Errors
/// If it is missing or cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !is_url(path) {
        return fs::read(path);
    }
    let mut bytes = Vec::new();
    Object::at(path)?.reader().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The time of the last change of the file or object at `path`, if there is one.
pub fn modified(path: &Path) -> Option<SystemTime> {
    match is_url(path) {
        true => Object::at(path).and_then(|object| object.modified()).ok(),
        false => fs::metadata(path).and_then(|metadata| metadata.modified()).ok(),
    }
}

/// Whether there is a file or an object at `path`.
pub(crate) fn exists(path: &Path) -> bool {
    match is_url(path) {
        true => Object::at(path).and_then(|object| object.exists()).unwrap_or(false),
        false => path.is_file(),
    }
}

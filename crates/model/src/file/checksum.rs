//! The checksum of a file: it finds damage that leaves the layout whole, such as a changed bit of a weight.

use crc32fast::Hasher;

/// The key of the checksum in the metadata.
pub(super) const KEY: &str = "crc32";

/// The CRC-32 of the tensors' bytes, in the order of the file, and then of the description, as eight hexadecimal digits.
pub(super) fn of(data: Hasher, description: &str) -> String {
    let mut hasher = data;
    hasher.update(description.as_bytes());
    format!("{:08x}", hasher.finalize())
}

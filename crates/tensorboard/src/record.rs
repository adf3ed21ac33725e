//! The format of records in a file (TFRecord): length as u64, its checksum, the bytes, their checksum; little-endian.
//! The checksums are CRC-32C, masked so that data that contains checksums can be checksummed safely.

use prost::Message;

use crate::proto::Event;

const MASK: u32 = 0xa282_ead8;
const HEADER: usize = 12;
const FOOTER: usize = 4;

/// An event as a record.
pub(crate) fn of(event: &Event) -> Vec<u8> {
    let data = event.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(HEADER + data.len() + FOOTER);
    record.extend(length);
    record.extend(checksum(&length).to_le_bytes());
    record.extend(&data);
    record.extend(checksum(&data).to_le_bytes());
    record
}

/// The events of a file, up to the first incomplete one: a killed writer may leave its last record incomplete.
pub fn read(mut bytes: &[u8]) -> Vec<Event> {
    std::iter::from_fn(|| {
        let (event, rest) = first(bytes)?;
        bytes = rest;
        Some(event)
    })
    .collect()
}

fn first(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let rest = checked(length, rest)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (data, rest) = rest.split_at_checked(length)?;
    let rest = checked(data, rest)?;
    Some((Event::decode(data).ok()?, rest))
}

/// The bytes after the checksum of `data`, if the checksum is right.
fn checked<'b>(data: &[u8], rest: &'b [u8]) -> Option<&'b [u8]> {
    let (stored, rest) = rest.split_first_chunk::<4>()?;
    (u32::from_le_bytes(*stored) == checksum(data)).then_some(rest)
}

fn checksum(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(MASK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{EventContent, Summary};
    use crate::scalar;

    fn event(step: i64) -> Event {
        let values = vec![scalar("loss", step as f32 / 4.0)];
        Event { wall_time: 1.5, step, what: Some(EventContent::Summary(Summary { values })) }
    }

    #[test]
    fn checksums_are_those_of_tensorflow() {
        // RFC 3720, B.4: 32 bytes of zeros; masked as in tensorflow/core/lib/hash/crc32c.h.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
        // The header of a 24-byte record, the first in TensorFlow's files.
        assert_eq!(checksum(&24u64.to_le_bytes()).to_le_bytes(), [0xa3, 0x7f, 0x4b, 0x22]);
    }

    #[test]
    fn a_torn_tail_loses_the_last_record_only() {
        let records: Vec<Vec<u8>> = (0..3).map(|step| of(&event(step))).collect();
        let bytes = records.concat();
        let whole = records[0].len() + records[1].len();
        assert_eq!(read(&bytes), [event(0), event(1), event(2)]);
        for end in whole..bytes.len() {
            assert_eq!(read(&bytes[..end]), [event(0), event(1)], "cut at {end}");
        }
    }

    #[test]
    fn a_flipped_bit_is_detected() {
        let bytes = of(&event(1));
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 4;
            assert_eq!(read(&damaged), [], "at byte {i}");
        }
    }

    #[test]
    fn a_length_beyond_memory_is_not_trusted() {
        let length = u64::MAX.to_le_bytes();
        let bytes = [&length[..], &checksum(&length).to_le_bytes(), &[0; 9]].concat();
        assert_eq!(read(&bytes), []);
    }
}

//! A minimal FlatBuffers reader for the messages of Arrow: tables, vectors and texts. Every access checks its bounds,
//! so a message cannot point outside of itself.
//!
//! A table starts with the distance back to its vtable, which holds the offset of each field in the table (0: it is
//! absent and has its default). Distances are relative to their own position.

/// A table in a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlatTable<'a> {
    bytes: &'a [u8],
    at: usize,
    vtable: usize,
    vtable_len: usize,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(number(bytes, at)?) as usize)
}

impl<'a> FlatTable<'a> {
    /// The root table of a buffer.
    pub(super) fn root(bytes: &'a [u8]) -> Option<FlatTable<'a>> {
        FlatTable::at(bytes, u32_at(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> Option<FlatTable<'a>> {
        let back = i32::from_le_bytes(number(bytes, at)?);
        let vtable = usize::try_from(i64::try_from(at).ok()? - i64::from(back)).ok()?;
        let vtable_len = usize::from(u16::from_le_bytes(number(bytes, vtable)?));
        (bytes.len() >= vtable.checked_add(vtable_len)?).then_some(FlatTable {
            bytes,
            at,
            vtable,
            vtable_len,
        })
    }

    /// The position of field `field`, if it is present.
    fn place(&self, field: usize) -> Option<usize> {
        let entry = 4 + field * 2;
        let offset = (entry + 2 <= self.vtable_len)
            .then(|| number(self.bytes, self.vtable + entry).map(u16::from_le_bytes))
            .flatten()?;
        (offset > 0).then_some(self.at + usize::from(offset))
    }

    pub(super) fn i64(&self, field: usize, default: i64) -> i64 {
        let read = |place| number(self.bytes, place).map(i64::from_le_bytes);
        self.place(field).and_then(read).unwrap_or(default)
    }

    pub(super) fn i32(&self, field: usize, default: i32) -> i32 {
        let read = |place| number(self.bytes, place).map(i32::from_le_bytes);
        self.place(field).and_then(read).unwrap_or(default)
    }

    pub(super) fn i16(&self, field: usize, default: i16) -> i16 {
        let read = |place| number(self.bytes, place).map(i16::from_le_bytes);
        self.place(field).and_then(read).unwrap_or(default)
    }

    pub(super) fn u8(&self, field: usize, default: u8) -> u8 {
        self.place(field).and_then(|place| self.bytes.get(place).copied()).unwrap_or(default)
    }

    /// The position that field `field` points to.
    fn target(&self, field: usize) -> Option<usize> {
        let place = self.place(field)?;
        place.checked_add(u32_at(self.bytes, place)?)
    }

    pub(super) fn table(&self, field: usize) -> Option<FlatTable<'a>> {
        FlatTable::at(self.bytes, self.target(field)?)
    }

    /// The bytes of a vector of items of `size` bytes.
    fn vector(&self, field: usize, size: usize) -> Option<&'a [u8]> {
        let target = self.target(field)?;
        let len = u32_at(self.bytes, target)?.checked_mul(size)?;
        self.bytes.get(target + 4..)?.get(..len)
    }

    pub(super) fn text(&self, field: usize) -> Option<&'a str> {
        std::str::from_utf8(self.vector(field, 1)?).ok()
    }

    /// The items of a vector of structures of `N` bytes.
    pub(super) fn items<const N: usize>(&self, field: usize) -> &'a [[u8; N]] {
        self.vector(field, N).map_or(&[], |bytes| bytes.as_chunks().0)
    }

    /// The tables of a vector; `None` if one is invalid.
    pub(super) fn tables(&self, field: usize) -> Option<Vec<FlatTable<'a>>> {
        let Some(items) = self.vector(field, 4) else { return Some(Vec::new()) };
        let first = self.target(field)? + 4;
        let table = |i: usize| {
            let place = first + i * 4;
            FlatTable::at(self.bytes, place.checked_add(u32_at(self.bytes, place)?)?)
        };
        (0..items.len() / 4).map(table).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of an i32 (7) and a text ("ab"), with an absent third field.
    const BUFFER: [u8; 32] = [
        16, 0, 0, 0, // the root is at 16
        10, 0, 12, 0, 4, 0, 8, 0, 0, 0, 0, 0, // the vtable at 4: its length, the table's, three fields
        12, 0, 0, 0, 7, 0, 0, 0, 4, 0, 0,
        0, // the table at 16: the way back, 7, and how far the text is
        2, 0, 0, 0,
    ];

    #[test]
    fn fields_are_found_or_have_their_defaults() {
        let bytes = [&BUFFER[..], b"ab"].concat();
        let table = FlatTable::root(&bytes).unwrap();
        assert_eq!((table.i32(0, 1), table.text(1), table.i32(2, 5), table.i32(9, 6)), (7, Some("ab"), 5, 6));
        // A truncated buffer gives another table or none, but is never read beyond its end.
        for len in 0..bytes.len() {
            if let Some(table) = FlatTable::root(&bytes[..len]) {
                assert_eq!(table.text(1), None, "{len} bytes");
            }
        }
    }
}

//! The Thrift compact protocol, as far as is needed to walk through a structure.

pub(super) const INT32: u8 = 5;
pub(super) const STRUCT: u8 = 12;

/// A cursor over the Thrift compact protocol.
pub(super) struct ThriftReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> ThriftReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> ThriftReader<'a> {
        ThriftReader { bytes, at: 0 }
    }

    /// The number of bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }
}

impl ThriftReader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A zigzag integer.
    pub(super) fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The type of the next field, whose number replaces `id`; the inner `None` ends the structure.
    pub(super) fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        *id = if byte >> 4 == 0 { self.integer()? } else { id.checked_add(i64::from(byte >> 4))? };
        Some(Some(byte & 0x0F))
    }

    /// The 32-bit integers among the first fields of a structure, by field number; 0 if absent.
    pub(super) fn integers(&mut self) -> Option<[i64; 8]> {
        let (mut id, mut integers) = (0, [0; 8]);
        while let Some(kind) = self.field(&mut id)? {
            match (usize::try_from(id), kind) {
                (Ok(id @ 0..8), INT32) => integers[id] = self.integer()?,
                _ => self.skip(kind, 0)?,
            }
        }
        Some(integers)
    }

    pub(super) fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        const MAX_DEPTH: usize = 16;
        match kind {
            1 | 2 => {}
            3 => _ = self.byte()?,
            4..=6 => _ = self.varint()?,
            7 => self.advance(8)?,
            8 => {
                let len = self.varint()?;
                self.advance(len)?;
            }
            9 | 10 if depth < MAX_DEPTH => {
                let head = self.byte()?;
                let len = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // Parquet's footers and page headers have no lists of booleans. The `parquet` crate skips them one by
                // one without reading a byte, so a claimed length could keep it busy for hours.
                if matches!(head & 0x0F, 1 | 2) && len > 0 {
                    return None;
                }
                for _ in 0..len {
                    self.skip(head & 0x0F, depth + 1)?;
                }
            }
            STRUCT if depth < MAX_DEPTH => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn advance(&mut self, len: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(len).ok()?)?;
        (self.at <= self.bytes.len()).then_some(())
    }
}

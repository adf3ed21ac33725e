//! The values of a record batch, column by column.

use super::damaged;
use super::flat::FlatTable;
use super::message::{Buffers, Message, StoredBuffer};
use super::schema::{ArrowType, Node};
use crate::Result;
use bytes::Bytes;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// The values of a column, or of a part of one.
#[derive(Debug, Clone)]
pub(super) struct Array {
    len: usize,
    /// Whether each value is valid; `None` if all are.
    pub(super) valid: Option<Vec<bool>>,
    pub(super) data: Data,
}

/// The values themselves.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// Values with a fixed number of bytes, little-endian.
    Fixed(Bytes),
    Bits(Bytes),
    Texts(Vec<Bytes>),
    /// The start of each list in the values of all lists, and the end of the last.
    Lists(Vec<usize>, Box<Array>),
    FixedLists(usize, Box<Array>),
    Struct(Vec<Array>),
    /// Only nulls, or values that are not read.
    Nothing,
}

/// The dictionaries read so far, by their IDs.
pub(super) type Dictionaries = HashMap<i64, Arc<Array>>;

/// The nodes and buffers of a record batch that are still to be read.
struct Cursor<'a> {
    nodes: std::slice::Iter<'a, [u8; 16]>,
    buffers: Buffers<'a>,
    variadic: std::slice::Iter<'a, [u8; 8]>,
    dictionaries: &'a Dictionaries,
    is_old: bool,
}

/// Reads the `wanted` columns of a record batch, and its number of rows.
///
/// # Errors
/// If the batch contradicts itself or the schema.
pub(super) fn read_batch(
    message: &Message,
    batch: &FlatTable<'_>,
    nodes: &[Node],
    wanted: &dyn Fn(usize) -> bool,
    dictionaries: &Dictionaries,
) -> Result<(usize, Vec<Option<Array>>)> {
    let n_rows =
        usize::try_from(batch.i64(0, 0)).map_err(|_| damaged("a batch has a negative number of rows"))?;
    let mut cursor = Cursor {
        nodes: batch.items(1).iter(),
        buffers: Buffers::new(batch, &message.body)?,
        variadic: batch.items(4).iter(),
        dictionaries,
        is_old: message.is_old(),
    };
    // Empty lists and nulls take no bytes; in a table, each row takes at least one bit.
    let size = cursor.buffers.size();
    if n_rows as u64 > size.saturating_mul(8).max(MIN_ROWS) {
        return Err(damaged(&format!("a batch of {size} bytes claims to have {n_rows} rows")));
    }
    let mut arrays = Vec::with_capacity(nodes.len());
    for (column, node) in nodes.iter().enumerate() {
        let wanted = wanted(column);
        let array = cursor.array(node, wanted)?;
        if array.len != n_rows {
            return Err(damaged("the columns of a batch have different numbers of rows"));
        }
        arrays.push(wanted.then_some(array));
    }
    Ok((n_rows, arrays))
}

impl<'a> Cursor<'a> {
    /// The next array; the buffers of an unwanted one are skipped.
    fn array(&mut self, node: &Node, wanted: bool) -> Result<Array> {
        let field = self.nodes.next().ok_or_else(|| damaged("a batch lacks a column"))?;
        let (len, n_nulls) = field.split_at(8);
        let number = |half: &[u8]| half.try_into().map_or(-1, i64::from_le_bytes);
        let len = usize::try_from(number(len)).map_err(|_| damaged("a column has a negative length"))?;
        let has_nulls = number(n_nulls) != 0;
        if let Some((id, index)) = node.dictionary {
            let valid = self.valid(len, has_nulls, wanted)?;
            let indices = self.buffers.next()?;
            return if wanted {
                self.in_dictionary(id, index, len, valid, &indices)
            } else {
                Ok(nothing(len))
            };
        }
        let has_validity = match node.kind {
            ArrowType::Null | ArrowType::RunEnds => false,
            ArrowType::Union { .. } => self.is_old,
            _ => true,
        };
        let valid = if has_validity { self.valid(len, has_nulls, wanted)? } else { None };
        let data = self.data(node, len, valid.as_deref(), wanted)?;
        Ok(Array { len, valid, data })
    }

    fn valid(&mut self, len: usize, has_nulls: bool, wanted: bool) -> Result<Option<Vec<bool>>> {
        let stored = self.buffers.next()?;
        if !wanted || !has_nulls || stored.is_empty() {
            return Ok(None);
        }
        let bits = stored.open()?;
        if bits.len() < len.div_ceil(8) {
            return Err(damaged("a column has fewer marks of nulls than rows"));
        }
        Ok(Some((0..len).map(|i| bit(&bits, i)).collect()))
    }

    fn data(&mut self, node: &Node, len: usize, valid: Option<&[bool]>, wanted: bool) -> Result<Data> {
        let child = node.children.first();
        let child = || child.ok_or_else(|| damaged("a list has no type of its elements"));
        Ok(match node.kind {
            ArrowType::Null => Data::Nothing,
            ArrowType::Bool => {
                let stored = self.buffers.next()?;
                if wanted { Data::Bits(long_enough(&stored, Some(len.div_ceil(8)))?) } else { Data::Nothing }
            }
            ArrowType::Int { bytes, .. }
            | ArrowType::Float(bytes)
            | ArrowType::Decimal { bytes, .. }
            | ArrowType::Time { bytes, .. } => {
                let stored = self.buffers.next()?;
                if wanted {
                    Data::Fixed(long_enough(&stored, len.checked_mul(bytes))?)
                } else {
                    Data::Nothing
                }
            }
            ArrowType::Bytes(width) => {
                let stored = self.buffers.next()?;
                if wanted && width > 0 { Data::Texts(chunks(&stored, len, width)?) } else { Data::Nothing }
            }
            ArrowType::Text { wide, .. } => {
                let (offsets, bytes) = (self.buffers.next()?, self.buffers.next()?);
                if wanted { Data::Texts(texts(&offsets, &bytes, len, wide)?) } else { Data::Nothing }
            }
            ArrowType::View { .. } => self.views(len, valid, wanted)?,
            ArrowType::List { wide } => {
                let stored = self.buffers.next()?;
                let child = self.array(child()?, wanted)?;
                match wanted {
                    true => Data::Lists(offsets(&stored, len, wide, child.len)?, Box::new(child)),
                    false => Data::Nothing,
                }
            }
            ArrowType::FixedList(size) => {
                let child = self.array(child()?, wanted)?;
                if wanted && len.checked_mul(size).is_none_or(|n| n > child.len) {
                    return Err(damaged("a column of lists has fewer elements than its lists"));
                }
                Data::FixedLists(size, Box::new(child))
            }
            ArrowType::Struct => {
                let children = node.children.iter().map(|child| self.array(child, wanted));
                let children = children.collect::<Result<Vec<Array>>>()?;
                if children.iter().any(|child| child.len < len) {
                    return Err(damaged("the parts of a structure have different numbers of rows"));
                }
                Data::Struct(children)
            }
            ArrowType::Map | ArrowType::ListView | ArrowType::Union { .. } | ArrowType::RunEnds => {
                let n_buffers = match node.kind {
                    ArrowType::Map => 1,
                    ArrowType::ListView | ArrowType::Union { dense: true } => 2,
                    ArrowType::Union { dense: false } => 1,
                    _ => 0,
                };
                (0..n_buffers).try_for_each(|_| self.buffers.next().map(|_| ()))?;
                node.children.iter().try_for_each(|child| self.array(child, false).map(|_| ()))?;
                Data::Nothing
            }
        })
    }

    /// Texts: short ones are in the views, others in buffers of their own.
    fn views(&mut self, len: usize, valid: Option<&[bool]>, wanted: bool) -> Result<Data> {
        let stored = self.buffers.next()?;
        let n = self.variadic.next().map(|n| i64::from_le_bytes(*n)).and_then(|n| usize::try_from(n).ok());
        let n = n.ok_or_else(|| damaged("a column of texts does not say how many buffers it has"))?;
        let mut buffers = Vec::new();
        for _ in 0..n {
            let buffer = self.buffers.next()?;
            buffers.extend(wanted.then(|| buffer.open()).transpose()?);
        }
        if !wanted {
            return Ok(Data::Nothing);
        }
        let views = long_enough(&stored, len.checked_mul(16))?;
        let word = |view: usize, at: usize| {
            views.get(view * 16 + at..)?.first_chunk().map(|word| u32::from_le_bytes(*word) as usize)
        };
        let text = |i: usize| {
            if valid.is_some_and(|valid| !valid[i]) {
                return Some(Bytes::new());
            }
            let len = word(i, 0)?;
            if len <= 12 {
                return Some(views.slice(i * 16 + 4..i * 16 + 4 + len));
            }
            let (buffer, start) = (buffers.get(word(i, 8)?)?, word(i, 12)?);
            (start.checked_add(len)? <= buffer.len()).then(|| buffer.slice(start..start + len))
        };
        let texts = (0..len).map(text).collect::<Option<Vec<Bytes>>>();
        texts.map(Data::Texts).ok_or_else(|| damaged("a text lies outside its buffer"))
    }

    /// The dictionary's values at `indices`.
    fn in_dictionary(
        &self,
        id: i64,
        index: ArrowType,
        len: usize,
        valid: Option<Vec<bool>>,
        indices: &StoredBuffer,
    ) -> Result<Array> {
        let ArrowType::Int { bytes, signed } = index else {
            return Err(damaged("a dictionary without numbers"));
        };
        let indices = long_enough(indices, len.checked_mul(bytes))?;
        let Some(dictionary) = self.dictionaries.get(&id) else {
            return Err(damaged("a column comes before its dictionary"));
        };
        let mut at = Vec::new();
        integers(&mut at, bytes, signed, &indices[..len * bytes]);
        let mut places = Vec::with_capacity(len);
        for (row, index) in at.into_iter().enumerate() {
            let is_valid = valid.as_ref().is_none_or(|valid| valid[row]);
            let index = usize::try_from(index).ok().filter(|&index| index < dictionary.len);
            match index {
                Some(index) => {
                    places.push(Some(index).filter(|&index| is_valid && dictionary.is_valid(index)))
                }
                None if !is_valid => places.push(None),
                None => return Err(damaged("a number points beyond its dictionary")),
            }
        }
        Ok(dictionary.take(&places))
    }
}

/// Reads a dictionary: a batch of one column.
pub(super) fn read_dictionary(
    message: &Message,
    node: &Node,
    dictionaries: &mut Dictionaries,
    id: i64,
) -> Result<()> {
    let header = message.header()?;
    let batch = header.table(1).ok_or_else(|| damaged("a dictionary has no values"))?;
    let values = Node { dictionary: None, ..node.clone() };
    let (_, mut arrays) = read_batch(message, &batch, &[values], &|_| true, dictionaries)?;
    let Some(array) = arrays.pop().flatten() else { return Ok(()) };
    let is_more = header.u8(2, 0) != 0;
    let array = match dictionaries.get(&id).filter(|_| is_more) {
        Some(known) => known.concat(&array)?,
        None => array,
    };
    dictionaries.insert(id, Arc::new(array));
    Ok(())
}

impl Array {
    /// Whether value `i` is valid.
    pub(super) fn is_valid(&self, i: usize) -> bool {
        !matches!(self.data, Data::Nothing) && self.valid.as_ref().is_none_or(|valid| valid[i])
    }

    /// The values at `places`; `None` gives a null.
    fn take(&self, places: &[Option<usize>]) -> Array {
        let width = |bytes: &Bytes| bytes.len().checked_div(self.len).unwrap_or(0);
        let data = match &self.data {
            Data::Texts(texts) => Data::Texts(
                places.iter().map(|place| place.map_or(Bytes::new(), |i| texts[i].clone())).collect(),
            ),
            Data::Fixed(bytes) => {
                let width = width(bytes);
                let zeros = vec![0; width];
                let item =
                    |place: &Option<usize>| place.map_or(&zeros[..], |i| &bytes[i * width..(i + 1) * width]);
                Data::Fixed(places.iter().map(item).collect::<Vec<_>>().concat().into())
            }
            Data::Bits(bits) => {
                let mut take = vec![0u8; places.len().div_ceil(8)];
                for (i, place) in places.iter().enumerate() {
                    take[i / 8] |= u8::from(place.is_some_and(|place| bit(bits, place))) << (i % 8);
                }
                Data::Bits(take.into())
            }
            _ => Data::Nothing,
        };
        let valid = places.contains(&None).then(|| places.iter().map(Option::is_some).collect());
        Array { len: places.len(), valid, data }
    }

    /// These values followed by `more`.
    fn concat(&self, more: &Array) -> Result<Array> {
        let all = |array: &Array| -> Vec<Option<usize>> {
            (0..array.len).map(|i| array.is_valid(i).then_some(i)).collect()
        };
        let (first, second) = (self.take(&all(self)), more.take(&all(more)));
        let data = match (first.data, second.data) {
            (Data::Texts(texts), Data::Texts(more)) => Data::Texts([texts, more].concat()),
            (Data::Fixed(bytes), Data::Fixed(more)) => Data::Fixed([bytes, more].concat().into()),
            (Data::Nothing, Data::Nothing) => Data::Nothing,
            _ => return Err(damaged("a dictionary grows in a way that is not read")),
        };
        let valid = (self.valid.is_some() || more.valid.is_some())
            .then(|| all(self).iter().chain(&all(more)).map(Option::is_some).collect());
        Ok(Array { len: self.len + more.len, valid, data })
    }

    /// The parts of a structure's rows; they are null where the row is.
    pub(super) fn parts(&self, range: &Range<usize>) -> Vec<Array> {
        let Data::Struct(children) = &self.data else { return Vec::new() };
        let part = |child: &Array| {
            let mut part = child.clone();
            if let Some(own) = &self.valid {
                let valid = (0..part.len).map(|i| part.is_valid(i) && (i >= range.end || own[i]));
                part.valid = Some(valid.collect());
            }
            part
        };
        children.iter().map(part).collect()
    }
}

fn nothing(len: usize) -> Array {
    Array { len, valid: None, data: Data::Nothing }
}

/// Bit `i` of a buffer.
pub(super) fn bit(bits: &[u8], i: usize) -> bool {
    bits[i / 8] >> (i % 8) & 1 == 1
}

/// The number of rows that a batch may always have, however small it is.
const MIN_ROWS: u64 = 1 << 16;

/// The bytes of a buffer, which must be at least `len` long; the rest is dropped.
fn long_enough(stored: &StoredBuffer, len: Option<usize>) -> Result<Bytes> {
    let bytes = stored.open()?;
    let len = len.filter(|&len| len <= bytes.len());
    len.map(|len| bytes.slice(..len)).ok_or_else(|| damaged("a column has fewer values than rows"))
}

fn chunks(stored: &StoredBuffer, len: usize, width: usize) -> Result<Vec<Bytes>> {
    let bytes = long_enough(stored, len.checked_mul(width))?;
    Ok((0..len).map(|i| bytes.slice(i * width..(i + 1) * width)).collect())
}

/// The start of each of `len` items among `end` others, and the end of the last.
fn offsets(stored: &StoredBuffer, len: usize, wide: bool, end: usize) -> Result<Vec<usize>> {
    let size = if wide { 8 } else { 4 };
    if len == 0 {
        return Ok(vec![0]);
    }
    let bytes = long_enough(stored, len.checked_add(1).and_then(|n| n.checked_mul(size)))?;
    let mut numbers = Vec::new();
    integers(&mut numbers, size, true, &bytes);
    let offsets: Vec<usize> = numbers.into_iter().map_while(|number| usize::try_from(number).ok()).collect();
    let ascending = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    let fit = offsets.len() == len + 1 && ascending && offsets.last().is_some_and(|&last| last <= end);
    if fit { Ok(offsets) } else { Err(damaged("a list or text lies outside the values of its column")) }
}

fn texts(at: &StoredBuffer, bytes: &StoredBuffer, len: usize, wide: bool) -> Result<Vec<Bytes>> {
    let bytes = bytes.open()?;
    let offsets = offsets(at, len, wide, bytes.len())?;
    Ok(offsets.windows(2).map(|pair| bytes.slice(pair[0]..pair[1])).collect())
}

/// Adds integers of `size` bytes; longer ones than 16 bytes must fit in 128 bits.
pub(super) fn integers(values: &mut Vec<i128>, size: usize, signed: bool, bytes: &[u8]) {
    let wide = |item: &[u8]| {
        let fill = if signed && item.last().is_some_and(|byte| byte & 0x80 != 0) { 0xFF } else { 0 };
        let mut whole = [fill; 16];
        let n = item.len().min(16);
        whole[..n].copy_from_slice(&item[..n]);
        i128::from_le_bytes(whole)
    };
    values.extend(bytes.chunks_exact(size.max(1)).map(wide));
}

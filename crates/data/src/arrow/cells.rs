//! Converts the values of a record batch to the cells of a table.

use super::array::{Array, Data, bit, integers};
use super::schema::{ArrowType, Node};
use crate::columnar::{Cells, Values, decimals};
use half::f16;
use std::ops::Range;

/// The cells of the rows `range` of a column; for a structure, those of its parts.
pub(super) fn cells(node: &Node, array: &Array, range: Range<usize>) -> Vec<Cells> {
    if node.kind == ArrowType::Struct {
        let parts = array.parts(&range);
        return node
            .children
            .iter()
            .zip(&parts)
            .map(|(node, part)| cells_of(node, part, range.clone()))
            .collect();
    }
    vec![cells_of(node, array, range)]
}

fn cells_of(node: &Node, array: &Array, range: Range<usize>) -> Cells {
    let mut building = CellsBuilder::new(innermost(node));
    building.cells.n_rows = range.len();
    let is_list = matches!(array.data, Data::Lists(..) | Data::FixedLists(..));
    if !is_list {
        building.flat(array, range);
    } else {
        range.for_each(|row| building.list(array, row, 0, 0));
    }
    building.finish()
}

fn innermost(node: &Node) -> &Node {
    match (&node.kind, node.children.first()) {
        (ArrowType::List { .. } | ArrowType::FixedList(_), Some(child)) => innermost(child),
        _ => node,
    }
}

/// Collects cells.
struct CellsBuilder<'a> {
    leaf: &'a Node,
    cells: Cells,
}

impl<'a> CellsBuilder<'a> {
    fn new(leaf: &'a Node) -> CellsBuilder<'a> {
        let values = match leaf.kind {
            ArrowType::Float(8) => Values::F64(Vec::new()),
            ArrowType::Float(_) => Values::F32(Vec::new()),
            ArrowType::Bool => Values::Bools(Vec::new()),
            ArrowType::Int { .. } | ArrowType::Decimal { .. } => Values::Integers(Vec::new()),
            _ => Values::Texts(Vec::new()),
        };
        let cells = Cells { n_rows: 0, definitions: Vec::new(), repetitions: Vec::new(), values };
        CellsBuilder { leaf, cells }
    }

    fn flat(&mut self, array: &Array, range: Range<usize>) {
        if array.valid.is_none() && !matches!(array.data, Data::Nothing) {
            return self.values(array, range);
        }
        for i in range {
            let is_valid = array.is_valid(i);
            self.cells.definitions.push(i16::from(is_valid));
            if is_valid {
                self.values(array, i..i + 1);
            }
        }
    }

    /// Adds a list below `level` other lists; its first element is at `repetition`. The definition level is `2 *
    /// level` for null, one more for an empty list, two more for a null element, and three more for a value.
    fn list(&mut self, array: &Array, row: usize, level: i16, repetition: i16) {
        let (range, child) = match &array.data {
            Data::Lists(offsets, child) => (offsets[row]..offsets[row + 1], child),
            Data::FixedLists(size, child) => (row * size..(row + 1) * size, child),
            _ => return,
        };
        let base = 2 * level;
        if !array.is_valid(row) || range.is_empty() {
            self.level(base + i16::from(array.is_valid(row)), repetition);
            return;
        }
        let first = range.start;
        let is_nested = matches!(child.data, Data::Lists(..) | Data::FixedLists(..));
        if !is_nested && child.valid.is_none() && !matches!(child.data, Data::Nothing) {
            let n = range.len();
            self.cells.definitions.extend(std::iter::repeat_n(base + 3, n));
            self.cells.repetitions.push(repetition);
            self.cells.repetitions.extend(std::iter::repeat_n(level + 1, n - 1));
            return self.values(child, range);
        }
        for i in range {
            let repetition = if i == first { repetition } else { level + 1 };
            if is_nested {
                self.list(child, i, level + 1, repetition);
            } else {
                self.level(base + 2 + i16::from(child.is_valid(i)), repetition);
                if child.is_valid(i) {
                    self.values(child, i..i + 1);
                }
            }
        }
    }

    fn level(&mut self, definition: i16, repetition: i16) {
        self.cells.definitions.push(definition);
        self.cells.repetitions.push(repetition);
    }

    /// Adds values without nulls.
    fn values(&mut self, array: &Array, range: Range<usize>) {
        match (&mut self.cells.values, &array.data, self.leaf.kind) {
            (Values::F32(values), Data::Fixed(bytes), ArrowType::Float(2)) => {
                let items = bytes[range.start * 2..range.end * 2].as_chunks().0;
                values.extend(items.iter().map(|item| f16::from_le_bytes(*item).to_f32()));
            }
            (Values::F32(values), Data::Fixed(bytes), _) => {
                let items = bytes[range.start * 4..range.end * 4].as_chunks().0;
                values.extend(items.iter().map(|item| f32::from_le_bytes(*item)));
            }
            (Values::F64(values), Data::Fixed(bytes), _) => {
                let items = bytes[range.start * 8..range.end * 8].as_chunks().0;
                values.extend(items.iter().map(|item| f64::from_le_bytes(*item)));
            }
            (Values::Integers(values), Data::Fixed(data), ArrowType::Int { bytes, signed }) => {
                integers(values, bytes, signed, &data[range.start * bytes..range.end * bytes]);
            }
            (Values::Integers(values), Data::Fixed(data), ArrowType::Decimal { bytes, .. }) => {
                integers(values, bytes, true, &data[range.start * bytes..range.end * bytes]);
            }
            (Values::Bools(values), Data::Bits(bits), _) => values.extend(range.map(|i| bit(bits, i))),
            (Values::Texts(values), Data::Texts(texts), _) => {
                values.extend(texts[range].iter().map(|text| text.clone().into()));
            }
            _ => {}
        }
    }

    fn finish(mut self) -> Cells {
        if let (ArrowType::Decimal { scale, .. }, Values::Integers(digits)) =
            (self.leaf.kind, &mut self.cells.values)
        {
            let digits = std::mem::take(digits);
            self.cells.values = decimals(digits.into_iter(), u32::try_from(scale).unwrap_or(0));
        }
        self.cells
    }
}

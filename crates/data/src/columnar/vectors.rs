//! Converts columns of whole vectors to lists: bytes that hold numbers one after another, and the vectors of Spark ML,
//! `struct {type, size, indices, values}`.

use super::{Cells, Field, StoredType, Values, lists};
use crate::columns::MAX_FEATURES;
use crate::options::Dtype;
use half::f16;

/// The definition level at which a converted list has an element; one less is empty, two less null.
pub(crate) const ELEMENT: i16 = 2;

/// The cells of a column from the cells of its leaves, with vectors converted to lists.
///
/// # Errors
/// If the leaves of a vector contradict each other.
pub(crate) fn as_lists(field: &Field, mut leaves: Vec<Cells>) -> Result<Cells, &'static str> {
    match &field.vectors {
        Some(Vectors::Spark(fields)) => dense(&leaves, fields),
        Some(Vectors::Packed { dtype, value_level }) => {
            leaves.first().map(|cells| unpacked(cells, *value_level, *dtype)).ok_or(NO_VALUES)
        }
        None => leaves.pop().ok_or(NO_VALUES),
    }
}

const NO_VALUES: &str = "a column without values";

/// The column `whole`, a structure of these four parts, if it is a vector of Spark ML.
pub(crate) fn spark(whole: Field, parts: [Field; 4]) -> Option<Field> {
    let names = parts.iter().map(|part| part.name.as_str()).eq(["type", "size", "indices", "values"]);
    let lists = parts.iter().map(Field::is_list).eq([false, false, true, true]);
    let stored = parts.iter().map(|part| part.stored).eq([
        StoredType::Signed,
        StoredType::Signed,
        StoredType::Signed,
        StoredType::Float,
    ]);
    (names && lists && stored).then(|| {
        let mut vector = Field { leaf: parts[3].leaf, stored: StoredType::Float, ..whole };
        vector.vectors = Some(Vectors::Spark(Box::new(parts)));
        vector.become_lists();
        vector
    })
}

/// The form in which a column holds vectors.
#[derive(Debug, Clone)]
pub(crate) enum Vectors {
    /// Bytes: little-endian numbers of this type; and the definition level of a value.
    Packed { dtype: Dtype, value_level: i16 },
    /// The columns `type`, `size`, `indices` and `values` of a vector of Spark ML.
    Spark(Box<[Field; 4]>),
}

/// Lists with these rows.
fn of_rows(rows: impl Iterator<Item = Option<Vec<f64>>>) -> Cells {
    let mut cells = Cells {
        n_rows: 0,
        definitions: Vec::new(),
        repetitions: Vec::new(),
        values: Values::F64(Vec::new()),
    };
    let mut all = Vec::new();
    for row in rows {
        cells.n_rows += 1;
        let n = row.as_ref().map_or(0, Vec::len);
        match row {
            Some(row) if n > 0 => {
                cells.definitions.extend(std::iter::repeat_n(ELEMENT, n));
                cells.repetitions.extend((0..n).map(|i| i16::from(i > 0)));
                all.extend(row);
            }
            row => {
                cells.definitions.push(if row.is_some() { ELEMENT - 1 } else { ELEMENT - 2 });
                cells.repetitions.push(0);
            }
        }
    }
    cells.values = Values::F64(all);
    cells
}

/// For each row, the index of its value, if it has one.
fn present(cells: &Cells, value_level: i16) -> Vec<Option<usize>> {
    let mut next = 0;
    let row = |row: usize| {
        let is = cells.definitions.get(row).is_none_or(|&level| level == value_level);
        let i = is.then_some(next);
        next += usize::from(is);
        i
    };
    (0..cells.n_rows).map(row).collect()
}

/// Lists of the numbers in packed bytes.
fn unpacked(cells: &Cells, value_level: i16, dtype: Dtype) -> Cells {
    let texts = cells.values.texts();
    let numbers = |bytes: &[u8]| -> Vec<f64> {
        match dtype {
            Dtype::F16 => bytes.as_chunks().0.iter().map(|item| f16::from_le_bytes(*item).to_f64()).collect(),
            Dtype::F32 => {
                bytes.as_chunks().0.iter().map(|item| f64::from(f32::from_le_bytes(*item))).collect()
            }
            Dtype::F64 => bytes.as_chunks().0.iter().map(|item| f64::from_le_bytes(*item)).collect(),
        }
    };
    let row = |i: Option<usize>| Some(numbers(texts.get(i?)?.data()));
    of_rows(present(cells, value_level).into_iter().map(row))
}

/// Whether the lengths of most values fit vectors of this type.
pub(crate) fn fits(cells: &Cells, dtype: Dtype) -> bool {
    let texts = cells.values.texts();
    let n_fit =
        texts.iter().filter(|text| !text.is_empty() && text.len().is_multiple_of(dtype.size())).count();
    n_fit * 2 > texts.len()
}

/// Lists of the vectors of Spark ML whose columns are `parts`.
///
/// # Errors
/// If the columns contradict each other.
fn dense(parts: &[Cells], fields: &[Field; 4]) -> Result<Cells, &'static str> {
    let wrong = || "a vector of Spark ML contradicts itself";
    let [kinds, sizes, indices, values] = parts else { return Err(wrong()) };
    let fit = parts
        .iter()
        .zip(fields)
        .all(|(part, field)| part.fit(field.value_level) && part.n_rows == kinds.n_rows);
    let (Values::Integers(kind), Values::Integers(size), Values::Integers(index)) =
        (&kinds.values, &sizes.values, &indices.values)
    else {
        return Err(wrong());
    };
    if !fit || lists(indices).count() != kinds.n_rows || lists(values).count() != kinds.n_rows {
        return Err(wrong());
    }
    let (at_kind, at_size) = (present(kinds, fields[0].value_level), present(sizes, fields[1].value_level));
    let n_in = |cells: &Cells, list: std::ops::Range<usize>, level: i16| {
        cells.definitions[list].iter().filter(|&&found| found == level).count()
    };
    let (mut next_index, mut next_value) = (0, 0);
    let mut rows = Vec::with_capacity(kinds.n_rows);
    for (row, (of_indices, of_values)) in lists(indices).zip(lists(values)).enumerate() {
        let n_indices = n_in(indices, of_indices, fields[2].value_level);
        let n_values = n_in(values, of_values, fields[3].value_level);
        let numbers: Vec<f64> = (next_value..next_value + n_values).map(|i| values.values.wide(i)).collect();
        let indices = &index[next_index..next_index + n_indices];
        (next_index, next_value) = (next_index + n_indices, next_value + n_values);
        rows.push(match at_kind[row].map(|i| kind[i]) {
            None => None,
            // A dense vector; a sparse one is of type 0.
            Some(1) => Some(numbers),
            Some(_) => {
                let size = at_size[row].and_then(|i| usize::try_from(size[i]).ok());
                let size = size.filter(|&size| size <= MAX_FEATURES + 1).ok_or_else(wrong)?;
                Some(scattered(size, indices, &numbers).ok_or_else(wrong)?)
            }
        });
    }
    Ok(of_rows(rows.into_iter()))
}

/// A vector of zeros except for the `numbers` at `indices`.
fn scattered(size: usize, indices: &[i128], numbers: &[f64]) -> Option<Vec<f64>> {
    let mut row = vec![0.0; size];
    (indices.len() == numbers.len()).then_some(())?;
    for (&index, &number) in indices.iter().zip(numbers) {
        *row.get_mut(usize::try_from(index).ok()?)? = number;
    }
    Some(row)
}

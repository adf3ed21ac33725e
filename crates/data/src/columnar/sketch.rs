//! Classifies the columns of a file by its first rows.

use super::{Cells, Field, FirstCells, StoredType, Vectors, lists, vectors};
use crate::columns::{self, ColumnKind, ColumnSketch, Columns, MAX_FEATURES, Role};
use crate::list;
use crate::rows::N_SHOWN;
use crate::{Error, LabelSource, ReadOptions, Result};

/// Makes a column of bytes a column of lists, if they can be vectors of the given type.
pub(super) fn unpack(field: &mut Field, first: &mut FirstCells<'_>, options: &ReadOptions) -> Result<()> {
    let Some(dtype) = options.dtype.filter(|_| field.is_bytes) else { return Ok(()) };
    let asked = options.embeddings_column.as_ref().is_none_or(|name| *name == field.name);
    let Some(cells) = first(field)?.filter(|_| asked) else { return Ok(()) };
    let n_texts = (0..cells.values.len()).filter(|&i| cells.values.text(i).is_some()).count();
    let is_text = field.stored == StoredType::Text && n_texts == cells.values.len();
    let named = options.embeddings_column.is_some() || columns::is_embeddings_name(&field.name);
    if vectors::fits(&cells, dtype) && (named || !is_text) {
        field.vectors = Some(Vectors::Packed { dtype, value_level: field.value_level });
        field.become_lists();
    }
    Ok(())
}

pub(super) fn sketches(
    fields: &[Field],
    first: &mut FirstCells<'_>,
    options: &ReadOptions,
) -> Result<Vec<ColumnSketch>> {
    let mut sketches: Vec<ColumnSketch> = Vec::with_capacity(fields.len());
    // In a file with lists there are few columns of numbers, and one may be the label by its content.
    let has_lists = fields.iter().any(Field::is_list);
    for field in fields {
        if sketches.iter().any(|sketch| sketch.name == field.name) {
            let what = format!("two columns are named \"{}\"", field.name);
            return Err(Error::format(what).with_hint("give every column a name of its own"));
        }
        let is_number = field.vectors.is_some()
            || !matches!(field.stored, StoredType::Text | StoredType::Bytes | StoredType::Other);
        let kind = match field.stored {
            StoredType::Other => ColumnKind::Other,
            StoredType::Bytes if field.vectors.is_none() => ColumnKind::Other,
            _ if field.is_list() => {
                if is_number {
                    ColumnKind::List
                } else {
                    ColumnKind::Other
                }
            }
            StoredType::Text => sampled_kind(field, first)?,
            _ if has_lists
                || options.labels == LabelSource::Alone
                || columns::may_be_one_hot(&field.name, options)
                || columns::may_be_label_by_name(&field.name) =>
            {
                sampled_kind(field, first)?
            }
            _ => ColumnKind::Number,
        };
        let asked = [&options.label_column, &options.label_hint].contains(&&Some(field.name.clone()));
        let example = match field.is_list() && (asked || columns::is_label_name(&field.name)) {
            true => first(field)?.map_or(String::new(), |cells| example(field, &cells)),
            false => String::new(),
        };
        sketches.push(ColumnSketch { name: field.name.clone(), kind, is_index: field.is_index, example });
    }
    Ok(sketches)
}

/// The first list with several elements, as an example.
fn example(field: &Field, cells: &Cells) -> String {
    let mut next = 0;
    for (row, list) in lists(cells).enumerate() {
        let n = cells.definitions[list].iter().filter(|&&level| level == field.value_level).count();
        if n > 1 {
            let texts = (next..(next + n).min(cells.values.len())).map_while(|i| cells.values.text(i));
            return format!("[{}] in row {}", texts.take(N_SHOWN).collect::<Vec<_>>().join(", "), row + 1);
        }
        next += n;
    }
    String::new()
}

/// Classifies a column that is not a list by its first cells.
fn sampled_kind(field: &Field, first: &mut FirstCells<'_>) -> Result<ColumnKind> {
    let Some(cells) = first(field)? else { return Ok(ColumnKind::Empty) };
    let texts: Vec<String> = (0..cells.values.len()).filter_map(|i| cells.values.text(i)).collect();
    let mut distinct: Vec<&String> = texts.iter().collect();
    distinct.sort();
    distinct.dedup();
    let n_lists = texts.iter().filter(|text| list::is_list(text.as_bytes(), false)).count();
    Ok(match field.stored {
        StoredType::Text if texts.len() * 2 < cells.values.len() => ColumnKind::Other,
        StoredType::Text if texts.is_empty() => ColumnKind::Empty,
        StoredType::Text if n_lists * 2 >= texts.len() => ColumnKind::List,
        StoredType::Text if ColumnKind::is_free_text(distinct.iter().map(|text| text.as_str())) => {
            ColumnKind::DistinctText
        }
        StoredType::Text if distinct.len() < texts.len() || texts.len() < 3 => ColumnKind::RepeatedText,
        StoredType::Text => ColumnKind::DistinctText,
        _ if (0..cells.values.len()).all(|i| matches!(cells.values.number(i).0, 0.0 | 1.0)) => {
            ColumnKind::ZeroOne
        }
        _ => {
            let numbers = (0..cells.values.len()).map(|i| f64::from(cells.values.number(i).0));
            ColumnKind::of_numbers(&numbers.collect::<Vec<f64>>())
        }
    })
}

/// The number of features: that of the columns, or the most frequent length of the first lists (the first such length
/// of equally frequent ones).
pub(super) fn n_features(fields: &[Field], columns: &Columns, first: &mut FirstCells<'_>) -> Result<usize> {
    let Some(column) = columns.position(Role::Embeddings) else {
        return Ok(columns.with_role(Role::Feature).len());
    };
    let field = &fields[column];
    let Some(cells) = first(field)? else { return Ok(0) };
    let lens: Vec<usize> = match field.element_level {
        Some(level) => lists(&cells).map(|list| n_elements(&cells.definitions[list], level)).collect(),
        None => cells.values.texts().iter().map(|text| list::count_elements(text.data())).collect(),
    };
    let votes = |n: usize| lens.iter().filter(|&&other| other == n).count();
    let mut best = 0;
    for &n in lens.iter().filter(|&&n| n > 0 && n <= MAX_FEATURES) {
        if best == 0 || votes(n) > votes(best) {
            best = n;
        }
    }
    Ok(best)
}

fn n_elements(definitions: &[i16], element_level: i16) -> usize {
    definitions.iter().filter(|&&level| level >= element_level).count()
}

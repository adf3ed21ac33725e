//! The contents of the columns of a file, by its first rows.

use super::{Cells, Field, FirstCells, Stored, Vectors, lists, vectors};
use crate::columns::{self, Columns, Kind, MAX_FEATURES, Role, Sketch};
use crate::list;
use crate::rows::N_SHOWN;
use crate::{Error, LabelPlace, ReadOptions, Result};

/// Makes a column of bytes that can be vectors of the numbers asked for one of lists.
pub(super) fn unpack(field: &mut Field, first: &mut FirstCells<'_>, options: &ReadOptions) -> Result<()> {
    let Some(dtype) = options.dtype.filter(|_| field.is_bytes) else { return Ok(()) };
    let asked = options.embeddings_column.as_ref().is_none_or(|name| *name == field.name);
    let Some(cells) = first(field)?.filter(|_| asked) else { return Ok(()) };
    let n_texts = (0..cells.values.len()).filter(|&i| cells.values.text(i).is_some()).count();
    let is_text = field.stored == Stored::Text && n_texts == cells.values.len();
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
) -> Result<Vec<Sketch>> {
    let mut sketches: Vec<Sketch> = Vec::with_capacity(fields.len());
    // Beside lists, columns of numbers are few, and one may be the label by what it holds.
    let has_lists = fields.iter().any(Field::is_list);
    for field in fields {
        if sketches.iter().any(|sketch| sketch.name == field.name) {
            let what = format!("two columns are named \"{}\"", field.name);
            return Err(Error::format(what).with_hint("give every column a name of its own"));
        }
        let is_number =
            field.vectors.is_some() || !matches!(field.stored, Stored::Text | Stored::Bytes | Stored::Other);
        let kind = match field.stored {
            Stored::Other => Kind::Other,
            Stored::Bytes if field.vectors.is_none() => Kind::Other,
            _ if field.is_list() => {
                if is_number {
                    Kind::List
                } else {
                    Kind::Other
                }
            }
            Stored::Text => sampled_kind(field, first)?,
            _ if has_lists
                || options.labels == LabelPlace::Alone
                || columns::may_be_one_hot(&field.name, options)
                || columns::may_be_label_by_name(&field.name) =>
            {
                sampled_kind(field, first)?
            }
            _ => Kind::Number,
        };
        let asked = [&options.label_column, &options.label_hint].contains(&&Some(field.name.clone()));
        let example = match field.is_list() && (asked || columns::is_label_name(&field.name)) {
            true => first(field)?.map_or(String::new(), |cells| example(field, &cells)),
            false => String::new(),
        };
        sketches.push(Sketch { name: field.name.clone(), kind, is_index: field.is_index, example });
    }
    Ok(sketches)
}

/// The first list of several elements.
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

/// The contents of the first cells of a column that is not a list.
fn sampled_kind(field: &Field, first: &mut FirstCells<'_>) -> Result<Kind> {
    let Some(cells) = first(field)? else { return Ok(Kind::Empty) };
    let texts: Vec<String> = (0..cells.values.len()).filter_map(|i| cells.values.text(i)).collect();
    let mut distinct: Vec<&String> = texts.iter().collect();
    distinct.sort();
    distinct.dedup();
    let n_lists = texts.iter().filter(|text| list::is_list(text.as_bytes(), false)).count();
    Ok(match field.stored {
        Stored::Text if texts.len() * 2 < cells.values.len() => Kind::Other,
        Stored::Text if texts.is_empty() => Kind::Empty,
        Stored::Text if n_lists * 2 >= texts.len() => Kind::List,
        Stored::Text if Kind::is_free_text(distinct.iter().map(|text| text.as_str())) => Kind::DistinctText,
        Stored::Text if distinct.len() < texts.len() || texts.len() < 3 => Kind::RepeatedText,
        Stored::Text => Kind::DistinctText,
        _ if (0..cells.values.len()).all(|i| matches!(cells.values.number(i).0, 0.0 | 1.0)) => Kind::ZeroOne,
        _ => {
            let numbers = (0..cells.values.len()).map(|i| f64::from(cells.values.number(i).0));
            Kind::of_numbers(&numbers.collect::<Vec<f64>>())
        }
    })
}

/// The number of features: of columns, or of elements that most of the first lists have (the first such number, if
/// several are equally frequent).
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

//! Text columns whose cells are mostly numbers.

use super::{Cells, FirstCells, Scheme, StoredType};
use crate::left_out::NumericTexts;
use crate::{Result, RowLocation, number};

/// Calls a function with all cells of a column, batch by batch.
type EachCells<'a> = dyn FnMut(usize, &mut dyn FnMut(&Cells)) -> Result<()> + 'a;

/// The ignored columns that hold numbers as text, with the number of their other cells.
pub(crate) fn numerals(
    scheme: &Scheme,
    first: &mut FirstCells<'_>,
    each: &mut EachCells<'_>,
) -> Result<Vec<NumericTexts>> {
    let mut found = Vec::new();
    for &column in &scheme.columns.left_out {
        let field = &scheme.fields[column];
        if field.stored != StoredType::Text || field.is_list() || field.leaf.is_none() {
            continue;
        }
        let n_numbers = first(field)?
            .map_or(0, |cells| (0..cells.values.len()).filter(|&i| is_number(&cells, i)).count());
        if n_numbers > 0 {
            let mut numerals = NumericTexts { column, n_cells: 0, n_others: 0, first: None };
            each(column, &mut |cells| add(&mut numerals, cells, field.value_level, &field.name))?;
            found.extend(Some(numerals).filter(|numerals| numerals.n_others * 2 < numerals.n_cells));
        }
    }
    Ok(found)
}

fn add(numerals: &mut NumericTexts, cells: &Cells, value_level: i16, name: &str) {
    let mut next = 0;
    for row in 0..cells.n_rows {
        let present = cells.definitions.get(row).is_none_or(|&level| level == value_level);
        numerals.n_cells += 1;
        if !(present && is_number(cells, next)) {
            numerals.n_others += 1;
            numerals.first.get_or_insert_with(|| RowLocation::row(numerals.n_cells as u64).in_column(name));
        }
        next += usize::from(present);
    }
}

fn is_number(cells: &Cells, i: usize) -> bool {
    let text = if i < cells.values.len() { cells.values.text(i) } else { None };
    let text = text.as_deref().map_or("", str::trim);
    number::parse(text.as_bytes()).is_some_and(|number| number.len == text.len() && number.value.is_finite())
}

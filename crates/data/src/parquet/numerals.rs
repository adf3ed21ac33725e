//! Columns of text whose cells are mostly numbers.

use super::{Parquet, cells, first_cells, guarded};
use crate::left_out::Numerals;
use crate::parquet::cells::{Cells, Stored};
use crate::{Place, Result, number};

/// About how many cells are decoded at once.
const N_CELLS: usize = 1 << 14;

/// Which of the columns that are left out hold numbers as text, and how many of their cells do not.
pub(crate) fn numerals(parquet: &Parquet) -> Result<Vec<Numerals>> {
    let mut found = Vec::new();
    for &column in &parquet.columns.left_out {
        let field = &parquet.fields[column];
        if field.stored != Stored::Text || field.is_list() {
            continue;
        }
        let first = first_cells(parquet.file.as_ref(), field)?;
        let n_numbers =
            first.map_or(0, |cells| (0..cells.values.len()).filter(|&i| is_number(&cells, i)).count());
        if n_numbers > 0 {
            found.extend(
                Some(count(parquet, column)?).filter(|numerals| numerals.n_others * 2 < numerals.n_cells),
            );
        }
    }
    Ok(found)
}

fn count(parquet: &Parquet, column: usize) -> Result<Numerals> {
    let field = &parquet.fields[column];
    let mut numerals = Numerals { column, n_cells: 0, n_others: 0, first: None };
    let Some(leaf) = field.leaf else { return Ok(numerals) };
    for group in 0..parquet.file.num_row_groups() {
        let group = guarded(|| parquet.file.get_row_group(group))?;
        let mut reader = guarded(|| group.get_column_reader(leaf))?;
        loop {
            let cells = guarded(|| cells::read(&mut reader, field.stored, N_CELLS))?;
            if cells.n_rows == 0 {
                break;
            }
            add(&mut numerals, &cells, field.value_level, &field.name);
        }
    }
    Ok(numerals)
}

fn add(numerals: &mut Numerals, cells: &Cells, value_level: i16, name: &str) {
    let mut next = 0;
    for row in 0..cells.n_rows {
        let present = cells.definitions.get(row).is_none_or(|&level| level == value_level);
        numerals.n_cells += 1;
        if !(present && is_number(cells, next)) {
            numerals.n_others += 1;
            numerals.first.get_or_insert_with(|| Place::row(numerals.n_cells as u64).in_column(name));
        }
        next += usize::from(present);
    }
}

fn is_number(cells: &Cells, i: usize) -> bool {
    let text = if i < cells.values.len() { cells.values.text(i) } else { None };
    let text = text.as_deref().map_or("", str::trim);
    number::parse(text.as_bytes()).is_some_and(|number| number.len == text.len() && number.value.is_finite())
}

//! Samples of a table, for checks that would take too long on all of it.

use headsmith_kernels::MatRef;

/// `n` of `n_rows` rows, spread evenly; all if there are fewer.
pub(super) fn rows(n_rows: usize, n: usize) -> Vec<usize> {
    let n = n.min(n_rows);
    (0..n).map(|i| (i as u128 * n_rows as u128 / n as u128) as usize).collect()
}

/// The values of a column in some rows.
pub(super) fn column(x: MatRef<'_>, column: usize, rows: &[usize]) -> Vec<f32> {
    rows.iter().map(|&row| x.row(row)[column]).collect()
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn rows_are_spread_evenly() {
        assert_eq!(rows(3, 5), [0, 1, 2]);
        assert_eq!(rows(10, 4), [0, 2, 5, 7]);
        assert!(rows(0, 4).is_empty());
    }
}

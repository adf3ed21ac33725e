//! Values that are finite, as all features must be.

use headsmith_kernels::MatRef;

use crate::{Error, Result};

/// Whether all values are finite.
pub(crate) fn are_finite(values: &[f32]) -> bool {
    // In pieces without an early end, which are vectorised.
    let piece = |values: &[f32]| values.iter().fold(true, |all, value| all & value.is_finite());
    values.chunks(1 << 12).all(piece)
}

/// Refuses rows of an array that have a value that is not finite.
///
/// # Errors
/// When there is one: which, counted from 0.
pub fn check_finite(x: MatRef<'_>) -> Result<()> {
    let values = x.as_slice();
    if are_finite(values) {
        return Ok(());
    }
    let i = values.iter().position(|value| !value.is_finite()).unwrap_or_default();
    let (row, column, value) = (i / x.n_cols(), i % x.n_cols(), values[i]);
    Err(Error::format(format!("feature {column} of row {row} is {value}, expected a finite number"))
        .with_hint(
            "NaN and infinity (also numbers that float32 cannot hold) have to be replaced or left out first",
        ))
}

//! A fitted scaling: what a model does to a row of features before its head sees them.
//!
//! With mean m and variance v of a feature over the n training rows (divided by n, as scikit-learn does), in f64:
//!
//! - `standardise`: x' = (x - m) / s, where s = sqrt(v), but 1 for a feature that is constant up to rounding:
//!   v <= n eps v + (n m eps)^2 (scikit-learn's `_is_constant_feature`, from the error bound of Chan, Golub and
//!   LeVeque, "Algorithms for computing the sample variance", 1983);
//! - `l2`: x' = x / |x|, row by row; a norm below 10 eps counts as 1, so that a row of zeros stays as it is
//!   (scikit-learn's `normalize`, with the eps of f64).

use headsmith_heads::ScaleRows;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_kernels::{MatMut, MatRef, Matrix, Pool};

use crate::error::{Error, Result};
use crate::scaling::Scaling;

/// A [`Scaling`] with what it learnt from the training rows; see [`Scaling::fit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    scaling: Scaling,
    moments: Option<Moments>,
}

/// Mean and scale of every feature.
#[derive(Debug, Clone, PartialEq)]
struct Moments {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

/// Rows to a piece of work: by the shape alone, so that sums do not depend on the number of threads.
const BLOCK: usize = 512;
/// Rows whose norms are summed side by side: alone, a row's sum would wait for every one of its additions.
const AT_ONCE: usize = 4;

impl Scaling {
    /// Learns the scaling from the training rows `x` (`n_samples x n_features`).
    ///
    /// # Errors
    /// When there are no rows, or when a feature's mean or standard deviation is needed and one of its values is not
    /// finite.
    pub fn fit(self, x: MatRef<'_>, pool: &Pool) -> Result<Transform> {
        if x.n_rows() == 0 {
            return Err(Error::input(format!("there are no rows to fit the scaling `{self}` on")));
        }
        let moments = match self {
            Scaling::Standardise => Some(Moments::fit(x, |_| (), pool)?),
            Scaling::L2Standardise => Some(Moments::fit(x, |rows| normalise(rows, x.n_cols()), pool)?),
            Scaling::None | Scaling::Divide(_) | Scaling::L2 => None,
        };
        Ok(Transform { scaling: self, moments })
    }
}

impl Transform {
    /// The scaling that was fitted.
    pub fn scaling(&self) -> Scaling {
        self.scaling
    }

    /// The number of features it was fitted on; `None` when it takes any number.
    pub fn n_features(&self) -> Option<usize> {
        self.moments.as_ref().map(|m| m.mean.len())
    }

    /// The scaled copy of `x`.
    ///
    /// # Panics
    /// When `x` has another number of columns than the rows it was fitted on.
    pub fn apply(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let mut scaled = x.to_matrix();
        self.apply_in_place(scaled.view_mut(), pool);
        scaled
    }

    /// Scales `x` in place.
    ///
    /// # Panics
    /// When `x` has another number of columns than the rows it was fitted on.
    pub fn apply_in_place(&self, mut x: MatMut<'_>, pool: &Pool) {
        let n_cols = x.n_cols();
        if n_cols > 0 && self.scaling != Scaling::None {
            pool.for_each_chunk(x.as_mut_slice(), BLOCK * n_cols, |_, rows| self.scale(rows, n_cols));
        }
    }

    /// What was learnt, by name.
    pub(crate) fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        if let Some(Moments { mean, scale }) = &self.moments {
            tensors.insert("mean", &[mean.len()], Values::F64(mean.clone()));
            tensors.insert("scale", &[scale.len()], Values::F64(scale.clone()));
        }
        tensors
    }

    /// Takes what was learnt out of `tensors`, whose floats are known to be finite.
    pub(crate) fn from_tensors(scaling: Scaling, tensors: &mut Tensors) -> Result<Transform> {
        if !scaling.has_moments() {
            return Ok(Transform { scaling, moments: None });
        }
        let damaged = |error: headsmith_heads::Error| Error::damaged(error.to_string());
        let n_features = tensors.shape("mean").map_err(damaged)?.iter().product();
        let mean = tensors.take_f64("mean", &[n_features]).map_err(damaged)?;
        let scale = tensors.take_f64("scale", &[n_features]).map_err(damaged)?;
        if let Some(i) = scale.iter().position(|&s| s <= 0.0) {
            return Err(Error::damaged(format!(
                "element {i} of tensor `scale` is {:?}, expected a number above zero",
                scale[i]
            )));
        }
        Ok(Transform { scaling, moments: Some(Moments { mean, scale }) })
    }
}

impl ScaleRows for Transform {
    fn scale(&self, rows: &mut [f32], n_features: usize) {
        if let Scaling::Divide(k) = self.scaling {
            rows.iter_mut().for_each(|v| *v = (f64::from(*v) / k) as f32);
        }
        if self.scaling.has_l2() {
            normalise(rows, n_features);
        }
        if let Some(moments) = &self.moments {
            rows.chunks_exact_mut(n_features).for_each(|row| moments.standardise(row));
        }
    }
}

impl Moments {
    /// The moments of the rows after `change`, which sees a few rows at a time.
    fn fit(x: MatRef<'_>, change: impl Fn(&mut [f32]) + Sync, pool: &Pool) -> Result<Moments> {
        let n = x.n_rows() as f64;
        let mut mean = column_sums(x, &change, |_, v| v, pool);
        mean.iter_mut().for_each(|m| *m /= n);
        if let Some(column) = mean.iter().position(|m| !m.is_finite()) {
            return Err(Error::input(format!(
                "feature {column} of the training rows has values that are not finite: it cannot be standardised"
            )));
        }
        // The second sum would be zero but for the rounding of the mean, which it corrects.
        let squares = column_sums(x, &change, |j, v| (v - mean[j]) * (v - mean[j]), pool);
        let rests = column_sums(x, &change, |j, v| v - mean[j], pool);
        let scale = squares.iter().zip(&rests).zip(&mean).map(|((square, rest), mean)| {
            let variance = (square - rest * rest / n) / n;
            if is_constant(variance, *mean, n) { 1.0 } else { variance.sqrt() }
        });
        Ok(Moments { scale: scale.collect(), mean })
    }

    fn standardise(&self, row: &mut [f32]) {
        assert_eq!(row.len(), self.mean.len(), "columns of rows to scale");
        for ((v, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
            *v = ((f64::from(*v) - mean) / scale) as f32;
        }
    }
}

/// Whether a feature varies by no more than rounding makes of a constant.
fn is_constant(variance: f64, mean: f64, n: f64) -> bool {
    variance <= n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2)
}

/// The sums over all rows, after `change`, of `term(column, value)`, column by column.
fn column_sums(
    x: MatRef<'_>,
    change: impl Fn(&mut [f32]) + Sync,
    term: impl Fn(usize, f64) -> f64 + Sync,
    pool: &Pool,
) -> Vec<f64> {
    let sums_of_blocks = pool.map(x.n_rows().div_ceil(BLOCK), |block| {
        let n_features = x.n_cols();
        let (mut sums, mut changed) = (vec![0.0; n_features], vec![0.0; AT_ONCE * n_features]);
        let last = x.n_rows().min((block + 1) * BLOCK);
        for first in (block * BLOCK..last).step_by(AT_ONCE) {
            let rows = x.rows(first, last.min(first + AT_ONCE)).as_slice();
            let changed = &mut changed[..rows.len()];
            changed.copy_from_slice(rows);
            change(changed);
            for row in changed.chunks_exact(n_features.max(1)) {
                for (j, (sum, &v)) in sums.iter_mut().zip(row).enumerate() {
                    *sum += term(j, f64::from(v));
                }
            }
        }
        sums
    });
    let mut total = vec![0.0; x.n_cols()];
    for sums in sums_of_blocks {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
    }
    total
}

/// Divides every row by its Euclidean norm; rows of zeros stay as they are.
fn normalise(rows: &mut [f32], n_features: usize) {
    for rows in rows.chunks_mut((AT_ONCE * n_features).max(1)) {
        let norms = square_sums(rows, n_features).map(f64::sqrt);
        for (row, norm) in rows.chunks_exact_mut(n_features).zip(norms) {
            if norm >= 10.0 * f64::EPSILON {
                row.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
            }
        }
    }
}

/// The sums of squares of up to four rows, each in the order of its values.
fn square_sums(rows: &[f32], n_features: usize) -> [f64; AT_ONCE] {
    let square = |v: &f32| f64::from(*v) * f64::from(*v);
    let mut sums = [0.0; AT_ONCE];
    if rows.len() == AT_ONCE * n_features {
        let (ab, cd) = rows.split_at(2 * n_features);
        let ((a, b), (c, d)) = (ab.split_at(n_features), cd.split_at(n_features));
        for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
            let squares = [a, b, c, d].map(square);
            sums.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
        }
    } else {
        let rows = rows.chunks_exact(n_features);
        sums.iter_mut().zip(rows).for_each(|(sum, row)| *sum = row.iter().map(square).sum());
    }
    sums
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn recorded() -> Value {
        serde_json::from_str(include_str!("../tests/data/transform.json")).unwrap()
    }

    fn floats(value: &Value) -> Vec<f64> {
        match value {
            Value::Array(values) => values.iter().flat_map(floats).collect(),
            other => vec![other.as_f64().unwrap()],
        }
    }

    fn matrix(value: &Value, n_cols: usize) -> Matrix {
        let values: Vec<f32> = floats(value).iter().map(|&v| v as f32).collect();
        let n_rows = values.len() / n_cols;
        Matrix::new(values, n_rows, n_cols)
    }

    fn assert_close(found: impl IntoIterator<Item = f64>, expected: &[f64], relative: f64) {
        let found: Vec<f64> = found.into_iter().collect();
        assert_eq!(found.len(), expected.len());
        for (i, (f, e)) in found.iter().zip(expected).enumerate() {
            assert!((f - e).abs() <= relative * e.abs(), "element {i}: {f:?}, scikit-learn has {e:?}");
        }
    }

    fn first_rows(m: &Matrix, n: usize) -> Vec<f64> {
        m.view().rows(0, n).as_slice().iter().map(|&v| f64::from(v)).collect()
    }

    #[test]
    fn standardise_is_scikit_learns() {
        let (recorded, pool) = (recorded(), Pool::inline());
        let x = matrix(&recorded["x"], 8);
        let transform = Scaling::Standardise.fit(x.view(), &pool).unwrap();
        let moments = transform.moments.clone().unwrap();
        assert_close(moments.mean, &floats(&recorded["standardise"]["mean"]), 1e-12);
        assert_close(moments.scale, &floats(&recorded["standardise"]["scale"]), 1e-12);
        let scaled = transform.apply(x.view(), &pool);
        assert_close(first_rows(&scaled, 5), &floats(&recorded["standardise"]["rows"]), 1e-7);
        assert_eq!(transform.n_features(), Some(8));
    }

    #[test]
    fn a_constant_feature_has_scale_one() {
        let recorded = recorded();
        let row = matrix(&recorded["constant"], 3);
        let x = Matrix::new(row.as_slice().repeat(1000), 1000, 3);
        let moments = Moments::fit(x.view(), |_| (), &Pool::inline()).unwrap();
        assert_eq!(moments.scale, floats(&recorded["constant_scale"]));
    }

    #[test]
    fn l2_is_scikit_learns() {
        let (recorded, pool) = (recorded(), Pool::inline());
        let x = matrix(&recorded["small"], 3);
        let transform = Scaling::L2.fit(x.view(), &pool).unwrap();
        let scaled = transform.apply(x.view(), &pool);
        assert_close(first_rows(&scaled, x.n_rows()), &floats(&recorded["l2"]), 1e-7);
        assert_eq!(transform.n_features(), None);
    }

    #[test]
    fn l2_and_standardise_are_scikit_learns_pipeline() {
        let (recorded, pool) = (recorded(), Pool::inline());
        let (all, columns) = (matrix(&recorded["x"], 8), floats(&recorded["l2_columns"]));
        let rows = (0..all.n_rows()).flat_map(|i| columns.iter().map(move |&c| (i, c as usize)));
        let values: Vec<f32> = rows.map(|(i, c)| all.row(i)[c]).collect();
        let x = Matrix::new(values, all.n_rows(), columns.len());
        let transform = Scaling::L2Standardise.fit(x.view(), &pool).unwrap();
        let moments = transform.moments.clone().unwrap();
        // scikit-learn's norms are f32 here, so its numbers carry f32's rounding.
        assert_close(moments.mean, &floats(&recorded["l2+standardise"]["mean"]), 1e-6);
        assert_close(moments.scale, &floats(&recorded["l2+standardise"]["scale"]), 1e-6);
        let scaled = transform.apply(x.view(), &pool);
        assert_close(first_rows(&scaled, 5), &floats(&recorded["l2+standardise"]["rows"]), 1e-5);
    }

    #[test]
    fn threads_change_no_byte() {
        let x = matrix(&recorded()["x"], 8);
        for scaling in [Scaling::Divide(3.0), Scaling::Standardise, Scaling::L2, Scaling::L2Standardise] {
            let one = scaling.fit(x.view(), &Pool::inline()).unwrap();
            let pool = Pool::new(3).unwrap();
            let three = scaling.fit(x.view(), &pool).unwrap();
            assert_eq!(one, three);
            assert_eq!(one.apply(x.view(), &Pool::inline()), three.apply(x.view(), &pool));
        }
    }

    #[test]
    fn a_row_is_scaled_to_the_same_bytes_alone_and_among_others() {
        let (x, pool) = (matrix(&recorded()["x"], 8), Pool::inline());
        for scaling in [Scaling::Divide(3.0), Scaling::Standardise, Scaling::L2, Scaling::L2Standardise] {
            let transform = scaling.fit(x.view(), &pool).unwrap();
            let together = transform.apply(x.view(), &pool);
            for i in 0..x.n_rows() {
                let mut alone = x.row(i).to_vec();
                transform.scale(&mut alone, 8);
                assert_eq!(together.row(i), alone, "{scaling}, row {i}");
            }
        }
    }

    #[test]
    fn rows_that_teach_nothing_are_refused() {
        let pool = Pool::inline();
        let none = Scaling::None.fit(MatRef::new(&[], 0, 2), &pool).unwrap_err();
        assert_eq!(none.to_string(), "there are no rows to fit the scaling `none` on");
        let x = [1.0, f32::NAN, 2.0, 3.0];
        let error = Scaling::Standardise.fit(MatRef::new(&x, 2, 2), &pool).unwrap_err();
        assert!(error.is_input());
        assert!(error.to_string().starts_with("feature 1 of the training rows"), "{error}");
    }

    #[test]
    fn what_was_learnt_round_trips() {
        let pool = Pool::inline();
        let x = matrix(&recorded()["x"], 8);
        for scaling in [Scaling::None, Scaling::Divide(0.3), Scaling::L2Standardise] {
            let transform = scaling.fit(x.view(), &pool).unwrap();
            assert_eq!(Transform::from_tensors(scaling, &mut transform.tensors()).unwrap(), transform);
        }
    }
}

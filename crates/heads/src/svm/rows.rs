//! The rows of a fit: class after class, around their mean.

use std::cmp::Ordering;

use headsmith_kernels::{Matrix, Pool};

use super::params::{GAMMA, SCALE};
use crate::class_weight::class_weights;
use crate::error::{Error, Result};
use crate::params::{AUTO, Params};
use crate::samples::Samples;

/// The squared norms of rows must be below: the squared distance of two is at most four times as large.
const LARGEST_SQUARE: f64 = f32::MAX as f64 / 8.0;
/// Rows that are copied together.
const BLOCK: usize = 256;

/// The rows that have weight.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// `n x n_features`, less the mean; class after class, and in the order of the table within each.
    pub(super) x: Matrix,
    /// The mean of the features.
    pub(super) mean: Vec<f32>,
    /// The classes that have rows.
    pub(super) classes: Vec<usize>,
    pub(super) n_classes: usize,
    /// The place among `classes` of the class of each row.
    pub(super) target: Vec<usize>,
    /// The weight of each row times that of its class.
    pub(super) weights: Vec<f64>,
    /// The unit of each row: those of one are left out together.
    pub(super) units: Vec<u32>,
    /// The gamma that [`SCALE`] stands for.
    scale: f64,
}

/// The features of rows, less `mean` and times `factor`.
pub(super) fn shift(rows: &mut [f32], mean: &[f32], factor: f64) {
    for row in rows.chunks_exact_mut(mean.len().max(1)) {
        let pairs = row.iter_mut().zip(mean);
        pairs.for_each(|(v, mean)| *v = ((f64::from(*v) - f64::from(*mean)) * factor) as f32);
    }
}

impl Rows {
    /// The rows of `samples`, as a head sees them.
    ///
    /// # Errors
    /// When the parameter `class_weight` names a class that the samples do not have, or leaves none a weight.
    pub(super) fn new(samples: Samples<'_>, params: &Params, pool: &Pool) -> Result<Rows> {
        let of_class = class_weights(params.text("class_weight").unwrap_or("none"), samples)?;
        let y = samples.y();
        let weight = |i: usize| {
            samples.weight(i) * of_class.as_ref().map_or(1.0, |weights| f64::from(weights[y[i] as usize]))
        };
        let mut places: Vec<usize> = (0..y.len()).filter(|&i| weight(i) > 0.0).collect();
        places.sort_by_key(|&i| y[i]);
        let n_features = samples.n_features();
        let mut x = Matrix::zeros(places.len(), n_features);
        pool.for_each_chunk(x.as_mut_slice(), (BLOCK * n_features).max(1), |block, to| {
            samples.copy_rows(places[block * BLOCK..].iter().copied(), to);
        });
        let (mean, scale) = (column_means(&x), scale(&x));
        pool.for_each_chunk(x.as_mut_slice(), (BLOCK * n_features).max(1), |_, rows| shift(rows, &mean, 1.0));
        let mut classes: Vec<usize> = places.iter().map(|&i| y[i] as usize).collect();
        classes.dedup();
        let target = places.iter().map(|&i| classes.partition_point(|&class| class < y[i] as usize));
        Ok(Rows {
            target: target.collect(),
            weights: places.iter().map(|&i| weight(i)).collect(),
            units: places.iter().map(|&i| samples.units().map_or(i as u32, |units| units[i])).collect(),
            n_classes: samples.n_classes(),
            x,
            mean,
            classes,
            scale,
        })
    }

    /// The number of rows.
    pub(super) fn n(&self) -> usize {
        self.target.len()
    }

    /// The gamma that the parameters ask for; [`AUTO`] begins with that of [`SCALE`].
    pub(super) fn gamma(&self, params: &Params) -> f64 {
        match params.text(GAMMA) {
            Some(SCALE | AUTO) => self.scale,
            _ => params.float(GAMMA).unwrap_or(self.scale),
        }
    }

    /// The rows times the square root of `gamma`: the squared distances of these are those of the kernel.
    ///
    /// # Errors
    /// When their squares leave the range of single precision.
    pub(super) fn scaled(&self, gamma: f64, pool: &Pool) -> Result<Matrix> {
        let (mut x, factor) = (self.x.clone(), gamma.sqrt());
        pool.for_each_chunk(x.as_mut_slice(), BLOCK * self.mean.len().max(1), |_, rows| {
            rows.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
        });
        let square = |i: usize| x.row(i).iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        // Not a number is large, too.
        let is_large = |i: usize| square(i).partial_cmp(&LARGEST_SQUARE) != Some(Ordering::Less);
        match (0..x.n_rows()).any(is_large) {
            false => Ok(x),
            true => Err(Error::samples(format!(
                "the features are too large for gamma {gamma:e} in single precision: scale them, or take a smaller gamma"
            ))),
        }
    }

    /// The rows of each class, of those for which `is_kept`.
    pub(super) fn of_classes(&self, is_kept: impl Fn(usize) -> bool) -> Vec<Vec<u32>> {
        let mut rows = vec![Vec::new(); self.classes.len()];
        (0..self.n()).filter(|&row| is_kept(row)).for_each(|row| rows[self.target[row]].push(row as u32));
        rows
    }

    /// At most `n` of the rows, evenly from every class.
    pub(super) fn thinned(&self, n: usize) -> Rows {
        let n = n.min(self.n());
        let picked: Vec<usize> = (0..n).map(|at| at * self.n() / n).collect();
        let of = |values: &[usize]| -> Vec<usize> { picked.iter().map(|&i| values[i]).collect() };
        let mut classes = of(&self.target);
        classes.dedup();
        let target =
            picked.iter().map(|&i| classes.partition_point(|&class| class < self.target[i])).collect();
        Rows {
            x: self.x.view().gather(&picked),
            mean: self.mean.clone(),
            classes: classes.iter().map(|&class| self.classes[class]).collect(),
            n_classes: self.n_classes,
            target,
            weights: picked.iter().map(|&i| self.weights[i]).collect(),
            units: picked.iter().map(|&i| self.units[i]).collect(),
            scale: self.scale,
        }
    }
}

fn column_means(x: &Matrix) -> Vec<f32> {
    let mut sums = vec![0.0; x.n_cols()];
    for i in 0..x.n_rows() {
        sums.iter_mut().zip(x.row(i)).for_each(|(sum, v)| *sum += f64::from(*v));
    }
    sums.iter().map(|sum| (sum / x.n_rows().max(1) as f64) as f32).collect()
}

/// `1 / (n_features * variance)` with the variance of all features together (scikit-learn: `gamma="scale"`); 1 where they are all
/// equal.
fn scale(x: &Matrix) -> f64 {
    let (values, n) = (x.as_slice(), x.as_slice().len().max(1) as f64);
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    if variance > 0.0 { 1.0 / (x.n_cols() as f64 * variance) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::MatRef;

    use super::super::params::TABLE;
    use super::*;

    #[test]
    fn rows_are_sorted_by_class_and_those_without_weight_are_left_out() {
        let x = [4.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 9.0, 9.0];
        let (y, weights) = ([3, 1, 3, 1, 0], [1.0, 2.0, 0.5, 1.0, 0.0]);
        let samples = Samples::new(MatRef::new(&x, 5, 2), &y, 4).unwrap().weighted(&weights).unwrap();
        let rows = Rows::new(samples, &TABLE.defaults(), &Pool::inline()).unwrap();
        assert_eq!((rows.classes.as_slice(), rows.target.as_slice()), (&[1, 3][..], &[0, 0, 1, 1][..]));
        assert_eq!(
            (rows.weights.as_slice(), rows.units.as_slice()),
            (&[2.0, 1.0, 1.0, 0.5][..], &[1, 3, 0, 2][..])
        );
        assert_eq!(rows.mean, [2.5, 2.0]);
        assert_eq!(rows.x.as_slice(), [-1.5, -1.0, 0.5, 3.0, 1.5, -2.0, -0.5, 0.0]);
        // numpy: 1 / (2 * numpy.var([1, 1, 3, 5, 4, 0, 2, 2]))
        assert!((rows.gamma(&TABLE.defaults()) - 1.0 / 4.875).abs() < 1e-9);
        let thinned = rows.thinned(2);
        assert_eq!((thinned.target.as_slice(), thinned.units.as_slice()), (&[0, 1][..], &[1, 0][..]));
    }
}

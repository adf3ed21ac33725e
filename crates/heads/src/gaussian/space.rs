//! The space in which covariances are computed: that of the features, or, where there are far fewer rows than features, that of
//! the rows. There the diagonal of the covariance is 1, and a row has as many coordinates as there are rows.

use headsmith_kernels::Pool;

use crate::error::Result;
use crate::linalg::{Products, symmetric};
use crate::samples::Samples;

/// Features of a block of columns.
const COLUMNS: usize = 1024;
/// The least share of the largest eigenvalue that a direction of the rows must have.
const SMALLEST: f64 = 1e-12;

/// A space, for rows around a centre.
pub(super) enum Space {
    Features { centre: Vec<f64> },
    Rows(Rows),
}

/// The space of the rows.
pub(super) struct Rows {
    n_dims: usize,
    /// The coordinates of the rows, `n_samples x n_dims`.
    coordinates: Vec<f64>,
    /// By which coefficients of coordinates become weights of rows, `n_samples x n_dims`.
    weights: Vec<f64>,
    centre: Vec<f64>,
    /// 1 over the diagonal of the covariance, in the space of the features.
    inverse: Vec<f64>,
}

impl Space {
    /// Whether the space of the rows is much the smaller one.
    pub(super) fn is_of_rows(n_samples: usize, n_features: usize) -> bool {
        n_features / 3 > n_samples
    }

    /// The dimensions.
    pub(super) fn n_dims(&self) -> usize {
        match self {
            Space::Features { centre } => centre.len(),
            Space::Rows(rows) => rows.n_dims,
        }
    }

    /// The centre, in the space of the features.
    pub(super) fn centre(&self) -> &[f64] {
        match self {
            Space::Features { centre } => centre,
            Space::Rows(rows) => &rows.centre,
        }
    }

    /// The coordinates of the rows `start .. end`, row after row.
    pub(super) fn read(&self, samples: Samples<'_>, (start, end): (usize, usize), pool: &Pool) -> Vec<f64> {
        match self {
            Space::Features { centre } => {
                let mut buffer = Vec::new();
                let rows = samples.rows(start, end, &mut buffer, pool);
                let mut to = vec![0.0; rows.as_slice().len()];
                pool.for_each_chunk(&mut to, centre.len(), |i, to| {
                    for ((to, v), m) in to.iter_mut().zip(rows.row(i)).zip(centre) {
                        *to = f64::from(*v) - m;
                    }
                });
                to
            }
            Space::Rows(rows) => rows.coordinates[start * rows.n_dims..end * rows.n_dims].to_vec(),
        }
    }

    /// The coordinates of one row.
    pub(super) fn row(&self, samples: Samples<'_>, i: usize) -> Vec<f64> {
        self.read(samples, (i, i + 1), &Pool::inline())
    }

    /// Coefficients of features from those of coordinates, `n x n_dims`.
    pub(super) fn to_features(&self, samples: Samples<'_>, coefficients: Vec<f64>, pool: &Pool) -> Vec<f64> {
        match self {
            Space::Features { .. } => coefficients,
            Space::Rows(rows) => rows.to_features(samples, &coefficients, pool),
        }
    }
}

/// The rows around `centre`, some columns at a time, each column times the root of its factor: `visit(first, columns)` gets them
/// column after column.
fn each_columns(
    samples: Samples<'_>,
    centre: &[f64],
    factors: &[f64],
    pool: &Pool,
    mut visit: impl FnMut(usize, &[f64]),
) {
    let (n_rows, mut buffer, mut chunk) = (samples.n_samples(), Vec::new(), Vec::new());
    let x = samples.rows(0, n_rows, &mut buffer, pool);
    for first in (0..centre.len()).step_by(COLUMNS) {
        chunk.resize(COLUMNS.min(centre.len() - first) * n_rows, 0.0);
        pool.for_each_chunk(&mut chunk, n_rows, |j, column| {
            let at = first + j;
            for (i, to) in column.iter_mut().enumerate() {
                *to = factors[at].sqrt() * (f64::from(x.row(i)[at]) - centre[at]);
            }
        });
        visit(first, &chunk);
    }
}

impl Rows {
    /// The space of the rows of `samples`, where the covariance adds `diagonal` in that of the features.
    ///
    /// # Errors
    /// When the features are so large that their products are not finite.
    pub(super) fn new(samples: Samples<'_>, centre: Vec<f64>, diagonal: &[f64], pool: &Pool) -> Result<Rows> {
        let (n, inverse) = (samples.n_samples(), diagonal.iter().map(|v| 1.0 / v).collect::<Vec<f64>>());
        let mut products = Products::new(n);
        each_columns(samples, &centre, &inverse, pool, |_, columns| products.add(columns, pool));
        let eigen = symmetric(&products.into_matrix(pool), n)?;
        let bound = SMALLEST * eigen.values.first().copied().unwrap_or(0.0);
        let n_dims = eigen.values.iter().take_while(|value| **value > bound && **value > 0.0).count();
        let (mut coordinates, mut weights) = (vec![0.0; n * n_dims], vec![0.0; n * n_dims]);
        for j in 0..n_dims {
            let (root, vector) = (eigen.values[j].sqrt(), &eigen.vectors[j * n..(j + 1) * n]);
            for (i, v) in vector.iter().enumerate() {
                coordinates[i * n_dims + j] = root * v;
                weights[i * n_dims + j] = v / root;
            }
        }
        Ok(Rows { n_dims, coordinates, weights, centre, inverse })
    }

    fn to_features(&self, samples: Samples<'_>, coefficients: &[f64], pool: &Pool) -> Vec<f64> {
        let n = samples.n_samples();
        let n_vectors = coefficients.len().checked_div(self.n_dims).unwrap_or(0);
        // The weight of each row in each vector.
        let of_rows: Vec<f64> = coefficients
            .chunks_exact(self.n_dims.max(1))
            .flat_map(|vector| {
                (0..n).map(|i| dot(vector, &self.weights[i * self.n_dims..(i + 1) * self.n_dims]))
            })
            .collect();
        let d = self.centre.len();
        let mut features = vec![0.0; n_vectors * d];
        each_columns(samples, &self.centre, &self.inverse, pool, |first, columns| {
            pool.for_each_chunk(&mut features, d, |k, to| {
                for (j, column) in columns.chunks_exact(n).enumerate() {
                    to[first + j] =
                        self.inverse[first + j].sqrt() * dot(column, &of_rows[k * n..(k + 1) * n]);
                }
            });
        });
        features
    }
}

/// The sum of products, in lanes of a fixed order.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}

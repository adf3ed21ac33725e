//! A fitted support vector machine: what it predicts.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::rows::{Rows, shift};
use super::solver::Solution;
use super::source::RBF;
use crate::calibration::Calibration;
use crate::kernel_function::support::{BLOCK, Support};

/// Values of decisions of rows that are predicted together, at most.
const MOST_VALUES: usize = 1 << 22;

/// A support vector machine. With k classes there are `k (k - 1) / 2` pairs (0, 1), (0, 2) .. (1, 2) .., as in libsvm; the decision value
/// of a pair is above 0 where its first class wins.
#[derive(Debug, Clone)]
pub struct Svm {
    /// Subtracted from rows, before they are multiplied by the square root of gamma.
    pub(super) mean: Vec<f32>,
    pub(super) gamma: f64,
    pub(super) c: f64,
    /// The classes that had rows, of `n_classes`.
    pub(super) classes: Vec<usize>,
    pub(super) n_classes: usize,
    /// The support vectors of each class, with a coefficient for its pair with each other class.
    pub(super) support: Vec<Support>,
    /// Of each pair.
    pub(super) intercept: Vec<f64>,
    pub(super) calibration: Calibration,
    pub(super) summary: Summary,
}

/// How a fit went.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Summary {
    /// The minimum of the dual problem of each pair, and the iterations to it; empty of a restored head.
    pub(super) objectives: Vec<f64>,
    pub(super) n_iter: Vec<usize>,
    /// The log loss of the calibrated decision values of the folds.
    pub(super) log_loss: Option<f64>,
    /// The values of c and gamma that were tried, with their log losses.
    pub(super) tried: Vec<(f64, f64, f64)>,
}

/// The decisions for some rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Decided {
    /// For each row and class that had rows, the mean decision value of its pairs, in favour of the class.
    pub(super) scores: Vec<f64>,
    /// The class with most votes, the first of equals, as a place among those that had rows.
    pub(super) votes: Vec<u32>,
    /// The decision value of each row and pair.
    pub(super) pairs: Vec<f64>,
}

/// The pairs of `n` classes, in their order.
pub(super) fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

impl Svm {
    /// The machine of the solutions of all pairs of classes of `rows`, which are those of `x` times the square root of `gamma`.
    pub(super) fn new(
        rows: &Rows,
        x: MatRef<'_>,
        solutions: &[Solution],
        (c, gamma): (f64, f64),
        pool: &Pool,
    ) -> Svm {
        let n = rows.classes.len();
        Svm {
            mean: rows.mean.clone(),
            gamma,
            c,
            classes: rows.classes.clone(),
            n_classes: rows.n_classes,
            support: support(rows, x, solutions, pool),
            intercept: solutions.iter().map(|solution| solution.intercept).collect(),
            calibration: Calibration::softmax(n),
            summary: Summary {
                objectives: solutions.iter().map(|solution| solution.objective).collect(),
                n_iter: solutions.iter().map(|solution| solution.n_iter).collect(),
                ..Summary::default()
            },
        }
    }

    /// The support vectors.
    pub(super) fn n_support(&self) -> usize {
        self.support.iter().map(|support| support.n_rows).sum()
    }

    /// The decision values of the rows of `x` for the pairs of classes that had rows, `n_rows x k (k - 1) / 2` (scikit-learn:
    /// `decision_function` of one against one; of two classes with the opposite sign).
    ///
    /// # Panics
    /// When `x` has other features than the rows of the fit.
    pub fn decision_function(&self, x: MatRef<'_>, pool: &Pool) -> Vec<f64> {
        self.decide(x, true, pool).pairs
    }

    /// The minimum of the dual problem of each pair of classes; empty of a restored head.
    pub fn dual_objectives(&self) -> &[f64] {
        &self.summary.objectives
    }

    /// Decides the rows of `x`; `keep_pairs` keeps the decision values of the pairs, too.
    pub(super) fn decide(&self, x: MatRef<'_>, keep_pairs: bool, pool: &Pool) -> Decided {
        assert_eq!(x.n_cols(), self.mean.len(), "columns of x");
        let n_rows = (MOST_VALUES / self.classes.len().pow(2)).clamp(1, BLOCK);
        let blocks = pool.map(x.n_rows().div_ceil(n_rows), |block| {
            let mut rows = x.rows(block * n_rows, x.n_rows().min((block + 1) * n_rows)).to_matrix();
            shift(rows.as_mut_slice(), &self.mean, self.gamma.sqrt());
            self.decide_block(rows.view(), keep_pairs)
        });
        let mut all = Decided::default();
        for block in blocks {
            all.scores.extend(block.scores);
            all.votes.extend(block.votes);
            all.pairs.extend(block.pairs);
        }
        all
    }

    fn decide_block(&self, x: MatRef<'_>, keep_pairs: bool) -> Decided {
        let (n, others) = (self.classes.len(), self.classes.len() - 1);
        let sums: Vec<Vec<f64>> = self
            .support
            .iter()
            .map(|support| {
                let mut sums = vec![0.0; x.n_rows() * others];
                support.add(RBF, x, &mut sums);
                sums
            })
            .collect();
        let mut decided = Decided::default();
        let (mut scores, mut votes) = (vec![0.0; n], vec![0u32; n]);
        for row in 0..x.n_rows() {
            scores.fill(0.0);
            votes.fill(0);
            for ((i, j), intercept) in pairs(n).zip(&self.intercept) {
                let decision = sums[i][row * others + j - 1] + sums[j][row * others + i] + intercept;
                scores[i] += decision;
                scores[j] -= decision;
                votes[if decision > 0.0 { i } else { j }] += 1;
                if keep_pairs {
                    decided.pairs.push(decision);
                }
            }
            decided.scores.extend(scores.iter().map(|score| score / others.max(1) as f64));
            let most = votes.iter().max();
            let first = votes.iter().position(|count| Some(count) == most);
            decided.votes.push(first.unwrap_or(0) as u32);
        }
        decided
    }

    /// The class probabilities of decided rows, `n_rows x n_classes`.
    pub(super) fn probabilities(&self, decided: &Decided, pool: &Pool) -> Matrix {
        self.calibration.predict_proba(&decided.scores, (&self.classes, self.n_classes), pool)
    }
}

/// The support vectors of each class.
fn support(rows: &Rows, x: MatRef<'_>, solutions: &[Solution], pool: &Pool) -> Vec<Support> {
    let (n, n_features) = (rows.classes.len(), x.n_cols());
    let others = n - 1;
    // The row of each support vector among the coefficients of its class.
    let mut places = vec![None; rows.n()];
    solutions
        .iter()
        .flat_map(|solution| &solution.support)
        .for_each(|(row, _)| places[*row as usize] = Some(0));
    let mut of_class: Vec<Vec<u32>> = vec![Vec::new(); n];
    for (row, place) in places.iter_mut().enumerate().filter(|(_, place)| place.is_some()) {
        let own = &mut of_class[rows.target[row]];
        *place = Some(own.len());
        own.push(row as u32);
    }
    let mut coefficients: Vec<Vec<f32>> = of_class.iter().map(|own| vec![0.0; own.len() * others]).collect();
    for ((i, j), solution) in pairs(n).zip(solutions) {
        for &(row, beta) in &solution.support {
            let class = rows.target[row as usize];
            let at = if class == i { j - 1 } else { i };
            if let Some(place) = places[row as usize] {
                coefficients[class][place * others + at] = beta as f32;
            }
        }
    }
    let parts = of_class.iter().zip(coefficients).map(|(own, coefficients)| {
        let values = own.iter().flat_map(|&row| x.row(row as usize)).copied().collect();
        let vectors = Matrix::new(values, own.len(), n_features);
        Support::new(vectors.view(), MatRef::new(&coefficients, own.len(), others), pool)
    });
    parts.collect()
}

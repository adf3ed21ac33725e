//! Gaussian discriminant analysis: a normal distribution for each class, and the classes' probabilities by Bayes' rule (Hastie, Tibshirani and
//! Friedman, "The Elements of Statistical Learning", 2nd edition, 2009, section 4.3).
//!
//! With one covariance for all classes (`shared`) it is linear discriminant analysis, with variances alone (`diagonal`) naive Bayes, with a covariance for each
//! class (`full`) quadratic discriminant analysis; the numbers are those of scikit-learn 1.9's `LinearDiscriminantAnalysis(solver="lsqr")`,
//! `GaussianNB` and `QuadraticDiscriminantAnalysis(solver="eigen")`. Where those refuse samples or divide by zero, a floor keeps variances above 0:
//! see `docs/heads/gaussian.md`.

mod diagonal;
mod full;
mod graph;
mod groups;
mod head;
mod params;
mod shared;
mod shared_folds;
mod shrinkage;
mod space;
mod stored;

use headsmith_kernels::{MatRef, Matrix, Pool};

pub use head::GaussianHead;
pub use params::TABLE;

use crate::affine::Affine;
use crate::error::Result;
use crate::head::{Folds, Job};
use diagonal::{Diagonal, Moments};
use full::Full;
use groups::rows_a_block;
use params::{Covariance, Options};
use shared::Pooled;

/// Gaussian discriminant analysis as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: GaussianHead = GaussianHead;

/// A fitted Gaussian discriminant analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    rule: Rule,
    /// The amount of shrinkage of each class that has rows; `None` where there is none, or after restoring.
    amounts: Option<Vec<f64>>,
}

/// The scores of the classes.
#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Shared(Shared),
    Diagonal(Diagonal),
    Full(Full),
}

/// Linear scores of rows around a centre.
#[derive(Debug, Clone, PartialEq)]
struct Shared {
    centre: Vec<f64>,
    affine: Affine,
}

impl Shared {
    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let (d, n_classes) = (self.centre.len(), self.affine.n_classes());
        let (mut proba, len) = (Vec::with_capacity(x.n_rows() * n_classes), rows_a_block(d));
        for start in (0..x.n_rows()).step_by(len) {
            let mut rows = x.rows(start, x.n_rows().min(start + len)).to_matrix();
            pool.for_each_chunk(rows.as_mut_slice(), d, |_, row| {
                row.iter_mut().zip(&self.centre).for_each(|(v, m)| *v = (f64::from(*v) - m) as f32);
            });
            proba.extend(self.affine.predict_proba(rows.view(), pool).into_vec());
        }
        Matrix::new(proba, x.n_rows(), n_classes)
    }
}

/// The head of samples that can be learnt from.
fn fit(job: Job<'_>) -> Result<Gaussian> {
    let (rule, amounts) = match Options::new(job.params)?.covariance {
        Covariance::Diagonal => (Rule::Diagonal(Moments::new(job)?.fitted()), None),
        Covariance::Full => {
            let (full, amounts) = full::fit(job)?;
            (Rule::Full(full), Some(amounts))
        }
        Covariance::Shared => {
            let pooled = Pooled::new(job)?;
            let scores = pooled.scores(job.pool);
            let (d, n_classes) = (job.train.n_features(), job.train.n_classes());
            let coef = scores.coefficients.iter().map(|v| *v as f32).collect();
            let intercepts = scores.intercepts.iter().map(|v| *v as f32).collect();
            let affine = Affine::new(Matrix::new(coef, n_classes, d).view(), intercepts);
            let shared = Shared { centre: pooled.space.centre().to_vec(), affine };
            (Rule::Shared(shared), Some(pooled.amounts))
        }
    };
    Ok(Gaussian { rule, amounts })
}

/// The probabilities of the training rows, each without its fold.
fn out_of_fold(head: &Gaussian, job: Job<'_>, folds: Folds<'_>) -> Option<Matrix> {
    match &head.rule {
        Rule::Diagonal(diagonal) => Moments::new(job).ok()?.out_of_fold(diagonal, folds, job.pool),
        Rule::Full(_) => full::out_of_fold(job, folds),
        Rule::Shared(_) => Pooled::new(job).ok()?.out_of_fold(folds, job.pool),
    }
}

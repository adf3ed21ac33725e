//! Multinomial logistic regression with an elastic net, in the meaning of scikit-learn's `LogisticRegression` 1.9: with C the
//! parameter `c`, r `l1_ratio`, w_i the weight of row i times that of its class, and W the coefficients without the intercepts, it minimises
//!
//! ```text
//! C sum_i w_i loss_i + (1 - r) |W|^2 / 2 + r |W|_1
//! ```
//!
//! C may be `auto`: a path of strengths, of which the loss on rows held out chooses one (`choosing.rs`).
//! Two classes have one row of coefficients, whose penalty is that of `LogisticRegression`: not that of a softmax of two. The
//! loss is convex: the fit depends on a seed only where folds are drawn, and has the same bytes for any number of threads. L-BFGS
//! finds the minimum (`optim/lbfgs.rs`; of a path, and with an L1 term, `optim/descent.rs`). A class without rows, or whose rows weigh nothing, gets a probability of 0.
//!
//! References: Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B 20, 1958;
//! Böhning, "Multinomial logistic regression algorithm", Annals of the Institute of Statistical Mathematics 44, 1992.

mod choosing;
mod drawing;
mod head;
mod hessian;
mod lockstep;
mod loo;
mod loss;
mod metric;
mod objective;
mod params;
mod path;
mod solving;
mod sweep;
mod targets;

use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::affine::Affine;
use crate::error::Result;
use crate::event::Observer;
use crate::head::Job;
use crate::params::Params;
use crate::samples::Samples;
use crate::tensors::{Tensors, Values};
use crate::training;

use choosing::Choosing;
use params::Settings;
use solving::Solving;

pub use params::TABLE;

/// Logistic regression as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: head::LinearHead = head::LinearHead;

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    affine: Affine,
    solution: Option<Solution>,
    choice: Option<Choice>,
    /// The strength that was chosen, and by what; also of a restored head.
    chosen: Option<(f64, String)>,
    /// The coefficients that are not 0, with an L1 term.
    n_nonzero: Option<usize>,
}

/// How a strength was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The strength.
    pub c: f64,
    /// `folds` or `leave_one_out`.
    pub by: &'static str,
    /// The folds; 1 of leave-one-out.
    pub n_folds: usize,
    /// The rows that chose: a part of very many.
    pub n_rows: usize,
    /// The strengths of the path and the mean loss of the rows held out, in nats.
    pub losses: Vec<(f64, f64)>,
}

/// How the minimum was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solution {
    /// The iterations of L-BFGS; where a strength was chosen, of the last fit.
    pub n_iter: usize,
    /// The mean loss with the penalty at the end: `mean(loss) + ((1 - r) |W|^2 / 2 + r |W|_1) / (C n)`, in nats.
    pub objective: f64,
    /// Whether it is the minimum: the gradient is within the tolerance, or no step makes the objective smaller by more than
    /// rounding errors.
    pub converged: bool,
}

/// Fits a logistic regression with parameters of [`TABLE`]. Folds are drawn with seed 0; [`HEAD`] takes another.
///
/// Emits [`Event::Started`](crate::Event::Started), then [`Event::Steps`](crate::Event::Steps) after every iteration; after
/// [`Control::Stop`](crate::Control::Stop) the head is that of the iterations done.
///
/// # Errors
/// When parameters are of another head, there are no rows or features, a feature is not finite, or features are so large that
/// the loss is not.
pub fn fit(
    samples: Samples<'_>,
    params: &Params,
    pool: &Pool,
    observer: &mut dyn Observer,
) -> Result<Linear> {
    let (job, settings) = (Job::new(samples, params, 0, pool), Settings::new(params)?);
    if settings.is_plain() {
        let mut solving = Solving::begin(job)?;
        training::run(&mut solving, observer, None)?;
        return Ok(solving.head());
    }
    let mut choosing = Choosing::begin(job, settings)?;
    training::run(&mut choosing, observer, None)?;
    Ok(choosing.head())
}

/// The heads at the strengths `cs`, each at its minimum on all rows, in place of the parameter `c`. Each begins where the one before ended:
/// fastest from the smallest to the largest. Beside `tol`, a fit ends only where the objective is about a millionth of it above the minimum
/// at most: the gradient alone says little where the penalty is weak.
///
/// # Errors
/// As [`fit`].
pub fn path(samples: Samples<'_>, params: &Params, cs: &[f64], pool: &Pool) -> Result<Vec<Linear>> {
    path::path(Job::new(samples, params, 0, pool), &Settings::new(params)?, cs)
}

impl Linear {
    /// The number of features of a row.
    pub fn n_features(&self) -> usize {
        self.affine.n_features()
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.affine.n_classes()
    }

    /// The coefficients, `n_classes x n_features`.
    pub fn coef(&self) -> Matrix {
        self.affine.coef()
    }

    /// The intercepts, one for each class.
    pub fn intercept(&self) -> &[f32] {
        self.affine.intercept()
    }

    /// How the minimum was found; `None` for a head that was restored from tensors.
    pub fn solution(&self) -> Option<Solution> {
        self.solution
    }

    /// How the strength was chosen; `None` where it was given, and for a head that was restored.
    pub fn choice(&self) -> Option<&Choice> {
        self.choice.as_ref()
    }

    /// The class probabilities of each row of `x`: an `n_rows x n_classes` matrix.
    ///
    /// # Panics
    /// When `x` has not [`n_features`](Linear::n_features) columns.
    pub fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        self.affine.predict_proba(x, pool)
    }

    /// The head as named arrays: `coef`, f32, `n_classes x n_features`, and `intercept`, f32, `n_classes`.
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        let shape = [self.n_classes(), self.n_features()];
        tensors.insert("coef", &shape, Values::F32(self.coef().into_vec()));
        tensors.insert("intercept", &shape[..1], Values::F32(self.intercept().to_vec()));
        tensors
    }

    /// Restores a head from its arrays.
    ///
    /// # Errors
    /// When arrays are missing, of the wrong shape, or not finite.
    pub fn from_tensors(mut tensors: Tensors) -> Result<Linear> {
        let [n_classes, n_features] = tensors.matrix_shape("coef")?;
        let coef = Matrix::new(tensors.take_finite("coef", &[n_classes, n_features])?, n_classes, n_features);
        let intercept = tensors.take_finite("intercept", &[n_classes])?;
        tensors.check_empty("a logistic regression")?;
        let affine = Affine::new(coef.view(), intercept);
        Ok(Linear { affine, solution: None, choice: None, chosen: None, n_nonzero: None })
    }
}

//! The values that parameters leave open, and the grid that is searched for them.

use super::features::{Features, Spectrum};
use super::params::TABLE;
use super::screen::Scored;
use super::trial::{Loss, Setting};
use crate::calibration::Form;
use crate::error::{Error, Result};
use crate::kernel_function::Function;
use crate::params::{AUTO, Params, TRANSFORM};

/// The parameters of a fit.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    params: Params,
    chooses_transform: bool,
    spectrum: Spectrum,
    gamma: Option<f64>,
    alpha: Option<f64>,
    loss: Loss,
    form: Form,
    pub(super) screen_rows: usize,
    landmarks: Landmarks,
}

/// The wish for the number of landmarks.
#[derive(Debug, Clone, Copy)]
enum Landmarks {
    Auto,
    None,
    Some(usize),
}

/// Above so many rows landmarks are used, unless they are not wanted.
const MOST_EXACT: usize = 15_000;
/// Landmarks at most, unless another number is asked for; fewer where the products of all rows with their squares are more than this.
const MOST_LANDMARKS: usize = 4000;
const MOST_PRODUCTS: f64 = 2e12;
/// Rows on which the parameters of a fit on landmarks are searched; fewer in tables that an exact kernel would do for, and not fewer than these.
const SEARCH_ROWS: usize = 4000;
const LEAST_SEARCH_ROWS: usize = 1000;

/// The rows on which the parameters of a fit of `n_landmarks` to `n` rows are searched, at most.
pub(super) fn search_rows(n: usize, n_landmarks: usize) -> usize {
    match n > MOST_EXACT {
        true => SEARCH_ROWS,
        false => n_landmarks.clamp(LEAST_SEARCH_ROWS, SEARCH_ROWS),
    }
}

/// Gammas of the screen for squared distances; for other powers of the distance those that make the mean exponent the same.
const GAMMAS: [f64; 2] = [0.8, 1.5];
const ALPHAS: [f64; 2] = [0.4, 1.5];

impl Plan {
    pub(super) fn new(params: &Params) -> Result<Plan> {
        let params = params.of(&TABLE)?;
        let spectrum = match (params.float("spectrum"), params.text("spectrum")) {
            (Some(power), _) => Spectrum::Power(power),
            (None, Some(AUTO)) => Spectrum::Auto,
            _ => Spectrum::None,
        };
        let loss = if params.word("loss")? == "logistic" { Loss::Logistic } else { Loss::Squared };
        Ok(Plan {
            chooses_transform: params.text(TRANSFORM) == Some(AUTO),
            spectrum,
            gamma: params.float("gamma"),
            alpha: params.float("alpha"),
            loss,
            form: Form::of(params.text("calibration")),
            screen_rows: params.count("screen_rows")?,
            landmarks: match (params.int("n_landmarks"), params.text("n_landmarks")) {
                (Some(n), _) => Landmarks::Some(n as usize),
                (None, Some(AUTO)) => Landmarks::Auto,
                _ => Landmarks::None,
            },
            params: params.clone(),
        })
    }

    /// The landmarks of a fit on `n` rows; `None`: all of them.
    ///
    /// # Errors
    /// When landmarks are asked for and the loss is not the squared one.
    pub(super) fn n_landmarks(&self, n: usize) -> Result<Option<usize>> {
        let n_landmarks = match self.landmarks {
            Landmarks::Some(n_landmarks) => n_landmarks,
            Landmarks::Auto if n > MOST_EXACT && self.loss == Loss::Squared => {
                ((MOST_PRODUCTS / n as f64).sqrt() as usize).min(MOST_LANDMARKS)
            }
            _ => n,
        };
        if n_landmarks >= n {
            return Ok(None);
        }
        match self.loss {
            Loss::Squared => Ok(Some(n_landmarks)),
            Loss::Logistic => Err(Error::parameter(
                "n_landmarks: landmarks are for the squared loss: leave n_landmarks out, or loss",
            )),
        }
    }

    /// Leaves the features as they are, if it has a choice: of constant ones nothing can be learnt.
    pub(super) fn leave_features(&mut self) {
        self.chooses_transform = false;
        if self.spectrum == Spectrum::Auto {
            self.spectrum = Spectrum::None;
        }
    }

    /// The form of the calibration.
    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// The choices of features.
    pub(super) fn features(&self) -> Vec<Features> {
        Features::choices(self.chooses_transform, self.spectrum)
    }

    /// Whether there is nothing to choose.
    pub(super) fn is_fixed(&self) -> bool {
        self.features().len() == 1 && self.gammas().len() == 1 && self.alphas().len() == 1
    }

    /// The gammas of the screen.
    pub(super) fn gammas(&self) -> Vec<f64> {
        match (self.gamma, Function::of(&self.params, 1.0)) {
            (Some(gamma), _) => vec![gamma],
            // The mean squared distance is 2.
            (None, Ok(Function::Exponential { exponent, .. })) => {
                GAMMAS.iter().map(|gamma| gamma * 2f64.powf(1.0 - exponent / 2.0)).collect()
            }
            _ => vec![1.0],
        }
    }

    /// The strengths of the screen.
    pub(super) fn alphas(&self) -> Vec<f64> {
        self.alpha.map_or_else(|| ALPHAS.to_vec(), |alpha| vec![alpha])
    }

    /// Whether gamma, and whether alpha, may be moved.
    pub(super) fn is_open(&self) -> (bool, bool) {
        let has_gamma = Function::of(&self.params, 1.0).is_ok_and(Function::has_gamma);
        (self.gamma.is_none() && has_gamma, self.alpha.is_none())
    }

    /// The only point of the grid, where nothing is open; its loss is not known.
    pub(super) fn only(&self) -> Vec<Scored> {
        let at = |features| Scored {
            features,
            gamma: self.gammas()[0],
            alpha: self.alphas()[0],
            log_loss: f64::INFINITY,
        };
        self.features().into_iter().take(1).map(at).collect()
    }

    /// The setting for rows of this total variance, whose function is of the rows as they are.
    pub(super) fn setting(&self, gamma: f64, alpha: f64, variance: f64) -> Result<Setting> {
        let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 1.0 };
        let function = Function::of(&self.params, gamma)?.scaled(scale);
        Ok(Setting { function, alpha, loss: self.loss, form: self.form })
    }
}

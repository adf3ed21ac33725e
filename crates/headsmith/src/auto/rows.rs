//! The rows of a search: those that it is done on, those that score it, and those that the final model learns from.

use std::cell::RefCell;

use headsmith_data::{Dataset, ReadOptions};
use headsmith_heads::calibration::{self, Chosen, Targets};
use headsmith_heads::head::Folds;
use headsmith_kernels::{MatRef, Matrix};

use super::{Search, ValUse};
use crate::conformal::ConformalOptions;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit_data::FitData;
use crate::plan::StudyTables;
use crate::report::{StudyReport, TableReport};
use crate::run::RunHead;
use crate::split::units;

/// Of the rows that a head with epochs is fitted on, those that select the epoch.
pub(super) const VAL_SHARE: f64 = 0.1;

/// Bytes of the scores and of the description in a record.
const RECORD_BYTES: u64 = 1500;

/// The time of the end of a fit and of a fit with chosen parameters, in steps of an exact kernel.
const END: f64 = 0.5;
pub(super) const REFIT: f64 = 1.4;

/// A head whose parameters were given, or are looked for in a study.
pub(super) struct TunedHead<'t> {
    pub(super) config: &'t RunHead,
    reports: &'t [TableReport],
    is_scored_on_val: bool,
    pub(super) read: &'t ReadOptions,
    /// Its report, once it was begun.
    pub(super) report: RefCell<Option<StudyReport>>,
}

impl TunedHead<'_> {
    /// The tables of its rows.
    pub(super) fn tables(&self) -> StudyTables<'_> {
        let StudyTables { train, val } = StudyTables::of(self.reports);
        StudyTables { train, val: val.filter(|_| self.is_scored_on_val) }
    }
}

/// The rows that are searched on.
pub(super) struct SearchRows<'d> {
    pub(super) data: &'d FitData,
    /// The unit of each training row; a unit is left out as a whole.
    pub(super) units: Vec<u32>,
    /// The column that makes the units, if one does.
    pub(super) groups: Option<&'d str>,
    pub(super) n_folds: usize,
    /// Whether validation rows score the candidates. Otherwise each training row does, by fits without it.
    pub(super) is_scored_on_val: bool,
    /// The unit of each row that scores.
    scored_units: Vec<u32>,
    /// The bytes that a fit may need beside the rows; `None`: what is free.
    pub(super) max_memory: Option<u64>,
    /// The prediction sets of the answer.
    pub(super) conformal: Option<ConformalOptions>,
    /// The head of the portfolio that a study may tune.
    pub(super) tuned: Option<TunedHead<'d>>,
}

impl<'d> SearchRows<'d> {
    /// Refuses rows that cannot be left out in folds.
    ///
    /// # Errors
    /// When they are all the same, or of fewer units than folds.
    pub(super) fn check(&self) -> Result<()> {
        let (n_rows, n_units, n_folds) = (self.units.len(), units::count(&self.units), self.n_folds);
        if self.is_scored_on_val || n_units >= n_folds {
            return Ok(());
        }
        let units = match (self.groups, n_units) {
            (None, 1) => {
                return Err(Error::data(format!(
                    "all {n_rows} training rows have the same features: no head can tell their labels apart. Is this the column of the embeddings?"
                )));
            }
            (None, _) => format!("the {n_rows} training rows have {n_units} different feature vectors"),
            (Some(column), _) => {
                format!("column \"{column}\" has {n_units} groups (groups that share rows are one)")
            }
        };
        let do_what = match n_units {
            0 | 1 => "add rows of other groups, or rows that choose: --val FILE --val-is choose".to_owned(),
            _ => format!("use --folds {n_units}, or add more rows"),
        };
        Err(Error::data(format!("{units}, and a search scores heads in {n_folds} folds: {do_what}")))
    }

    /// The rows that score the candidates.
    pub(super) fn scored(&self) -> &'d Dataset {
        match (&self.data.val, self.is_scored_on_val) {
            (Some(val), true) => val,
            _ => &self.data.train,
        }
    }

    /// The units of the rows that score the candidates.
    pub(super) fn scored_units(&self) -> &[u32] {
        &self.scored_units
    }

    /// The classes of the rows that score the candidates.
    pub(super) fn targets(&self) -> Targets<'d> {
        let Dataset { y, weights, .. } = self.scored();
        match weights {
            Some(weights) => Targets::new(y).weighted(weights),
            None => Targets::new(y),
        }
    }

    /// The probabilities of the rows that score, calibrated in the best form.
    pub(super) fn calibrated(&self, proba: MatRef<'_>, context: &Context<'_>) -> Chosen {
        calibration::choose(proba, self.targets(), Folds::Of(self.scored_units()), context.pool)
    }

    /// By how much the fit of an exact kernel takes longer on all rows than on the training rows, between the square and the cube of the rows; 0
    /// if there are no more.
    pub(super) fn growth(&self) -> f64 {
        let n_train = self.data.train.y.len().max(1) as f64;
        self.data.val.as_ref().map_or(0.0, |val| ((n_train + val.y.len() as f64) / n_train).powf(2.5))
    }

    /// About the most bytes of the final model's file, whose members have `n_bytes` after the search: they learn from the validation rows, too, which
    /// some heads keep, and the file has a record.
    pub(super) fn final_bytes(&self, n_bytes: u64) -> u64 {
        let n_train = self.data.train.y.len().max(1) as u64;
        let n_val = self.data.val.as_ref().map_or(0, |val| val.y.len() as u64);
        let record = serde_json::to_string(&self.data.record).map_or(0, |text| text.len() as u64);
        let of_members = u128::from(n_bytes) * u128::from(n_train + n_val) / u128::from(n_train);
        u64::try_from(of_members).unwrap_or(u64::MAX).saturating_add(record + record / 4 + RECORD_BYTES)
    }

    /// The time that follows the last step of an exact kernel, in steps: its end, and its fit on all rows if that is done.
    pub(super) fn after_step(&self, is_fitted_again: bool) -> f64 {
        if is_fitted_again { END + REFIT * self.growth() } else { END }
    }

    /// A part of these training rows, `data`, to be searched on with the rest as judges: without studies and prediction sets.
    pub(super) fn of_part<'p>(&self, data: &'p FitData, context: &Context<'_>) -> SearchRows<'p>
    where
        'd: 'p,
    {
        let units = units::of_rows(&data.train, context.pool);
        SearchRows {
            data,
            scored_units: units.clone(),
            units,
            groups: self.groups,
            n_folds: self.n_folds,
            is_scored_on_val: false,
            max_memory: self.max_memory,
            conformal: None,
            tuned: None,
        }
    }

    /// The validation rows that judge the answer, if there are any.
    pub(super) fn judges(&self) -> Option<&'d Dataset> {
        self.data.val.as_ref().filter(|_| !self.is_scored_on_val)
    }
}

/// The rows to search on.
pub(super) fn to_search<'d>(
    config: &'d Search,
    data: &'d FitData,
    (reports, read): (&'d [TableReport], &'d ReadOptions),
    context: &Context<'_>,
) -> SearchRows<'d> {
    let units = units::of_rows(&data.train, context.pool);
    let val = data.val.as_ref().filter(|_| config.val_use == ValUse::Choose);
    let scored_units = val.map_or_else(|| units.clone(), |val| units::of_rows(val, context.pool));
    SearchRows {
        data,
        units,
        groups: read.group_column.as_deref(),
        n_folds: config.n_folds,
        is_scored_on_val: val.is_some(),
        scored_units,
        max_memory: config.bounds.max_memory,
        conformal: config.conformal,
        tuned: config.tuned.as_ref().map(|config| TunedHead {
            config,
            reports,
            is_scored_on_val: val.is_some(),
            read,
            report: RefCell::new(None),
        }),
    }
}

/// The training rows, then the validation rows, with their units where a column groups them.
pub(super) fn all(data: &FitData) -> Option<FitData> {
    let val = data.val.as_ref()?;
    let mut all = FitData::unrecorded(joined(&data.train, val));
    all.cache = data.cache.clone();
    Some(all)
}

/// The training rows by themselves.
pub(super) fn train_only(data: &FitData) -> FitData {
    let mut train = FitData::unrecorded(data.train.clone());
    train.cache = data.cache.clone();
    train
}

/// The rows of `a`, then those of `b`, which weigh 1 each where those of `a` have weights, and are units of their own where those of `a` have units.
pub(super) fn joined(a: &Dataset, b: &Dataset) -> Dataset {
    let (n, n_cols) = (a.y.len() + b.y.len(), a.x.n_cols());
    let mut values = Vec::with_capacity(n * n_cols);
    values.extend_from_slice(a.x.as_slice());
    values.extend_from_slice(b.x.as_slice());
    let weights = a.weights.as_ref().map(|weights| {
        let of_b = b.weights.clone().unwrap_or_else(|| vec![1.0; b.y.len()]);
        weights.iter().copied().chain(of_b).collect()
    });
    let units = a.units.as_ref().map(|units| {
        // A group that both have is a finding of the checks; it is two units here.
        let first = units::count(units) as u32;
        let of_b = b.units.clone().unwrap_or_else(|| (0..b.y.len() as u32).collect());
        units.iter().copied().chain(of_b.into_iter().map(|unit| first + unit)).collect()
    });
    Dataset {
        x: Matrix::new(values, n, n_cols),
        y: a.y.iter().chain(&b.y).copied().collect(),
        classes: a.classes.clone(),
        weights,
        units,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_rows_keep_their_order_and_weights() {
        let rows = |values: &[f32], labels: &[&str]| {
            Dataset::from_arrays(Matrix::new(values.to_vec(), labels.len(), 1), labels).unwrap()
        };
        let a = rows(&[1.0, 2.0], &["no", "yes"]).with_weights(vec![3.0, 0.5]).unwrap();
        let both = joined(&a, &rows(&[4.0, 5.0], &["no", "yes"]));
        assert_eq!(both.x.as_slice(), [1.0, 2.0, 4.0, 5.0]);
        assert_eq!(both.y, [0, 1, 0, 1]);
        assert_eq!(both.weights, Some(vec![3.0, 0.5, 1.0, 1.0]));
        assert_eq!(both.units, None);
        let grouped = Dataset { units: Some(vec![1, 0]), ..a.clone() };
        assert_eq!(joined(&grouped, &a).units, Some(vec![1, 0, 2, 3]));
        assert_eq!(joined(&grouped, &grouped).units, Some(vec![1, 0, 3, 2]));
    }
}

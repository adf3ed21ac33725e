//! The fit: the rows are stored, and what is not given is chosen.

use headsmith_kernels::{Matrix, Pool};

use super::Knn;
use super::choice::{Given, choose};
use super::index::{Distance, Index};
use super::params::{CLASS_WEIGHT, DISTANCE, N_NEIGHBORS, TEMPERATURE, WEIGHTS};
use super::votes::{ClassShares, Weighting};
use crate::class_weight::{class_weights, counts};
use crate::error::Result;
use crate::head::Job;
use crate::params::Params;
use crate::samples::Samples;

/// Rows that are copied together.
const BLOCK: usize = 1024;

/// The weights of the classes, as they are asked for.
pub(super) enum ClassWeights {
    Balanced,
    Given(Vec<f64>),
}

impl ClassWeights {
    pub(super) fn new(params: &Params, samples: Samples<'_>) -> Result<ClassWeights> {
        let text = params.word(CLASS_WEIGHT)?;
        if text == "balanced" {
            return Ok(ClassWeights::Balanced);
        }
        let weights = class_weights(text, samples)?.unwrap_or_else(|| vec![1.0; samples.n_classes()]);
        Ok(ClassWeights::Given(weights.into_iter().map(f64::from).collect()))
    }

    /// The shares of so many rows of each class.
    pub(super) fn class_shares(&self, counts: &[f64]) -> ClassShares {
        match self {
            ClassWeights::Balanced => ClassShares::new(counts, None),
            ClassWeights::Given(weights) => ClassShares::new(counts, Some(weights)),
        }
    }
}

/// The rows that are stored: those that weigh anything.
pub(super) fn kept_rows(samples: Samples<'_>) -> Vec<usize> {
    (0..samples.n_samples()).filter(|&i| samples.weight(i) > 0.0).collect()
}

/// The number of neighbours and the weights of votes, where parameters give them.
pub(super) fn given(params: &Params) -> Result<Given> {
    let weighting = match params.word(WEIGHTS)? {
        "uniform" => Some(Weighting::Uniform),
        "distance" => Some(Weighting::Distance),
        _ => params.float(TEMPERATURE).map(Weighting::Temperature),
    };
    Ok(Given { n_neighbors: params.count_or_word(N_NEIGHBORS)?, weighting })
}

/// Does `work` with the sample weights in units of a row: with a mean of at least 1 over the rows that weigh anything, so that weights which sum to 1
/// do not make every row a neighbour.
pub(super) fn with_weights_in_rows<T>(job: Job<'_>, work: impl FnOnce(Job<'_>) -> Result<T>) -> Result<T> {
    let Some(weights) = job.train.weights() else { return work(job) };
    let kept = kept_rows(job.train);
    let mean = kept.iter().map(|&i| f64::from(weights[i])).sum::<f64>() / kept.len() as f64;
    if mean >= 1.0 {
        return work(job);
    }
    let weights: Vec<f32> = weights.iter().map(|w| (f64::from(*w) / mean) as f32).collect();
    work(Job { train: job.train.weighted(&weights)?, ..job })
}

/// The head of samples that can be learnt from.
pub(super) fn fit(job: Job<'_>) -> Result<Knn> {
    with_weights_in_rows(job, fit_in_rows)
}

/// The head of samples whose weights count rows.
fn fit_in_rows(job: Job<'_>) -> Result<Knn> {
    let (samples, params) = (job.train, job.params);
    let distance = if params.word(DISTANCE)? == "euclidean" { Distance::Euclidean } else { Distance::Cosine };
    let given = given(params)?;
    let class_shares = ClassWeights::new(params, samples)?.class_shares(&counts(samples));
    let (rows, classes, weights) = stored(samples, job.pool);
    let index = Index::new(rows.view(), distance, job.pool);
    let class_weights = class_shares.class_weights.iter().map(|w| *w as f32).collect();
    let weighting = given.weighting.unwrap_or(Weighting::Temperature(1.0));
    let n_neighbors = given.n_neighbors.unwrap_or(1);
    let mut knn = Knn { rows, classes, weights, class_weights, index, n_neighbors, weighting };
    if given.weighting.is_none() || given.n_neighbors.is_none() {
        let units =
            samples.units().map(|units| kept_rows(samples).iter().map(|&i| units[i]).collect::<Vec<u32>>());
        (knn.n_neighbors, knn.weighting) = choose(&knn, given, units.as_deref(), job.pool);
    }
    Ok(knn)
}

/// The rows that weigh anything, with their classes and weights.
fn stored(samples: Samples<'_>, pool: &Pool) -> (Matrix, Vec<u32>, Vec<f32>) {
    let kept = kept_rows(samples);
    let mut rows = Matrix::zeros(kept.len(), samples.n_features());
    pool.for_each_chunk(rows.as_mut_slice(), BLOCK * samples.n_features(), |block, to| {
        samples.copy_rows(kept[block * BLOCK..].iter().copied(), to);
    });
    let classes = kept.iter().map(|&i| samples.y()[i]).collect();
    (rows, classes, kept.iter().map(|&i| samples.weight(i) as f32).collect())
}

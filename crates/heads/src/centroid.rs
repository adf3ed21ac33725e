//! Nearest centroid: each class is the mean of its training rows, and a row is of the class whose mean is nearest (Rocchio,
//! "Relevance feedback in information retrieval", 1971; scikit-learn's `NearestCentroid` 1.9 with the metric euclidean
//! predicts the same classes).
//!
//! With the distance `cosine`, rows are first divided by their norms, and so are the means: the nearest mean is then the one at
//! the smallest angle.
//!
//! The probabilities are those of normal distributions around the means, with one variance in all directions and, without class
//! weights, equal priors: `softmax(-distance^2 / (2 variance))`. Between two classes nothing but the line between their means matters,
//! so the variance is that of the training rows around their means along such lines: with t the place of a row of
//! class k on the line to mean l, whose length is D, it is `sum(t^2) / sum(D^2) * n / (n - n_classes)` over
//! all rows and all l (Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd edition, 2009, section 4.3,
//! linear discriminant analysis, with a spherical covariance in the space of the means).
//!
//! Sample weights count rows, in the means and in the variance. The rows of a class that has a class weight count as
//! often in the variance, and its prior is multiplied by the weight: `LABEL:3` predicts the class as if it were three times as
//! frequent as others. Classes are equally frequent from the start, so `balanced` leaves the priors alone and only
//! lets each class have the same part in the variance. A class of weight 0 is not predicted.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Matrix, Pool};
use serde_json::{Map, Value};

use crate::affine::{Affine, NEVER};
use crate::class_weight::{self, class_weights, counts};
use crate::description::{Description, counted};
use crate::error::{Error, Result};
use crate::graph::{Binary, Graph, Prediction, Rows, Typical, Unary};
use crate::head::{Cost, Fitted, Fitting, Head, Job, Resume, Shape, Traits, no_keys};
use crate::once::once;
use crate::params::{self, Added, Default, Kind, Param, Params, Table};
use crate::samples::Samples;
use crate::tensors::{Tensors, Values};

/// The parameters of the nearest centroid.
pub static TABLE: Table =
    Table { added: &[Added { name: CLASS_WEIGHT, before: Default::Text("none"), in_models: true }], ..BASE };

const BASE: Table = Table::new(
    "centroid",
    "nearest centroid",
    "Nearest centroid: the class whose mean is nearest",
    &[
        Param {
            name: DISTANCE,
            kind: Kind::Choice(&["euclidean", COSINE]),
            default: Default::Text("euclidean"),
            search: None,
            help: "Distance from a row to a centroid; cosine compares directions alone",
        },
        class_weight::PARAM,
        Param::transform("none"),
    ],
);

const CLASS_WEIGHT: &str = class_weight::PARAM.name;
const DISTANCE: &str = "distance";
const COSINE: &str = "cosine";

/// Nearest centroid as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: CentroidHead = CentroidHead;

/// The nearest centroid.
#[derive(Debug)]
pub struct CentroidHead;

impl Head for CentroidHead {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn traits(&self) -> Traits {
        Traits { weights: true, closed_form: true, ..Traits::default() }
    }

    fn cost(&self, shape: Shape, params: &Params) -> Result<Cost> {
        params.of(&TABLE)?;
        let [n, f, k] = [shape.n_samples, shape.n_features, shape.n_classes].map(|n| n as u64);
        let centroids = k.saturating_add(32).saturating_mul(f.saturating_add(32)).saturating_mul(12 * 4);
        let scores = k.saturating_mul(k).saturating_add((f + 4 * k).saturating_mul(BLOCK as u64)) * 4;
        let operations = n.saturating_mul(f).saturating_mul(2 * k + 4);
        Ok(Cost {
            bytes: centroids.saturating_add(scores).saturating_add(32 * n),
            operations,
            hint: "fewer features (pca:K)",
        })
    }

    fn begin<'a>(&self, job: Job<'a>, resume: Option<Resume>) -> Result<Box<dyn Fitting + 'a>> {
        job.params.of(&TABLE)?;
        job.train.check_shape("a nearest centroid")?;
        job.train.check_finite("", job.pool)?;
        once(job, resume, |job| fit(job.train, job.params, job.pool))
    }

    fn restore(&self, mut config: Map<String, Value>, tensors: Tensors) -> Result<Arc<dyn Fitted>> {
        let distance = config.remove(DISTANCE).unwrap_or_default();
        no_keys(&config)?;
        let distance = params::Value::Text(distance.as_str().unwrap_or_default().to_owned());
        let params = TABLE.resolve([(DISTANCE, distance)]);
        let cosine = params.map_err(|error| Error::stored(error.to_string()))?.text(DISTANCE) == Some(COSINE);
        Ok(Arc::new(Centroid::from_tensors(cosine, tensors)?))
    }
}

/// A fitted nearest centroid.
#[derive(Debug, Clone, PartialEq)]
pub struct Centroid {
    /// `n_classes x n_features`; zeros for a class without rows.
    centroids: Matrix,
    /// 1 for a class that has rows, 0 for one that has none: it gets a probability of 0.
    present: Vec<u32>,
    variance: f64,
    cosine: bool,
    /// The factors of the classes' equal priors, where they are not all 1: above 0 for a class that is present.
    priors: Option<Vec<f64>>,
    /// The mean of the centroids, which is taken off all rows: large numbers that all rows share would cost digits.
    middle: Vec<f32>,
    affine: Affine,
}

/// Rows that are looked at together.
const BLOCK: usize = 1024;

/// The head of samples that can be learnt from; rows count by their weights.
///
/// # Errors
/// When the class weights name a class that there is not, or leave no row any weight.
fn fit(samples: Samples<'_>, params: &Params, pool: &Pool) -> Result<Centroid> {
    let text = params.word(CLASS_WEIGHT)?;
    let of_class = class_weights(text, samples)?;
    let cosine = params.text(DISTANCE) == Some(COSINE);
    let weight_of = |class: u32| of_class.as_ref().map_or(1.0, |weights| f64::from(weights[class as usize]));
    let mut rows_of = vec![Vec::new(); samples.n_classes()];
    let counts_at_all = |(i, class): &(usize, &u32)| samples.weight(*i) > 0.0 && weight_of(**class) > 0.0;
    for (i, &class) in samples.y().iter().enumerate().filter(counts_at_all) {
        rows_of[class as usize].push(i);
    }
    let means = pool.map(rows_of.len(), |class| mean(samples, &rows_of[class], cosine));
    let centroids = Matrix::new(means.concat(), samples.n_classes(), samples.n_features());
    let present = rows_of.iter().map(|rows| u32::from(!rows.is_empty())).collect();
    let unit = Centroid::new(centroids, present, 1.0, cosine, None);
    let variance = variance(samples, of_class.as_deref(), &unit, pool);
    // Balanced classes are those of equal priors.
    let priors = of_class.filter(|_| text != class_weight::BALANCED);
    let priors = priors.map(|weights| weights.into_iter().map(f64::from).collect());
    Ok(Centroid::new(unit.centroids, unit.present, variance, cosine, priors))
}

/// The factor of the weights of each class's rows in the variance: its class weight, on a scale that leaves the sum of
/// all weights as it is.
fn factors(samples: Samples<'_>, of_class: Option<&[f32]>) -> Vec<f64> {
    let Some(weights) = of_class else { return vec![1.0; samples.n_classes()] };
    let counts = counts(samples);
    let total: f64 = counts.iter().sum();
    let weighted: f64 = counts.iter().zip(weights).map(|(n, weight)| n * f64::from(*weight)).sum();
    weights.iter().map(|weight| f64::from(*weight) * total / weighted).collect()
}

/// The mean of some rows, by their weights; zeros if there are none.
fn mean(samples: Samples<'_>, rows: &[usize], cosine: bool) -> Vec<f32> {
    let n_features = samples.n_features();
    let (mut sums, mut row) = (vec![0.0; n_features], vec![0.0; n_features]);
    for &i in rows {
        samples.copy_rows([i].into_iter(), &mut row);
        if cosine {
            normalise(&mut row);
        }
        sums.iter_mut().zip(&row).for_each(|(sum, v)| *sum += samples.weight(i) * f64::from(*v));
    }
    let total: f64 = rows.iter().map(|&i| samples.weight(i)).sum();
    let mut mean: Vec<f32> = sums.iter().map(|sum| (sum / total.max(f64::MIN_POSITIVE)) as f32).collect();
    if cosine {
        normalise(&mut mean);
    }
    mean
}

/// The variance of the rows along the lines between centroids; `unit` has a variance of 1. Where no class has two rows,
/// nothing is known of it, and it is the mean square length of the lines.
fn variance(samples: Samples<'_>, of_class: Option<&[f32]>, unit: &Centroid, pool: &Pool) -> f64 {
    let factors = factors(samples, of_class);
    let present: Vec<usize> = (0..samples.n_classes()).filter(|&class| unit.present[class] == 1).collect();
    let of_centroids = unit.affine.scores(unit.seen(unit.centroids.view(), pool).view(), pool);
    let (mut along, mut length, mut n_lines, mut n_rows) = (0.0, 0.0, 0.0, 0.0);
    let mut buffer = Vec::new();
    for start in (0..samples.n_samples()).step_by(BLOCK) {
        let end = samples.n_samples().min(start + BLOCK);
        let rows = unit.seen(samples.rows(start, end, &mut buffer, pool), pool);
        let scores = unit.affine.scores(rows.view(), pool);
        for i in start..end {
            let own = samples.y()[i] as usize;
            let weight = samples.weight(i) * factors[own];
            if weight == 0.0 {
                continue;
            }
            // By how much the score of another class is larger than the own one's.
            let larger = |scores: &[f32], other: usize| f64::from(scores[other]) - f64::from(scores[own]);
            n_rows += weight;
            for other in present.iter().copied().filter(|&class| class != own) {
                let half_square = -larger(of_centroids.row(own), other);
                along += weight * (larger(scores.row(i - start), other) + half_square).powi(2);
                length += weight * 2.0 * half_square;
                n_lines += weight;
            }
        }
    }
    let (freedom, mean_square) = (n_rows - present.len() as f64, length / n_lines);
    let variance = if freedom > 0.0 { along / length * n_rows / freedom } else { mean_square };
    // Rows without any variance would divide by zero; without lines there is no length.
    let variance = variance.max(1e-9 * mean_square);
    if variance.is_finite() && variance > 0.0 { variance } else { 1.0 }
}

/// Divides a row by its norm, if it has one.
fn normalise(row: &mut [f32]) {
    let norm = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
    }
}

/// Rows divided by their norms as operations of a graph.
fn normalised(graph: &mut Graph, rows: Rows) -> Rows {
    let x = rows.value(graph);
    let wide = graph.double(x);
    let square = graph.sum_of_squares(wide);
    let norm = graph.unary(Unary::Sqrt, square);
    let divisor = graph.divisor(norm);
    let x = graph.binary(Binary::Div, wide, divisor);
    Rows::new(graph.float(x))
}

impl Centroid {
    /// `-|x - c|^2 / (2 variance)` is `(c . x - |c|^2 / 2) / variance` plus what is the same for all classes.
    fn new(
        centroids: Matrix,
        present: Vec<u32>,
        variance: f64,
        cosine: bool,
        priors: Option<Vec<f64>>,
    ) -> Centroid {
        let mut middle = vec![0.0; centroids.n_cols()];
        let n_present = present.iter().filter(|class| **class == 1).count() as f64;
        for class in (0..present.len()).filter(|&class| present[class] == 1) {
            let parts = centroids.row(class).iter().map(|v| f64::from(*v) / n_present);
            middle.iter_mut().zip(parts).for_each(|(to, part)| *to += part);
        }
        let middle: Vec<f32> = middle.into_iter().map(|v| v as f32).collect();
        let (mut coef, mut intercept) = (centroids.clone(), vec![NEVER; present.len()]);
        for class in (0..present.len()).filter(|&class| present[class] == 1) {
            let row = coef.row_mut(class);
            row.iter_mut().zip(&middle).for_each(|(v, m)| *v -= m);
            let square: f64 = row.iter().map(|v| f64::from(*v).powi(2)).sum();
            row.iter_mut().for_each(|v| *v = (f64::from(*v) / variance) as f32);
            let log_prior = priors.as_ref().map_or(0.0, |priors| priors[class].ln());
            intercept[class] = (log_prior - 0.5 * square / variance) as f32;
        }
        let affine = Affine::new(coef.view(), intercept);
        Centroid { centroids, present, variance, cosine, priors, middle, affine }
    }

    /// Rows as the scores see them.
    fn seen(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let mut rows = x.to_matrix();
        pool.for_each_chunk(rows.as_mut_slice(), self.centroids.n_cols(), |_, row| {
            if self.cosine {
                normalise(row);
            }
            row.iter_mut().zip(&self.middle).for_each(|(v, m)| *v -= m);
        });
        rows
    }

    fn from_tensors(cosine: bool, mut tensors: Tensors) -> Result<Centroid> {
        let shape = tensors.matrix_shape("centroids")?;
        let centroids = Matrix::new(tensors.take_finite("centroids", &shape)?, shape[0], shape[1]);
        let present = tensors.take_u32("present", &shape[..1])?;
        let variance = tensors.take_f64("variance", &[1])?[0];
        let has_priors = tensors.names().any(|name| name == "priors");
        let priors = has_priors.then(|| tensors.take_f64("priors", &shape[..1])).transpose()?;
        tensors.check_empty("a nearest centroid")?;
        if !present.contains(&1) || present.iter().any(|&flag| flag > 1) {
            return Err(Error::stored("tensor `present` holds no 1, or other numbers than 0 and 1"));
        }
        let mut pairs = priors.iter().flatten().zip(&present);
        if let Some((prior, _)) =
            pairs.find(|(prior, flag)| !prior.is_finite() || **flag == 1 && **prior <= 0.0)
        {
            return Err(Error::stored(format!("tensor `priors` holds {prior}, expected a number above 0")));
        }
        let centroid = Centroid::new(centroids, present, variance, cosine, priors);
        if !(variance > 0.0 && variance.is_finite() && centroid.affine.is_finite()) {
            return Err(Error::stored(format!("the variance {variance} does not go with the centroids")));
        }
        Ok(centroid)
    }
}

impl Fitted for Centroid {
    fn head(&self) -> &'static str {
        TABLE.head
    }

    fn n_features(&self) -> usize {
        self.centroids.n_cols()
    }

    fn n_classes(&self) -> usize {
        self.centroids.n_rows()
    }

    fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        assert_eq!(x.n_cols(), self.n_features(), "columns of x");
        let mut proba = Vec::with_capacity(x.n_rows() * self.n_classes());
        for start in (0..x.n_rows()).step_by(BLOCK) {
            let rows = self.seen(x.rows(start, x.n_rows().min(start + BLOCK)), pool);
            proba.extend(self.affine.predict_proba(rows.view(), pool).into_vec());
        }
        Matrix::new(proba, x.n_rows(), self.n_classes())
    }

    fn graph(&self, graph: &mut Graph, rows: Rows) -> Prediction {
        rows.near(|| Typical::of_rows(self.centroids.view()), graph);
        let middle: Vec<f64> = self.middle.iter().map(|v| f64::from(*v)).collect();
        let rows = if self.cosine { normalised(graph, rows) } else { rows };
        let scores = self.affine.graph(graph, rows.shifted(&middle));
        graph.softmax(scores).into()
    }

    fn config(&self) -> Map<String, Value> {
        [(DISTANCE.to_owned(), Value::from(if self.cosine { COSINE } else { "euclidean" }))]
            .into_iter()
            .collect()
    }

    fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        let shape = [self.n_classes(), self.n_features()];
        tensors.insert("centroids", &shape, Values::F32(self.centroids.as_slice().to_vec()));
        tensors.insert("present", &shape[..1], Values::U32(self.present.clone()));
        tensors.insert("variance", &[1], Values::F64(vec![self.variance]));
        if let Some(priors) = &self.priors {
            tensors.insert("priors", &shape[..1], Values::F64(priors.clone()));
        }
        tensors
    }

    fn description(&self) -> Description {
        let (n, distance) = (self.n_classes(), if self.cosine { "cosine" } else { "euclidean" });
        let summary =
            format!("{} of {}, {distance}", counted(n, "centroid"), counted(self.n_features(), "feature"));
        Description::new(TABLE.head, summary)
            .fact("n_features", self.n_features())
            .fact("variance", self.variance)
    }
}

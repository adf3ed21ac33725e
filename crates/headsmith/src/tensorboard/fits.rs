//! A fit's scalars, histograms and graph, and the judgement at its end.

use std::io;
use std::path::PathBuf;

use headsmith_heads::network::{Activation, Layer};
use headsmith_heads::{EpochRecord, EpochScores, Event};
use headsmith_metrics::{Metric, calibration};
use headsmith_tensorboard::keras::{self, Kind};
use headsmith_tensorboard::picture::{self, Bin};
use headsmith_tensorboard::{
    Histogram, Origin, Value, histogram, image, keras_model, pr_curve, scalar, text,
};

use super::{Run, histograms, is_due};
use crate::curves;
use crate::progress::{Judged, NetworkLayers, Progress};
use crate::record::now;

/// The network's name, after which Keras names its weights.
const NETWORK: &str = "sequential";
/// Classes with a precision-recall curve at most: the page draws all of them at once.
const MAX_CURVES: usize = 64;
/// Classes whose confusion matrix is drawn at most: the cells of more would be too small to see.
const MAX_CONFUSION: usize = 200;

/// The records of an epoch that are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Every how many epochs there are histograms.
    pub(super) every: usize,
    /// The metric whose curve there is beside Keras's.
    pub(super) metric: Metric,
}

/// The files of one fit, each made when there is something to write.
pub(super) struct FitFiles {
    folder: PathBuf,
    origin: Origin,
    /// The first step of this process: what an earlier one wrote of it and later ones does not count any more.
    first: usize,
    wanted: Wanted,
    train: Option<Run>,
    validation: Option<Run>,
}

impl FitFiles {
    pub(super) fn new(folder: PathBuf, origin: Origin, first: usize, wanted: Wanted) -> FitFiles {
        FitFiles { folder, origin, first, wanted, train: None, validation: None }
    }

    pub(super) fn write(&mut self, progress: &Progress<'_>) -> io::Result<()> {
        match progress {
            Progress::Weights { epoch, weights } => {
                let due = is_due(*epoch, self.wanted.every);
                let histograms = if due { histograms(*weights) } else { Vec::new() };
                self.network(*epoch, || NetworkLayers::of(*weights), &histograms)
            }
            Progress::Fit(Event::Epoch(record)) => self.epoch(record),
            Progress::Judged(judged) => self.judged(judged),
            _ => Ok(()),
        }
    }

    fn train(&mut self) -> io::Result<&mut Run> {
        begun(&mut self.train, || Run::begin(&self.folder.join("train"), &self.origin, self.first))
    }

    fn validation(&mut self) -> io::Result<&mut Run> {
        begun(&mut self.validation, || Run::begin(&self.folder.join("validation"), &self.origin, self.first))
    }

    /// Writes the graph, once, and the weights after an epoch.
    pub(super) fn network(
        &mut self,
        epoch: usize,
        network: impl FnOnce() -> NetworkLayers,
        histograms: &[(String, Histogram)],
    ) -> io::Result<()> {
        let mut values = Vec::new();
        if self.train.is_none() {
            let NetworkLayers { n_features, layers } = network();
            let layers: Vec<keras::Layer> = layers.into_iter().map(layer).collect();
            self.train()?.writer.graph(keras::graph_def(n_features, &layers), now())?;
            values.push(keras_model("keras", &keras::sequential(NETWORK, n_features, &layers)));
        }
        let of_weights =
            |(name, weights): &(String, _)| histogram(format!("{NETWORK}/{name}/histogram"), weights);
        values.extend(histograms.iter().map(of_weights));
        if values.is_empty() { Ok(()) } else { self.train()?.write(epoch, values) }
    }

    pub(super) fn epoch(&mut self, record: &EpochRecord) -> io::Result<()> {
        let metric = self.wanted.metric;
        let mut values = scores(&record.train, metric);
        values.push(scalar(curves::LEARNING_RATE, record.learning_rate as f32));
        self.train()?.write(record.epoch, values)?;
        match &record.val {
            Some(val) => self.validation()?.write(record.epoch, scores(val, metric)),
            None => Ok(()),
        }
    }

    /// The validation rows under the fitted head, at the step of its epoch.
    fn judged(&mut self, judged: &Judged<'_>) -> io::Result<()> {
        let Judged { classes, y, proba, judgement, sets, epoch } = judged;
        let bins = calibration::reliability(y, *proba, calibration::N_BINS).into_iter().map(|bin| Bin {
            confidence: bin.confidence,
            accuracy: bin.accuracy,
            n_samples: bin.n_samples,
        });
        let bins: Vec<Bin> = bins.collect();
        let confusion = match classes.len() {
            n if n > MAX_CONFUSION => text(
                "confusion_matrix",
                format!("left out: {n} classes, more than the {MAX_CONFUSION} that are drawn"),
            ),
            _ => image("confusion_matrix", &picture::confusion_matrix(classes, &judgement.scores.confusion)),
        };
        let mut values =
            vec![confusion, image("reliability", &picture::reliability(&bins, judgement.scores.ece))];
        if let Some(sets) = sets {
            values.push(scalar("prediction_sets/coverage", sets.coverage as f32));
            values.push(scalar("prediction_sets/mean_size", sets.mean_size as f32));
        }
        for (class, name) in (0u32..).zip(classes.iter()).take(MAX_CURVES) {
            let samples = y.iter().enumerate().map(|(i, &y)| (proba.row(i)[class as usize], y == class));
            values.push(pr_curve(format!("pr_curve/{name}"), samples).named(name));
        }
        self.validation()?.write(epoch.unwrap_or(0), values)
    }
}

/// The run, begun if it was not.
fn begun(run: &mut Option<Run>, begin: impl FnOnce() -> io::Result<Run>) -> io::Result<&mut Run> {
    let begun = match run.take() {
        Some(begun) => begun,
        None => begin()?,
    };
    Ok(run.insert(begun))
}

fn scores(scores: &EpochScores, metric: Metric) -> Vec<Value> {
    curves::of(scores, metric).into_iter().map(|(tag, value)| scalar(tag, value as f32)).collect()
}

fn layer((name, layer): (String, Layer)) -> keras::Layer {
    let kind = match layer {
        Layer::Dense { units, activation } => {
            Kind::Dense { units, activation: activation_name(activation).to_owned() }
        }
        Layer::GaussianNoise { stddev } => Kind::GaussianNoise { stddev },
        Layer::LayerNormalization { epsilon } => Kind::LayerNormalization { epsilon },
        Layer::Dropout { rate } => Kind::Dropout { rate },
    };
    keras::Layer { name, kind }
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "relu",
        Activation::Softmax => "softmax",
    }
}

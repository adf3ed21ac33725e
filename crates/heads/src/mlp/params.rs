//! The multilayer perceptron's parameters.

use super::classic;
use crate::class_weight;
use crate::params::{Added, Default, Kind, Param, Search, Table};

const WIDTH: Kind = Kind::Int { low: 1, high: 65_536, words: &[] };
const WIDTH_SEARCH: Option<Search> = Some(WIDTHS);
/// Where studies look for widths.
pub(super) const WIDTHS: Search = Search::Int { low: 16, high: 2048, log: true };
const DEPTH: Kind = Kind::Int { low: 0, high: 16, words: &[] };
const DEPTH_SEARCH: Option<Search> = Some(Search::Int { low: 0, high: 3, log: false });

/// The job's metric is monitored.
pub(super) const METRIC: &str = "metric";
/// The log loss after the best temperature, as what is monitored.
pub(super) const REFINED: &str = "refined_log_loss";
/// Nothing is monitored.
pub(super) const NO_MONITOR: &str = "none";
/// Probabilities are calibrated by one temperature.
pub(super) const TEMPERATURE: &str = "temperature";
/// A learning rate that a plateau alone changes.
pub(super) const CONSTANT: &str = "constant";
/// A learning rate that falls along a cosine.
pub(super) const COSINE: &str = "cosine";

/// The parameters, their ranges and defaults. Names of layers, optimizer and callbacks mean what they mean in
/// Keras.
pub static TABLE: Table = Table {
    head: "mlp",
    title: "multilayer perceptron",
    about: "Multilayer perceptron: dense ReLU layers, trained by Adam on the cross-entropy",
    params: &[
        Param {
            name: "neurons0",
            kind: WIDTH,
            default: Default::Int(642),
            search: WIDTH_SEARCH,
            help: "Width of the first dense layer",
        },
        Param {
            name: "neurons1",
            kind: WIDTH,
            default: Default::Int(434),
            search: WIDTH_SEARCH,
            help: "Width of the first group of dense layers",
        },
        Param {
            name: "neurons2",
            kind: WIDTH,
            default: Default::Int(38),
            search: WIDTH_SEARCH,
            help: "Width of the second group of dense layers",
        },
        Param {
            name: "layers1",
            kind: DEPTH,
            default: Default::Int(0),
            search: DEPTH_SEARCH,
            help: "Number of dense layers in the first group",
        },
        Param {
            name: "layers2",
            kind: DEPTH,
            default: Default::Int(3),
            search: DEPTH_SEARCH,
            help: "Number of dense layers in the second group",
        },
        Param {
            name: "layer_norms",
            kind: Kind::Int { low: 0, high: 2, words: &[] },
            default: Default::Int(0),
            search: Some(Search::Int { low: 0, high: 2, log: false }),
            help: "Layer normalisations: 1 after the first layer, 2 also before the dropout",
        },
        Param {
            name: "dropout",
            kind: Kind::Float { low: 0.0, high: 0.99, words: &[] },
            default: Default::Float(0.73423),
            search: Some(Search::Float { low: 0.0, high: 0.9, log: false }),
            help: "Dropout rate after the last hidden layer",
        },
        Param {
            name: "noise",
            kind: Kind::Int { low: 0, high: 1, words: &[] },
            default: Default::Int(1),
            search: Some(Search::Int { low: 0, high: 1, log: false }),
            help: "1: Gaussian noise of standard deviation 0.1 after the first layer, in training",
        },
        Param {
            name: "lr",
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[] },
            default: Default::Float(0.001_226_1),
            search: Some(Search::Float { low: 1e-7, high: 1e-1, log: true }),
            help: "Initial learning rate of Adam",
        },
        Param {
            name: "batch_size",
            kind: Kind::Int { low: 1, high: 1_048_576, words: &[] },
            default: Default::Int(963),
            search: Some(Search::Int { low: 8, high: 1024, log: false }),
            help: "Batch size; the last batch of an epoch may be smaller",
        },
        Param {
            name: "epochs",
            kind: Kind::Int { low: 1, high: 1_000_000, words: &[] },
            default: Default::Int(500),
            search: None,
            help: "Maximum number of epochs",
        },
        Param {
            name: "patience",
            kind: Kind::Int { low: 0, high: i64::MAX, words: &["none"] },
            default: Default::Int(50),
            search: None,
            help: "Early stopping: epochs without a better validation score",
        },
        Param {
            name: "plateau_factor",
            kind: Kind::Float { low: 0.0, high: 0.999, words: &[] },
            default: Default::Float(0.3),
            search: None,
            help: "Factor of the learning rate on a plateau of the validation score",
        },
        Param {
            name: "plateau_patience",
            kind: Kind::Int { low: 1, high: i64::MAX, words: &["none"] },
            default: Default::Int(10),
            search: None,
            help: "Epochs without a better validation score before the learning rate drops",
        },
        Param {
            name: "plateau_min_delta",
            kind: Kind::Float { low: 0.0, high: 1.0, words: &[] },
            default: Default::Float(1e-4),
            search: None,
            help: "Minimum improvement of the validation score that counts on a plateau",
        },
        Param {
            name: "plateau_cooldown",
            kind: Kind::Int { low: 0, high: i64::MAX, words: &[] },
            default: Default::Int(0),
            search: None,
            help: "Epochs to wait after a reduction of the learning rate",
        },
        Param {
            name: "min_lr",
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[] },
            default: Default::Float(1e-10),
            search: None,
            help: "Lower bound of the learning rate",
        },
        Param {
            name: "input_noise",
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Standard deviation of Gaussian noise on the inputs, in training",
        },
        Param {
            name: "hidden_dropout",
            kind: Kind::Float { low: 0.0, high: 0.99, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Dropout rate after each hidden layer but the last",
        },
        Param {
            name: "mixup",
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Mixup of the rows of a batch, by shares from Beta(mixup, mixup); 0: none",
        },
        Param {
            name: "label_smoothing",
            kind: Kind::Float { low: 0.0, high: 0.99, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Share of each target that is spread evenly over the classes",
        },
        Param {
            name: "weight_decay",
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Decoupled weight decay of AdamW; 0: Adam",
        },
        Param {
            name: "ema_momentum",
            kind: Kind::Float { low: 0.0, high: 0.9999, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Momentum of the average of the weights over the steps, which validates and predicts; 0: the weights themselves",
        },
        Param {
            name: "lr_schedule",
            kind: Kind::Choice(&[CONSTANT, COSINE]),
            default: Default::Text(CONSTANT),
            search: None,
            help: "Learning rate from step to step: cosine falls to 0 at the last epoch, and no plateau changes it",
        },
        Param {
            name: "warmup_epochs",
            kind: Kind::Float { low: 0.0, high: 1e6, words: &[] },
            default: Default::Float(0.0),
            search: None,
            help: "Epochs in which the learning rate of the cosine rises from 0",
        },
        Param {
            name: "monitor",
            kind: Kind::Choice(&[METRIC, REFINED, NO_MONITOR]),
            default: Default::Text(METRIC),
            search: None,
            help: "Validation score that chooses the epoch: the metric, the log loss after the best temperature, or none",
        },
        Param {
            name: "calibration",
            kind: Kind::Choice(&["none", TEMPERATURE]),
            default: Default::Text("none"),
            search: None,
            help: "Calibration of the probabilities on the validation rows, if there are any",
        },
        class_weight::PARAM,
        Param::transform("standardise"),
    ],
    presets: &[classic::PRESET, classic::NOTEBOOK],
    trial: &[("epochs", Default::Int(100)), ("patience", Default::Int(20))],
    portfolio: classic::PORTFOLIO,
    added: &[
        Added { name: "class_weight", before: Default::Text("none"), in_models: false },
        Added { name: "input_noise", before: Default::Float(0.0), in_models: true },
        Added { name: "hidden_dropout", before: Default::Float(0.0), in_models: true },
        Added { name: "mixup", before: Default::Float(0.0), in_models: true },
        Added { name: "label_smoothing", before: Default::Float(0.0), in_models: true },
        Added { name: "weight_decay", before: Default::Float(0.0), in_models: true },
        Added { name: "ema_momentum", before: Default::Float(0.0), in_models: true },
        Added { name: "lr_schedule", before: Default::Text(CONSTANT), in_models: true },
        Added { name: "warmup_epochs", before: Default::Float(0.0), in_models: true },
        Added { name: "monitor", before: Default::Text(METRIC), in_models: true },
        Added { name: "calibration", before: Default::Text("none"), in_models: true },
    ],
};

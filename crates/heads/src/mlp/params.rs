//! The multilayer perceptron's parameters.

use super::classic;
use crate::class_weight;
use crate::params::{AUTO, Added, Default, Kind, Param, Search, Table};

const WIDTH: Kind = Kind::Int { low: 1, high: 65_536, words: &[] };
const DEPTH: Kind = Kind::Int { low: 0, high: 16, words: &[] };

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
    about: "Multilayer perceptron: dense ReLU layers, trained by AdamW on the cross-entropy",
    params: &[
        Param {
            name: "neurons0",
            kind: WIDTH,
            default: Default::Int(512),
            search: Some(Search::Int { low: 16, high: 2048, log: true }),
            help: "Width of the first dense layer",
        },
        Param {
            name: "neurons1",
            kind: WIDTH,
            default: Default::Int(512),
            search: Some(Search::Int { low: 64, high: 1024, log: true }),
            help: "Width of the first group of dense layers",
        },
        Param {
            name: "neurons2",
            kind: WIDTH,
            default: Default::Int(512),
            search: None,
            help: "Width of the second group of dense layers",
        },
        Param {
            name: "layers1",
            kind: DEPTH,
            default: Default::Int(0),
            search: Some(Search::Int { low: 0, high: 1, log: false }),
            help: "Number of dense layers in the first group",
        },
        Param {
            name: "layers2",
            kind: DEPTH,
            default: Default::Int(0),
            search: None,
            help: "Number of dense layers in the second group",
        },
        Param {
            name: "layer_norms",
            kind: Kind::Int { low: 0, high: 2, words: &[] },
            default: Default::Int(0),
            search: None,
            help: "Layer normalisations: 1 after the first layer, 2 also before the dropout",
        },
        Param {
            name: "dropout",
            kind: Kind::Float { low: 0.0, high: 0.99, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: 0.0, high: 0.8, log: false }),
            help: "Dropout rate after the last hidden layer; auto: 0.5 with 100 features and more, 0.2 with fewer",
        },
        Param {
            name: "noise",
            kind: Kind::Int { low: 0, high: 1, words: &[] },
            default: Default::Int(0),
            search: None,
            help: "1: Gaussian noise of standard deviation 0.1 after the first layer, in training",
        },
        Param {
            name: "lr",
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[] },
            default: Default::Float(0.002),
            search: Some(Search::Float { low: 3e-4, high: 1e-2, log: true }),
            help: "Learning rate of the optimizer: the initial one, or the peak of the cosine",
        },
        Param {
            name: "batch_size",
            kind: Kind::Int { low: 1, high: 1_048_576, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Int { low: 32, high: 512, log: true }),
            help: "Batch size; the last batch of an epoch may be smaller; auto: 256 with 100 features and more, 64 with fewer",
        },
        Param {
            name: "epochs",
            kind: Kind::Int { low: 1, high: 1_000_000, words: &[] },
            default: Default::Int(30),
            search: None,
            help: "Number of epochs; at most, where validation rows are monitored",
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
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: 0.0, high: 1.0, log: false }),
            help: "Standard deviation of Gaussian noise on the inputs, in training; auto: 0.5 with 100 features and more, 0 with fewer",
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
            kind: Kind::Float { low: 0.0, high: 0.99, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: 0.0, high: 0.2, log: false }),
            help: "Share of each target that is spread evenly over the classes; auto: 0.1 with 100 features and more, 0 with fewer",
        },
        Param {
            name: "weight_decay",
            kind: Kind::Float { low: 0.0, high: 100.0, words: &[AUTO] },
            default: Default::Text(AUTO),
            search: Some(Search::Float { low: 1e-3, high: 1.0, log: true }),
            help: "Decoupled weight decay of AdamW; 0: Adam; auto: 0.5 with 100 features and more, 0.05 with fewer",
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
            default: Default::Text(COSINE),
            search: None,
            help: "Learning rate schedule: constant, or cosine, which falls to 0 at the last epoch and ignores plateaus",
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
            default: Default::Text(NO_MONITOR),
            search: None,
            help: "Validation score that chooses the epoch: the metric, the log loss after temperature scaling, or none (keep the last epoch)",
        },
        Param {
            name: "calibration",
            kind: Kind::Choice(&["none", TEMPERATURE]),
            default: Default::Text("none"),
            search: None,
            help: "Calibration of the probabilities on the validation rows, if there are any",
        },
        class_weight::PARAM,
        Param::transform("power:auto+standardise"),
    ],
    presets: &[classic::PRESET, classic::NOTEBOOK],
    // Their learning rates fall to 0 at the last epoch, so that trials have those of a fit.
    trial: &[],
    portfolio: PORTFOLIO,
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

/// The defaults with many and with few features, and two between them.
const PORTFOLIO: &[&[(&str, Default)]] = &[
    &one_layer(256, [0.5, 0.5, 0.1, 0.5]),
    &one_layer(64, [0.2, 0.0, 0.0, 0.05]),
    &one_layer(128, [0.5, 0.5, 0.1, 0.05]),
    &one_layer(128, [0.2, 0.25, 0.1, 0.05]),
];

/// A network of one hidden layer, by batch size, dropout, noise, label smoothing and weight decay.
const fn one_layer(
    batch_size: i64,
    [dropout, input_noise, label_smoothing, weight_decay]: [f64; 4],
) -> [(&'static str, Default); 8] {
    [
        ("neurons0", Default::Int(512)),
        ("layers1", Default::Int(0)),
        ("dropout", Default::Float(dropout)),
        ("lr", Default::Float(0.002)),
        ("batch_size", Default::Int(batch_size)),
        ("input_noise", Default::Float(input_noise)),
        ("label_smoothing", Default::Float(label_smoothing)),
        ("weight_decay", Default::Float(weight_decay)),
    ]
}

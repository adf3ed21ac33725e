//! The multilayer perceptron's parameters.

use crate::class_weight;
use crate::params::{Default, Kind, Param, Search, Table, Value, is_scaling};

const WIDTH: Kind = Kind::Int { low: 1, high: 65_536, words: &[] };
const WIDTH_SEARCH: Option<Search> = Some(Search::Int { low: 16, high: 2048, log: true });
const DEPTH: Kind = Kind::Int { low: 0, high: 16, words: &[] };
const DEPTH_SEARCH: Option<Search> = Some(Search::Int { low: 0, high: 3, log: false });

/// The parameters, their ranges and defaults. Names of layers, optimizer and callbacks mean what they mean in
/// Keras.
pub const TABLE: Table = Table {
    head: "mlp",
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
            name: "class_weight",
            kind: Kind::Text { syntax: class_weight::SYNTAX, check: class_weight::is_class_weight },
            default: Default::Text("none"),
            search: None,
            help: "Weights of the classes in the training loss; balanced: in inverse proportion to their rows",
        },
        Param {
            name: "scale",
            kind: Kind::Text {
                syntax: "none, divide:K, standardise, l2 or l2+standardise",
                check: is_scaling,
            },
            default: Default::Text("standardise"),
            search: None,
            help: "Scaling of the features",
        },
    ],
};

/// What differs from the defaults in the preset `notebook`: the network as it was first trained.
pub const NOTEBOOK: &[(&str, Default)] =
    &[("scale", Default::Text("divide:10")), ("lr", Default::Float(1e-3))];

/// [`NOTEBOOK`] as values for [`Table::resolve`].
pub fn notebook() -> impl Iterator<Item = (&'static str, Value)> {
    NOTEBOOK.iter().map(|(name, value)| (*name, value.value()))
}

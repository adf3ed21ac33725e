//! Networks of layers, in Keras's terms: what is declared, checked and summarised, and what an observer sees of one in
//! training.

use serde::{Deserialize, Serialize};

/// The widest layer and input that are accepted.
pub const MAX_WIDTH: usize = 65_536;

/// The layers of a head that is a network, with their weights as they are now. They are laid out on demand: an observer that
/// does not read them costs nothing.
pub trait NetworkWeights: std::fmt::Debug {
    /// The width of a row of input.
    fn n_features(&self) -> usize;

    /// The layers, first to last, each with its name, which is unique.
    fn layers(&self) -> Vec<(String, Layer)>;

    /// Calls `see` with each tensor, by Keras's names: `dense/kernel`, `dense/bias`, `layer_normalization/gamma` ..
    fn each(&self, see: &mut dyn FnMut(&str, &[f32]));
}

/// One layer, in Keras's terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// `activation(x W + b)`.
    Dense {
        /// The width of its output.
        units: usize,
        /// The activation after the affine map.
        activation: Activation,
    },
    /// Adds independent normal noise in training; the identity otherwise.
    GaussianNoise {
        /// The noise's standard deviation.
        stddev: f64,
    },
    /// Centres and scales each row, then applies a gain and an offset per column.
    LayerNormalization {
        /// The addend of the variance.
        epsilon: f64,
    },
    /// Zeroes values at random in training and scales the others up; the identity otherwise.
    Dropout {
        /// The probability with which a value is zeroed.
        rate: f64,
    },
}

/// The activation after the affine map of a dense layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(z, 0)`.
    Relu,
    /// `exp(z) / sum(exp(z))` along the row.
    Softmax,
}

/// A line of the network's summary, as Keras's `model.summary()` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// The layer's name, unique in the network: `dense`, `dense_1`, `dropout` ..
    pub name: String,
    /// The kind of layer: `Dense`, `GaussianNoise`, `LayerNormalization`, `Dropout`.
    pub kind: &'static str,
    /// The width of its input.
    #[serde(skip)]
    pub input_width: usize,
    /// The width of its output.
    pub output_width: usize,
    /// The number of its weights.
    pub n_params: usize,
    /// A dense layer's activation.
    pub activation: Option<Activation>,
}

impl Layer {
    /// The kind of layer, in Keras's spelling.
    pub fn kind(&self) -> &'static str {
        match self {
            Layer::Dense { .. } => "Dense",
            Layer::GaussianNoise { .. } => "GaussianNoise",
            Layer::LayerNormalization { .. } => "LayerNormalization",
            Layer::Dropout { .. } => "Dropout",
        }
    }

    /// The number of weights over an input of `input_width`.
    pub fn n_params(&self, input_width: usize) -> usize {
        match self {
            Layer::Dense { units, .. } => (input_width + 1) * units,
            Layer::LayerNormalization { .. } => 2 * input_width,
            Layer::GaussianNoise { .. } | Layer::Dropout { .. } => 0,
        }
    }

    /// The width of the output over an input of `input_width`.
    pub fn output_width(&self, input_width: usize) -> usize {
        match self {
            Layer::Dense { units, .. } => *units,
            _ => input_width,
        }
    }

    /// The activation after the affine map of a dense layer.
    pub fn activation(&self) -> Option<Activation> {
        match self {
            Layer::Dense { activation, .. } => Some(*activation),
            _ => None,
        }
    }

    /// The name of the `nth` layer of this kind in a network, from 0.
    pub fn name(&self, nth: usize) -> String {
        let base = match self {
            Layer::Dense { .. } => "dense",
            Layer::GaussianNoise { .. } => "gaussian_noise",
            Layer::LayerNormalization { .. } => "layer_normalization",
            Layer::Dropout { .. } => "dropout",
        };
        if nth == 0 { base.to_owned() } else { format!("{base}_{nth}") }
    }

    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        let (what, value, fits, expected) = match *self {
            Layer::Dense { units, .. } => {
                ("units", units as f64, (1..=MAX_WIDTH).contains(&units), "an integer in 1..65536")
            }
            Layer::GaussianNoise { stddev } => {
                ("stddev", stddev, (0.0..=1e6).contains(&stddev), "a number in 0..1000000")
            }
            Layer::LayerNormalization { epsilon } => {
                ("epsilon", epsilon, epsilon > 0.0 && epsilon <= 1.0, "a number above 0, at most 1")
            }
            Layer::Dropout { rate } => {
                ("rate", rate, (0.0..1.0).contains(&rate), "a number in 0..1, without 1")
            }
        };
        if fits { Ok(()) } else { Err(format!("{what} is {value}, expected {expected}")) }
    }
}

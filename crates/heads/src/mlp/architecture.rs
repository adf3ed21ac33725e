//! The network as a list of layers: what is declared, checked, summarised and stored; how it computes is told in
//! [`layers`](super::layers).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::params::Params;

/// The widest layer and input that are accepted.
pub const MAX_WIDTH: usize = 65_536;
const MAX_LAYERS: usize = 256;
const NOISE_STDDEV: f64 = 0.1;
/// Keras's default.
const NORM_EPSILON: f64 = 1e-3;

/// A sequence of layers over rows of `n_features` values. The last is a softmax, and the only one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// The width of a row of input.
    pub n_features: usize,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

/// One layer, in Keras's terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// `activation(x W + b)`.
    Dense {
        /// The width of its output.
        units: usize,
        /// What follows the affine map.
        activation: Activation,
    },
    /// Adds independent normal noise in training; the identity otherwise.
    GaussianNoise {
        /// The noise's standard deviation.
        stddev: f64,
    },
    /// Centres and scales each row, then applies a gain and an offset per column.
    LayerNormalization {
        /// What is added to the variance.
        epsilon: f64,
    },
    /// Zeroes values at random in training and scales the others up; the identity otherwise.
    Dropout {
        /// The probability with which a value is zeroed.
        rate: f64,
    },
}

/// What follows the affine map of a dense layer.
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
    /// The width of its output.
    pub output_width: usize,
    /// The number of its weights.
    pub n_params: usize,
    /// A dense layer's activation.
    pub activation: Option<Activation>,
}

impl Architecture {
    /// The network that `params` (of [`TABLE`](super::TABLE)) describe.
    ///
    /// # Errors
    /// When there are no features, fewer than two classes, or more of either than [`MAX_WIDTH`].
    ///
    /// # Panics
    /// When `params` are of another table.
    pub fn new(n_features: usize, n_classes: usize, params: &Params) -> Result<Architecture> {
        if !(2..=MAX_WIDTH).contains(&n_classes) {
            return Err(Error::samples(format!("{n_classes} classes, expected 2..{MAX_WIDTH}")));
        }
        if !(1..=MAX_WIDTH).contains(&n_features) {
            return Err(Error::samples(format!("{n_features} features, expected 1..{MAX_WIDTH}")));
        }
        let int = |name| params.int(name).unwrap_or(0) as usize;
        let relu = |name| Layer::Dense { units: int(name), activation: Activation::Relu };
        let norm = || Layer::LayerNormalization { epsilon: NORM_EPSILON };
        let mut layers = vec![relu("neurons0")];
        if int("noise") == 1 {
            layers.push(Layer::GaussianNoise { stddev: NOISE_STDDEV });
        }
        if int("layer_norms") > 0 {
            layers.push(norm());
        }
        layers.extend((0..int("layers1")).map(|_| relu("neurons1")));
        layers.extend((0..int("layers2")).map(|_| relu("neurons2")));
        if int("layer_norms") > 1 {
            layers.push(norm());
        }
        layers.push(Layer::Dropout { rate: params.float("dropout").unwrap_or(0.0) });
        layers.push(Layer::Dense { units: n_classes, activation: Activation::Softmax });
        Ok(Architecture { n_features, layers })
    }

    /// The number of classes: the width of the last layer. 0 when there is none.
    pub fn n_classes(&self) -> usize {
        self.widths().last().unwrap_or(0)
    }

    /// The number of weights of all layers.
    pub fn n_params(&self) -> usize {
        self.summary().iter().map(|layer| layer.n_params).sum()
    }

    /// The widths of the layers' outputs.
    pub fn widths(&self) -> impl Iterator<Item = usize> + '_ {
        self.layers.iter().scan(self.n_features, |width, layer| {
            *width = layer.output_width(*width);
            Some(*width)
        })
    }

    /// One line a layer.
    pub fn summary(&self) -> Vec<LayerSummary> {
        let mut input_width = self.n_features;
        let mut lines: Vec<LayerSummary> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let nth = lines.iter().filter(|line| line.kind == layer.kind()).count();
            lines.push(LayerSummary {
                name: layer.name(nth),
                kind: layer.kind(),
                output_width: layer.output_width(input_width),
                n_params: layer.n_params(input_width),
                activation: layer.activation(),
            });
            input_width = layer.output_width(input_width);
        }
        lines
    }

    /// Checks what a stored architecture may get wrong.
    ///
    /// # Errors
    /// When a width, rate or the place of the softmax is not as it must be.
    pub fn check(&self) -> Result<()> {
        let n_layers = self.layers.len();
        if !(1..=MAX_LAYERS).contains(&n_layers) {
            return Err(Error::stored(format!("{n_layers} layers, expected 1..{MAX_LAYERS}")));
        }
        if !(1..=MAX_WIDTH).contains(&self.n_features) {
            return Err(Error::stored(format!("{} features, expected 1..{MAX_WIDTH}", self.n_features)));
        }
        for (i, layer) in self.layers.iter().enumerate() {
            layer.check().map_err(|what| Error::stored(format!("layer {i}: {what}")))?;
            if (layer.activation() == Some(Activation::Softmax)) != (i + 1 == n_layers) {
                return Err(Error::stored(format!("layer {i}: the last layer, and no other, is a softmax")));
            }
        }
        Ok(())
    }
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

    fn activation(&self) -> Option<Activation> {
        match self {
            Layer::Dense { activation, .. } => Some(*activation),
            _ => None,
        }
    }

    /// The name of the `nth` layer of this kind, from 0.
    fn name(&self, nth: usize) -> String {
        let base = match self {
            Layer::Dense { .. } => "dense",
            Layer::GaussianNoise { .. } => "gaussian_noise",
            Layer::LayerNormalization { .. } => "layer_normalization",
            Layer::Dropout { .. } => "dropout",
        };
        if nth == 0 { base.to_owned() } else { format!("{base}_{nth}") }
    }

    fn check(&self) -> std::result::Result<(), String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::TABLE;
    use crate::params::Value;

    #[test]
    fn the_defaults_are_the_notebooks_final_network() {
        let net = Architecture::new(512, 3, &TABLE.defaults()).unwrap();
        net.check().unwrap();
        let lines: Vec<_> = net.summary().into_iter().map(|l| (l.name, l.output_width, l.n_params)).collect();
        let line = |name: &str, width, n_params| (name.to_owned(), width, n_params);
        assert_eq!(
            lines,
            [
                line("dense", 642, 329_346),
                line("gaussian_noise", 642, 0),
                line("dense_1", 38, 24_434),
                line("dense_2", 38, 1_482),
                line("dense_3", 38, 1_482),
                line("dropout", 38, 0),
                line("dense_4", 3, 117),
            ]
        );
        assert_eq!(net.n_params(), 356_861);
    }

    #[test]
    fn both_norms_stand_where_the_notebook_put_them() {
        let params = TABLE
            .resolve([("layer_norms", Value::Int(2)), ("layers1", Value::Int(1)), ("noise", Value::Int(0))])
            .unwrap();
        let net = Architecture::new(4, 2, &params).unwrap();
        let kinds: Vec<_> = net.layers.iter().map(Layer::kind).collect();
        let dense = "Dense";
        let norm = "LayerNormalization";
        assert_eq!(kinds, [dense, norm, dense, dense, dense, dense, norm, "Dropout", dense]);
    }

    #[test]
    fn hostile_architectures_are_refused() {
        let softmax = Layer::Dense { units: 3, activation: Activation::Softmax };
        let message = |n_features, layers: Vec<Layer>| {
            Architecture { n_features, layers }.check().unwrap_err().to_string()
        };
        assert_eq!(message(4, vec![]), "0 layers, expected 1..256");
        assert_eq!(
            message(usize::MAX, vec![softmax.clone()]),
            format!("{} features, expected 1..65536", usize::MAX)
        );
        assert!(message(4, vec![softmax.clone(), softmax.clone()]).contains("the last layer, and no other"));
        assert_eq!(
            message(4, vec![Layer::Dropout { rate: 1.0 }, softmax.clone()]),
            "layer 0: rate is 1, expected a number in 0..1, without 1"
        );
        assert_eq!(
            message(4, vec![Layer::LayerNormalization { epsilon: f64::NAN }, softmax]),
            "layer 0: epsilon is NaN, expected a number above 0, at most 1"
        );
        let json = r#"{"n_features":4,"layers":[{"kind":"dense","units":3,"activation":"softmax"}]}"#;
        let net: Architecture = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&net).unwrap(), json);
    }
}

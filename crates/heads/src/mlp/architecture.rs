//! The network as a list of layers, as it is declared, checked, summarised and stored. How it computes: [`layers`](super::layers).

use serde::{Deserialize, Serialize};

use super::recipe::number;
use crate::error::{Error, Result};
use crate::network::{Activation, Layer, LayerSummary, MAX_WIDTH};
use crate::params::Params;

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

impl Architecture {
    /// The network that `params` (of [`TABLE`](super::TABLE)) describe.
    ///
    /// # Errors
    /// When there are no features, fewer than two classes, or more of either than [`MAX_WIDTH`]; when `params` are of another
    /// table.
    pub fn new(n_features: usize, n_classes: usize, params: &Params) -> Result<Architecture> {
        if !(2..=MAX_WIDTH).contains(&n_classes) {
            return Err(Error::samples(format!("{n_classes} classes, expected 2..{MAX_WIDTH}")));
        }
        if !(1..=MAX_WIDTH).contains(&n_features) {
            return Err(Error::samples(format!("{n_features} features, expected 1..{MAX_WIDTH}")));
        }
        let relu = |name| Ok(Layer::Dense { units: params.count(name)?, activation: Activation::Relu });
        let norm = || Layer::LayerNormalization { epsilon: NORM_EPSILON };
        let n_norms = params.count("layer_norms")?;
        let (input_noise, hidden_dropout) =
            (number(params, "input_noise", n_features)?, params.number("hidden_dropout")?);
        let dropped = (hidden_dropout > 0.0).then_some(Layer::Dropout { rate: hidden_dropout });
        let mut layers = Vec::new();
        if input_noise > 0.0 {
            layers.push(Layer::GaussianNoise { stddev: input_noise });
        }
        layers.push(relu("neurons0")?);
        if params.count("noise")? == 1 {
            layers.push(Layer::GaussianNoise { stddev: NOISE_STDDEV });
        }
        if n_norms > 0 {
            layers.push(norm());
        }
        for (n_layers, width) in [("layers1", "neurons1"), ("layers2", "neurons2")] {
            for _ in 0..params.count(n_layers)? {
                layers.extend(dropped.clone());
                layers.push(relu(width)?);
            }
        }
        if n_norms > 1 {
            layers.push(norm());
        }
        layers.push(Layer::Dropout { rate: number(params, "dropout", n_features)? });
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
                input_width,
                output_width: layer.output_width(input_width),
                n_params: layer.n_params(input_width),
                activation: layer.activation(),
            });
            input_width = layer.output_width(input_width);
        }
        lines
    }

    /// Checks an architecture from a file.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::TABLE;
    use crate::params::Value;

    #[test]
    fn the_classic_network_is_the_notebooks_final_one() {
        let params = TABLE.resolve_from("classic", std::iter::empty::<(&str, Value)>()).unwrap();
        let net = Architecture::new(512, 3, &params).unwrap();
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
            .resolve_from(
                "classic",
                [("layer_norms", Value::Int(2)), ("layers1", Value::Int(1)), ("noise", Value::Int(0))],
            )
            .unwrap();
        let net = Architecture::new(4, 2, &params).unwrap();
        let kinds: Vec<_> = net.layers.iter().map(Layer::kind).collect();
        let dense = "Dense";
        let norm = "LayerNormalization";
        assert_eq!(kinds, [dense, norm, dense, dense, dense, dense, norm, "Dropout", dense]);
    }

    #[test]
    fn inputs_have_noise_and_every_hidden_layer_dropout() {
        let rates = [("input_noise", Value::Float(0.5)), ("hidden_dropout", Value::Float(0.25))];
        let params =
            TABLE.resolve_from("classic", rates.into_iter().chain([("layers1", Value::Int(1))])).unwrap();
        let net = Architecture::new(4, 2, &params).unwrap();
        net.check().unwrap();
        let kinds: Vec<_> = net.layers.iter().map(Layer::kind).collect();
        let (dense, noise, dropout) = ("Dense", "GaussianNoise", "Dropout");
        let hidden = [noise, dense, noise, dropout, dense, dropout, dense, dropout, dense, dropout, dense];
        assert_eq!(kinds, [&hidden[..], &[dropout, dense]].concat());
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

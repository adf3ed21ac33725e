//! The naive twin: the network in double precision, written down from its definition, and data to feed it.

use headsmith_heads::mlp::Architecture;
use headsmith_heads::network::{Activation, Layer};
use headsmith_heads::params::{Params, Value};
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_kernels::{Matrix, Philox};

/// The values of tensor `name`.
pub(crate) fn values<'t>(tensors: &'t Tensors, name: &str) -> &'t [f32] {
    match tensors.iter().find(|(found, _)| *found == name).map(|(_, tensor)| &tensor.values) {
        Some(Values::F32(values)) => values,
        other => panic!("tensor {name}: {other:?}"),
    }
}

/// The weights of each layer in order, in double precision: kernel and bias, or gain and offset.
pub(crate) type Weights = Vec<[Vec<f64>; 2]>;

/// The weights that stand in `tensors` under `prefix`.
pub(crate) fn weights(architecture: &Architecture, tensors: &Tensors, prefix: &str) -> Weights {
    let of_layer = architecture.summary().into_iter().map(|line| {
        let wide = |part: &str| {
            let name = format!("{prefix}{}/{part}", line.name);
            values(tensors, &name).iter().map(|v| f64::from(*v)).collect()
        };
        match line.kind {
            "Dense" => [wide("kernel"), wide("bias")],
            "LayerNormalization" => [wide("gamma"), wide("beta")],
            _ => [Vec::new(), Vec::new()],
        }
    });
    of_layer.collect()
}

/// The probabilities of one row, without noise and dropout.
pub(crate) fn probabilities(architecture: &Architecture, weights: &Weights, row: &[f32]) -> Vec<f64> {
    let mut x: Vec<f64> = row.iter().map(|v| f64::from(*v)).collect();
    for (layer, [first, second]) in architecture.layers.iter().zip(weights) {
        x = match layer {
            Layer::Dense { units, activation } => dense(&x, first, second, *units, *activation),
            Layer::LayerNormalization { epsilon } => layer_normalization(&x, first, second, *epsilon),
            Layer::GaussianNoise { .. } | Layer::Dropout { .. } => x,
        };
    }
    x
}

fn dense(x: &[f64], kernel: &[f64], bias: &[f64], units: usize, activation: Activation) -> Vec<f64> {
    let z = (0..units)
        .map(|j| bias[j] + x.iter().enumerate().map(|(i, x)| x * kernel[i * units + j]).sum::<f64>());
    let z: Vec<f64> = z.collect();
    match activation {
        Activation::Relu => z.iter().map(|z| z.max(0.0)).collect(),
        Activation::Softmax => {
            let sum: f64 = z.iter().map(|z| z.exp()).sum();
            z.iter().map(|z| z.exp() / sum).collect()
        }
    }
}

fn layer_normalization(x: &[f64], gain: &[f64], offset: &[f64], epsilon: f64) -> Vec<f64> {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (0..x.len()).map(|j| (x[j] - mean) / (variance + epsilon).sqrt() * gain[j] + offset[j]).collect()
}

/// The mean cross-entropy of a batch.
pub(crate) fn loss(architecture: &Architecture, weights: &Weights, x: &Matrix, y: &[u32]) -> f64 {
    let losses = (0..x.n_rows()).map(|i| -probabilities(architecture, weights, x.row(i))[y[i] as usize].ln());
    losses.sum::<f64>() / y.len() as f64
}

/// Rows around a centre for each class.
pub(crate) fn data(n_rows: usize, n_features: usize, n_classes: usize, seed: u64) -> (Matrix, Vec<u32>) {
    let mut draws = Philox::new(seed, 0, 100).sequence(0, 0);
    let mut normal = || (0..12).map(|_| draws.uniform()).sum::<f64>() - 6.0;
    let y: Vec<u32> = (0..n_rows).map(|i| (i % n_classes) as u32).collect();
    let centres: Vec<f64> = (0..n_features * n_classes).map(|_| normal()).collect();
    let x = y.iter().flat_map(|class| &centres[*class as usize * n_features..][..n_features]);
    let x: Vec<f64> = x.copied().collect();
    let x = x.into_iter().map(|centre| (0.5 * centre + normal()) as f32).collect();
    (Matrix::new(x, n_rows, n_features), y)
}

/// The table's defaults with these in their places, and small where nothing is said.
pub(crate) fn params<'v>(given: impl IntoIterator<Item = (&'v str, Value)>) -> Params {
    let small = [("neurons0", 20), ("neurons1", 12), ("neurons2", 9), ("batch_size", 32), ("epochs", 5)];
    let small = small.map(|(name, value)| (name, Value::Int(value)));
    headsmith_heads::mlp::TABLE.resolve_from("classic", small.into_iter().chain(given)).unwrap()
}

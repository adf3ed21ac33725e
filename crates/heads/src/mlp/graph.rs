//! The network as operations of a graph.

use headsmith_kernels::MatRef;

use super::Mlp;
use crate::affine::transposed;
use crate::graph::{Binary, Graph, Prediction, Rows, Unary, Var};
use crate::network::{Activation, Layer};
use crate::tensors::{Tensors, Values};

/// The prediction for `rows`.
pub(super) fn prediction(mlp: &Mlp, graph: &mut Graph, mut rows: Rows) -> Prediction {
    let (mut tensors, mut width) = (mlp.tensors(), mlp.n_features());
    for (layer, line) in mlp.architecture().layers.iter().zip(mlp.layers()) {
        let mut take = |part: &str| floats(&mut tensors, &format!("{}/{part}", line.name));
        let x = match layer {
            Layer::Dense { units, activation } => {
                let kernel = take("kernel");
                let bias: Vec<f64> = take("bias").iter().map(|v| f64::from(*v)).collect();
                let coef = transposed(MatRef::new(&kernel, width, *units));
                let x = rows.affine(graph, coef.view(), &bias);
                width = *units;
                match activation {
                    Activation::Relu => graph.with(Binary::Max, x, &[0.0]),
                    Activation::Softmax => graph.softmax(x),
                }
            }
            Layer::LayerNormalization { epsilon } => {
                let x = rows.value(graph);
                normalised(graph, x, *epsilon, &take("gamma"), &take("beta"))
            }
            Layer::GaussianNoise { .. } | Layer::Dropout { .. } => continue,
        };
        rows = Rows::new(x);
    }
    rows.value(graph).into()
}

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta`, along each row.
fn normalised(graph: &mut Graph, x: Var, epsilon: f64, gamma: &[f32], beta: &[f32]) -> Var {
    let n = gamma.len() as f64;
    let [gamma, beta] = [gamma, beta].map(|of| of.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>());
    let sum = graph.sum(x);
    let mean = graph.with(Binary::Div, sum, &[n]);
    let centred = graph.binary(Binary::Sub, x, mean);
    let square = graph.sum_of_squares(centred);
    let variance = graph.with(Binary::Div, square, &[n]);
    let variance = graph.with(Binary::Add, variance, &[epsilon]);
    let deviation = graph.unary(Unary::Sqrt, variance);
    let x = graph.binary(Binary::Div, centred, deviation);
    let x = graph.with(Binary::Mul, x, &gamma);
    graph.with(Binary::Add, x, &beta)
}

/// Takes out a tensor of the network's own.
fn floats(tensors: &mut Tensors, name: &str) -> Vec<f32> {
    match tensors.remove(name).map(|tensor| tensor.values) {
        Some(Values::F32(values)) => values,
        _ => Vec::new(),
    }
}

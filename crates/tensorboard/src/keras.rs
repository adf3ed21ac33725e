//! A sequential network as Keras's `Model.to_json` writes it: TensorBoard draws its layers, and Keras makes the model
//! of it again (`keras.models.model_from_json`).

use serde_json::{Value, json};

/// A layer and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its name, of which there is one in the network.
    pub name: String,
    /// What it does.
    pub kind: Kind,
}

/// What a layer does.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `keras.layers.Dense`.
    Dense {
        /// The width of its output.
        units: usize,
        /// Its activation in Keras's spelling: `relu`, `softmax` ..
        activation: String,
    },
    /// `keras.layers.GaussianNoise`.
    GaussianNoise {
        /// The noise's standard deviation.
        stddev: f64,
    },
    /// `keras.layers.LayerNormalization`.
    LayerNormalization {
        /// What is added to the variance.
        epsilon: f64,
    },
    /// `keras.layers.Dropout`.
    Dropout {
        /// The share of values that are zeroed.
        rate: f64,
    },
}

/// The network's JSON. `name` is the model's; in Keras, weights are named after it.
pub fn sequential(name: &str, n_features: usize, layers: &[Layer]) -> Value {
    let input = json!({
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [null, n_features], "dtype": "float32", "sparse": false, "name": "input_layer"},
        "registered_name": null,
    });
    let layers: Vec<Value> = std::iter::once(input).chain(layers.iter().map(layer)).collect();
    json!({
        "module": "keras",
        "class_name": "Sequential",
        "config": {
            "name": name,
            "trainable": true,
            "dtype": dtype(),
            "layers": layers,
            "build_input_shape": [null, n_features],
        },
        "registered_name": null,
        "build_config": {"input_shape": [null, n_features]},
    })
}

fn layer(layer: &Layer) -> Value {
    let (class_name, own) = match &layer.kind {
        Kind::Dense { units, activation } => {
            ("Dense", json!({"units": units, "activation": activation, "use_bias": true}))
        }
        Kind::GaussianNoise { stddev } => ("GaussianNoise", json!({"stddev": stddev})),
        Kind::LayerNormalization { epsilon } => {
            ("LayerNormalization", json!({"axis": [-1], "epsilon": epsilon, "center": true, "scale": true}))
        }
        Kind::Dropout { rate } => ("Dropout", json!({"rate": rate})),
    };
    let mut config = json!({"name": layer.name, "trainable": true, "dtype": dtype()});
    if let (Some(config), Value::Object(own)) = (config.as_object_mut(), own) {
        config.extend(own);
    }
    json!({"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": null})
}

fn dtype() -> Value {
    json!({
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": "float32"},
        "registered_name": null,
    })
}

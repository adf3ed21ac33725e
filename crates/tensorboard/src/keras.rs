//! A sequential network for the Graphs page, in both of its forms: the JSON of Keras's `Model.to_json` (the conceptual
//! graph), from which Keras can rebuild the model (`keras.models.model_from_json`), and a graph of operations with one
//! node per layer. The page opens with the graph of operations, and is empty without one.

use std::collections::BTreeMap;

use prost::Message;
use serde_json::{Value, json};

use crate::proto::{Dim, Shape};

/// A layer and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Its name, unique in the network.
    pub name: String,
    /// Its class and parameters.
    pub kind: Kind,
}

/// The class and the parameters of a layer.
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
        /// The constant added to the variance.
        epsilon: f64,
    },
    /// `keras.layers.Dropout`.
    Dropout {
        /// The share of values that are zeroed.
        rate: f64,
    },
}

/// The network's JSON. `name` is the model's name, which prefixes its weights in Keras.
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

/// The network as an encoded `tensorflow.GraphDef`: one node per layer, with its settings and the shape of its output.
pub fn graph_def(n_features: usize, layers: &[Layer]) -> Vec<u8> {
    let mut nodes = vec![NodeDef::new("input_layer", "InputLayer", None, n_features)];
    let (mut width, mut before) = (n_features, "input_layer");
    for layer in layers {
        let (class_name, own) = settings(&layer.kind);
        if let Kind::Dense { units, .. } = layer.kind {
            width = units;
        }
        let mut node = NodeDef::new(&layer.name, class_name, Some(before), width);
        let own = own.as_object().into_iter().flatten();
        node.attributes.extend(own.filter_map(|(name, value)| Some((name.clone(), attribute(value)?))));
        nodes.push(node);
        before = &layer.name;
    }
    GraphDef { nodes }.encode_to_vec()
}

fn attribute(value: &Value) -> Option<Attribute> {
    let kind = match value {
        Value::Bool(flag) => AttributeKind::Bool(*flag),
        Value::String(text) => AttributeKind::Text(text.clone().into_bytes()),
        Value::Number(number) if number.is_f64() => AttributeKind::Float(number.as_f64()? as f32),
        Value::Number(number) => AttributeKind::Int(number.as_i64()?),
        _ => return None,
    };
    Some(Attribute { kind: Some(kind) })
}

/// A layer's class in Keras, and its configuration.
fn settings(kind: &Kind) -> (&'static str, Value) {
    match kind {
        Kind::Dense { units, activation } => {
            ("Dense", json!({"units": units, "activation": activation, "use_bias": true}))
        }
        Kind::GaussianNoise { stddev } => ("GaussianNoise", json!({"stddev": stddev})),
        Kind::LayerNormalization { epsilon } => {
            ("LayerNormalization", json!({"axis": [-1], "epsilon": epsilon, "center": true, "scale": true}))
        }
        Kind::Dropout { rate } => ("Dropout", json!({"rate": rate})),
    }
}

fn layer(layer: &Layer) -> Value {
    let (class_name, own) = settings(&layer.kind);
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

/// `tensorflow.GraphDef`.
#[derive(Clone, PartialEq, Message)]
struct GraphDef {
    #[prost(message, repeated, tag = "1")]
    nodes: Vec<NodeDef>,
}

/// `tensorflow.NodeDef`.
#[derive(Clone, PartialEq, Message)]
struct NodeDef {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    op: String,
    #[prost(string, repeated, tag = "3")]
    inputs: Vec<String>,
    #[prost(btree_map = "string, message", tag = "5")]
    attributes: BTreeMap<String, Attribute>,
}

/// `tensorflow.AttrValue`.
#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(oneof = "AttributeKind", tags = "1, 2, 3, 4, 5")]
    kind: Option<AttributeKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum AttributeKind {
    #[prost(message, tag = "1")]
    List(AttributeList),
    #[prost(bytes, tag = "2")]
    Text(Vec<u8>),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(float, tag = "4")]
    Float(f32),
    #[prost(bool, tag = "5")]
    Bool(bool),
}

#[derive(Clone, PartialEq, Message)]
struct AttributeList {
    #[prost(message, repeated, tag = "7")]
    shapes: Vec<Shape>,
}

impl NodeDef {
    /// A node whose output is any number of rows of `width` values.
    fn new(name: &str, op: &str, input: Option<&str>, width: usize) -> NodeDef {
        let shape = Shape { dims: vec![Dim { size: -1 }, Dim { size: width as i64 }] };
        let list = AttributeKind::List(AttributeList { shapes: vec![shape] });
        NodeDef {
            name: name.to_owned(),
            op: op.to_owned(),
            inputs: input.into_iter().map(str::to_owned).collect(),
            attributes: [("_output_shapes".to_owned(), Attribute { kind: Some(list) })].into(),
        }
    }
}

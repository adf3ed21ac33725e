//! A small model and rows for unit tests.

use std::sync::Arc;

use headsmith_heads::HEADS;
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_model::{Model, Node, Record};

use crate::memory::{Lease, Leased, Memory};
use crate::models::ServedModel;
use crate::rows::Rows;

/// A model of one feature and two classes: the first is that of rows above 0.
pub(crate) fn served() -> Arc<ServedModel> {
    let mut tensors = Tensors::new();
    tensors.insert("coef", &[2, 1], Values::F32(vec![2.0, -2.0]));
    tensors.insert("intercept", &[2], Values::F32(vec![0.0, 0.0]));
    let head = HEADS.iter().find(|head| head.name() == "linear").unwrap();
    let node = Node::Head(head.restore(serde_json::Map::new(), tensors).unwrap());
    let model = Model::new(vec!["a".to_owned(), "b".to_owned()], node, Record::default()).unwrap();
    Arc::new(ServedModel::new("m".to_owned(), model))
}

/// Rows of one feature.
pub(crate) fn rows(values: Vec<f32>) -> Leased<Rows> {
    let n_rows = values.len();
    Leased::new(Rows { values, n_rows }, Lease::new(&Memory::new(usize::MAX)))
}

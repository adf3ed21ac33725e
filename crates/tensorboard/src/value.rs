//! Values: numbers, texts, images, models.

use crate::proto::{Tensor, Value};

/// A number, for the Scalars page.
pub fn scalar(tag: impl Into<String>, value: f32) -> Value {
    Value::new(tag, "scalars", Vec::new(), Tensor::floats(&[], [value]))
}

/// A text in Markdown, for the Text page.
pub fn text(tag: impl Into<String>, text: impl Into<String>) -> Value {
    Value::new(tag, "text", Vec::new(), Tensor::strings(&[], vec![text.into().into_bytes()]))
}

/// A picture, for the Images page.
pub fn image(tag: impl Into<String>, picture: &crate::picture::Canvas) -> Value {
    let size = [picture.width(), picture.height()].map(|pixels| pixels.to_string().into_bytes());
    let [width, height] = size;
    Value::new(tag, "images", Vec::new(), Tensor::strings(&[3], vec![width, height, picture.to_png()]))
}

/// A model as Keras's JSON, for the Graphs page; Keras's own tag is `keras`. See [`keras`](crate::keras).
pub fn keras_model(tag: impl Into<String>, json: &serde_json::Value) -> Value {
    let json = json.to_string().into_bytes();
    Value::new(tag, "graph_keras_model", b"1".to_vec(), Tensor::strings(&[], vec![json]))
}

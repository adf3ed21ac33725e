//! The protocol buffers of event files, as far as they are used here: `tensorflow/core/util/event.proto`,
//! `framework/summary.proto`, `framework/tensor.proto`, `framework/tensor_shape.proto`.

use prost::{Enumeration, Message, Oneof};

/// One record of an event file.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step, from 0.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// Its content.
    #[prost(oneof = "EventContent", tags = "3, 4, 5, 7")]
    pub what: Option<EventContent>,
}

/// The content of an event.
#[derive(Clone, PartialEq, Oneof)]
pub enum EventContent {
    /// The first record of every file.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// The graph of a network, encoded: see [`graph_def`](crate::keras::graph_def).
    #[prost(bytes, tag = "4")]
    GraphDef(Vec<u8>),
    /// The values of a step.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// The start or end of a process.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Values of one step.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// The status of a process.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct SessionLog {
    /// 1: it starts at the event's step; earlier records of that step and later ones are obsolete.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// A named tensor, and the page of TensorBoard that shows it.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The name.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The tensor.
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<Tensor>,
    /// The page.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
}

/// The page that shows a value, and how.
#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    /// The page.
    #[prost(message, optional, tag = "1")]
    pub plugin: Option<Plugin>,
    /// The title shown instead of the tag.
    #[prost(string, tag = "2")]
    pub display_name: String,
    /// Its description, in Markdown.
    #[prost(string, tag = "3")]
    pub description: String,
}

/// A page of TensorBoard.
#[derive(Clone, PartialEq, Message)]
pub struct Plugin {
    /// The page's name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The page's own metadata of the tag, in its own encoding.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// A tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// The type of its elements.
    #[prost(enumeration = "DataType", tag = "1")]
    pub dtype: i32,
    /// Its shape.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
    /// Its elements, little-endian and row-major, if they are numbers.
    #[prost(bytes = "vec", tag = "4")]
    pub content: Vec<u8>,
    /// Its elements, if they are byte strings.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub strings: Vec<Vec<u8>>,
}

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum DataType {
    /// None.
    Invalid = 0,
    /// `f32`.
    Float = 1,
    /// `f64`.
    Double = 2,
    /// Bytes.
    String = 7,
}

/// A tensor's shape; a scalar's has no dimensions.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// Its dimensions.
    #[prost(message, repeated, tag = "2")]
    pub dims: Vec<Dim>,
}

/// A dimension.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Dim {
    /// Its length.
    #[prost(int64, tag = "1")]
    pub size: i64,
}

impl Tensor {
    /// A tensor of f32.
    pub fn floats(shape: &[usize], values: impl IntoIterator<Item = f32>) -> Tensor {
        let content = values.into_iter().flat_map(f32::to_le_bytes).collect();
        Tensor { dtype: DataType::Float.into(), shape: Some(Shape::of(shape)), content, strings: Vec::new() }
    }

    /// A tensor of f64.
    pub fn doubles(shape: &[usize], values: impl IntoIterator<Item = f64>) -> Tensor {
        let content = values.into_iter().flat_map(f64::to_le_bytes).collect();
        Tensor { dtype: DataType::Double.into(), shape: Some(Shape::of(shape)), content, strings: Vec::new() }
    }

    /// A tensor of byte strings.
    pub fn strings(shape: &[usize], strings: Vec<Vec<u8>>) -> Tensor {
        Tensor { dtype: DataType::String.into(), shape: Some(Shape::of(shape)), content: Vec::new(), strings }
    }

    /// The f32 elements; empty for another type.
    pub fn to_floats(&self) -> Vec<f32> {
        let of_type = self.dtype() == DataType::Float;
        let (values, _) = if of_type { self.content.as_chunks() } else { (&[][..], &[][..]) };
        values.iter().copied().map(f32::from_le_bytes).collect()
    }

    /// The f64 elements; empty for another type.
    pub fn to_doubles(&self) -> Vec<f64> {
        let of_type = self.dtype() == DataType::Double;
        let (values, _) = if of_type { self.content.as_chunks() } else { (&[][..], &[][..]) };
        values.iter().copied().map(f64::from_le_bytes).collect()
    }
}

impl Shape {
    fn of(dims: &[usize]) -> Shape {
        Shape { dims: dims.iter().map(|&size| Dim { size: size as i64 }).collect() }
    }
}

impl Value {
    /// A tensor for the page `plugin`, with that page's own `content`.
    pub(crate) fn new(tag: impl Into<String>, plugin: &str, content: Vec<u8>, tensor: Tensor) -> Value {
        let plugin = Plugin { name: plugin.to_owned(), content };
        let metadata = Metadata { plugin: Some(plugin), ..Metadata::default() };
        Value { tag: tag.into(), tensor: Some(tensor), metadata: Some(metadata) }
    }

    /// The name of the page that shows it.
    pub fn plugin(&self) -> &str {
        let plugin = self.metadata.as_ref().and_then(|metadata| metadata.plugin.as_ref());
        plugin.map_or("", |plugin| &plugin.name)
    }

    /// The number of a [`scalar`](crate::scalar).
    pub fn as_scalar(&self) -> Option<f32> {
        match &self.tensor.as_ref()?.to_floats()[..] {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// Adds a description, in Markdown.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Value {
        self.metadata.get_or_insert_default().description = description.into();
        self
    }

    /// Shows it under another name than its tag.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Value {
        self.metadata.get_or_insert_default().display_name = name.into();
        self
    }
}

//! Parts of ONNX's protocol buffers, whose types are those of `tract`.

use headsmith_heads::graph::{Constant, Numbers};
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value;
use tract_onnx::pb::{
    AttributeProto, NodeProto, StringStringEntryProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};

/// A node with one output, or several.
pub(crate) fn node(
    op: &str,
    inputs: &[String],
    outputs: &[String],
    attributes: Vec<AttributeProto>,
) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        name: format!("{}_{op}", outputs.first().map_or("", String::as_str)),
        input: inputs.to_vec(),
        output: outputs.to_vec(),
        attribute: attributes,
        ..NodeProto::default()
    }
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: r#type as i32, ..AttributeProto::default() }
}

pub(crate) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { i, ..attribute(name, AttributeType::Int) }
}

pub(crate) fn ints(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { ints, ..attribute(name, AttributeType::Ints) }
}

pub(crate) fn floats(name: &str, floats: Vec<f32>) -> AttributeProto {
    AttributeProto { floats, ..attribute(name, AttributeType::Floats) }
}

pub(crate) fn strings(name: &str, strings: Vec<Vec<u8>>) -> AttributeProto {
    AttributeProto { strings, ..attribute(name, AttributeType::Strings) }
}

pub(crate) fn string(name: &str, text: &str) -> AttributeProto {
    AttributeProto { s: text.as_bytes().to_vec(), ..attribute(name, AttributeType::String) }
}

pub(crate) fn tensor(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto { t: Some(tensor), ..attribute(name, AttributeType::Tensor) }
}

fn raw(name: &str, dims: &[usize], of: DataType, raw_data: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|n| *n as i64).collect(),
        data_type: of as i32,
        raw_data,
        ..TensorProto::default()
    }
}

/// A tensor of single precision.
pub(crate) fn f32s(name: &str, dims: &[usize], values: &[f32]) -> TensorProto {
    raw(name, dims, DataType::Float, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A tensor of double precision.
pub(crate) fn f64s(name: &str, dims: &[usize], values: &[f64]) -> TensorProto {
    raw(name, dims, DataType::Double, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A tensor of 64-bit integers.
pub(crate) fn i64s(name: &str, dims: &[usize], values: &[i64]) -> TensorProto {
    raw(name, dims, DataType::Int64, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// A tensor of bytes.
pub(crate) fn u8s(name: &str, dims: &[usize], values: &[u8]) -> TensorProto {
    raw(name, dims, DataType::Uint8, values.to_vec())
}

/// A tensor of texts.
pub(crate) fn texts(name: &str, texts: &[String]) -> TensorProto {
    TensorProto {
        string_data: texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
        ..raw(name, &[texts.len()], DataType::String, Vec::new())
    }
}

/// A constant of a graph.
pub(crate) fn constant(name: &str, constant: &Constant) -> TensorProto {
    let dims = [constant.n_rows, constant.n_cols];
    match &constant.numbers {
        Numbers::Float(values) => f32s(name, &dims, values),
        Numbers::Double(values) => f64s(name, &dims, values),
    }
}

/// An input or output of a graph: rows, of any number, of `width` elements; `None`: one element each, without an axis.
pub(crate) fn value_info(name: &str, of: DataType, width: Option<usize>) -> ValueInfoProto {
    let dimension = |value| Dimension { value: Some(value), ..Dimension::default() };
    let rows = dimension(Value::DimParam("N".to_owned()));
    let width = width.map(|n| dimension(Value::DimValue(n as i64)));
    let shape = TensorShapeProto { dim: std::iter::once(rows).chain(width).collect() };
    let tensor = type_proto::Tensor { elem_type: of as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// An entry of the metadata.
pub(crate) fn entry(key: &str, value: impl Into<String>) -> StringStringEntryProto {
    StringStringEntryProto { key: key.to_owned(), value: value.into() }
}

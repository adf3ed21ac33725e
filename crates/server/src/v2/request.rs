//! The body of an infer request: JSON, after which the bytes of a tensor may follow.

use hyper::HeaderMap;

use super::EMBEDDINGS;
use super::datatype::Datatype;
use crate::failure::{Failure, Result, shown};
use crate::json::Cursor;
use crate::rows::{Rows, Shape};

/// The header with the length of the JSON, where binary data follows.
pub(crate) const JSON_LENGTH: &str = "inference-header-content-length";

/// The length of the JSON in a body, where binary data follows.
pub(crate) fn json_length(headers: &HeaderMap) -> Result<Option<usize>> {
    let Some(value) = headers.get(JSON_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.map(Some).ok_or_else(|| Failure::bad(format!("the header {JSON_LENGTH} is no length")))
}

/// An infer request.
#[derive(Debug, Default)]
pub(crate) struct InferRequest {
    /// Given back.
    pub(crate) id: Option<String>,
    pub(crate) rows: Rows,
    /// The outputs that are asked for, and whether each is to be binary; `None`: all, as [`InferRequest::is_binary`] says.
    pub(crate) outputs: Option<Vec<(String, bool)>>,
    pub(crate) is_binary: bool,
}

/// The only input, before its parts are compared.
#[derive(Debug, Default)]
struct Input {
    name: Option<String>,
    shape: Option<Vec<u64>>,
    datatype: Option<Datatype>,
    binary_size: Option<usize>,
    data: Option<(Vec<f32>, Option<usize>)>,
}

impl InferRequest {
    /// Reads a body whose first `json_length` bytes are JSON; all where it is `None`.
    pub(crate) fn read(body: &[u8], json_length: Option<usize>, shape: Shape) -> Result<InferRequest> {
        let length = json_length.unwrap_or(body.len());
        let (json, binary) = body.split_at_checked(length).ok_or_else(|| {
            Failure::bad(format!(
                "the header {JSON_LENGTH} is {length}, and the body has {} bytes",
                body.len()
            ))
        })?;
        let (mut request, mut input) = (InferRequest::default(), None);
        let mut cursor = Cursor::new(json);
        cursor.object(|key, cursor| {
            match key {
                "id" => request.id = Some(cursor.string()?),
                "parameters" => parameters(cursor, "binary_data_output", |is| request.is_binary = is)?,
                "inputs" if input.is_none() => input = Some(only_input(cursor, shape)?),
                "inputs" => return Err(Failure::bad("`inputs` occurs twice")),
                "outputs" => request.outputs = Some(outputs(cursor)?),
                _ => return Err(unknown(key, "an infer request")),
            }
            Ok(())
        })?;
        cursor.end()?;
        let input = input.ok_or_else(|| Failure::bad("`inputs` is missing"))?;
        request.rows = input.rows(binary, shape)?;
        Ok(request)
    }
}

fn unknown(key: &str, of: &str) -> Failure {
    Failure::bad(format!("the key `{}` of {of} is unknown", shown(key)))
}

/// Reads parameters, of which `wanted` is a flag; others are ignored, as the protocol asks.
fn parameters(cursor: &mut Cursor<'_>, wanted: &str, mut set: impl FnMut(bool)) -> Result<()> {
    cursor.object(|key, cursor| match key {
        key if key == wanted => cursor.value("true or false").map(&mut set),
        "classification" => {
            Err(Failure::bad("the classification extension is not supported: ask for `label`"))
        }
        _ => other_parameter(key, cursor),
    })
}

/// Passes over a parameter, unless it asks for what is not done here.
fn other_parameter(key: &str, cursor: &mut Cursor<'_>) -> Result<()> {
    match key.starts_with("shared_memory") {
        true => Err(Failure::bad("shared memory is not supported: send the tensor as data")),
        false => cursor.skip(),
    }
}

fn outputs(cursor: &mut Cursor<'_>) -> Result<Vec<(String, bool)>> {
    let mut outputs = Vec::new();
    cursor.array(|i, cursor| {
        // A model has at most three.
        if i == 3 {
            return Err(Failure::bad("`outputs` names more outputs than there are"));
        }
        let (mut name, mut is_binary) = (None, false);
        cursor.object(|key, cursor| match key {
            "name" => cursor.string().map(|text| name = Some(text)),
            "parameters" => parameters(cursor, "binary_data", |is| is_binary = is),
            _ => Err(unknown(key, "an output")),
        })?;
        let name = name.ok_or_else(|| Failure::bad("an output has no `name`"))?;
        outputs.push((name, is_binary));
        Ok(())
    })?;
    Ok(outputs)
}

fn only_input(cursor: &mut Cursor<'_>, shape: Shape) -> Result<Input> {
    let mut input = None;
    cursor.array(|i, cursor| match i {
        0 => Input::read(cursor, shape).map(|read| input = Some(read)),
        _ => Err(Failure::bad(format!("the request has several inputs, expected one, `{EMBEDDINGS}`"))),
    })?;
    input.ok_or_else(|| Failure::bad(format!("the request has no input, expected `{EMBEDDINGS}`")))
}

impl Input {
    fn read(cursor: &mut Cursor<'_>, shape: Shape) -> Result<Input> {
        let mut input = Input::default();
        cursor.object(|key, cursor| {
            match key {
                "name" => input.name = Some(cursor.string()?),
                "shape" => input.shape = Some(sizes(cursor, shape)?),
                "datatype" => input.datatype = Some(Datatype::named(&cursor.string()?)?),
                "parameters" => input.read_parameters(cursor)?,
                "data" if input.data.is_none() => input.data = Some(shape.numbers(cursor)?),
                "data" => return Err(Failure::bad("`data` occurs twice")),
                _ => return Err(unknown(key, "an input")),
            }
            Ok(())
        })?;
        Ok(input)
    }

    fn read_parameters(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        cursor.object(|key, cursor| match key {
            "binary_data_size" => cursor.value("a number of bytes").map(|size| self.binary_size = Some(size)),
            _ => other_parameter(key, cursor),
        })
    }

    /// The rows, if all parts agree.
    fn rows(self, binary: &[u8], shape: Shape) -> Result<Rows> {
        if self.name.as_deref() != Some(EMBEDDINGS) {
            return Err(Failure::bad(format!("the input must be named `{EMBEDDINGS}`")));
        }
        let n_rows = claimed_rows(self.shape.as_deref().unwrap_or_default(), shape)?;
        let n_values = n_rows * shape.n_features;
        let datatype =
            self.datatype.ok_or_else(|| Failure::bad(format!("`{EMBEDDINGS}` has no `datatype`")))?;
        let values = match (self.data, self.binary_size) {
            (Some((values, nested)), None) if binary.is_empty() => {
                datatype.check_json(&values)?;
                check_count("rows", nested.unwrap_or(n_rows), n_rows)?;
                values
            }
            (None, Some(size)) => {
                check_count("bytes by `binary_data_size`", size, n_values * datatype.size())?;
                check_count("bytes after the JSON", binary.len(), size)?;
                datatype.decode(binary)
            }
            _ => {
                return Err(Failure::bad(format!(
                    "`{EMBEDDINGS}` must have either `data` or `binary_data_size`"
                )));
            }
        };
        check_count("numbers", values.len(), n_values)?;
        if let Some(i) = values.iter().position(|value| !value.is_finite()) {
            let (row, feature) = (i / shape.n_features, i % shape.n_features);
            return Err(Failure::bad(format!(
                "row {row}, feature {feature} is {}, expected a finite number",
                values[i]
            )));
        }
        Ok(Rows { values, n_rows })
    }
}

fn check_count(what: &str, found: usize, expected: usize) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => {
            Err(Failure::bad(format!("`{EMBEDDINGS}` has {found} {what}, expected {expected} by its shape")))
        }
    }
}

/// The numbers of a tensor's `shape`: no more are read than rows of embeddings have.
fn sizes(cursor: &mut Cursor<'_>, shape: Shape) -> Result<Vec<u64>> {
    let mut sizes = Vec::new();
    cursor.array(|i, cursor| match i {
        0 | 1 => cursor.value("a whole number").map(|size| sizes.push(size)),
        _ => Err(wrong_shape(shape)),
    })?;
    Ok(sizes)
}

fn wrong_shape(shape: Shape) -> Failure {
    Failure::bad(format!("the shape of `{EMBEDDINGS}` must be [n_rows, {}]", shape.n_features))
}

/// The number of rows of a tensor's shape, compared with what a request may have.
fn claimed_rows(claimed: &[u64], shape: Shape) -> Result<usize> {
    let n_features = shape.n_features as u64;
    let n_rows = match claimed {
        [n_rows, width] if *width == n_features => *n_rows,
        [width] if *width == n_features => 1,
        _ => return Err(wrong_shape(shape)),
    };
    // More than a request may have, if it is more than a number of rows can be.
    let n_rows = usize::try_from(n_rows).unwrap_or(usize::MAX);
    shape.check_rows(n_rows)?;
    Ok(n_rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { n_features: 2, max_rows: 3 };

    fn read(text: &str) -> Result<InferRequest> {
        InferRequest::read(text.as_bytes(), None, SHAPE)
    }

    fn input(rest: &str) -> String {
        format!(r#"{{"inputs": [{{"name": "embeddings", {rest}}}]}}"#)
    }

    #[test]
    fn data_is_nested_or_flat_in_any_order_of_keys() {
        for rest in [
            r#""shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]"#,
            r#""data": [[1, 2], [3, 4]], "datatype": "INT64", "shape": [2, 2]"#,
        ] {
            let request = read(&input(rest)).unwrap();
            assert_eq!((request.rows.values, request.rows.n_rows), (vec![1.0, 2.0, 3.0, 4.0], 2));
        }
        let request =
            read(&input(r#""shape": [2], "datatype": "FP64", "data": [1, 2], "parameters": {"x": [1]}"#))
                .unwrap();
        assert_eq!(request.rows.n_rows, 1);
        let text = r#"{"id": "a", "parameters": {"binary_data_output": true}, "outputs": [{"name": "label", "parameters": {"binary_data": true}}],
            "inputs": [{"name": "embeddings", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}"#;
        let request = read(text).unwrap();
        assert_eq!(request.id.as_deref(), Some("a"));
        assert_eq!(request.outputs, Some(vec![("label".to_owned(), true)]));
        assert!(request.is_binary);
    }

    #[test]
    fn parts_that_do_not_agree_are_refused() {
        let cases = [
            (r#""shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3]"#, "3 numbers, expected 4"),
            (r#""shape": [1, 2], "datatype": "FP32", "data": [[1, 2], [3, 4]]"#, "2 rows, expected 1"),
            (r#""shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4]"#, "must be [n_rows, 2]"),
            (r#""shape": [9223372036854775807, 2], "datatype": "FP32", "data": [1]"#, "more than 3 rows"),
            (r#""shape": [18446744073709551615, 2], "datatype": "FP32", "data": [1]"#, "more than 3 rows"),
            (r#""shape": [-1, 2], "datatype": "FP32", "data": [1]"#, "a whole number"),
            (r#""shape": [1, 2, 0, 0], "datatype": "FP32", "data": [1, 2]"#, "must be [n_rows, 2]"),
            (r#""shape": [0, 2], "datatype": "FP32", "data": []"#, "no rows"),
            (r#""shape": [1, 2], "datatype": "FP16", "data": [1, 2]"#, "JSON has no FP16"),
            (r#""shape": [1, 2], "datatype": "INT8", "data": [1, 2.5]"#, "whole numbers"),
            (r#""shape": [1, 2], "datatype": "BYTES", "data": ["a", "b"]"#, "unknown"),
            (r#""shape": [1, 2], "datatype": "FP32""#, "either `data` or `binary_data_size`"),
            (
                r#""shape": [1, 2], "datatype": "FP32", "parameters": {"shared_memory_region": "x"}, "data": [1, 2]"#,
                "shared memory",
            ),
            (r#""shape": [1, 2], "datatype": "FP32", "data": [1, 2], "data": [1, 2]"#, "twice"),
        ];
        for (rest, message) in cases {
            let found = read(&input(rest)).unwrap_err().message;
            assert!(found.contains(message), "{rest}: {found}");
        }
        for text in [
            "",
            "[]",
            "{}",
            r#"{"inputs": []}"#,
            r#"{"inputs": [{}]}"#,
            r#"{"inputs": [{"name": "x"}]}"#,
            r#"{"x": 1}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn binary_data_has_the_size_that_all_its_claims_say() {
        let binary = |size: u64, claimed: Option<usize>, bytes: &[u8]| {
            let json = input(&format!(
                r#""shape": [1, 2], "datatype": "FP32", "parameters": {{"binary_data_size": {size}}}"#
            ));
            let body = [json.as_bytes(), bytes].concat();
            InferRequest::read(&body, Some(claimed.unwrap_or(json.len())), SHAPE)
                .map_err(|failure| failure.message)
        };
        let bytes = [1.0f32, -2.0].map(f32::to_le_bytes).concat();
        assert_eq!(binary(8, None, &bytes).unwrap().rows.values, [1.0, -2.0]);
        assert!(binary(8, None, &bytes[..7]).unwrap_err().contains("7 bytes after the JSON, expected 8"));
        assert!(
            binary(8, None, &[&bytes[..], &[0]].concat()).unwrap_err().contains("9 bytes after the JSON")
        );
        assert!(
            binary(7, None, &bytes[..7]).unwrap_err().contains("7 bytes by `binary_data_size`, expected 8")
        );
        assert!(binary(u64::MAX, None, &bytes).unwrap_err().contains("expected 8"));
        assert!(binary(8, Some(usize::MAX), &bytes).unwrap_err().contains("and the body has"));
        assert!(binary(8, Some(0), &bytes).is_err());
        let nan = [1.0f32, f32::NAN].map(f32::to_le_bytes).concat();
        assert!(binary(8, None, &nan).unwrap_err().contains("row 0, feature 1 is NaN"));
    }
}

//! The body of an infer request: JSON, after which the bytes of a tensor may follow.

use hyper::HeaderMap;

use super::EMBEDDINGS;
use super::datatype::Datatype;
use crate::failure::{Failure, Result, shown};
use crate::json::Cursor;
use crate::memory::Lease;
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
struct Input<'b> {
    name: Option<String>,
    shape: Option<Vec<u64>>,
    datatype: Option<Datatype>,
    binary_size: Option<usize>,
    data: Option<(Vec<f32>, Option<usize>)>,
    /// Where the data begins that came before its datatype.
    unread: Option<Cursor<'b>>,
}

impl InferRequest {
    /// Reads a body whose first `json_length` bytes are JSON; all where it is `None`. The rows are counted in `lease` before they are decoded.
    pub(crate) fn read(
        body: &[u8],
        json_length: Option<usize>,
        shape: Shape,
        lease: &mut Lease,
    ) -> Result<InferRequest> {
        let length = json_length.unwrap_or(body.len());
        let (json, binary) = body.split_at_checked(length).ok_or_else(|| {
            Failure::bad(format!(
                "the header {JSON_LENGTH} is {length}, and the body has {} bytes",
                body.len()
            ))
        })?;
        lease.grow(shape.most_bytes(json))?;
        let (mut request, mut input) = (InferRequest::default(), None);
        let (mut cursor, mut keys) = (Cursor::new(json), Keys::of("an infer request", &REQUEST_KEYS));
        cursor.object(|key, cursor| {
            match keys.next(key)? {
                "inputs" => input = Some(only_input(cursor, shape)?),
                _ if cursor.null() => {}
                "id" => request.id = Some(cursor.string()?),
                "outputs" => request.outputs = Some(outputs(cursor)?),
                _ => parameters(cursor, "binary_data_output", |is| request.is_binary = is)?,
            }
            Ok(())
        })?;
        cursor.end()?;
        let input: Input<'_> = input.ok_or_else(|| Failure::bad("`inputs` is missing"))?;
        request.rows = input.rows(binary, shape, lease)?;
        Ok(request)
    }
}

const REQUEST_KEYS: [&str; 4] = ["id", "parameters", "inputs", "outputs"];
const OUTPUT_KEYS: [&str; 2] = ["name", "parameters"];
const INPUT_KEYS: [&str; 5] = ["name", "shape", "datatype", "parameters", "data"];

/// The keys of an object, each of which may occur once.
#[derive(Debug)]
struct Keys {
    of: &'static str,
    left: Vec<&'static str>,
    met: Vec<&'static str>,
}

impl Keys {
    fn of(of: &'static str, known: &[&'static str]) -> Keys {
        Keys { of, left: known.to_vec(), met: Vec::new() }
    }

    /// The known key that `key` is.
    fn next(&mut self, key: &str) -> Result<&'static str> {
        if let Some(i) = self.left.iter().position(|known| *known == key) {
            let known = self.left.swap_remove(i);
            self.met.push(known);
            return Ok(known);
        }
        match self.met.contains(&key) {
            true => Err(Failure::bad(format!("`{key}` occurs twice"))),
            false => Err(Failure::bad(format!("the key `{}` of {} is unknown", shown(key), self.of))),
        }
    }
}

/// Reads parameters, of which `wanted` is a flag; others are ignored, as the protocol asks.
fn parameters(cursor: &mut Cursor<'_>, wanted: &str, mut set: impl FnMut(bool)) -> Result<()> {
    cursor.object(|key, cursor| match key {
        key if key == wanted && !cursor.null() => cursor.value("true or false").map(&mut set),
        key if key == wanted => Ok(()),
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
        let mut keys = Keys::of("an output", &OUTPUT_KEYS);
        cursor.object(|key, cursor| match keys.next(key)? {
            "name" => cursor.string().map(|text| name = Some(text)),
            _ if cursor.null() => Ok(()),
            _ => parameters(cursor, "binary_data", |is| is_binary = is),
        })?;
        let name = name.ok_or_else(|| Failure::bad("an output has no `name`"))?;
        outputs.push((name, is_binary));
        Ok(())
    })?;
    Ok(outputs)
}

fn only_input<'b>(cursor: &mut Cursor<'b>, shape: Shape) -> Result<Input<'b>> {
    let mut input = None;
    cursor.array(|i, cursor| match i {
        0 => Input::read(cursor, shape).map(|read| input = Some(read)),
        _ => Err(Failure::bad(format!("the request has several inputs, expected one, `{EMBEDDINGS}`"))),
    })?;
    input.ok_or_else(|| Failure::bad(format!("the request has no input, expected `{EMBEDDINGS}`")))
}

impl<'b> Input<'b> {
    fn read(cursor: &mut Cursor<'b>, shape: Shape) -> Result<Input<'b>> {
        let (mut input, mut keys) = (Input::default(), Keys::of("an input", &INPUT_KEYS));
        cursor.object(|key, cursor| {
            match (keys.next(key)?, input.datatype) {
                ("name", _) => input.name = Some(cursor.string()?),
                ("shape", _) => input.shape = Some(sizes(cursor, shape)?),
                ("datatype", _) => input.datatype = Some(Datatype::named(&cursor.string()?)?),
                ("parameters", _) if cursor.null() => {}
                ("parameters", _) => input.read_parameters(cursor)?,
                (_, Some(datatype)) => input.data = Some(datatype.read_json(cursor, shape)?),
                (_, None) => {
                    input.unread = Some(cursor.clone());
                    cursor.skip()?;
                }
            }
            Ok(())
        })?;
        if let (Some(mut data), Some(datatype)) = (input.unread.take(), input.datatype) {
            input.data = Some(datatype.read_json(&mut data, shape)?);
        }
        Ok(input)
    }

    fn read_parameters(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        cursor.object(|key, cursor| match key {
            "binary_data_size" => cursor.value("a number of bytes").map(|size| self.binary_size = Some(size)),
            _ => other_parameter(key, cursor),
        })
    }

    /// The rows, if all parts agree.
    fn rows(self, binary: &[u8], shape: Shape, lease: &mut Lease) -> Result<Rows> {
        if self.name.as_deref() != Some(EMBEDDINGS) {
            return Err(Failure::bad(format!("the input must be named `{EMBEDDINGS}`")));
        }
        let n_rows = claimed_rows(self.shape.as_deref().unwrap_or_default(), shape)?;
        let n_values = n_rows * shape.n_features;
        let datatype =
            self.datatype.ok_or_else(|| Failure::bad(format!("`{EMBEDDINGS}` has no `datatype`")))?;
        let values = match (self.data, self.binary_size) {
            (Some((values, nested)), None) if binary.is_empty() => {
                check_count("rows", nested.unwrap_or(n_rows), n_rows)?;
                values
            }
            (None, Some(size)) => {
                check_count("bytes by `binary_data_size`", size, n_values * datatype.size())?;
                check_count("bytes after the JSON", binary.len(), size)?;
                lease.settle(n_values * size_of::<f32>())?;
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
    use crate::memory::Memory;

    const SHAPE: Shape = Shape { n_features: 2, max_rows: 3 };

    fn read(text: &str) -> Result<InferRequest> {
        read_bytes(text.as_bytes(), None, 1000)
    }

    fn read_bytes(body: &[u8], json_length: Option<usize>, memory: usize) -> Result<InferRequest> {
        InferRequest::read(body, json_length, SHAPE, &mut Lease::new(&Memory::new(memory)))
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
            (r#""shape": [1, 2], "datatype": "INT8", "data": [1, 2.5]"#, "whole number from -128 to 127"),
            (r#""shape": [1, 2], "data": [1, -5], "datatype": "UINT8""#, "whole number from 0 to 255"),
            (
                r#""shape": [1, 2], "shape": [1, 2], "datatype": "FP32", "data": [1, 2]"#,
                "`shape` occurs twice",
            ),
            (
                r#""shape": [1, 2], "datatype": "INT8", "datatype": "FP32", "data": [1, 2]"#,
                "`datatype` occurs twice",
            ),
            (
                r#""name": "embeddings", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]"#,
                "`name` occurs twice",
            ),
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
    fn optional_keys_may_be_null_and_none_may_occur_twice() {
        let inputs = r#""inputs": [{"name": "embeddings", "shape": [1, 2], "datatype": "FP32", "data": [1, 2], "parameters": null}]"#;
        let request = |rest: &str| read(&format!("{{{inputs}{rest}}}")).map_err(|failure| failure.message);
        let nulls = request(r#", "id": null, "parameters": null, "outputs": null"#).unwrap();
        assert!(nulls.id.is_none() && nulls.outputs.is_none() && !nulls.is_binary);
        let nulls = request(
            r#", "parameters": {"binary_data_output": null}, "outputs": [{"name": "label", "parameters": null}]"#,
        );
        assert_eq!(nulls.unwrap().outputs, Some(vec![("label".to_owned(), false)]));
        for (rest, key) in [
            (r#", "id": "a", "id": "b""#, "id"),
            (r#", "outputs": [], "outputs": []"#, "outputs"),
            (r#", "parameters": {}, "parameters": {}"#, "parameters"),
            (r#", "outputs": [{"name": "label", "name": "label"}]"#, "name"),
            (&format!(", {inputs}"), "inputs"),
        ] {
            assert_eq!(request(rest).unwrap_err(), format!("`{key}` occurs twice"), "{rest}");
        }
    }

    #[test]
    fn binary_data_has_the_size_that_all_its_claims_say() {
        let binary = |size: u64, claimed: Option<usize>, bytes: &[u8]| {
            let json = input(&format!(
                r#""shape": [1, 2], "datatype": "FP32", "parameters": {{"binary_data_size": {size}}}"#
            ));
            let body = [json.as_bytes(), bytes].concat();
            read_bytes(&body, Some(claimed.unwrap_or(json.len())), 1000).map_err(|failure| failure.message)
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
    #[test]
    fn rows_count_as_they_are_decoded_and_not_as_they_came() {
        let json = input(r#""shape": [3, 2], "datatype": "INT8", "parameters": {"binary_data_size": 6}"#);
        let body = [json.as_bytes(), &[1, 2, 3, 4, 5, 6]].concat();
        let status = |memory: usize| {
            read_bytes(&body, Some(json.len()), memory).map_err(|failure| failure.status.as_u16()).err()
        };
        assert_eq!([24, 23].map(status), [None, Some(413)]);
        let text = input(r#""shape": [3, 2], "datatype": "INT8", "data": [1,2,3,4,5,6]"#);
        let status =
            |memory: usize| read_bytes(text.as_bytes(), None, memory).map_err(|f| f.status.as_u16()).err();
        assert_eq!([24, 23].map(status), [None, Some(413)]);
    }
}

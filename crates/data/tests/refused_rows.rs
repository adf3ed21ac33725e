//! Bad rows, each refused with line, column, element, expected and found values; and the remaining rows if bad ones
//! are skipped.

use crate::{assert_messages, data, message, read_data, skipping, warnings};
use headsmith_data::{Dtype, ReadOptions, read, read_bytes};
use headsmith_kernels::Pool;

/// A CSV of three rows, of which this is the middle one.
fn around(row: &[u8]) -> Vec<u8> {
    let before = b"embeddings,label\n\"[1.5, 2, 3]\",a\n";
    let after = b"\n\"[7, 8, 9]\",b\n\"[1, 0, 1]\",a\n";
    [&before[..], row, after].concat()
}

/// Every bad row has its message; skipping it affects no other row.
fn refuse(cases: Vec<(&str, Vec<u8>)>, file: impl Fn(&[u8]) -> Vec<u8>) -> Vec<(String, String)> {
    let mut messages = Vec::new();
    for (name, row) in cases {
        let text = file(&row);
        let error = read_bytes("train.csv", &text, &ReadOptions::default(), &Pool::inline()).expect_err(name);
        assert!(error.is_row(), "{name}: {error}");
        assert_eq!(error.place().unwrap().line, Some(3), "{name}");
        let table = read_bytes("train.csv", &text, &skipping(), &Pool::inline()).unwrap();
        assert_eq!(table.x().as_slice(), [1.5, 2.0, 3.0, 7.0, 8.0, 9.0, 1.0, 0.0, 1.0], "{name}");
        assert_eq!(table.n_skipped(), 1, "{name}");
        assert_eq!(table.location(1).line, Some(4), "{name}");
        messages.push((name.to_owned(), error.to_string()));
    }
    messages
}

#[test]
fn fields() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("short row", b"\"[4, 5, 6]\"".to_vec()),
        ("long row", b"\"[4, 5, 6]\",b,c".to_vec()),
        ("cut quote", b"\"[4, 5, 6],b".to_vec()),
        ("cut opening quote", b"[4, 5, 6]\",b".to_vec()),
        ("text after a quote", b"\"[4, 5, 6]\"x,b".to_vec()),
        ("a quote inside a label", b"\"[4, 5, 6]\",b\"c".to_vec()),
        ("NUL in the label", b"\"[4, 5, 6]\",b\0".to_vec()),
        ("NUL in the list", b"\"[4, 5\0, 6]\",b".to_vec()),
        ("bad UTF-8 in the label", b"\"[4, 5, 6]\",b\xFF".to_vec()),
        ("bad UTF-8 in the list", b"\"[4, \xFF5, 6]\",b".to_vec()),
        ("a carriage return within the row", b"\"[4, 5, 6]\",b\rc".to_vec()),
        ("unquoted list", b"[4, 5, 6],b".to_vec()),
        ("missing label", b"\"[4, 5, 6]\",".to_vec()),
        ("blank label", b"\"[4, 5, 6]\",\"  \"".to_vec()),
    ];
    assert_messages!(refuse(cases, around));
}

#[test]
fn lists() {
    let long = format!("[{}]", "0.5, ".repeat(600_000));
    let number = format!("[4, {}, 6]", "7".repeat(5000));
    let cases = [
        ("wrong dimension", "[4, 5]"),
        ("empty list", "[]"),
        ("empty cell", ""),
        ("NaN", "[4, nan, 6]"),
        ("infinity", "[4, 5, -inf]"),
        ("None", "[None, 5, 6]"),
        ("a comma missing", "[4, 5 6]"),
        ("an ellipsis", "[4, ..., 6]"),
        ("an ellipsis in an array", "array([4., ..., 6.], dtype=float32)"),
        ("NumPy's ellipsis", "[4. 5. ... 6.]"),
        ("two commas", "[4,, 6]"),
        ("a leading comma", "[, 5, 6]"),
        ("unclosed", "[4, 5, 6"),
        ("unclosed, cut", "[4, 5, 6."),
        ("several lists", "[[4, 5, 6], [7, 8, 9]]"),
        ("several lists as NumPy prints them", "[[4. 5. 6.] [7. 8. 9.]]"),
        ("a call of something else", "print([4, 5, 6])"),
        ("an array that is cut", "array([4, 5, 6]"),
        ("a dictionary", "{4: 5, 6: 7, 8: 9}"),
        ("decimal commas", "[4,0, 5,0, 6,0]"),
        ("text", "[4, five, 6]"),
        ("1e999", "[4, 1e999, 6]"),
        ("f32 overflow", "[4, 3.5e38, 6]"),
        ("U+2212", "[4, \u{2212}5, 6]"),
        ("a no-break space", "[4,\u{a0}5, 6]"),
        ("600,000 elements", &long),
        ("a number of 5,000 digits", &number),
        ("an underscore", "[4, 5_0, 6]"),
        ("hexadecimal", "[4, 0x5, 6]"),
        ("text behind the list", "[4, 5, 6] * 2"),
    ];
    let row = |(name, list): (&'static str, &str)| (name, format!("\"{list}\",b").into_bytes());
    assert_messages!(refuse(cases.into_iter().map(row).collect(), around));
}

#[test]
fn feature_columns() {
    let around = |row: &[u8]| [b"f0,f1,f2,label\n1.5,2,3,a\n", row, b"\n7,8,9,b\n1,0,1,a\n"].concat();
    let cases = [
        ("short row", "4,5,b"),
        ("long row", "4,5,6,b,c"),
        ("empty", "4,,6,b"),
        ("NaN", "4,nan,6,b"),
        ("text", "4,five,6,b"),
        ("decimal comma", "4,\"5,5\",6,b"),
        ("overflow", "4,5,1e39,b"),
        ("missing label", "4,5,6,"),
    ];
    let cases = cases.map(|(name, row)| (name, row.as_bytes().to_vec())).to_vec();
    assert_messages!(refuse(cases, around));
}

#[test]
fn one_hot_columns() {
    let around =
        |row: &[u8]| [b"f0,f1,f2,label_a,label_b\n1.5,2,3,1,0\n", row, b"\n7,8,9,0,1\n1,0,1,1,0\n"].concat();
    let cases = [
        ("none", "4,5,6,0,0"),
        ("two", "4,5,6,1,1"),
        ("no number", "4,5,6,x,1"),
        ("a half", "4,5,6,0.5,0.5"),
    ];
    let cases = cases.map(|(name, row)| (name, row.as_bytes().to_vec())).to_vec();
    assert_messages!(refuse(cases, around));
}

#[test]
fn parquet() {
    let files = [
        "ragged.parquet",
        "nulls.parquet",
        "overflow.parquet",
        "list-of-two.parquet",
        "class-label-wrong.parquet",
        "spark-null.parquet",
    ];
    let mut messages: Vec<(String, String)> =
        files.map(|file| (file.to_owned(), message(read_data(file)))).to_vec();
    let packed = ReadOptions { dtype: Some(Dtype::F64), ..ReadOptions::default() };
    let skipped = ReadOptions { dtype: Some(Dtype::F64), ..skipping() };
    let name = "packed-bad.parquet".to_owned();
    messages.push((name.clone(), message(read(&data(&name), &packed, &Pool::inline()))));
    messages.push((name.clone(), warnings(&read(&data(&name), &skipped, &Pool::inline()).unwrap())));
    let table = read(&data("nulls.parquet"), &skipping(), &Pool::inline()).unwrap();
    assert_eq!(table.x().as_slice(), [1.0, 2.0, 7.0, 8.0]);
    assert_eq!((table.n_skipped(), table.location(1).row), (5, Some(7)));
    messages.push(("nulls.parquet, skipped".to_owned(), warnings(&table)));
    assert_messages!(messages);
}

#[test]
fn skipping_reports_the_first_five_and_the_totals() {
    let bad = "\"[1, x]\",a\n".repeat(7);
    let text = format!("embeddings,label\n\"[1, 2]\",a\n{bad}\"[3, 4]\",b\n");
    let table = read_bytes("train.csv", text.as_bytes(), &skipping(), &Pool::inline()).unwrap();
    assert_eq!((table.n_rows(), table.n_skipped()), (2, 7));
    insta::assert_snapshot!(warnings(&table));
}

#[test]
fn a_table_of_only_bad_rows_is_refused_even_if_they_are_skipped() {
    let text = "embeddings,label\n\"[1, x]\",a\n\"[y, 2]\",b\n";
    insta::assert_snapshot!(message(read_bytes("train.csv", text.as_bytes(), &skipping(), &Pool::inline())));
}

#[test]
fn an_over_long_last_row_hides_no_other() {
    let text = b"embeddings,label\n\"[1, 2]\",a\n\"[3, 4]\",b\n\"[5, 6]\",b,c,d,e";
    let table = read_bytes("train.csv", text, &skipping(), &Pool::inline()).unwrap();
    assert_eq!(table.x().as_slice(), [1.0, 2.0, 3.0, 4.0]);
}

/// The width is the most frequent one among the first rows, so that the odd row is named, even if it is the first.
#[test]
fn the_odd_row_is_named_even_if_it_is_the_first() {
    let text = "embeddings,label\n\"[1, 2, 3]\",a\n\"[3, 4]\",b\n\"[5, 6]\",b\n";
    insta::assert_snapshot!(message(crate::csv(text)));
}

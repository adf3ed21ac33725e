//! Valid input that some readers fail on: all forms of one table are the same table.

use crate::{csv, data, read_data, warnings};
use headsmith_data::checks::fingerprint;
use headsmith_data::{Dtype, ReadOptions, Table, read, read_bytes};
use headsmith_kernels::Pool;

/// The table that every form must give.
fn expected() -> Table {
    let text = "embeddings,label\n\"[-1.125, -0.25, 0.625, 1.5]\",b\n\"[2.375, -0.625, 0.25, 1.125]\",a\n\
                \"[2.0, -1.0, -0.125, 0.75]\",c\n\"[1.625, 2.5, -0.5, 0.375]\",a\n\"[1.25, 2.125, -0.875, 0.0]\",b\n\
                \"[0.875, 1.75, 2.625, -0.375]\",a\n";
    csv(text).unwrap()
}

#[test]
fn the_script_wrote_the_expected_table() {
    let text = std::fs::read_to_string(data("expected.json")).unwrap();
    let numbers: Vec<f32> = text
        .split(|c: char| !c.is_ascii_digit() && !".-".contains(c))
        .filter_map(|word| word.parse().ok())
        .collect();
    assert_eq!(expected().x().as_slice(), numbers);
}

#[test]
fn every_form_is_the_same_table() {
    let files = [
        "lists.csv",
        "index.csv",
        "columns.csv",
        "columns-index.csv",
        "one-hot.csv",
        "one-hot-bool.csv",
        "lists.csv.gz",
        "lists.csv.zst",
        "list-f32.parquet",
        "list-f64.parquet",
        "list-f16.parquet",
        "fixed-f32.parquet",
        "groups-v2.parquet",
        "checksum.parquet",
        "with-id.parquet",
        "columns.parquet",
        "one-hot.parquet",
        "f16.npy",
        "f32.npy",
        "f64.npy",
        "big-endian.npy",
        "fortran.npy",
        "X_pair.npy",
        "plain.npz",
        "packed.npz",
        "printed.csv",
        "text-lists.parquet",
        "decimal-columns.parquet",
        "one-token.npy",
        "pooled.npy",
        "splits.npz",
        "class-label.parquet",
        "dictionary.parquet",
        "list-of-one.parquet",
        "spark.parquet",
        "lines.jsonl",
        "records.json",
        "uncompressed.feather",
        "lz4.feather",
        "zstd.feather",
        "stream.arrow",
        "fixed-f16.arrow",
        "wide.arrow",
        "views.arrow",
        "columns.arrow",
        "dictionary.arrow",
        "class-label.arrow",
        "decimal-columns.arrow",
        "list-of-one.arrow",
        "text-lists.arrow",
        "spark.arrow",
        "others.arrow",
    ];
    let expected = expected();
    for file in files {
        let table = read_data(file).unwrap();
        assert_eq!(table.x().as_slice(), expected.x().as_slice(), "{file}");
        assert_eq!(fingerprint(&table), fingerprint(&expected), "{file}");
        if !["printed.csv", "lines.jsonl", "records.json"].contains(&file) {
            assert_eq!(
                table.location(5).row.or(table.location(5).line.map(|line| line - 1)),
                Some(6),
                "{file}"
            );
        }
    }
}

#[test]
fn tensors() {
    let table = read_data("tensors.safetensors").unwrap();
    assert_eq!(table.x().as_slice(), expected().x().as_slice());
    assert_eq!(table.labels().unwrap().codes(), [1, 0, 2, 0, 1, 0]);
    // 1, -2 and 0.5 as bfloat16.
    let header = r#"{"x":{"dtype":"BF16","shape":[1,3],"data_offsets":[0,6]}}"#;
    let bytes =
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0x80, 0x3F, 0, 0xC0, 0, 0x3F]]
            .concat();
    assert_eq!(crate::bytes("x.safetensors", &bytes).unwrap().x().as_slice(), [1.0, -2.0, 0.5]);
}

/// Bytes are vectors if their type is given.
#[test]
fn packed_bytes() {
    let files = [
        ("packed-f32.parquet", Dtype::F32),
        ("packed-f16.parquet", Dtype::F16),
        ("packed-f32.arrow", Dtype::F32),
    ];
    for (file, dtype) in files {
        let options = ReadOptions { dtype: Some(dtype), ..ReadOptions::default() };
        let table = read(&data(file), &options, &Pool::inline()).unwrap();
        assert_eq!(table.x().as_slice(), expected().x().as_slice(), "{file}");
        assert_eq!(fingerprint(&table), fingerprint(&expected()), "{file}");
    }
}

/// A dictionary of an Arrow stream may grow.
#[test]
fn dictionaries_that_grow() {
    let table = read_data("deltas.arrow").unwrap();
    assert_eq!(table.x().as_slice(), expected().x().as_slice());
    assert_eq!((0..6).map(|row| table.labels().unwrap().name(row)).collect::<String>(), "bacaba");
}

/// A folder of Arrow files, as Hugging Face's `datasets` saves it, compressed or not.
#[test]
fn a_saved_folder_is_one_table() {
    let table = read_data("saved").unwrap();
    assert_eq!(fingerprint(&table), fingerprint(&expected()));
    assert_eq!(table.location(4).to_string().rsplit('/').next().unwrap(), "data-00001-of-00002.arrow, row 1");
    let packed = crate::packed(&std::fs::read(data("stream.arrow")).unwrap());
    assert_eq!(fingerprint(&crate::bytes("x.arrow.gz", &packed).unwrap()), fingerprint(&expected()));
}

#[test]
fn a_class_of_minus_one_is_no_label() {
    for file in ["class-label-test.parquet", "class-label-test.arrow"] {
        assert!(read_data(file).unwrap().labels().is_none(), "{file}");
    }
}

#[test]
fn decimals_without_a_fraction_are_integers() {
    let table = read_data("decimal-labels.parquet").unwrap();
    assert_eq!(table.x().as_slice(), expected().x().as_slice());
    let labels = table.labels().unwrap();
    assert_eq!(
        (labels.names(), labels.codes()),
        (&["0", "1", "2"].map(str::to_owned)[..], &[1, 0, 2, 0, 1, 0][..])
    );
}

/// The labels of an array have its name.
#[test]
fn arrays_of_a_split_belong_together() {
    let options = ReadOptions { embeddings_column: Some("X_test".to_owned()), ..ReadOptions::default() };
    let table = read(&data("splits.npz"), &options, &Pool::inline()).unwrap();
    assert_eq!((table.n_rows(), table.labels().unwrap().names()), (2, &["d", "e"].map(str::to_owned)[..]));
}

/// Vectors in the forms in which tools print them, whatever the column's name.
#[test]
fn cells_may_be_printed_vectors() {
    let forms = [
        ("array([", ", ", "], dtype=float32)"),
        ("tensor([", ", ", "], device='cuda:0')"),
        ("(", ",", ")"),
        ("{", ",", "}"),
        ("[[", " ", "]]"),
        ("[np.float32(", "), np.float32(", ")]"),
        ("[", "; ", "]"),
    ];
    let expected = expected();
    for (open, between, close) in forms {
        let mut text = "vectors,kind\n".to_owned();
        for row in 0..6 {
            let numbers: Vec<String> = expected.x().row(row).iter().map(f32::to_string).collect();
            let label = expected.labels().unwrap().name(row);
            text.push_str(&format!("\"{open}{}{close}\",{label}\n", numbers.join(between)));
        }
        let table = csv(&text).unwrap();
        assert_eq!(table.x().as_slice(), expected.x().as_slice(), "{open}{close}");
        assert_eq!(table.labels().unwrap().codes(), expected.labels().unwrap().codes(), "{open}{close}");
    }
}

/// Numbers without brackets are a vector if nothing else is: eight or more, or a column with that name.
#[test]
fn vectors_without_brackets() {
    let table = csv("v,label\n0 1 2 3 4 5 6 7,a\n1 1 2 3 4 5 6 7,b\n").unwrap();
    assert_eq!((table.n_rows(), table.n_features()), (2, 8));
    let table = csv("embedding,label\n0.5 1,a\n1.5 2,b\n").unwrap();
    assert_eq!(table.x().as_slice(), [0.5, 1.0, 1.5, 2.0]);
    let table =
        csv("phone,v,label\n0 1 2 3 4 5 6 7 8,\"[1, 2]\",a\n1 2 2 3 4 5 6 7 8,\"[3, 4]\",b\n").unwrap();
    assert_eq!(table.x().as_slice(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn integers_and_integer_labels() {
    let eighths: Vec<f32> = expected().x().as_slice().iter().map(|value| value * 8.0).collect();
    for file in ["integers.parquet", "int8.npy", "one-hot.npz"] {
        let table = read_data(file).unwrap();
        assert_eq!(table.x().as_slice(), eighths, "{file}");
        assert_eq!(
            (0..6).map(|row| table.labels().unwrap().name(row)).collect::<String>(),
            "102010",
            "{file}"
        );
    }
}

#[test]
fn white_space_and_line_ends_mean_nothing() {
    let text = std::fs::read_to_string(data("lists.csv")).unwrap();
    let forms = [
        ("a byte order mark", format!("\u{feff}{text}")),
        ("CRLF", text.replace('\n', "\r\n")),
        ("mixed line ends", text.replacen('\n', "\r\n", 3)),
        ("no final newline", text.trim_end().to_owned()),
        ("a newline inside a list", text.replacen(", ", ",\n", 2)),
        ("a trailing comma in the list", text.replace("]\"", ",]\"")),
        (
            "spaces anywhere in the list",
            text.replace(", ", "\t ,  ").replace('[', " [ ").replace(']', "  ] "),
        ),
        ("quotes around labels", text.replace(",b\n", ",\"b\"\n")),
    ];
    for (name, form) in forms {
        let table = csv(&form).unwrap();
        assert_eq!(fingerprint(&table), fingerprint(&expected()), "{name}");
        assert_eq!(warnings(&table), "", "{name}");
    }
}

#[test]
fn lines_are_counted_through_line_ends_in_lists_and_blank_lines() {
    let table = csv("\nembeddings,label\n\"[1,\n2]\",a\n\n  \n\"[3,4]\",b\n\"[5,6]\",a\n\n").unwrap();
    let lines: Vec<_> = (0..3).map(|row| table.location(row).line.unwrap()).collect();
    assert_eq!(lines, [3, 7, 8]);
}

#[test]
fn accepted_with_one_counted_warning() {
    let rows = "\"[1,2]\",a b\n\"[3,4]\",c d\n\"[5,7]\",a b\n";
    let cases = [
        ("blank lines", format!("embeddings,label\n\n{rows}\n  \n\n")),
        ("white space in labels", format!("embeddings,label\n{rows}\"[0,1]\", a b\n\"[0,2]\",a b \n")),
        ("case in labels", format!("embeddings,label\n{rows}\"[0,1]\",A B\n\"[0,2]\",C d\n")),
        ("NA as a class", format!("embeddings,label\n{rows}\"[0,1]\",NA\n\"[0,2]\",NA\n")),
        ("underflow", format!("embeddings,label\n{rows}\"[1e-60,1e-300]\",a b\n\"[0,-1e-99]\",a b\n")),
        ("a pandas index", "Unnamed: 0,f0,f1,label\n0,1,2,a b\n1,3,4,c d\n2,5,6,a b\n".to_owned()),
    ];
    let read = |(name, text): (&str, String)| {
        let table = csv(&text).unwrap();
        assert_eq!(table.warnings().len(), 1, "{name}: {}", warnings(&table));
        let names: Vec<&str> = (0..2).map(|row| table.labels().unwrap().name(row)).collect();
        assert_eq!(names, ["a b", "c d"], "{name}");
        (name.to_owned(), warnings(&table).trim_end().to_owned())
    };
    crate::assert_messages!(cases.map(read).to_vec());
}

#[test]
fn single_letters_keep_their_case() {
    let table = csv("embeddings,label\n\"[1]\",a\n\"[2]\",A\n").unwrap();
    assert_eq!(table.labels().unwrap().names(), ["A", "a"]);
}

#[test]
fn numbers_equal_those_of_the_standard_library() {
    let texts =
        ["0.1", "1e-45", "3.4028235e38", "-7.006492321624085e-46", "16777217", "+.5", "5.", "1E5", "00.10"];
    let table = csv(&format!("embeddings\n\"[{}]\"\n", texts.join(","))).unwrap();
    let expected: Vec<f32> = texts.iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(table.x().as_slice(), expected);
}

#[test]
fn columns_may_be_named() {
    let text = "u,v,kind\n\"[1,2]\",\"[3,4]\",a\n\"[5,6]\",\"[7,8]\",b\n";
    let options = ReadOptions {
        embeddings_column: Some("v".to_owned()),
        label_column: Some("kind".to_owned()),
        ..ReadOptions::default()
    };
    let table = read_bytes("t.csv", text.as_bytes(), &options, &Pool::inline()).unwrap();
    assert_eq!(table.x().as_slice(), [3.0, 4.0, 7.0, 8.0]);
    assert_eq!(table.labels().unwrap().column(), "kind");
    assert_eq!(table.format(), "CSV, lists in column \"v\"");
}

#[test]
fn a_table_without_labels_has_none() {
    let texts = [
        "embeddings\n\"[1,2]\"\n\"[3,4]\"\n",
        "embeddings,label\n\"[1,2]\",\n\"[3,4]\",\n",
        "embeddings,sentence\n\"[1,2]\",one\n\"[3,4]\",two\n\"[3,5]\",three\n",
    ];
    for text in texts {
        assert!(csv(text).unwrap().labels().is_none(), "{text}");
    }
    let path = data("fortran.npy");
    assert!(read(&path, &ReadOptions::default(), &Pool::inline()).unwrap().labels().is_some());
}

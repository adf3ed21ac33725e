//! Columns of sample weights.

use super::{csv, data, message};
use headsmith_data::{Dataset, Files, OnBadRow, ReadOptions, Table, Weights, read, read_bytes, read_files};
use headsmith_kernels::Pool;
use std::fs;

fn weighted(column: &str) -> ReadOptions {
    ReadOptions { weight_column: Some(column.to_owned()), ..ReadOptions::default() }
}

fn read_as(name: &str, text: &str) -> Table {
    read_bytes(name, text.as_bytes(), &weighted("w"), &Pool::inline()).unwrap()
}

fn values(table: &Table) -> Vec<f32> {
    Weights::read(table, "w").unwrap().into_values()
}

#[test]
fn weights_are_those_of_the_rows_that_were_read_and_no_feature() {
    for (name, text) in [
        ("t.csv", "f0,w,f1,label\n1,0.5,2,a\n2,3,3,b\n\n3, 0 ,4,a\n"),
        ("t.csv", "f0;w;f1;label\n1,0;0,5;2,5;a\n2,5;3,0;3,5;b\n3,5;0,0;4,5;a\n"),
        ("t.tsv", "f0\tw\tf1\tlabel\n1\t.5\t2\ta\n2\t3.0\t3\tb\n3\t0\t4\ta\n"),
        (
            "t.jsonl",
            "{\"f0\":1,\"w\":0.5,\"f1\":2,\"label\":\"a\"}\n{\"f0\":2,\"w\":3,\"f1\":3,\"label\":\"b\"}\n{\"f0\":3,\"w\":0,\"f1\":4,\"label\":\"a\"}\n",
        ),
    ] {
        let table = read_as(name, text);
        assert_eq!(table.feature_names().unwrap(), ["f0", "f1"], "{name}");
        assert_eq!(values(&table), [0.5, 3.0, 0.0], "{name}");
    }
    let options = ReadOptions { on_bad_row: OnBadRow::Skip, ..weighted("w") };
    let text = "f0,label,w\n1,a,1\nbad,b,2\n3,,3\n4,b,4e-1\n";
    let table = read_bytes("t.csv", text.as_bytes(), &options, &Pool::inline()).unwrap();
    assert_eq!(values(&table), [1.0, 0.4]);
    let lists = read_as("t.csv", "embeddings,label,w\n\"[1, 2]\",a,2\n\"[3, 4]\",b,1\n");
    assert_eq!((lists.n_features(), values(&lists)), (2, vec![2.0, 1.0]));
}

#[test]
fn several_files_and_a_cache_have_weights_too() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
    fs::write(&paths[0], "f0,w,label\n1,7,a\n2,8,b\n").unwrap();
    fs::write(&paths[1], "w,f0,label\n8,3,a\n9,4,b\n").unwrap();
    let files = Files::new(paths.to_vec());
    let options = ReadOptions { cache: Some(folder.path().join("cache")), ..weighted("w") };
    for _ in 0..2 {
        let table = read_files(&files, &options, &Pool::inline()).unwrap();
        assert_eq!(values(&table), [7.0, 8.0, 8.0, 9.0]);
        assert_eq!(table.feature_names().unwrap(), ["f0"]);
    }
    // If it is not the weight column, it is a feature, also from the cache.
    let options = ReadOptions { weight_column: None, ..options };
    assert_eq!(read_files(&files, &options, &Pool::inline()).unwrap().n_features(), 2);
}

#[test]
fn bad_weights_are_refused_where_they_are() {
    let refused = |cells: [&str; 3]| {
        let [a, b, c] = cells;
        let text = format!("f0,w,label\n1,{a},a\n2,{b},b\n3,{c},a\n");
        message(Weights::read(&read_as("train.csv", &text), "w"))
    };
    let hint = "correct the value, or remove the row; a row of weight 0 is not learnt from";
    for (cell, found) in [
        ("-0.5", "-0.5"),
        ("", "nothing"),
        ("nan", "nan"),
        ("heavy", "heavy"),
        ("inf", "inf"),
        ("1e39", "1e39"),
    ] {
        let expected = format!(
            "train.csv: line 3, column \"w\": expected a weight: a number of at least 0 that single precision can hold, found {found}; {hint}"
        );
        assert_eq!(refused(["1", cell, "1"]), expected);
    }
    let zero = refused(["0", "0.0", "0"]);
    assert!(zero.contains("all weights in column \"w\" are 0, expected one above 0 at least"), "{zero}");
    assert!(zero.starts_with("train.csv: "), "{zero}");
}

#[test]
fn wrong_weight_columns_are_refused() {
    let read_with = |text: &str, options: &ReadOptions| {
        message(read_bytes("train.csv", text.as_bytes(), options, &Pool::inline()).map(|_| ()))
    };
    let text = "f0,weight,label\n1,1,a\n2,2,b\n";
    let missing = read_with(text, &weighted("weights"));
    assert!(missing.contains("there is no weight column \"weights\""), "{missing}");
    assert!(missing.ends_with("did you mean \"weight\"?"), "{missing}");
    let label = ReadOptions { label_column: Some("weight".to_owned()), ..weighted("weight") };
    let both = read_with(text, &label);
    assert!(both.contains("both as the weight column and as the label column"), "{both}");
    assert!(both.contains("--weight-column"), "{both}");
    let label = message(Weights::read(&csv("f0,label\n1,a\n2,b\n").unwrap(), "label"));
    assert!(label.contains("holds the features or the label, expected numbers"), "{label}");
    let array = read(&data("f32.npy"), &weighted("w"), &Pool::inline()).unwrap();
    let array = message(Weights::read(&array, "w"));
    assert!(array.starts_with("f32.npy: npy has no columns, so there is no weight column \"w\""), "{array}");
}

#[test]
fn other_tables_may_lack_the_column_and_do_not_use_it() {
    let options = ReadOptions { feature_names: vec!["f0".to_owned()], ..weighted("w") };
    for text in ["f0,label\n1,a\n2,b\n", "w,f0,label\nx,1,a\n-6,2,b\n"] {
        let table = read_bytes("val.csv", text.as_bytes(), &options, &Pool::inline()).unwrap();
        assert_eq!((table.n_features(), table.warnings().len()), (1, 0));
        let classes = headsmith_data::Classes::of(&table).unwrap();
        assert_eq!(Dataset::new(table, &classes).unwrap().weights, None);
    }
}

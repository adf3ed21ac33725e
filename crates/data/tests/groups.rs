//! Group columns, whose equal values mark rows that belong together.

use super::{bytes, csv, data, message};
use headsmith_data::checks::shared_groups;
use headsmith_data::{
    Classes, Files, Groups, OnBadRow, ReadOptions, Table, predictions, read, read_bytes, read_files,
};
use headsmith_kernels::{MatRef, Pool};
use std::fs;

fn grouped(column: &str) -> ReadOptions {
    ReadOptions { group_column: Some(column.to_owned()), ..ReadOptions::default() }
}

fn read_as(name: &str, text: &str, column: &str) -> Table {
    read_bytes(name, text.as_bytes(), &grouped(column), &Pool::inline()).unwrap()
}

/// The name of each row's group.
fn names(table: &Table, column: &str) -> Vec<String> {
    let groups = Groups::read(table, column).unwrap();
    groups.codes().iter().map(|&code| groups.names()[code as usize].clone()).collect()
}

#[test]
fn every_format_with_columns_has_the_same_groups_and_no_feature_of_them() {
    let text = "f0,site,f1,label\n1,3,2,a\n2,11,3,b\n\n3,3,4,a\n";
    let table = read_as("t.csv", text, "site");
    assert_eq!(table.feature_names().unwrap(), ["f0", "f1"]);
    assert_eq!(names(&table, "site"), ["3", "11", "3"]);
    let rows = [("1", "3", "2", "a"), ("2", "11.0", "3", "b"), ("3", "3", "4", "a")];
    let json: String = rows
        .iter()
        .map(|(f0, site, f1, label)| {
            format!("{{\"f0\":{f0},\"site\":{site},\"f1\":{f1},\"label\":\"{label}\"}}\n")
        })
        .collect();
    let table = read_as("t.jsonl", &json, "site");
    assert_eq!((table.feature_names().unwrap().len(), names(&table, "site")), (2, names(&table, "site")));
    assert_eq!(names(&table, "site"), ["3", "11", "3"]);
    let table = read_as("t.csv", "embeddings;site;label\n[1 2];' x ';a\n[2 3];y;b\n[3 4];x;a\n", "site");
    assert_eq!(names(&table, "site"), ["' x '", "y", "x"]);
    // Written as Parquet and read again.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let table = read_as("t.csv", text, "site");
    let classes = headsmith_data::Classes::of(&table).unwrap();
    let probabilities = [0.5f32; 6];
    let written = predictions::Predictions {
        classes: &classes,
        predicted: &[0, 1, 0],
        probabilities: MatRef::new(&probabilities, 3, 2),
        fold_of: None,
        sets: None,
    };
    predictions::write(&path, &table, written, &predictions::WriteOptions::default()).unwrap();
    let table = read(&path, &grouped("site"), &Pool::new(2).unwrap()).unwrap();
    assert_eq!(table.feature_names().unwrap(), ["f0", "f1"]);
    assert_eq!(names(&table, "site"), ["3", "11", "3"]);
}

#[test]
fn groups_are_those_of_the_rows_that_were_read() {
    let text = "f0,label,site\n1,a,x\nbad,b,y\n3,,z\n4,b,w\n";
    let options = ReadOptions { on_bad_row: OnBadRow::Skip, ..grouped("site") };
    let table = read_bytes("t.csv", text.as_bytes(), &options, &Pool::inline()).unwrap();
    assert_eq!((table.n_rows(), names(&table, "site")), (2, vec!["x".to_owned(), "w".to_owned()]));
}

#[test]
fn several_files_and_a_cache_have_groups_too() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
    fs::write(&paths[0], "f0,site,label\n1,7,a\n2,8,b\n").unwrap();
    fs::write(&paths[1], "site,f0,label\n8,3,a\n9,4,b\n").unwrap();
    let files = Files::new(paths.to_vec());
    let options = ReadOptions { cache: Some(folder.path().join("cache")), ..grouped("site") };
    for _ in 0..2 {
        let table = read_files(&files, &options, &Pool::inline()).unwrap();
        assert_eq!(names(&table, "site"), ["7", "8", "8", "9"]);
        assert_eq!(table.feature_names().unwrap(), ["f0"]);
    }
    // If it is not the group column, it is a feature, also from the cache.
    let options = ReadOptions { group_column: None, ..options };
    assert_eq!(read_files(&files, &options, &Pool::inline()).unwrap().n_features(), 2);
}

#[test]
fn invalid_group_columns_are_refused() {
    let options = |column: &str| grouped(column);
    let read = |text: &str, options: &ReadOptions| {
        read_bytes("train.csv", text.as_bytes(), options, &Pool::inline()).map(|_| ())
    };
    let text = "f0,site,label\n1,x,a\n2,y,b\n";
    let missing = message(read(text, &options("sit")));
    assert!(
        missing.contains("there is no group column \"sit\"; the columns are \"f0\", \"site\", \"label\"")
    );
    assert!(missing.ends_with("did you mean \"site\"?"), "{missing}");
    let label = ReadOptions { label_column: Some("site".to_owned()), ..options("site") };
    let both = message(read(text, &label));
    assert!(both.contains("both as the group column and as the label column"), "{both}");
    let table = read_as("train.csv", "f0,label\n1,a\n2,b\n1,a\n2,b\n", "label");
    let no_label = message(Classes::of(&table));
    assert!(no_label.contains("\"label\" is the group column, so it is not the label"), "{no_label}");
    let table = read_as("train.csv", "f0,site,label\n1,x,a\n2,,b\n3,nan,a\n", "site");
    assert_eq!(
        message(Groups::read(&table, "site")),
        "train.csv: line 3, column \"site\": expected a group, found nothing; a row without a value belongs to no group: \
         fill it in, or remove the row"
    );
    let unused = csv("f0,label\n1,a\n2,b\n").unwrap();
    let label = message(Groups::read(&unused, "label"));
    assert!(label.contains("holds the features or the label"), "{label}");
    let array = read(text, &options("site"));
    assert!(array.is_ok());
    let array = headsmith_data::read(&data("f32.npy"), &options("site"), &Pool::inline()).unwrap();
    let array = message(Groups::read(&array, "site"));
    assert!(
        array.starts_with("f32.npy: npy has no columns, so there is no group column \"site\""),
        "{array}"
    );
    assert!(bytes("train.csv", b"f0,label\n1,a\n2,b\n").is_ok());
}

#[test]
fn other_tables_may_lack_the_column() {
    let options = ReadOptions { feature_names: vec!["f0".to_owned()], ..grouped("site") };
    for text in ["f0,label\n1,a\n2,b\n", "site,f0,label\n5,1,a\n6,2,b\n"] {
        let table = read_bytes("val.csv", text.as_bytes(), &options, &Pool::inline()).unwrap();
        assert_eq!((table.n_features(), table.warnings().len()), (1, 0));
        assert_eq!(table.has_column("site"), text.starts_with("site"));
    }
}

#[test]
fn groups_in_two_tables_are_found() {
    let train = read_as("train.csv", "f0,site,label\n1,x,a\n2,y,b\n3,7.0,a\n", "site");
    let val = read_as("val.csv", "f0,site,label\n4,z,a\n5,7,b\n6,y,a\n7,y,a\n", "site");
    let [of_train, of_val] = [&train, &val].map(|table| Groups::read(table, "site").unwrap());
    let found = shared_groups(("train", &train, &of_train), ("val", &val, &of_val)).unwrap();
    assert_eq!((found.code, found.count), ("group-leakage", 3));
    assert_eq!(
        found.to_string(),
        "val: 2 of 3 groups of column \"site\" are in train too, with 3 rows here, first \"7\" at line 3, which is at line 4 \
         there: scores on them say little about new groups"
    );
    let other = read_as("other.csv", "f0,site,label\n4,z,a\n5,w,b\n", "site");
    let of_other = Groups::read(&other, "site").unwrap();
    assert_eq!(shared_groups(("train", &train, &of_train), ("val", &other, &of_other)), None);
}

//! The roles of columns: features, indices, labels, ignored ones; and labels that are the same in every format.

use crate::{bytes, csv, data, read_data, warnings};
use headsmith_data::checks::inspect;
use headsmith_data::{Classes, ReadOptions, read};
use headsmith_kernels::Pool;

#[test]
fn the_same_labels_are_the_same_classes_in_every_format() {
    let cases = [
        ("bool", &["False", "True"][..], "TrueFalseTrueFalseTrueFalse"),
        ("whole", &["0", "2", "10"], "02100210"),
        ("half", &["0.0", "0.5", "2.0"], "0.00.52.00.00.52.0"),
    ];
    for (name, classes, rows) in cases {
        for format in ["csv", "parquet", "npy"] {
            let table = read_data(&format!("labels-{name}.{format}")).unwrap();
            assert_eq!(Classes::of(&table).unwrap().names(), classes, "{name}.{format}");
            let labels = table.labels().unwrap();
            assert_eq!((labels.names(), labels.column()), (classes_of(classes).as_slice(), "label"));
            assert_eq!((0..6).map(|row| labels.name(row)).collect::<String>(), rows, "{name}.{format}");
            assert_eq!(warnings(&table), "", "{name}.{format}");
        }
    }
    // A part of the table has only whole numbers.
    let classes = Classes::of(&read_data("labels-half.csv").unwrap()).unwrap();
    assert_eq!(classes.encode(&csv("f0,label\n1,2.0\n2,0.0\n").unwrap()).unwrap(), [2, 0]);
    assert_eq!(csv("f0,label\n1,true\n2,false\n").unwrap().labels().unwrap().names(), ["False", "True"]);
    assert_eq!(csv("f0,label\n1,1.0\n2,x\n3,1.0\n").unwrap().labels().unwrap().names(), ["1.0", "x"]);
}

fn classes_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn integers_are_listed_by_value() {
    let table = csv("f0,label\n1,10\n2,9\n3,10\n4,-1\n").unwrap();
    let labels = table.labels().unwrap();
    assert_eq!((labels.names().join(" "), labels.counts()), ("-1 9 10".to_owned(), vec![1, 1, 2]));
    assert_eq!((0..4).map(|row| labels.name(row)).collect::<Vec<_>>(), ["10", "9", "10", "-1"]);
    let findings = inspect(&[("train", &table)], &Pool::inline());
    let classes = findings.iter().find(|finding| finding.code == "classes").unwrap();
    insta::assert_snapshot!(classes.message);
}

#[test]
fn ignored_columns_are_reported() {
    let notes = "f0,note,more,a,b,c,d,label\n1,x y,,p,p,p,p,a\n2,y z,,q,q,q,q,b\n3,z,,r,r,r,r,a\n";
    let texts = [
        warnings(&csv(notes).unwrap()),
        warnings(&csv("f0,f1,label\n1,N/A,a\n2,N/A,b\n3,0.5,a\n").unwrap()),
        warnings(&read_data("left-out.parquet").unwrap()),
    ];
    insta::assert_snapshot!(texts.concat());
    let table = read_data("left-out.parquet").unwrap();
    let finding = &table.warnings()[0];
    assert_eq!((finding.code, finding.count), ("left-out-columns", 3));
    assert_eq!(finding.places[1].to_string(), "row 2, column \"f3\"");
    // Beside a column of lists, other columns are expected.
    assert_eq!(warnings(&csv("embeddings,note,n,label\n\"[1]\",x,1,a\n\"[2]\",y,2,b\n").unwrap()), "");
}

#[test]
fn a_numeric_index_is_reported() {
    assert_eq!(warnings(&csv("id,f0,label\nr1,1,a\nr2,2,b\n").unwrap()), "");
    let table = csv("id,f0,label\n1,1,a\n2,2,b\n").unwrap();
    assert_eq!((table.n_features(), table.warnings()[0].code), (1, "index-column"));
    let named = read_data("named-index.parquet").unwrap();
    assert_eq!(named.feature_names().unwrap(), ["f0", "f1", "f2", "f3"]);
}

#[test]
fn a_column_of_nulls_is_an_empty_label() {
    let read = |placeholder_labels| {
        let options = ReadOptions { placeholder_labels, ..ReadOptions::default() };
        read(&data("to-predict.parquet"), &options, &Pool::inline()).unwrap()
    };
    assert!(read(true).labels().is_none() && read(false).labels().is_none());
    insta::assert_snapshot!(Classes::of(&read(false)).unwrap_err().to_string().rsplit('/').next().unwrap());
}

fn with(text: &str, options: ReadOptions) -> headsmith_data::Result<headsmith_data::Table> {
    headsmith_data::read_bytes("t.csv", text.as_bytes(), &options, &Pool::inline())
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn features_are_matched_by_the_names_of_the_training_table() {
    let beside = || ReadOptions { feature_names: texts(&["f0", "f1", "f2"]), ..ReadOptions::default() };
    let table = with("f2,n_tokens,label,f0,id,f1\n2,7,a,0,1,1\n5,8,b,3,2,4\n", beside()).unwrap();
    assert_eq!(table.x().as_slice(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(table.feature_names().unwrap(), ["f0", "f1", "f2"]);
    assert_eq!(table.labels().unwrap().names(), ["a", "b"]);
    let messages = [
        warnings(&table),
        with("f2,f0\n1,2\n", beside()).unwrap_err().to_string(),
        with("f2,g\n1,2\n", beside()).unwrap_err().to_string(),
        with("f0,f1,f2\n1,x,2\n1,y,2\n2,z,1\n", beside()).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(messages.join("\n"));
    let without = |drop: &[&str], features: &[&str]| {
        let options = ReadOptions { drop: texts(drop), features: texts(features), ..beside() };
        with("f0,f1,f2,g\n1,2,3,4\n", options).map(|table| table.n_features())
    };
    assert_eq!(without(&["g"], &["f*"]).unwrap(), 3);
    for (flag, error) in [("--drop", without(&["f1"], &[])), ("--features", without(&[], &["f0", "f2"]))] {
        let error = error.unwrap_err().to_string();
        assert!(error.contains(&format!("{flag} leaves out column \"f1\"")), "{error}");
    }
    // Lists have no names.
    assert_eq!(with("embeddings\n\"[1, 2, 3]\"\n", beside()).unwrap().n_features(), 3);
}

#[test]
fn columns_are_dropped_and_asked_for() {
    let text = "emb_0,emb_1,age,label_id,label\n1,2,30,0,a\n2,3,40,1,b\n";
    let names = |options| with(text, options).map(|table| table.feature_names().unwrap().join(" "));
    let drop = |names: &[&str]| ReadOptions { drop: texts(names), ..ReadOptions::default() };
    let only = |names: &[&str]| ReadOptions { features: texts(names), ..ReadOptions::default() };
    assert_eq!(names(drop(&["label_id", "age"])).unwrap(), "emb_0 emb_1");
    assert_eq!(names(only(&["emb_*"])).unwrap(), "emb_0 emb_1");
    assert_eq!(names(only(&["emb_[!0]", "age"])).unwrap(), "emb_1 age");
    assert_eq!(names(ReadOptions { drop: texts(&["emb_0"]), ..only(&["emb_*"]) }).unwrap(), "emb_1");
    assert_eq!(warnings(&with(text, drop(&["age"])).unwrap()), "");
    // A dropped column is no label either.
    assert!(with(text, drop(&["label", "label_id"])).unwrap().labels().is_none());
    let errors = [drop(&["lable_id"]), only(&["x*"]), only(&["["]), only(&["emb_*", "agee", "label"])]
        .map(|options| names(options).unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn arrays_have_no_columns_to_choose() {
    let with = |options: ReadOptions| read(&data("f32.npy"), &options, &Pool::inline());
    let features = ReadOptions { features: texts(&["emb_*"]), ..ReadOptions::default() };
    let drop = ReadOptions { drop: texts(&["id", "x"]), ..ReadOptions::default() };
    let beside = ReadOptions { label_hint: Some("label".to_owned()), ..drop.clone() };
    assert!(with(beside).is_ok());
    let error = with(features).unwrap_err().to_string();
    assert!(
        error.contains("the columns of an array have no names, so --features emb_* names none"),
        "{error}"
    );
    let error = with(drop).unwrap_err().to_string();
    assert!(error.contains("--drop id,x names none of them; leave --drop out"), "{error}");
}

#[test]
fn texts_may_have_carriage_returns_within_quotes() {
    let table = csv("f0,text,label\n1,\"hello\r\nworld\",a\n2,\"x\ry\",b\n").unwrap();
    assert_eq!((table.n_rows(), table.x().as_slice()), (2, [1.0, 2.0].as_slice()));
    let lines = b"{\"f0\": 1, \"text\": \"hello\\r\\nworld\", \"label\": \"a\"}\n{\"f0\": 2, \"text\": \"x\", \"label\": \"b\"}\n";
    assert_eq!(bytes("t.jsonl", lines).unwrap().n_rows(), 2);
    let bare = csv("f0,text,label\n1,x\ry,a\n2,z,b\n").unwrap_err().to_string();
    assert!(bare.contains("a carriage return within the row"), "{bare}");
}

#[test]
fn booleans_are_zero_and_one_in_every_format() {
    let table = csv("f0,flag,label\n0.5,True,a\n1.5,false,b\n2,\"TRUE\",a\n").unwrap();
    assert_eq!(table.x().as_slice(), [0.5, 1.0, 1.5, 0.0, 2.0, 1.0]);
    let table = bytes(
        "t.jsonl",
        b"{\"f0\": 0.5, \"flag\": true, \"label\": \"a\"}\n{\"f0\": 1, \"flag\": false, \"label\": \"b\"}\n",
    )
    .unwrap();
    assert_eq!(table.x().as_slice(), [0.5, 1.0, 1.0, 0.0]);
    assert!(csv("f0,f1,label\n0.5,1,a\n1.5,Truely,b\n").is_err());
}

/// A CSV of lists with the columns of `header` and the cells of `row`.
fn reviews(header: &str, row: impl Fn(usize) -> String) -> String {
    let rows: String = (0..30).map(|i| format!("{},\"[{i}, 1]\"\n", row(i))).collect();
    format!("{header},embedding\n{rows}")
}

#[test]
fn labels_are_found_by_name_and_kind() {
    let found = |text: &str| {
        let table = csv(text).unwrap();
        let labels =
            table.labels().map(|labels| format!("{}: {}", labels.column(), labels.names().join(" ")));
        format!("{}\n{}", labels.unwrap_or("none".to_owned()), warnings(&table))
    };
    let sentence = |i: usize| format!("\"text {}, with commas\nand a second line\"", i % 3);
    let cases = [
        // Names, and whole numbers with few values; never free text.
        reviews("Time,Score,Text,combined", |i| {
            format!("{},{},{},Title: a{}; Content: b", 1_351_123_200 + i, i % 3 + 1, sentence(i), i % 2)
        }),
        reviews("n,kind", |i| format!("{i},{}", ["spam", "ham"][i % 2])),
        reviews("n,fine", |i| format!("{i},{:.1}", (i % 3) as f64)),
        reviews("text,good", |i| format!("{},{}", sentence(i), i % 2 == 0)),
        reviews("category,rating", |i| format!("c{},{}", i % 2, i % 5)),
        reviews("Score", |i| format!("{}.5", i)),
        reviews("text", sentence),
        "f0,f1,rating\n1,2,1\n1,3,1\n2,2,2\n2,3,2\n".to_owned(),
        "f0,f1,n\n1,2,1\n1,3,1\n2,2,2\n2,3,2\n".to_owned(),
    ];
    insta::assert_snapshot!(cases.iter().map(|text| found(text)).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_structure_is_no_feature_whatever_its_fields() {
    let table = read_data("structures.parquet").unwrap();
    assert_eq!(table.feature_names().unwrap(), ["f0"]);
    let found = warnings(&table);
    assert!(found.contains("meta") && found.contains("two"), "{found}");
}

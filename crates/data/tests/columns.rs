//! Which columns are features, indices, labels, or left out; and labels that are the same in every format.

use crate::{csv, data, read_data, warnings};
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
    // A part of the table has whole numbers alone.
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
fn left_out_columns_are_told_of() {
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
    // Beside a column of lists, others are as expected.
    assert_eq!(warnings(&csv("embeddings,note,n,label\n\"[1]\",x,1,a\n\"[2]\",y,2,b\n").unwrap()), "");
}

#[test]
fn an_index_is_told_of_where_it_would_have_been_a_feature() {
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

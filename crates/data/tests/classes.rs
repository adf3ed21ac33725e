//! Classes, their order and the encoding of labels.

use crate::csv;
use headsmith_data::{Classes, Dataset};

fn labelled(labels: &[&str]) -> headsmith_data::Table {
    let rows: String = labels.iter().enumerate().map(|(i, label)| format!("\"[{i}]\",{label}\n")).collect();
    csv(&format!("embeddings,label\n{rows}")).unwrap()
}

#[test]
fn integers_sort_by_value_and_text_by_code_points() {
    let order = |labels: &[&str]| Classes::of(&labelled(labels)).unwrap().names().join(" ");
    assert_eq!(order(&["10", "9", "-1", "2"]), "-1 2 9 10");
    assert_eq!(order(&["10", "9", "b"]), "10 9 b");
    assert_eq!(order(&["positive", "negative", "neutral"]), "negative neutral positive");
    assert_eq!(order(&["\u{e4}b", "zz", "Zz y", "ab"]), "Zz y ab zz \u{e4}b");
}

#[test]
fn labels_become_indices_of_classes() {
    let classes = Classes::new(["negative", "neutral", "positive"].map(str::to_owned).to_vec()).unwrap();
    let table = labelled(&["positive", "Neutral", " negative ", "positive"]);
    let dataset = Dataset::new(table, &classes).unwrap();
    assert_eq!(dataset.y, [2, 1, 0, 2]);
    assert_eq!((dataset.x.n_rows(), dataset.x.n_cols()), (4, 1));
}

#[test]
fn classes_need_two_names_that_differ() {
    let refused =
        |names: &[&str]| Classes::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap_err();
    assert!(refused(&["a"]).is_labels() && refused(&[]).is_labels());
    insta::assert_snapshot!(refused(&["a", "b", "a"]).to_string());
}

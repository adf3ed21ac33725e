//! Tables to predict: labels are placeholders, whatever their column's name and however few.

use crate::{data, message};
use headsmith_data::checks::inspect;
use headsmith_data::{ReadOptions, Result, Severity, Table, read, read_bytes};
use headsmith_kernels::Pool;

fn to_predict(column: Option<&str>, hint: Option<&str>) -> ReadOptions {
    ReadOptions {
        label_column: column.map(str::to_owned),
        label_hint: hint.map(str::to_owned),
        placeholder_labels: true,
        ..ReadOptions::default()
    }
}

fn csv(text: &str, options: &ReadOptions) -> Result<Table> {
    read_bytes("test.csv", text.as_bytes(), options, &Pool::inline())
}

#[test]
fn labels_may_be_missing_or_all_the_same() {
    let options = to_predict(None, None);
    let texts = [
        "embeddings,label\n\"[1,2]\",\n\"[3,4]\",a\n\"[5,6]\",\n",
        "embeddings,label\n\"[1,2]\",a\n\"[3,4]\",\n",
        "embeddings,label\n\"[1,2]\",\n\"[3,4]\",\n",
        "embeddings,label\n\"[1,2]\",x\n\"[3,4]\",x\n",
        "embeddings,label\n\"[1,2]\",N/A\n\"[3,4]\",n/a\n",
        "embeddings,label_a,label_b\n\"[1,2]\",0,0\n\"[3,4]\",1,1\n",
        "embeddings,label_a,label_b\n\"[1,2]\",,\n\"[3,4]\",,\n",
        "embeddings,label_a,label_b\n\"[1,2]\",1,0\n\"[3,4]\",?,\n",
    ];
    for text in texts {
        let table = csv(text, &options).unwrap();
        assert_eq!(
            (table.n_rows(), table.n_features(), table.warnings().len()),
            (2 + usize::from(text.contains('5')), 2, 0),
            "{text}"
        );
        let findings = inspect(&[("data", &table)], &Pool::inline());
        assert!(findings.iter().all(|finding| finding.severity == Severity::Note), "{text}: {findings:?}");
    }
    // Complete labels are kept; but a training table must not have them like this.
    assert_eq!(csv(texts[3], &options).unwrap().labels().unwrap().names(), ["x"]);
    assert!(csv(texts[0], &options).unwrap().labels().is_none());
    assert!(csv(texts[0], &ReadOptions::default()).unwrap_err().is_row());
}

#[test]
fn a_named_column_may_be_missing_and_a_hinted_one_is_used() {
    let text = "embeddings,mood\n\"[1,2]\",a\n\"[3,4]\",a\n";
    let label =
        |options: &ReadOptions| csv(text, options).unwrap().labels().map(|labels| labels.column().to_owned());
    assert_eq!(label(&to_predict(None, None)), None);
    assert_eq!(label(&to_predict(Some("kind"), None)), None);
    assert_eq!(label(&to_predict(None, Some("kind"))), None);
    assert_eq!(label(&to_predict(None, Some("mood"))), Some("mood".to_owned()));
    assert_eq!(label(&to_predict(Some("kind"), Some("mood"))), None);
    assert_eq!(label(&ReadOptions::default()), Some("mood".to_owned()));
    let named = ReadOptions { placeholder_labels: false, ..to_predict(Some("kind"), None) };
    insta::assert_snapshot!(message(csv(text, &named)));
}

#[test]
fn a_hint_decides_between_columns_and_names_one_hot_columns() {
    let hinted = |hint: &str| ReadOptions { label_hint: Some(hint.to_owned()), ..ReadOptions::default() };
    let text = "embeddings,mood,label,kind_a,kind_b\n\"[1,2]\",a,3,0,1\n\"[3,4]\",b,4,1,0\n";
    let names = |hint: &str| csv(text, &hinted(hint)).unwrap().labels().unwrap().name(0).to_owned();
    assert_eq!(
        (names("mood"), names("kind"), names("none"), names("embeddings")),
        ("a".into(), "b".into(), "3".into(), "3".into())
    );
}

#[test]
fn arrays_need_no_labels_that_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    std::fs::copy(data("f32.npy"), &path).unwrap();
    std::fs::copy(data("three.npy"), folder.path().join("y.npy")).unwrap();
    assert!(read(&path, &ReadOptions::default(), &Pool::inline()).is_err());
    assert!(read(&path, &to_predict(Some("kind"), None), &Pool::inline()).unwrap().labels().is_none());
    let npz = |options: &ReadOptions| read(&data("plain.npz"), options, &Pool::inline());
    assert!(npz(&to_predict(Some("kind"), None)).unwrap().labels().is_none());
    assert!(npz(&to_predict(None, None)).unwrap().labels().is_some());
    assert!(npz(&to_predict(None, Some("kind"))).unwrap().labels().is_some());
}

//! Labels in separate files.

use crate::{data, message, read_data, skipping, warnings};
use headsmith_data::checks::fingerprint;
use headsmith_data::{Files, ReadOptions, Result, Table, read, read_files};
use headsmith_kernels::Pool;
use std::fs;
use std::path::{Path, PathBuf};

const LABELS: [&str; 6] = ["b", "a", "c", "a", "b", "a"];

fn with_labels(table: &Path, labels: &[PathBuf], options: &ReadOptions) -> Result<Table> {
    let files = Files::from(table).with_labels(Some(Files::new(labels.to_vec())));
    read_files(&files, options, &Pool::inline())
}

/// A folder with files of these names and contents.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn names(table: &Table) -> Vec<&str> {
    (0..table.n_rows()).map(|row| table.labels().unwrap().name(row)).collect()
}

#[test]
fn every_form_of_features_and_of_labels_is_the_same_table() {
    let lines = LABELS.join("\n");
    let numbered = |separator: &str| -> String {
        (1..).zip(LABELS).map(|(i, label)| format!("{i}{separator}{label}\n")).collect()
    };
    let objects: Vec<String> = LABELS.iter().map(|label| format!("{{\"label\": \"{label}\"}}")).collect();
    let texts = [
        ("lines.txt", lines.clone()),
        ("header.txt", format!("label\n{lines}\n")),
        ("header.csv", format!("label\n{lines}\n")),
        ("plain.csv", format!("{lines}\n")),
        ("strange-header.csv", format!("0\n{lines}\n")),
        ("index.csv", format!(",label\n{}", numbered(","))),
        ("rows.csv", numbered(",")),
        ("columns.tsv", format!("id\tkind\n{}", numbered("\t"))),
        ("rows.jsonl", objects.join("\n")),
        ("rows.json", format!("[{}]", objects.join(", "))),
        ("one-hot.csv", "label_a,label_b,label_c\n0,1,0\n1,0,0\n0,0,1\n1,0,0\n0,1,0\n1,0,0\n".to_owned()),
    ];
    let folder = folder(&[]);
    let mut forms: Vec<PathBuf> =
        ["f32.labels.npy", "columns.parquet", "plain.npz", "dictionary.parquet", "class-label.parquet"]
            .map(data)
            .to_vec();
    for (name, text) in &texts {
        fs::write(folder.path().join(name), text).unwrap();
        forms.push(folder.path().join(name));
    }
    // Arrays without labels beside them, and tables with other labels.
    let features = ["alone.npy", "alone.parquet", "alone.csv"].map(|name| folder.path().join(name));
    fs::copy(data("f64.npy"), &features[0]).unwrap();
    fs::copy(data("with-id.parquet"), &features[1]).unwrap();
    fs::write(&features[2], fs::read_to_string(data("lists.csv")).unwrap().replace(",b\n", ",\n")).unwrap();
    let expected = read_data("lists.csv").unwrap();
    for x in &features {
        for y in &forms {
            let shown = format!("{} with {}", x.display(), y.display());
            let table = with_labels(x, std::slice::from_ref(y), &ReadOptions::default());
            let table = table.unwrap_or_else(|error| panic!("{shown}: {error}"));
            assert_eq!(fingerprint(&table), fingerprint(&expected), "{shown}");
            assert_eq!(table.label_files(), std::slice::from_ref(y));
            let is_array = x.extension().is_some_and(|ending| ending == "npy");
            let said: Vec<&str> = table.warnings().iter().map(|warning| warning.code).collect();
            let expected = if is_array { &[][..] } else { &["label-column"] };
            assert_eq!(said, expected, "{shown}\n{}", warnings(&table));
        }
    }
}

#[test]
fn numbers_are_labels_as_in_every_format() {
    let folder = folder(&[
        ("y.txt", b"1.0\n0.0\n2.0\n0.0\n1.0\n0.0\n"),
        ("y.csv", b"0\n1\n0\n2\n0\n1\n0\n"),
        ("bools.txt", b"true\nfalse\ntrue\nfalse\ntrue\nfalse"),
    ]);
    let x = data("pooled.npy");
    let at = |name: &str| [folder.path().join(name)];
    let table = with_labels(&x, &at("y.txt"), &ReadOptions::default()).unwrap();
    assert_eq!((names(&table).concat(), table.labels().unwrap().column()), ("102010".to_owned(), "label"));
    // The first line is a header, because there are as many other lines as rows.
    let table = with_labels(&x, &at("y.csv"), &ReadOptions::default()).unwrap();
    assert_eq!((names(&table).concat(), table.labels().unwrap().column()), ("102010".to_owned(), "label"));
    let table = with_labels(&x, &at("bools.txt"), &ReadOptions::default()).unwrap();
    assert_eq!(names(&table)[..2], ["True", "False"]);
}

#[test]
fn labels_with_a_usual_name_are_found() {
    let pairs = [
        ("X_train.npy", "y_train.npy"),
        ("train.npy", "train_labels.npy"),
        ("features.npy", "labels.csv"),
        ("embeddings.npy", "labels.txt"),
        ("x.npy", "y.txt"),
    ];
    for (x, y) in pairs {
        let folder = folder(&[(x, &fs::read(data("f32.npy")).unwrap())]);
        assert!(
            read(&folder.path().join(x), &ReadOptions::default(), &Pool::inline())
                .unwrap()
                .labels()
                .is_none()
        );
        let labels = match y.ends_with("npy") {
            true => fs::read(data("f32.labels.npy")).unwrap(),
            false => LABELS.join("\n").into_bytes(),
        };
        fs::write(folder.path().join(y), labels).unwrap();
        for path in [folder.path().join(x), folder.path().to_owned()] {
            let table = read(&path, &ReadOptions::default(), &Pool::inline()).unwrap();
            assert_eq!((names(&table), warnings(&table)), (LABELS.to_vec(), String::new()), "{x} {y}");
            assert_eq!(table.format(), format!("npy, an array of features, labels in {y}"));
        }
    }
}

#[test]
fn the_first_of_several_usual_label_files_is_used_and_reported() {
    let x = fs::read(data("f32.npy")).unwrap();
    let folder =
        folder(&[("x.npy", &x), ("x_labels.txt", b"b\na\nc\na\nb\na\n"), ("y.txt", b"p\nq\np\nq\np\nq\n")]);
    let path = folder.path().join("x.npy");
    let table = read(&path, &ReadOptions::default(), &Pool::inline()).unwrap();
    assert_eq!(names(&table), LABELS);
    insta::assert_snapshot!(warnings(&table));
    let table = with_labels(&path, &[folder.path().join("y.txt")], &ReadOptions::default()).unwrap();
    assert_eq!((names(&table).concat(), warnings(&table)), ("pqpqpq".to_owned(), String::new()));
}

#[test]
fn several_files_of_features_and_of_labels_go_together_in_their_order() {
    let folder = folder(&[
        ("x-1.csv", b"f0,f1\n1,2\n3,4\n"),
        ("x-2.csv", b"f0,f1\n5,6\n7,8\n9,0\n"),
        ("a.txt", b"p\nq\n"),
        ("b.txt", b"p\nq\nq\n"),
        ("one.txt", b"p\nq\np\nq\nq\n"),
    ]);
    let at = |name: &str| folder.path().join(name);
    for labels in [vec![at("a.txt"), at("b.txt")], vec![at("one.txt")]] {
        let files = Files::new(vec![at("x-1.csv"), at("x-2.csv")]).with_labels(Some(Files::new(labels)));
        let table = read_files(&files, &ReadOptions::default(), &Pool::inline()).unwrap();
        assert_eq!(names(&table).concat(), "pqpqq");
    }
}

#[test]
fn a_row_that_is_skipped_on_one_side_is_left_out_on_the_other() {
    let x = b"f0,f1\n0,1\n1,x\n2,1\n\n3,1\n4,1\n5,y\n";
    let y = b"name,label\nr0,p\nr1,q\nr2,\nr3,q\nr4,p\nr5,p\n";
    let folder = folder(&[("x.csv", x), ("y.csv", y)]);
    let [x, y] = ["x.csv", "y.csv"].map(|name| folder.path().join(name));
    let cache = folder.path().join("cache");
    for cache in [None, Some(cache.clone()), Some(cache)] {
        let options = ReadOptions { cache, ..skipping() };
        let table = with_labels(&x, std::slice::from_ref(&y), &options).unwrap();
        let first: Vec<f32> = (0..table.n_rows()).map(|row| table.x().row(row)[0]).collect();
        assert_eq!((first, names(&table).concat()), (vec![0.0, 3.0, 4.0], "pqp".to_owned()));
        assert_eq!((table.n_skipped(), table.location(1).line), (3, Some(6)));
        insta::assert_snapshot!("skipped_on_one_side", warnings(&table));
    }
}

#[test]
fn a_cache_depends_on_its_labels() {
    let folder = folder(&[("x.npy", &fs::read(data("f32.npy")).unwrap()), ("own.txt", b"p\nq\np\nq\np\nq")]);
    let [x, y] = ["x.npy", "own.txt"].map(|name| folder.path().join(name));
    let options = ReadOptions { cache: Some(folder.path().join("cache")), ..ReadOptions::default() };
    for _ in 0..2 {
        let table = with_labels(&x, std::slice::from_ref(&y), &options).unwrap();
        assert_eq!((names(&table).concat(), table.cache_renewed()), ("pqpqpq".to_owned(), None));
        assert_eq!(table.format(), "npy, an array of features, labels in own.txt");
    }
    fs::write(&y, "q\nq\np\nq\np\nq\nq\n").unwrap();
    assert!(with_labels(&x, std::slice::from_ref(&y), &options).is_err());
    fs::write(&y, "q\nq\np\nq\np\nqq").unwrap();
    let table = with_labels(&x, &[y], &options).unwrap();
    assert_eq!(names(&table).concat(), "qqpqpqq");
    assert!(table.cache_renewed().unwrap().ends_with("is of the table as it was before it changed"));
    // A label file that appears under a usual name changes the table.
    assert!(read(&x, &options, &Pool::inline()).unwrap().labels().is_none());
    fs::write(folder.path().join("y.txt"), LABELS.join("\n")).unwrap();
    assert_eq!(names(&read(&x, &options, &Pool::inline()).unwrap()), LABELS);
}

#[test]
fn labels_of_a_table_to_predict_may_be_anything() {
    let x = fs::read(data("f32.npy")).unwrap();
    let predict = ReadOptions { placeholder_labels: true, ..ReadOptions::default() };
    for labels in ["a\nb\n", "\n\n\n\n\n", "", "a,b,c\n1,2,3\n"] {
        let folder = folder(&[("x.npy", &x), ("y.csv", labels.as_bytes())]);
        let table = read(&folder.path().join("x.npy"), &predict, &Pool::inline()).unwrap();
        assert!(table.labels().is_none(), "{labels}");
    }
}

#[test]
fn labels_that_do_not_fit() {
    let folder = folder(&[
        ("x.npy", &fs::read(data("f32.npy")).unwrap()),
        ("x.csv", b"f0,f1\n0,1\n1,0\n2,1\n"),
        ("five.txt", b"a\nb\na\nb\na\n"),
        ("blank.txt", b"a\nb\na\n\na\nb\n"),
        ("missing.csv", b"id,label\n1,a\n2,b\n3,\n4,a\n5,b\n6,a\n"),
        ("empty.csv", b"id,label\n1,\n2,\n3,\n4,\n5,\n6,\n"),
        ("unclear.csv", b"u,v\na,p\nb,q\na,p\nb,q\na,p\nb,q\n"),
        ("two-parts.txt", b"a\n"),
    ]);
    let at = |name: &str| folder.path().join(name);
    let wanted = ReadOptions { label_column: Some("lable".to_owned()), ..ReadOptions::default() };
    let plain = ReadOptions::default();
    let cases = [
        ("fewer", "x.npy", vec!["five.txt"], &plain),
        ("fewer than rows of text", "x.csv", vec!["five.txt"], &plain),
        ("a blank line", "x.npy", vec!["blank.txt"], &plain),
        ("several files", "x.npy", vec!["five.txt", "blank.txt", "two-parts.txt"], &plain),
        ("one missing", "x.npy", vec!["missing.csv"], &plain),
        ("all missing", "x.npy", vec!["empty.csv"], &plain),
        ("two columns", "x.npy", vec!["unclear.csv"], &plain),
        ("a column that is not there", "x.npy", vec!["missing.csv"], &wanted),
        ("no file", "x.npy", vec!["none.txt"], &plain),
    ];
    let read = |(name, x, y, options): (&str, &str, Vec<&str>, &ReadOptions)| {
        let labels: Vec<PathBuf> = y.into_iter().map(at).collect();
        let text = message(with_labels(&at(x), &labels, options));
        (name.to_owned(), text.replace(&format!("{}/", folder.path().display()), ""))
    };
    crate::assert_messages!(cases.into_iter().map(read).collect());
}

/// Multiple labels per row are no classes: each form is refused with a row.
#[test]
fn several_labels_a_row() {
    let folder = folder(&[("x.npy", &fs::read(data("f32.npy")).unwrap())]);
    let read_bytes = |name: &str, bytes: &[u8]| message(crate::bytes(name, bytes));
    let mut messages = vec![
        ("one-hot columns".to_owned(), read_bytes("t.csv", b"f0,label_a,label_b\n1,1,0\n2,1,1\n3,0,1\n")),
        ("a list of numbers".to_owned(), read_bytes("t.csv", b"f0,labels\n1,\"[1]\"\n2,\"[1, 3]\"\n")),
        (
            "a list of numbers beside embeddings".to_owned(),
            read_bytes("t.jsonl", b"{\"x\": [1, 2], \"label\": [1, 3]}\n{\"x\": [3, 4], \"label\": [1]}\n"),
        ),
    ];
    for file in
        ["several-texts.parquet", "several-numbers.parquet", "several-one-hot.parquet", "several-texts.arrow"]
    {
        messages.push((file.to_owned(), message(read_data(file))));
    }
    let y = fs::read(data("several.labels.npy")).unwrap();
    fs::write(folder.path().join("y.npy"), y).unwrap();
    let error = message(read(&folder.path().join("x.npy"), &ReadOptions::default(), &Pool::inline()));
    messages.push(("an array".to_owned(), error.replace(&format!("{}/", folder.path().display()), "")));
    let (x, y) = (folder.path().join("x.npy"), folder.path().join("lines.txt"));
    let with_lines = |lines: &str| {
        fs::write(&y, lines).unwrap();
        with_labels(&x, std::slice::from_ref(&y), &ReadOptions::default())
    };
    let error = message(with_lines("['a', 'b']\n['b']\n['a']\n[]\n['a']\n['a', 'b']\n"));
    messages.push(("lines".to_owned(), error.replace(&format!("{}/", folder.path().display()), "")));
    // A few lists are noticed when all labels are known.
    let table = with_lines("a\na\na\na\n['a', 'b']\n['c']\n").unwrap();
    let findings = headsmith_data::checks::inspect(&[("train", &table)], &Pool::inline());
    messages.push(("a few lines".to_owned(), findings[0].to_string()));
    crate::assert_messages!(messages);
    // The labels of a table to predict may be anything.
    let predict = ReadOptions { placeholder_labels: true, ..ReadOptions::default() };
    for file in ["several-texts.parquet", "several-numbers.parquet", "several-texts.arrow"] {
        assert!(read(&data(file), &predict, &Pool::inline()).unwrap().labels().is_none(), "{file}");
    }
}

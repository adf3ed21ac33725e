//! Predictions: the input's own columns unchanged, with the label filled in.

use crate::{data, skipping};
use headsmith_data::predictions::{
    Columns, PredictionSets, Predictions, WriteOptions, WriteSummary, write, zip,
};
use headsmith_data::{Classes, ReadOptions, Result, Table, read};
use headsmith_kernels::{Matrix, Pool};
use std::io::Read;
use std::path::Path;

fn classes() -> Classes {
    Classes::new(["a", "b, c"].map(str::to_owned).to_vec()).unwrap()
}

/// Writes predictions that alternate between the two classes.
fn submit(table: &Table, path: &Path, options: WriteOptions) -> Result<WriteSummary> {
    submit_with(table, path, options, None)
}

/// The same with prediction sets.
fn submit_with(
    table: &Table,
    path: &Path,
    options: WriteOptions,
    sets: Option<&PredictionSets>,
) -> Result<WriteSummary> {
    let n = table.n_rows();
    let predicted: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
    let probabilities =
        Matrix::new((0..n).flat_map(|i| if i % 2 == 0 { [0.75, 0.25] } else { [0.1, 0.9] }).collect(), n, 2);
    let classes = classes();
    let predictions = Predictions {
        classes: &classes,
        predicted: &predicted,
        probabilities: probabilities.view(),
        fold_of: None,
        sets,
    };
    write(path, table, predictions, &options)
}

/// The output for a file with this name and content.
fn written(
    name: &str,
    content: &[u8],
    read_options: &ReadOptions,
    options: WriteOptions,
) -> (String, WriteSummary) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let table = read(&path, read_options, &Pool::inline()).unwrap();
    let out = folder.path().join("submission.csv");
    let written = submit(&table, &out, options).unwrap();
    (std::fs::read_to_string(out).unwrap(), written)
}

fn submission(content: &str) -> String {
    written("test.csv", content.as_bytes(), &ReadOptions::default(), WriteOptions::default()).0
}

#[test]
fn cells_keep_their_bytes_and_the_label_is_filled() {
    let text = "id,embeddings,label,note\n 1,\"[1.50, 2e0,\n 3 ]\",x,\"say \"\"hi\"\"\"\n2,\"[4,5,6,]\",y,\n";
    let expected =
        "id,embeddings,label,note\n 1,\"[1.50, 2e0,\n 3 ]\",a,\"say \"\"hi\"\"\"\n2,\"[4,5,6,]\",\"b, c\",\n";
    assert_eq!(submission(text), expected);
}

#[test]
fn a_label_column_is_added_last_and_blank_lines_are_not_rows() {
    let text = "\u{feff}embeddings,id\r\n\"[1,2]\",7\r\n\r\n\"[3,4]\",8";
    assert_eq!(submission(text), "embeddings,id,label\n\"[1,2]\",7,a\n\"[3,4]\",8,\"b, c\"\n");
}

#[test]
fn probabilities_and_the_label_alone() {
    let text = "embeddings,label\n\"[1,2]\",\n\"[3,4]\",\n";
    let write = |columns: Columns, proba| {
        written("t.csv", text.as_bytes(), &ReadOptions::default(), WriteOptions { columns, proba }).0
    };
    assert_eq!(write(Columns::LabelOnly, false), "label\na\n\"b, c\"\n");
    assert_eq!(write(Columns::LabelOnly, true), "label,a,\"b, c\"\na,0.75,0.25\n\"b, c\",0.1,0.9\n");
    assert_eq!(
        write(Columns::All, true),
        "embeddings,label,a,\"b, c\"\n\"[1,2]\",a,0.75,0.25\n\"[3,4]\",\"b, c\",0.1,0.9\n"
    );
}

/// The output `name` for three rows with the sets {a}, {} and {a, b}.
fn with_sets(name: &str, input: &str, columns: &str, proba: bool) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("t.csv"), folder.path().join(name));
    std::fs::write(&path, input).unwrap();
    let table = read(&path, &ReadOptions::default(), &Pool::inline()).unwrap();
    let sets: PredictionSets = [vec![0], vec![], vec![0, 1]].into_iter().collect();
    submit_with(&table, &out, WriteOptions { columns: columns.parse().unwrap(), proba }, Some(&sets))?;
    Ok(std::fs::read(out).unwrap())
}

#[test]
fn prediction_sets_are_a_column() {
    let input = "id,f0,f1\n7,1,2\n8,3,4\n9,5,6\n";
    let text = |name: &str, columns: &str, proba: bool| {
        String::from_utf8(with_sets(name, input, columns, proba).unwrap()).unwrap()
    };
    assert_eq!(
        text("p.csv", "all", true),
        "id,f0,f1,label,prediction_set,a,\"b, c\"\n7,1,2,a,a,0.75,0.25\n8,3,4,\"b, c\",,0.1,0.9\n9,5,6,a,\"a|b, c\",0.75,0.25\n"
    );
    assert_eq!(text("p.tsv", "id,prediction_set", false), "id\tprediction_set\n7\ta\n8\t\n9\ta|b, c\n");
    assert_eq!(text("p.csv", "label", false), "label\na\n\"b, c\"\na\n");
    assert_eq!(text("p.csv", "id,label", false), "id,label\n7,a\n8,\"b, c\"\n9,a\n");
    assert_eq!(
        text("p.jsonl", "prediction_set,label", false),
        "{\"prediction_set\":[\"a\"],\"label\":\"a\"}\n{\"prediction_set\":[],\"label\":\"b, c\"}\n{\"prediction_set\":[\"a\",\"b, c\"],\"label\":\"a\"}\n"
    );
}

#[test]
fn prediction_sets_are_lists_in_parquet() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let bytes = with_sets("p.parquet", "id,f0\n7,1\n8,3\n9,5\n", "prediction_set,id", false).unwrap();
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(
        rows,
        [
            "{prediction_set: [\"a\"], id: 7}",
            "{prediction_set: [], id: 8}",
            "{prediction_set: [\"a\", \"b, c\"], id: 9}"
        ]
    );
}

#[test]
fn prediction_sets_need_a_name_that_is_free_and_a_model_that_has_them() {
    let taken = "prediction_set,f0,f1\nx,1,2\ny,3,4\nz,5,6\n";
    let error = with_sets("p.csv", taken, "all", false).unwrap_err().to_string();
    assert!(error.contains("two columns would be named \"prediction_set\""), "{error}");
    let error = named("columns.csv", "prediction_set", false).unwrap_err().to_string();
    assert!(error.contains("only a model fitted with --conformal has prediction sets"), "{error}");
}

#[test]
fn skipped_rows_are_left_out_and_reported() {
    let text = "embeddings,label\n\"[1,2]\",x\n\"[3,nan]\",x\n\n\"[5,6]\",y\n\"[7,8\n\"[9,9]\",z\n";
    let (out, said) = written("t.csv", text.as_bytes(), &skipping(), WriteOptions::default());
    assert_eq!(out, "embeddings,label\n\"[1,2]\",a\n\"[5,6]\",\"b, c\"\n\"[9,9]\",a\n");
    assert_eq!((said.n_rows, said.n_left_out), (3, 2));
}

#[test]
fn other_formats_become_csv_with_shortest_numbers() {
    let file = |name: &str| {
        written(name, &std::fs::read(data(name)).unwrap(), &ReadOptions::default(), WriteOptions::default()).0
    };
    let lists = file("list-f16.parquet");
    assert_eq!(lists.lines().nth(1), Some("\"[-1.125, -0.25, 0.625, 1.5]\",a"));
    assert_eq!(file("f64.npy"), lists);
    assert_eq!(file("packed.npz").lines().nth(1), lists.lines().nth(1));
    assert_eq!(
        file("with-id.parquet").lines().nth(2),
        Some("\"[2.375, -0.625, 0.25, 1.125]\",\"b, c\",\"r,1\"")
    );
    assert_eq!(
        file("columns.parquet").lines().take(2).collect::<Vec<_>>(),
        ["f0,f1,f2,f3,label", "-1.125,-0.25,0.625,1.5,a"]
    );
    assert_eq!(file("lists.csv.gz"), file("lists.csv.zst"));
    assert_eq!(file("named-index.parquet"), file("columns.parquet"));
    assert_eq!(file("to-predict.parquet"), file("f64.npy"));
}

#[test]
fn one_hot_columns_are_filled() {
    let text = "f0,label_a,\"label_b, c\"\n1,0,1\n2,0,1\n";
    assert_eq!(submission(text), "f0,label_a,\"label_b, c\"\n1,1,0\n2,0,1\n");
}

#[test]
fn one_hot_columns_of_other_classes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("t.csv"), folder.path().join("out.csv"));
    let submitted = |header: &str, columns| {
        std::fs::write(&path, format!("{header}\n1,0,1\n2,1,0\n")).unwrap();
        submit(
            &read(&path, &ReadOptions::default(), &Pool::inline()).unwrap(),
            &out,
            WriteOptions { columns, proba: false },
        )
    };
    let error = submitted("f0,label_a,label_c", Columns::All).unwrap_err();
    assert!(error.is_column() && !out.exists());
    insta::assert_snapshot!(error.to_string().replace(&folder.path().display().to_string(), "in"));
    submitted("f0,label_a,label_c", Columns::LabelOnly).unwrap();
    submitted("f0,\"label_B, C\",label_a", Columns::All).unwrap();
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "f0,\"label_B, C\",label_a\n1,0,1\n2,1,0\n");
}

#[test]
fn an_added_label_column_is_named_as_asked_or_as_in_training() {
    let header = |column: Option<&str>, hint: Option<&str>, name: &str| {
        let options = ReadOptions {
            label_column: column.map(str::to_owned),
            label_hint: hint.map(str::to_owned),
            placeholder_labels: true,
            ..ReadOptions::default()
        };
        let content = if name == "t.csv" {
            b"embeddings\n\"[1]\"\n".to_vec()
        } else {
            std::fs::read(data(name)).unwrap()
        };
        written(name, &content, &options, WriteOptions::default()).0.lines().next().unwrap().to_owned()
    };
    assert_eq!(header(Some("kind"), Some("mood"), "t.csv"), "embeddings,kind");
    assert_eq!(header(None, Some("a, b"), "t.csv"), "embeddings,\"a, b\"");
    assert_eq!(header(None, None, "t.csv"), "embeddings,label");
    assert_eq!(header(Some("kind"), None, "with-id.parquet"), "embeddings,label,id,kind");
    assert_eq!(header(None, Some("mood"), "f64.npy"), "embeddings,mood");
    let table = read(&data("f64.npy"), &ReadOptions::default(), &Pool::inline()).unwrap();
    assert_eq!(table.labels().unwrap().column(), "label");
}

/// A pipe can be read only once, but the rows are needed twice.
#[cfg(unix)]
#[test]
fn a_table_from_a_pipe_is_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, out) = (folder.path().join("pipe"), folder.path().join("out.csv"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for name in ["lists.csv", "lists.csv.gz", "list-f32.parquet", "f32.npy", "plain.npz"] {
        let content = std::fs::read(data(name)).unwrap();
        let feeder = {
            let (pipe, content) = (pipe.clone(), content.clone());
            std::thread::spawn(move || std::fs::write(pipe, content).unwrap())
        };
        let table = read(&pipe, &ReadOptions::default(), &Pool::inline()).unwrap();
        feeder.join().unwrap();
        submit(&table, &out, WriteOptions::default()).unwrap();
        let whole = written(name, &content, &ReadOptions::default(), WriteOptions::default()).0;
        let header = |text: &str| text.lines().map(str::to_owned).skip(1).collect::<Vec<_>>();
        assert_eq!(header(&std::fs::read_to_string(&out).unwrap()), header(&whole), "{name}");
    }
}

/// Rows that were not in the file when it was read do not get the predictions of others.
#[test]
fn a_changed_file_is_refused_and_the_old_output_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("t.csv"), folder.path().join("submission.csv"));
    std::fs::write(&path, "embeddings\n\"[1,2]\"\n\"[3,4]\"\n").unwrap();
    std::fs::write(&out, "old").unwrap();
    let table = read(&path, &ReadOptions::default(), &Pool::inline()).unwrap();
    let changes = [
        "embeddings\n\"[3,4]\"\n\"[1,2]\"\n",
        "embeddings\n\"[1,2]\"\n",
        "embeddings\n\n\"[1,2]\"\n\"[3,4]\"\n",
        "embeddings,label\n\"[1,2]\",a\n\"[3,4]\",b\n",
        "embeddings\n\"[1,2,3]\"\n\"[3,4,5]\"\n",
    ];
    for text in changes {
        std::fs::write(&path, text).unwrap();
        let error = submit(&table, &out, WriteOptions::default()).unwrap_err();
        assert!(error.to_string().contains("changed during the prediction"), "{text}: {error}");
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "old");
    }
}

#[test]
fn a_class_named_as_a_column_is_refused_with_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "a,f1,label\n1,2,x\n3,4,y\n").unwrap();
    let table = read(&path, &ReadOptions::default(), &Pool::inline()).unwrap();
    let out = folder.path().join("out.csv");
    let error = submit(&table, &out, WriteOptions { columns: Columns::All, proba: true }).unwrap_err();
    assert!(error.to_string().contains("names of columns there are: \"a\""), "{error}");
    submit(&table, &out, WriteOptions { columns: Columns::LabelOnly, proba: true }).unwrap();
}

#[test]
fn a_zip_has_the_submission_and_reproducible_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("any.csv");
    let content = "embeddings,label\n".repeat(1000);
    std::fs::write(&csv, &content).unwrap();
    let (one, two) = (folder.path().join("1.zip"), folder.path().join("2.zip"));
    zip(&csv, &one).unwrap();
    zip(&csv, &two).unwrap();
    let bytes = std::fs::read(&one).unwrap();
    assert_eq!(bytes, std::fs::read(&two).unwrap());
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(archive.len(), 1);
    let mut text = String::new();
    archive.by_name("submission.csv").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, content);
    for no_file in ["/dev/null", "/dev/stdout"] {
        assert!(zip(Path::new(no_file), &one).unwrap_err().is_format());
    }
}

/// The output for a test file with these columns, or the error.
fn named(name: &str, columns: &str, proba: bool) -> Result<String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv");
    let table = read(&data(name), &ReadOptions::default(), &Pool::inline())?;
    submit(&table, &out, WriteOptions { columns: columns.parse().unwrap(), proba })?;
    Ok(std::fs::read_to_string(&out).unwrap())
}

#[test]
fn named_columns_are_written_unchanged_in_the_requested_order() {
    let text = "id,embeddings,mood,note\n 007,\"[1.50, 2e0]\",x,\"say \"\"hi\"\"\"\n1.0,\"[4,5]\",y,\n";
    let options = ReadOptions { label_column: Some("mood".to_owned()), ..ReadOptions::default() };
    let write = |columns: &str, proba| {
        let options_of_write = WriteOptions { columns: columns.parse().unwrap(), proba };
        written("t.csv", text.as_bytes(), &options, options_of_write).0
    };
    assert_eq!(write("id,label", false), "id,mood\n 007,a\n1.0,\"b, c\"\n");
    assert_eq!(write("mood,note,id", false), "mood,note,id\na,\"say \"\"hi\"\"\", 007\n\"b, c\",,1.0\n");
    assert_eq!(write("id", true), "id,a,\"b, c\"\n 007,0.75,0.25\n1.0,0.1,0.9\n");
    assert_eq!(write("label,embeddings", false), "mood,embeddings\na,\"[1.50, 2e0]\"\n\"b, c\",\"[4,5]\"\n");
}

#[test]
fn named_columns_of_other_formats() {
    let second = |name: &str, columns: &str| {
        let text = named(name, columns, false).unwrap();
        text.lines().nth(2).unwrap().to_owned()
    };
    assert_eq!(second("with-id.parquet", "id,label"), "\"r,1\",\"b, c\"");
    assert_eq!(second("columns.parquet", "f3,label,f1"), second("columns.csv", "f3,label,f1"));
    assert_eq!(second("f32.npy", "label,embeddings"), "\"b, c\",\"[2.375, -0.625, 0.25, 1.125]\"");
    // pandas' index column is written if it is requested by name.
    let first = named("named-index.parquet", "all", false).unwrap();
    let key = named("named-index.parquet", "sample,label", false).unwrap();
    assert!(!first.contains("sample") && key.starts_with("sample,label\n"), "{first}{key}");
}

#[test]
fn columns_that_cannot_be_written_are_refused() {
    let error = |name: &str, columns: &str| named(name, columns, false).unwrap_err().to_string();
    let unknown = error("columns.csv", "f9,label");
    assert!(unknown.contains("there is no column \"f9\" to write; the columns are \"f0\", "), "{unknown}");
    let meant = error("with-id.parquet", "idd,label");
    assert!(meant.contains("did you mean \"id\"?"), "{meant}");
    let array = error("f32.npy", "id,label");
    assert!(array.contains("there is no column \"id\" to write; the columns are \"embeddings\""), "{array}");
    let bare = error("with-id.parquet", "id");
    assert!(bare.contains("hold no prediction; add label"), "{bare}");
}

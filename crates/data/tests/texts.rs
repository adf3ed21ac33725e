//! Text tables that are no plain CSV: all forms of one table are the same table.

use crate::{bytes, csv, message, skipping, warnings};
use headsmith_data::predictions::{self, Predictions, WriteOptions};
use headsmith_data::{Classes, ReadOptions, Table, read, read_bytes};
use headsmith_kernels::{Matrix, Pool};
use std::io::Write;

const PLAIN: &str =
    "id,embedding,label\nr1,\"[0.5, -1.25]\",käse\nr2,\"[1.5, 2]\",brot\nr3,\"[3, 4e-1]\",käse\n";

fn is_plain(table: &Table, name: &str) {
    assert_eq!(table.x().as_slice(), [0.5, -1.25, 1.5, 2.0, 3.0, 0.4], "{name}");
    let labels = table.labels().unwrap();
    assert_eq!(
        (labels.column(), labels.name(0), labels.name(1), labels.name(2)),
        ("label", "käse", "brot", "käse"),
        "{name}"
    );
    assert_eq!((table.location(0).line, table.location(2).line), (Some(2), Some(4)), "{name}");
}

#[test]
fn separators_are_detected_by_content() {
    let by = |separator: &str| {
        PLAIN
            .replace("\",", &format!("\"{separator}"))
            .replace("id,", &format!("id{separator}"))
            .replace("g,l", &format!("g{separator}l"))
            .replace(",\"", &format!("{separator}\""))
    };
    for separator in [";", "\t", "|"] {
        let text = by(separator);
        is_plain(&csv(&text).unwrap(), &text);
        // A list contains no separator, so it needs no quotes.
        let text = text.replace('"', "");
        is_plain(&csv(&text).unwrap(), &text);
    }
}

#[test]
fn encodings_are_detected_and_reported() {
    let utf16 = |to: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        format!("{mark}{PLAIN}").encode_utf16().flat_map(to).collect()
    };
    let latin: Vec<u8> = PLAIN.chars().map(|c| c as u8).collect();
    let forms = [
        ("little-endian", utf16(u16::to_le_bytes, "\u{feff}"), "UTF-16 (little-endian)"),
        ("big-endian", utf16(u16::to_be_bytes, "\u{feff}"), "UTF-16 (big-endian)"),
        ("little-endian without a mark", utf16(u16::to_le_bytes, ""), "UTF-16 (little-endian)"),
        ("big-endian without a mark", utf16(u16::to_be_bytes, ""), "UTF-16 (big-endian)"),
        ("Latin-1", latin, "Windows-1252 (Latin-1)"),
    ];
    for (name, text, said) in forms {
        let table = bytes("t.csv", &text).unwrap();
        is_plain(&table, name);
        let expected =
            format!("encoding: the text is not UTF-8 and is read as {said}; what is written is UTF-8\n");
        assert_eq!(warnings(&table), expected, "{name}");
    }
    assert_eq!(warnings(&csv(PLAIN).unwrap()), "");
}

#[test]
fn decimal_commas_where_commas_separate_nothing() {
    let text = "f0;f1;label\n0,5;-1,25;a\n1,5;2;b\n-,5;1,5e-01;a\n";
    let table = csv(text).unwrap();
    assert_eq!(table.x().as_slice(), [0.5, -1.25, 1.5, 2.0, -0.5, 0.15]);
    assert_eq!(table.labels().unwrap().name(1), "b");
    let table = csv("f0;note;label\n0,5;2,10;a\n1,5;x;b\n").unwrap();
    assert_eq!(table.x().as_slice(), [0.5, 1.5]);
    let table = csv("f0\tf1\tlabel\n0.5\t-1.25\ta,5\n1.5\t2\tb\n").unwrap();
    assert_eq!((table.x().as_slice(), table.labels().unwrap().name(0)), (&[0.5, -1.25, 1.5, 2.0][..], "a,5"));
}

#[test]
fn leading_comments_and_spreadsheet_separator_lines_are_skipped() {
    let table = csv("# made by a script\n# yesterday, at noon\nf0,f1,label\n1,2,a\n3,4,b\n").unwrap();
    assert_eq!((table.x().as_slice(), table.location(1).line), (&[1.0, 2.0, 3.0, 4.0][..], Some(5)));
    let table = csv("sep=;\nf0;f1;label\n1;2;a\n3;4;b\n").unwrap();
    assert_eq!((table.x().as_slice(), table.location(1).line), (&[1.0, 2.0, 3.0, 4.0][..], Some(4)));
    // A header as written by numpy.savetxt.
    let table = csv("# f0,f1,y\n1.5,2.5,0\n3.5,4.5,1\n").unwrap();
    assert_eq!((table.x().as_slice(), table.location(1).line), (&[1.5, 2.5, 3.5, 4.5][..], Some(3)));
    assert_eq!(table.feature_names().unwrap(), ["f0", "f1"]);
}

#[test]
fn a_header_of_another_width_than_all_rows_is_named() {
    for text in ["a,b,label\n1,1.5,2,x\n2,2.5,3,y\n", "a,b,label\n\n1.5,2,x,\n2.5,3,y,\n"] {
        let error = csv(text).unwrap_err().to_string();
        assert!(error.contains("the header has 3 names, and the first row has 4 fields"), "{error}");
    }
}

#[test]
fn a_table_without_a_header_is_named_by_position() {
    let cases = [
        ("text last", "0.5,1.25,a\n0.75,1.5,b\n1,2,a\n"),
        ("few whole numbers last", "0.5,1.25,0\n0.75,1.5,1\n1.5,2.5,0\n1,2,1\n"),
        ("lists", "\"[1,2]\",a\n\"[3,4]\",b\n\"[5,6]\",a\n"),
        ("features alone", "0.5,1.25\n0.75,1.5\n"),
    ];
    let read = |(name, text): (&str, &str)| {
        let table = csv(text).unwrap();
        assert_eq!(
            (table.n_rows(), table.n_features(), table.location(0).line),
            (text.lines().count(), 2, Some(1)),
            "{name}"
        );
        let label = table.labels().map_or("none", |labels| labels.column());
        (name.to_owned(), format!("label: {label}; {}", warnings(&table).trim_end()))
    };
    crate::assert_messages!(cases.map(read).to_vec());
    // They are in turn, but the class beside them is that of another row.
    assert_eq!(csv("1,2,a\n0.75,1.5,b\n1,2,a\n").unwrap().n_rows(), 3);
    // Numbers in a header are names, and so is a name above numbers.
    for header in ["0,1,label", "year,2019,label", "0.1,0.2,label"] {
        let table = csv(&format!("{header}\n1,2.5,a\n3,4.5,b\n")).unwrap();
        assert_eq!((table.n_rows(), warnings(&table)), (2, String::new()), "{header}");
    }
}

#[test]
fn objects_are_rows() {
    let text = "{\"embedding\": [0.5, -1.25], \"label\": \"k\\u00e4se\", \"text\": \"a, \\\"b\\\"\\nc\"}\n\n\
                {\"label\": \"brot\", \"embedding\": [1.5, 2], \"more\": {\"a\": [1, \"}\"]}}\n{\"embedding\":[3,4e-1],\"label\":\"käse\",\"text\":null}\n";
    let table = bytes("t.jsonl", text.as_bytes()).unwrap();
    assert_eq!(table.x().as_slice(), [0.5, -1.25, 1.5, 2.0, 3.0, 0.4]);
    let labels = table.labels().unwrap();
    assert_eq!((labels.name(0), labels.name(1), labels.name(2)), ("käse", "brot", "käse"));
    assert_eq!([0, 1, 2].map(|row| table.location(row).line.unwrap()), [1, 3, 4]);
    let array =
        "[\n  {\"f0\": 1,\n   \"f1\": 2.5, \"y\": true},\n  {\"f0\": 3,\n   \"f1\": 4.5, \"y\": false}\n]\n";
    let table = bytes("t.json", array.as_bytes()).unwrap();
    assert_eq!((table.x().as_slice(), table.location(1).row), (&[1.0, 2.5, 3.0, 4.5][..], Some(2)));
    assert_eq!(table.labels().unwrap().names(), ["False", "True"]);
}

#[test]
fn a_bad_object_affects_no_other() {
    let text = "{\"x\": [1, 2], \"y\": \"a\"}\n{\"x\": [1, 2], \"y\"\n{\"x\": [1, null], \"y\": \"b\"}\n{\"x\": [3, 4], \"y\": \"b\"}\n";
    let table = read_bytes("t.jsonl", text.as_bytes(), &skipping(), &Pool::inline()).unwrap();
    assert_eq!((table.x().as_slice(), table.location(1).line), (&[1.0, 2.0, 3.0, 4.0][..], Some(4)));
    insta::assert_snapshot!(format!("{}{}", warnings(&table), message(bytes("t.jsonl", text.as_bytes()))));
}

/// Windows of text end anywhere, also within an object or a record.
#[test]
fn large_tables_are_read_in_windows() {
    let n = 40_000;
    let row = |i: usize| (i as f32, i as f32 / 8.0, i % 3);
    let mut forms = [String::from("a;b;label\n"), String::new(), String::from("[")];
    for i in 0..n {
        let (a, b, label) = row(i);
        let comma = format!("{b}").replace('.', ",");
        forms[0].push_str(&format!("{a};{comma};\"ü {label}\"\n"));
        forms[1].push_str(&format!("{{\"a\": {a}, \"b\": {b}, \"label\": \"ü {label}\"}}\n"));
        forms[2].push_str(&format!(
            "{}{{\"a\": {a}, \"b\": {b}, \"label\": \"ü {label}\"}}",
            if i > 0 { ", " } else { "" }
        ));
    }
    forms[2].push(']');
    let latin: Vec<u8> = forms[0].chars().map(|c| c as u8).collect();
    let utf16: Vec<u8> = forms[0].encode_utf16().flat_map(u16::to_le_bytes).collect();
    for text in [forms[0].as_bytes(), forms[1].as_bytes(), forms[2].as_bytes(), &latin, &utf16] {
        assert!(text.len() > 1 << 19);
        let table = bytes("t", text).unwrap();
        assert_eq!(table.n_rows(), n);
        let same = |i: usize| {
            table.x().row(i) == [row(i).0, row(i).1]
                && table.labels().unwrap().name(i) == format!("ü {}", row(i).2)
        };
        assert!((0..n).all(same));
    }
}

#[test]
fn a_zip_with_one_table_is_that_table() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [("README.md", "no table"), ("__MACOSX/._t.csv", "x"), ("data/t.csv", PLAIN)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let whole = zip.finish().unwrap().into_inner();
    is_plain(&bytes("submission.zip", &whole).unwrap(), "zip");
    assert_eq!(bytes("t.csv.zip", &whole).unwrap().format(), "CSV, zip, lists in column \"embedding\"");
    // Its checksum is compared with its bytes.
    let at = whole.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let mut wrong = whole.clone();
    wrong[at + 16] ^= 1;
    assert!(message(bytes("t.zip", &wrong)).contains("checksum"));
}

/// Predictions are written from a second reading of the file, so each form must give the same rows twice.
#[test]
fn predictions_are_added_to_the_columns_of_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let latin: Vec<u8> = PLAIN.chars().map(|c| c as u8).collect();
    let semicolons =
        PLAIN.replace("\",", "\";").replace("id,", "id;").replace("g,l", "g;l").replace(",\"", ";\"");
    let objects = [("r1", "[0.5, -1.25]"), ("r2", "[1.5, 2]"), ("r3", "[3, 4e-1]")]
        .map(|(id, list)| format!("{{\"id\": \"{id}\", \"embedding\": {list}, \"label\": null}}"));
    let forms: [(&str, Vec<u8>); 5] = [
        ("latin.csv", latin),
        ("semicolons.csv", semicolons.into_bytes()),
        ("comment.csv", format!("# by hand\n{PLAIN}").into_bytes()),
        ("lines.jsonl", objects.join("\n").into_bytes()),
        ("array.json", format!("[{}]", objects.join(", ")).into_bytes()),
    ];
    let options = ReadOptions { placeholder_labels: true, ..ReadOptions::default() };
    let classes = Classes::new(vec!["a".to_owned(), "ä, b".to_owned()]).unwrap();
    let probabilities = Matrix::new(vec![0.5; 6], 3, 2);
    for (name, text) in forms {
        let (path, out) = (folder.path().join(name), folder.path().join("out.csv"));
        std::fs::write(&path, text).unwrap();
        let table = read(&path, &options, &Pool::inline()).unwrap();
        let made = Predictions {
            classes: &classes,
            predicted: &[0, 1, 0],
            probabilities: probabilities.view(),
            fold_of: None,
            sets: None,
        };
        predictions::write(&out, &table, made, &WriteOptions::default()).unwrap();
        let written = std::fs::read_to_string(&out).unwrap();
        let lists = ["[0.5, -1.25]", "[1.5, 2]", "[3, 4e-1]"];
        let expected: String =
            (0..3).map(|i| format!("r{},\"{}\",{}\n", i + 1, lists[i], ["a", "\"ä, b\"", "a"][i])).collect();
        assert_eq!(written.trim_start(), format!("id,embedding,label\n{expected}"), "{name}");
    }
}

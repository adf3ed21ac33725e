//! Damaged or unsupported Arrow files, each with its message, and predictions beside their rows.

use crate::{assert_messages, bytes, data, message, read_data, skipping, warnings};
use headsmith_data::{Classes, ReadOptions, predictions, read};
use headsmith_kernels::{MatRef, Pool};
use std::fs;

fn whole(name: &str) -> Vec<u8> {
    fs::read(data(name)).unwrap()
}

/// `bytes` with the first occurrence of `from` replaced by `to`.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn damaged_files() {
    let (file, stream) = (whole("uncompressed.feather"), whole("stream.arrow"));
    // The first 8 bytes of the second message give the length of its header, which has the body's length.
    let huge = replaced(&stream, &[0xFF; 4], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("the magic alone", b"ARROW1\0\0".to_vec()),
        ("a file cut off within a batch", file[..file.len() / 2].to_vec()),
        ("a file cut off within its footer", file[..file.len() - 20].to_vec()),
        ("a stream cut off within a batch", stream[..stream.len() - 100].to_vec()),
        ("a stream cut off within its schema", stream[..50].to_vec()),
        ("a huge description", huge),
        ("no schema", [&[0xFF; 4][..], &[16, 0, 0, 0], &[0; 16]].concat()),
        ("nonsense", [&[0xFF; 4][..], &[16, 0, 0, 0], &[0xAB; 400]].concat()),
        ("an empty stream", [&[0xFF; 4][..], &[0; 4]].concat()),
    ];
    let read = |(name, content): (&str, Vec<u8>)| (name.to_owned(), message(bytes("x.arrow", &content)));
    assert_messages!(cases.into_iter().map(read).collect());
}

#[test]
fn files_that_are_no_tables() {
    let files =
        ["no-rows.arrow", "date-embeddings.arrow", "list-of-two.arrow", "nulls.arrow", "spark-null.arrow"];
    let mut messages: Vec<(String, String)> =
        files.map(|file| (file.to_owned(), message(read_data(file)))).to_vec();
    messages.push(("another ending".to_owned(), message(bytes("x.parquet", &whole("stream.arrow")))));
    assert_messages!(messages);
}

/// Whichever byte changes, reading soon ends with a table or an error: no claim is trusted.
#[test]
fn flipped_bytes() {
    for name in
        ["stream.arrow", "dictionary.arrow", "zstd.feather", "lz4.feather", "views.arrow", "others.arrow"]
    {
        let whole = whole(name);
        for at in (0..whole.len()).step_by(7) {
            for flip in [0x01, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                let read = headsmith_data::read_bytes("x.arrow", &damaged, &skipping(), &Pool::inline());
                if let Ok(table) = read {
                    assert!(table.n_rows() <= 6, "{name}, byte {at}");
                }
            }
        }
    }
}

#[test]
fn rows_of_nulls_are_skipped() {
    let table = read(&data("nulls.arrow"), &skipping(), &Pool::inline()).unwrap();
    assert_eq!((table.n_rows(), table.location(0).row), (2, Some(5)));
    insta::assert_snapshot!(warnings(&table));
}

#[test]
fn predictions_are_added_to_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let options = ReadOptions { placeholder_labels: true, ..ReadOptions::default() };
    for cache in [None, Some(folder.path().join("cache"))] {
        let table =
            read(&data("others.arrow"), &ReadOptions { cache, ..options.clone() }, &Pool::inline()).unwrap();
        let classes = Classes::new(vec!["a".to_owned(), "b".to_owned()]).unwrap();
        let proba = [0.0, 1.0].repeat(6);
        let predictions = predictions::Predictions {
            classes: &classes,
            predicted: &[1; 6],
            probabilities: MatRef::new(&proba, 6, 2),
            fold_of: None,
            sets: None,
        };
        let out = folder.path().join("out.csv");
        predictions::write(&out, &table, predictions, &predictions::WriteOptions::default()).unwrap();
        let text = fs::read_to_string(&out).unwrap();
        let first: Vec<&str> = text.lines().take(3).collect();
        assert_eq!(
            first,
            [
                "null,bytes,name,embedding,label",
                "\"\",1,n,\"[-1.125, -0.25, 0.625, 1.5]\",b",
                "\"\",\"\",\"\",\"[2.375, -0.625, 0.25, 1.125]\",b"
            ]
        );
    }
}

/// Each part of a saved DatasetDict is a separate table.
#[test]
fn a_folder_of_splits_names_them() {
    let folder = tempfile::tempdir().unwrap();
    for split in ["train", "test"] {
        let part = folder.path().join(split);
        fs::create_dir(&part).unwrap();
        fs::copy(data("stream.arrow"), part.join("data-00000-of-00001.arrow")).unwrap();
        fs::write(part.join("state.json"), "{}").unwrap();
    }
    fs::write(folder.path().join("dataset_dict.json"), "{\"splits\": [\"train\", \"test\"]}").unwrap();
    let text = read(folder.path(), &ReadOptions::default(), &Pool::inline()).unwrap_err().to_string();
    insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "DIR"));
    let train = read(&folder.path().join("train"), &ReadOptions::default(), &Pool::inline()).unwrap();
    assert_eq!(train.n_rows(), 6);
}

//! Tables read through a cache file: the same table, and nothing wrong is trusted.

use crate::{data, skipping};
use headsmith_data::{OnBadRow, ReadOptions, Result, Table, checks, predictions, read};
use headsmith_kernels::Pool;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The offset of the features.
const FEATURES_AT: usize = 65_536;

fn cached(path: &Path, folder: &Path, options: &ReadOptions) -> Result<Table> {
    let options = ReadOptions { cache: Some(folder.to_owned()), ..options.clone() };
    read(path, &options, &Pool::new(2).unwrap())
}

/// Everything visible of a table.
fn seen(table: &Table) -> String {
    let places: Vec<_> = (0..table.n_rows()).map(|row| table.location(row).to_string()).collect();
    let bits: Vec<u32> = table.x().as_slice().iter().map(|value| value.to_bits()).collect();
    let names = (table.format(), table.embeddings_column(), table.feature_names(), table.n_skipped());
    let findings = checks::inspect(&[("train", table)], &Pool::inline());
    format!("{names:?}\n{:?}\n{places:?}\n{bits:?}\n{:?}\n{findings:?}", table.labels(), table.warnings())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The only file of a folder.
fn only(folder: &Path) -> PathBuf {
    let files = files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn every_table_is_the_same_by_its_cache() {
    let mut n_read = 0;
    for path in files(&data("")) {
        for on_bad_row in [OnBadRow::Error, OnBadRow::Skip] {
            for placeholder_labels in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let options = ReadOptions { on_bad_row, placeholder_labels, ..ReadOptions::default() };
                match (read(&path, &options, &Pool::inline()), cached(&path, folder.path(), &options)) {
                    (Ok(plain), Ok(written)) => {
                        let file = only(folder.path());
                        let (bytes, again) =
                            (fs::read(&file).unwrap(), cached(&path, folder.path(), &options));
                        assert_eq!(seen(&plain), seen(&written), "{}", path.display());
                        let again = again.unwrap();
                        assert_eq!(again.cache_renewed(), None, "{}: it was not read", path.display());
                        assert_eq!(seen(&plain), seen(&again), "{}", path.display());
                        assert_eq!(fs::read(&file).unwrap(), bytes);
                        assert_eq!(written.cache_renewed(), None);
                        n_read += 1;
                    }
                    (Err(plain), Err(cached)) => {
                        assert_eq!(plain.to_string(), cached.to_string());
                        assert_eq!(files(folder.path()), [] as [PathBuf; 0]);
                    }
                    (plain, cached) => panic!("{}: {plain:?}, {cached:?}", path.display()),
                }
            }
        }
    }
    assert!(n_read > 100, "{n_read} tables were read");
}

/// A table in its own folder, with some bad rows and some without labels.
fn gappy() -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.csv");
    let row = |i: u32| match i % 7 {
        3 => format!("\"[{i}, 1.5, -2]\",\n"),
        5 => "\"[1, nan, 2]\",a\n".to_owned(),
        k => format!("\"[{i}, {k}.25, 7]\",{}\n", ["a", "b", " A"][k as usize % 3]),
    };
    let text = format!("embeddings,label\n{}", (0..5000).map(row).collect::<String>());
    fs::write(&path, &text).unwrap();
    (folder, path, text)
}

#[test]
fn rows_without_a_label_are_removed_from_the_cache_file() {
    let (folder, path, _) = gappy();
    let plain = read(&path, &skipping(), &Pool::inline()).unwrap();
    let cache = folder.path().join("a/b");
    for _ in 0..2 {
        assert_eq!(seen(&cached(&path, &cache, &skipping()).unwrap()), seen(&plain));
    }
    let expected = FEATURES_AT + plain.n_rows() * 4 * 4;
    assert!((expected..expected + 200_000).contains(&(fs::metadata(only(&cache)).unwrap().len() as usize)));
}

#[test]
fn the_cache_follows_the_table_its_labels_and_the_options() {
    let folder = tempfile::tempdir().unwrap();
    let (path, labels, cache) =
        ["f32.npy", "f32.labels.npy", "cache"].map(|name| folder.path().join(name)).into();
    fs::copy(data("f32.npy"), &path).unwrap();
    let table = || cached(&path, &cache, &ReadOptions::default()).unwrap();
    assert!(table().labels().is_none());
    fs::copy(data("f32.labels.npy"), &labels).unwrap();
    let renewed = table();
    assert!(renewed.labels().is_some());
    assert!(renewed.cache_renewed().unwrap().ends_with(" is of the table as it was before it changed"));
    assert_eq!(table().cache_renewed(), None);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(7)).unwrap();
    assert!(table().cache_renewed().is_some());
    only(&cache);
    let options = ReadOptions { label_column: Some("kind".to_owned()), ..ReadOptions::default() };
    assert_eq!(cached(&path, &cache, &options).unwrap().labels().unwrap().column(), "kind");
    assert_eq!(files(&cache).len(), 2);
}

#[test]
fn a_damaged_or_foreign_cache_is_replaced() {
    let (folder, path, _) = gappy();
    let cache = folder.path().join("cache");
    let table = || cached(&path, &cache, &skipping()).unwrap();
    let plain = seen(&table());
    let file = only(&cache);
    let whole = fs::read(&file).unwrap();
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let mut files: Vec<(String, Vec<u8>)> = (0..56)
        .chain([FEATURES_AT, FEATURES_AT + 999, whole.len() - 1, whole.len() - 14_000])
        .map(|at| (format!("byte {at}"), changed(at)))
        .collect();
    for len in [0, 7, 55, 56, FEATURES_AT, FEATURES_AT + 100, whole.len() - 1] {
        files.push((format!("{len} bytes"), whole[..len].to_vec()));
    }
    files.push(("longer".to_owned(), [&whole[..], &[0]].concat()));
    files.push(("unfinished".to_owned(), [&[0; 56][..], &whole[56..]].concat()));
    files.push(("text".to_owned(), vec![b'x'; 100]));
    for (what, bytes) in files {
        fs::write(&file, bytes).unwrap();
        let table = table();
        assert_eq!(seen(&table), plain, "{what}");
        let why = table.cache_renewed().unwrap_or_else(|| panic!("{what} was trusted"));
        assert!(why.starts_with(&file.display().to_string()), "{why}");
        assert_eq!(fs::read(&file).unwrap(), whole, "{what}");
    }
    // The cache of another table, under this one's name.
    let other = folder.path().join("other.csv");
    fs::write(&other, "embeddings,label\n\"[1,2]\",a\n").unwrap();
    let elsewhere = folder.path().join("elsewhere");
    cached(&other, &elsewhere, &skipping()).unwrap();
    fs::copy(only(&elsewhere), &file).unwrap();
    assert!(table().cache_renewed().unwrap().ends_with(" is of another table"));
}

/// Headers with a right checksum and impossible values.
#[test]
fn a_header_that_contradicts_itself_is_not_trusted() {
    let (folder, path, _) = gappy();
    let cache = folder.path().join("cache");
    let table = || cached(&path, &cache, &skipping()).unwrap();
    let plain = seen(&table());
    let file = only(&cache);
    let whole = fs::read(&file).unwrap();
    let n_rows = u64::from_le_bytes(whole[12..20].try_into().unwrap()) as usize;
    let header_at = FEATURES_AT + n_rows * 12;
    let header_len = u64::from_le_bytes(whole[28..36].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&whole[header_at..header_at + header_len]).unwrap();
    let changes = [
        ("\"roles\":[\"embeddings\",", "\"roles\":["),
        ("\"roles\":[\"embeddings\",", "\"roles\":[\"feature\","),
        ("\"roles\":[\"embeddings\",", "\"roles\":[{\"one_hot\":3},"),
        ("\"left_out\":[]", "\"left_out\":[9]"),
        ("\"names\":[\"A\",\"a\",\"b\"]", "\"names\":[\"A\"]"),
        ("\"numbers\":[[0,", "\"numbers\":[[1,"),
        ("\"numbers\":[[0,", "\"numbers\":[[0,999999],[1,"),
        ("\"code\":\"skipped-rows\"", "\"code\":\"something\""),
        ("\"n_skipped\"", "\"skipped\""),
    ];
    for (from, to) in changes {
        let changed = header.replacen(from, to, 1);
        assert!(changed != header, "{from}");
        let rest = [changed.as_bytes(), &whole[header_at + header_len..]].concat();
        let mut bytes = [&whole[..header_at], &rest].concat();
        bytes[28..36].copy_from_slice(&(changed.len() as u64).to_le_bytes());
        bytes[48..52].copy_from_slice(&crc32fast::hash(&rest).to_le_bytes());
        let preamble = crc32fast::hash(&bytes[..52]);
        bytes[52..56].copy_from_slice(&preamble.to_le_bytes());
        fs::write(&file, bytes).unwrap();
        let table = table();
        assert!(table.cache_renewed().is_some_and(|why| why.ends_with(" is damaged")), "{from} to {to}");
        assert_eq!(seen(&table), plain);
    }
}

#[test]
fn predictions_are_added_to_the_rows_of_the_original_table() {
    let folder = tempfile::tempdir().unwrap();
    let classes = headsmith_data::Classes::new(vec!["a".to_owned(), "b".to_owned()]).unwrap();
    let submission = |cache: Option<PathBuf>| {
        let options = ReadOptions { cache, placeholder_labels: true, ..ReadOptions::default() };
        let table = read(&data("with-id.parquet"), &options, &Pool::inline()).unwrap();
        let n = table.n_rows();
        let (predicted, proba) = (vec![1; n], headsmith_kernels::Matrix::zeros(n, 2));
        let predictions = predictions::Predictions {
            classes: &classes,
            predicted: &predicted,
            probabilities: proba.view(),
            fold_of: None,
            sets: None,
        };
        let out = folder.path().join("out.csv");
        predictions::write(&out, &table, predictions, &predictions::WriteOptions::default()).unwrap();
        fs::read_to_string(out).unwrap()
    };
    let plain = submission(None);
    let cache = folder.path().join("cache");
    assert_eq!([submission(Some(cache.clone())), submission(Some(cache))], [plain.clone(), plain]);
}

#[test]
fn a_cache_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let (folder, path, text) = gappy();
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let error = cached(&path, &in_the_way, &skipping()).unwrap_err();
    assert!(error.is_output() && error.path() == Some(&in_the_way), "{error}");
    // A file that is no table leaves no cache.
    fs::write(&path, text.replace("embeddings", "words").replace('[', "")).unwrap();
    let cache = folder.path().join("cache");
    assert!(cached(&path, &cache, &ReadOptions::default()).is_err());
    assert_eq!(files(&cache), [] as [PathBuf; 0]);
}

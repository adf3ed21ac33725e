//! Tables of several files: folders, globs, and files one by one.

use headsmith_data::{Files, ReadOptions, Result, Table, checks, predictions, read, read_files};
use headsmith_kernels::{MatRef, Pool};
use std::fs;
use std::path::Path;

/// A CSV of `n` rows from row `first` on: the feature is the row's number, the label its remainder by 3.
fn write(path: &Path, first: usize, n: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let rows: String = (first..first + n).map(|row| format!("{row},{},c{}\n", row * 2, row % 3)).collect();
    fs::write(path, format!("f0,f1,label\n{rows}")).unwrap();
}

fn all(given: &[&Path], options: &ReadOptions) -> Result<Table> {
    read_files(
        &Files::new(given.iter().map(|path| path.to_path_buf()).collect()),
        options,
        &Pool::new(2).unwrap(),
    )
}

fn first_feature(table: &Table) -> Vec<usize> {
    (0..table.n_rows()).map(|row| table.x().row(row)[0] as usize).collect()
}

#[test]
fn a_folder_a_glob_and_files_one_by_one_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (k, name) in ["train-2-of-3.csv", "train-9-of-3.csv", "train-10-of-3.csv"].iter().enumerate() {
        write(&at(name), k * 4, 4);
    }
    for hidden in [".train.csv", "_SUCCESS", "notes.md"] {
        fs::write(at(hidden), "no table").unwrap();
    }
    let options = ReadOptions::default();
    let (glob, some) = (at("train-*.csv"), at("*-[29]-of-3.csv"));
    let parts = ["train-2-of-3.csv", "train-9-of-3.csv", "train-10-of-3.csv"].map(at);
    let given: [&[&Path]; 4] =
        [&[folder.path()], &[&glob], &[&parts[0], &parts[1], &parts[2]], &[&some, folder.path()]];
    for given in given {
        let table = all(given, &options).unwrap();
        assert_eq!(first_feature(&table), (0..12).collect::<Vec<_>>());
        let labels = table.labels().unwrap();
        assert_eq!((labels.names().concat(), labels.counts()), ("c0c1c2".to_owned(), vec![4, 4, 4]));
        assert_eq!(table.location(11).to_string(), format!("{}, line 5", parts[2].display()));
        assert_eq!(table.locations().of(4).unwrap(), table.location(4));
        assert_eq!(table.locations().of(12), None);
        assert_eq!(table.files(), parts);
    }
    assert_eq!(read(&parts[0], &options, &Pool::inline()).unwrap().location(0).to_string(), "line 2");
    let twice = all(&[&parts[0], &at("./train-2-of-3.csv")], &options).unwrap_err().to_string();
    assert!(twice.contains("the file is named twice; name it once"), "{twice}");
}

#[test]
fn subfolders_are_searched() {
    let folder = tempfile::tempdir().unwrap();
    for k in 0..3 {
        write(&folder.path().join(format!("part={k}/rows.csv")), k * 2, 2);
    }
    assert_eq!(first_feature(&all(&[folder.path()], &ReadOptions::default()).unwrap()), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn ambiguous_paths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let refused = |given: &[&Path]| {
        let text = all(given, &ReadOptions::default()).unwrap_err().to_string();
        text.replace(&format!("{}", folder.path().display()), "DIR")
    };
    let mut messages = vec![refused(&[folder.path()]), refused(&[&at("x-*.csv")])];
    write(&at("train-0.csv"), 0, 2);
    write(&at("train-1.csv"), 2, 2);
    write(&at("test.csv"), 4, 2);
    messages.push(refused(&[folder.path()]));
    fs::write(at("more.csv"), "f0,f2,label\n1,2,c0\n").unwrap();
    messages.push(refused(&[&at("train-0.csv"), &at("more.csv")]));
    fs::write(at("more.csv"), "f0,f1,label\n1,2,c0\n1,x,c0\n").unwrap();
    messages.push(refused(&[&at("train-0.csv"), &at("more.csv")]));
    fs::write(at("more.csv"), "f0,f1,label\n1,2,\n").unwrap();
    messages.push(refused(&[&at("train-0.csv"), &at("more.csv")]));
    fs::write(at("rows.npy"), "").unwrap();
    messages.push(refused(&[folder.path()]));
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn findings_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("a-1.csv"), 0, 4);
    write(&at("a-2.csv"), 3, 4);
    fs::write(at("a-3.csv"), "f0,f1,label\n9,1,c0\n\n\n8,7,C0\n").unwrap();
    let table = all(&[folder.path()], &ReadOptions::default()).unwrap();
    let findings = checks::inspect(&[("train", &table)], &Pool::inline());
    let shown: Vec<String> = findings.iter().map(|finding| finding.to_string()).collect();
    insta::assert_snapshot!(shown.join("\n").replace(&format!("{}", folder.path().display()), "DIR"));
}

#[test]
fn the_cache_of_several_files_is_used_until_one_changes() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    write(&at("a-1.csv"), 0, 4);
    fs::write(at("a-2.csv"), "f0,f1,label\n8,1,c0\nx,1,c0\n9,7,\n10,7,c1\n").unwrap();
    let options = ReadOptions { on_bad_row: headsmith_data::OnBadRow::Skip, ..ReadOptions::default() };
    let cached = ReadOptions { cache: Some(cache.path().to_owned()), ..options.clone() };
    let seen = |table: &Table| {
        let places: Vec<_> = (0..table.n_rows()).map(|row| table.location(row).to_string()).collect();
        format!("{:?} {places:?} {:?} {:?}", table.x().as_slice(), table.labels(), table.warnings())
    };
    let plain = all(&[folder.path()], &options).unwrap();
    assert_eq!(first_feature(&plain), [0, 1, 2, 3, 8, 10]);
    for _ in 0..2 {
        let table = all(&[folder.path()], &cached).unwrap();
        assert_eq!((seen(&table), table.cache_renewed()), (seen(&plain), None));
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 1);
    }
    write(&at("a-2.csv"), 4, 9);
    let table = all(&[folder.path()], &cached).unwrap();
    assert_eq!(first_feature(&table), (0..13).collect::<Vec<_>>());
    assert!(table.cache_renewed().unwrap().ends_with("is of the table as it was before it changed"));
}

#[test]
fn predictions_of_several_files_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a-1.csv"), "name,f0,label\nx,1,\ny,2,\n").unwrap();
    fs::write(at("a-2.csv"), "f0,label,name\n3,,\"z, z\"\n").unwrap();
    let options = ReadOptions { placeholder_labels: true, ..ReadOptions::default() };
    let table = all(&[folder.path()], &options).unwrap();
    let classes = headsmith_data::Classes::new(vec!["n".into(), "y".into()]).unwrap();
    let predicted = predictions::Predictions {
        classes: &classes,
        predicted: &[0, 1, 1],
        probabilities: MatRef::new(&[1.0, 0.0, 0.0, 1.0, 0.0, 1.0], 3, 2),
        fold_of: None,
        sets: None,
    };
    let out = at("out.csv");
    predictions::write(&out, &table, predicted, &predictions::WriteOptions::default()).unwrap();
    assert_eq!(fs::read_to_string(out).unwrap(), "name,f0,label\nx,1,n\ny,2,y\n\"z, z\",3,y\n");
}

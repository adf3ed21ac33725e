//! Cache files: written row by row while a table is parsed, so that it is never whole in memory, and mapped from then
//! on without parsing. `docs/formats/cache.md` describes the format.
//!
//! A cache file is used only if it was made from the current table (its path, length and time, and those of separate
//! labels) by this version with the same options, and its checksums are right. Otherwise it is written again.

mod key;
mod stored;
mod writing;

use crate::beside::LabelFiles;
use crate::read::parse_all;
use crate::source::Source;
use crate::{ReadOptions, Result, Table};
use headsmith_kernels::Pool;
use key::Key;
use std::fs;
use std::path::Path;
use writing::{CacheWriter, not_written};

/// Reads the table in the files `sources` from its cache file in `folder`, which is created if it is missing.
pub(crate) fn read(
    name: &Path,
    (sources, labels): (&[Source], Option<&LabelFiles>),
    folder: &Path,
    options: &ReadOptions,
    pool: &Pool,
) -> Result<Table> {
    let paths: Vec<&Path> = sources.iter().map(Source::path).collect();
    let key = Key::new(&paths, labels, options)?;
    let path = folder.join(key.file_name(paths[0]));
    let why = match stored::open(&path, &key, (name, sources), pool) {
        Ok((contents, x)) => return Ok(Table::new(name, options, contents, x)),
        Err(why) => why,
    };
    fs::create_dir_all(folder).map_err(|error| not_written(folder, error))?;
    let mut writing = CacheWriter::begin(&path)?;
    let contents = parse_all(name, (sources, labels), options, &mut writing, pool)?;
    let x = writing.end(&contents, &key, pool)?;
    let table = Table::new(name, options, contents, x);
    Ok(Table { cache_renewed: why.map(|why| format!("{} {why}", path.display())), ..table })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OnBadRow;
    use crate::features::Features;
    use crate::rows::RowBlock;
    use crate::table::Contents;
    use headsmith_kernels::Matrix;

    const KEY: &str = r#"{"headsmith":"0.1.0","table":"/data/train.csv","files":[{"len":61,"modified":1700000000123456789},null],
        "embeddings_column":null,"label_column":null,"label_hint":"label","placeholder_labels":false,"skip_bad_rows":true}"#;

    fn key() -> Key {
        serde_json::from_str(KEY).unwrap()
    }

    fn golden() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden.cache")
    }

    fn write_again(path: &Path, contents: &Contents, x: &Matrix) {
        let mut writing = CacheWriter::begin(path).unwrap();
        writing.append(&mut RowBlock { x: x.as_slice().to_vec(), ..RowBlock::default() }).unwrap();
        assert_eq!(&writing.end(contents, &key(), &Pool::inline()).unwrap(), x);
    }

    #[test]
    fn the_golden_file_round_trips() {
        let (name, source) = (Path::new("t.csv"), [Source::File("t.csv".into())]);
        let (contents, x) = stored::open(&golden(), &key(), (name, &source), &Pool::inline()).unwrap();
        assert_eq!(x.as_slice(), [0.5, -1.25, 3.0, 4e-30]);
        let labels = contents.labels.as_ref().unwrap();
        assert_eq!(
            (labels.column(), labels.names(), labels.codes()),
            ("label", &["a", "ä"].map(str::to_owned)[..], &[1, 0][..])
        );
        assert_eq!(contents.parts[0].numbers.runs(), [(0, 2), (1, 4)]);
        assert_eq!(
            contents.warnings[0].to_string(),
            "t.csv: 1 of 3 rows could not be read and are left out: line 3, \
            column \"embeddings\", element 2: expected a finite number, found `x`"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("again.cache");
        write_again(&path, &contents, &x);
        assert_eq!(fs::read(path).unwrap(), fs::read(golden()).unwrap());
    }

    #[test]
    #[ignore = "writes the golden file"]
    fn writes_the_golden_file() {
        let options = ReadOptions { on_bad_row: OnBadRow::Skip, ..ReadOptions::default() };
        let text = "embeddings,label\n\"[0.5,-1.25]\",ä\n\"[1,x]\",a\n\"[3,4e-30]\",a\n";
        let source = Source::Bytes("train.csv".into(), text.as_bytes().into());
        let mut features = crate::features::InMemory::default();
        let contents =
            parse_all(Path::new("t.csv"), (&[source], None), &options, &mut features, &Pool::inline())
                .unwrap();
        write_again(&golden(), &contents, &features.into_matrix(2, 2));
    }
}

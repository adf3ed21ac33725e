//! Files that are refused as a whole, each with its message.

use crate::{assert_messages, bytes, csv, data, message, read_data};
use headsmith_data::{Classes, ReadOptions, read, read_bytes};
use headsmith_kernels::Pool;

const ROWS: &str = "embeddings,label\n\"[1,2]\",a\n\"[3,4]\",b\n";

#[test]
fn texts() {
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("white space only", b" \n\n".to_vec()),
        ("header only", b"embeddings,label\n".to_vec()),
        ("header only, no line end", b"embeddings,label".to_vec()),
        ("header and blank lines", b"embeddings,label\n\n\n".to_vec()),
        ("CR only", ROWS.replace('\n', "\r").into()),
        ("duplicate header", b"f0,f1,f0,label\n1,2,3,a\n4,5,6,b\n".to_vec()),
        ("HTML", b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n".to_vec()),
        (
            "Git LFS pointer",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 44186522\n".to_vec(),
        ),
        ("JSON", b"{\"embeddings\": [[1, 2]]}".to_vec()),
        (
            "JSON of columns",
            b"{\"embeddings\": {\"0\": [1, 2], \"1\": [3, 4]}, \"label\": {\"0\": \"a\", \"1\": \"b\"}}"
                .to_vec(),
        ),
        ("JSON that is cut", b"[{\"embeddings\": [1, 2], \"label\": \"a\"}, {\"embeddings\": [1".to_vec()),
        ("UTF-16 that is cut", b"\xFF\xFEa\0\n\0b\0\n".to_vec()),
        ("Feather of version 1", b"FEA1\0\0".to_vec()),
        ("a pickle", b"\x80\x04\x95\x10\0\0\0".to_vec()),
        ("HDF5", b"\x89HDF\r\n\x1A\n\0\0\0".to_vec()),
        ("unknown magic", b"\x01\x02\x03\x04embeddings".to_vec()),
        ("decimal commas in every list", b"embeddings,label\n\"[0,5, 1,25]\",a\n\"[2,5, 3,5]\",b\n".to_vec()),
        ("no features", b"name,label\nx,a\ny,b\n".to_vec()),
        ("two columns of lists", b"u,v,label\n\"[1]\",\"[2]\",a\n".to_vec()),
        ("two label columns", b"embeddings,label,target\n\"[1]\",a,b\n".to_vec()),
    ];
    let read = |(name, text): (&str, Vec<u8>)| {
        let file = if name.starts_with("JSON") { "train.json" } else { "train.csv" };
        (name.to_owned(), message(bytes(file, &text)))
    };
    assert_messages!(cases.into_iter().map(read).collect());
}

#[test]
fn wrong_extensions() {
    let parquet = std::fs::read(data("list-f32.parquet")).unwrap();
    let npy = std::fs::read(data("f32.npy")).unwrap();
    let cases = [
        ("train.csv", &parquet[..]),
        ("train.parquet", ROWS.as_bytes()),
        ("train.npz", &npy[..]),
        ("train.csv.gz", ROWS.as_bytes()),
    ];
    assert_messages!(cases.map(|(name, content)| (name.to_owned(), message(bytes(name, content)))).to_vec());
}

#[test]
fn missing_named_columns() {
    let options = |embeddings: Option<&str>, label: Option<&str>| ReadOptions {
        embeddings_column: embeddings.map(str::to_owned),
        label_column: label.map(str::to_owned),
        ..ReadOptions::default()
    };
    let cases = [
        ("a slip", ROWS, options(Some("embedings"), None)),
        ("another name", ROWS, options(None, Some("sentiment"))),
        ("single numbers", "f0,f1,label\n1,2,a\n", options(Some("f0"), None)),
        ("lists as labels", "u,v\n\"[1]\",\"[2]\"\n", options(Some("u"), Some("v"))),
        ("the same for both", ROWS, options(Some("embeddings"), Some("embeddings"))),
    ];
    let read = |(name, text, options): (&str, &str, ReadOptions)| {
        (name.to_owned(), message(read_bytes("train.csv", text.as_bytes(), &options, &Pool::inline())))
    };
    assert_messages!(cases.map(read).to_vec());
}

/// Numbers that NumPy abbreviated are lost: no row can be read, and the first error explains it.
#[test]
fn an_abbreviated_table() {
    insta::assert_snapshot!(message(read_data("abbreviated.csv")));
}

#[test]
fn compressed() {
    let gz = std::fs::read(data("lists.csv.gz")).unwrap();
    let zst = std::fs::read(data("lists.csv.zst")).unwrap();
    let mut flipped = gz.clone();
    let middle = gz.len() / 2;
    flipped[middle] ^= 0x10;
    let mut checksum = gz.clone();
    let end = gz.len() - 8;
    checksum[end] ^= 1;
    let row = format!("\"[{}]\",a\n", "0.0, ".repeat(4000));
    let bomb = zstd::encode_all(format!("embeddings,label\n{}", row.repeat(4000)).as_bytes(), 1).unwrap();
    let cases = [
        ("truncated gzip", gz[..gz.len() - 20].to_vec()),
        ("bit flip in gzip", flipped),
        ("bit flip in the checksum of gzip", checksum),
        ("truncated zstd", zst[..zst.len() - 5].to_vec()),
        ("bomb", bomb),
    ];
    assert_messages!(
        cases.map(|(name, content)| (name.to_owned(), message(bytes("train.csv", &content)))).to_vec()
    );
}

/// An unclosed quote takes no more memory than the longest row may.
#[test]
fn a_row_without_end() {
    let text = format!("embeddings,label\n\"[{}", "0.0, ".repeat(30 << 20));
    insta::assert_snapshot!(message(csv(&text)));
}

#[test]
fn parquet() {
    let whole = std::fs::read(data("checksum.parquet")).unwrap();
    let footer_len = whole.len() - 8;
    let changed = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        bytes[at] = value;
        bytes
    };
    // The values start with -1.125 and -0.25; their bytes are searched for.
    let values = [(-1.125_f32).to_le_bytes(), (-0.25_f32).to_le_bytes()].concat();
    let value = whole.windows(8).position(|window| window == values).unwrap();
    let mut bomb = whole.clone();
    bomb[footer_len..footer_len + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    // A thousand unknown fields, each a list of 2^31 booleans, which take no bytes.
    let lists = [0x19, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0x07].repeat(1000);
    let busy = [b"PAR1", &lists[..], &[0], &(lists.len() as u32 + 1).to_le_bytes(), b"PAR1"].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a footer that keeps one busy", busy),
        ("magic only", b"PAR1".to_vec()),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("footer-length bomb", bomb),
        ("bit flip in the footer", changed(footer_len - 30, 0xFF)),
        ("bit flip in a page with a checksum", changed(value, 0x55)),
        ("encrypted", changed(whole.len() - 1, b'E')),
    ];
    let read =
        |(name, content): (&str, Vec<u8>)| (name.to_owned(), message(bytes("train.parquet", &content)));
    let mut messages: Vec<(String, String)> = cases.into_iter().map(read).collect();
    let files = [
        "no-rows.parquet",
        "no-embeddings.parquet",
        "no-dictionary.parquet",
        "levels.parquet",
        "date-labels.parquet",
        "date-embeddings.parquet",
        "packed-f32.parquet",
        "spark-wrong.parquet",
    ];
    messages.extend(files.map(|file| (file.to_owned(), message(read_data(file)))));
    assert_messages!(messages);
}

/// An npy file of version 1 with this header and these elements.
fn npy(header: &str, elements: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

#[test]
fn arrays() {
    let header = |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let good = npy(&header("(2, 2)"), &[0; 16]);
    assert!(bytes("x.npy", &good).is_ok());
    let mut version = good.clone();
    version[6] = 9;
    let mut long = good.clone();
    long[6] = 2;
    long.splice(8..10, u32::MAX.to_le_bytes());
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("the tokens of pictures, flat", npy(&header("(2, 197376)"), &vec![0; 8 * 197_376])),
        ("truncated", good[..good.len() - 3].to_vec()),
        ("truncated header", good[..20].to_vec()),
        ("trailing bytes", [&good[..], b"xyz"].concat()),
        ("unknown version", version),
        ("header-length bomb", long),
        ("shape bomb", npy(&header("(1000000000, 512)"), &[0; 16])),
        ("shape beyond counting", npy(&header("(9223372036854775807, 9223372036854775807)"), &[])),
        ("negative shape", npy(&header("(-2, 2)"), &[0; 16])),
        ("no rows", npy(&header("(0, 2)"), &[])),
        ("one dimension", npy(&header("(4,)"), &[0; 16])),
        ("NaN", npy(&header("(2, 2)"), &[[0; 4], [0; 4], [0; 4], f32::NAN.to_le_bytes()].concat())),
        ("a damaged header", npy("{'descr': '<f4', 'fortran_order': Fals", &[])),
    ];
    let read = |(name, content): (&str, Vec<u8>)| (name.to_owned(), message(bytes("x.npy", &content)));
    let mut messages: Vec<(String, String)> = cases.into_iter().map(read).collect();
    let files = [
        "object.npy",
        "text.npy",
        "three.npy",
        "complex.npy",
        "structured.npy",
        "object-labels.npz",
        "object-beside.npy",
        "object-features.npz",
        "tokens.npy",
        "pictures.npy",
    ];
    messages.extend(files.map(|file| (file.to_owned(), message(read_data(file)))));
    assert_messages!(messages);
}

#[test]
fn archives() {
    let whole = std::fs::read(data("packed.npz")).unwrap();
    let mut flipped = whole.clone();
    flipped[100] ^= 0x40;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("truncated", whole[..whole.len() - 30].to_vec()),
        ("bit flip", flipped),
        ("an empty zip", [&b"PK\x05\x06"[..], &[0; 18]].concat()),
        ("PyTorch", zipped(&["model/data.pkl", "model/data/0"])),
        ("Excel", zipped(&["[Content_Types].xml", "xl/workbook.xml"])),
        ("several tables", zipped(&["a/train.csv", "a/test.csv", "README.md"])),
        ("no table", zipped(&["a.md", "b.md"])),
        ("safetensors, a length beyond the file", [&[200, 0, 0, 0, 0, 0, 0, 0][..], b"{}"].concat()),
        (
            "safetensors, a shape beyond the file",
            safetensors(r#"{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#, 8),
        ),
        (
            "safetensors, a shape that is not its bytes",
            safetensors(r#"{"x":{"dtype":"F32","shape":[2,9],"data_offsets":[0,8]}}"#, 8),
        ),
        (
            "safetensors, eight bits",
            safetensors(r#"{"x":{"dtype":"F8_E4M3","shape":[2,4],"data_offsets":[0,8]}}"#, 8),
        ),
        (
            "safetensors, no features",
            safetensors(r#"{"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#, 8),
        ),
    ];
    let read = |(name, content): (&str, Vec<u8>)| (name.to_owned(), message(bytes("x", &content)));
    assert_messages!(cases.into_iter().map(read).collect());
}

/// A zip archive of small files with these names.
fn zipped(names: &[&str]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in names {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, ROWS.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn safetensors(header: &str, n_bytes: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; n_bytes]].concat()
}

#[test]
fn separate_labels_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    std::fs::copy(data("f32.npy"), &path).unwrap();
    let labels = npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", &[0; 8]);
    std::fs::write(folder.path().join("y.npy"), labels).unwrap();
    let error = read(&path, &ReadOptions::default(), &Pool::inline()).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace(&format!("{}/", folder.path().display()), ""));
}

#[test]
fn system_errors_name_the_file() {
    let missing = read_data("missing.csv");
    assert!(missing.as_ref().unwrap_err().is_io());
    let empty = tempfile::tempdir().unwrap();
    let folder = read(empty.path(), &ReadOptions::default(), &Pool::inline());
    assert_messages!(vec![
        ("missing".to_owned(), message(missing)),
        ("a folder".to_owned(), folder.unwrap_err().to_string().split_once(": ").unwrap().1.to_owned()),
    ]);
}

#[test]
fn labels_that_cannot_be_learnt_from() {
    let train = csv(ROWS).unwrap();
    let classes = Classes::of(&train).unwrap();
    let cases = [
        ("one class only", message(Classes::of(&csv("embeddings,label\n\"[1]\",a\n\"[2]\",a\n").unwrap()))),
        ("no labels", message(Classes::of(&csv("embeddings\n\"[1]\"\n").unwrap()))),
        ("empty labels", message(Classes::of(&csv("embeddings,label\n\"[1]\",\n").unwrap()))),
        ("labels unclear", message(Classes::of(&csv("embeddings,u,v\n\"[1]\",a,c\n\"[2]\",a,c\n").unwrap()))),
        (
            "a class that train does not have",
            message(classes.encode(&csv("embeddings,label\n\"[1]\",a\n\"[2]\",c\n\"[2]\",c\n").unwrap())),
        ),
    ];
    assert_messages!(cases.map(|(name, message)| (name.to_owned(), message)).to_vec());
}

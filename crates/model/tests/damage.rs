//! Damaged files: every truncation, flipped bytes, hostile headers. None may panic, or take more memory than a few
//! times its size: all that the reader asks the allocator for, given back or not, is counted.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::System;
use std::sync::Mutex;

use headsmith_kernels::{MatRef, Pool};
use headsmith_model::Model;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "model/samples.rs"]
mod samples;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The counters are those of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());
/// What the threads that run the tests may ask for meanwhile.
const OTHERS: usize = 1 << 16;

/// The golden files that have no checksum.
fn unchecked() -> Vec<Vec<u8>> {
    ["v1-mlp", "v1-forest", "v1-ensemble", "v2-decision", "v4-sets"]
        .map(|name| {
            let path =
                format!("{}/tests/data/unchecked/golden-{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
            std::fs::read(path).unwrap()
        })
        .to_vec()
}

/// These, a pool with a vector calibration, and one with an isotonic calibration.
fn golden() -> Vec<Vec<u8>> {
    let golden = unchecked();
    let calibrated =
        samples::combined().into_iter().filter(|(name, _)| ["vector", "isotonic"].contains(name));
    golden.into_iter().chain(calibrated.map(|(_, model)| model.to_bytes().unwrap())).collect()
}

/// Reads `bytes`, and predicts if they are a model; whether they were.
fn read(bytes: &[u8], most_allocated: usize) -> bool {
    let region = Region::new(ALLOCATOR);
    let model = Model::from_bytes(bytes);
    let allocated = region.change().bytes_allocated;
    assert!(
        allocated <= most_allocated + OTHERS,
        "{allocated} bytes allocated for a file of {}",
        bytes.len()
    );
    if let Ok(model) = &model {
        let row = vec![0.5; model.n_features()];
        let proba = model.predict_proba(MatRef::new(&row, 1, row.len()), &Pool::inline()).unwrap();
        assert_eq!(proba.n_cols(), model.classes().len());
        assert!(model.sets().is_none_or(|sets| sets.set(proba.row(0)).count() <= proba.n_cols()));
    }
    model.is_ok()
}

#[test]
fn every_truncation_is_refused() {
    let _alone = ALONE.lock();
    for file in golden() {
        for n in 0..file.len() {
            assert!(!read(&file[..n], 12 * file.len()), "the first {n} bytes");
        }
        assert!(read(&file, 12 * file.len()));
        assert!(!read(&[&file[..], &[0]].concat(), 12 * file.len()));
    }
}

/// Flips each byte in four ways; how often the file was read all the same.
fn read_when_flipped(file: &[u8]) -> usize {
    let mut flipped = file.to_vec();
    let mut n_read = 0;
    for i in 0..file.len() {
        for mask in [0x01, 0x10, 0x80, 0xff] {
            flipped[i] = file[i] ^ mask;
            n_read += usize::from(read(&flipped, 12 * file.len()));
        }
        flipped[i] = file[i];
    }
    n_read
}

#[test]
fn flipped_bytes_are_read_or_refused() {
    let _alone = ALONE.lock();
    for file in unchecked() {
        // Some flips change but a weight or a word of the record.
        let n_read = read_when_flipped(&file);
        assert!(n_read > 0 && n_read < 4 * file.len());
    }
}

#[test]
fn a_checksum_finds_every_flipped_byte_but_in_its_own_name() {
    let _alone = ALONE.lock();
    for (_, model) in samples::golden().into_iter().chain(samples::combined()) {
        let file = model.to_bytes().unwrap();
        // Under another name it is a text that nobody reads.
        let n_read = read_when_flipped(&file);
        assert!(n_read <= 4 * "crc32".len(), "{n_read}");
    }
}

/// A file with this header and so many bytes of data.
fn file(header: &str, n_bytes: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; n_bytes]].concat()
}

#[test]
fn sizes_that_are_merely_claimed_cost_nothing() {
    let _alone = ALONE.lock();
    let golden = golden();
    for length in [9, 1 << 20, 99_999_999, 1 << 32, 1 << 62, u64::MAX] {
        let mut file = golden[0].clone();
        file[..8].copy_from_slice(&u64::to_le_bytes(length));
        assert!(!read(&file, 12 * file.len()));
    }
    for (shape, offsets) in [
        ("[1099511627776]", "[0,4398046511104]"),
        ("[4294967296,4294967296]", "[0,0]"),
        ("[0,18446744073709551615]", "[0,0]"),
        ("[18446744073709551615]", "[0,18446744073709551612]"),
    ] {
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#);
        assert!(!read(&file(&header, 0), 4096));
    }
}

#[test]
fn headers_of_many_parts_cost_a_few_times_their_size() {
    let _alone = ALONE.lock();
    let tensors: Vec<String> =
        (0..20_000).map(|i| format!(r#""{i}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#)).collect();
    let axes =
        format!(r#"{{"a":{{"dtype":"F32","shape":[{}1],"data_offsets":[0,4]}}}}"#, "1,".repeat(500_000));
    let metadata =
        |text: &str| format!(r#"{{"__metadata__":{{"headsmith":{}}}}}"#, serde_json::Value::from(text));
    for header in [
        format!("{{{}}}", tensors.join(",")),
        axes,
        "[".repeat(1_000_000),
        r#"{"a":"#.repeat(200_000),
        metadata(&"[".repeat(1_000_000)),
        metadata(&r#"{"node":"#.repeat(200_000)),
        metadata(&format!("{{\"{}\":0}}", "x".repeat(1_000_000))),
    ] {
        assert!(!read(&file(&header, 4), 4 * header.len()), "{}", &header[..60]);
    }
    // Numbers of one digit are dear, so only so many are taken: a larger file costs no more.
    let numbers = metadata(&format!("[{}0]", "0,".repeat(1_000_000)));
    assert!(!read(&file(&numbers, 0), 12 * numbers.len()));
}

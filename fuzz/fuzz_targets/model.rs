//! A model file of any bytes: an error, or a model that predicts and is written as it was read.

#![no_main]

use headsmith_kernels::{MatRef, Pool};
use headsmith_model::Model;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::from_bytes(bytes) else { return };
    let row = vec![0.0; model.n_features()];
    let proba = model.predict_proba(MatRef::new(&row, 1, row.len()), &Pool::inline());
    assert_eq!(proba.map(|p| (p.n_rows(), p.n_cols())), Ok((1, model.n_classes())));
    let written = model.to_bytes();
    let again = written.as_deref().map(|bytes| Model::from_bytes(bytes).and_then(|model| model.to_bytes()));
    assert_eq!(again, Ok(written.clone()));
});

// Most changes would end at the length of the header: three in four keep it true.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match header_end(&data[..size]) {
        Some(end) if seed % 4 == 1 => {
            let values = &mut data[end..size];
            fuzzer_mutate(values, values.len(), values.len());
            size
        }
        Some(end) if seed % 4 != 0 => with_header_changed(data, size, end, max_size),
        _ => fuzzer_mutate(data, size, max_size),
    }
});

/// Where the header of a file with a true length ends, if values follow.
fn header_end(file: &[u8]) -> Option<usize> {
    let length = u64::from_le_bytes(*file.first_chunk()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    (8 < end && end < file.len()).then_some(end)
}

fn with_header_changed(data: &mut [u8], size: usize, end: usize, max_size: usize) -> usize {
    let values = data[end..size].to_vec();
    let room = max_size.saturating_sub(8 + values.len());
    let mut header = data[8..end].to_vec();
    header.resize(room.max(header.len()), 0);
    let length = fuzzer_mutate(&mut header, end - 8, room.max(end - 8));
    if 8 + length + values.len() > max_size {
        return size;
    }
    data[..8].copy_from_slice(&(length as u64).to_le_bytes());
    data[8..8 + length].copy_from_slice(&header[..length]);
    data[8 + length..][..values.len()].copy_from_slice(&values);
    8 + length + values.len()
}

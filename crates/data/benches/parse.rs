//! The speed of reading tables: the notebook's CSV, numeric columns, and the checks.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headsmith_data::{ReadOptions, checks, read_bytes};
use headsmith_kernels::{Philox, Pool};
use std::hint::black_box;

const N_ROWS: usize = 1000;
const N_FEATURES: usize = 512;

/// Numbers as in the notebook's file: `f32` values printed as `f64`.
fn rows() -> Vec<Vec<String>> {
    let mut random = Philox::new(1, 0, 0).sequence(0, 0);
    let mut value = || format!("{:?}", f64::from(random.next_u32() as f32 / 2.0_f32.powi(31)));
    (0..N_ROWS).map(|_| (0..N_FEATURES).map(|_| value()).collect()).collect()
}

fn parse(c: &mut Criterion) {
    let rows = rows();
    let mut lists = "embeddings,label\n".to_owned();
    let names: Vec<String> = (0..N_FEATURES).map(|i| format!("f{i}")).collect();
    let mut columns = format!("{},label\n", names.join(","));
    for (i, row) in rows.iter().enumerate() {
        let label = ["negative", "neutral", "positive"][i % 3];
        lists.push_str(&format!("\"[{}]\",{label}\n", row.join(", ")));
        columns.push_str(&format!("{},{label}\n", row.join(",")));
    }
    let pool =
        Pool::new(std::thread::available_parallelism().map_or(1, usize::from)).unwrap_or(Pool::inline());
    let read = |text: &str| read_bytes("t.csv", text.as_bytes(), &ReadOptions::default(), &pool);
    let mut group = c.benchmark_group("parse");
    for (name, text) in [("lists", &lists), ("columns", &columns)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| read(black_box(text)).map(|table| table.n_rows())));
    }
    group.finish();
    if let Ok(table) = read(&lists) {
        c.bench_function("inspect", |b| b.iter(|| checks::inspect(black_box(&[("train", &table)]), &pool)));
    }
}

criterion_group!(benches, parse);
criterion_main!(benches);

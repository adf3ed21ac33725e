//! Predicting a table compared with what it cannot be faster than: reading the table, and the model's arithmetic at the speed that this machine reaches.
//!
//!     cargo bench -p headsmith --bench floors -- TABLE THREADS MODEL..
//!
//! Each line has the seconds of the whole job (label and probabilities, Parquet), of reading alone, of the arithmetic floor, and the ratios of the job to the slower of both and to
//! their sum: readers and arithmetic share the threads. The floor counts the operations of the model's graph, as it is exported: matrix products at the rate of
//! a large product, exponentials at that of a vector in the cache, nodes of trees at that of one tree that fits the first-level cache. Element-wise sums,
//! selections and the predictions' own memory count nothing, so the true floor is higher. Medians of three turns.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use headsmith::data::predictions::{Columns, WriteOptions};
use headsmith::data::{Classes, Files, ReadOptions, TableStream, predictions};
use headsmith::heads::graph::{Branch, Op, Tree, Trees, Unary};
use headsmith::model::Model;
use headsmith::{Matrix, Pool, PredictOptions, Session, model_file};
use headsmith_kernels::{Philox, gemm, similarity, walk};

type Failure = Box<dyn std::error::Error>;

const N_TURNS: usize = 3;
/// The rows whose way through trees is counted.
const N_WALKED: usize = 2000;

/// The speed of a thread in each kind of work, or of all threads together in products.
#[derive(Debug)]
struct Rates {
    /// Multiplications and additions a second, in single precision.
    products: f64,
    exponentials: f64,
    nodes: f64,
}

/// The operations of a row's prediction.
#[derive(Debug, Default)]
struct Work {
    products: f64,
    exponentials: f64,
    nodes: f64,
}

/// The shortest of some repetitions, in seconds.
fn shortest(mut work: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..9).map(time).fold(f64::INFINITY, f64::min)
}

fn random(n: usize) -> Vec<f32> {
    let mut random = Philox::new(1, 0, 0).sequence(0, 0);
    (0..n).map(|_| random.uniform() as f32).collect()
}

impl Rates {
    fn measured(pool: &Pool) -> Rates {
        let threads = pool.n_threads() as f64;
        Rates {
            products: products(pool),
            exponentials: threads * exponentials(),
            nodes: threads * nodes_in_cache(),
        }
    }
}

fn products(pool: &Pool) -> f64 {
    let (m, k, n) = (4096, 512, 1024);
    let (a, b) = (Matrix::new(random(m * k), m, k), Matrix::new(random(k * n), k, n));
    let (packed, mut c) = (gemm::packed(b.view()), Matrix::zeros(m, n));
    let seconds = shortest(|| {
        gemm::matmul(c.view_mut(), &mut [], a.view(), gemm::Panels::new(&packed, k, n), pool, |_| {})
    });
    2.0 * (m * k * n) as f64 / seconds
}

fn exponentials() -> f64 {
    let values = random(4096);
    let mut scratch = values.clone();
    let seconds = shortest(|| {
        for _ in 0..100 {
            scratch.copy_from_slice(&values);
            similarity::exponential(&mut scratch, -1.0);
        }
    });
    100.0 * values.len() as f64 / seconds
}

/// Steps a second of a thread in a full tree of eight levels.
fn nodes_in_cache() -> f64 {
    const DEPTH: u32 = 8;
    const N_FEATURES: usize = 16;
    const N_ROWS: usize = 256;
    let inner = (1u32 << DEPTH) - 1;
    let cuts = random(inner as usize);
    let node = |i: u32| match i < inner {
        true => walk::Child::Split {
            threshold: cuts[i as usize],
            feature: i % N_FEATURES as u32,
            left: 2 * i + 1,
        },
        false => walk::Child::Leaf(i - inner),
    };
    let tree = walk::Tree::new((0..2 * inner + 1).map(node), N_FEATURES).expect("a small tree fits");
    let rows = Matrix::new(random(N_ROWS * N_FEATURES), N_ROWS, N_FEATURES);
    let mut block = walk::Block::new(N_FEATURES);
    block.take(rows.view(), 0, N_ROWS);
    let mut leaves = vec![0; N_ROWS];
    let seconds = shortest(|| (0..100).for_each(|_| tree.walk(&block, &mut leaves)));
    100.0 * f64::from(DEPTH) * N_ROWS as f64 / seconds
}

impl Work {
    /// Of a row of the model, on average over `rows`.
    fn of(model: &Model, rows: &Matrix) -> Work {
        let (graph, ..) = model.graph();
        let mut work = Work::default();
        for value in graph.values() {
            match &value.op {
                // Those in double precision, too: a head may need them for few of its rows.
                Op::Product(_, by) => work.products += 2.0 * (by.n_rows * by.n_cols) as f64,
                Op::Unary(Unary::Exp, _) | Op::Softmax(_) => work.exponentials += value.width as f64,
                Op::Trees(_, trees) => work.nodes += visited(trees, rows),
                _ => {}
            }
        }
        work
    }

    fn seconds(&self, rates: &Rates, n_rows: usize) -> f64 {
        let of_row = self.products / rates.products
            + self.exponentials / rates.exponentials
            + self.nodes / rates.nodes;
        of_row * n_rows as f64
    }
}

/// The splits that a row passes, on average; the trees' input is taken for the table's own rows.
fn visited(trees: &Trees, rows: &Matrix) -> f64 {
    let n = N_WALKED.min(rows.n_rows());
    let of_tree = |tree: &Tree| (0..n).map(|i| depth(tree, rows.row(i))).sum::<usize>();
    trees.trees.iter().map(of_tree).sum::<usize>() as f64 / n as f64
}

fn depth(tree: &Tree, row: &[f32]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while let Branch::Split { feature, threshold, left } = tree.nodes[at] {
        at = left as usize + usize::from(row[feature as usize] > threshold);
        depth += 1;
    }
    depth
}

/// The label and the probabilities.
fn columns() -> WriteOptions {
    WriteOptions { columns: Columns::LabelOnly, proba: true }
}

/// Reads the table as a prediction does; the seconds, the number of rows, and the first block.
fn read(
    table: &Files,
    model: &Model,
    pool: &Pool,
    out: &Path,
) -> Result<(f64, usize, Option<Matrix>), Failure> {
    let start = Instant::now();
    let stream =
        TableStream::open(table, &ReadOptions { placeholder_labels: true, ..ReadOptions::default() })?;
    let classes = Classes::new(model.classes().to_vec())?;
    let columns = columns();
    let writer = predictions::StreamWriter::new(out, &stream, &classes, (&columns, false), pool)?;
    let (mut n_rows, mut first) = (0, None);
    stream.read(&writer.copied(), pool, &mut |block| {
        n_rows += block.x.n_rows();
        first.get_or_insert(block.x);
        ControlFlow::Continue(())
    })?;
    Ok((start.elapsed().as_secs_f64(), n_rows, first))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_unstable_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn compare(model: &Path, table: &str, rates: &Rates, n_threads: usize, out: &Path) -> Result<(), Failure> {
    let (pool, name) = (Pool::new(n_threads)?, model.file_stem().unwrap_or_default().to_string_lossy());
    let model = model_file::load(model)?;
    let (mut jobs, mut reads, mut floor) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..N_TURNS {
        let (seconds, n_rows, first) = read(&Files::new(vec![table.into()]), &model, &pool, out)?;
        reads.push(seconds);
        floor = Work::of(&model, &first.ok_or("no rows")?).seconds(rates, n_rows);
        let start = Instant::now();
        let options = PredictOptions { columns: columns(), ..PredictOptions::new(out.to_owned()) };
        Session::new().threads(n_threads).predict(&model, table, &ReadOptions::default(), &options)?;
        jobs.push(start.elapsed().as_secs_f64());
    }
    let (job, read) = (median(jobs), median(reads));
    println!(
        "| {name} | {job:.2} | {read:.2} | {floor:.2} | {:.2} | {:.2} |",
        job / read.max(floor),
        job / (read + floor)
    );
    Ok(())
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [table, threads, models @ ..] = args.as_slice() else {
        println!("give TABLE THREADS MODEL..");
        return Ok(());
    };
    let n_threads = threads.parse()?;
    let rates = Rates::measured(&Pool::new(n_threads)?);
    println!(
        "products, exponentials, nodes a second: {:.3e}, {:.3e}, {:.3e}",
        rates.products, rates.exponentials, rates.nodes
    );
    println!("| head | job, s | reading | floor | job / slower | job / sum |\n|---|---|---|---|---|---|");
    let out = std::env::temp_dir().join(format!("floors-{}.parquet", std::process::id()));
    for model in models {
        compare(Path::new(model), table, &rates, n_threads, &out)?;
    }
    std::fs::remove_file(&out)?;
    Ok(())
}

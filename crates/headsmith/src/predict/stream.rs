//! Predicts a table in files in constant memory.
//!
//! Three steps at once: a thread reads blocks of rows, as many as the pool has predict them, another writes them. A few blocks
//! wait between two steps, as many as there are threads and two more at most. A block is a function of the table alone and rows are predicted independently, so the
//! output has the same bytes as that of the whole table at once, for any number of threads.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Instant;

use headsmith_data::predictions::{NextBlock, PredictedBlock, StreamWriter};
use headsmith_data::{Classes, Files, Finding, ReadOptions, StreamBlock, StreamSummary, TableStream};
use headsmith_kernels::Matrix;
use headsmith_model::Model;

use super::queue::{Predicted, Queue};
use super::tally::Tally;
use super::{PredictOptions, finish, of_rows, refuse_overflow, warn_of_columns};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::evaluate::{Features, refuse_other_features};
use crate::progress::Progress;
use crate::report::{PredictionReport, TableReport};
use crate::tables::file_names;

/// The number of blocks that wait for the writer.
const N_WAITING: usize = 2;
/// The values of a piece of a block: half of a second-level cache. Trees take this many rows at a time.
const PIECE_VALUES: usize = 1 << 17;
const FEWEST_ROWS: usize = 256;

/// Predictions of consecutive rows: their probabilities and classes.
type Part = headsmith_model::Result<(Matrix, Vec<u32>)>;

/// Predicts the table in `files`.
pub(super) fn predict(
    model: &Model,
    files: &Files,
    read: &ReadOptions,
    options: &PredictOptions,
    context: &mut Context<'_>,
) -> Result<PredictionReport> {
    let path = PathBuf::from(files.to_string());
    context.emit(&Progress::Reading { role: "test", path: &path });
    let start = Instant::now();
    let stream = TableStream::open(files, read)?;
    refuse_other_features(model, &Features::of_stream(&stream))?;
    let classes = Classes::new(model.classes().to_vec())?;
    let writes_sets = model.sets().is_some() && options.writes_sets();
    let shape = (&options.columns, writes_sets);
    let writer = StreamWriter::new(&options.out, &stream, &classes, shape, context.pool)?;
    warn_of_columns(&writer.columns_left_out(), context);
    let mut tally = Tally::default();
    let summary = run(&stream, &writer, (model, options), context, &mut tally)?;
    let report = table_report(&stream, &summary, (read, &path), start.elapsed().as_secs_f64());
    context.emit(&Progress::Read(&report));
    for warning in &summary.warnings {
        context.emit(&Progress::Found(&Finding { table: report.role.clone(), ..warning.clone() }));
    }
    let files = finish(options, context)?;
    Ok(tally.report(model, &classes, summary.n_skipped, files))
}

/// Reads, predicts and writes all rows.
fn run(
    stream: &TableStream,
    writer: &StreamWriter<'_>,
    (model, options): (&Model, &PredictOptions),
    context: &mut Context<'_>,
    tally: &mut Tally,
) -> Result<StreamSummary> {
    let (pool, copied) = (context.pool, writer.copied());
    let n_rows = (PIECE_VALUES / stream.n_features().max(1)).max(FEWEST_ROWS);
    let queue = &Queue::new(pool.n_threads(), n_rows);
    std::thread::scope(|scope| {
        let _closing = queue.closing();
        let (predicted, written) = sync_channel(N_WAITING);
        let mut push = move |block: StreamBlock| {
            let n_rows = block.n_rows();
            queue.push(block, n_rows)
        };
        let reading = start(scope, queue, move || queue.fill(|| stream.read(&copied, pool, &mut push)))?;
        let predict = move |block: &StreamBlock, rows: Range<usize>| -> Part {
            model.predict_decided(block.x.view().rows(rows.start, rows.end), &pool.alone())
        };
        let workers = (0..pool.n_threads()).map(|_| start(scope, queue, move || queue.work(predict)));
        let workers = workers.collect::<Result<Vec<_>>>()?;
        let write = move || writer.write(&options.out, || written.recv().unwrap_or(NextBlock::Stopped));
        let writing = start(scope, queue, write)?;
        let predicting = hand_on(queue, model, (options, context), (tally, &predicted));
        // The reader ends early, and so do those that predict, if they have not ended.
        queue.close();
        workers.into_iter().for_each(joined);
        let (end, summary) = match (&predicting, joined(reading)) {
            (Err(_), summary) => (NextBlock::Stopped, summary.ok()),
            (Ok(()), Ok(summary)) => (NextBlock::End, Some(summary)),
            (Ok(()), Err(error)) => (NextBlock::Failed(error), None),
        };
        // The writer may have failed, and says so itself.
        let _ = predicted.send(end);
        let written = joined(writing);
        predicting?;
        written?;
        // Whoever reads standard output needs no more: that is no failure.
        let so_far = StreamSummary { n_rows: tally.n_rows(), n_skipped: 0, warnings: Vec::new() };
        Ok(summary.unwrap_or(so_far))
    })
}

/// Starts a thread of `scope`.
///
/// # Errors
/// When the system refuses it; the other threads end, since the queue is closed.
fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    queue: &Queue<StreamBlock, Part>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    std::thread::Builder::new().spawn_scoped(scope, work).map_err(|cause| {
        queue.close();
        Error::failure(format!("cannot start a thread: {cause}; try a smaller --jobs"))
    })
}

/// Sends the predicted blocks of `queue` to the writer, until they end or the writer has failed.
fn hand_on(
    queue: &Queue<StreamBlock, Part>,
    model: &Model,
    (options, context): (&PredictOptions, &mut Context<'_>),
    (tally, predicted): (&mut Tally, &SyncSender<NextBlock>),
) -> Result<()> {
    while let Some(Predicted { block: rows, parts }) = queue.next() {
        if context.stopping() {
            let n_rows = tally.n_rows();
            return Err(Error::stopped(format!("stopped after {n_rows} rows: nothing was written")));
        }
        let (probabilities, classes) = joint(parts, model.n_classes())?;
        refuse_overflow(&probabilities, tally.n_rows())?;
        let sets = model.sets().map(|sets| of_rows(sets, &probabilities));
        tally.add(&classes, sets.as_ref());
        context.emit(&Progress::Predicted { n_rows: tally.n_rows() });
        let sets = sets.filter(|_| options.writes_sets());
        let block = PredictedBlock { rows, predicted: classes, probabilities, sets };
        if predicted.send(NextBlock::Block(Box::new(block))).is_err() {
            break;
        }
    }
    Ok(())
}

/// The parts of a block as one.
fn joint(parts: Vec<Part>, n_classes: usize) -> Part {
    let mut parts: Vec<(Matrix, Vec<u32>)> = parts.into_iter().collect::<headsmith_model::Result<_>>()?;
    if parts.len() == 1 {
        return Ok(parts.remove(0));
    }
    let (mut probabilities, mut classes) = (Vec::new(), Vec::new());
    for (more, predicted) in parts {
        probabilities.extend(more.into_vec());
        classes.extend(predicted);
    }
    Ok((Matrix::new(probabilities, classes.len(), n_classes), classes))
}

/// The result of a thread, or its panic.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn table_report(
    stream: &TableStream,
    summary: &StreamSummary,
    (options, path): (&ReadOptions, &Path),
    seconds: f64,
) -> TableReport {
    TableReport {
        role: "test".to_owned(),
        path: path.display().to_string(),
        files: file_names(&stream.files()),
        label_files: Vec::new(),
        format: stream.format(),
        n_rows: summary.n_rows,
        n_features: stream.n_features(),
        embeddings_column: stream.embeddings_column().map(str::to_owned),
        feature_names: stream.feature_names().unwrap_or_default(),
        n_skipped: summary.n_skipped,
        label_column: stream.label_column().map(str::to_owned),
        weight_column: options.weight_column.clone().filter(|column| stream.has_column(column)),
        labels: Vec::new(),
        fingerprint: String::new(),
        summary: None,
        seconds,
    }
}

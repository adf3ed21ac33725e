//! Watches a fit epoch by epoch, and stops it.

use std::sync::atomic::Ordering;

use headsmith::data::Dataset;
use headsmith::fit::FitData;
use headsmith::heads::Event;
use headsmith::{HeadConfig, Matrix, Progress, Session};

fn main() -> headsmith::Result<()> {
    let x = Matrix::new((0..400).map(|i| (i % 7) as f32).collect(), 200, 2);
    let labels: Vec<usize> = (0..200).map(|i| i % 2).collect();
    let session = Session::new();
    let stop = session.stop();
    let mut session = session.view(move |progress: &Progress<'_>| {
        if let Progress::Fit(Event::Epoch(record)) = progress {
            println!("epoch {}: loss {:.4}", record.epoch + 1, record.train.loss);
            stop.store(record.epoch >= 4, Ordering::Relaxed);
        }
    });
    let fitted = session.fit(
        &HeadConfig::new("mlp", [("neurons0", 8.into())])?,
        &FitData::new(Dataset::from_arrays(x, &labels)?),
    )?;
    println!("stopped after {} epochs", fitted.report.epochs);
    Ok(())
}

//! The evidence for the scores of a head: intervals of each class, curves, the bins of the
//! reliability diagram, and the mistakes that the head was surest of.

use headsmith_data::{Dataset, RowLocations};
use headsmith_kernels::{MatRef, Pool};
use headsmith_metrics::curves::{self, Point};
use headsmith_metrics::{Predictions, bootstrap, calibration};

use crate::error::Result;
use crate::report::{ClassEvidence, Curve, Evidence, Mistake, ReliabilityBin};
use crate::split::units;

/// Points of a curve nearer to each other than this are one.
const RESOLUTION: f64 = 0.01;
/// The mistakes that are named.
const N_MISTAKES: usize = 20;
/// The most classes with curves: those with the most rows.
const MAX_CURVES: usize = 24;
/// The most classes with intervals, which cost memory for each resample.
const MAX_CLASSES: usize = 500;
/// How many rows may be drawn for the intervals: a second or two.
const MAX_DRAWS: u64 = 40_000_000;

/// The locations of a dataset's rows in their file: all of a table's rows, or some of them.
#[derive(Debug, Clone)]
pub struct RowSource {
    places: RowLocations,
    rows: Option<Vec<usize>>,
}

impl RowSource {
    /// The places of all rows of a table.
    pub fn all(places: RowLocations) -> RowSource {
        RowSource { places, rows: None }
    }

    /// The places of `rows` alone, which are numbered anew.
    pub(crate) fn keep(&mut self, rows: Vec<usize>) {
        self.rows = Some(rows);
    }

    /// The location of row `row` as text; `None` if there is no such row.
    pub fn of(&self, row: usize) -> String {
        let row = match &self.rows {
            None => Some(row),
            Some(rows) => rows.get(row).copied(),
        };
        row.and_then(|row| self.places.of(row)).map_or(String::new(), |place| place.to_string())
    }
}

/// The evidence for the scores of `predictions` on `rows`; `sure` tells whether intervals are meaningful.
///
/// # Errors
/// When the predictions are not of the rows.
pub(crate) fn of<'p>(
    rows: &Dataset,
    predictions: impl Into<Predictions<'p>>,
    places: &RowSource,
    sure: bool,
    (seed, pool): (u64, &Pool),
) -> Result<Evidence> {
    let predictions = predictions.into();
    let (y, proba) = (&rows.y, predictions.proba());
    let names = rows.classes.names();
    let drawn = most_frequent(y, names.len());
    let both = pool.map(drawn.len(), |i| curves::both_curves(y, proba, drawn[i], RESOLUTION));
    let (roc, precision_recall): (Vec<_>, Vec<_>) = both.into_iter().unzip();
    let named = |curves: Vec<Vec<Point>>| {
        let named = drawn.iter().zip(curves).filter(|(_, points)| !points.is_empty());
        named.map(|(&class, points)| Curve { class: names[class].clone(), points }).collect()
    };
    let wrong = mistakes(y, predictions);
    let mistake = |&row: &usize| {
        let (row_proba, label) = (proba.row(row), y[row] as usize);
        let predicted = predictions.class(row);
        Mistake {
            place: places.of(row),
            label: names[label].clone(),
            predicted: names[predicted].clone(),
            probability: row_proba[predicted],
            label_probability: row_proba[label],
        }
    };
    Ok(Evidence {
        per_class: if sure && names.len() <= MAX_CLASSES {
            intervals(rows, predictions, seed, pool)?
        } else {
            Vec::new()
        },
        roc: named(roc),
        precision_recall: named(precision_recall),
        reliability: reliability(y, proba),
        n_mistakes: wrong.len(),
        mistakes: wrong.iter().take(N_MISTAKES).map(mistake).collect(),
    })
}

/// The resamples of the intervals of each class.
pub(crate) fn n_resamples(n_samples: usize) -> u32 {
    (MAX_DRAWS / n_samples.max(1) as u64).clamp(400, 2_000) as u32
}

fn intervals(
    rows: &Dataset,
    predictions: Predictions<'_>,
    seed: u64,
    pool: &Pool,
) -> Result<Vec<ClassEvidence>> {
    let (n_resamples, units) = (n_resamples(rows.y.len()), units::of_rows(rows, pool));
    let options = bootstrap::Options { n_resamples, seed, units: Some(&units), ..Default::default() };
    let intervals = bootstrap::class_intervals(&rows.y, predictions, &options, pool)?;
    let named = rows.classes.names().iter().zip(intervals);
    Ok(named
        .map(|(class, of)| ClassEvidence {
            class: class.clone(),
            precision: of.precision,
            recall: of.recall,
            f1: of.f1,
        })
        .collect())
}

/// The classes with the most rows, in their order.
fn most_frequent(y: &[u32], n_classes: usize) -> Vec<usize> {
    let mut counts = vec![0usize; n_classes];
    y.iter().for_each(|&class| counts[class as usize] += 1);
    let mut classes: Vec<usize> = (0..n_classes).collect();
    classes.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
    classes.truncate(MAX_CURVES);
    classes.sort_unstable();
    classes
}

fn reliability(y: &[u32], proba: MatRef<'_>) -> Vec<ReliabilityBin> {
    let n = calibration::N_BINS;
    let edge = |bin: usize| bin as f64 / n as f64;
    let bins = calibration::reliability(y, proba, n).into_iter().enumerate();
    bins.map(|(i, bin)| ReliabilityBin {
        low: edge(i),
        high: edge(i + 1),
        n_samples: bin.n_samples,
        confidence: bin.confidence,
        accuracy: bin.accuracy,
    })
    .collect()
}

/// The rows that are predicted wrongly, the surest first, of equals the earlier.
fn mistakes(y: &[u32], predictions: Predictions<'_>) -> Vec<usize> {
    let predicted: Vec<usize> = (0..y.len()).map(|row| predictions.class(row)).collect();
    let mut wrong: Vec<usize> = (0..y.len()).filter(|&row| predicted[row] != y[row] as usize).collect();
    let sure = |row: usize| predictions.proba().row(row)[predicted[row]];
    wrong.sort_by(|&a, &b| sure(b).total_cmp(&sure(a)));
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_mistakes_stand_first() {
        let proba = [0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.05, 0.95, 0.2, 0.8];
        let proba = MatRef::new(&proba, 5, 2);
        assert_eq!(mistakes(&[0, 0, 0, 1, 0], proba.into()), [2, 4, 1]);
        let decided = Predictions::decided(proba, &[0, 0, 0, 0, 1]);
        assert_eq!(mistakes(&[0, 0, 0, 1, 0], decided), [4, 3]);
    }

    #[test]
    fn of_many_classes_the_frequent_have_curves() {
        let y: Vec<u32> = (0..30).flat_map(|class| vec![class; class as usize + 1]).collect();
        assert_eq!(most_frequent(&y, 30), (6..30).collect::<Vec<_>>());
    }
}

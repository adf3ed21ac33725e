//! The expected score of the best of many trials: bootstrap bias correction (Tsamardinos, Greasidou and Borboudakis,
//! "Bootstrapping the out-of-sample predictions for efficient and accurate cross-validation", Machine Learning 107,
//! 2018; BBC-CV there).
//!
//! A trial that was selected because its score was the best of many on some rows owes a part of that score to chance.
//! In each resample, the best trial on the drawn rows (in the bag) is selected again and scored on the other rows (out
//! of the bag), which had no part in the selection:
//!
//! ```text
//! corrected = mean over resamples b of  score( argmax_t score(t, in bag b), out of bag b )
//! ```
//!
//! The correction is for the choice among the given trials, by a metric of their predicted classes, the first of
//! equals. It does not cover a choice within a trial (its best epoch), unless each epoch is given as a trial. The
//! estimate is slightly too low if trials differ, because a selection by 63% of the rows is worse than one by all.
//!
//! The paper's interval is between percentiles of the scores out of the bag. These use `m` of the `n` rows, about 37%,
//! and vary more than a score of all rows: their distances from the mean are multiplied by `sqrt(m / (n - m))`, as in
//! the delete-d jackknife (Shao and Wu, "A general theory for jackknife variance estimation", Annals of Statistics 17,
//! 1989).
//!
//! The correction never increases a score: if the rows out of the bag happen to be easier, the estimate is the
//! observed score. If all resamples agree, because the selected trial is perfect, the intervals are Wilson's
//! (`unseen.rs`).
//!
//! Eight resamples are counted at once, each in a lane, so a row of a trial is one addition of eight counts. 160
//! trials, 2,000 samples and 1,000 resamples take about 0.1 s on one core.

use headsmith_kernels::Pool;
use serde::{Deserialize, Serialize};

use super::strata::Strata;
use super::unseen::ByClass;
use super::{Interval, Options};
use crate::check::{Error, Result};
use crate::{Confusion, Metric};

/// The selected trial's score, observed and corrected for the selection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// The trial with the best score, the first of equals.
    pub selected: usize,
    /// The number of trials it was selected from.
    pub n_trials: usize,
    /// Its score on the samples that were used for the selection.
    pub observed: f64,
    /// The bootstrap interval of that score: the effect of other samples on this one trial, without its selection.
    pub observed_interval: Interval,
    /// The estimate corrected for the selection.
    pub corrected: f64,
    /// The interval of the corrected estimate.
    pub corrected_interval: Interval,
}

/// The number of resamples that are counted at once.
const LANES: usize = 8;

/// A count for each of `LANES` resamples.
type Counts = [u32; LANES];

/// Selects among `trials`, each the predicted class of every sample (`u8` or `u16`), by `metric`, and corrects the
/// score for the selection; the same for any number of threads.
///
/// Resamples are those of [`intervals`](super::intervals()). Memory: one copy of `trials`, and about 40 bytes per
/// sample and thread.
///
/// # Errors
/// If the metric is the log loss, there is no trial or no sample, lengths differ, a class is not below `n_classes`, an
/// option is invalid, or no resample leaves a sample out.
pub fn selection<C: Copy + Into<u32> + Sync>(
    y_true: &[u32],
    trials: &[impl AsRef<[C]>],
    n_classes: usize,
    metric: Metric,
    options: &Options<'_>,
    pool: &Pool,
) -> Result<Selection> {
    options.check(y_true.len())?;
    if metric.of_confusion(&Confusion::new(0)).is_none() {
        return Err(Error(format!("{metric} cannot select by predicted classes: it needs probabilities")));
    }
    check(y_true, trials, n_classes)?;
    let strata = Strata::new(y_true, options.units, |_| ());
    let sorted = |trial: &[C]| strata.order.iter().map(|&i| trial[i]).collect::<Vec<C>>();
    let sorted: Vec<Vec<C>> = trials.iter().map(|trial| sorted(trial.as_ref())).collect();
    let study = TrialPredictions { strata, trials: sorted, n_classes, metric };

    let ones = vec![[1; LANES]; y_true.len()];
    let (selected, observed) = study.best(&ones, 1, &mut study.tallies())[0];
    let n_pieces = (options.n_resamples as usize).div_ceil(LANES);
    let pieces = pool.map(n_pieces, |piece| study.replicate(options, piece, selected));
    let (mut of_selected, out_of_bag): (Vec<f64>, Vec<OutOfBag>) = pieces.into_iter().flatten().unzip();
    let (corrected, corrected_interval) = correct(&out_of_bag, y_true.len(), options)?;
    let confusion = study.confusion(selected, |_| true);
    let by_class = ByClass::new(&confusion, options.confidence, study.strata.units_per_sample());
    let found = Selection {
        selected,
        n_trials: trials.len(),
        observed,
        observed_interval: by_class.widen(
            metric,
            Interval::of(&mut of_selected, options.confidence),
            observed,
        ),
        corrected,
        corrected_interval: by_class.widen(metric, corrected_interval, corrected),
    };
    Ok(found.not_above())
}

impl Selection {
    /// Limits the corrected score to the observed one.
    fn not_above(mut self) -> Selection {
        let interval = &mut self.corrected_interval;
        self.corrected = self.corrected.min(self.observed);
        interval.high = interval.high.min(self.observed_interval.high).max(self.corrected);
        interval.low = interval.low.min(self.corrected);
        self
    }
}

/// The mean score out of the bag, and its interval.
fn correct(out_of_bag: &[OutOfBag], n_samples: usize, options: &Options<'_>) -> Result<(f64, Interval)> {
    let seen: Vec<&OutOfBag> = out_of_bag.iter().filter(|out| out.n_samples > 0).collect();
    if seen.is_empty() {
        return Err(Error(format!(
            "{n_samples} samples, of which no resample leaves one out: expected at least 2"
        )));
    }
    let mean = seen.iter().map(|out| out.score).sum::<f64>() / seen.len() as f64;
    let shrink = |n_out: u64| (n_out as f64 / (n_samples as f64 - n_out as f64)).sqrt();
    let mut values: Vec<f64> =
        seen.iter().map(|out| mean + (out.score - mean) * shrink(out.n_samples)).collect();
    Ok((mean, Interval::of(&mut values, options.confidence)))
}

/// The score out of the bag of the trial that is best in the bag.
struct OutOfBag {
    score: f64,
    /// The number of samples out of the bag.
    n_samples: u64,
}

fn check<C: Copy + Into<u32>>(y_true: &[u32], trials: &[impl AsRef<[C]>], n_classes: usize) -> Result<()> {
    if trials.is_empty() {
        return Err(Error("there are no trials to select from".into()));
    }
    if y_true.is_empty() {
        return Err(Error("there are no samples to score".into()));
    }
    let below = |class: u32| (class as usize) < n_classes;
    if let Some(i) = y_true.iter().position(|&class| !below(class)) {
        return Err(Error(format!(
            "the label of sample {i} is class {}, expected one below {n_classes}",
            y_true[i]
        )));
    }
    for (t, trial) in trials.iter().enumerate() {
        let trial = trial.as_ref();
        if trial.len() != y_true.len() {
            return Err(Error(format!(
                "{} labels but {} predictions of trial {t}",
                y_true.len(),
                trial.len()
            )));
        }
        if let Some(i) = trial.iter().position(|&class| !below(class.into())) {
            let class: u32 = trial[i].into();
            return Err(Error(format!(
                "trial {t} predicts class {class} for sample {i}, expected one below {n_classes}"
            )));
        }
    }
    Ok(())
}

/// The trials' predictions in the order of the strata.
struct TrialPredictions<C> {
    strata: Strata<()>,
    trials: Vec<Vec<C>>,
    n_classes: usize,
    metric: Metric,
}

/// Counts by class.
struct Tallies {
    /// The number of samples of the current class that were predicted as each class.
    row: Vec<Counts>,
    /// The number of samples of any class that were predicted as each.
    predicted: Vec<Counts>,
    /// The number of hits of each class.
    hits: Vec<Counts>,
    /// The number of drawn samples of each class.
    support: Vec<Counts>,
}

impl<C: Copy + Into<u32> + Sync> TrialPredictions<C> {
    fn tallies(&self) -> Tallies {
        let zeros = || vec![[0; LANES]; self.n_classes];
        Tallies { row: zeros(), predicted: zeros(), hits: zeros(), support: zeros() }
    }

    /// For each resample of a piece: the selected trial's score in the bag, and the score out of the bag of the trial
    /// that is best in the bag.
    fn replicate(&self, options: &Options<'_>, piece: usize, selected: usize) -> Vec<(f64, OutOfBag)> {
        let n_samples = self.strata.order.len();
        let first = (piece * LANES) as u32;
        let n_lanes = LANES.min((options.n_resamples - first) as usize);
        let mut counts = vec![[0; LANES]; n_samples];
        let mut draws = self.strata.draws();
        for lane in 0..n_lanes {
            self.strata.resample(options.seed, first + lane as u32, &mut draws);
            counts.iter_mut().zip(&draws.counts).for_each(|(counts, &drawn)| counts[lane] = drawn);
        }
        let mut tallies = self.tallies();
        let best = self.best(&counts, n_lanes, &mut tallies);
        let in_bag = self.scores(&self.trials[selected], &counts, &mut tallies);
        (0..n_lanes).map(|lane| (in_bag[lane], self.out_of_bag(best[lane].0, &counts, lane))).collect()
    }

    /// The best trial of each lane, and its score.
    fn best(&self, counts: &[Counts], n_lanes: usize, tallies: &mut Tallies) -> Vec<(usize, f64)> {
        let mut best = vec![(0, f64::NEG_INFINITY); n_lanes];
        for (t, trial) in self.trials.iter().enumerate() {
            for (best, score) in best.iter_mut().zip(self.scores(trial, counts, tallies)) {
                if score > best.1 {
                    *best = (t, score);
                }
            }
        }
        best
    }

    /// The score of a trial in each lane.
    fn scores(&self, trial: &[C], counts: &[Counts], tallies: &mut Tallies) -> [f64; LANES] {
        let Tallies { row, predicted, hits, support } = tallies;
        predicted.fill([0; LANES]);
        for cell in &self.strata.cells {
            row.fill([0; LANES]);
            for (&class, counts) in trial[cell.places.clone()].iter().zip(&counts[cell.places.clone()]) {
                add(&mut row[class.into() as usize], counts);
            }
            hits[cell.class] = row[cell.class];
            support[cell.class] = [0; LANES];
            row.iter().for_each(|counts| add(&mut support[cell.class], counts));
            predicted.iter_mut().zip(&*row).for_each(|(sum, row)| add(sum, row));
        }
        std::array::from_fn(|lane| {
            let of = |counts: &[Counts], class: usize| f64::from(counts[class][lane]);
            let classes = (0..self.n_classes).map(|class| ClassCounts {
                hits: of(hits, class),
                support: of(support, class),
                predicted: of(predicted, class),
            });
            let n: f64 = (0..self.n_classes).map(|class| of(support, class)).sum();
            score(self.metric, classes, n)
        })
    }

    fn out_of_bag(&self, trial: usize, counts: &[Counts], lane: usize) -> OutOfBag {
        let confusion = self.confusion(trial, |place| counts[place][lane] == 0);
        let score = self.metric.of_confusion(&confusion).unwrap_or(f64::NAN);
        OutOfBag { score, n_samples: confusion.n_samples() }
    }

    /// The predictions of a trial for the samples that count.
    fn confusion(&self, trial: usize, counts: impl Fn(usize) -> bool) -> Confusion {
        let mut confusion = Confusion::new(self.n_classes);
        for cell in &self.strata.cells {
            let places = cell.places.clone().filter(|&place| counts(place));
            places.for_each(|place| confusion.add(cell.class, self.trials[trial][place].into() as usize));
        }
        confusion
    }
}

/// The counts of a class that a metric needs.
struct ClassCounts {
    hits: f64,
    support: f64,
    predicted: f64,
}

impl ClassCounts {
    fn f1(&self) -> f64 {
        2.0 * self.hits / (self.support + self.predicted)
    }
}

/// `metric` from the class counts of `n` samples: [`Metric::of_confusion`] for one lane.
#[inline(always)]
fn score(metric: Metric, classes: impl Iterator<Item = ClassCounts> + Clone, n: f64) -> f64 {
    // Classes without samples in a lane are ignored.
    let present = || classes.clone().filter(|class| class.support > 0.0);
    let sum = |term: fn(&ClassCounts) -> f64| present().map(|class| term(&class)).sum::<f64>();
    match metric {
        Metric::WeightedF1 => sum(|class| class.support * class.f1()) / n,
        Metric::MacroF1 => {
            let occurs = || classes.clone().filter(|class| class.support + class.predicted > 0.0);
            occurs().map(|class| class.f1()).sum::<f64>() / occurs().count().max(1) as f64
        }
        Metric::BalancedAccuracy => sum(|class| class.hits / class.support) / present().count().max(1) as f64,
        Metric::Accuracy => sum(|class| class.hits) / n,
        Metric::Mcc => {
            let of_all =
                |term: fn(&ClassCounts) -> f64| classes.clone().map(|class| term(&class)).sum::<f64>();
            let expected = of_all(|class| class.support * class.predicted);
            let variance = |squares: f64| n * n - squares;
            let variances = variance(of_all(|class| class.support * class.support))
                * variance(of_all(|class| class.predicted * class.predicted));
            if variances == 0.0 { 0.0 } else { (sum(|class| class.hits) * n - expected) / variances.sqrt() }
        }
        Metric::LogLoss => f64::NAN,
    }
}

#[inline(always)]
fn add(sum: &mut Counts, counts: &Counts) {
    for (sum, count) in sum.iter_mut().zip(counts) {
        *sum += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Philox;

    /// Labels of three classes and equally good trials with correlated errors.
    fn simulated(seed: u64, n_samples: usize, n_trials: usize) -> (Vec<u32>, Vec<Vec<u8>>) {
        let mut draws = Philox::new(seed, 0, 0).sequence(0, 0);
        let y_true: Vec<u32> = (0..n_samples as u32).map(|i| i % 3).collect();
        let mut guess = |class: u32| match draws.uniform() {
            u if u < 0.64 => class as u8,
            u => ((class + if u < 0.82 { 1 } else { 2 }) % 3) as u8,
        };
        let shared: Vec<u8> = y_true.iter().map(|&class| guess(class)).collect();
        let mut own = Philox::new(seed, 1, 0).sequence(0, 0);
        let mut trial = || -> Vec<u8> {
            let copies: Vec<bool> = shared.iter().map(|_| own.uniform() < 0.6f64.sqrt()).collect();
            let pairs = y_true.iter().zip(&shared).zip(copies);
            pairs.map(|((&class, &shared), copies)| if copies { shared } else { guess(class) }).collect()
        };
        let trials = (0..n_trials).map(|_| trial()).collect();
        (y_true, trials)
    }

    fn options(n_resamples: u32) -> Options<'static> {
        Options { n_resamples, ..Options::default() }
    }

    fn naive_score(metric: Metric, y_true: &[u32], trial: &[u8], counts: impl Fn(usize) -> u64) -> f64 {
        let mut confusion = Confusion::new(3);
        y_true
            .iter()
            .enumerate()
            .for_each(|(i, &c)| confusion.add_many(c as usize, trial[i].into(), counts(i)));
        metric.of_confusion(&confusion).unwrap()
    }

    #[test]
    fn lanes_match_the_naive_twin() {
        for metric in Metric::ALL.into_iter().filter(|metric| *metric != Metric::LogLoss) {
            agrees_with_the_naive_twin(metric);
        }
    }

    fn agrees_with_the_naive_twin(metric: Metric) {
        let (mut y_true, trials) = simulated(3, 50, 7);
        // Class 2 is predicted, but no sample has it.
        y_true.iter_mut().for_each(|class| *class %= 2);
        let units: Vec<u32> = (0..50).map(|i| i * i % 19).collect();
        for units in [None, Some(&units[..])] {
            let options = Options { units, ..options(21) };
            agrees_with_the_twin_of(&y_true, &trials, metric, &options);
        }
    }

    fn agrees_with_the_twin_of(y_true: &[u32], trials: &[Vec<u8>], metric: Metric, options: &Options<'_>) {
        let found = selection(y_true, trials, 3, metric, options, &Pool::inline()).unwrap();
        let strata = Strata::new(y_true, options.units, |_| ());
        let mut draws = strata.draws();
        let (mut sum, mut of_selected) = (0.0, Vec::new());
        for r in 0..21 {
            strata.resample(42, r, &mut draws);
            let mut counts = vec![0u64; 50];
            strata.order.iter().zip(&draws.counts).for_each(|(&i, &n)| counts[i] = n.into());
            let scores: Vec<f64> =
                trials.iter().map(|t| naive_score(metric, y_true, t, |i| counts[i])).collect();
            let best = (0..7).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
            sum += naive_score(metric, y_true, &trials[best], |i| u64::from(counts[i] == 0));
            of_selected.push(scores[found.selected]);
        }
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{metric}: {a} and {b}");
        close(found.corrected, (sum / 21.0).min(found.observed));
        close(found.observed, naive_score(metric, y_true, &trials[found.selected], |_| 1));
        let interval = Interval::of(&mut of_selected, 0.95);
        close(interval.low, found.observed_interval.low);
        close(interval.high, found.observed_interval.high);
    }

    #[test]
    fn the_best_is_optimistic_and_the_correction_is_not() {
        let (n_studies, n_trials) = (60, 30);
        let (mut observed, mut corrected) = (Vec::new(), Vec::new());
        for study in 0..n_studies {
            let (y_true, trials) = simulated(study, 300, n_trials);
            let found =
                selection(&y_true, &trials, 3, Metric::WeightedF1, &options(40), &Pool::inline()).unwrap();
            observed.push(found.observed - 0.64);
            corrected.push(found.corrected - 0.64);
        }
        let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
        let spread = |errors: &[f64]| {
            let mean = mean(errors);
            let squares = errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
            squares.sqrt() / errors.len() as f64
        };
        assert!(mean(&observed) > 0.02, "{}", mean(&observed));
        assert!(mean(&corrected).abs() < 2.5 * spread(&corrected), "{}", mean(&corrected));
    }

    #[test]
    fn a_single_trial_is_not_corrected() {
        let (y_true, trials) = simulated(9, 600, 1);
        let found =
            selection(&y_true, &trials, 3, Metric::WeightedF1, &options(2000), &Pool::inline()).unwrap();
        assert_eq!((found.selected, found.n_trials), (0, 1));
        assert!((found.corrected - found.observed).abs() < 0.003, "{found:?}");
        assert!(
            found.observed_interval.low < found.observed && found.observed < found.observed_interval.high
        );
    }

    /// For a single trial the mean out of the bag is above its score about as often as below; then the score is used.
    #[test]
    fn a_corrected_score_is_never_above_the_score() {
        let n_limited = (0..40).filter(|&seed| {
            let (y_true, trials) = simulated(seed, 60, 1);
            let found =
                selection(&y_true, &trials, 3, Metric::default(), &options(30), &Pool::inline()).unwrap();
            let (corrected, observed) = (found.corrected_interval, found.observed_interval);
            assert!(found.corrected <= found.observed && corrected.high <= observed.high, "{found:?}");
            assert!(corrected.low <= found.corrected && found.corrected <= corrected.high, "{found:?}");
            found.corrected == found.observed
        });
        assert!(n_limited.count() > 5);
    }

    /// Wilson's lower bound of 30 of 30 is 30 / (30 + z^2).
    #[test]
    fn a_perfect_trial_has_an_interval() {
        let y_true: Vec<u32> = (0..30).map(|i| i % 3).collect();
        let perfect: Vec<u8> = y_true.iter().map(|&class| class as u8).collect();
        let trials = [perfect, vec![0; 30]];
        let found =
            selection(&y_true, &trials, 3, Metric::default(), &options(100), &Pool::inline()).unwrap();
        assert_eq!((found.selected, found.observed, found.corrected), (0, 1.0, 1.0));
        for interval in [found.observed_interval, found.corrected_interval] {
            assert!((interval.low - 0.886_487).abs() < 1e-5 && interval.high == 1.0, "{interval:?}");
        }
    }

    #[test]
    fn threads_and_widths_change_nothing() {
        let (y_true, trials) = simulated(5, 100, 9);
        let wide: Vec<Vec<u16>> = trials.iter().map(|t| t.iter().map(|&c| c.into()).collect()).collect();
        let one = selection(&y_true, &trials, 3, Metric::WeightedF1, &options(50), &Pool::inline()).unwrap();
        let three =
            selection(&y_true, &wide, 3, Metric::WeightedF1, &options(50), &Pool::new(3).unwrap()).unwrap();
        assert_eq!(one, three);
    }

    #[test]
    fn invalid_trials_are_refused() {
        let message = |y_true: &[u32], trials: &[Vec<u8>]| {
            selection(y_true, trials, 2, Metric::WeightedF1, &options(5), &Pool::inline())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message(&[0, 1], &[]), "there are no trials to select from");
        assert_eq!(message(&[], &[vec![]]), "there are no samples to score");
        assert_eq!(message(&[0, 2], &[vec![0, 1]]), "the label of sample 1 is class 2, expected one below 2");
        assert_eq!(message(&[0, 1], &[vec![0, 1], vec![0]]), "2 labels but 1 predictions of trial 1");
        assert_eq!(
            message(&[0, 1], &[vec![0, 7]]),
            "trial 0 predicts class 7 for sample 1, expected one below 2"
        );
        assert!(message(&[0], &[vec![0]]).contains("no resample leaves one out"));
        let by_loss = selection(&[0], &[vec![0u8]], 2, Metric::LogLoss, &options(5), &Pool::inline());
        assert!(by_loss.unwrap_err().to_string().contains("needs probabilities"));
    }
}

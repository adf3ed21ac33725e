//! Bootstrap intervals: against plain resampling, against the truth, and for any number of threads.

use headsmith_kernels::{Philox, Pool};
use headsmith_metrics::bootstrap::{Interval, Options, intervals, paired_difference};
use headsmith_metrics::{Scores, score};

use crate::predictions::Predictions;

fn random(stream: u32) -> headsmith_kernels::philox::Sequence {
    Philox::new(20, 0, stream).sequence(0, 0)
}

#[test]
fn the_same_for_any_number_of_threads() {
    let sample = Predictions::new(200, 1.0, &mut random(0));
    let options = Options { n_resamples: 500, ..Options::default() };
    let run = |n_threads| {
        let pool = Pool::new(n_threads).unwrap();
        let one = intervals(&sample.y_true, sample.a.view(), &options, &pool).unwrap();
        let two =
            paired_difference(&sample.y_true, sample.a.view(), sample.b.view(), &options, &pool).unwrap();
        (one, two)
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(3));
    let other = Options { seed: 1, ..options };
    let differs = intervals(&sample.y_true, sample.a.view(), &other, &Pool::inline()).unwrap();
    assert_ne!(run(1).0, differs);
}

/// The ends of our intervals against those of a plain loop over as many tables of drawn rows.
#[test]
fn intervals_are_those_of_plain_resampling() {
    let n_resamples = 4000;
    let sample = Predictions::new(150, 1.0, &mut random(1));
    let options = Options { n_resamples, ..Options::default() };
    let ours = intervals(&sample.y_true, sample.a.view(), &options, &Pool::inline()).unwrap();
    let mut random = random(2);
    let plain: Vec<Scores> = (0..n_resamples)
        .map(|_| {
            let drawn = sample.draw(150, false, &mut random);
            score(&drawn.y_true, drawn.a.view()).unwrap()
        })
        .collect();
    let compare = |name: &str, ours: Interval, of: fn(&Scores) -> f64| {
        let mut values: Vec<f64> = plain.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (values[100], values[3899]);
        // The 2.5% quantile of 4,000 normal values has a standard error of 0.042 standard deviations; the difference of
        // two is 1.5% of a width of 3.9.
        let tolerance = 0.06 * (high - low);
        assert!((ours.low - low).abs() < tolerance, "{name}: {ours:?}, plain: {low} {high}");
        assert!((ours.high - high).abs() < tolerance, "{name}: {ours:?}, plain: {low} {high}");
    };
    compare("accuracy", ours.accuracy, |s| s.accuracy);
    compare("balanced accuracy", ours.balanced_accuracy, |s| s.balanced_accuracy);
    compare("weighted F1", ours.weighted_f1, |s| s.weighted_f1);
    compare("macro F1", ours.macro_f1, |s| s.macro_f1);
    compare("log loss", ours.log_loss, |s| s.log_loss);
    compare("Brier", ours.brier, |s| s.brier);
    compare("MCC", ours.mcc, |s| s.mcc);
    compare("ECE", ours.ece, |s| s.ece);
}

/// Draws many samples from a population whose scores are known: 95% of the intervals have to hold them.
#[test]
fn ninety_five_percent_intervals_cover_ninety_five_percent() {
    let population = Predictions::new(3000, 1.0, &mut random(3));
    let truth = score(&population.y_true, population.a.view()).unwrap();
    let options = Options { n_resamples: 400, ..Options::default() };
    let n_draws = 400;
    let mut random = random(4);
    let mut covered = [0; 4];
    for _ in 0..n_draws {
        let sample = population.draw(240, false, &mut random);
        let i = intervals(&sample.y_true, sample.a.view(), &options, &Pool::inline()).unwrap();
        let pairs = [
            (i.accuracy, truth.accuracy),
            (i.weighted_f1, truth.weighted_f1),
            (i.log_loss, truth.log_loss),
            (i.brier, truth.brier),
        ];
        for (covered, (interval, truth)) in covered.iter_mut().zip(pairs) {
            *covered += u32::from(interval.low <= truth && truth <= interval.high);
        }
    }
    for covered in covered {
        // 95% less what percentile intervals of 240 samples are known to lack; the standard error is 1.1%.
        let coverage = f64::from(covered) / f64::from(n_draws);
        assert!((0.92..0.98).contains(&coverage), "coverage {coverage}");
    }
}

/// Between heads of which neither is better, one comparison in twenty is to look significant.
#[test]
fn equal_heads_differ_by_chance_alone() {
    let population = Predictions::new(3000, 1.0, &mut random(5));
    let options = Options { n_resamples: 400, ..Options::default() };
    let n_draws = 400;
    let mut random = random(6);
    let (mut covered, mut significant) = (0, 0);
    for _ in 0..n_draws {
        let s = population.draw(240, true, &mut random);
        let d = paired_difference(&s.y_true, s.a.view(), s.b.view(), &options, &Pool::inline()).unwrap();
        covered += u32::from(d.weighted_f1.low <= 0.0 && 0.0 <= d.weighted_f1.high);
        significant += u32::from(d.weighted_f1.p_value < 0.05);
    }
    let rate = |count: u32| f64::from(count) / f64::from(n_draws);
    assert!((0.92..0.98).contains(&rate(covered)), "coverage {}", rate(covered));
    assert!((0.02..0.08).contains(&rate(significant)), "significant {}", rate(significant));
}

#[test]
fn a_head_against_itself_and_against_a_worse_one() {
    let sample = Predictions::new(600, 1.5, &mut random(7));
    let worse = Predictions::new(600, 0.0, &mut random(8));
    let options = Options { n_resamples: 999, ..Options::default() };
    let (y, a) = (&sample.y_true, sample.a.view());
    let itself = paired_difference(y, a, a, &options, &Pool::inline()).unwrap().weighted_f1;
    assert_eq!((itself.observed, itself.low, itself.high, itself.p_value), (0.0, 0.0, 0.0, 1.0));
    let better = paired_difference(y, a, worse.a.view(), &options, &Pool::inline()).unwrap();
    assert!(better.weighted_f1.low > 0.0 && better.accuracy.low > 0.0, "{better:?}");
    assert_eq!(better.accuracy.p_value, 0.002);
    let scores = |head| score(y, head).unwrap();
    assert_eq!(better.accuracy.observed, scores(a).accuracy - scores(worse.a.view()).accuracy);
}

#[test]
fn what_does_not_fit_is_refused() {
    let sample = Predictions::new(12, 1.0, &mut random(9));
    let options = Options { n_resamples: 10, ..Options::default() };
    let narrow = headsmith_kernels::Matrix::new(vec![0.5; 24], 12, 2);
    let message = |y: &[u32]| {
        paired_difference(y, sample.a.view(), narrow.view(), &options, &Pool::inline())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(message(&[1; 12]), "a head of 3 classes and one of 2");
    assert_eq!(message(&[1; 11]), "11 labels but 12 rows of probabilities");
    let none = Options { n_resamples: 0, ..options };
    assert!(intervals(&sample.y_true, sample.a.view(), &none, &Pool::inline()).is_err());
}

/// 594 rows of one class and 6 of another, all predicted as the first: numpy's percentile bootstrap of 100,000 tables of
/// drawn rows has weighted F1 between 0.9727 and 0.9950.
#[test]
fn a_head_that_predicts_one_class_has_intervals_with_a_width() {
    let y: Vec<u32> = (0..600).map(|i| u32::from(i % 100 == 0)).collect();
    let proba = headsmith_kernels::Matrix::new([0.9, 0.1].repeat(600), 600, 2);
    let found = intervals(&y, proba.view(), &Options::default(), &Pool::inline()).unwrap();
    let near = |found: f64, expected: f64| (found - expected).abs() < 0.002;
    assert!(near(found.weighted_f1.low, 0.9727) && near(found.weighted_f1.high, 0.9950), "{found:?}");
    // Its recalls are 1 and 0 in every table of drawn rows: Wilson's bounds.
    assert!(found.balanced_accuracy.low < 0.5 && found.balanced_accuracy.high > 0.6, "{found:?}");
    assert!(found.mcc.low < 0.0 && found.mcc.high > 0.0, "{found:?}");
    let perfect: Vec<f32> = y.iter().flat_map(|&class| [1.0 - class as f32, class as f32]).collect();
    let perfect = headsmith_kernels::Matrix::new(perfect, 600, 2);
    let found = intervals(&y, perfect.view(), &Options::default(), &Pool::inline()).unwrap();
    for interval in [found.accuracy, found.weighted_f1, found.macro_f1, found.balanced_accuracy, found.mcc] {
        assert!(interval.low < 0.999 && interval.high == 1.0, "{found:?}");
    }
}

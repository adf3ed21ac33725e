//! Compares bootstrap intervals with plain resampling and with the true coverage, for any number of threads.

use headsmith_kernels::{Matrix, Philox, Pool};
use headsmith_metrics::bootstrap::{Interval, Options, class_intervals, intervals, paired_difference};
use headsmith_metrics::{Predictions as Predicted, Scores, predicted_class, score};

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

/// Decided classes that are the most probable ones change nothing; others change what depends on classes, alone.
#[test]
fn decided_classes_are_resampled() {
    let Predictions { y_true: y, a, b } = Predictions::new(200, 1.0, &mut random(8));
    let (options, pool) = (Options { n_resamples: 500, ..Options::default() }, Pool::new(3).unwrap());
    let probable: Vec<u32> = (0..200).map(|i| predicted_class(a.row(i)) as u32).collect();
    let same = Predicted::decided(a.view(), &probable);
    let plain = intervals(&y, a.view(), &options, &pool).unwrap();
    assert_eq!(intervals(&y, same, &options, &pool).unwrap(), plain);
    let of_classes = class_intervals(&y, a.view(), &options, &pool).unwrap();
    assert_eq!(class_intervals(&y, same, &options, &pool).unwrap(), of_classes);
    let difference = |one: Predicted<'_>| paired_difference(&y, one, b.view(), &options, &pool).unwrap();
    assert_eq!(difference(same), difference(a.view().into()));

    let right = Predicted::decided(a.view(), &y);
    let all_right = intervals(&y, right, &options, &pool).unwrap();
    assert_eq!((all_right.accuracy.high, all_right.mcc.high), (1.0, 1.0));
    let close = |one: Interval, other: Interval| {
        (one.low - other.low).abs() < 0.05 && (one.high - other.high).abs() < 0.05
    };
    // Other cells are drawn from another order of the rows.
    assert!(close(all_right.log_loss, plain.log_loss) && close(all_right.brier, plain.brier));
    let found = paired_difference(&y, right, a.view(), &options, &pool).unwrap();
    let own = score(&y, a.view()).unwrap();
    assert!((found.by_metric.accuracy.observed - (1.0 - own.accuracy)).abs() < 1e-12);
    assert_eq!((found.by_metric.log_loss.observed, found.identical_predictions), (0.0, false));
    assert!(class_intervals(&y, right, &options, &pool).unwrap().iter().all(|of| of.f1.high == 1.0));
}

/// Compares the ends of our intervals with those of a plain loop over as many tables of drawn rows, corrected in the same way.
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
    let compare = |name: &str, ours: Interval, of: fn(&Scores) -> f64, bias: f64| {
        let mut values: Vec<f64> = plain.iter().map(|scores| of(scores) - bias).collect();
        values.sort_by(f64::total_cmp);
        // BCa with the bias and acceleration of a mean, at Student's quantile: scipy.stats.t.ppf(0.975, 149) * (150 / 149) ** 0.5.
        let moment = |power: i32| {
            let mean = values.iter().sum::<f64>() / f64::from(n_resamples);
            values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / f64::from(n_resamples)
        };
        let shift = moment(3) / moment(2).powf(1.5) / 6.0;
        let end = |reach: f64| {
            let z = shift + (shift + reach) / (1.0 - shift * (shift + reach));
            values[(0.5 * libm::erfc(-z / 2.0_f64.sqrt()) * f64::from(n_resamples)) as usize]
        };
        let (low, high) = (end(-1.982_633), end(1.982_633));
        // The 2.5% quantile of 4,000 normal values has a standard error of 0.042 standard deviations; the difference of
        // two is 1.5% of a width of 3.9.
        let tolerance = 0.06 * (high - low);
        assert!((ours.low - low).abs() < tolerance, "{name}: {ours:?}, plain: {low} {high}");
        assert!((ours.high - high).abs() < tolerance, "{name}: {ours:?}, plain: {low} {high}");
    };
    compare("accuracy", ours.accuracy, |s| s.accuracy, 0.0);
    compare("balanced accuracy", ours.balanced_accuracy, |s| s.balanced_accuracy, 0.0);
    compare("weighted F1", ours.weighted_f1, |s| s.weighted_f1, 0.0);
    compare("macro F1", ours.macro_f1, |s| s.macro_f1, 0.0);
    compare("log loss", ours.log_loss, |s| s.log_loss, 0.0);
    compare("Brier", ours.brier, |s| s.brier, 0.0);
    compare("MCC", ours.mcc, |s| s.mcc, 0.0);
    // Resamples are worse calibrated than the rows, by about as much as these are than the population.
    let mean = plain.iter().map(|scores| scores.ece).sum::<f64>() / f64::from(n_resamples);
    let point = score(&sample.y_true, sample.a.view()).unwrap().ece;
    assert!(mean > point);
    compare("ECE", ours.ece, |s| s.ece, mean - point);
    assert!(ours.ece.low <= point && point <= ours.ece.high);
}

/// Draws many samples from a population with known scores: 95% of the intervals must contain them.
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
        // 95% minus the known deficit of percentile intervals for 240 samples; the standard error is 1.1%.
        let coverage = f64::from(covered) / f64::from(n_draws);
        assert!((0.92..0.98).contains(&coverage), "coverage {coverage}");
    }
}

/// A rare class that is recognised once in ten times: half of the samples of 150 rows have no hit of it, and so none
/// of their resamples has one. Without its Wilson bound a fifth of such intervals of macro F1 would miss the truth.
#[test]
fn a_class_that_a_sample_never_hits_does_not_narrow_macro_f1() {
    let mut random = random(10);
    let n = 6000;
    let y: Vec<u32> = (0..n).map(|i| [0, 0, 0, 1, 1][i % 5]).collect();
    let y: Vec<u32> =
        y.into_iter().enumerate().map(|(i, class)| if i % 25 == 0 { 2 } else { class }).collect();
    let mut a = headsmith_kernels::Matrix::zeros(n, 3);
    for (i, &class) in y.iter().enumerate() {
        let is_hit = random.uniform() < [0.85, 0.8, 0.1][class as usize];
        let predicted = if is_hit { class as usize } else { (class as usize + 1) % 2 };
        a.row_mut(i)[predicted] = 1.0;
    }
    let truth = score(&y, a.view()).unwrap();
    let population = Predictions { y_true: y, b: a.clone(), a };
    let options = Options { n_resamples: 300, ..Options::default() };
    let (mut n_never, mut covered) = (0, [0; 2]);
    let n_draws = 300;
    for _ in 0..n_draws {
        let sample = population.draw(150, false, &mut random);
        let found = intervals(&sample.y_true, sample.a.view(), &options, &Pool::inline()).unwrap();
        let seen = score(&sample.y_true, sample.a.view()).unwrap();
        let holds = found.macro_f1.low <= truth.macro_f1 && truth.macro_f1 <= found.macro_f1.high;
        let is_never = seen.per_class[2].f1 == 0.0;
        n_never += u32::from(is_never);
        covered[0] += u32::from(holds);
        covered[1] += u32::from(holds && is_never);
    }
    assert!(n_never > n_draws / 3, "{n_never}");
    let all = f64::from(covered[0]) / f64::from(n_draws);
    let never = f64::from(covered[1]) / f64::from(n_never);
    assert!(all > 0.92 && never > 0.92, "coverage {all}, without a hit {never}");
}

/// Scores that are means of a term of each row have intervals even if no row is wrong, which contain the effect of a
/// wrong row.
#[test]
fn a_perfect_score_of_few_rows_has_intervals_with_a_width() {
    let y: Vec<u32> = (0..20).map(|i| i % 2).collect();
    for sure in [1.0f32, 0.999] {
        let proba: Vec<f32> =
            y.iter().flat_map(|&c| if c == 0 { [sure, 1.0 - sure] } else { [1.0 - sure, sure] }).collect();
        let proba = headsmith_kernels::Matrix::new(proba, 20, 2);
        let found = intervals(&y, proba.view(), &Options::default(), &Pool::inline()).unwrap();
        let scores = score(&y, proba.view()).unwrap();
        // One wrong row of 20 is well within the range that 20 right ones leave possible.
        let mut with_one = y.clone();
        with_one[0] = 1;
        let one_wrong = score(&with_one, proba.view()).unwrap();
        for (interval, score, other) in [
            (found.log_loss, scores.log_loss, one_wrong.log_loss),
            (found.brier, scores.brier, one_wrong.brier),
            (found.ece, scores.ece, one_wrong.ece),
        ] {
            assert!(interval.low <= score && other < interval.high, "{found:?}");
        }
    }
}

/// Between equally good heads, one comparison in twenty should look significant.
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
        covered += u32::from(d.by_metric.weighted_f1.low <= 0.0 && 0.0 <= d.by_metric.weighted_f1.high);
        significant += u32::from(d.by_metric.weighted_f1.p_value < 0.05);
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
    let itself = paired_difference(y, a, a, &options, &Pool::inline()).unwrap().by_metric.weighted_f1;
    assert_eq!((itself.observed, itself.low, itself.high, itself.p_value), (0.0, 0.0, 0.0, 1.0));
    assert!(paired_difference(y, a, a, &options, &Pool::inline()).unwrap().identical_predictions);
    let better = paired_difference(y, a, worse.a.view(), &options, &Pool::inline()).unwrap();
    assert!(better.by_metric.weighted_f1.low > 0.0 && better.by_metric.accuracy.low > 0.0, "{better:?}");
    assert_eq!(better.by_metric.accuracy.p_value, 0.002);
    assert!(!better.identical_predictions);
    // Both are wrong about row 0, each with another class: accuracy does not differ in any resample, but could on
    // other rows.
    let proba = |first: [f32; 3]| {
        let rows = (1..12).flat_map(|i| if i % 2 == 0 { [1.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0] });
        headsmith_kernels::Matrix::new(first.into_iter().chain(rows).collect(), 12, 3)
    };
    let y12: Vec<u32> = (0..12).map(|i| i % 2).collect();
    let (one, other) = (proba([0.0, 1.0, 0.0]), proba([0.0, 0.0, 1.0]));
    let alike = paired_difference(&y12, one.view(), other.view(), &options, &Pool::inline()).unwrap();
    assert!(!alike.identical_predictions && alike.by_metric.accuracy.observed == 0.0, "{alike:?}");
    // z^2 / (12 + z^2)
    assert!((alike.by_metric.accuracy.high - 0.242_493).abs() < 1e-5, "{alike:?}");
    assert_eq!(alike.by_metric.accuracy.low, -alike.by_metric.accuracy.high);
    let scores = |head| score(y, head).unwrap();
    assert_eq!(better.by_metric.accuracy.observed, scores(a).accuracy - scores(worse.a.view()).accuracy);
}

#[test]
fn mismatched_inputs_are_refused() {
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

/// 594 rows of one class and 6 of another, all predicted as the first: in 400,000 tables of drawn rows (NumPy) weighted F1 has a skewness of -0.405, so that the
/// corrected percentiles (SciPy) are 0.9676 and 0.9950.
#[test]
fn a_head_that_predicts_one_class_has_intervals_with_a_width() {
    let y: Vec<u32> = (0..600).map(|i| u32::from(i % 100 == 0)).collect();
    let proba = headsmith_kernels::Matrix::new([0.9, 0.1].repeat(600), 600, 2);
    let found = intervals(&y, proba.view(), &Options::default(), &Pool::inline()).unwrap();
    let near = |found: f64, expected: f64| (found - expected).abs() < 0.002;
    assert!(near(found.weighted_f1.low, 0.9676) && near(found.weighted_f1.high, 0.9950), "{found:?}");
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

/// Copies of a row say nothing new: with units, the intervals are as wide as those of one of each; without, half as wide with four.
#[test]
fn copies_of_rows_add_nothing() {
    let (sample, pool) = (Predictions::new(400, 1.0, &mut random(11)), Pool::new(2).unwrap());
    let copied = |proba: &Matrix| {
        let rows: Vec<f32> = (0..1600).flat_map(|i| proba.row(i / 4)).copied().collect();
        Matrix::new(rows, 1600, proba.n_cols())
    };
    let (y, a, b) = (&sample.y_true, copied(&sample.a), copied(&sample.b));
    let of_copies: Vec<u32> = (0..1600).map(|i| y[i / 4]).collect();
    let units: Vec<u32> = (0..1600).map(|i| i / 4).collect();
    let options = Options { n_resamples: 4000, ..Options::default() };
    let together = Options { units: Some(&units), ..options };
    let width = |of: Interval| of.high - of.low;
    let of = |y: &[u32], a: &Matrix, b: &Matrix, options: &Options<'_>| {
        let one = intervals(y, a.view(), options, &pool).unwrap();
        let two = paired_difference(y, a.view(), b.view(), options, &pool).unwrap().by_metric.weighted_f1;
        let three = class_intervals(y, a.view(), options, &pool).unwrap();
        [width(one.weighted_f1), width(one.log_loss), two.high - two.low, width(three[0].f1)]
    };
    let single = of(y, &sample.a, &sample.b, &options);
    let pairs = of(&of_copies, &a, &b, &together).into_iter().zip(of(&of_copies, &a, &b, &options));
    for ((together, apart), single) in pairs.zip(single) {
        assert!((together / single - 1.0).abs() < 0.06, "{together} {single}");
        assert!((apart / single - 0.5).abs() < 0.03, "{apart} {single}");
    }
}

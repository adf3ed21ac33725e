//! Nearest centroid as its users see it; classes are those of scikit-learn's NearestCentroid, as `tests/data/make_linear.py`
//! recorded them.

use std::sync::Arc;

use headsmith_heads::centroid::{HEAD, TABLE};
use headsmith_heads::tensors::{Tensors, Values};
use headsmith_heads::{Error, Fitted, Head, Job, Samples, training};
use headsmith_kernels::{MatRef, Pool};
use serde::Deserialize;

use super::tables::{Table, samples, text};
use super::{assert_threads_change_no_byte, refusals};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    shape: (u64, u64, usize),
    metric: String,
    centroids: Vec<f64>,
    classes: Vec<usize>,
}

fn fit_on(samples: Samples<'_>, metric: &str, pool: &Pool) -> Result<Arc<dyn Fitted>, Error> {
    super::fit_on(&HEAD, samples, &[("distance", text(metric))], pool)
}

fn fit(table: &Table, metric: &str) -> Arc<dyn Fitted> {
    super::fit(&HEAD, table, &[("distance", text(metric))])
}

fn variance(head: &dyn Fitted) -> f64 {
    head.tensors().take_f64("variance", &[1]).unwrap()[0]
}

/// The samples of the script: moved, so that directions differ.
fn moved(start: u64, n_samples: u64, n_features: u64, n_classes: usize) -> Table {
    let mut table = samples(start, n_samples, n_features, n_classes);
    table.x.as_mut_slice().iter_mut().for_each(|v| *v -= 0.75);
    table
}

fn best(proba: &[f32]) -> usize {
    (0..proba.len()).max_by(|a, b| proba[*a].total_cmp(&proba[*b])).unwrap()
}

#[test]
fn centroids_and_classes_are_scikit_learns() {
    let file: File = serde_json::from_str(include_str!("../data/centroid.json")).unwrap();
    for Case { shape: (n_samples, n_features, n_classes), metric, centroids, classes } in file.cases {
        let (table, other) =
            (moved(0, n_samples, n_features, n_classes), moved(5000, 60, n_features, n_classes));
        let head = fit(&table, &metric);
        let mut tensors = head.tensors();
        let got = tensors.take_f32("centroids", &[n_classes, n_features as usize]).unwrap();
        for (got, expected) in got.iter().zip(&centroids) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{metric}: {got}, scikit-learn {expected}");
        }
        let proba = head.predict_proba(other.x(), &Pool::inline());
        let got: Vec<usize> = (0..60).map(|i| best(proba.row(i))).collect();
        assert_eq!(got, classes, "{metric}");
    }
}

#[test]
fn probabilities_are_those_of_a_normal_distribution_around_each_centroid() {
    // Two classes of variance 4 along the only feature, 3 apart, and far from 0.
    let n = 4000;
    let normal = |i: usize| (0..12).map(|k| super::tables::uniform((12 * i + k) as u64)).sum::<f64>() - 6.0;
    let x: Vec<f32> = (0..n).map(|i| (1000.0 + 2.0 * normal(i) + 3.0 * (i % 2) as f64) as f32).collect();
    let y: Vec<u32> = (0..n as u32).map(|i| i % 2).collect();
    let head = fit(&Table::new(&x, &y), "euclidean");
    assert!((variance(&*head) - 4.0).abs() < 0.3, "{}", variance(&*head));
    let proba = head.predict_proba(MatRef::new(&[1000.0, 1001.5, 1003.0, 1006.0], 4, 1), &Pool::inline());
    for (i, x) in [0.0f64, 1.5, 3.0, 6.0].into_iter().enumerate() {
        let odds = (-(x * x - (x - 3.0) * (x - 3.0)) / 8.0).exp();
        let expected = odds / (1.0 + odds);
        assert!((f64::from(proba.row(i)[0]) - expected).abs() < 0.03, "{} at {x}", proba.row(i)[0]);
    }
}

#[test]
fn the_variance_is_that_between_the_centroids() {
    // A feature that does not tell the classes apart, however wide, changes no probability.
    let x: Vec<f32> = (0..400).map(|i| (i % 7) as f32 + if i < 200 { 0.0 } else { 4.0 }).collect();
    let y: Vec<u32> = (0..400).map(|i| u32::from(i >= 200)).collect();
    let narrow = fit(&Table::new(&x, &y), "euclidean");
    let wide: Vec<f32> =
        x.iter().zip(0..400).flat_map(|(v, i)| [*v, if i % 2 == 0 { 50.0 } else { -50.0 }]).collect();
    let wide = fit(&Table::new(&wide, &y), "euclidean");
    assert!(
        (variance(&*wide) / variance(&*narrow) - 1.0).abs() < 0.5,
        "{} {}",
        variance(&*wide),
        variance(&*narrow)
    );
}

#[test]
fn a_row_counts_by_its_weight() {
    let table = samples(0, 40, 3, 2);
    let weights: Vec<f32> = (0..40).map(|i| (i % 3) as f32).collect();
    let rows: Vec<usize> = (0..40).flat_map(|i| vec![i; i % 3]).collect();
    let x: Vec<f32> = rows.iter().flat_map(|&i| table.x.row(i).to_vec()).collect();
    let y: Vec<u32> = rows.iter().map(|&i| table.y[i]).collect();
    let centroids = |head: Arc<dyn Fitted>| head.tensors().take_f32("centroids", &[2, 3]).unwrap();
    let weighted = fit_on(table.samples().weighted(&weights).unwrap(), "euclidean", &Pool::inline()).unwrap();
    for (a, b) in centroids(weighted).iter().zip(centroids(fit(&Table::new(&x, &y), "euclidean"))) {
        assert!((a - b).abs() < 1e-6);
    }
}

#[test]
fn class_weights_are_priors_and_weights_of_rows_in_the_variance() {
    let table = samples(0, 90, 3, 3);
    let names = ["a", "b", "c"].map(str::to_owned);
    let fit = |class_weight: &str| {
        let params = TABLE.resolve([("class_weight", text(class_weight))]).unwrap();
        let pool = Pool::inline();
        let job = Job::new(table.samples().named(&names), &params, 0, &pool);
        let mut fitting = HEAD.begin(job, None).unwrap();
        training::run(fitting.as_mut(), &mut super::tables::go_on, None).unwrap();
        fitting.finish().unwrap()
    };
    let has_priors = |head: &dyn Fitted| head.tensors().names().any(|name| name == "priors");
    let plain = fit("none");
    // The scale of all classes together changes nothing but a rounding.
    assert!((variance(&*fit("a:0.01,b:0.01,c:0.01")) / variance(&*plain) - 1.0).abs() < 1e-9);
    // Balanced classes have the equal priors that there are already.
    assert!(!has_priors(&*plain) && !has_priors(&*fit("balanced")));
    let head = fit("a:4,c:0");
    let mut tensors = head.tensors();
    assert_eq!(tensors.take_f64("priors", &[3]).unwrap(), [4.0, 1.0, 0.0]);
    let centroids = tensors.take_f32("centroids", &[3, 3]).unwrap();
    let proba = head.predict_proba(table.x(), &Pool::inline());
    for i in 0..90 {
        let density = |class: usize, prior: f64| {
            let pairs = table.x.row(i).iter().zip(&centroids[3 * class..]);
            let square: f64 = pairs.take(3).map(|(x, c)| f64::from(x - c).powi(2)).sum();
            prior * (-square / (2.0 * variance(&*head))).exp()
        };
        let (a, b) = (density(0, 4.0), density(1, 1.0));
        assert!((f64::from(proba.row(i)[0]) - a / (a + b)).abs() < 1e-4);
        assert_eq!(proba.row(i)[2], 0.0);
    }
    let restored = HEAD.restore(head.config(), head.tensors()).unwrap();
    assert_eq!(restored.predict_proba(table.x(), &Pool::inline()), proba);
    let mut wrong = head.tensors();
    wrong.insert("priors", &[3], Values::F64(vec![4.0, -1.0, 0.0]));
    let refused = HEAD.restore(head.config(), wrong).map(drop).unwrap_err().to_string();
    assert_eq!(refused, "tensor `priors` holds -1, expected a number above 0");
}

#[test]
fn threads_change_no_byte() {
    let table = samples(0, 2100, 9, 4);
    for metric in ["euclidean", "cosine"] {
        assert_threads_change_no_byte(&HEAD, &table, &[("distance", text(metric))], 1500);
    }
}

#[test]
fn the_edges_have_probabilities() {
    let tables = [
        ("one row a class", Table::new(&[1.0, 2.0, 4.0], &[0, 1, 2])),
        ("one class", Table::new(&[1.0, 2.0], &[0, 0])),
        ("equal rows", Table::new(&[1.0; 6], &[0, 1, 1])),
        ("rows of zeros", Table::new(&[0.0; 6], &[0, 1, 1])),
        ("no variance", Table::new(&[1.0, 1.0, 2.0, 2.0], &[0, 0, 1, 1])),
        ("no rows of a class", Table::new(&[1.0, 1.5, 2.0, 2.5], &[1, 1, 3, 3])),
        ("large", Table::new(&[1e18, 2e18, 3e18, 5e18], &[0, 0, 1, 1])),
        ("small", Table::new(&[1e-15, 2e-15, 3e-15, 5e-15], &[0, 0, 1, 1])),
    ];
    for (name, table) in tables {
        for metric in ["euclidean", "cosine"] {
            let proba = fit(&table, metric).predict_proba(table.x(), &Pool::inline());
            for i in 0..table.y.len() {
                let sum: f32 = proba.row(i).iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{name}, {metric}: {:?}", proba.row(i));
                let absent = (0..table.n_classes).filter(|class| !table.y.contains(&(*class as u32)));
                assert!(absent.map(|class| proba.row(i)[class]).all(|p| p == 0.0), "{name}");
                if metric == "euclidean" && !name.contains("equal") && !name.contains("zeros") {
                    assert_eq!(best(proba.row(i)), table.y[i] as usize, "{name}: {:?}", proba.row(i));
                }
            }
        }
    }
}

#[test]
fn what_is_no_head_is_refused() {
    let [no_rows, infinite] = refusals(&HEAD);
    assert_eq!(no_rows, "a nearest centroid needs rows and features; there are 0 rows of 2 features");
    assert_eq!(infinite, "feature 1 of row 0 is inf, expected a finite number");

    let head = fit(&samples(0, 20, 3, 2), "cosine");
    let stored = |change: &dyn Fn(&mut Tensors)| super::refused(&HEAD, &*head, change);
    let variance = |v: f64| move |t: &mut Tensors| t.insert("variance", &[1], Values::F64(vec![v]));
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
        assert!(stored(&variance(wrong)).contains("does not go with the centroids"), "{wrong}");
    }
    let flags = "tensor `present` holds no 1, or other numbers than 0 and 1";
    assert_eq!(stored(&|t| t.insert("present", &[2], Values::U32(vec![0, 0]))), flags);
    assert_eq!(stored(&|t| t.insert("present", &[2], Values::U32(vec![2, 1]))), flags);
    let mut config = head.config();
    config.insert("distance".to_owned(), "manhattan".into());
    let refused = HEAD.restore(config, head.tensors()).map(drop).unwrap_err().to_string();
    assert_eq!(refused, "distance is manhattan, expected one of euclidean, cosine");
}

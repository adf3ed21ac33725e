//! Compares curves with scikit-learn's, point by point.

use headsmith_kernels::MatRef;
use headsmith_metrics::curves::Point;
use headsmith_metrics::{both_curves, precision_recall_curve, roc_curve};
use serde_json::Value;

fn same(ours: &[Point], recorded: &Value) {
    let recorded = recorded.as_array().unwrap();
    assert_eq!(ours.len(), recorded.len());
    for (point, theirs) in ours.iter().zip(recorded) {
        assert_eq!(point.threshold, theirs[0].as_f64().unwrap_or(f64::INFINITY));
        assert!((point.x - theirs[1].as_f64().unwrap()).abs() < 1e-12, "{point:?} {theirs}");
        assert!((point.y - theirs[2].as_f64().unwrap()).abs() < 1e-12, "{point:?} {theirs}");
    }
}

#[test]
fn curves_are_scikit_learns() {
    let cases: Value = serde_json::from_str(include_str!("../data/curves.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let y: Vec<u32> = case["y"].as_array().unwrap().iter().map(|y| y.as_u64().unwrap() as u32).collect();
        let rows = case["proba"].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
        let proba: Vec<f32> = rows.map(|p| p.as_f64().unwrap() as f32).collect();
        let n_classes = proba.len() / y.len();
        let proba = MatRef::new(&proba, y.len(), n_classes);
        for class in 0..n_classes {
            let recorded = &case["curves"][class];
            same(&roc_curve(&y, proba, class, 0.0), &recorded["roc"]);
            same(&precision_recall_curve(&y, proba, class, 0.0), &recorded["precision_recall"]);
            let (roc, precision_recall) = both_curves(&y, proba, class, 0.0);
            same(&roc, &recorded["roc"]);
            same(&precision_recall, &recorded["precision_recall"]);
        }
    }
}

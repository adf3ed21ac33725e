//! Compares Sobol points with scipy's.

use headsmith_study::samplers::Qmc;

#[test]
fn points_are_scipys() {
    let recorded: Vec<(usize, u64, Vec<f64>)> =
        serde_json::from_str(include_str!("../data/samplers/sobol.json")).unwrap();
    assert!(recorded.iter().any(|(dimensions, ..)| *dimensions == 128));
    for (dimensions, number, expected) in recorded {
        let found: Vec<f64> = (0..dimensions).map(|d| Qmc::default().coordinate(number, d)).collect();
        assert_eq!(found, expected, "point {number} in {dimensions} dimensions");
    }
}

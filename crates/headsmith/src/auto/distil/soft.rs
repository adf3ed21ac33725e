//! Rows with the probabilities of a teacher in place of labels: a row for each class that it deems likely, weighted by its probability.
//!
//! That is Hinton, Vinyals and Dean's distillation ("Distilling the knowledge in a neural network", 2015) at temperature 1 for any head that takes sample weights:
//! the weighted losses of a row's classes add up to its cross-entropy with the teacher.

use headsmith_data::Dataset;
use headsmith_kernels::{MatRef, Matrix};

use crate::split::units;

/// A class of a smaller probability is left out of a row's, unless it is the most probable.
const LEAST: f32 = 0.01;

/// The rows of `data`, each once for each likely class by its probabilities `proba` (`n_samples x n_classes`). All that are made of a row weigh as much as it does, and are of its unit
/// of `units`.
pub(super) fn soften(data: &Dataset, units: &[u32], proba: MatRef<'_>) -> Dataset {
    let (mut x, mut y, mut weights, mut of_units) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..data.y.len() {
        let weight = data.weights.as_ref().map_or(1.0, |weights| weights[i]);
        let least = proba.row(i).iter().copied().fold(0.0, f32::max).min(LEAST);
        let likely = || proba.row(i).iter().zip(0..).filter(|(p, _)| **p >= least);
        let total: f32 = likely().map(|(p, _)| p).sum();
        for (p, class) in likely() {
            x.extend_from_slice(data.x.row(i));
            y.push(class);
            weights.push(weight * p / total);
            of_units.push(units[i]);
        }
    }
    Dataset {
        x: Matrix::new(x, y.len(), data.x.n_cols()),
        y,
        classes: data.classes.clone(),
        weights: Some(weights),
        units: Some(units::numbered(of_units)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_becomes_its_likely_classes_with_its_weight() {
        let x = Matrix::new(vec![1.0, 2.0], 2, 1);
        let data = Dataset::from_arrays(x, &["no", "yes"]).unwrap().with_weights(vec![2.0, 4.0]).unwrap();
        let proba = [0.25, 0.75, 0.999, 0.001];
        let soft = soften(&data, &[7, 3], MatRef::new(&proba, 2, 2));
        assert_eq!(soft.x.as_slice(), [1.0, 1.0, 2.0]);
        assert_eq!(soft.y, [0, 1, 0]);
        assert_eq!(soft.weights.unwrap(), [0.5, 1.5, 4.0]);
        assert_eq!(soft.units.unwrap(), [0, 0, 1]);
    }

    #[test]
    fn a_row_of_many_classes_keeps_its_most_probable_ones() {
        let names: Vec<String> = (0..200).map(|class| format!("c{class:03}")).collect();
        let data = Dataset::from_arrays(Matrix::new(vec![1.0; 200], 200, 1), &names).unwrap();
        let mut proba = vec![0.005; 200 * 200];
        proba[7] = 0.006;
        let soft = soften(&data, &(0..200).collect::<Vec<u32>>(), MatRef::new(&proba, 200, 200));
        assert_eq!(soft.y[0], 7);
        let of = soft.units.unwrap();
        let weight = |unit: u32| -> f32 {
            let rows = of.iter().zip(soft.weights.as_ref().unwrap()).filter(|(of, _)| **of == unit);
            rows.map(|(_, weight)| weight).sum()
        };
        assert!((0..200).all(|unit| (weight(unit) - 1.0).abs() < 1e-4));
    }
}

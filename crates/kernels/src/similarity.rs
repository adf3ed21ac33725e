//! Functions of distances, value by value, for kernel methods.

#![allow(unsafe_code)]

use crate::math;
use crate::multiversion::multiversion;

multiversion! {
    /// Replaces the inner products of one row with others by squared distances: `norm` is the squared norm of the row, `norms` are those
    /// of the others. Rounding makes none negative.
    pub fn squared_distances(products: &mut [f32], norm: f32, norms: &[f32]) {
        for (value, other) in products.iter_mut().zip(norms) {
            *value = (norm + other - 2.0 * *value).max(0.0);
        }
    }

    /// Replaces each value v by `exp(factor * v)`.
    pub fn exponential(values: &mut [f32], factor: f32) {
        for value in values {
            *value = math::exp(factor * *value);
        }
    }

    /// Replaces each value by its square root.
    pub fn square_root(values: &mut [f32]) {
        for value in values {
            *value = value.sqrt();
        }
    }

    /// Replaces each value v, finite and not negative, by v to the power of `exponent`, which is above 0, to a few units in the last place of the
    /// logarithm.
    pub fn power(values: &mut [f32], exponent: f32) {
        for value in values {
            let root = math::exp(exponent * math::ln(value.max(f32::MIN_POSITIVE)));
            *value = if *value < f32::MIN_POSITIVE { 0.0 } else { root };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_agree_with_those_in_double_precision() {
        let values: Vec<f32> = (0..301).map(|i| (i * i) as f32 * 1e-4).collect();
        let check = |got: &[f32], exact: &dyn Fn(f64) -> f64| {
            for (got, v) in got.iter().zip(&values) {
                let exact = exact(f64::from(*v));
                assert!((f64::from(*got) - exact).abs() <= 2e-6 * exact, "{got} {exact}");
            }
        };
        let (mut exp, mut root, mut power) = (values.clone(), values.clone(), values.clone());
        exponential(&mut exp, -0.8);
        check(&exp, &|v| (f64::from(-0.8f32) * v).exp());
        square_root(&mut root);
        check(&root, &f64::sqrt);
        super::power(&mut power, 0.75);
        check(&power, &|v| v.powf(0.75));
        let norms: Vec<f32> = values.iter().map(|v| v * v).collect();
        let mut products: Vec<f32> = values.iter().map(|v| 3.0 * v).collect();
        squared_distances(&mut products, 9.0, &norms);
        for (distance, v) in products.iter().zip(&values) {
            assert!((distance - (v - 3.0).powi(2)).abs() < 2e-5 && *distance >= 0.0);
        }
    }
}

//! The form in which the head is written to a file and read back.

use headsmith_kernels::{Matrix, Pool};
use serde_json::{Map, Value};

use super::machine::{Summary, Svm};
use super::params::{C, GAMMA};
use crate::calibration::Calibration;
use crate::error::{Error, Result};
use crate::head::no_keys;
use crate::kernel_function::support::Support;
use crate::one_hot::{classes_of, present};
use crate::tensors::{Tensors, Values};

impl Svm {
    pub(super) fn to_config(&self) -> Map<String, Value> {
        [(C, self.c), (GAMMA, self.gamma)]
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into_iter()
            .collect()
    }

    pub(super) fn to_tensors(&self) -> Tensors {
        let (n_features, others) = (self.mean.len(), self.classes.len() - 1);
        let (mut rows, mut coefficients, mut counts) = (Vec::new(), Vec::new(), vec![0; self.n_classes]);
        for (support, &class) in self.support.iter().zip(&self.classes) {
            let (of_class, betas) = support.unpacked();
            rows.extend(of_class);
            coefficients.extend(betas);
            counts[class] = support.n_rows as u32;
        }
        let (n, mut tensors) = (self.n_support(), Tensors::new());
        tensors.insert("rows", &[n, n_features], Values::F32(rows));
        tensors.insert("dual_coef", &[n, others], Values::F32(coefficients));
        tensors.insert("n_support", &[self.n_classes], Values::U32(counts));
        tensors.insert("present", &[self.n_classes], Values::U32(present(&self.classes, self.n_classes)));
        tensors.insert("intercept", &[self.intercept.len()], Values::F64(self.intercept.clone()));
        tensors.insert("mean", &[n_features], Values::F32(self.mean.clone()));
        self.calibration.store(&mut tensors);
        tensors
    }

    pub(super) fn from_parts(mut config: Map<String, Value>, mut tensors: Tensors) -> Result<Svm> {
        let [c, gamma] = [positive(&mut config, C)?, positive(&mut config, GAMMA)?];
        no_keys(&config)?;
        let n_classes = tensors.shape("present")?.iter().product();
        let flags = tensors.take_u32("present", &[n_classes])?;
        let n = flags.iter().filter(|flag| **flag == 1).count();
        let classes = classes_of(&flags, n).ok_or_else(|| {
            Error::stored("tensor `present` does not say of each class whether it had rows")
        })?;
        let [n_rows, n_features] = tensors.matrix_shape("rows")?;
        let rows = tensors.take_finite("rows", &[n_rows, n_features])?;
        let coefficients = tensors.take_finite("dual_coef", &[n_rows, n - 1])?;
        let counts = tensors.take_u32("n_support", &[n_classes])?;
        let mean = tensors.take_finite("mean", &[n_features])?;
        let intercept = tensors.take_f64("intercept", &[n * (n - 1) / 2])?;
        let calibration = Calibration::restore(&mut tensors, n)?;
        tensors.check_empty("a support vector machine")?;
        if !intercept.iter().all(|v| v.is_finite()) {
            return Err(Error::stored("tensor `intercept` is not finite"));
        }
        check_counts(&counts, &flags, n_rows)?;
        let (rows, coefficients) =
            (Matrix::new(rows, n_rows, n_features), Matrix::new(coefficients, n_rows, n - 1));
        let mut start = 0;
        let support = classes.iter().map(|&class| {
            let end = start + counts[class] as usize;
            let part = |all: &Matrix| all.view().rows(start, end).to_matrix();
            let (rows, coefficients) = (part(&rows), part(&coefficients));
            start = end;
            Support::new(rows.view(), coefficients.view(), &Pool::inline())
        });
        let support = support.collect();
        Ok(Svm {
            mean,
            gamma,
            c,
            classes,
            n_classes,
            support,
            intercept,
            calibration,
            summary: Summary::default(),
        })
    }
}

/// Whether the support vectors are of classes that had rows, and as many as there are.
fn check_counts(counts: &[u32], present: &[u32], n_rows: usize) -> Result<()> {
    let total = counts.iter().map(|&n| u64::from(n)).sum::<u64>();
    let is_absent = counts.iter().zip(present).any(|(&n, &flag)| n > 0 && flag == 0);
    if total != n_rows as u64 || is_absent {
        return Err(Error::stored(format!(
            "tensor `n_support` does not give the classes of the {n_rows} rows"
        )));
    }
    Ok(())
}

fn positive(config: &mut Map<String, Value>, name: &str) -> Result<f64> {
    let value = config.remove(name).unwrap_or_default();
    value
        .as_f64()
        .filter(|v| v.is_finite() && *v > 0.0)
        .ok_or_else(|| Error::stored(format!("the key `{name}` is {value}, expected a number above 0")))
}

//! The heads at given strengths, each at its minimum: see [`path`](super::path).
//!
//! Each strength begins where the one before ended. Where it is not too large, the [Hessian] gives the steps, and with them what is left to the
//! minimum: half of `g' H^-1 g`, which bounds the loss that a fit ends above it where neither the gradient nor the last decrease do. It is
//! computed again where a strength has taken as many evaluations as that costs; other strengths change its ridge alone.

use std::sync::Arc;

use super::choosing::penalty;
use super::hessian::{self, Hessian};
use super::lockstep::{Layout, Lockstep, Rows};
use super::metric::{self, Metric};
use super::params::Settings;
use super::targets::Targets;
use super::{Linear, Solution};
use crate::error::Result;
use crate::head::Job;
use crate::optim::descent::End;

/// The share of the value that the next step may be expected to lower it by, at the end.
const CLOSE: f64 = 2e-7;
/// The share of the work of a Hessian that evaluations take before it is computed again, and the fewest of them.
const PATIENCE: f64 = 0.3;
const FEWEST: usize = 4;

/// The Hessian of the last point that needed one.
struct Newton {
    mean: Vec<f64>,
    hessian: Hessian,
    patience: usize,
}

struct Path<'a> {
    job: Job<'a>,
    targets: Targets,
    layout: Layout,
    settings: &'a Settings,
}

impl Path<'_> {
    fn rows(&self) -> Rows<'_> {
        Rows { samples: self.job.train, targets: &self.targets, fold_of: &[] }
    }

    fn hessian(&self, weights: &[f64], mean: &[f64]) -> Hessian {
        let total = self.targets.total_weight();
        Hessian::new(self.rows(), self.layout, weights, (total, mean), self.job.pool)
    }

    /// The Hessian at zeros; `None` where a path does without.
    fn newton(&self) -> Option<Newton> {
        let samples = self.job.train;
        let work = hessian::n_evaluations(self.layout, samples.n_samples())?;
        if self.settings.l1_ratio > 0.0 {
            return None;
        }
        let mean = hessian::centre(self.rows(), self.layout, self.job.pool);
        let hessian = self.hessian(&vec![0.0; self.layout.n_weights()], &mean);
        Some(Newton { mean, hessian, patience: FEWEST.max((PATIENCE * work) as usize) })
    }

    /// The metric of a strength; `None` where the Hessian is not positive definite.
    fn metric(&self, newton: &Newton, c: f64) -> Option<Arc<Metric>> {
        let ridge = penalty(c, 0.0, self.targets.total_weight()).ridge;
        let inverse = newton.hessian.inverse(ridge, self.job.pool)?;
        Some(Arc::new(Metric::of_hessian(newton.mean.clone(), inverse)))
    }

    /// The metric of any strength.
    fn bound(&self) -> Result<Arc<Metric>> {
        let n_samples = self.job.train.n_samples();
        let axes = self.settings.l1_ratio == 0.0
            && metric::has_axes(n_samples, self.layout.n_features, self.layout.n_scores.max(1));
        Ok(Arc::new(Metric::new(self.job.train, &self.targets, axes, self.job.pool)?))
    }

    /// Goes to the minimum of the strength.
    fn minimise(&self, lockstep: &mut Lockstep, newton: &mut Option<Newton>, c: f64) -> Result<()> {
        let mut since = 0;
        for _ in 0..self.settings.max_iter {
            if lockstep.is_done() {
                break;
            }
            if let Some(own) = newton.as_mut().filter(|newton| since >= newton.patience) {
                own.hessian = self.hessian(lockstep.problems[0].descent.weights(), &own.mean);
                match self.metric(own, c) {
                    Some(metric) => lockstep.set_metric(metric),
                    None => {
                        lockstep.set_metric(self.bound()?);
                        *newton = None;
                    }
                }
                lockstep.restart(self.job.pool);
                since = 0;
                continue;
            }
            lockstep.iterate(self.rows(), self.job.pool)?;
            since += 1;
        }
        Ok(())
    }

    fn head(&self, lockstep: &Lockstep) -> Linear {
        let descent = &lockstep.problems[0].descent;
        let (n_iter, objective, converged) = (descent.n_iter(), descent.value(), lockstep.is_done());
        Linear {
            affine: self.layout.affine(descent.weights(), &self.targets),
            solution: Some(Solution { n_iter, objective, converged }),
            choice: None,
            chosen: None,
            n_nonzero: self.layout.n_nonzero(descent.weights(), self.settings.l1_ratio),
        }
    }
}

/// The heads at the strengths `cs`.
pub(super) fn path(job: Job<'_>, settings: &Settings, cs: &[f64]) -> Result<Vec<Linear>> {
    let Some(first) = cs.first() else { return Ok(Vec::new()) };
    job.train.check_shape("a logistic regression")?;
    job.train.check_finite("", job.pool)?;
    let targets = Targets::new(job.train, job.params)?;
    let layout = Layout::new(job.train, &targets, settings);
    let path = Path { job, targets, layout, settings };
    let mut newton = path.newton();
    let metric = match newton.as_ref().and_then(|newton| path.metric(newton, *first)) {
        Some(metric) => metric,
        None => {
            newton = None;
            path.bound()?
        }
    };
    let (zeros, of) = (vec![0.0; layout.n_weights()], |c| {
        move |[weight, _]: [f64; 2]| penalty(c, settings.l1_ratio, weight)
    });
    let end = End::Close { gradient: settings.tol, decrease: CLOSE };
    let mut lockstep = Lockstep::new(path.rows(), &[None], layout, metric, (&zeros, end), of(*first));
    let mut heads = Vec::with_capacity(cs.len());
    for (i, c) in cs.iter().enumerate() {
        if i > 0 {
            if let Some(metric) = newton.as_ref().and_then(|newton| path.metric(newton, *c)) {
                lockstep.set_metric(metric);
            }
            lockstep.set_penalty(of(*c), job.pool);
        }
        path.minimise(&mut lockstep, &mut newton, *c)?;
        heads.push(path.head(&lockstep));
    }
    Ok(heads)
}

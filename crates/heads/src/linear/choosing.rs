//! A fit that chooses its strength by itself, or has an L1 term.
//!
//! The strengths are followed from the strongest penalty to the weakest, each beginning where the one before ended, with its steps and
//! changes. All folds go together ([`Lockstep`]). Where the mean loss of the rows held out has risen some strengths in a row, the path
//! ends: the weak penalties are the slow ones. Then all rows are fitted with the strength of the smallest loss.

use std::sync::Arc;

use super::drawing::{self, Part};
use super::lockstep::{Layout, Lockstep, Rows};
use super::metric::{self, Metric};
use super::params::{By, Settings};
use super::targets::Targets;
use super::{Choice, Linear, Solution, loo, sweep};
use crate::error::Result;
use crate::head::{Fitted, Fitting, Job, Shape, Step};
use crate::optim::descent::{self, End, Penalty};
use crate::samples::Samples;

/// The strengths of a path, evenly spaced on a logarithmic scale.
pub(super) const N_STRENGTHS: usize = 20;
const STRONGEST: f64 = 1e-4;
const WEAKEST: f64 = 1e4;
/// Strengths in a row with a larger loss after which the path ends.
const RISES: usize = 3;
/// The expected decrease, as a share of the value, below which a strength's loss is known well enough to compare it.
const LOOSE: f64 = 1e-5;
/// For the approximation of leave-one-out, which is exact at the minimum alone.
const NARROW: f64 = 1e-8;
/// The bytes that folds in lockstep may take; with larger heads fewer go together.
const MOST_BYTES: u64 = 1 << 30;
/// The strength where there is nothing to choose by.
const FALLBACK: f64 = 1.0;

/// The strengths of a path, the strongest penalty first.
pub(super) fn strengths() -> Vec<f64> {
    let ratio = (WEAKEST / STRONGEST).ln() / (N_STRENGTHS - 1) as f64;
    (0..N_STRENGTHS).map(|i| STRONGEST * (ratio * i as f64).exp()).collect()
}

/// The penalties of a strength, for rows that weigh `total`.
pub(super) fn penalty(c: f64, l1_ratio: f64, total: f64) -> Penalty {
    let strength = 1.0 / (c * total);
    Penalty { ridge: (1.0 - l1_ratio) * strength, lasso: l1_ratio * strength }
}

/// How many folds go together.
fn n_together(n_weights: u64, n_folds: u64) -> u64 {
    (MOST_BYTES / descent::n_bytes(n_weights).max(1)).clamp(1, n_folds.max(1))
}

/// The fold of each row, and the folds that choose; none where the strength is given, or there is nothing to choose by.
fn draw_folds(
    samples: Samples<'_>,
    targets: &Targets,
    settings: &Settings,
    seed: u64,
) -> (Vec<u32>, Vec<Option<u32>>) {
    if settings.c.is_some() || targets.n_scores() == 0 {
        return (Vec::new(), Vec::new());
    }
    match settings.by {
        By::LeaveOneOut => (Vec::new(), vec![None]),
        By::Folds => {
            let (fold_of, n_folds) = drawing::folds(samples, targets, settings.n_folds, seed);
            (fold_of, (0..n_folds as u32).map(Some).collect())
        }
    }
}

/// The bytes of a fit beside its samples.
pub(super) fn n_bytes(shape: Shape, n_scores: u64, settings: &Settings) -> u64 {
    let (n, f) = (shape.n_samples as u64, shape.n_features as u64);
    let n_weights = n_scores.saturating_mul(f + 1);
    let n_folds = if settings.c.is_none() && settings.by == By::Folds { settings.n_folds as u64 } else { 1 };
    let together = n_together(n_weights, n_folds);
    let n_outputs = together.saturating_mul(n_scores);
    let lasso = settings.l1_ratio > 0.0;
    let choosing = drawing::n_choosing(shape.n_samples, shape.n_features) as u64;
    let part = if settings.c.is_none() && choosing < n { choosing.saturating_mul(4 * f + 8) } else { 0 };
    let leave_one_out = settings.c.is_none() && settings.by == By::LeaveOneOut;
    let loo = if leave_one_out { loo::n_bytes(n_scores, f) } else { 0 };
    [
        together.saturating_mul(descent::n_bytes(n_weights)),
        // Coefficients and gradients of a pass, the start of the last fit, targets of a block.
        n_outputs.saturating_mul(f + 33).saturating_mul(12).saturating_add(n_weights.saturating_mul(24)),
        together.saturating_mul(sweep::MOST_ROWS as u64 * 16 * (16 + 16 * n_scores)),
        sweep::n_bytes(n, f, n_outputs),
        metric::n_bytes(choosing, f, n_outputs, lasso),
        // Folds, and the rows in random order.
        n.saturating_mul(24),
        part,
        loo,
    ]
    .into_iter()
    .fold(0, u64::saturating_add)
}

/// The path under way.
struct Path {
    part: Option<Part>,
    fold_of: Vec<u32>,
    /// The folds that go together, group after group; one of no fold for leave-one-out.
    groups: Vec<Vec<Option<u32>>>,
    group: usize,
    at: usize,
    /// How many times smaller the rows are that choose.
    scale: f64,
    /// The sums of the losses of the rows held out, and of their weights, strength by strength: those that all groups before reached.
    losses: Vec<[f64; 2]>,
    of_group: Vec<f64>,
    n_rounds: usize,
    lockstep: Lockstep,
    /// The weights at the strength that is the best so far.
    best: Option<Vec<f64>>,
}

/// A fit under way.
pub(super) struct Choosing<'a> {
    job: Job<'a>,
    targets: Targets,
    settings: Settings,
    layout: Layout,
    metric: Arc<Metric>,
    path: Option<Path>,
    last: Option<Lockstep>,
    choice: Option<Choice>,
    c: f64,
    n_done: usize,
    n_iter: usize,
    has_begun: bool,
}

impl<'a> Choosing<'a> {
    /// Begins at coefficients of zero.
    ///
    /// # Errors
    /// When the samples cannot be learnt from.
    pub(super) fn begin(job: Job<'a>, settings: Settings) -> Result<Choosing<'a>> {
        let samples = job.train;
        samples.check_shape("a logistic regression")?;
        samples.check_finite("", job.pool)?;
        let targets = Targets::new(samples, job.params)?;
        let layout = Layout::new(samples, &targets, &settings);
        if settings.by == By::LeaveOneOut && settings.c.is_none() {
            loo::check(layout, settings.l1_ratio)?;
        }
        let n = drawing::n_choosing(samples.n_samples(), samples.n_features());
        let part = (settings.c.is_none() && n < samples.n_samples())
            .then(|| Part::draw(samples, &targets, n, job.seed));
        let choosing = part.as_ref().map_or(Ok(samples), Part::samples)?;
        let (fold_of, folds) = draw_folds(choosing, &targets, &settings, job.seed);
        let together = n_together(layout.n_weights() as u64, folds.len() as u64) as usize;
        let n_outputs = together * layout.n_scores;
        let lasso = settings.l1_ratio > 0.0;
        let axes = !lasso && metric::has_axes(choosing.n_samples(), layout.n_features, n_outputs);
        let metric = Arc::new(Metric::new(choosing, &targets, axes, job.pool)?);
        let mut fit = Choosing {
            job,
            layout,
            metric,
            path: None,
            last: None,
            choice: None,
            c: settings.c.unwrap_or(FALLBACK),
            settings,
            n_done: 0,
            n_iter: 0,
            has_begun: false,
            targets,
        };
        if folds.is_empty() {
            fit.begin_last(&vec![0.0; layout.n_weights()]);
            return Ok(fit);
        }
        let rows = Rows { samples: choosing, targets: &fit.targets, fold_of: &fold_of };
        let [weight, _] = rows.weights(None);
        let scale = fit.targets.total_weight() / weight;
        let groups: Vec<Vec<Option<u32>>> = folds.chunks(together).map(<[_]>::to_vec).collect();
        let lockstep = fit.lockstep(rows, &groups[0], scale);
        fit.path = Some(Path {
            part,
            fold_of,
            groups,
            group: 0,
            at: 0,
            scale,
            losses: vec![[0.0; 2]; N_STRENGTHS],
            of_group: Vec::new(),
            n_rounds: 0,
            lockstep,
            best: None,
        });
        Ok(fit)
    }

    fn lockstep(&self, rows: Rows<'_>, folds: &[Option<u32>], scale: f64) -> Lockstep {
        let share = if self.settings.by == By::Folds { LOOSE } else { NARROW };
        let (zeros, l1_ratio) = (vec![0.0; self.layout.n_weights()], self.settings.l1_ratio);
        let of = |[weight, _]: [f64; 2]| penalty(strengths()[0] * scale, l1_ratio, weight);
        let start = (&zeros[..], End::Decrease(share));
        Lockstep::new(rows, folds, self.layout, Arc::clone(&self.metric), start, of)
    }

    fn begin_last(&mut self, start: &[f64]) {
        let rows = Rows { samples: self.job.train, targets: &self.targets, fold_of: &[] };
        let (c, l1_ratio) = (self.c, self.settings.l1_ratio);
        let of = |[weight, _]: [f64; 2]| penalty(c, l1_ratio, weight);
        let start = (start, End::Gradient(self.settings.tol));
        self.last = Some(Lockstep::new(rows, &[None], self.layout, Arc::clone(&self.metric), start, of));
    }

    /// One evaluation of the folds; where they are at their ends, the strength's loss and the next strength.
    fn choose(&mut self, path: &mut Path) -> Result<()> {
        let samples = path.part.as_ref().map_or(Ok(self.job.train), Part::samples)?;
        let rows = Rows { samples, targets: &self.targets, fold_of: &path.fold_of };
        let pool = self.job.pool;
        path.lockstep.iterate(rows, pool)?;
        path.n_rounds += 1;
        if !path.lockstep.is_done() && path.n_rounds < self.settings.max_iter {
            return Ok(());
        }
        let Some(sums) = self.held(path, rows) else {
            return self.end_group(path);
        };
        path.n_rounds = 0;
        self.n_done += 1;
        path.of_group.push(sums[0] / sums[1]);
        let losses = &mut path.losses[path.at];
        losses.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
        let lowest = path.of_group.iter().copied().fold(f64::INFINITY, f64::min);
        if path.groups.len() == 1 && path.of_group[path.at] <= lowest {
            path.best = Some(path.lockstep.mean());
        }
        path.at += 1;
        let n = path.of_group.len();
        let rises = n > RISES && (n - RISES..n).all(|i| path.of_group[i] > path.of_group[i - 1]);
        if rises || path.at == path.losses.len() {
            self.end_group(path)?;
        } else {
            let (c, l1_ratio) = (strengths()[path.at] * path.scale, self.settings.l1_ratio);
            path.lockstep.set_penalty(|[weight, _]| penalty(c, l1_ratio, weight), pool);
        }
        Ok(())
    }

    /// The loss of the rows held out, and their weight; `None` where the approximation of leave-one-out has no solution.
    fn held(&self, path: &Path, rows: Rows<'_>) -> Option<[f64; 2]> {
        let problems = &path.lockstep.problems;
        if self.settings.by == By::LeaveOneOut {
            let problem = problems.first()?;
            let weight = problem.weights[0];
            let (weights, ridge) = (problem.descent.weights(), problem.descent.penalty().ridge);
            let loss = loo::loss(rows, self.layout, weights, (weight, ridge), self.job.pool)?;
            return Some([loss, weight]);
        }
        let sums = problems.iter().fold([0.0; 2], |sums, p| [sums[0] + p.held, sums[1] + p.weights[1]]);
        Some(sums)
    }

    /// Goes on with the next folds, which need to go no further than these; or chooses, and begins the last fit.
    fn end_group(&mut self, path: &mut Path) -> Result<()> {
        path.losses.truncate(path.at);
        path.group += 1;
        let samples = path.part.as_ref().map_or(Ok(self.job.train), Part::samples)?;
        let rows = Rows { samples, targets: &self.targets, fold_of: &path.fold_of };
        if let Some(folds) = path.groups.get(path.group) {
            path.lockstep = self.lockstep(rows, folds, path.scale);
            (path.at, path.n_rounds) = (0, 0);
            path.of_group.clear();
            return Ok(());
        }
        let curve: Vec<(f64, f64)> =
            strengths().into_iter().zip(&path.losses).map(|(c, [loss, weight])| (c, loss / weight)).collect();
        let best = curve.iter().filter(|(_, loss)| loss.is_finite()).min_by(|a, b| a.1.total_cmp(&b.1));
        self.c = best.map_or(FALLBACK, |(c, _)| *c);
        self.choice = Some(Choice {
            c: self.c,
            by: self.settings.by.name(),
            n_folds: path.groups.iter().map(Vec::len).sum(),
            n_rows: rows.samples.n_samples(),
            losses: curve,
        });
        Ok(())
    }

    /// The head of what is known so far.
    pub(super) fn head(&self) -> Linear {
        let (weights, solution) = match (&self.last, &self.path) {
            (Some(last), _) => {
                let descent = &last.problems[0].descent;
                let (n_iter, objective) = (descent.n_iter(), descent.value());
                (descent.weights().to_vec(), Some(Solution { n_iter, objective, converged: last.is_done() }))
            }
            (None, Some(path)) => (path.best.clone().unwrap_or_else(|| path.lockstep.mean()), None),
            (None, None) => (vec![0.0; self.layout.n_weights()], None),
        };
        let affine = self.layout.affine(&weights, &self.targets);
        let chosen = self.choice.as_ref().map(|choice| (choice.c, choice.by.to_owned()));
        let n_nonzero = self.layout.n_nonzero(&weights, self.settings.l1_ratio);
        Linear { affine, solution, choice: self.choice.clone(), chosen, n_nonzero }
    }

    fn chooses(&self) -> bool {
        self.settings.c.is_none()
    }

    fn is_finished(&self) -> bool {
        let over = |last: &Lockstep| last.is_done() || self.n_iter >= self.settings.max_iter;
        self.has_begun && self.last.as_ref().is_some_and(over)
    }
}

impl Fitting for Choosing<'_> {
    fn unit(&self) -> &'static str {
        if self.chooses() { "strength" } else { "iteration" }
    }

    /// The strengths of every group, and the last fit; a path that has ended has no more.
    fn total(&self) -> usize {
        match &self.path {
            _ if self.is_finished() => self.done(),
            _ if !self.chooses() => self.settings.max_iter,
            Some(path) => path.groups.len() * N_STRENGTHS + 1,
            None => self.n_done + 1,
        }
    }

    fn done(&self) -> usize {
        match self.chooses() {
            true => self.n_done + usize::from(self.is_finished()),
            false => self.n_iter,
        }
    }

    fn step(&mut self) -> Result<Step> {
        self.has_begun = true;
        if let Some(mut path) = self.path.take() {
            self.choose(&mut path)?;
            if self.choice.is_none() {
                self.path = Some(path);
                return Ok(Step::default());
            }
            let start = path.best.take().unwrap_or_else(|| vec![0.0; self.layout.n_weights()]);
            drop(path);
            self.begin_last(&start);
            return Ok(Step::default());
        }
        let rows = Rows { samples: self.job.train, targets: &self.targets, fold_of: &[] };
        if let Some(last) = &mut self.last {
            last.iterate(rows, self.job.pool)?;
            self.n_iter += 1;
        }
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        self.has_begun.then(|| Arc::new(self.head()) as Arc<dyn Fitted>)
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        Ok(Arc::new(self.head()))
    }
}

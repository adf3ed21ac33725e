//! Training, epoch by epoch.

use headsmith_kernels::adam::average_step;
use headsmith_kernels::pool::MIN_PIECE;
use headsmith_kernels::{Buffer, MatRef, Philox, Pool};

use super::architecture::Architecture;
use super::inference::{BLOCK_ROWS, Inference};
use super::layers::random::add_noise;
use super::mixup;
use super::model::{self, Mlp};
use super::network::Network;
use super::params::TABLE;
use super::pass::{Pass, StepDraws};
use super::recipe::Recipe;
use super::rows;
use super::scores::Scores;
use super::streams;
use super::temperature::Temperature;
use super::weights::Weights;
use crate::class_weight::class_weights;
use crate::error::{Error, Result};
use crate::event::{EpochRecord, EpochScores};
use crate::head::Job;
use crate::loss::categorical_crossentropy::{Targets, smooth};
use crate::optim::Adam;
use crate::params::Params;
use crate::samples::Samples;
use crate::tensors::Tensors;

/// A trainer between two epochs. Resumed from it, a training gives the same bytes as one that was not interrupted.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState {
    /// Weights and both of Adam's moments, under `weights/`, `momentums/` and `velocities/`; the average of the weights under
    /// `averages/`, where there is one.
    pub tensors: Tensors,
    /// Epochs done.
    pub epoch: usize,
    /// Training steps done.
    pub step: u64,
    /// The learning rate of the next epoch.
    pub learning_rate: f64,
}

/// Multiply-adds below which a training step stays on the caller's thread. Such a step takes a fifth of a millisecond and
/// hands out a dozen jobs: on cores that are far apart, or shared with others, two threads take longer for it than one.
const MIN_SHARED_WORK: usize = 1 << 24;

/// Trains a network, one epoch at a call. It holds all the buffers that a step needs, so a step allocates
/// nothing; and what it computes depends on the samples, the parameters, seed and trial alone, not on the pool.
#[derive(Debug)]
pub struct Trainer<'a> {
    train: Samples<'a>,
    val: Option<Samples<'a>>,
    pool: &'a Pool,
    /// The pool of training steps that are too small for `pool`.
    alone: Option<Pool>,
    seed: u64,
    trial: u32,
    architecture: Architecture,
    network: Network,
    weights: Buffer,
    /// The average of the weights over the steps, where it counts in their place.
    average: Option<Buffer>,
    adam: Adam,
    recipe: Recipe,
    /// Whether the probabilities of the validation rows are kept for [`temperature`](Trainer::temperature).
    refines: bool,
    epoch: usize,
    learning_rate: f64,
    /// The factor of the loss of each sample; `None`: all 1.
    row_weights: Option<Vec<f32>>,
    buffers: Buffers,
}

/// The buffers of an epoch.
#[derive(Debug)]
struct Buffers {
    /// The samples in the order of the epoch.
    order: Vec<u32>,
    /// The features, the classes and, where samples have weights, the weights of a batch.
    x: Buffer,
    y: Vec<u32>,
    row_weights: Vec<f32>,
    soft: Soft,
    /// A block of validation rows, where something scales them.
    block: Vec<f32>,
    /// The probabilities of all validation rows, where they are to have a temperature.
    val_proba: Vec<f32>,
    pass: Pass,
    inference: Inference,
    scores: Scores,
}

/// The buffers of targets that are more than classes; empty where there are none.
#[derive(Debug)]
struct Soft {
    /// `n_rows x n_classes`.
    targets: Vec<f32>,
    /// The share of each row that mixup keeps.
    shares: Vec<f32>,
    /// A row of features or targets.
    row: Vec<f32>,
}

impl<'a> Trainer<'a> {
    /// A network with fresh weights, of the architecture that `params` (of [`TABLE`](super::TABLE)) describe.
    /// `trial` distinguishes the trainings of one study that share a seed.
    ///
    /// # Errors
    /// When the samples cannot be learnt from: no rows, fewer than two classes, a feature that is not finite, or
    /// a validation set of another width or other classes; when `params` are of another table.
    pub fn new(
        train: Samples<'a>,
        val: Option<Samples<'a>>,
        params: &Params,
        seed: u64,
        trial: u32,
        pool: &'a Pool,
    ) -> Result<Trainer<'a>> {
        let params = params.of(&TABLE)?;
        check_samples(train, val, pool)?;
        let row_weights = row_weights(train, params)?;
        let architecture = Architecture::new(train.n_features(), train.n_classes(), params)?;
        let network = Network::new(&architecture);
        let recipe = Recipe::new(params, train.n_samples(), train.n_features())?;
        let batch_size = recipe.batch_size;
        Ok(Trainer {
            train,
            val,
            pool,
            alone: is_small(&network, batch_size.min(train.n_samples())).then(Pool::inline),
            seed,
            trial,
            weights: network.initial_weights(seed, trial),
            average: (recipe.ema_momentum > 0.0).then(|| Buffer::zeros(network.n_stored)),
            adam: Adam::new(network.n_stored).with_weight_decay(recipe.weight_decay),
            epoch: 0,
            learning_rate: params.number("lr")?,
            buffers: Buffers::new(&network, train, val, recipe, row_weights.is_some()),
            recipe,
            refines: false,
            row_weights,
            architecture,
            network,
        })
    }

    /// The same trainer, which finds a temperature after each epoch or does not.
    pub(super) fn refining(self, refines: bool) -> Trainer<'a> {
        Trainer { refines, ..self }
    }

    /// The temperature that the validation rows ask for after the last epoch; `None` where there are none, or the trainer is not
    /// to find one.
    pub(super) fn temperature(&self) -> Option<Temperature> {
        let val = self.val.filter(|_| self.refines && !self.buffers.val_proba.is_empty())?;
        let proba = MatRef::new(&self.buffers.val_proba, val.n_samples(), val.n_classes());
        Some(Temperature::of(proba, val.y(), self.pool))
    }

    pub(super) fn of(job: Job<'a>) -> Result<Trainer<'a>> {
        Trainer::new(job.train, job.val, job.params, job.seed, job.trial, job.pool)
    }

    /// Resumes a training from `state`, with the same job.
    ///
    /// # Errors
    /// When the samples cannot be learnt from, the parameters are of another table, or the state is of another network or not
    /// finite.
    pub fn resume(job: Job<'a>, mut state: TrainerState) -> Result<Trainer<'a>> {
        let mut trainer = Trainer::of(job)?;
        let mut vector = |prefix| model::weights(&trainer.architecture, state.tensors.take_prefix(prefix));
        trainer.weights = vector("weights/")?;
        trainer.adam = Adam::resume(vector("momentums/")?, vector("velocities/")?, state.step)
            .with_weight_decay(trainer.recipe.weight_decay);
        if let Some(average) = &mut trainer.average {
            *average = vector("averages/")?;
        }
        trainer.epoch = state.epoch;
        trainer.set_learning_rate(state.learning_rate);
        Ok(trainer)
    }

    /// Trains one epoch, every sample once in a new order, and validates. The caller decides whether the epoch improved: [`EpochRecord::improved`] is false.
    ///
    /// # Errors
    /// When the loss leaves the finite numbers.
    pub fn step_epoch(&mut self) -> Result<EpochRecord> {
        let train = self.train_epoch()?;
        let val = self.val.map(|val| self.evaluate(val));
        if val.is_some_and(|scores| !scores.loss.is_finite()) {
            return Err(self.diverged());
        }
        self.epoch += 1;
        Ok(EpochRecord {
            epoch: self.epoch - 1,
            learning_rate: self.rate_of_step(self.adam.n_steps().saturating_sub(1)),
            train,
            val,
            improved: false,
        })
    }

    /// The state to resume from.
    pub fn state(&self) -> TrainerState {
        let mut tensors = Tensors::new();
        let mut add = |prefix, vector| {
            tensors.extend_with_prefix(prefix, model::tensors(&self.architecture, vector));
        };
        add("weights/", &self.weights);
        add("momentums/", self.adam.momentums());
        add("velocities/", self.adam.velocities());
        if let Some(average) = &self.average {
            add("averages/", average);
        }
        TrainerState {
            tensors,
            epoch: self.epoch,
            step: self.adam.n_steps(),
            learning_rate: self.learning_rate,
        }
    }

    /// The layers that are trained.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Epochs done.
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// Whether there is a validation set.
    pub fn validates(&self) -> bool {
        self.val.is_some()
    }

    /// The learning rate of the next epoch, or the largest of the epochs where it follows a schedule.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn rate_of_step(&self, step: u64) -> f64 {
        self.learning_rate * self.recipe.schedule.factor(step)
    }

    /// Trains on with this learning rate.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// The weights as they are now.
    pub fn weights(&self) -> Weights<'_> {
        Weights::new(&self.architecture, &self.network, self.counted())
    }

    /// The network as it is now.
    pub fn model(&self) -> Mlp {
        Mlp::new(self.architecture.clone(), self.counted().clone())
    }

    /// The network, the training ended.
    pub fn finish(self) -> Mlp {
        Mlp::new(self.architecture, self.average.unwrap_or(self.weights))
    }

    /// The weights that validate and predict: their average, or themselves.
    fn counted(&self) -> &Buffer {
        self.average.as_ref().unwrap_or(&self.weights)
    }

    fn train_epoch(&mut self) -> Result<EpochScores> {
        self.shuffle();
        self.buffers.scores.clear();
        let n_samples = self.train.n_samples();
        for (step, start) in (0..n_samples).step_by(self.recipe.batch_size).enumerate() {
            self.train_batch(step, start, n_samples.min(start + self.recipe.batch_size));
            if !self.buffers.scores.is_finite() {
                return Err(self.diverged());
            }
        }
        Ok(self.buffers.scores.means())
    }

    /// Puts the samples into the order of the epoch. It is drawn from the order of the table, not from that of
    /// the epoch before, so that an epoch needs no history.
    fn shuffle(&mut self) {
        let order = &mut self.buffers.order;
        order.iter_mut().zip(0..).for_each(|(to, i)| *to = i);
        Philox::new(self.seed, self.trial, streams::SHUFFLE).sequence(self.epoch as u32, 0).shuffle(order);
    }

    /// Learns from the samples `start .. end` of the epoch's order.
    fn train_batch(&mut self, step: usize, start: usize, end: usize) {
        let Buffers { order, x, y, row_weights, soft, pass, scores, .. } = &mut self.buffers;
        let pool = self.alone.as_ref().unwrap_or(self.pool);
        let (n_rows, n_features) = (end - start, self.train.n_features());
        let (x, y) = (&mut x[..n_rows * n_features], &mut y[..n_rows]);
        rows::gather(x, y, self.train, &order[start..end], pool);
        let row_weights = self.row_weights.as_ref().map(|weights| {
            row_weights.clear();
            row_weights.extend(order[start..end].iter().map(|&i| weights[i as usize]));
            &row_weights[..]
        });
        let draws =
            StepDraws { seed: self.seed, trial: self.trial, epoch: self.epoch as u32, step: step as u32 };
        let targets = match self.recipe.is_soft() {
            true => soft.make(&self.recipe, (x, y, row_weights), self.train.n_classes(), draws),
            false => Targets::Classes(y, row_weights),
        };
        if let Some((layer, stddev)) = self.network.input_noise {
            add_noise(x, n_features, stddev, draws.of_layer(layer), pool);
        }
        let x = MatRef::new(x, n_rows, n_features);
        scores.add(pass.forward(&self.network, &self.weights, x, draws, pool), targets);
        let rate = self.learning_rate * self.recipe.schedule.factor(self.adam.n_steps());
        let step = self.adam.begin_step(rate);
        pass.backward(&self.network, &mut self.weights, &mut self.adam, step, x, targets, pool);
        self.average_weights();
    }

    /// Moves the average of the weights towards them (Keras: `use_ema`): `average = m average + (1 - m) w`, after the first step `w`.
    fn average_weights(&mut self) {
        let Some(average) = &mut self.average else { return };
        let pool = self.alone.as_ref().unwrap_or(self.pool);
        let new = if self.adam.n_steps() == 1 { 1.0 } else { 1.0 - self.recipe.ema_momentum };
        let weights = &self.weights[..];
        pool.for_each_chunk(average, MIN_PIECE, |i, average| {
            average_step(average, &weights[i * MIN_PIECE..][..average.len()], new as f32);
        });
    }

    /// The scores of all of `samples` under the weights as they are.
    fn evaluate(&mut self, samples: Samples<'_>) -> EpochScores {
        let Buffers { inference, scores, block, val_proba, pass, .. } = &mut self.buffers;
        val_proba.clear();
        let weights = self.average.as_ref().unwrap_or(&self.weights);
        scores.clear();
        for start in (0..samples.n_samples()).step_by(BLOCK_ROWS) {
            let end = samples.n_samples().min(start + BLOCK_ROWS);
            let x = samples.rows(start, end, block, self.pool);
            let logits = inference.logits(&self.network, weights, x, pass.workspace(), self.pool);
            scores.add(logits, Targets::Classes(&samples.y()[start..end], None));
            // The scores have made them probabilities.
            val_proba.extend_from_slice(if self.refines { logits } else { &[] });
        }
        scores.means()
    }

    fn diverged(&self) -> Error {
        Error::diverged(format!(
            "the loss is not finite in epoch {} at a learning rate of {:?}; try a smaller learning rate",
            self.epoch + 1,
            self.learning_rate
        ))
    }
}

impl Buffers {
    fn new(
        network: &Network,
        train: Samples<'_>,
        val: Option<Samples<'_>>,
        recipe: Recipe,
        is_weighted: bool,
    ) -> Buffers {
        let batch_size = recipe.batch_size.min(train.n_samples());
        Buffers {
            order: vec![0; train.n_samples()],
            x: Buffer::zeros(batch_size * train.n_features()),
            y: vec![0; batch_size],
            row_weights: Vec::with_capacity(if is_weighted { batch_size } else { 0 }),
            soft: Soft::new(&recipe, batch_size, train),
            block: Vec::new(),
            val_proba: Vec::new(),
            pass: Pass::new(network, batch_size),
            inference: Inference::new(val.map_or(0, Samples::n_samples)),
            scores: Scores::new(train.n_classes()),
        }
    }
}

impl Soft {
    fn new(recipe: &Recipe, batch_size: usize, train: Samples<'_>) -> Soft {
        let (n_soft, n_mixed) = (usize::from(recipe.is_soft()), usize::from(recipe.mixup > 0.0));
        Soft {
            targets: vec![0.0; n_soft * batch_size * train.n_classes()],
            shares: vec![0.0; n_mixed * batch_size],
            row: vec![0.0; n_mixed * train.n_features().max(train.n_classes())],
        }
    }

    /// The targets of a batch of `(features, classes, weights)`; mixes its rows, if they are to be mixed.
    fn make<'t>(
        &'t mut self,
        recipe: &Recipe,
        (x, y, weights): (&mut [f32], &'t [u32], Option<&[f32]>),
        n_classes: usize,
        draws: StepDraws,
    ) -> Targets<'t> {
        let targets = &mut self.targets[..y.len() * n_classes];
        smooth(targets, n_classes, y, weights, recipe.label_smoothing);
        if recipe.mixup > 0.0 {
            let (shares, n_features) = (&mut self.shares[..y.len()], x.len() / y.len());
            mixup::draw_shares(shares, recipe.mixup, draws.of_mixup());
            mixup::mix(x, n_features, shares, &mut self.row[..n_features]);
            mixup::mix(targets, n_classes, shares, &mut self.row[..n_classes]);
        }
        Targets::Soft(y, targets)
    }
}

/// Whether a step on `n_rows` rows is too small for several threads. It depends on the shapes alone.
fn is_small(network: &Network, n_rows: usize) -> bool {
    network.work_of_a_step(n_rows) < MIN_SHARED_WORK
}

/// The weight of each sample times that of its class (Keras: `fit(sample_weight=..)`, of which it allows only one); `None`
/// where all are 1.
fn row_weights(train: Samples<'_>, params: &Params) -> Result<Option<Vec<f32>>> {
    let of_class = class_weights(params.word("class_weight")?, train)?;
    Ok(match (train.weights(), of_class) {
        (None, None) => None,
        (Some(own), None) => Some(own.to_vec()),
        (own, Some(of_class)) => {
            let of_row =
                |(i, &class): (usize, &u32)| of_class[class as usize] * own.map_or(1.0, |own| own[i]);
            Some(train.y().iter().enumerate().map(of_row).collect())
        }
    })
}

fn check_samples(train: Samples<'_>, val: Option<Samples<'_>>, pool: &Pool) -> Result<()> {
    for (samples, which) in [(Some(train), "training"), (val, "validation")] {
        let Some(samples) = samples else { continue };
        if samples.n_samples() == 0 {
            return Err(Error::samples(format!("the {which} samples have no rows")));
        }
        if samples.n_features() != train.n_features() || samples.n_classes() != train.n_classes() {
            return Err(Error::samples(format!(
                "the validation samples have {} features and {} classes, the training samples {} and {}",
                samples.n_features(),
                samples.n_classes(),
                train.n_features(),
                train.n_classes()
            )));
        }
        samples.check_finite(&format!(" of the {which} samples"), pool)?;
    }
    Ok(())
}

#[cfg(test)]
mod subnormals;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mlp::TABLE;
    use crate::params::Value;

    #[test]
    fn small_steps_stay_on_one_thread() {
        let is_small = |neurons0, neurons1, neurons2, batch_size| {
            let given = [("neurons0", neurons0), ("neurons1", neurons1), ("neurons2", neurons2)];
            let params =
                TABLE.resolve_from("classic", given.map(|(name, value)| (name, Value::Int(value)))).unwrap();
            is_small(&Network::new(&Architecture::new(512, 3, &params).unwrap()), batch_size)
        };
        assert!(is_small(128, 128, 64, 16));
        assert!(!is_small(65, 52, 396, 628));
        assert!(!is_small(547, 1355, 32, 64));
    }
}

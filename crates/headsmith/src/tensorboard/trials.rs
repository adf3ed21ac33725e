//! A study for the HParams page: the experiment's record, and a folder a trial with its curve, its settings and how it
//! ended; in it, what a fit has: the scalars of each epoch, the weights, the graph. A pruned trial ended as it was meant to; the metric `pruned` tells it from a complete one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use headsmith_study::{Choice, Distribution, REASON, Space, State, StudyEvent, Trial as StudyTrial};
use headsmith_tensorboard::hparams::{self, Domain, HParam, Metric, Setting, Status};
use headsmith_tensorboard::proto::EventContent;
use headsmith_tensorboard::{Origin, read, scalar, text};

use super::Run;
use super::fits::{FitFiles, Wanted};
use crate::curves::{self, EPOCHS, PRUNED, trial_name};
use crate::progress::TrialEpoch;
use crate::record::now;

/// The description of a trial's value.
const VALUE: &str = "On the validation rows: of the best epoch; of a pruned trial, of its last epoch.";
/// Tag, name and description of what else the page shows of a trial.
const METRICS: [(&str, &str, &str); 2] = [
    (EPOCHS, "epochs", "How many epochs were trained."),
    (PRUNED, "pruned", "1 when the trial was ended early, as not worth going on."),
];

/// The files of a study.
pub(super) struct StudyFiles {
    folder: PathBuf,
    origin: Origin,
    /// Parameters whose values are of several kinds: the page wants one kind, so they are texts.
    mixed: Vec<String>,
    wanted: Wanted,
    trials: BTreeMap<u64, Trial>,
}

/// A trial that runs.
struct Trial {
    run: Run,
    fit: FitFiles,
    n_epochs: usize,
}

impl StudyFiles {
    /// Writes the experiment's record.
    pub(super) fn begin(
        folder: PathBuf,
        origin: Origin,
        space: &Space,
        wanted: Wanted,
    ) -> io::Result<StudyFiles> {
        let mixed = space.params.iter().filter(|param| is_mixed(&param.distribution));
        let mixed: Vec<String> = mixed.map(|param| param.name.clone()).collect();
        let params = space.params.iter().map(|param| HParam {
            name: param.name.clone(),
            domain: domain(&param.distribution, mixed.contains(&param.name)),
        });
        let value = (wanted.metric.name(), wanted.metric.label(), VALUE);
        let metrics = std::iter::once(value).chain(METRICS).map(|(tag, name, description)| Metric {
            tag: tag.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
        });
        let record = hparams::experiment(&params.collect::<Vec<_>>(), &metrics.collect::<Vec<_>>(), now());
        Run::begin(&folder, &origin, 0)?.write(0, vec![record])?;
        Ok(StudyFiles { folder, origin, mixed, wanted, trials: BTreeMap::new() })
    }

    /// Writes a trial that ended earlier, or elsewhere, if its folder does not have its end.
    pub(super) fn catch_up(&mut self, trial: &StudyTrial) -> io::Result<()> {
        let number = trial.number;
        if !trial.state.is_finished() || says_end(&self.folder.join(trial_name(number))) {
            return Ok(());
        }
        let params = trial.params.iter();
        let params =
            params.map(|(name, (distribution, inside))| (name.clone(), distribution.external(*inside)));
        let [started, ended] = [trial.started, trial.completed]
            .map(|time| time.map_or_else(now, |time| time.as_millisecond() as f64 / 1e3));
        self.begun(number, &params.collect(), 0, started)?;
        for (step, value) in &trial.intermediate {
            self.reported(number, *step, *value)?;
        }
        let reason = trial.system_attrs.get(REASON).and_then(|reason| reason.as_str());
        self.ended(number, trial.state, trial.value, reason, ended)
    }

    pub(super) fn write(&mut self, event: &StudyEvent) -> io::Result<()> {
        match event {
            StudyEvent::Began { number, params, done } => self.begun(*number, params, *done, now()),
            StudyEvent::Reported { number, step, value } => self.reported(*number, *step, *value),
            StudyEvent::Ended { number, state, value, reason } => {
                self.ended(*number, *state, *value, reason.as_deref(), now())
            }
            // A trial that another worker or a later process resumes has not ended.
            StudyEvent::Lost { number } | StudyEvent::Released { number } => {
                self.trials.remove(number);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Writes what a fit has of an epoch.
    pub(super) fn epoch(&mut self, epoch: &TrialEpoch) -> io::Result<()> {
        let Some(Trial { fit, .. }) = self.trials.get_mut(&epoch.number) else { return Ok(()) };
        if let Some(network) = &epoch.network {
            fit.network(epoch.record.epoch, || network.clone(), &epoch.histograms)?;
        }
        fit.epoch(&epoch.record)
    }

    fn begun(
        &mut self,
        number: u64,
        params: &BTreeMap<String, Choice>,
        done: usize,
        started: f64,
    ) -> io::Result<()> {
        let name = trial_name(number);
        let folder = self.folder.join(&name);
        let mut run = Run::begin(&folder, &self.origin, done)?;
        let fit = FitFiles::new(folder, self.origin.clone(), done, self.wanted);
        let settings =
            params.iter().map(|(name, choice)| (name.clone(), setting(choice, self.mixed.contains(name))));
        let study = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let session = hparams::session_start(&settings.collect(), &format!("{study}/{name}"), started);
        run.write(done, vec![session])?;
        self.trials.insert(number, Trial { run, fit, n_epochs: done });
        Ok(())
    }

    fn reported(&mut self, number: u64, step: i64, value: f64) -> io::Result<()> {
        let Some(trial) = self.trials.get_mut(&number) else { return Ok(()) };
        let step = step.max(0) as usize;
        trial.n_epochs = step + 1;
        trial.run.write(step, vec![scalar(curves::of_trial(self.wanted.metric), value as f32)])
    }

    fn ended(
        &mut self,
        number: u64,
        state: State,
        value: Option<f64>,
        reason: Option<&str>,
        ended: f64,
    ) -> io::Result<()> {
        let Some(Trial { mut run, n_epochs, .. }) = self.trials.remove(&number) else { return Ok(()) };
        let pruned = f32::from(u8::from(state == State::Pruned));
        let mut values = vec![scalar(EPOCHS, n_epochs as f32), scalar(PRUNED, pruned)];
        values.extend(value.map(|value| scalar(self.wanted.metric.name(), value as f32)));
        values.extend(reason.map(|reason| text("reason", reason)));
        let status = if state == State::Fail { Status::Failure } else { Status::Success };
        values.push(hparams::session_end(status, ended));
        run.write(n_epochs.saturating_sub(1), values)
    }
}

/// Whether a trial's files have its final status.
fn says_end(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut events = files.filter_map(|file| std::fs::read(file.path()).ok()).flat_map(|bytes| read(&bytes));
    events.any(|event| match event.what {
        Some(EventContent::Summary(summary)) => {
            summary.values.iter().any(|value| value.tag == hparams::SESSION_END)
        }
        _ => false,
    })
}

fn domain(distribution: &Distribution, mixed: bool) -> Domain {
    match distribution {
        Distribution::Float { low, high, .. } => Domain::Interval(*low, *high),
        Distribution::Int { low, high, .. } => Domain::Interval(*low as f64, *high as f64),
        Distribution::Categorical { choices } => {
            Domain::Discrete(choices.iter().map(|choice| setting(choice, mixed)).collect())
        }
    }
}

fn is_mixed(distribution: &Distribution) -> bool {
    let Distribution::Categorical { choices } = distribution else { return false };
    let kind = |choice: &Choice| std::mem::discriminant(&setting(choice, false));
    choices.iter().any(|choice| kind(choice) != kind(&choices[0]))
}

/// A choice as the page shows it.
fn setting(choice: &Choice, as_text: bool) -> Setting {
    match choice {
        Choice::Text(text) => Setting::Text(text.clone()),
        Choice::Null => Setting::Text("none".to_owned()),
        Choice::Bool(flag) if as_text => Setting::Text(flag.to_string()),
        Choice::Int(int) if as_text => Setting::Text(int.to_string()),
        Choice::Float(float) if as_text => Setting::Text(float.to_string()),
        Choice::Bool(flag) => Setting::Bool(*flag),
        Choice::Int(int) => Setting::Number(*int as f64),
        Choice::Float(float) => Setting::Number(*float),
    }
}

//! The progress of a run for TensorBoard: a [`Recorder`] in event files.
//!
//! | folder | what is in it |
//! |---|---|
//! | `train` | training scalars of each epoch under Keras's names, learning rate, histograms of the weights, graph |
//! | `validation` | validation scalars of each epoch; confusion matrix, reliability, precision-recall curves, coverage and size of prediction sets at the end |
//! | `baseline/..` | the same of a run's baseline |
//! | `search` | of a search over heads, the score of each candidate, the best so far, and its seconds, by its number |
//! | `all-rows/..` | the training scalars of its final fits |
//! | `STUDY` | the experiment's record for the HParams page |
//! | `STUDY/trial-0007` | the trial's curve, its settings, how it ended |
//! | `STUDY/trial-0007/train`, `../validation` | of an MLP's trial the same scalars, histograms and graph as of a fit |

mod fits;
mod search;
mod trials;

use std::path::{Path, PathBuf};

use headsmith_heads::network::NetworkWeights;
use headsmith_metrics::Metric;
use headsmith_tensorboard::{Histogram, Origin, Value, Writer};

use crate::error::Error;
use crate::progress::Progress;
use crate::record::{Recorder, now};
use fits::{FitFiles, Wanted};
use search::SearchFiles;
use trials::StudyFiles;

/// Records the progress of a run for TensorBoard, in one folder.
pub struct TensorBoard {
    folder: PathBuf,
    origin: Origin,
    every: usize,
    fit: Option<FitFiles>,
    study: Option<StudyFiles>,
    search: Option<SearchFiles>,
    /// The metric that chooses.
    metric: Metric,
}

/// A run in TensorBoard's sense: a folder with one file of this process.
struct Run {
    writer: Writer,
}

impl Recorder for TensorBoard {
    fn record(&mut self, progress: &Progress<'_>) -> Result<(), String> {
        self.write(progress).map_err(|error| {
            let folder = self.folder.display();
            format!("nothing more is written for TensorBoard: cannot write to {folder}: {error}")
        })
    }

    fn histograms(&self) -> usize {
        self.every
    }
}

impl TensorBoard {
    /// Writes to `folder`, which is made when it is not there; histograms of the weights after every `every` epochs, the
    /// first among them, or none with 0.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn create(folder: &Path, every: usize) -> crate::Result<TensorBoard> {
        std::fs::create_dir_all(folder).map_err(|cause| Error::file("make the folder", folder, cause))?;
        let origin = Origin { host: host(), pid: std::process::id() };
        Ok(TensorBoard {
            folder: folder.to_owned(),
            origin,
            every,
            fit: None,
            study: None,
            search: None,
            metric: Metric::default(),
        })
    }

    fn wanted(&self, metric: Metric) -> Wanted {
        Wanted { every: self.every, metric }
    }

    fn write(&mut self, progress: &Progress<'_>) -> std::io::Result<()> {
        match progress {
            // The search has their scores; curves of each fit would bury them.
            Progress::Fitting { purpose, metric, .. } if is_of_candidate(purpose, self.search.is_some()) => {
                self.metric = *metric;
                self.fit = None;
            }
            Progress::Candidate(candidate) => {
                let (folder, metric) = (self.folder.join(search::FOLDER), self.metric);
                let files = match self.search.take() {
                    Some(files) => files,
                    None => SearchFiles::begin(folder, &self.origin, metric)?,
                };
                self.search.insert(files).write(candidate)?;
            }
            Progress::Fitting { purpose, metric, .. } => {
                self.metric = *metric;
                let folder = self.folder.join(folder_of(purpose));
                self.fit = Some(FitFiles::new(folder, self.origin.clone(), 0, self.wanted(*metric)));
            }
            Progress::Searching { study, space, trials, metric, .. } => {
                let folder = self.folder.join(plain(study));
                let mut files = StudyFiles::begin(folder, self.origin.clone(), space, self.wanted(*metric))?;
                trials.iter().try_for_each(|trial| files.catch_up(trial))?;
                self.study = Some(files);
            }
            Progress::Trial(event) => {
                if let Some(study) = &mut self.study {
                    study.write(event)?;
                }
            }
            Progress::TrialEpoch(epoch) => {
                if let Some(study) = &mut self.study {
                    study.epoch(epoch)?;
                }
            }
            Progress::Searched => self.study = None,
            other => {
                if let Some(fit) = &mut self.fit {
                    fit.write(other)?;
                }
            }
        }
        if matches!(progress, Progress::Fitted(_)) {
            self.fit = None;
        }
        Ok(())
    }
}

impl Run {
    /// Begins a file whose steps start at `step`: what an earlier process wrote of them does not count any more.
    fn begin(folder: &Path, origin: &Origin, step: usize) -> std::io::Result<Run> {
        let mut writer = Writer::create(folder, origin, now())?;
        writer.restart(step as i64, now())?;
        Ok(Run { writer })
    }

    fn write(&mut self, step: usize, values: Vec<Value>) -> std::io::Result<()> {
        self.writer.write(step as i64, now(), values)
    }
}

/// Whether weights are counted into histograms after `epoch`, of every `every`.
pub(crate) fn is_due(epoch: usize, every: usize) -> bool {
    epoch.checked_rem(every) == Some(0)
}

/// A network's weights by name.
pub(crate) fn histograms(weights: &dyn NetworkWeights) -> Vec<(String, Histogram)> {
    let mut histograms = Vec::new();
    weights.each(&mut |name, values| histograms.push((name.to_owned(), Histogram::of(values))));
    histograms
}

/// Whether a fit is one of a candidate of a search, of which `has_candidates` says whether it has any so far.
pub(crate) fn is_of_candidate(purpose: &str, has_candidates: bool) -> bool {
    purpose == "candidate" || has_candidates && purpose.starts_with("fold ")
}

/// Where a fit's files are: beside those of a fit that is alone or the last, or in a folder of its purpose.
pub(crate) fn folder_of(purpose: &str) -> String {
    match purpose {
        "" | "final fit" => String::new(),
        other => plain(other.split(',').next().unwrap_or_default()),
    }
}

/// A name as the name of a folder.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect()
}

fn host() -> String {
    let named = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok()).unwrap_or_default()
}

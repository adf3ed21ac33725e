//! What a run says, as TensorBoard shows it: a [`View`] that writes event files.
//!
//! | folder | what is in it |
//! |---|---|
//! | `train` | training scalars of each epoch under Keras's names, learning rate, histograms of the weights, graph |
//! | `validation` | validation scalars of each epoch; confusion matrix, reliability, precision-recall curves at the end |
//! | `baseline/..` | the same of a run's baseline |
//! | `STUDY` | the experiment's record for the HParams page |
//! | `STUDY/trial-0007` | the trial's curve, its settings, how it ended |

mod fits;
mod trials;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use headsmith_tensorboard::{Origin, Value, Writer};

use crate::error::{Error, Result};
use crate::progress::{Progress, View, Wish};
use fits::FitFiles;
use trials::StudyFiles;

/// Writes what it sees for TensorBoard, and hands it on to another view. Where a file cannot be written it says so once
/// and writes no more: the run goes on.
pub struct TensorBoard<'v> {
    files: Files,
    inner: &'v mut dyn View,
}

/// The files of one folder.
struct Files {
    folder: PathBuf,
    origin: Origin,
    failed: bool,
    fit: Option<FitFiles>,
    study: Option<StudyFiles>,
}

/// A run in TensorBoard's sense: a folder with one file of this process.
struct Run {
    writer: Writer,
}

impl<'v> TensorBoard<'v> {
    /// Writes to `folder`, which is made when it is not there, and hands everything on to `inner`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn create(folder: &Path, inner: &'v mut dyn View) -> Result<TensorBoard<'v>> {
        std::fs::create_dir_all(folder).map_err(|cause| Error::file("make the folder", folder, cause))?;
        let origin = Origin { host: host(), pid: std::process::id() };
        let files = Files { folder: folder.to_owned(), origin, failed: false, fit: None, study: None };
        Ok(TensorBoard { files, inner })
    }
}

impl View for TensorBoard<'_> {
    fn see(&mut self, progress: &Progress<'_>) {
        self.inner.see(progress);
        if self.files.failed {
            return;
        }
        if let Err(error) = self.files.write(progress) {
            self.files.failed = true;
            let folder = self.files.folder.display();
            let text = format!("nothing more is written for TensorBoard: cannot write to {folder}: {error}");
            self.inner.see(&Progress::Warning(&text));
        }
    }

    fn wish(&mut self) -> Option<Wish> {
        self.inner.wish()
    }
}

impl Files {
    fn write(&mut self, progress: &Progress<'_>) -> std::io::Result<()> {
        match progress {
            Progress::Fitting { purpose, .. } => {
                self.fit = Some(FitFiles::new(self.folder.join(folder_of(purpose)), self.origin.clone()));
            }
            Progress::Searching { study, space, trials, .. } => {
                let mut files =
                    StudyFiles::begin(self.folder.join(plain(study)), self.origin.clone(), space)?;
                trials.iter().try_for_each(|trial| files.catch_up(trial))?;
                self.study = Some(files);
            }
            Progress::Trial(event) => {
                if let Some(study) = &mut self.study {
                    study.write(event)?;
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

/// Where a fit's files are: beside those of a fit that is alone or the last, or in a folder of its purpose.
fn folder_of(purpose: &str) -> String {
    match purpose {
        "" | "final fit" => String::new(),
        other => plain(other.split(',').next().unwrap_or_default()),
    }
}

/// A name as the name of a folder.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect()
}

fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn host() -> String {
    let named = ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok()).unwrap_or_default()
}

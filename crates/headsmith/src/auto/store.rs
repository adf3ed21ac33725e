//! Candidates on disk while a search is under way: the same command resumes a search that was killed.
//!
//! A candidate is three files of the folder `search` in the output folder: its model, its probabilities (`n_samples x n_classes` numbers, `f32`,
//! little endian), and the rest as JSON, which is written last. A finished search removes these files, and the folder if nothing else is in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use headsmith_data::output;
use headsmith_heads::params::Value;
use headsmith_kernels::Matrix;
use headsmith_model::{Model, Part, Record};
use serde::{Deserialize, Serialize};

use super::cost::Cost;
use super::portfolio::Attempt;
use super::rows::SearchRows;
use super::search::Candidate;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::head::HeadConfig;
use crate::model_file;
use crate::report::CandidateReport;

/// The folder of the candidates.
const FOLDER: &str = "search";

/// The name of a candidate's file: this, its number, and an ending.
const PREFIX: &str = "candidate-";
const ENDINGS: [&str; 3] = ["safetensors", "proba", "json"];

/// Where candidates of one search are kept.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// Everything that decides the candidates beside their number.
    key: String,
    classes: Vec<String>,
}

/// A candidate but for its model and its probabilities.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    key: String,
    params: Vec<(String, Value)>,
    chosen: Vec<(String, Value)>,
    refit_seconds: f64,
    has_model: bool,
    is_closed_form: bool,
    parts: Vec<Part>,
    report: CandidateReport,
}

impl Store {
    pub(super) fn new(out: &Path, key: String, classes: &[String]) -> Store {
        Store { folder: out.join(FOLDER), key, classes: classes.to_vec() }
    }

    /// The folder of the candidates.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a candidate.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, candidate: &Candidate) -> Result<()> {
        std::fs::create_dir_all(&self.folder)
            .map_err(|cause| Error::file("make the folder", &self.folder, cause))?;
        let [model, proba, entry] = self.paths(candidate.position);
        if let Some(node) = &candidate.node {
            model_file::save(&Model::new(self.classes.clone(), node.clone(), Record::default())?, &model)?;
        }
        let values: Vec<u8> = candidate.proba.as_slice().iter().flat_map(|p| p.to_le_bytes()).collect();
        output::write_atomically(&proba, |file| file.write_all(&values))?;
        let all = candidate.head.params().iter();
        let kept = Entry {
            key: self.key.clone(),
            params: all.map(|(name, value)| (name.to_owned(), value.clone())).collect(),
            chosen: candidate
                .chosen
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            refit_seconds: candidate.refit.as_secs_f64(),
            has_model: candidate.node.is_some(),
            is_closed_form: candidate.is_closed_form,
            parts: candidate.cost.parts.clone(),
            report: candidate.report.clone(),
        };
        let bytes = serde_json::to_vec(&kept)
            .map_err(|error| Error::failure(format!("a candidate cannot be kept: {error}")))?;
        Ok(output::write_atomically(&entry, |file| file.write_all(&bytes))?)
    }

    /// The candidate of `attempt` that an earlier process kept; `None` if there is none of the same search, or its files are damaged.
    pub(super) fn kept(
        &self,
        attempt: &Attempt,
        rows: &SearchRows<'_>,
        context: &Context<'_>,
    ) -> Option<Candidate> {
        let [model, proba, entry] = self.paths(attempt.position);
        let entry: Entry = serde_json::from_slice(&std::fs::read(entry).ok()?).ok()?;
        if entry.key != self.key || entry.report.head != attempt.head.name() {
            return None;
        }
        let head = HeadConfig::new(attempt.head.name(), entry.params).ok()?;
        let bytes = std::fs::read(proba).ok()?;
        let values: Vec<f32> =
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let (n_samples, n_classes) = (rows.scored().y.len(), self.classes.len());
        if values.len() != n_samples * n_classes {
            return None;
        }
        let node = match entry.has_model {
            true => Some(model_file::load(&model).ok()?.node().clone()),
            false => None,
        };
        let chosen = entry.chosen.into_iter().map(|(name, value)| Some((known(&head, &name)?, value)));
        let chosen = chosen.collect::<Option<Vec<_>>>()?;
        let cost = Cost {
            n_bytes: entry.report.n_bytes,
            predict: Duration::try_from_secs_f64(entry.report.predict_seconds).ok()?,
            parts: entry.parts,
        };
        let (start, proba) = (Instant::now(), Matrix::new(values, n_samples, n_classes));
        let calibrated = rows.calibrated(proba.view(), context);
        Some(Candidate {
            position: attempt.position,
            head,
            proba,
            calibrated,
            calibration: start.elapsed(),
            node,
            chosen,
            is_closed_form: entry.is_closed_form,
            is_cut: false,
            cut_trials: None,
            refit: Duration::try_from_secs_f64(entry.refit_seconds).ok()?,
            cost,
            report: entry.report,
        })
    }

    /// Removes the candidates, after a search that ended. Files of others stay: the folder may be one that the user had.
    pub(super) fn clear(&self) {
        // A file that cannot be removed takes no more than space.
        for file in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if file.file_name().to_str().is_some_and(is_kept) {
                let _ = std::fs::remove_file(file.path());
            }
        }
        let _ = std::fs::remove_dir(&self.folder);
    }

    fn paths(&self, position: usize) -> [PathBuf; 3] {
        ENDINGS.map(|ending| self.folder.join(format!("{PREFIX}{position:03}.{ending}")))
    }
}

/// Whether a file has the name of one of a candidate.
fn is_kept(name: &str) -> bool {
    let number = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
    number.is_some_and(|(number, ending)| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && ENDINGS.contains(&ending)
    })
}

/// The name of a parameter as the head's table has it.
fn known(head: &HeadConfig, name: &str) -> Option<&'static str> {
    head.table().param(name).ok().map(|param| param.name)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use headsmith_data::{Dataset, ReadOptions};

    use super::*;
    use crate::auto::{Search, rows};
    use crate::fit::{self, FitData, FitOptions};
    use crate::{Metric, Pool, Progress};

    fn data() -> FitData {
        let x = Matrix::new((0..80).map(|i| (i % 5) as f32).collect(), 40, 2);
        let labels: Vec<&str> = (0..40).map(|i| ["no", "yes"][i % 2]).collect();
        FitData::new(Dataset::from_arrays(x, &labels).unwrap())
    }

    fn with_context<T>(work: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let (pool, stop) = (Pool::new(1).unwrap(), AtomicBool::new(false));
        let mut view = |_: &Progress<'_>| {};
        work(&mut Context { seed: 1, metric: Metric::default(), pool: &pool, stop: &stop, view: &mut view })
    }

    fn candidate(rows: &SearchRows<'_>, with_model: bool, context: &mut Context<'_>) -> Candidate {
        let head = HeadConfig::new("ridge", [("alpha", Value::Float(0.1))]).unwrap();
        let model = fit::train(&head, (rows.data, false), &FitOptions::default(), context).unwrap().model;
        let proba = model.predict_proba(rows.data.train.x.view(), context.pool).unwrap();
        let report = CandidateReport {
            head: "ridge".to_owned(),
            n_bytes: 12,
            predict_seconds: 3e-6,
            ..Default::default()
        };
        Candidate {
            position: 2,
            calibrated: rows.calibrated(proba.view(), context),
            calibration: Duration::ZERO,
            proba,
            node: with_model.then(|| model.node().clone()),
            chosen: vec![("alpha", Value::Float(0.1 + 0.2))],
            is_closed_form: true,
            is_cut: false,
            cut_trials: None,
            refit: Duration::from_millis(1500),
            cost: Cost { n_bytes: 12, predict: Duration::from_micros(3), parts: model.parts() },
            report,
            head,
        }
    }

    #[test]
    fn what_was_kept_is_the_same_again() {
        let (folder, read, config) = (tempfile::tempdir().unwrap(), ReadOptions::default(), Search::new());
        let (data, mut other_data) = (data(), data());
        other_data.train = Dataset::from_arrays(Matrix::zeros(2, 2), &["no", "yes"]).unwrap();
        let classes = ["no".to_owned(), "yes".to_owned()];
        let store = Store::new(folder.path(), "key".to_owned(), &classes);
        with_context(|context| {
            let rows = rows::to_search(&config, &data, (&[], &read), context);
            let other_rows = rows::to_search(&config, &other_data, (&[], &read), context);
            for with_model in [true, false] {
                let kept = candidate(&rows, with_model, context);
                store.keep(&kept).unwrap();
                let head = kept.head.clone();
                let attempt = Attempt { position: 2, head, like: None, reduced: None, study: None };
                let again = store.kept(&attempt, &rows, context).unwrap();
                assert_eq!((&again.proba, &again.calibrated), (&kept.proba, &kept.calibrated));
                assert_eq!(again.chosen, kept.chosen);
                assert_eq!((again.refit, again.cost, &again.report), (kept.refit, kept.cost, &kept.report));
                assert!(again.head == kept.head);
                let bytes = |node: Option<headsmith_model::Node>| {
                    node.map(|node| {
                        Model::new(classes.to_vec(), node, Record::default()).unwrap().to_bytes().unwrap()
                    })
                };
                assert_eq!(bytes(again.node), bytes(kept.node));
                // Another search, other rows, another head, a damaged file.
                let other = Store::new(folder.path(), "other".to_owned(), &classes);
                assert!(other.kept(&attempt, &rows, context).is_none());
                assert!(store.kept(&attempt, &other_rows, context).is_none());
                assert!(store.kept(&Attempt { position: 3, ..attempt.clone() }, &rows, context).is_none());
                std::fs::write(folder.path().join("search/candidate-002.json"), "{").unwrap();
                assert!(store.kept(&attempt, &rows, context).is_none());
            }
        });
        // What is not of a candidate stays.
        let other = folder.path().join("search/002.json");
        std::fs::write(&other, "{}").unwrap();
        store.clear();
        assert_eq!(std::fs::read_dir(folder.path().join("search")).unwrap().count(), 1);
        std::fs::remove_file(other).unwrap();
        store.clear();
        assert!(!folder.path().join("search").exists());
    }
}

//! The rows of a fit, ready to learn from.

use std::path::{Path, PathBuf};

use headsmith_data::{Dataset, RowLocations};
use headsmith_kernels::Pool;
use headsmith_model::{DataRecord, Record};

use crate::error::{Error, Result};
use crate::evidence::RowSource;
use crate::report::{Split, TableReport};
use crate::statistics;

/// The rows a head is fitted on and judged by.
#[derive(Debug)]
pub struct FitData {
    /// The rows to learn from.
    pub train: Dataset,
    /// The rows that score the head, and choose what it leaves to them, such as the epoch.
    pub val: Option<Dataset>,
    /// A part of the validation rows that `val` does not have any more, and its share: nothing is chosen by it.
    pub held_back: Option<(f64, Dataset)>,
    /// How `val` was split off the training table, where it has no table of its own.
    pub split: Option<Split>,
    /// The folder for large copies of rows, where tables are mapped from one.
    pub cache: Option<PathBuf>,
    /// The locations in the table of the rows used for evaluation: `val`'s, or `train`'s without one.
    pub places: RowSource,
    /// The model's record of its data: tables and columns.
    pub record: Record,
}

impl FitData {
    /// Rows in memory, without validation rows.
    pub fn new(train: Dataset) -> FitData {
        let features = statistics::of_rows(train.x.view(), &Pool::inline());
        FitData { record: Record { features, ..Record::default() }, ..FitData::unrecorded(train) }
    }

    /// The same for a fit whose model is not kept, or has the record of other rows: none is made here, which reads all rows.
    pub(crate) fn unrecorded(train: Dataset) -> FitData {
        let places = RowSource::all(RowLocations::of_array(train.y.len()));
        FitData {
            train,
            val: None,
            held_back: None,
            split: None,
            cache: None,
            places,
            record: Record::default(),
        }
    }

    /// A hash of the groups and weights of the rows, in hexadecimal, which the hashes of their tables leave out; `None` where they have none.
    pub(crate) fn design(&self) -> Option<String> {
        let units =
            [Some(&self.train), self.val.as_ref()].map(|rows| rows.and_then(|rows| rows.units.as_deref()));
        let weights = self.train.weights.as_deref();
        if weights.is_none() && units.iter().all(Option::is_none) {
            return None;
        }
        let mut hasher = crc32fast::Hasher::new();
        for units in units {
            hasher.update(&[u8::from(units.is_some())]);
            units.into_iter().flatten().for_each(|unit| hasher.update(&unit.to_le_bytes()));
        }
        weights.into_iter().flatten().for_each(|weight| hasher.update(&weight.to_le_bytes()));
        Some(format!("{:08x}", hasher.finalize()))
    }

    /// The record of a model that is fitted on these rows by this version, with this seed.
    pub(crate) fn record_of(&self, seed: u64) -> Record {
        record_of(&self.record, seed)
    }

    /// The same with validation rows.
    ///
    /// # Errors
    /// When they have other classes or another number of features.
    pub fn with_val(mut self, val: Dataset) -> Result<FitData> {
        let (train, n_features) = (&self.train, val.x.n_cols());
        if val.classes != train.classes || n_features != train.x.n_cols() {
            return Err(Error::usage(format!(
                "the validation rows have {n_features} features and the classes {}, expected {} and {}",
                val.classes.names().join(", "),
                train.x.n_cols(),
                train.classes.names().join(", ")
            )));
        }
        self.places = RowSource::all(RowLocations::of_array(val.y.len()));
        self.val = Some(val);
        Ok(self)
    }
}

/// The record of a model that is fitted by this version, with this seed, on data of the record `of`.
pub(crate) fn record_of(of: &Record, seed: u64) -> Record {
    Record { seed: Some(seed), headsmith_version: Some(env!("CARGO_PKG_VERSION").to_owned()), ..of.clone() }
}

/// A table as a model remembers it.
pub(crate) fn data_record(role: &str, report: &TableReport) -> DataRecord {
    let record = |path: &str| {
        DataRecord::new(role, Path::new(path), report.n_rows as u64, report.fingerprint.as_str())
    };
    match report.files.first() {
        None => record(&report.path),
        Some(first) => {
            let record = record(first);
            DataRecord { name: format!("{} and {} more", record.name, report.files.len() - 1), ..record }
        }
    }
}

/// A copy of some rows, a large one in the folder `cache`.
///
/// # Errors
/// When it cannot be written there.
pub(crate) fn part(all: &Dataset, rows: &[usize], cache: Option<&Path>) -> Result<Dataset> {
    Ok(all.part(rows, cache)?)
}

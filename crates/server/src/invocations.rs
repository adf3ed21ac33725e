//! `/invocations`: the requests that MLflow's scoring clients make. A row is an array of numbers, an object with a number for each feature, or one with
//! an array under the name of the embeddings' column.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::failure::{Failure, Result, shown};
use crate::json::Cursor;
use crate::models::ServedModel;
use crate::people::Labels;
use crate::queue::Prediction;
use crate::rows::{Rows, Shape};

/// A request.
#[derive(Debug, Default)]
pub(crate) struct Invocation {
    pub(crate) rows: Rows,
    /// Whether it asks for probabilities instead of labels.
    pub(crate) is_proba: bool,
}

/// The columns of a model's rows.
#[derive(Debug, Clone)]
struct Columns<'m> {
    shape: Shape,
    /// The column whose cells are whole rows.
    embeddings: &'m str,
    /// The names of the features; empty if they have none.
    features: &'m [String],
}

impl Invocation {
    pub(crate) fn read(body: &[u8], model: &ServedModel, shape: Shape) -> Result<Invocation> {
        let record = model.model.record();
        let embeddings = record.embeddings_column.as_deref().unwrap_or("embeddings");
        let columns = Columns { shape, embeddings, features: &record.feature_names };
        let (mut rows, mut is_proba) = (None, false);
        let mut cursor = Cursor::new(body);
        cursor.object(|key, cursor| match key {
            "dataframe_split" | "dataframe_records" | "instances" | "inputs" if rows.is_some() => {
                Err(Failure::bad("the request has rows twice"))
            }
            "dataframe_split" => columns.split(cursor).map(|read| rows = Some(read)),
            "dataframe_records" => columns.records(cursor).map(|read| rows = Some(read)),
            "instances" | "inputs" => columns.tensor(cursor).map(|read| rows = Some(read)),
            "params" if cursor.null() => Ok(()),
            "params" => cursor.object(|key, cursor| match key {
                "proba" => cursor.value("true or false").map(|value| is_proba = value),
                _ => {
                    Err(Failure::bad(format!("the parameter `{}` is unknown, expected `proba`", shown(key))))
                }
            }),
            "signature_name" => cursor.skip(),
            _ => Err(Failure::bad(format!("the key `{}` is unknown, {EXPECTED}", shown(key)))),
        })?;
        cursor.end()?;
        let rows = rows.ok_or_else(|| Failure::bad(format!("the request has no rows, {EXPECTED}")))?;
        Ok(Invocation { rows, is_proba })
    }
}

/// Columns of a table at most beside the features: names are kept while a body is read.
const MOST_OTHER_COLUMNS: usize = 4096;

const EXPECTED: &str = "expected `dataframe_split`, `dataframe_records`, `instances` or `inputs`";

/// The answer as JSON.
pub(crate) fn answer(is_proba: bool, model: &ServedModel, prediction: &Prediction) -> Vec<u8> {
    let rows = || (0..prediction.proba.n_rows()).map(|i| prediction.proba.row(i)).collect::<Vec<_>>();
    let answer = match is_proba {
        true => serde_json::to_vec(&HashMap::from([("predictions", rows())])),
        false => serde_json::to_vec(&HashMap::from([("predictions", Labels(model, prediction))])),
    };
    answer.unwrap_or_else(|_| json!({}).to_string().into_bytes())
}

impl Columns<'_> {
    /// Reads `[[..], ..]`, `[{..}, ..]` or `{"embeddings": [[..], ..]}`.
    fn tensor(&self, cursor: &mut Cursor<'_>) -> Result<Rows> {
        if cursor.peek() == Some(b'{') {
            let mut rows = None;
            cursor.object(|key, cursor| match key == self.embeddings && rows.is_none() {
                true => self.shape.read(cursor).map(|read| rows = Some(read)),
                false => Err(Failure::bad(format!("expected the one tensor `{}`", self.embeddings))),
            })?;
            return rows.ok_or_else(|| Failure::bad(format!("expected the tensor `{}`", self.embeddings)));
        }
        match cursor.clone().step_into_array() {
            Some(b'{') => self.records(cursor),
            _ => self.shape.read(cursor),
        }
    }

    /// Reads an array of objects: all as the first, with whole rows in one column or a feature in each.
    fn records(&self, cursor: &mut Cursor<'_>) -> Result<Rows> {
        let is_whole = self.is_whole(cursor.clone())?;
        let mut order: HashMap<String, usize> =
            self.features.iter().enumerate().map(|(i, name)| (name.clone(), i)).collect();
        let mut rows = Rows::default();
        cursor.array(|i, cursor| {
            self.shape.check_rows(i + 1)?;
            rows.n_rows = i + 1;
            let start = rows.values.len();
            match is_whole {
                true => self.whole_record(i, cursor, &mut rows.values)?,
                false => self.record(i, cursor, &mut rows.values, &mut order)?,
            }
            self.check_whole(i, &rows.values[start..])
        })?;
        self.shape.check_rows(rows.n_rows)?;
        Ok(rows)
    }

    /// Whether the first of an array of objects has a whole row in the column of the embeddings.
    fn is_whole(&self, mut cursor: Cursor<'_>) -> Result<bool> {
        let mut is_whole = false;
        if cursor.step_into_array() == Some(b'{') {
            cursor.object(|key, cursor| {
                is_whole |= key == self.embeddings && cursor.peek() == Some(b'[');
                cursor.skip()
            })?;
        }
        Ok(is_whole)
    }

    /// Reads an object whose column of embeddings has row `i`.
    fn whole_record(&self, i: usize, cursor: &mut Cursor<'_>, values: &mut Vec<f32>) -> Result<()> {
        let mut is_read = false;
        cursor.object(|key, cursor| match key == self.embeddings {
            true if is_read => Err(Failure::bad(format!("row {i} has `{}` twice", self.embeddings))),
            true => {
                is_read = true;
                self.shape.row(i, cursor, values)
            }
            false => cursor.skip(),
        })
    }

    /// Reads an object with a number for each feature of row `i`. Without names of features the first object's keys are the order of the columns.
    fn record(
        &self,
        i: usize,
        cursor: &mut Cursor<'_>,
        values: &mut Vec<f32>,
        order: &mut HashMap<String, usize>,
    ) -> Result<()> {
        let start = values.len();
        cursor.object(|key, cursor| {
            if self.features.is_empty() && i == 0 && order.len() < self.shape.n_features {
                let next = order.len();
                order.entry(key.to_owned()).or_insert(next);
            }
            match order.get(key) {
                Some(column) => {
                    values.resize(start + self.shape.n_features, f32::NAN);
                    put(&mut values[start + column], key, cursor)
                }
                None if !self.features.is_empty() => cursor.skip(),
                None => Err(Failure::bad(format!(
                    "row {i} has the column `{}`, which is none of the {} features",
                    shown(key),
                    self.shape.n_features
                ))),
            }
        })
    }

    /// Refuses a row with less values than features.
    fn check_whole(&self, row: usize, values: &[f32]) -> Result<()> {
        let n_features = self.shape.n_features;
        let n_found = values.iter().filter(|value| !value.is_nan()).count();
        match n_found == n_features {
            true => Ok(()),
            false => Err(Failure::bad(format!(
                "row {row} has {n_found} of the {n_features} features of the model"
            ))),
        }
    }

    /// Reads `{"columns": [..], "data": [[..], ..]}`, in any order.
    fn split(&self, cursor: &mut Cursor<'_>) -> Result<Rows> {
        let (mut names, mut data) = (None, None);
        cursor.object(|key, cursor| match key {
            "columns" => self.names(cursor).map(|read| names = Some(read)),
            "data" => {
                data = Some(cursor.clone());
                cursor.skip()
            }
            "index" => cursor.skip(),
            _ => Err(Failure::bad(format!("the key `{}` of dataframe_split is unknown", shown(key)))),
        })?;
        let mut data = data.ok_or_else(|| Failure::bad("dataframe_split has no `data`"))?;
        let Some(names) = names else { return self.shape.read(&mut data) };
        let targets = self.targets(&names)?;
        let (mut values, mut n_rows) = (Vec::new(), 0);
        data.array(|i, cursor| {
            self.shape.check_rows(i + 1)?;
            n_rows = i + 1;
            let start = values.len();
            cursor.array(|j, cursor| match targets.get(j) {
                Some(Target::Row) => self.shape.row(i, cursor, &mut values),
                Some(Target::Feature(column)) => {
                    values.resize(start + self.shape.n_features, f32::NAN);
                    put(&mut values[start + column], &names[j], cursor)
                }
                Some(Target::None) => cursor.skip(),
                None => Err(Failure::bad(format!("row {i} has more cells than there are columns"))),
            })?;
            self.check_whole(i, &values[start..])
        })?;
        self.shape.check_rows(n_rows)?;
        Ok(Rows { values, n_rows })
    }

    /// The names of the columns; numbers are the names that pandas gives columns without one.
    fn names(&self, cursor: &mut Cursor<'_>) -> Result<Vec<String>> {
        let (most, mut names) = (self.shape.n_features + MOST_OTHER_COLUMNS, Vec::new());
        cursor.array(|i, cursor| match i < most {
            true => cursor.name().map(|name| names.push(name)),
            false => Err(Failure::bad(format!("the table has more than {most} columns"))),
        })?;
        Ok(names)
    }

    /// Where the cells of each column go.
    fn targets(&self, names: &[String]) -> Result<Vec<Target>> {
        let target = self.target_of(names)?;
        let mut met = HashSet::new();
        let targets = names.iter().enumerate().map(|(i, name)| match target(i, name) {
            Target::None => Ok(Target::None),
            _ if !met.insert(name) => Err(twice(name)),
            target => Ok(target),
        });
        let targets = targets.collect::<Result<Vec<_>>>()?;
        match self.features.iter().filter(|name| !met.contains(name)).min() {
            Some(missing) => {
                Err(Failure::bad(format!("the table has no column `{missing}`, a feature of the model")))
            }
            None => Ok(targets),
        }
    }

    /// Where the cells of a column go, by its place and name.
    fn target_of(&self, names: &[String]) -> Result<impl Fn(usize, &String) -> Target> {
        let is_named = !self.features.is_empty();
        let is_whole = !is_named && names.iter().any(|name| name == self.embeddings);
        if !is_named && !is_whole && names.len() != self.shape.n_features {
            return Err(Failure::bad(format!(
                "the table has {} columns, expected {} features or a column `{}`",
                names.len(),
                self.shape.n_features,
                self.embeddings
            )));
        }
        let order: HashMap<&String, usize> =
            self.features.iter().enumerate().map(|(i, name)| (name, i)).collect();
        Ok(move |i: usize, name: &String| match order.get(name) {
            Some(feature) => Target::Feature(*feature),
            None if is_whole && name == self.embeddings => Target::Row,
            None if is_named || is_whole => Target::None,
            None => Target::Feature(i),
        })
    }
}

fn twice(name: &str) -> Failure {
    Failure::bad(format!("the column `{}` occurs twice", shown(name)))
}

/// Where a cell goes.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// It is a whole row.
    Row,
    Feature(usize),
    None,
}

/// Reads a cell into its place, once.
fn put(place: &mut f32, name: &str, cursor: &mut Cursor<'_>) -> Result<()> {
    if !place.is_nan() {
        return Err(twice(name));
    }
    *place = cursor.number()?;
    Ok(())
}

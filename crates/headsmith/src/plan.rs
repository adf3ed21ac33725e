//! The plan of a study: kept with it in the storage, so that every command that resumes it does the same, and a difference is
//! an error before it does harm.

use std::path::PathBuf;

use headsmith_data::{Dtype, Files, ReadOptions};
use headsmith_heads::head::find as find_head;
use headsmith_heads::params::STANDARD;
use headsmith_metrics::Metric;
use headsmith_study::{Direction, Space};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod objective;
mod open;

pub use objective::in_words;
pub(crate) use objective::objectives;
pub(crate) use open::{find, metric_of, must_optimise, names, open, plan_of};

use crate::error::{Error, Result};
use crate::head::HeadConfig;
use crate::report::{Objective, TableReport};

/// The study's system attribute that holds the plan.
pub(crate) const KEY: &str = "headsmith:plan";
/// The version of the plan.
const VERSION: u32 = 1;

/// Everything that decides the results of a study's trials, beside their number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) version: u32,
    /// The head's name.
    pub(crate) head: String,
    /// The preset of the head, where it has presets and its studies are not those of the first, which plans without a name mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preset: Option<String>,
    /// The head's parameters that the space does not contain.
    pub(crate) params: Map<String, Value>,
    /// The search space.
    pub(crate) space: Value,
    pub(crate) sampler: String,
    pub(crate) pruner: String,
    /// Whether the first trials are the list of good configurations.
    pub(crate) listed: bool,
    pub(crate) seed: u64,
    pub(crate) lag: u64,
    /// The share of the validation rows that no trial sees.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(crate) hold_back: f64,
    /// The share of the training rows that validates, where no table does.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(crate) val_share: f64,
    /// The metric on the validation rows that is the value of a trial.
    #[serde(default, skip_serializing_if = "Metric::is_default")]
    pub(crate) metric: Metric,
    pub(crate) train: PlanTable,
    /// The table that validates; `None`: a part of the training rows does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) val: Option<PlanTable>,
    /// A hash of the groups and weights of the rows; `None` where they have none, and in plans that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) design: Option<String>,
    /// How the tables are read.
    pub(crate) read: PlanRead,
}

/// A table of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanTable {
    /// Its file, or the first of its files.
    pub(crate) path: PathBuf,
    /// Its further files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) more: Vec<PathBuf>,
    /// The files of its labels, where they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) labels: Vec<PathBuf>,
    /// Of the rows and labels, whatever file they are in.
    pub(crate) fingerprint: String,
    pub(crate) n_rows: usize,
}

/// How a study's tables are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlanRead {
    pub(crate) embeddings_column: Option<String>,
    pub(crate) label_column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dtype: Option<Dtype>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) drop: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) features: Vec<String>,
    /// The column of the groups that no split divides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group_column: Option<String>,
    /// The column of the sample weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight_column: Option<String>,
}

/// How to search.
pub(crate) struct Search {
    pub(crate) sampler: String,
    pub(crate) pruner: String,
    pub(crate) listed: bool,
    pub(crate) seed: u64,
    pub(crate) lag: u64,
    pub(crate) hold_back: f64,
    pub(crate) val_share: f64,
    pub(crate) metric: Metric,
    pub(crate) design: Option<String>,
}

/// The tables of a study.
pub(crate) struct StudyTables<'t> {
    /// The rows to train on.
    pub(crate) train: &'t TableReport,
    /// The validation rows, where they have a table of their own.
    pub(crate) val: Option<&'t TableReport>,
}

impl StudyTables<'_> {
    /// Those of `tables`, of which the first is the training table.
    pub(crate) fn of(tables: &[TableReport]) -> StudyTables<'_> {
        StudyTables { train: &tables[0], val: tables.iter().find(|table| table.role == "val") }
    }
}

impl Plan {
    pub(crate) fn new(
        base: &HeadConfig,
        space: &Space,
        search: Search,
        tables: &StudyTables<'_>,
        read: &ReadOptions,
    ) -> Plan {
        let params = base.params().iter().filter(|(name, value)| !base.table().plans_omit(name, value));
        let params =
            params.filter_map(|(name, value)| Some((name.to_owned(), serde_json::to_value(value).ok()?)));
        Plan {
            version: VERSION,
            head: base.name().to_owned(),
            preset: (!base.studies_as_first_preset()).then(|| base.preset().to_owned()),
            params: params.collect(),
            space: space.to_json(),
            sampler: search.sampler,
            pruner: search.pruner,
            listed: search.listed,
            seed: search.seed,
            lag: search.lag,
            hold_back: search.hold_back,
            val_share: search.val_share,
            metric: search.metric,
            train: PlanTable::new(tables.train),
            val: tables.val.map(PlanTable::new),
            design: search.design,
            read: PlanRead {
                embeddings_column: read.embeddings_column.clone(),
                label_column: read.label_column.clone(),
                dtype: read.dtype,
                drop: read.drop.clone(),
                features: read.features.clone(),
                group_column: read.group_column.clone(),
                weight_column: read.weight_column.clone(),
            },
        }
    }

    /// Reads the plan of the study `name` from its attribute.
    ///
    /// # Errors
    /// When it is of another version, or damaged.
    pub(crate) fn read(name: &str, value: &Value) -> Result<Plan> {
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => Err(Error::usage(format!(
                "study {name} was made by another version of Headsmith (plan {version}, this one reads {VERSION}): \
                 resume it with that version, or begin another study with --study NAME"
            ))),
            _ => serde_json::from_value(value.clone()).map_err(|error| {
                Error::data(format!("the plan of study {name} (its attribute {KEY}) is damaged: {error}"))
            }),
        }
    }

    /// The head with the parameters that are not searched.
    ///
    /// # Errors
    /// When the plan names what this version does not know.
    pub(crate) fn base(&self) -> Result<HeadConfig> {
        let table = find_head(&self.head)?.table();
        // Those that are left out do what was done before there were any.
        let left_out = table.added.iter().filter(|added| !self.params.contains_key(added.name));
        let mut given: Vec<(&str, _)> = left_out.map(|added| (added.name, added.before.value())).collect();
        for (name, value) in &self.params {
            let value = serde_json::from_value(value.clone())
                .map_err(|error| Error::data(format!("{name} of the study's plan is {value}: {error}")))?;
            given.push((name.as_str(), value));
        }
        let first = || table.presets.first().map_or(STANDARD, |preset| preset.name);
        let preset = self.preset.as_deref().unwrap_or_else(first);
        HeadConfig::with_preset(&self.head, preset, given)
    }

    /// The search space.
    ///
    /// # Errors
    /// When the plan is damaged.
    pub(crate) fn space(&self) -> Result<Space> {
        Ok(Space::from_json(&self.space)?)
    }

    /// Which way the values of its trials are better.
    pub(crate) fn direction(&self) -> Direction {
        direction_of(self.metric)
    }

    /// The value of the parameter `name` as text.
    fn param(&self, name: &str) -> String {
        let before = || {
            let added = find_head(&self.head).ok()?.table().added.iter().find(|added| added.name == name)?;
            Some(added.before.value().to_string())
        };
        let default = || Some(find_head(&self.head).ok()?.table().find(name)?.default.value().to_string());
        let given = self.params.get(name).map(Value::to_string);
        given.or_else(before).or_else(default).unwrap_or_else(|| "nothing".to_owned())
    }

    /// How the study's tables are read.
    pub(crate) fn read_options(&self) -> ReadOptions {
        ReadOptions {
            embeddings_column: self.read.embeddings_column.clone(),
            label_column: self.read.label_column.clone(),
            dtype: self.read.dtype,
            drop: self.read.drop.clone(),
            features: self.read.features.clone(),
            group_column: self.read.group_column.clone(),
            weight_column: self.read.weight_column.clone(),
            ..ReadOptions::default()
        }
    }

    pub(crate) fn to_json(&self) -> Result<Value> {
        serde_json::to_value(self)
            .map_err(|error| Error::data(format!("the study's plan cannot be written: {error}")))
    }

    /// A name for a study that was given none: of its content, so that the same command finds it again.
    pub(crate) fn name(&self) -> String {
        // Paths may differ between machines.
        let mut content = self.clone();
        for table in std::iter::once(&mut content.train).chain(&mut content.val) {
            (table.path, table.more, table.labels) = Default::default();
        }
        let text = serde_json::to_string(&content).unwrap_or_default();
        format!("{}-{:08x}", self.head, crc32fast::hash(text.as_bytes()))
    }

    /// Refuses tables that are not the study's.
    ///
    /// # Errors
    /// When their content is another: both sides of it.
    pub(crate) fn must_have(&self, tables: &StudyTables<'_>, name: &str) -> Result<()> {
        let (train, val) = (PlanTable::new(tables.train), tables.val.map(PlanTable::new));
        refuse(name, self.differences(&Plan { train, val, ..self.clone() }))
    }

    /// Refuses rows whose groups or weights, of which `design` is the hash, are not the study's.
    ///
    /// # Errors
    /// When they are others.
    pub(crate) fn must_have_design(&self, design: Option<String>, name: &str) -> Result<()> {
        refuse(name, self.differences(&Plan { design, ..self.clone() }))
    }

    /// The metric that is the value of the trials.
    pub(crate) fn objective(&self) -> Objective {
        Objective { name: self.metric.name().to_owned(), direction: self.direction().name().to_owned() }
    }

    /// In what the study of this plan differs from the one that is asked for, of what decides its trials: a line each, with
    /// both sides.
    pub(crate) fn differences(&self, asked: &Plan) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, here: String, there: String| {
            if here != there {
                differences.push(difference(what, &here, &there));
            }
        };
        let table = |table: &PlanTable| {
            format!(
                "{} rows of content {}",
                table.n_rows,
                &table.fingerprint[..table.fingerprint.len().min(16)]
            )
        };
        compare("training table", table(&self.train), table(&asked.train));
        let val = |plan: &Plan| match &plan.val {
            Some(val) => table(val),
            None => format!("{} of the training rows", plan.val_share),
        };
        let tables = self.val.is_some() && asked.val.is_some();
        compare(if tables { "validation table" } else { "validation rows" }, val(self), val(asked));
        let column = |name: &Option<String>| match name {
            Some(name) => format!("\"{name}\""),
            None => "none".to_owned(),
        };
        let (here, there) = (&self.read, &asked.read);
        compare("group column", column(&here.group_column), column(&there.group_column));
        compare("weight column", column(&here.weight_column), column(&there.weight_column));
        if let (Some(here), Some(there)) = (&self.design, &asked.design) {
            let content = |hash: &str| format!("content {hash}");
            compare("values of the group and weight columns", content(here), content(there));
        }
        compare("head", self.head.clone(), asked.head.clone());
        compare("metric", self.metric.name().to_owned(), asked.metric.name().to_owned());
        for name in
            self.params.keys().chain(asked.params.keys().filter(|name| !self.params.contains_key(*name)))
        {
            compare(name, self.param(name), asked.param(name));
        }
        compare("sampler", self.sampler.clone(), asked.sampler.clone());
        compare("pruner", self.pruner.clone(), asked.pruner.clone());
        let first = |plan: &Plan| if plan.listed { "the list" } else { "drawn" }.to_owned();
        compare("first trials", first(self), first(asked));
        compare("seed", self.seed.to_string(), asked.seed.to_string());
        compare("lag", self.lag.to_string(), asked.lag.to_string());
        compare("share held back", self.hold_back.to_string(), asked.hold_back.to_string());
        if let (Ok(here), Ok(there)) = (self.space(), asked.space()) {
            differences.extend(here.differences(&there).into_iter().map(|[what, here, there]| {
                let what = if what.is_empty() { "space".to_owned() } else { format!("space: {what}") };
                difference(&what, &here, &there)
            }));
        }
        differences
    }
}

/// Which way the values of a study by `metric` are better.
pub fn direction_of(metric: Metric) -> Direction {
    if metric.is_greater_better() { Direction::Maximize } else { Direction::Minimize }
}

/// A line of [`refuse`].
fn difference(what: &str, here: &str, there: &str) -> String {
    format!("  {what}: {here} in the study, {there} asked for")
}

/// Refuses to resume the study `name`, which differs from the one that is asked for.
///
/// # Errors
/// When there are differences: all of them.
fn refuse(name: &str, differences: Vec<String>) -> Result<()> {
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!(
        "study {name} is another study than the one asked for:\n{}\n\
         hint: give the flags and tables that it began with, or begin another study with --study NAME",
        differences.join("\n")
    )))
}

/// A plan without it reads as it always did.
fn is_nothing(share: &f64) -> bool {
    *share == 0.0
}

impl PlanTable {
    /// Its files.
    pub(crate) fn files(&self) -> Files {
        let labels = Some(Files::new(self.labels.clone())).filter(|_| !self.labels.is_empty());
        Files::new(std::iter::once(&self.path).chain(&self.more).cloned().collect()).with_labels(labels)
    }

    fn new(report: &TableReport) -> PlanTable {
        let whole = |path: &String| PathBuf::from(path).canonicalize().unwrap_or_else(|_| path.into());
        let files = if report.files.is_empty() { std::slice::from_ref(&report.path) } else { &report.files };
        let mut files: Vec<PathBuf> = files.iter().map(whole).collect();
        let more = files.split_off(1);
        PlanTable {
            path: files.pop().unwrap_or_default(),
            more,
            labels: report.label_files.iter().map(whole).collect(),
            fingerprint: report.fingerprint.clone(),
            n_rows: report.n_rows,
        }
    }
}

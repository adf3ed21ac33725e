//! `headsmith run`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ArgMatches;
use headsmith::HeadConfig;
use headsmith::auto::Search;
use headsmith::data::Files;
use headsmith::heads::head::find;
use headsmith::report::Report;
use headsmith::run::{RunConfig, RunHead, SUBMISSION};
use headsmith_aicrowd::{Challenge, Client, Submitted, check};
use serde_json::Value;

use crate::commands::aicrowd::{self, Tables};
use crate::flags::auto::{self, AUTO};
use crate::flags::common::{self, Common, optional_path_of, optional_table_of, with_labels};
use crate::flags::{conformal, heads, split, study};
use crate::{commands, exit, interrupt, view};

/// A challenge whose files are here.
struct Fetched {
    client: Client,
    challenge: Challenge,
    folder: PathBuf,
    tables: Tables,
}

/// The output of `--json`: the report, and the submission if there was one.
#[derive(serde::Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<&'a Submitted>,
    /// Why nothing was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

/// The whole job.
pub(crate) fn run(matches: &ArgMatches) -> Result<()> {
    let common = common::given(matches).named("run", None);
    let out = out_of(matches);
    // Before anything is fetched, the parameters must be right.
    let (run_heads, search) = match is_auto(matches) {
        true => searched(matches, &common, &out)?,
        false => {
            refuse_search_flags(matches)?;
            (heads_of(matches, &common, &out)?, None)
        }
    };
    let fetched = fetch(matches, &out, &common)?;
    let train = table(matches, "train", &fetched, |tables| &tables.train)?;
    let val = table(matches, "val", &fetched, |tables| &tables.val).ok();
    let config = RunConfig {
        train: with_labels(matches, Some(train), "train", "labels")?.unwrap_or_default(),
        val: with_labels(matches, val, "val", "val_labels")?,
        val_share: split::share(matches)?,
        test: table(matches, "test", &fetched, |tables| &tables.test).ok(),
        out: out.clone(),
        read: common.read.clone(),
        heads: run_heads,
        search,
        predictions: SUBMISSION.to_owned(),
        hold_back: study::held_back(matches),
        columns: commands::columns(matches),
        command: common::typed(),
    };
    if commands::is_given(matches, "columns") && config.test.is_none() {
        return Err(headsmith::Error::usage(commands::COLUMNS_WITHOUT_TEST).into());
    }
    if matches.get_flag("submit") && config.test.is_none() {
        let why = "--submit: nothing to submit without a table to predict: give it with --test";
        return Err(headsmith::Error::usage(why).into());
    }
    let report = commands::with_context(&common, |context| headsmith::run::run(&config, context))?;
    let submitted = match &fetched {
        Some(fetched) if matches.get_flag("submit") => submit(fetched, &config, &common),
        _ => Ok(None),
    };
    // What was fitted is printed, whatever became of the submission.
    if common.json {
        let failure = submitted.as_ref().err().map(|error| view::error::object(error, exit::status(error)));
        let submission = submitted.as_ref().ok().and_then(Option::as_ref);
        view::print_json(&Printed { report: &report, submission, error: failure })?;
    } else {
        view::print(&if report.auto.is_some() {
            view::auto::run(&report)
        } else {
            view::text::run(&report)
        })?;
        if let Ok(Some(submitted)) = &submitted {
            view::print(&format!("\nsubmitted: {}\n", submitted.url))?;
        }
    }
    submitted.map(drop)
}

/// Whether a search looks for the best model: unless the notebook's recipe is asked for, or heads are named.
fn is_auto(matches: &ArgMatches) -> bool {
    match (commands::is_given(matches, "recipe"), names_heads(matches)) {
        (false, true) => false,
        _ => matches.get_one::<String>("recipe").is_some_and(|recipe| recipe == AUTO),
    }
}

/// Whether the command line or its configuration names the heads to fit.
fn names_heads(matches: &ArgMatches) -> bool {
    let named = matches.get_many::<String>("head").into_iter().flatten();
    commands::is_given(matches, "head") || !named.eq(headsmith::run::RECIPE)
}

/// Refuses flags of the search where nothing is searched: they would have no effect.
fn refuse_search_flags(matches: &ArgMatches) -> Result<()> {
    if conformal::given(matches).is_some() {
        return Err(headsmith::Error::usage(
            "--conformal: the validation rows choose the head here, so that none are left for the thresholds; --recipe auto takes it, and so does fit",
        )
        .into());
    }
    let search = auto::search();
    let given = search.iter().find(|arg| commands::is_given(matches, arg.get_id().as_str()));
    match given.and_then(|arg| arg.get_long()) {
        None => Ok(()),
        Some(flag) => Err(headsmith::Error::usage(format!(
            "--{flag} is of a search, and --recipe notebook and --head fit the heads that are named without one: leave it out, or search with --recipe auto (heads: --heads)"
        ))
        .into()),
    }
}

/// The baseline, and the search that is to beat it.
fn searched(matches: &ArgMatches, common: &Common, out: &Path) -> Result<(Vec<RunHead>, Option<Search>)> {
    let wrong = |why: &str| Err(headsmith::Error::usage(why).into());
    if study::held_back(matches) != 0.0 {
        return wrong(
            "--hold-back: the validation rows choose nothing here, so none need to be held back; --recipe notebook takes it",
        );
    }
    if names_heads(matches) {
        return wrong(
            "--head names the heads to fit, and --recipe auto searches: name those to try with --heads",
        );
    }
    let mut heads = heads_of(matches, common, out)?;
    let tuned = heads.pop();
    let search = auto::given(matches, tuned, crate::started());
    search.check()?;
    commands::refuse_flags_of_study(matches, &search.heads)?;
    Ok((heads, Some(search)))
}

/// The heads to fit, each but the baseline with its study.
fn heads_of(matches: &ArgMatches, common: &Common, out: &Path) -> Result<Vec<RunHead>> {
    let named: Vec<&str> =
        matches.get_many::<String>("head").into_iter().flatten().map(String::as_str).collect();
    if let Some(twice) = (1..named.len()).find(|&i| named[..i].contains(&named[i])) {
        return Err(headsmith::Error::usage(format!("--head names {} twice", named[twice])).into());
    }
    for other in headsmith::run::RECIPE.into_iter().filter(|other| !named.contains(other)) {
        if let Some((name, _)) =
            heads::given_in_run(matches, find(other).map_err(headsmith::Error::from)?.table()).first()
        {
            return Err(headsmith::Error::usage(format!(
                "{other} is not fitted here, so its parameter {name} has no effect: name it with --head"
            ))
            .into());
        }
    }
    let mut run_heads = Vec::new();
    for (i, name) in named.iter().enumerate() {
        let head = find(name).map_err(headsmith::Error::from)?;
        let mut given = heads::given_in_run(matches, head.table());
        given.extend(heads::set_of(matches, name, &named)?);
        let config = HeadConfig::with_preset(name, &heads::preset_for(matches, head), given.clone())?;
        let is_baseline = i == 0 && named.len() > 1;
        let study = match is_baseline {
            true => None,
            false => study::of_run_given(matches, common, out, head, given)?,
        };
        run_heads.push(RunHead { head: config, study });
    }
    Ok(run_heads)
}

/// The output folder: as it was given, or named after the training table.
fn out_of(matches: &ArgMatches) -> PathBuf {
    let named = optional_table_of(matches, "train").unwrap_or_default();
    optional_path_of(matches, "out").unwrap_or_else(|| commands::out_after(&named))
}

/// Downloads the challenge's files, if there is a challenge.
fn fetch(matches: &ArgMatches, out: &Path, common: &Common) -> Result<Option<Fetched>> {
    let Some(named) = matches.get_one::<String>("challenge") else { return Ok(None) };
    let folder = out.join("data");
    let (client, challenge) = aicrowd::fetch(named, &folder, common.quiet, matches.get_flag("submit"))?;
    let given = |id: &str| optional_table_of(matches, id).is_some();
    let all_given = given("train") && given("val") && given("test");
    let none = Tables { train: None, val: None, test: None };
    let tables = if all_given { none } else { Tables::find(&folder)? };
    Ok(Some(Fetched { client, challenge, folder, tables }))
}

/// The table that the flag names, or else the challenge's.
fn table(
    matches: &ArgMatches,
    role: &str,
    fetched: &Option<Fetched>,
    own: impl Fn(&Tables) -> &Option<PathBuf>,
) -> Result<Files> {
    let fetched = fetched.as_ref().and_then(|fetched| own(&fetched.tables).as_ref().map(Files::from));
    optional_table_of(matches, role)
        .or(fetched)
        .with_context(|| format!("none of the challenge's files is called `{role}`: name it with --{role}"))
}

/// Submits the predictions, unless the run was stopped: a half-fitted model is not worth a submission.
fn submit(fetched: &Fetched, config: &RunConfig, common: &Common) -> Result<Option<Submitted>> {
    if interrupt::was_asked() {
        eprintln!("warning: nothing was submitted, for the run was stopped");
        return Ok(None);
    }
    let sample = check::find_sample(&fetched.folder)?;
    if sample.is_none() {
        eprintln!("warning: the challenge has no sample to compare the submission with");
    }
    let file = config.out.join("submission.zip");
    aicrowd::submit(&fetched.client, &fetched.challenge, &file, sample.as_deref(), common.quiet).map(Some)
}

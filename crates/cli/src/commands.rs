//! The subcommands: from what the flags were given to a call of the library, and its result to the terminal.

mod aicrowd;
mod auto;
mod evaluate;
mod export;
mod fit;
mod inspect;
mod predict;
mod reference;
mod report;
mod run;
mod serve;
mod study;
mod tune;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::ArgMatches;
use clap::parser::ValueSource;
use headsmith::data::Files;
use headsmith::data::predictions::Columns;
use headsmith::events::{Begin, EventLog};
use headsmith::metrics::Metric;
use headsmith::mlflow::Status;
use headsmith::{Context, Mlflow, Pool, Progress, TensorBoard, View, outputs};

use crate::flags::common::{Common, typed};
use crate::flags::{heads, study as study_flags};
use crate::interrupt::{self, Display};
use crate::view::progress::StderrView;
use crate::view::{self, live};

/// Does what the command line asks for.
pub(crate) fn dispatch(matches: &ArgMatches) -> Result<()> {
    match matches.subcommand() {
        Some(("run", matches)) => run::run(matches),
        Some(("auto", matches)) => auto::auto(matches),
        Some(("tune", matches)) => tune::tune(matches),
        Some(("worker", matches)) => tune::worker(matches),
        Some(("study", matches)) => study::study(matches),
        Some(("report", matches)) => report::report(matches),
        Some(("inspect", matches)) => inspect::inspect(matches),
        Some(("fit", matches)) => fit::fit(matches),
        Some(("evaluate", matches)) => evaluate::evaluate(matches),
        Some(("predict", matches)) => predict::predict(matches),
        Some(("export", matches)) => export::export(matches),
        Some(("serve", matches)) => serve::serve(matches),
        Some(("aicrowd", matches)) => aicrowd::aicrowd(matches),
        Some(("completions", matches)) => reference::completions(matches),
        Some(("reference", _)) => reference::reference(),
        // clap lets no other through.
        _ => Ok(()),
    }
}

/// Calls `work` with threads, view and the wish to stop.
fn with_context<T>(
    common: &Common,
    work: impl FnOnce(&mut Context<'_>) -> headsmith::Result<T>,
) -> Result<T> {
    if let Some(path) = &common.events {
        prepare_log(path)?;
    }
    with_threads(common.n_threads, (common.seed, common.metric), view_of(common), |context| {
        with_log(common, context, |context| {
            with_mlflow(common, context, |context| with_tensorboard(common, context, work))
        })
    })
}

/// Makes sure that a log can be written, before there is anything to log.
fn prepare_log(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    // One that is there is appended to, for which its folder need not be writable.
    if !path.exists() {
        outputs::prepare(path)?;
    }
    Ok(())
}

/// Calls `work`, kept in a log of events where that is asked for.
fn with_log<T>(
    common: &Common,
    context: &mut Context<'_>,
    work: impl FnOnce(&mut Context<'_>) -> headsmith::Result<T>,
) -> headsmith::Result<T> {
    let Some(path) = &common.events else { return work(context) };
    context.recorded(EventLog::append(path.clone(), &Begin::now(typed(), context))?, work)
}

/// Calls `work`, kept for TensorBoard where that is asked for.
fn with_tensorboard<T>(
    common: &Common,
    context: &mut Context<'_>,
    work: impl FnOnce(&mut Context<'_>) -> headsmith::Result<T>,
) -> headsmith::Result<T> {
    let Some(folder) = &common.tensorboard else { return work(context) };
    context.recorded(TensorBoard::create(folder, common.tensorboard_histograms)?, work)
}

/// Calls `work`, kept on an MLflow server where that is asked for.
fn with_mlflow<T>(
    common: &Common,
    context: &mut Context<'_>,
    work: impl FnOnce(&mut Context<'_>) -> headsmith::Result<T>,
) -> headsmith::Result<T> {
    let Some(config) = &common.mlflow else { return work(context) };
    let mut mlflow = Mlflow::begin(config, |name| std::env::var(name).ok())?;
    mlflow.warnings().iter().for_each(|text| context.view.see(&Progress::Warning(text)));
    let done = context.recorded(&mut mlflow, work);
    let status = match &done {
        Ok(_) if interrupt::status() == 0 => Status::Finished,
        Err(error) if !error.is_stopped() => Status::Failed,
        _ => Status::Killed,
    };
    if let Some(text) = mlflow.finish(status) {
        context.view.see(&Progress::Warning(&text));
    }
    done
}

/// The view that was asked for.
fn view_of(common: &Common) -> Box<dyn View> {
    match common.live {
        Some(mode) => live::view(mode, common.quiet),
        None => Box::new(StderrView::new(common.quiet)),
    }
}

/// The same for commands that have not all common flags.
fn with_threads<T>(
    n_threads: usize,
    (seed, metric): (u64, Metric),
    mut view: Box<dyn View>,
    work: impl FnOnce(&mut Context<'_>) -> headsmith::Result<T>,
) -> Result<T> {
    let pool = Pool::new(n_threads).context("cannot start the threads")?;
    let display = Display { announce: view::announce_stop, close: live::close };
    let stop = interrupt::listen(display)?;
    Ok(work(&mut Context { seed, metric, pool: &pool, stop, view: view.as_mut() })?)
}

/// Calls `work` with threads, without a view.
fn with_silent_context<T>(
    common: &Common,
    work: impl FnOnce(&mut Context<'_>) -> headsmith::Result<T>,
) -> Result<T> {
    let pool = Pool::new(common.n_threads).context("cannot start the threads")?;
    let mut view = |_: &Progress<'_>| {};
    Ok(work(&mut Context {
        seed: common.seed,
        metric: common.metric,
        pool: &pool,
        stop: interrupt::never(),
        view: &mut view,
    })?)
}

/// The error for columns of predictions that there are none of.
const COLUMNS_WITHOUT_TEST: &str =
    "--columns are those of the predictions: give --test FILE, or leave it out";

/// The output folder named after the training table.
fn out_after(train: &Files) -> PathBuf {
    let first = train.all().into_iter().next();
    let name = first.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let stem = name.as_deref().and_then(|name| name.split('.').next());
    let stem = stem.filter(|stem| !stem.is_empty() && !stem.contains('*') && *stem != "-");
    PathBuf::from(stem.map_or("headsmith-out".to_owned(), |stem| format!("{stem}-headsmith")))
}

/// Whether the command line gives the flag: values of a configuration are defaults, which other commands may be meant by.
pub(crate) fn is_given(matches: &ArgMatches, id: &str) -> bool {
    let is_known = matches.try_contains_id(id).is_ok();
    is_known && matches.value_source(id).is_some_and(|source| source != ValueSource::DefaultValue)
}

/// Refuses flags of the study of a search's head where the search leaves that head out: they would have no effect.
fn refuse_flags_of_study(matches: &ArgMatches, heads: &[String]) -> Result<()> {
    let tuned = heads::tuned_by_default();
    if heads.is_empty() || heads.iter().any(|head| head == tuned.name()) {
        return Ok(());
    }
    // Without trials there is no study: that is what is asked for.
    let asks_for_none = |id: &str| id == "trials" && matches.get_one("trials") == Some(&0u64);
    let of_study = study_flags::OF_TUNED.into_iter().find(|id| is_given(matches, id) && !asks_for_none(id));
    let of_study = of_study.map(str::to_owned);
    match of_study.or_else(|| heads::flag_given(matches, tuned, heads::prefix_in_run(tuned.name()))) {
        None => Ok(()),
        Some(flag) => Err(headsmith::Error::usage(format!(
            "--{flag} has no effect: it is about {0} and its study, and --heads does not name {0}; leave the flag out, or add {0} to --heads",
            tuned.name()
        ))
        .into()),
    }
}

fn columns(matches: &ArgMatches) -> Columns {
    matches.get_one::<Columns>("columns").cloned().unwrap_or_default()
}

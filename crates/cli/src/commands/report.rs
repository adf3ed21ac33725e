//! `headsmith report`

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ArgMatches;
use headsmith::{folder, outputs};

use crate::flags::common::{optional_path_of, path_of};
use crate::view;

/// The programs that print a page.
const BROWSERS: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
/// Names another one.
const BROWSER: &str = "HEADSMITH_CHROMIUM";

/// Draws the page or the card of a run.
pub(crate) fn report(matches: &ArgMatches) -> Result<()> {
    let from = path_of(matches, "folder");
    let is_card = matches.get_flag("card");
    let path = optional_path_of(matches, "out").unwrap_or_else(|| beside(&from, is_card));
    let pdf = optional_path_of(matches, "pdf");
    let sources = if from.is_file() { vec![from.clone()] } else { folder::sources(&from) };
    let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
    let written: Vec<&Path> = std::iter::once(&path).chain(&pdf).map(PathBuf::as_path).collect();
    outputs::refuse_overwriting(&sources, &written)?;
    // Without anything to draw, this is an error, and no folder is created.
    if from.exists() {
        std::iter::once(&path).chain(&pdf).try_for_each(|path| outputs::prepare(path))?;
    }
    let facts = folder::facts(&from)?;
    if is_card {
        folder::write_card(&facts, &path)?;
    } else {
        folder::write_page(&facts, &path)?;
    }
    let mut files = vec![path];
    if let Some(pdf) = pdf {
        print(&files[0], &pdf)?;
        files.push(pdf);
    }
    print_files(matches, &files, facts.unfinished.as_deref())
}

/// The default path of a page or a card.
fn beside(from: &Path, is_card: bool) -> PathBuf {
    let (name, ending) = if is_card { (folder::CARD, "md") } else { (folder::PAGE, "html") };
    if from.is_file() { from.with_extension(ending) } else { from.join(name) }
}

fn print_files(matches: &ArgMatches, files: &[PathBuf], unfinished: Option<&str>) -> Result<()> {
    if matches.get_flag("json") {
        return view::print_json(&serde_json::json!({ "files": files, "unfinished": unfinished }));
    }
    if matches.get_flag("quiet") {
        return Ok(());
    }
    if let Some(why) = unfinished {
        view::print_message(&format!("warning: {why}"));
    }
    view::print(&files.iter().map(|file| format!("wrote {}\n", file.display())).collect::<String>())
}

/// Prints the page to a PDF file.
fn print(page: &Path, pdf: &Path) -> Result<()> {
    let named = std::env::var_os(BROWSER).map(PathBuf::from);
    let browsers: Vec<PathBuf> = match named {
        Some(named) => vec![named],
        None => BROWSERS.iter().map(PathBuf::from).collect(),
    };
    let page = page.canonicalize().with_context(|| format!("cannot find {}", page.display()))?;
    // Printed next to it under another name, then renamed: the old file is replaced by a complete one or not at all.
    let name = pdf.file_name().with_context(|| format!("{} is not a file name", pdf.display()))?;
    let part = pdf.with_file_name(format!(".{}.part", name.to_string_lossy()));
    let written = print_with(&browsers, &page, &part).and_then(|()| {
        std::fs::rename(&part, pdf).with_context(|| format!("cannot write {}", pdf.display()))
    });
    let _ = std::fs::remove_file(&part);
    written
}

fn print_with(browsers: &[PathBuf], page: &Path, pdf: &Path) -> Result<()> {
    let _ = std::fs::remove_file(pdf);
    for browser in browsers {
        // Without its sandbox where the system gives it none: the page is our own, has no script and fetches nothing.
        for sandbox in [&[][..], &["--no-sandbox"]] {
            let done = Command::new(browser)
                .args(["--headless", "--disable-gpu", "--no-pdf-header-footer"])
                .args(sandbox)
                .arg(format!("--print-to-pdf={}", pdf.display()))
                .arg(page)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            match done {
                Ok(status) if status.success() && pdf.is_file() => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => break,
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot start {}", browser.display()));
                }
            }
        }
    }
    bail!(
        "no PDF was written: it takes Chromium or Chrome, which was not found or could not print; install it, or name it in \
         {BROWSER}, or print {} from any browser",
        page.display()
    )
}

//! `headsmith serve`

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ArgMatches;
use headsmith_server::Server;

use crate::flags;

/// Serves models until it is stopped.
pub(crate) fn serve(matches: &ArgMatches) -> Result<()> {
    // clap lets nothing through that has no models.
    let Some(mut options) = flags::serve::given(matches) else { return Ok(()) };
    options.token = matches.get_one::<PathBuf>("token_file").map(|path| token(path)).transpose()?;
    Ok(Server::bind(options)?.run()?)
}

/// The token in a file, without the end of its line.
fn token(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the file of the token {}", path.display()))?;
    Ok(text.trim().to_owned())
}

//! The flags of `headsmith aicrowd` and its subcommands.

use clap::{Arg, ArgAction, Command, ValueHint, value_parser};

use super::common::{file, folder, switch};

const SCOPE: &str = "Submitting notebooks and git repositories is out of scope: use aicrowd-cli for those.\n\n\
     Exit status: 0 success, 2 wrong usage, 3 a file or the submission's content, 4 the key or the registration, \
     5 a wrong argument or nothing there of that name, 6 no key or a wrong configuration, 7 the service or the way to it.";

/// `headsmith aicrowd`
pub(crate) fn aicrowd() -> Command {
    Command::new("aicrowd")
        .about("Download a challenge's data from AIcrowd and send submissions")
        .after_help(SCOPE)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([login(), datasets(), download(), submit()])
}

/// The flags of `headsmith run` that fetch its tables from a challenge and submit to it.
pub(crate) fn of_run() -> [Arg; 2] {
    [
        Arg::new("challenge").long("challenge").value_name("CHALLENGE").help(
            "Download the tables of this AIcrowd challenge into OUT/data; --train, --val and --test override them",
        ),
        switch("submit", "Submit the predictions to the challenge, unless the run was stopped"),
    ]
}

fn login() -> Command {
    let command = Command::new("login")
        .about("Log in: in the browser, or with an API key from AICROWD_API_KEY or standard input")
        .arg(switch(
            "api-key-stdin",
            "Read the API key from standard input; a flag would show it to other users",
        ));
    common(command)
}

fn datasets() -> Command {
    common(Command::new("datasets").about("List the files of a challenge").arg(challenge()))
}

fn download() -> Command {
    let command =
        Command::new("download").about("Download files of a challenge, all or those that match").args([
            challenge(),
            Arg::new("patterns")
                .value_name("PATTERN")
                .action(ArgAction::Append)
                .help("File number, or a pattern of titles with *, ? and [..] [default: all]"),
            folder("output-dir", "Output folder; created if missing").short('o').default_value("."),
            Arg::new("parallel")
                .long("parallel")
                .short('j')
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=64))
                .default_value("4")
                .help("Files at once"),
            switch("unpack", "Unpack each zip archive into a folder with its name"),
            switch("force", "Download again even if a file with the same size exists"),
        ]);
    common(command)
}

fn submit() -> Command {
    let command = Command::new("submit")
        .about("Submit a file to a challenge: a CSV, which is zipped, or a zip archive with one CSV")
        .args([
            challenge(),
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_hint(ValueHint::FilePath)
                .value_parser(value_parser!(std::path::PathBuf))
                .help("The submission: .csv or .zip"),
            Arg::new("description")
                .long("description")
                .short('d')
                .value_name("TEXT")
                .help("Description of the submission"),
            file(
                "sample",
                "Sample submission to compare columns and number of rows with [default: found in --data-dir]",
            ),
            folder("data-dir", "Where the challenge's files were downloaded to").default_value("data"),
            switch("wait", "Wait for the grade, if the service reports it"),
            Arg::new("wait-minutes")
                .long("wait-minutes")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..=1440))
                .default_value("30")
                .help("Maximum time to wait"),
        ]);
    common(command)
}

fn challenge() -> Arg {
    Arg::new("challenge")
        .value_name("CHALLENGE")
        .required(true)
        .help("Challenge: number, slug or URL of its page")
}

fn common(command: Command) -> Command {
    command.after_help(SCOPE).next_help_heading("Common flags").args([
        file("config-path", "The configuration file, shared with aicrowd-cli [default: aicrowd-cli/config.toml among the user's]"),
        Arg::new("timeout")
            .long("timeout")
            .value_name("SECONDS")
            .value_parser(value_parser!(u64).range(1..=3600))
            .default_value("60")
            .help("Timeout of an API call, and of a stalled transfer"),
        switch("dry-run", "Send nothing; print what would be sent"),
        switch("json", "Print the result, or the error and its cause, as one JSON object"),
        switch("quiet", "No progress on standard error").short('q'),
    ])
}

//! `cargo xtask`: everything a developer types. One module a command.

mod bench;
mod docs;
mod env;
mod fuzz;
mod heads;
mod instructions;
mod million;
mod package;
mod quality;
mod referees;
mod scaling;
mod step;
mod test;
mod tools;
mod training;
mod wheel;
mod workspace;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  test [--no-python]    Everything that must pass before a commit: format, lints, rules of the workspace, tests,
                        licences, release build, reference page, instruction counts, referees. Installs the tools
                        it needs where it can (Debian and Ubuntu as root); skips by name what a missing tool needs,
                        or fails if CI=true. --no-python skips the referees.
  env                   Make the referees' Python environment (target/referees) where it is missing or out of date.
  bench [--data DIR] [--peers NAMES] [--tables NAMES] [NAME..]
                        Our numbers beside the peers': parse, forest, mlp, python, training (all unless named), on the
                        tables train and val of DIR (examples/sentences; training makes its own); scaling, the cost of
                        fits of growing size; and heads, on rows it makes. Only when they are named: million, a fit
                        on a million rows by the cache (4 GB of temporary files); and quality, on public tables
                        that it makes from packages (three hours; environments of 6 GB for the peers autogluon and
                        flaml, of which --peers measures those named, or none; --tables measures some of the tables
                        and leaves the documents as they are). Writes to target/bench.
  fuzz [--seconds N] [TARGET..]
                        Run every fuzz target (or those named) for N seconds each (60).
  instructions [--record]
                        Count the instructions of small trainings with valgrind and compare them with
                        bench/instructions.json, or write them there.
  wheel                 Build the Python wheel that is published into target/wheels: small, which takes twice the time of
                        the one that maturin builds by default.
  docs                  Write docs/reference.md anew from the binary, and the classes of the Python package from the extension.
";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
enum Command {
    Help,
    Test { python: bool },
    Env,
    Bench { data: String, suite: quality::Suite, names: Vec<String> },
    Fuzz { time: Duration, targets: Vec<String> },
    Instructions { record: bool },
    Docs,
    Wheel,
}

fn main() -> ExitCode {
    let command = match parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Help => {
            print!("{HELP}");
            Ok(())
        }
        Command::Test { python } => test::run(python),
        Command::Env => env::REFEREES.python().map(drop),
        Command::Bench { data, suite, names } => bench::run(&data, &suite, &names),
        Command::Fuzz { time, targets } => fuzz::run(time, &targets),
        Command::Instructions { record } => instructions::run(record),
        Command::Wheel => wheel::build(),
        Command::Docs => docs::write().and_then(|()| package::generate()),
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Command> {
    let name = args.next().unwrap_or_else(|| "help".to_owned());
    let mut words = Vec::new();
    let (mut python, mut record, mut data, mut seconds) = (true, false, None, None);
    let mut suite = quality::Suite::default();
    while let Some(arg) = args.next() {
        match (name.as_str(), arg.as_str()) {
            ("test", "--no-python") => python = false,
            ("instructions", "--record") => record = true,
            ("bench", "--data") => data = Some(value(&arg, args.next())?),
            ("bench", "--peers") => suite.peers = Some(value(&arg, args.next())?),
            ("bench", "--tables") => suite.tables = Some(value(&arg, args.next())?),
            ("fuzz", "--seconds") => seconds = Some(value(&arg, args.next())?.parse()?),
            ("bench" | "fuzz", word) if !word.starts_with('-') => words.push(arg),
            _ => bail!("`{name}` does not take `{arg}`"),
        }
    }
    Ok(match name.as_str() {
        "help" | "--help" | "-h" => Command::Help,
        "test" => Command::Test { python },
        "env" => Command::Env,
        "bench" => {
            Command::Bench { data: data.unwrap_or_else(|| "examples/sentences".into()), suite, names: words }
        }
        "fuzz" => Command::Fuzz { time: Duration::from_secs(seconds.unwrap_or(60)), targets: words },
        "instructions" => Command::Instructions { record },
        "docs" => Command::Docs,
        "wheel" => Command::Wheel,
        _ => bail!("there is no command `{name}`"),
    })
}

fn value(flag: &str, value: Option<String>) -> Result<String> {
    value.ok_or_else(|| anyhow::anyhow!("`{flag}` needs a value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_take_their_own_options_alone() {
        assert_eq!(parsed("").unwrap(), Command::Help);
        assert_eq!(parsed("test --no-python").unwrap(), Command::Test { python: false });
        let (time, targets) = (Duration::from_secs(600), vec!["npy".to_owned()]);
        assert_eq!(parsed("fuzz --seconds 600 npy").unwrap(), Command::Fuzz { time, targets });
        assert_eq!(parsed("instructions --record").unwrap(), Command::Instructions { record: true });
        let suite = quality::Suite { peers: Some("none".to_owned()), tables: Some("digits".to_owned()) };
        let (data, names) = ("faces".to_owned(), vec!["quality".to_owned()]);
        assert_eq!(
            parsed("bench --data faces --peers none --tables digits quality").unwrap(),
            Command::Bench { data, suite, names }
        );
        for wrong in
            ["tset", "test npy", "env --seconds 1", "fuzz --seconds", "fuzz --seconds x", "bench --datum x"]
        {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}

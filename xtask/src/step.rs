//! A step: one command, one line when it ends, and on failure the command to run again.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// Runs `command`, its output going where ours goes, and says how long it took.
///
/// # Errors
/// When it cannot be started or ends with another status than 0.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<()> {
    let start = Instant::now();
    let status = command.status().with_context(|| format!("cannot start `{}`", typed(command)))?;
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        println!("FAILED {name} ({seconds:.1} s)");
        bail!("{name} failed; to run it again: {}", typed(command));
    }
    done(name, seconds);
    Ok(())
}

/// The line of a step that went well.
pub(crate) fn done(name: &str, seconds: f64) {
    println!("ok {name} ({seconds:.1} s)");
}

/// The command as one would type it in the workspace's root.
pub(crate) fn typed(command: &Command) -> String {
    let envs = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value?.to_string_lossy())))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    envs.chain(words.map(|word| quoted(&word.to_string_lossy()))).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains([' ', '\'', '"', '$', '*']) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_it_is_typed() {
        let mut command = Command::new("cargo");
        command.args(["test", "it's one word"]).env("SEED", "a b").env_remove("HOME");
        assert_eq!(typed(&command), r"SEED='a b' cargo test 'it'\''s one word'");
    }

    #[test]
    fn a_step_that_fails_names_the_command() {
        let error = run("nothing", Command::new("cargo").arg("no-such-command-here")).unwrap_err();
        assert!(error.to_string().ends_with("to run it again: cargo no-such-command-here"), "{error}");
        run("help", Command::new("cargo").args(["help", "--quiet"]).stdout(std::process::Stdio::null()))
            .unwrap();
    }
}

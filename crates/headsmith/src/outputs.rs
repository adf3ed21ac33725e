//! Checks that outputs do not overwrite inputs or each other.

use std::path::Path;

use headsmith_data::output::{self, resolved};

use crate::error::{Error, Result};

/// Refuses outputs that would overwrite an input or each other.
///
/// # Errors
/// If two of the paths are the same file; the message names them.
pub fn refuse_overwriting(inputs: &[&Path], outputs: &[&Path]) -> Result<()> {
    for (i, output) in outputs.iter().enumerate() {
        let same = |other: &&&Path| resolved(other) == resolved(output);
        if inputs.iter().any(|input| same(&input)) {
            let path = output.display();
            return Err(Error::usage(format!(
                "{path} is read and cannot be written as well: name another output"
            )));
        }
        if outputs[..i].iter().any(|other| same(&other)) {
            return Err(Error::usage(format!(
                "{} would be written twice: name another output",
                output.display()
            )));
        }
    }
    Ok(())
}

/// Checks that `path` can be written, before work is done for it; see [`output::prepare`].
///
/// # Errors
/// If it cannot be written.
pub fn prepare(path: &Path) -> Result<()> {
    Ok(output::prepare(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_under_two_names_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a.csv"), "").unwrap();
        std::fs::create_dir(at("sub")).unwrap();
        let refused = |inputs: &[&Path], outputs: &[&Path]| {
            refuse_overwriting(inputs, outputs).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(refused(&[&at("a.csv")], &[&at("b.csv"), &at("b.zip")]), "");
        assert!(refused(&[&at("a.csv")], &[&at("sub/../a.csv")]).contains("is read"));
        assert!(refused(&[], &[&at("b.zip"), &at("sub/../b.zip")]).contains("written twice"));
    }
}

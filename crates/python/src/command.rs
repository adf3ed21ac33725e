//! The command `headsmith`, which comes with the package.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Does what `args` ask for, the name of the program before them, and gives the exit status.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, args: Vec<OsString>) -> u8 {
    py.detach(|| headsmith_cli::run(args))
}

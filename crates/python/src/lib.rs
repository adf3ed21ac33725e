//! The extension module of the Python package `headsmith`: arrays, errors and threads as Python has them, around the library.
//!
//! It decides nothing: checks of arguments, names and documentation are in `python/headsmith`, the rest in the crates below.

mod arrays;
mod command;
mod declarations;
mod distributions;
mod errors;
mod fit;
mod model;
mod page;
mod pools;
mod proposals;
mod scores;
mod search;
mod tables;
mod transform;
mod tune;
mod words;
mod work;

use pyo3::prelude::*;

/// The module `headsmith._headsmith`.
#[pymodule]
fn _headsmith(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_class::<transform::Transform>()?;
    module.add_class::<tables::Table>()?;
    module.add_class::<proposals::Tpe>()?;
    module.add_class::<proposals::Trial>()?;
    module.add_class::<proposals::Proposal>()?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(search::search, module)?)?;
    module.add_function(wrap_pyfunction!(page::report, module)?)?;
    module.add_function(wrap_pyfunction!(scores::scores, module)?)?;
    module.add_function(wrap_pyfunction!(tables::inspect, module)?)?;
    module.add_function(wrap_pyfunction!(tune::tune, module)?)?;
    module.add_function(wrap_pyfunction!(declarations::declarations, module)?)?;
    module.add_function(wrap_pyfunction!(command::main, module)?)
}

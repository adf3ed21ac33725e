//! Threads for predictions, which live as long as the process: starting them takes longer than a small prediction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use headsmith::{MatRef, Pool};
use pyo3::PyResult;
use pyo3::exceptions::PyRuntimeError;

static POOLS: Mutex<BTreeMap<usize, Arc<Pool>>> = Mutex::new(BTreeMap::new());

/// Values below which other threads are not worth waking.
const SMALL: usize = 1 << 14;

/// The threads for a prediction of `x` with `n_jobs` threads at most.
///
/// # Errors
/// When the system cannot start them.
pub(crate) fn for_rows(x: MatRef<'_>, n_jobs: usize) -> PyResult<Arc<Pool>> {
    if n_jobs < 2 || x.as_slice().len() < SMALL {
        return Ok(Arc::new(Pool::inline()));
    }
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&n_jobs) {
        return Ok(pool.clone());
    }
    let pool = Arc::new(start(n_jobs)?);
    pools.insert(n_jobs, pool.clone());
    Ok(pool)
}

/// So many threads.
///
/// # Errors
/// When the system cannot start them.
pub(crate) fn start(n_jobs: usize) -> PyResult<Pool> {
    let failed =
        |cause| PyRuntimeError::new_err(format!("the system cannot start {n_jobs} threads: {cause}"));
    Pool::new(n_jobs).map_err(failed)
}

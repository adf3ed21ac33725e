//! Which cuts the nodes of a forest compare: the kinds of forests.

use super::params::{EXTRA_TABLE, TABLE};
use crate::error::Result;
use crate::params::{Params, Table};

/// The cuts that a node compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cuts {
    /// All cuts of the drawn features.
    All,
    /// One cut of each drawn feature, at a threshold that is drawn, too.
    Drawn,
}

impl Cuts {
    /// Those of the forest whose parameters these are.
    ///
    /// # Errors
    /// When they are of another head.
    pub(super) fn of(params: &Params) -> Result<Cuts> {
        match params.of(&EXTRA_TABLE) {
            Ok(_) => Ok(Cuts::Drawn),
            Err(_) => params.of(&TABLE).map(|_| Cuts::All),
        }
    }

    /// The parameters of the forest.
    pub(super) fn table(self) -> &'static Table {
        match self {
            Cuts::All => &TABLE,
            Cuts::Drawn => &EXTRA_TABLE,
        }
    }
}

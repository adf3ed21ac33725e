//! `cargo xtask bench`: our numbers beside the peers'.

use anyhow::Result;

pub(crate) fn run(_data: &str, _names: &[String]) -> Result<()> {
    Ok(())
}

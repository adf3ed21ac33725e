"""The programs that the release build of `cargo xtask test` makes beside the command."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# As in xtask/src/workspace.rs: other packages would unify other features, and most would be built again.
PACKAGES = ["headsmith-cli", "headsmith-data", "headsmith-heads", "headsmith-python"]
BUILD = ["cargo", "build", "--quiet", "--release", "--locked", "--bins", "--examples", "--lib", *(f"--package={name}" for name in PACKAGES)]


def program(example):
    """The path of an example's program."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples" / example


def build():
    """Makes the release build if it is not up to date."""
    subprocess.run(BUILD, cwd=ROOT, check=True)

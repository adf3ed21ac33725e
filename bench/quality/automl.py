"""The rows of AutoGluon and FLAML: each runs in a process of its own environment, with 200 s for its search.

The environments are made by `cargo xtask bench quality` from the requirements named here.
"""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
SECONDS = 200


@dataclass
class Peer:
    title: str
    script: str
    requirements: str


PEERS = {
    "autogluon": Peer(f"AutoGluon best_quality {SECONDS} s", "peer_autogluon.py", "autogluon.txt"),
    "flaml": Peer(f"FLAML {SECONDS} s", "peer_flaml.py", "flaml.txt"),
}


def key(peer):
    """What a peer's results depend on beside the table: the packages of its environment, and how it is called."""
    found = hashlib.sha256()
    for file in [peer.requirements, peer.script, "peer_process.py"]:
        found.update((FOLDER / file).read_bytes())
    return [found.hexdigest()[:16], str(SECONDS)]


def run(peer, python, folder, out, classes):
    """Labels and probabilities of the test part (classes as numbers), what was chosen, and the seconds of the fit."""
    out.mkdir(parents=True, exist_ok=True)
    command = [python, FOLDER / peer.script, folder.resolve(), out.resolve(), SECONDS]
    # Warnings are for people who look on; the log is kept.
    with open(out / "log.txt", "w") as log:
        code = subprocess.run(list(map(str, command)), stdout=log, stderr=log, env=os.environ | {"PYTHONWARNINGS": "ignore"}).returncode
    if code != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed; its log is {out / 'log.txt'}")
    predicted, note = np.load(out / "predictions.npz"), json.loads((out / "fit.json").read_text())
    number = {name: i for i, name in enumerate(classes)}
    proba = np.zeros((len(predicted["labels"]), len(classes)))
    proba[:, [number[name] for name in predicted["classes"]]] = predicted["proba"]
    return np.array([number[name] for name in predicted["labels"]]), proba, note["chosen"], note["seconds"]

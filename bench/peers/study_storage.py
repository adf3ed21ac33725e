"""Storage time of a trial with 5 parameters and 20 reports, ours and Optuna's, in SQLite, in turns: python study_storage.py FOLDER

FOLDER is on the disk that is to be measured. Ours is the example storage_worker of a release build.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna

ROOT = Path(__file__).resolve().parents[2]
WORKER = os.environ.get("HEADSMITH_STORAGE_WORKER", ROOT / "target/release/examples/storage_worker")
ROUNDS, OURS, THEIRS = 5, 200, 5

optuna.logging.set_verbosity(optuna.logging.ERROR)


def ours(url):
    return float(subprocess.check_output([WORKER, "time", url, "timed", str(OURS)], text=True)) / OURS


def theirs(url):
    study = optuna.create_study(storage=url, sampler=optuna.samplers.RandomSampler())
    start = time.perf_counter()
    for _ in range(THEIRS):
        trial = study.ask()
        trial.suggest_float("x", 1e-5, 1.0, log=True)
        trial.suggest_float("s", 0.0, 1.0, step=0.25)
        trial.suggest_int("n", 1, 9, step=2)
        trial.suggest_int("m", 1, 1024, log=True)
        trial.suggest_categorical("c", [None, True, 3, 0.5, "a"])
        for step in range(20):
            trial.report(1 / (1 + step), step)
        study.tell(trial, 0.05)
    return (time.perf_counter() - start) / THEIRS


def main(folder):
    with tempfile.TemporaryDirectory(dir=folder) as folder:
        urls = (f"sqlite:///{folder}/{n}.db" for n in itertools.count())
        rounds = [(ours(next(urls)), theirs(next(urls))) for _ in range(ROUNDS)]
    mine, peer = [[1000 * seconds for seconds in side] for side in zip(*rounds)]
    row = {"what": "storage of a trial, 20 reports, SQLite", "ours": mine, "peer": peer, "unit": "ms", "name": "Optuna"}
    print(json.dumps(row))
    print(f"medians: ours {statistics.median(mine):.2f} ms, Optuna {statistics.median(peer):.1f} ms", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ".")

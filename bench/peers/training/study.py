"""A study with the notebook's pruner here, and the time that Keras needs for the very same trials.

    python study.py TRAIN VAL ARRAYS [--trials 16] [--epochs 100] [--seed 0]

TRAIN and VAL are tables, ARRAYS the folder of raw arrays of the same size (see run.py). The study of the notebook's space runs
from random starts, with `patient-hyperband` and without early stopping, one thread a trial, as many at once as there are
cores. Keras, on the backend of KERAS_BACKEND and on all cores, then trains each trial for as many epochs as it had: it is timed
while it builds and compiles the network with a first epoch, and for two epochs more, of which the faster stands for the rest.
Prints both times.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import keras

import peer
import peer_keras

HEADSMITH = os.environ.get("HEADSMITH", str(Path(__file__).resolve().parents[3] / "target/release/headsmith"))


def study(options):
    """The trials of a study, each with its parameters and number of epochs, and the seconds that the command took."""
    with tempfile.TemporaryDirectory() as folder:
        storage = ["--storage", f"sqlite:///{folder}/study.db"]
        command = [HEADSMITH, "tune", "--train", options.train, "--val", options.val, *storage, "--random-start", "--quiet"]
        command += ["--pruner", "patient-hyperband", "--patience", "none", "--trials", options.trials]
        command += ["--epochs", options.epochs, "--seed", options.seed]
        start = time.perf_counter()
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        listed = subprocess.run([HEADSMITH, "study", "trials", *storage, "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(listed.stdout), seconds


def trial(arrays, params, n_epochs):
    """What Keras needs for a trial, in seconds."""
    keras.backend.clear_session()
    task = peer.Task(arrays, params)
    start = time.perf_counter()
    trainer = peer_keras.Trainer(task)
    trainer.train(1)
    first = time.perf_counter() - start
    epoch = min(e["seconds"] for e in trainer.train(2)) if n_epochs > 1 else 0.0
    return first + (n_epochs - 1) * epoch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train")
    parser.add_argument("val")
    parser.add_argument("arrays")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    trials, seconds = study(options)
    theirs = 0.0
    for one in trials:
        theirs += trial(options.arrays, one["params"], one["epochs"])
    n_epochs = sum(one["epochs"] for one in trials)
    print(f"{len(trials)} trials, {n_epochs} epochs: {seconds:.1f} s; {keras.backend.backend()}: {theirs:.1f} s, {theirs / seconds:.2f} times as long")


if __name__ == "__main__":
    main()

"""Those who are timed, each in processes of its own, which stay and train when told to: the peers, and ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
N_CORES = len(os.sched_getaffinity(0))
OURS = os.environ.get("HEADSMITH_MLP", str(HERE.parents[2] / "target/release/examples/mlp"))
# Ours: how many fits at once, of how many threads.
FIT, STUDY, ALONE = "one fit", f"{N_CORES} fits", "one thread"
FITS = {FIT: (1, N_CORES), STUDY: (N_CORES, 1), ALONE: (1, 1)}
# The script of each peer, its arguments and its environment.
PEERS = {
    "PyTorch": ("peer_torch.py", [], {}),
    "JAX": ("peer_jax.py", [], {}),
    "Keras on JAX": ("peer_keras.py", [], {"KERAS_BACKEND": "jax"}),
    "Keras on TensorFlow": ("peer_keras.py", [], {"KERAS_BACKEND": "tensorflow"}),
    "Keras eager": ("peer_keras.py", ["--eager"], {"KERAS_BACKEND": "tensorflow"}),
}
EAGER = "Keras eager"


class Contender:
    """Processes that have the data and wait, a peer's compiled and warm; each trains its own fit."""

    def __init__(self, commands, environment):
        pipe = subprocess.PIPE
        options = {"env": os.environ | environment, "stdin": pipe, "stdout": pipe, "stderr": subprocess.DEVNULL, "text": True}
        self.command = " ".join(commands[0])
        self.processes = [subprocess.Popen(command, **options) for command in commands]
        self.about = self._answers()[0]

    def _answers(self):
        lines = [process.stdout.readline() for process in self.processes]
        assert all(lines), f"it ended before its time; to see why: {self.command}"
        return [json.loads(line) for line in lines]

    def train(self, n_epochs):
        """Seconds and losses of each of the next epochs, for each of the fits."""
        for process in self.processes:
            process.stdin.write(f"{n_epochs}\n")
            process.stdin.flush()
        return self._answers()

    def seconds(self, n_epochs):
        """The seconds of the next epochs. Of fits at once: those between two epochs of whichever fit."""
        fits = [answer["seconds"] for answer in self.train(n_epochs)]
        return [1 / sum(1 / seconds for seconds in epoch) for epoch in zip(*fits)]

    def close(self):
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait()


def peer(name, folder, configuration):
    """The peer of this name, ready."""
    script, arguments, environment = PEERS[name]
    return Contender([[sys.executable, str(HERE / script), str(folder), json.dumps(configuration), *arguments]], environment)


def ours(name, folder, configuration):
    """The example binary of the crate of heads, ready: a fit that nothing stops early."""
    n_fits, n_threads = FITS[name]
    given = configuration | {"patience": "none", "plateau_patience": "none", "epochs": 1_000_000}
    words = [str(word) for pair in given.items() for word in pair]
    start = [OURS, "--turns", str(folder), "3"]
    return Contender([[*start, str(seed), str(n_threads), *words] for seed in range(n_fits)], {})


def begin(name, folder, configuration):
    """The contender of this name, ready."""
    return (peer if name in PEERS else ours)(name, folder, configuration)

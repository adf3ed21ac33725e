"""Those who are timed, each in processes of its own: the peers, which stay and train when told to, and ours."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
N_CORES = len(os.sched_getaffinity(0))
OURS = os.environ.get("HEADSMITH_MLP", str(HERE.parents[2] / "target/release/examples/mlp"))
FIT, STUDY = "headsmith, one fit", f"headsmith, {N_CORES} fits"
# The script of each peer, its arguments and its environment.
PEERS = {
    "PyTorch": ("peer_torch.py", [], {}),
    "JAX": ("peer_jax.py", [], {}),
    "Keras on TensorFlow": ("peer_keras.py", [], {"KERAS_BACKEND": "tensorflow"}),
    "Keras on JAX": ("peer_keras.py", [], {"KERAS_BACKEND": "jax"}),
    "Keras eager": ("peer_keras.py", ["--eager"], {"KERAS_BACKEND": "tensorflow"}),
}
EAGER = "Keras eager"


class Peer:
    """A peer that has the data, has compiled, and waits."""

    def __init__(self, name, folder, configuration):
        script, arguments, environment = PEERS[name]
        command = [sys.executable, str(HERE / script), str(folder), json.dumps(configuration), *arguments]
        environment = os.environ | environment
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self.command = " ".join(command)
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, f"a peer ended before its time; to see why: {self.command} --epochs 1"
        return json.loads(line)

    def train(self, n_epochs):
        """Seconds and scores of each of the next epochs."""
        self.process.stdin.write(f"{n_epochs}\n")
        self.process.stdin.flush()
        return self.answer()

    def turn(self, n_epochs):
        """The seconds of an epoch, the median of so many."""
        return statistics.median(self.train(n_epochs)["seconds"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Ours:
    """The example binary of the crate of heads, begun anew each turn. As a study it runs as many fits of one thread at
    once as there are cores; then the seconds of an epoch are those between two epochs of whichever fit."""

    def __init__(self, name, folder, configuration):
        self.n_fits, threads = (1, N_CORES) if name == FIT else (N_CORES, 1)
        given = {k: v for k, v in configuration.items()} | {"patience": "none", "plateau_patience": "none"}
        words = [str(word) for pair in given.items() for word in pair]
        self.commands = [[OURS, str(folder), "3", str(seed), str(threads), *words] for seed in range(self.n_fits)]
        self.about = {"about": f"{self.n_fits} x {threads} threads"}

    def train(self, n_epochs):
        """What each of the fits prints."""
        commands = [[*command, "epochs", str(n_epochs)] for command in self.commands]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
        answers = [process.communicate()[0] for process in processes]
        assert all(p.returncode == 0 for p in processes), f"failed: {' '.join(commands[0])}"
        return [json.loads(answer) for answer in answers]

    def turn(self, n_epochs):
        """The seconds of an epoch. The first, in which the memory is new, is left out."""
        fits = [fit["epoch_seconds"][1:] for fit in self.train(n_epochs + 1)]
        return 1 / sum(1 / statistics.median(seconds) for seconds in fits)

    def close(self):
        pass


def begin(name, folder, configuration):
    """The contender of this name, ready."""
    return (Peer if name in PEERS else Ours)(name, folder, configuration)

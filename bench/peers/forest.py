"""The random forest beside scikit-learn's, both with their defaults and all cores: python forest.py FOLDER"""

import sys
import tempfile
import time
from pathlib import Path

import measure

SEEDS = 3
NAME = "scikit-learn"


def theirs(folder, seed):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score

    x, y, vx, vy = measure.saved(folder)
    forest = RandomForestClassifier(n_jobs=measure.JOBS, random_state=seed)
    start = time.perf_counter()
    forest.fit(x, y)
    seconds = time.perf_counter() - start
    return seconds, f1_score(vy, forest.predict(vx), average="weighted")


def main(data):
    train, val = measure.table(data, "train"), measure.table(data, "val")
    with tempfile.TemporaryDirectory() as folder:
        measure.save(folder, train, val)
        fit = ["fit", "forest", "--train", train, "--val", val, "--model", Path(folder) / "m.safetensors"]
        runs = [(measure.headsmith(*fit, "--seed", s), measure.peer(theirs, folder, s)) for s in range(SEEDS)]
    ours, memory = [run[0][0] for run in runs], [run[0][1] for run in runs]
    peer, peer_memory = [run[1][0] for run in runs], [run[1][1] for run in runs]
    measure.row("forest fit", [o["fit_seconds"] for o in ours], [p[0] for p in peer], "s", NAME)
    measure.row("forest peak memory of the process", memory, peer_memory, "MB", NAME)
    f1 = [o["val"]["weighted_f1"] for o in ours], [p[1] for p in peer]
    measure.row("forest validation weighted F1", *f1, "", NAME)


if __name__ == "__main__":
    main(sys.argv[1])

"""The random forest beside scikit-learn's, both with their defaults and all cores: python measure_forest.py FOLDER"""

import sys
import tempfile
from pathlib import Path

import measure

SEEDS = 3
NAME = "scikit-learn"


def theirs(folder, seed):
    import forest

    x, y, vx, vy = measure.saved(folder)
    return forest.theirs((x, y), (vx, vy), measure.JOBS, seed)


def main(data):
    train, val = measure.table(data, "train"), measure.table(data, "val")
    with tempfile.TemporaryDirectory() as folder:
        measure.save(folder, train, val)
        fit = ["fit", "forest", "--train", train, "--val", val, "--model", Path(folder) / "m.safetensors"]
        runs = [(measure.headsmith(*fit, "--seed", s), measure.peer(theirs, folder, s)) for s in range(SEEDS)]
    (ours, memory), (peer, peer_memory) = [zip(*side) for side in zip(*runs)]
    measure.row("forest fit", [o["fit_seconds"] for o in ours], [p["fit"] for p in peer], "s", NAME)
    measure.row("forest peak memory of the process", memory, peer_memory, "MB", NAME)
    f1 = [o["val"]["weighted_f1"] for o in ours], [p["weighted_f1"] for p in peer]
    measure.row("forest validation weighted F1", *f1, "", NAME)


if __name__ == "__main__":
    main(sys.argv[1])

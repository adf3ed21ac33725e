"""A peer of the quality suite as a process of its own environment: fits to a table's train part, predicts the test part.

    PYTHON bench/quality/peer_NAME.py TABLE OUT SECONDS

TABLE is a table's folder; of its test part only the features are read. Writes `predictions.npz` (labels, probabilities and
the classes of their columns) and `fit.json` (what was chosen, seconds) to the folder OUT.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import tables


def main(fit):
    """`fit` gives, of (features, labels, groups or None), seconds and a folder: what predicts, and what tells what was chosen,
    which is asked after the clock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("seconds", type=int)
    args = parser.parse_args()
    train = tables.read(args.table.parent, args.table.name, "train")
    queries = tables.read(args.table.parent, args.table.name, "test")[0]
    start = time.perf_counter()
    predict, chosen = fit(train, args.seconds, args.out)
    fitted = time.perf_counter()
    labels, proba, classes = predict(queries)
    if labels is None:
        raise SystemExit("error: no model was fitted")
    predicted = time.perf_counter()
    np.savez(args.out / "predictions.npz", labels=np.array(labels, dtype=str), proba=np.array(proba, dtype=float), classes=np.array(classes, dtype=str))
    note = {"chosen": chosen(), "seconds": fitted - start, "predict_seconds": predicted - fitted}
    (args.out / "fit.json").write_text(json.dumps(note, default=str))

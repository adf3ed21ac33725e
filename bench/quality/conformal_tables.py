"""Tables for the studies of conformal sets: each gives rows to learn from and new rows, as features and labels in text, drawn anew for each seed."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import datasets

from coverage import EVEN, RARE, Case, Population

SENTENCES = Path(__file__).resolve().parents[2] / "examples/sentences"
N_NEW = 5_000


def write(file, x, labels, **columns):
    lists = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(x, dtype=np.float32).ravel()), x.shape[1])
    pq.write_table(pa.table({"embeddings": lists, "label": [str(label) for label in labels], **columns}), file)


def simulated(n_rows, shares=EVEN):
    """Rows of a known distribution; new rows are drawn from the same one."""

    def draw(seed):
        population = Population(seed, Case(n_rows, shares))
        return [(x, [f"c{label}" for label in y]) for x, y, _ in [population.draw(n_rows), population.draw(N_NEW)]]

    return draw


def halves(read):
    """A random half of a real table, and the other half."""

    def draw(seed):
        x, labels = read()
        order = np.random.default_rng(seed).permutation(len(labels))
        half = len(labels) // 2
        return [(x[part], [str(labels[i]) for i in part]) for part in (order[:half], order[half:])]

    return draw


def bundled(load):
    return lambda: (load.data.astype(np.float32), load.target)


def sentences():
    tables = [pq.read_table(SENTENCES / name).to_pydict() for name in ["train.parquet", "val.parquet"]]
    column = next(name for name, values in tables[0].items() if isinstance(values[0], list))
    x = np.array([row for table in tables for row in table[column]], dtype=np.float32)
    return x, [label for table in tables for label in table["label"]]


REAL = {
    "sentences": halves(sentences),
    "digits": halves(bundled(datasets.load_digits())),
    "wine": halves(bundled(datasets.load_wine())),
    "breast cancer": halves(bundled(datasets.load_breast_cancer())),
}

SIMULATED = {"simulated": simulated(500), "rare classes": simulated(1000, RARE)}

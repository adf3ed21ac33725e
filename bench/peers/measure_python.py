"""The Python package beside the command, and each head beside its twin in scikit-learn: python measure_python.py FOLDER

On the table `train` of FOLDER. Twins learn from the same features, and search where ours search; ours make no calibration that theirs lack. Both sides take turns, with all
cores. The command's fit is the time that it states, without reading; ours through Python is that of the call.
"""

import statistics
import sys
import tempfile
import time
import warnings

import measure

TURNS = 3
N_QUERIES = 5_000
N_CALLS = 1_000
COMMAND, TWIN = "command", "scikit-learn"
# Class, parameters beside `scale`, twin and its parameters. scikit-learn has no twin of the kernel machine.
TWINS = [
    ("RandomForestClassifier", {}, "ensemble.RandomForestClassifier", {"n_jobs": -1}),
    ("ExtraTreesClassifier", {}, "ensemble.ExtraTreesClassifier", {"n_jobs": -1}),
    ("LogisticClassifier", {"c": 1.0, "tol": 1e-4}, "linear_model.LogisticRegression", {"max_iter": 1000}),
    ("RidgeClassifier", {"calibration": None}, "linear_model.RidgeClassifierCV", {"alphas": [10.0**k for k in range(-6, 7)]}),
    ("GaussianClassifier", {}, "discriminant_analysis.LinearDiscriminantAnalysis", {"solver": "lsqr", "shrinkage": "auto"}),
    ("SVMClassifier", {"calibration": None}, "svm.SVC", {"cache_size": 2000}),
    ("KNNClassifier", {"n_neighbors": 10, "distance": "euclidean", "weights": "uniform"}, "neighbors.KNeighborsClassifier", {"n_neighbors": 10, "n_jobs": -1}),
    ("CentroidClassifier", {}, "neighbors.NearestCentroid", {}),
    ("MLPClassifier", {"epochs": 10, "batch_size": 256}, "neural_network.MLPClassifier", {"hidden_layer_sizes": (512,), "max_iter": 10, "batch_size": 256}),
    ("KernelClassifier", {"gamma": 1.0, "alpha": 0.01, "spectrum": None, "calibration": None}, None, {}),
]


def twin(path, params):
    from importlib import import_module

    module, name = path.split(".")
    return getattr(import_module(f"sklearn.{module}"), name)(**params)


def seconds(work, *args):
    start = time.perf_counter()
    work(*args)
    return time.perf_counter() - start


def fits(name, params, path, theirs, folder):
    """Seconds of the fits and predictions of a class and its twin."""
    import headsmith
    import numpy as np

    warnings.simplefilter("ignore")
    x, y, *_ = measure.saved(folder)
    queries = np.resize(x, (N_QUERIES, x.shape[1]))
    found = {key: [] for key in ["fit", "predict", "fit of twin", "predict of twin"]}
    for _ in range(TURNS):
        ours = getattr(headsmith, name)(**params, scale="none")
        found["fit"].append(seconds(ours.fit, x, y))
        found["predict"].append(seconds(ours.predict, queries))
        if path:
            peer = twin(path, theirs)
            found["fit of twin"].append(seconds(peer.fit, x, y))
            found["predict of twin"].append(seconds(peer.predict, queries))
    return found


def command(name, params, table, folder):
    """The seconds that the command states for the same fit."""
    flags = [word for key, value in params.items() for word in (f"--{key.replace('_', '-')}", "none" if value is None else value)]
    fit = ["fit", head(name), "--train", table, "--val-share", 0, "--scale", "none", *flags, "--model", f"{folder}/model.safetensors"]
    return measure.headsmith(*fit)[0]["fit_seconds"]


def head(name):
    return measure.peer(_head, name)[0]


def _head(name):
    import headsmith

    return getattr(headsmith, name)._head


def one_row(folder):
    """Seconds of a prediction of one row by a network of two layers, and of a pass over its weights."""
    import headsmith
    import numpy as np

    x, y, *_ = measure.saved(folder)
    network = headsmith.MLPClassifier(epochs=1, scale="none", n_jobs=1).fit(x, y)
    row = np.ascontiguousarray(x[:1])
    layers = [np.ones((x.shape[1], 512), np.float32), np.ones((512, len(network.classes_)), np.float32)]
    calls = lambda work: statistics.median(seconds(work) for _ in range(N_CALLS))
    return calls(lambda: network.predict_proba(row)), calls(lambda: row @ layers[0] @ layers[1])


def imports(module):
    """Seconds that an import takes beside NumPy's."""
    import importlib

    import numpy  # noqa: F401

    return seconds(importlib.import_module, module)


def main(data):
    table = measure.table(data, "train")
    with tempfile.TemporaryDirectory() as folder:
        measure.save(folder, table, table)
        for name, params, path, theirs in TWINS:
            times = [command(name, params, table, folder) for _ in range(TURNS)]
            found, _ = measure.peer(fits, name, params, path, theirs, folder)
            times += [command(name, params, table, folder) for _ in range(TURNS)]
            measure.row(f"{name}.fit", found["fit"], times, "s", COMMAND)
            for what in ["fit", "predict"] if path else []:
                measure.row(f"{name}.{what}", found[what], found[f"{what} of twin"], "s", f"{TWIN}'s {path.split('.')[-1]}")
        ours, product = measure.peer(one_row, folder)[0]
        measure.row("MLPClassifier.predict_proba of one row", [1e6 * ours], [1e6 * product], "us", "product of its matrices in NumPy")
    times = [[measure.peer(imports, module)[0] for _ in range(TURNS)] for module in ["headsmith", "sklearn.ensemble"]]
    measure.row("import, beside NumPy", *times, "s", "sklearn.ensemble")


if __name__ == "__main__":
    main(sys.argv[1])

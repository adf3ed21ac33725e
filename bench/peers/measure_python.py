"""The Python package beside the command, and each head beside its counterpart in scikit-learn: python measure_python.py FOLDER

On the table `train` of FOLDER. Both learn from the same features, and search where ours search; ours make no calibration that theirs lack. All cores; medians. The command's fit is the time that it states, without reading; ours through Python is that of the call.
"""

import statistics
import sys
import tempfile
import time
import warnings

import measure

TURNS = 5
N_QUERIES = 5_000
N_CALLS = 1_000
COMMAND, PEER = "command", "scikit-learn"
# Class, parameters beside `scale`, counterpart and its parameters. scikit-learn has none of the kernel machine.
COUNTERPARTS = [
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


def seconds(work, *args):
    start = time.perf_counter()
    work(*args)
    return time.perf_counter() - start


def estimator(name, params):
    """An estimator of ours, or of scikit-learn."""
    from importlib import import_module

    module, _, kind = name.rpartition(".")
    return getattr(import_module(module), kind)(**params)


def fits(name, params, folder):
    """Seconds of some fits and predictions, in a process without other libraries' threads, which wait for work by turning round."""
    import numpy as np

    warnings.simplefilter("ignore")
    x, y, *_ = measure.saved(folder)
    queries = np.resize(x, (N_QUERIES, x.shape[1]))
    found = {"fit": [], "predict": []}
    for _ in range(TURNS):
        model = estimator(name, params)
        found["fit"].append(seconds(model.fit, x, y))
        found["predict"].append(seconds(model.predict, queries))
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
        for name, params, path, theirs in COUNTERPARTS:
            times = [command(name, params, table, folder) for _ in range(TURNS)]
            ours, _ = measure.peer(fits, f"headsmith.{name}", params | {"scale": "none"}, folder)
            times += [command(name, params, table, folder) for _ in range(TURNS)]
            measure.row(f"{name}.fit", ours["fit"], times, "s", COMMAND)
            peer = measure.peer(fits, f"sklearn.{path}", theirs, folder)[0] if path else {}
            for what in peer:
                measure.row(f"{name}.{what}", ours[what], peer[what], "s", f"{PEER}'s {path.split('.')[-1]}")
        ours, product = measure.peer(one_row, folder)[0]
        measure.row("MLPClassifier.predict_proba of one row", [1e6 * ours], [1e6 * product], "us", "product of its matrices in NumPy")
    times = [[measure.peer(imports, module)[0] for _ in range(TURNS)] for module in ["headsmith", "sklearn.ensemble"]]
    measure.row("import, beside NumPy", *times, "s", "sklearn.ensemble")


if __name__ == "__main__":
    main(sys.argv[1])

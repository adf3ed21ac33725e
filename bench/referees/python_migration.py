"""The page on migrating says what is so: its counterparts agree, its parameters are all there are, and its snippets run.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_migration.py
"""

import inspect
import os
import re
import shutil
import tempfile
import textwrap
import warnings
from pathlib import Path

# Threads without a core of their own would wait for one another: scripts run side by side.
os.environ["OMP_NUM_THREADS"] = "1"

import headsmith as hs
import numpy as np
from sklearn import decomposition, discriminant_analysis, ensemble, linear_model, naive_bayes, neighbors, neural_network, preprocessing, svm
from sklearn.pipeline import make_pipeline

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/guide/migrating.md").read_text()
SENTENCES = ROOT / "examples/sentences"
SKLEARN = {name: getattr(module, name) for module in [decomposition, discriminant_analysis, ensemble, linear_model, naive_bayes, neighbors, neural_network, preprocessing, svm]
           for name in module.__all__}
NAMES = {**SKLEARN, "hs": hs, "np": np, "make_pipeline": make_pipeline}
N_ROWS = 1000


def ok(text):
    print(f"ok {text}", flush=True)


def rows_of(heading):
    """The cells of the first table after a heading."""
    lines = PAGE.split(heading, 1)[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def parted(table):
    return np.ascontiguousarray(table.X[: 2 * N_ROWS]), table.y[: 2 * N_ROWS]


def made(cell):
    return eval(cell.strip("`"), dict(NAMES))


def bound(what):
    """The difference that the page allows: `values to 0.01, without ties`."""
    return float(re.search(r" to ([\d.e-]+)", what)[1])


def agree(what, theirs, ours, rows):
    """Whether counterparts agree as the page says, and the figure by which they do."""
    x, y, queries, truth = rows
    for model in [theirs, ours]:
        model.fit(x, y)
    if what.startswith("values"):
        difference = np.abs(theirs.transform(queries) - ours.transform(queries)).max()
        return difference <= bound(what), difference
    own, their = ours.predict(queries), theirs.predict(queries)
    if what == "accuracy":
        gain = np.mean(own == truth) - np.mean(their == truth)
        return gain > -0.05 and (gain < 0.05 or "MLP" in repr(ours)), gain
    # Of two outputs that are equal but for the last digits either may be the larger.
    share = np.mean(own == their)
    if what == "labels":
        return share >= 0.998, share
    difference = np.abs(theirs.predict_proba(queries) - ours.predict_proba(queries)).max()
    return difference <= bound(what) and share >= 0.998, difference


def counterparts(train, val):
    rows = (*parted(train), val.X[:N_ROWS], val.y[:N_ROWS])
    shown = list(rows_of("### Counterparts"))
    assert len(shown) >= 20
    for theirs, ours, what in shown:
        is_same, found = agree(what, made(theirs), made(ours), rows)
        assert is_same, f"{theirs} and {ours}: {what}, found {found}"
    ok(f"{len(shown)} counterparts of scikit-learn agree as the page says")


def parameters():
    """Every parameter of a class of scikit-learn is the same here, renamed or named as not there; names that the page gives exist."""
    n_names = 0
    common = {"n_jobs", "verbose", "random_state"}
    for theirs, ours, renamed, missing in rows_of("### Parameters"):
        their_class, our_class = SKLEARN[theirs.strip("`")], getattr(hs, ours.strip("`"))
        known, own = set(inspect.signature(their_class).parameters), set(inspect.signature(our_class).parameters)
        gone = set(re.findall(r"`(\w+)`", missing))
        pairs = re.findall(r"`(\w+)=[^`]*` → `([^`]*)`", renamed)
        named = {name for name, _ in pairs} | set(re.findall(r"`(\w+)=", renamed))
        assert gone <= known, (theirs, gone - known)
        assert not (gone & own) - common, (theirs, gone & own)
        assert known - own - gone - named == set(), f"{theirs}: {known - own - gone - named} is not named"
        for name, there in pairs:
            assert name in known, (theirs, name)
            # What is given here is a class of its own, or parameters of this one.
            eval(f"hs.{there}" if there.endswith(")") else f"hs.{ours.strip('`')}({there})", {"hs": hs})
        n_names += len(known)
        defaults_as_said(their_class, our_class, (known & own) - common - {name for name, _ in pairs})
    assert n_names > 100
    ok(f"{n_names} parameters of scikit-learn's classes: the same, renamed, or named as not there")


def defaults_as_said(theirs, ours, names):
    """Parameters that the page does not mention have scikit-learn's default."""
    of = lambda kind, name: inspect.signature(kind).parameters[name].default
    other = {name: (of(theirs, name), of(ours, name)) for name in names if of(theirs, name) != of(ours, name)}
    assert not other, (theirs.__name__, other)


def snippets(train, val, folder):
    """The indented blocks, in their order."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, flags=re.MULTILINE)
    blocks = [textwrap.dedent(block).strip() for block in blocks if block.strip()]
    assert len(blocks) == 5, len(blocks)
    for name in ["train", "val"]:
        shutil.copy(SENTENCES / f"{name}.parquet", folder)
    os.chdir(folder)
    names = {}
    for block in blocks:
        exec(block, names)
        names["X"], names["y"], names["X_val"], names["y_val"] = *parted(train), val.X[:N_ROWS], val.y[:N_ROWS]
    assert names["scores"].confusion.sum() == N_ROWS and names["scores"].weighted_f1.interval.low > 0.5
    clf = names["clf"]
    assert clf.fit_info_["stopped"] == "early_stopping" and np.argmax(names["curve"]) == clf.fit_info_["best_epoch"], clf.fit_info_["stopped"]
    assert len(names["trials"]) == 5 and names["study"].best_value == max(trial.value for trial in names["trials"] if trial.state.name == "COMPLETE")
    assert names["final"].neurons0 == names["study"].best_params["neurons0"]
    assert (names["again"].predict(val.X) == names["auto"].predict(val.X)).all() and Path("report.html").stat().st_size > 10_000
    ok(f"{len(blocks)} snippets run, and give what the page says")


def keras_and_autogluon():
    """The parameters in the right columns of the other tables are those of the classes here."""
    n_given = 0
    for heading, kinds in [("## Keras and Optuna", [hs.MLPClassifier]), ("| Optuna |", [hs.tune]), ("## AutoGluon", [hs.AutoClassifier, hs.AutoClassifier.fit])]:
        known = {name for kind in kinds for name in inspect.signature(kind).parameters}
        table = PAGE[PAGE.index(heading) :] if heading.startswith("|") else PAGE.split(heading, 1)[1]
        lines = table.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("|---"))
        for line in lines[start + 1 :]:
            if not line.startswith("|"):
                break
            cell = line.strip("|").split("|")[1]
            given = {name for code in re.findall(r"`([^`]*)`", cell) if "hs.score" not in code for name in re.findall(r"(?<![\w.])(\w+)=", code)}
            assert given <= known | {"columns"}, (heading, given - known)
            n_given += len(given)
    assert n_given > 40
    ok(f"{n_given} parameters in the tables of Keras, Optuna and AutoGluon are there")


def main():
    warnings.simplefilter("ignore")
    train, val = hs.read(SENTENCES / "train.parquet"), hs.read(SENTENCES / "val.parquet")
    parameters()
    keras_and_autogluon()
    counterparts(train, val)
    with tempfile.TemporaryDirectory() as folder:
        snippets(train, val, folder)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()

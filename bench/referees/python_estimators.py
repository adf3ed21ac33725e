"""The Python package's estimators against scikit-learn's `check_estimator`, all of its checks for each estimator.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_estimators.py [NAME..]

The only check that may fail is that of sample weights that count like repeated rows, bit by bit, for heads that draw, take rows in batches or part them in
folds: with any of these, two rows are not one of weight 2. They are named in `EXPECTED` with the reason.
"""

import subprocess
import sys
import warnings
from pathlib import Path

import headsmith
from sklearn.utils.estimator_checks import check_estimator, check_sample_weight_equivalence_on_dense_data

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = "check_sample_weight_equivalence_on_dense_data"
EXPECTED = {
    "RandomForestClassifier": "draws bootstrap samples",
    "ExtraTreesClassifier": "counts rows, not their weights, in a leaf of at least two",
    "MLPClassifier": "takes rows in mini-batches",
    "LogisticClassifier": "chooses C in folds of the rows",
    "RidgeClassifier": "chooses alpha and calibrates by leaving rows out",
    "KernelClassifier": "chooses its parameters and calibrates by leaving rows out",
    "SVMClassifier": "calibrates in folds of the rows",
}
# The parameters with which an estimator is checked, beside one thread for fits of a few rows; the others are their defaults.
PARAMS = {
    # check_class_weight_classifiers sets min_weight_fraction_leaf, which these trees lack: leaves of single rows know no other class.
    "ExtraTreesClassifier": {"min_samples_leaf": 2},
    # Two steps of a search, so that fifty fits take seconds; the rows of two checks are copies of four.
    "AutoClassifier": {"steps": 2, "heads": ["gaussian", "ridge"], "trials": 0, "folds": 2},
}


def estimators():
    """All classes of the package that can be fitted, by name."""
    values = {name: getattr(headsmith, name) for name in headsmith.__all__}
    return {name: kind for name, kind in values.items() if hasattr(kind, "get_params") and name != "LoadedClassifier"}


def check(name, kind):
    """Fails where a check does that may not; gives the number that passed."""
    expected = {WEIGHTS: EXPECTED[name]} if name in EXPECTED else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(kind(**PARAMS.get(name, {}), n_jobs=1), expected_failed_checks=expected, on_fail=None, on_skip=None)
    faults = [result for result in results if result["status"] == "failed"]
    for fault in faults:
        print(f"{name}: {fault['check_name']}: {type(fault['exception']).__name__}: {fault['exception']}", flush=True)
    assert not faults, f"{name} fails {len(faults)} checks"
    # A reason that is no reason any more would hide a fault.
    unneeded = [result["check_name"] for result in results if result["check_name"] in expected and result["status"] == "passed"]
    assert not unneeded, f"{name} passes {unneeded}, which are expected to fail"
    return sum(result["status"] == "passed" for result in results)


def main():
    subprocess.run([sys.executable, ROOT / "crates/python/generate.py", "--check"], check=True)
    print("ok the classes of the package are what the library declares")
    # By default a leaf may have one row: then a row of weight 2 is as two rows are.
    check_sample_weight_equivalence_on_dense_data("ExtraTreesClassifier", headsmith.ExtraTreesClassifier(n_jobs=1))
    print(f"ok ExtraTreesClassifier: {WEIGHTS}, with leaves of any number of rows")
    found = estimators()
    for name in sys.argv[1:] or found:
        passed = check(name, found[name])
        may_fail = f", but {WEIGHTS}: {EXPECTED[name]}" if name in EXPECTED else ""
        print(f"ok {name}: {passed} of scikit-learn's checks{may_fail}", flush=True)


if __name__ == "__main__":
    main()

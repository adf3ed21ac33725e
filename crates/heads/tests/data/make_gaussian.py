"""Makes gaussian.json: what scikit-learn's LinearDiscriminantAnalysis, GaussianNB and QuadraticDiscriminantAnalysis predict.

Run with the referees' environment (bench/referees/requirements.txt: scikit-learn 1.9.1, numpy 2.4.6):

    python crates/heads/tests/data/make_gaussian.py

Rows are those of the formula of make_forest.py (repeated in tests/tables/mod.rs), moved by -0.75; of two classes the scores of a shared covariance are
half the difference, and minus it. Coefficients are those of each class less the mean over the classes.
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from make_forest import samples
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB

warnings.simplefilter("ignore")

HERE = pathlib.Path(__file__).parent


def case(shape, covariance, shrinkage="auto", uniform=False, var_smoothing=1e-9, constant=False):
    (x, y), (other, _) = samples(0, *shape), samples(5_000, 30, *shape[1:])
    x, other = x.astype(np.float64) - 0.75, other.astype(np.float64) - 0.75
    if constant:
        x[:, 1] = other[:, 1] = 0.25
    priors = np.full(shape[2], 1 / shape[2]) if uniform else None
    coefficients = None
    if covariance == "shared":
        fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=priors).fit(x, y)
        coefficients = fitted.coef_ if shape[2] > 2 else np.vstack([-fitted.coef_, fitted.coef_]) / 2
        coefficients = (coefficients - coefficients.mean(axis=0)).ravel().tolist()
    elif covariance == "diagonal":
        fitted = GaussianNB(priors=priors, var_smoothing=var_smoothing).fit(x, y)
    else:
        fitted = QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage, priors=priors, tol=0).fit(x, y)
    return {
        "shape": shape, "covariance": covariance, "shrinkage": None if shrinkage == "auto" else shrinkage, "uniform": uniform,
        "var_smoothing": var_smoothing, "constant": constant, "coefficients": coefficients,
        "probabilities": fitted.predict_proba(other).ravel().tolist(),
    }


def cases():
    for shape in [[120, 6, 3], [150, 10, 2], [60, 40, 3], [40, 150, 2]]:
        for shrinkage in ["auto", 0.25]:
            for uniform in [False, True]:
                yield case(shape, "shared", shrinkage, uniform)
                yield case(shape, "full", shrinkage, uniform)
    yield case([120, 6, 3], "shared", 0.0)
    yield case([120, 6, 3], "full", 0.0)
    yield case([120, 6, 3], "shared", 1.0)
    yield case([120, 6, 3], "shared", constant=True)
    yield case([100, 1, 3], "shared")
    yield case([100, 1, 3], "full")
    for shape in [[120, 6, 3], [40, 150, 2], [100, 1, 3]]:
        yield case(shape, "diagonal")
        yield case(shape, "diagonal", uniform=True, var_smoothing=0.1)


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(case) for case in cases())
    (HERE / "gaussian.json").write_text(f'{{"sklearn": "{sklearn.__version__}", "cases": [\n{lines}\n]}}\n')

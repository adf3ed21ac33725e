"""Makes svm.json: what scikit-learn's SVC decides at a tolerance of 1e-5.

Run with the referees' environment (bench/referees/requirements.txt: scikit-learn 1.9.1, numpy 2.4.6):

    python crates/heads/tests/data/make_svm.py

Rows are those of the formula of make_forest.py (repeated in tests/tables/mod.rs), and so are the queries, from row 5,000 on. Weights are 0.5, 1,
1.5 and 2 in turn. Decision values are those of one class against one in the order (0, 1), (0, 2) .., above 0 for the first class of a pair: of two
classes scikit-learn gives the opposite sign. Objectives are those of the dual problem of each pair, from its coefficients in double precision.
"""

import itertools
import json
import pathlib

import numpy as np
import sklearn
from make_forest import samples
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

HERE = pathlib.Path(__file__).parent


def objectives(fitted, x):
    ends = np.cumsum([0, *fitted.n_support_])
    kernel = rbf_kernel(x[fitted.support_], gamma=fitted._gamma)
    for i, j in itertools.combinations(range(len(fitted.classes_)), 2):
        beta = np.zeros(len(fitted.support_))
        beta[ends[i]:ends[i + 1]] = fitted.dual_coef_[j - 1, ends[i]:ends[i + 1]]
        beta[ends[j]:ends[j + 1]] = fitted.dual_coef_[i, ends[j]:ends[j + 1]]
        yield float(beta @ kernel @ beta / 2 - np.abs(beta).sum())


def case(shape, c, gamma="scale", weighted=False, class_weight=None):
    (x, y), (queries, _) = samples(0, *shape), samples(5_000, 60, *shape[1:])
    x, queries = x.astype(np.float64), queries.astype(np.float64)
    weights = (np.arange(len(x)) % 4 + 1) / 2 if weighted else None
    fitted = SVC(C=c, gamma=gamma, tol=1e-5, decision_function_shape="ovo", class_weight=class_weight)
    fitted.fit(x, y, sample_weight=weights)
    assert len(fitted.classes_) == shape[2]
    decisions = fitted.decision_function(queries)
    return {
        "shape": shape, "c": c, "gamma": gamma, "weighted": weighted,
        "class_weight": "none" if class_weight is None else ",".join(f"{k}:{v}" for k, v in class_weight.items()),
        "used_gamma": float(fitted._gamma), "n_support": len(fitted.support_),
        "decisions": (-decisions if shape[2] == 2 else decisions).ravel().tolist(),
        "labels": fitted.predict(queries).tolist(), "objectives": list(objectives(fitted, x)),
    }


def cases():
    for shape in [[200, 6, 2], [200, 6, 3], [400, 3, 5], [90, 60, 4]]:
        for c in [0.5, 3.0, 20.0]:
            yield case(shape, c)
    yield case([300, 4, 3], 3.0, 0.7)
    yield case([300, 4, 3], 100.0, 4.0)
    yield case([200, 6, 3], 3.0, weighted=True)
    yield case([200, 6, 3], 2.0, weighted=True, class_weight={0: 0.5, 2: 3.0})
    yield case([400, 3, 5], 1.0, class_weight={1: 2.0, 4: 8.0})


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(case) for case in cases())
    (HERE / "svm.json").write_text(f'{{"sklearn": "{sklearn.__version__}", "cases": [\n{lines}\n]}}\n')

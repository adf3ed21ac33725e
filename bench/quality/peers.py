"""scikit-learn's rows of the quality suite: each method searches by five folds of the train part, and never sees the test's labels.

A method is one function of `Train` and the test's features; it gives labels, probabilities and what it chose. Folds are
stratified, and keep groups together where the table has some. Features are as they are or standardised, as the folds
find better.
"""

import warnings

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from scores import weighted_f1

FOLDS, SEED = 5, 1


class Train:
    """The train part: features, classes as numbers, and the folds."""

    def __init__(self, x, y, groups, n_classes):
        self.x, self.y, self.n_classes = x.astype(float), y, n_classes
        splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
        self.folds = list(splitter(FOLDS, shuffle=True, random_state=SEED).split(x, y, groups))

    def scalings(self):
        """The features as they are and standardised, and what does the same to others."""
        scaler = StandardScaler().fit(self.x)
        return {"raw": (self.x, lambda x: x), "standardised": (scaler.transform(self.x), scaler.transform)}

    def columns(self, model, x):
        """The model's probabilities, with a column for each class of the table."""
        found = np.zeros((len(x), self.n_classes))
        found[:, model.classes_] = model.predict_proba(x)
        return found


def logistic(train, queries):
    """Logistic regression; C by log loss, from scikit-learn's own ten."""
    strengths = np.logspace(-4, 4, 10)

    def losses(x, inner, outer):
        model = LogisticRegression(warm_start=True, max_iter=1000)
        for strength in strengths:
            proba = train.columns(model.set_params(C=strength).fit(x[inner], train.y[inner]), x[outer])
            yield -np.log(np.clip(proba[np.arange(len(outer)), train.y[outer]], 1e-15, 1)).mean()

    scalings = train.scalings()
    found = {
        (scaling, strengths[i]): loss for scaling, (x, _) in scalings.items()
        for i, loss in enumerate(np.mean([list(losses(x, *fold)) for fold in train.folds], axis=0))
    }
    scaling, strength = min(found, key=found.get)
    x, transform = scalings[scaling]
    model = LogisticRegression(C=strength, max_iter=1000).fit(x, train.y)
    x = transform(queries)
    return model.predict(x), train.columns(model, x), {"features": scaling, "C": strength}


def svm(train, queries):
    """RBF support vector machine; C and multiples of gamma's `scale` by weighted F1. Its labels are the machine's own; its
    probabilities are sigmoids of its decisions out of fold."""
    costs, multiples, scalings = [1, 3, 10, 30], [0.25, 0.5, 1, 2], train.scalings()
    # One matrix of distances serves all widths, folds and costs.
    distances = {name: euclidean_distances(x, squared=True) for name, (x, _) in scalings.items()}
    scale = {name: 1 / (x.shape[1] * x.var()) for name, (x, _) in scalings.items()}

    def scores(scaling, multiple, costs):
        kernel, found = np.exp(-multiple * scale[scaling] * distances[scaling]), np.zeros(len(costs))
        for inner, outer in train.folds:
            within, across = kernel[np.ix_(inner, inner)], kernel[np.ix_(outer, inner)]
            for i, cost in enumerate(costs):
                machine = SVC(C=cost, kernel="precomputed").fit(within, train.y[inner])
                found[i] += weighted_f1(train.y[outer], machine.predict(across)) / len(train.folds)
        return found

    scaling = max(scalings, key=lambda name: scores(name, 1, [10])[0])
    found = np.array([scores(scaling, multiple, costs) for multiple in multiples])
    best, cheapest = np.unravel_index(found.argmax(), found.shape)
    multiple, cost = multiples[best], costs[cheapest]
    x, transform = scalings[scaling]
    machine = SVC(C=cost, gamma=multiple * scale[scaling], cache_size=500)
    calibrated = CalibratedClassifierCV(machine, method="sigmoid", cv=train.folds, ensemble=False).fit(x, train.y)
    queries = transform(queries)
    # The calibrated machine is fitted to all rows: its own decisions are the labels.
    labels = calibrated.calibrated_classifiers_[0].estimator.predict(queries)
    return labels, train.columns(calibrated, queries), {"features": scaling, "C": cost, "gamma": f"{multiple} scale"}


def forest(train, queries):
    """Random forest of 500 trees; scaling changes nothing."""
    model = RandomForestClassifier(500, random_state=SEED).fit(train.x, train.y)
    return model.predict(queries), train.columns(model, queries), {}


METHODS = {"logistic regression": logistic, "svm": svm, "forest": forest}


def run(method, train, queries):
    with warnings.catch_warnings():
        # Fits that end at max_iter are what a user gets.
        warnings.simplefilter("ignore")
        return METHODS[method](train, queries.astype(float))

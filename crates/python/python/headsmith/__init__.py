"""From a table of embeddings and labels to the best small classifier.

    from headsmith import MLPClassifier
    clf = MLPClassifier().fit(X, y)
    clf.predict_proba(X_new)

Classifiers and transformers are scikit-learn's estimators, and need no scikit-learn.
"""

from ._auto import AutoClassifier
from ._errors import DataConversionWarning, HeadsmithWarning, NotFittedError
from ._headsmith import __version__
from ._heads import (
    CentroidClassifier,
    ExtraTreesClassifier,
    GaussianClassifier,
    KernelClassifier,
    KNNClassifier,
    LogisticClassifier,
    MLPClassifier,
    RandomForestClassifier,
    RidgeClassifier,
    SVMClassifier,
)
from ._loaded import LoadedClassifier, load
from ._predictor import Predictor
from ._scores import Interval, Score, Scores, score
from ._study import Study, tune
from ._tables import Finding, Inspection, Table, inspect, read
from ._transforms import (
    PCA,
    Divider,
    L2Normaliser,
    QuantileNormaliser,
    RobustStandardiser,
    SignedPower,
    SpectrumPower,
    SquareRoot,
    Standardiser,
    Whitener,
    YeoJohnson,
)

__all__ = [
    "PCA",
    "AutoClassifier",
    "CentroidClassifier",
    "DataConversionWarning",
    "Divider",
    "ExtraTreesClassifier",
    "Finding",
    "GaussianClassifier",
    "HeadsmithWarning",
    "Inspection",
    "Interval",
    "KNNClassifier",
    "KernelClassifier",
    "L2Normaliser",
    "LoadedClassifier",
    "LogisticClassifier",
    "MLPClassifier",
    "NotFittedError",
    "Predictor",
    "QuantileNormaliser",
    "RandomForestClassifier",
    "RidgeClassifier",
    "RobustStandardiser",
    "SVMClassifier",
    "Score",
    "Scores",
    "SignedPower",
    "SpectrumPower",
    "SquareRoot",
    "Standardiser",
    "Study",
    "Table",
    "Whitener",
    "YeoJohnson",
    "__version__",
    "inspect",
    "load",
    "read",
    "score",
    "tune",
]

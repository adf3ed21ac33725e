"""The classifiers, one for each kind of head.

Made by `crates/python/generate.py` from what the library declares; do not edit.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ._classifier import HeadClassifier
from ._listener import Callback

__all__ = [
    "RandomForestClassifier",
    "ExtraTreesClassifier",
    "MLPClassifier",
    "LogisticClassifier",
    "RidgeClassifier",
    "KernelClassifier",
    "SVMClassifier",
    "GaussianClassifier",
    "KNNClassifier",
    "CentroidClassifier",
]


class RandomForestClassifier(HeadClassifier):
    """Random forest.

    Random forest: the mean of decision trees grown on bootstrap samples and random features.

    It is the head `forest` of the command, with its parameters and defaults.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees. Accepts an integer in 1..1000000. Studies search 50 to 500, evenly by logarithm.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Split criterion: Gini impurity or entropy (log_loss is another name for it). Accepts one of gini, entropy, log_loss.
    max_features : int or float or {"sqrt", "log2", "all"}, default="sqrt"
        Number of features to consider at each split. Accepts a count or a fraction with a decimal point, sqrt, log2 or all. Studies
        search 0.01 to 1.0, evenly by logarithm.
    max_depth : int or None, default=None
        Maximum depth of a tree; none: no limit. Accepts an integer of at least 1 or None. Studies search 4 to 64, evenly by logarithm.
    min_samples_split : int or float, default=2
        Minimum number of samples (count of at least 2, or fraction) to split a node. Accepts a count or a fraction with a decimal
        point.
    min_samples_leaf : int or float, default=1
        Minimum number of samples (count, or fraction) in a leaf. Accepts a count or a fraction with a decimal point. Studies search 1
        to 20, evenly by logarithm.
    min_impurity_decrease : float, default=0.0
        Minimum decrease of impurity of a split, weighted by the node's share of the samples. Accepts a number of at least 0.
    class_weight : dict or str or None, default=None
        Class weights: none, balanced over all samples, balanced within each bootstrap sample, or by name. Accepts None, balanced,
        balanced_subsample or LABEL:WEIGHT,..
    bootstrap : bool, default=True
        Grow each tree on a bootstrap sample instead of all samples. Accepts True or False.
    max_samples : int or float or {"all"}, default="all"
        Size of each bootstrap sample; all: as many as there are samples. Accepts a count or a fraction with a decimal point or all.
    oob_score : bool, default=False
        Also compute out-of-bag scores. Accepts True or False.
    scale : str or None, default=None
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "forest"
    _own = ("n_estimators", "criterion", "max_features", "max_depth", "min_samples_split", "min_samples_leaf", "min_impurity_decrease", "class_weight", "bootstrap", "max_samples", "oob_score", "scale",)

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        criterion: Literal["gini", "entropy", "log_loss"] = "gini",
        max_features: int | float | Literal["sqrt", "log2", "all"] = "sqrt",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_impurity_decrease: float = 0.0,
        class_weight: dict[Any, float] | str | None = None,
        bootstrap: bool = True,
        max_samples: int | float | Literal["all"] = "all",
        oob_score: bool = False,
        scale: str | None = None,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_features = max_features
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class ExtraTreesClassifier(HeadClassifier):
    """Extremely randomised trees.

    Extremely randomised trees: as the random forest, but grown on all samples, with a random cut of each feature.

    It is the head `extra-trees` of the command, with its parameters and defaults.

    Parameters
    ----------
    n_estimators : int, default=100
        Number of trees. Accepts an integer in 1..1000000. Studies search 50 to 500, evenly by logarithm.
    criterion : {"gini", "entropy", "log_loss"}, default="gini"
        Split criterion: Gini impurity or entropy (log_loss is another name for it). Accepts one of gini, entropy, log_loss.
    max_features : int or float or {"sqrt", "log2", "all"}, default="sqrt"
        Number of features to consider at each split. Accepts a count or a fraction with a decimal point, sqrt, log2 or all. Studies
        search 0.01 to 1.0, evenly by logarithm.
    max_depth : int or None, default=None
        Maximum depth of a tree; none: no limit. Accepts an integer of at least 1 or None. Studies search 4 to 64, evenly by logarithm.
    min_samples_split : int or float, default=2
        Minimum number of samples (count of at least 2, or fraction) to split a node. Accepts a count or a fraction with a decimal
        point.
    min_samples_leaf : int or float, default=1
        Minimum number of samples (count, or fraction) in a leaf. Accepts a count or a fraction with a decimal point. Studies search 1
        to 20, evenly by logarithm.
    min_impurity_decrease : float, default=0.0
        Minimum decrease of impurity of a split, weighted by the node's share of the samples. Accepts a number of at least 0.
    class_weight : dict or str or None, default=None
        Class weights: none, balanced over all samples, balanced within each bootstrap sample, or by name. Accepts None, balanced,
        balanced_subsample or LABEL:WEIGHT,..
    bootstrap : bool, default=False
        Grow each tree on a bootstrap sample instead of all samples. Accepts True or False.
    max_samples : int or float or {"all"}, default="all"
        Size of each bootstrap sample; all: as many as there are samples. Accepts a count or a fraction with a decimal point or all.
    oob_score : bool, default=False
        Also compute out-of-bag scores. Accepts True or False.
    scale : str or None, default=None
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "extra-trees"
    _own = ("n_estimators", "criterion", "max_features", "max_depth", "min_samples_split", "min_samples_leaf", "min_impurity_decrease", "class_weight", "bootstrap", "max_samples", "oob_score", "scale",)

    def __init__(
        self,
        *,
        n_estimators: int = 100,
        criterion: Literal["gini", "entropy", "log_loss"] = "gini",
        max_features: int | float | Literal["sqrt", "log2", "all"] = "sqrt",
        max_depth: int | None = None,
        min_samples_split: int | float = 2,
        min_samples_leaf: int | float = 1,
        min_impurity_decrease: float = 0.0,
        class_weight: dict[Any, float] | str | None = None,
        bootstrap: bool = False,
        max_samples: int | float | Literal["all"] = "all",
        oob_score: bool = False,
        scale: str | None = None,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.criterion = criterion
        self.max_features = max_features
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.min_impurity_decrease = min_impurity_decrease
        self.class_weight = class_weight
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.oob_score = oob_score
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class MLPClassifier(HeadClassifier):
    """Multilayer perceptron.

    Multilayer perceptron: dense ReLU layers, trained by AdamW on the cross-entropy.

    It is the head `mlp` of the command, with its parameters and defaults.

    Parameters
    ----------
    neurons0 : int, default=512
        Width of the first dense layer. Accepts an integer in 1..65536. Studies search 16 to 2048, evenly by logarithm.
    neurons1 : int, default=512
        Width of the first group of dense layers. Accepts an integer in 1..65536. Studies search 64 to 1024, evenly by logarithm.
    neurons2 : int, default=512
        Width of the second group of dense layers. Accepts an integer in 1..65536.
    layers1 : int, default=0
        Number of dense layers in the first group. Accepts an integer in 0..16. Studies search 0 to 1.
    layers2 : int, default=0
        Number of dense layers in the second group. Accepts an integer in 0..16.
    layer_norms : int, default=0
        Layer normalisations: 1 after the first layer, 2 also before the dropout. Accepts an integer in 0..2.
    dropout : float or {"auto"}, default="auto"
        Dropout rate after the last hidden layer; auto: 0.5 with 100 features and more, 0.2 with fewer. Accepts a number in 0..0.99 or
        auto. Studies search 0.0 to 0.8.
    noise : int, default=0
        1: Gaussian noise of standard deviation 0.1 after the first layer, in training. Accepts an integer in 0..1.
    lr : float, default=0.002
        Learning rate of the optimizer: the initial one, or the peak of the cosine. Accepts a number in 0..100. Studies search 0.0003 to
        0.01, evenly by logarithm.
    batch_size : int or {"auto"}, default="auto"
        Batch size; the last batch of an epoch may be smaller; auto: 256 with 100 features and more, 64 with fewer. Accepts an integer
        in 1..1048576 or auto. Studies search 32 to 512, evenly by logarithm.
    epochs : int, default=30
        Number of epochs; at most, where validation rows are monitored. Accepts an integer in 1..1000000.
    patience : int or None, default=50
        Early stopping: epochs without a better validation score. Accepts an integer of at least 0 or None.
    plateau_factor : float, default=0.3
        Factor of the learning rate on a plateau of the validation score. Accepts a number in 0..0.999.
    plateau_patience : int or None, default=10
        Epochs without a better validation score before the learning rate drops. Accepts an integer of at least 1 or None.
    plateau_min_delta : float, default=0.0001
        Minimum improvement of the validation score that counts on a plateau. Accepts a number in 0..1.
    plateau_cooldown : int, default=0
        Epochs to wait after a reduction of the learning rate. Accepts an integer of at least 0.
    min_lr : float, default=1e-10
        Lower bound of the learning rate. Accepts a number in 0..100.
    input_noise : float or {"auto"}, default="auto"
        Standard deviation of Gaussian noise on the inputs, in training; auto: 0.5 with 100 features and more, 0 with fewer. Accepts a
        number in 0..100 or auto. Studies search 0.0 to 1.0.
    hidden_dropout : float, default=0.0
        Dropout rate after each hidden layer but the last. Accepts a number in 0..0.99.
    mixup : float, default=0.0
        Mixup of the rows of a batch, by shares from Beta(mixup, mixup); 0: none. Accepts a number in 0..100.
    label_smoothing : float or {"auto"}, default="auto"
        Share of each target that is spread evenly over the classes; auto: 0.1 with 100 features and more, 0 with fewer. Accepts a
        number in 0..0.99 or auto. Studies search 0.0 to 0.2.
    weight_decay : float or {"auto"}, default="auto"
        Decoupled weight decay of AdamW; 0: Adam; auto: 0.5 with 100 features and more, 0.05 with fewer. Accepts a number in 0..100 or
        auto. Studies search 0.001 to 1.0, evenly by logarithm.
    ema_momentum : float, default=0.0
        Momentum of the average of the weights over the steps, which validates and predicts; 0: the weights themselves. Accepts a number
        in 0..0.9999.
    lr_schedule : {"constant", "cosine"}, default="cosine"
        Learning rate schedule: constant, or cosine, which falls to 0 at the last epoch and ignores plateaus. Accepts one of constant,
        cosine.
    warmup_epochs : float, default=0.0
        Epochs in which the learning rate of the cosine rises from 0. Accepts a number in 0..1000000.
    monitor : {"metric", "refined_log_loss"} or None, default=None
        Validation score that chooses the epoch: the metric, the log loss after temperature scaling, or None (keep the last epoch).
        Accepts one of metric, refined_log_loss, none.
    calibration : {"temperature"} or None, default=None
        Calibration of the probabilities on the validation rows, if there are any. Accepts one of none, temperature.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    scale : str or None, default="power:auto+standardise"
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    validation_fraction : float, default=0.0
        The share of the rows that is split off, stratified by class, to choose the epoch; 0: none.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "mlp"
    _own = ("neurons0", "neurons1", "neurons2", "layers1", "layers2", "layer_norms", "dropout", "noise", "lr", "batch_size", "epochs", "patience", "plateau_factor", "plateau_patience", "plateau_min_delta", "plateau_cooldown", "min_lr", "input_noise", "hidden_dropout", "mixup", "label_smoothing", "weight_decay", "ema_momentum", "lr_schedule", "warmup_epochs", "monitor", "calibration", "class_weight", "scale",)

    def __init__(
        self,
        *,
        neurons0: int = 512,
        neurons1: int = 512,
        neurons2: int = 512,
        layers1: int = 0,
        layers2: int = 0,
        layer_norms: int = 0,
        dropout: float | Literal["auto"] = "auto",
        noise: int = 0,
        lr: float = 0.002,
        batch_size: int | Literal["auto"] = "auto",
        epochs: int = 30,
        patience: int | None = 50,
        plateau_factor: float = 0.3,
        plateau_patience: int | None = 10,
        plateau_min_delta: float = 0.0001,
        plateau_cooldown: int = 0,
        min_lr: float = 1e-10,
        input_noise: float | Literal["auto"] = "auto",
        hidden_dropout: float = 0.0,
        mixup: float = 0.0,
        label_smoothing: float | Literal["auto"] = "auto",
        weight_decay: float | Literal["auto"] = "auto",
        ema_momentum: float = 0.0,
        lr_schedule: Literal["constant", "cosine"] = "cosine",
        warmup_epochs: float = 0.0,
        monitor: Literal["metric", "refined_log_loss"] | None = None,
        calibration: Literal["temperature"] | None = None,
        class_weight: dict[Any, float] | str | None = None,
        scale: str | None = "power:auto+standardise",
        validation_fraction: float = 0.0,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.neurons0 = neurons0
        self.neurons1 = neurons1
        self.neurons2 = neurons2
        self.layers1 = layers1
        self.layers2 = layers2
        self.layer_norms = layer_norms
        self.dropout = dropout
        self.noise = noise
        self.lr = lr
        self.batch_size = batch_size
        self.epochs = epochs
        self.patience = patience
        self.plateau_factor = plateau_factor
        self.plateau_patience = plateau_patience
        self.plateau_min_delta = plateau_min_delta
        self.plateau_cooldown = plateau_cooldown
        self.min_lr = min_lr
        self.input_noise = input_noise
        self.hidden_dropout = hidden_dropout
        self.mixup = mixup
        self.label_smoothing = label_smoothing
        self.weight_decay = weight_decay
        self.ema_momentum = ema_momentum
        self.lr_schedule = lr_schedule
        self.warmup_epochs = warmup_epochs
        self.monitor = monitor
        self.calibration = calibration
        self.class_weight = class_weight
        self.scale = scale
        self.validation_fraction = validation_fraction
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class LogisticClassifier(HeadClassifier):
    """Logistic regression.

    Multinomial logistic regression: the softmax of a linear function, with an L2 or L1 penalty of a strength that folds choose.

    It is the head `linear` of the command, with its parameters and defaults.

    Parameters
    ----------
    c : float or {"auto"}, default="auto"
        Inverse of the strength of the penalty; smaller: stronger; auto: chosen from a path of 20 strengths. Accepts a number in
        0.000001..10000000000 or auto. Studies search 0.0001 to 10000.0, evenly by logarithm.
    l1_ratio : float, default=0.0
        Share of the L1 term in the penalty (elastic net); 1: lasso, with coefficients that are exactly 0. Accepts a number in 0..1.
    choose_by : {"folds", "leave_one_out"}, default="folds"
        The loss that chooses c: of rows held out in folds, or an approximation of leave-one-out. Accepts one of folds, leave_one_out.
    n_folds : int, default=5
        Folds that choose c. Accepts an integer in 2..50.
    fit_intercept : bool, default=True
        Fit an intercept for each class, without a penalty. Accepts True or False.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    max_iter : int, default=1000
        Maximum number of iterations of L-BFGS. Accepts an integer in 1..1000000.
    tol : float, default=1e-05
        Largest element of the gradient at which the fit ends; with a loss below 1, its share of the loss. Accepts a number in 0..1.
    scale : str or None, default="power:auto+standardise"
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "linear"
    _own = ("c", "l1_ratio", "choose_by", "n_folds", "fit_intercept", "class_weight", "max_iter", "tol", "scale",)

    def __init__(
        self,
        *,
        c: float | Literal["auto"] = "auto",
        l1_ratio: float = 0.0,
        choose_by: Literal["folds", "leave_one_out"] = "folds",
        n_folds: int = 5,
        fit_intercept: bool = True,
        class_weight: dict[Any, float] | str | None = None,
        max_iter: int = 1000,
        tol: float = 1e-05,
        scale: str | None = "power:auto+standardise",
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.c = c
        self.l1_ratio = l1_ratio
        self.choose_by = choose_by
        self.n_folds = n_folds
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class RidgeClassifier(HeadClassifier):
    """Ridge regression.

    Ridge regression on the classes: least squares with an L2 penalty, whose strength leave-one-out chooses.

    It is the head `ridge` of the command, with its parameters and defaults.

    Parameters
    ----------
    alpha : float or {"auto"}, default="auto"
        Strength of the L2 penalty; auto: the best of 20 by leave-one-out. Accepts a number in 0.000000001..1000000000000 or auto.
        Studies search 0.1 to 1000000.0, evenly by logarithm.
    calibration : {"quadratic", "temperature"} or None, default="quadratic"
        From outputs to probabilities, fitted on leave-one-out outputs; none: outputs clipped to 0..1, divided by their sum. Accepts one
        of quadratic, temperature, none.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    scale : str or None, default="power:auto+standardise"
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "ridge"
    _own = ("alpha", "calibration", "class_weight", "scale",)

    def __init__(
        self,
        *,
        alpha: float | Literal["auto"] = "auto",
        calibration: Literal["quadratic", "temperature"] | None = "quadratic",
        class_weight: dict[Any, float] | str | None = None,
        scale: str | None = "power:auto+standardise",
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.alpha = alpha
        self.calibration = calibration
        self.class_weight = class_weight
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class KernelClassifier(HeadClassifier):
    """Kernel machine.

    Kernel ridge or logistic regression: every training row is a basis function; chooses transform, width and strength by leave-one-out.

    It is the head `kernel` of the command, with its parameters and defaults.

    Parameters
    ----------
    kernel : {"rbf", "laplace", "power", "arc-cosine", "polynomial"}, default="rbf"
        Kernel function; power: exp(-gamma distance^exponent). Accepts one of rbf, laplace, power, arc-cosine, polynomial.
    exponent : float, default=1.5
        Exponent of the distance in the kernel power. Accepts a number in 1..2.
    degree : int, default=3
        Degree of the kernel polynomial. Accepts an integer in 1..10.
    coef0 : float, default=1.0
        Constant in the kernel polynomial. Accepts a number in 0..1000000.
    gamma : float or {"auto"}, default="auto"
        Factor of distances or products of features scaled to a total variance of 1; 1 is 1/n_features of standardised ones. Accepts a
        number in 0.000001..1000000 or auto. Studies search 0.2 to 5.0, evenly by logarithm.
    alpha : float or {"auto"}, default="auto"
        Strength of the L2 penalty. Accepts a number in 0.000000001..1000000000 or auto. Studies search 0.05 to 20.0, evenly by
        logarithm.
    spectrum : float or {"auto"} or None, default="auto"
        Power of the variance by which principal axes are scaled after the transform; -1 whitens. Accepts a number in -1..2, auto or
        None. Studies search -0.6 to 1.0.
    loss : {"squared", "logistic"}, default="squared"
        Loss; squared has leave-one-out predictions in closed form. Accepts one of squared, logistic.
    n_landmarks : int or {"auto"} or None, default="auto"
        Rows that are basis functions; auto: all of up to 15000, else 4000 or fewer (Nystroem); none: all. Accepts an integer in
        10..100000, auto or None.
    calibration : {"quadratic", "temperature"} or None, default="quadratic"
        From outputs to probabilities, fitted on leave-one-out outputs; none: outputs clipped to 0..1, divided by their sum. Accepts one
        of quadratic, temperature, none.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    screen_rows : int, default=2000
        Rows on which transform, gamma and alpha are screened before all rows are used. Accepts an integer in 100..100000.
    scale : str, default="auto"
        Transform of the features; auto: the head chooses; None: no transform. Accepts auto, or a transform.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "kernel"
    _own = ("kernel", "exponent", "degree", "coef0", "gamma", "alpha", "spectrum", "loss", "n_landmarks", "calibration", "class_weight", "screen_rows", "scale",)

    def __init__(
        self,
        *,
        kernel: Literal["rbf", "laplace", "power", "arc-cosine", "polynomial"] = "rbf",
        exponent: float = 1.5,
        degree: int = 3,
        coef0: float = 1.0,
        gamma: float | Literal["auto"] = "auto",
        alpha: float | Literal["auto"] = "auto",
        spectrum: float | Literal["auto"] | None = "auto",
        loss: Literal["squared", "logistic"] = "squared",
        n_landmarks: int | Literal["auto"] | None = "auto",
        calibration: Literal["quadratic", "temperature"] | None = "quadratic",
        class_weight: dict[Any, float] | str | None = None,
        screen_rows: int = 2000,
        scale: str = "auto",
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.kernel = kernel
        self.exponent = exponent
        self.degree = degree
        self.coef0 = coef0
        self.gamma = gamma
        self.alpha = alpha
        self.spectrum = spectrum
        self.loss = loss
        self.n_landmarks = n_landmarks
        self.calibration = calibration
        self.class_weight = class_weight
        self.screen_rows = screen_rows
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class SVMClassifier(HeadClassifier):
    """Support vector machine.

    Support vector machine with the RBF kernel, one class against one: libsvm's labels, calibrated probabilities.

    It is the head `svm` of the command, with its parameters and defaults.

    Parameters
    ----------
    c : float or {"auto"}, default=1.0
        Penalty of a margin violation, the upper bound of a row's coefficient; auto: by the log loss of 5 folds. Accepts a number in
        0.000001..1000000 or auto. Studies search 0.1 to 100.0, evenly by logarithm.
    gamma : float or {"scale", "auto"}, default="scale"
        Factor of squared distances; scale: 1 / (n_features * variance of all features together); auto: by the log loss of 5 folds.
        Accepts a number in 0.000000001..1000000000, scale or auto. Studies search 0.0001 to 10.0, evenly by logarithm.
    tol : float, default=0.001
        Tolerance of the optimality conditions. Accepts a number in 0.000000001..1.
    calibration : {"quadratic", "temperature"} or None, default="quadratic"
        From decision values to probabilities, fitted on those of 5 folds; none: the softmax of decision values, without folds. Accepts
        one of quadratic, temperature, none.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    scale : str or None, default=None
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "svm"
    _own = ("c", "gamma", "tol", "calibration", "class_weight", "scale",)

    def __init__(
        self,
        *,
        c: float | Literal["auto"] = 1.0,
        gamma: float | Literal["scale", "auto"] = "scale",
        tol: float = 0.001,
        calibration: Literal["quadratic", "temperature"] | None = "quadratic",
        class_weight: dict[Any, float] | str | None = None,
        scale: str | None = None,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.c = c
        self.gamma = gamma
        self.tol = tol
        self.calibration = calibration
        self.class_weight = class_weight
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class GaussianClassifier(HeadClassifier):
    """Gaussian discriminant analysis.

    Gaussian discriminant analysis: a normal distribution for each class (LDA, naive Bayes, QDA).

    It is the head `gaussian` of the command, with its parameters and defaults.

    Parameters
    ----------
    covariance : {"shared", "diagonal", "full"}, default="shared"
        Covariances of the classes: one for all (LDA), one each without correlations (naive Bayes), or one each (QDA). Accepts one of
        shared, diagonal, full.
    shrinkage : float or {"auto"}, default="auto"
        Shrinkage of the covariances towards a diagonal; auto: by the lemma of Ledoit and Wolf. Not with diagonal. Accepts a number in
        0..1 or auto. Studies search 0.0001 to 1.0, evenly by logarithm.
    priors : {"empirical", "uniform"}, default="empirical"
        Probabilities of the classes before a row is seen: their shares of the training rows, or equal. Accepts one of empirical,
        uniform.
    var_smoothing : float, default=1e-09
        Share of the largest variance that is added to all variances; only with diagonal. Accepts a number in 0..1000000.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    scale : str or None, default=None
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "gaussian"
    _own = ("covariance", "shrinkage", "priors", "var_smoothing", "class_weight", "scale",)

    def __init__(
        self,
        *,
        covariance: Literal["shared", "diagonal", "full"] = "shared",
        shrinkage: float | Literal["auto"] = "auto",
        priors: Literal["empirical", "uniform"] = "empirical",
        var_smoothing: float = 1e-09,
        class_weight: dict[Any, float] | str | None = None,
        scale: str | None = None,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.covariance = covariance
        self.shrinkage = shrinkage
        self.priors = priors
        self.var_smoothing = var_smoothing
        self.class_weight = class_weight
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class KNNClassifier(HeadClassifier):
    """K nearest neighbours.

    k nearest neighbours: the classes of the most similar training rows vote.

    It is the head `knn` of the command, with its parameters and defaults.

    Parameters
    ----------
    n_neighbors : int or {"auto"}, default="auto"
        Neighbours that vote; auto: by the leave-one-out log loss of the training rows. Accepts an integer of at least 1 or auto.
        Studies search 3 to 300, evenly by logarithm.
    distance : {"cosine", "euclidean"}, default="cosine"
        Distance from a row to a training row; cosine compares directions alone. Accepts one of cosine, euclidean.
    weights : {"temperature", "uniform", "distance"}, default="temperature"
        Weight of a vote at distance d: exp(-d / temperature); uniform: 1; distance: 1 / d. Accepts one of temperature, uniform,
        distance.
    temperature : float or {"auto"}, default="auto"
        Temperature of the weights exp(-d / temperature); auto: by the leave-one-out log loss of the training rows. Accepts a number in
        0.000000000001..1000000000000 or auto.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    scale : str or None, default=None
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "knn"
    _own = ("n_neighbors", "distance", "weights", "temperature", "class_weight", "scale",)

    def __init__(
        self,
        *,
        n_neighbors: int | Literal["auto"] = "auto",
        distance: Literal["cosine", "euclidean"] = "cosine",
        weights: Literal["temperature", "uniform", "distance"] = "temperature",
        temperature: float | Literal["auto"] = "auto",
        class_weight: dict[Any, float] | str | None = None,
        scale: str | None = None,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.distance = distance
        self.weights = weights
        self.temperature = temperature
        self.class_weight = class_weight
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks


class CentroidClassifier(HeadClassifier):
    """Nearest centroid.

    Nearest centroid: the class whose mean is nearest.

    It is the head `centroid` of the command, with its parameters and defaults.

    Parameters
    ----------
    distance : {"euclidean", "cosine"}, default="euclidean"
        Distance from a row to a centroid; cosine compares directions alone. Accepts one of euclidean, cosine.
    class_weight : dict or str or None, default=None
        Weights of the classes in the training loss; balanced: in inverse proportion to their rows. Accepts None, balanced or
        LABEL:WEIGHT,..
    scale : str or None, default=None
        Transform of the features; None: no transform. Accepts None, or divide:K, standardise, robust, l2, sqrt, power:P, yeo-johnson,
        quantile, pca:K, whiten, whiten:S or spectrum:P, joined by +.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes
        of a head that has them (votes). Where there are no offsets or votes, for the largest probability.
    metric : {"weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"}, default="weighted_f1"
        The metric by which rows that were not learnt from choose, where they choose anything.
    random_state : int or np.random.RandomState or np.random.Generator or None, default=42
        The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's
        global generator.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list[Callback] or None, default=None
        Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning
        True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    n_iter_ : int
        The steps of the fit: epochs, trees, iterations.
    fit_info_ : dict
        How the fit went: history, best_epoch, chosen parameters, summary.
    """

    _head = "centroid"
    _own = ("distance", "class_weight", "scale",)

    def __init__(
        self,
        *,
        distance: Literal["euclidean", "cosine"] = "euclidean",
        class_weight: dict[Any, float] | str | None = None,
        scale: str | None = None,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: Literal["weighted_f1", "macro_f1", "balanced_accuracy", "accuracy", "log_loss", "mcc"] = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.distance = distance
        self.class_weight = class_weight
        self.scale = scale
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks

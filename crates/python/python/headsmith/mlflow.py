"""The flavour `headsmith` of MLflow's models: a classifier as one safetensors file, without pickle, which `mlflow.pyfunc` predicts with as well.

    import headsmith.mlflow
    info = headsmith.mlflow.log_model(clf, name="model")
    headsmith.mlflow.load_model(info.model_uri).predict(X)
    mlflow.pyfunc.load_model(info.model_uri).predict(frame)  # a column of probabilities for each class

MLflow is imported with this module, and by nothing else in the package.
"""

# Most of MLflow has no types, and it calls _load_pyfunc itself.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnusedFunction=false

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any, Literal, cast

import mlflow
import numpy as np
import numpy.typing as npt
from mlflow.artifacts import download_artifacts
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types.schema import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from . import _headsmith
from ._classifier import DECISIONS, Classifier
from ._loaded import LoadedClassifier, load

if TYPE_CHECKING:
    import pandas

FLAVOR_NAME = "headsmith"
# The name that the command gives the artifact of a run, too.
FILE = "model.safetensors"
OUTPUTS = ["probabilities", "labels"]

__all__ = ["FLAVOR_NAME", "get_default_pip_requirements", "load_model", "log_model", "save_model"]


def get_default_pip_requirements() -> list[str]:
    """What a model needs that is served elsewhere: this version of headsmith."""
    return [f"headsmith=={_headsmith.__version__}"]


def save_model(
    model: Classifier | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    signature: ModelSignature | Literal[False] | None = None,
    input_example: Any = None,
    pip_requirements: list[str] | str | None = None,
    extra_pip_requirements: list[str] | str | None = None,
    conda_env: dict[str, Any] | str | None = None,
    metadata: dict[str, Any] | None = None,
    mlflow_model: Model | None = None,
) -> None:
    """Writes a model of MLflow to a folder.

    Parameters
    ----------
    model : classifier or path
        A fitted classifier, or the file of one: of `save`, or of the command.
    path : path
        The folder, which must not exist or be empty.
    signature : ModelSignature or False, default=None
        None: numbers under the names of the features, if the model has names, and the parameter `output`; False: no signature.
    input_example : data frame or array, default=None
        Rows that are kept with the model.
    pip_requirements, extra_pip_requirements, conda_env : default=None
        The requirements, as a list or the path of a file of them (a text is a path, of `conda_env` as well); None: this version of headsmith. `extra_pip_requirements`
        are added to it.
    metadata : dict, default=None
        What else the model's description shall have.
    mlflow_model : Model, default=None
        The description that the flavour is added to.
    """
    classifier = _classifier(model)
    own = mlflow_model if mlflow_model is not None else Model()
    with tempfile.TemporaryDirectory(prefix="headsmith-") as folder:
        file = os.path.join(folder, FILE)
        classifier.save(file)
        own.add_flavor(FLAVOR_NAME, headsmith_version=_headsmith.__version__, data=f"data/{FILE}", head=classifier.model_.head, decision=classifier.decision)
        if pip_requirements is None and conda_env is None:
            pip_requirements = get_default_pip_requirements()
            pip_requirements += [f"-r {extra_pip_requirements}"] if isinstance(extra_pip_requirements, str) else extra_pip_requirements or []
            extra_pip_requirements = None
        mlflow.pyfunc.save_model(
            os.fspath(path),
            loader_module=__name__,
            data_path=file,
            model_config={"decision": classifier.decision, "n_jobs": None},
            mlflow_model=own,
            signature=cast(Any, signature_of(classifier) if signature is None else signature or None),
            input_example=input_example,
            pip_requirements=pip_requirements,
            extra_pip_requirements=extra_pip_requirements,
            conda_env=conda_env,
            metadata=metadata,
        )


def log_model(
    model: Classifier | str | os.PathLike[str],
    name: str = "model",
    *,
    signature: ModelSignature | Literal[False] | None = None,
    input_example: Any = None,
    registered_model_name: str | None = None,
    pip_requirements: list[str] | str | None = None,
    extra_pip_requirements: list[str] | str | None = None,
    conda_env: dict[str, Any] | str | None = None,
    metadata: dict[str, Any] | None = None,
    **more: Any,
) -> ModelInfo:
    """Logs a classifier as a model of the active run, or of a new one; the arguments are those of `save_model`, and `more` is for `Model.log` of MLflow."""
    import headsmith.mlflow as flavor

    # A wrong argument begins no run.
    classifier = _classifier(model)
    info: ModelInfo = Model.log(
        artifact_path=None, flavor=flavor, name=name, registered_model_name=registered_model_name, model=classifier, signature=signature, input_example=input_example,
        pip_requirements=pip_requirements, extra_pip_requirements=extra_pip_requirements, conda_env=conda_env, metadata=metadata, **more,
    )
    return info


def load_model(
    model_uri: str, dst_path: str | None = None, *, decision: Literal["argmax", "metric", "votes"] | None = None, n_jobs: int | None = None
) -> LoadedClassifier:
    """The classifier of a model that `log_model` or `save_model` wrote, or of the artifact that the command logged: `runs:/RUN/model.safetensors`.

    `decision` None: that of the classifier that was logged.
    """
    path = str(download_artifacts(artifact_uri=model_uri, dst_path=dst_path))
    if os.path.isfile(path):
        return load(path, decision=decision or "argmax", n_jobs=n_jobs)
    flavors: dict[str, dict[str, Any]] = Model.load(path).flavors
    if FLAVOR_NAME not in flavors:
        raise ValueError(f"{model_uri} has the flavors {', '.join(flavors)}, expected {FLAVOR_NAME}: it is a model of another library")
    # The description may be anybody's: it names no other file than that of its folder, and may lack what later versions write.
    logged: Any = flavors[FLAVOR_NAME].get("decision", DECISIONS[0])
    if logged not in DECISIONS:
        raise ValueError(f"{model_uri} has the decision {logged!r}, expected one of {', '.join(DECISIONS)}")
    return load(os.path.join(path, "data", FILE), decision=decision or logged, n_jobs=n_jobs)


def signature_of(model: Classifier) -> ModelSignature:
    """Numbers in, by name where the features have names; probabilities out."""
    names = getattr(model, "feature_names_in_", None)
    columns: list[Any] = [ColSpec(DataType.double, None if names is None else str(names[i])) for i in range(model.n_features_in_)]
    outputs: list[Any] = [ColSpec(DataType.float, name) for name in model.model_.classes]
    return ModelSignature(Schema(columns), Schema(outputs), ParamSchema([ParamSpec("output", DataType.string, OUTPUTS[0])]))


def _classifier(model: Any) -> Classifier:
    if isinstance(model, (str, os.PathLike)):
        return load(cast("str | os.PathLike[str]", model))
    if not isinstance(model, Classifier):
        raise ValueError(f"the model is a {type(model).__name__}, expected a classifier of headsmith, or the path of its file")
    model._fitted()
    return model


class _Pyfunc:
    """The model as `mlflow.pyfunc` predicts with it."""

    def __init__(self, model: LoadedClassifier) -> None:
        self.model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pandas.DataFrame | npt.NDArray[Any]:
        """A column of probabilities for each class; with the parameter `output="labels"` the labels."""
        import pandas

        output = (params or {}).get("output", OUTPUTS[0])
        if output not in OUTPUTS:
            raise ValueError(f"output is {output!r}, expected one of {', '.join(OUTPUTS)}")
        rows = self._rows(model_input)
        if output == "labels":
            return self.model.predict(rows)
        return pandas.DataFrame(self.model.predict_proba(rows), columns=self.model.model_.classes, index=getattr(model_input, "index", None), copy=False)

    def _rows(self, given: Any) -> Any:
        """The rows as the model knows them: columns by name where both have names, else in their order."""
        names = getattr(self.model, "feature_names_in_", None)
        if not hasattr(given, "iloc"):
            return given if names is None else self._named(np.asarray(given), names)
        if names is None:
            return given.to_numpy()
        missing = [name for name in names if name not in given.columns]
        if missing:
            raise ValueError(f"the rows have no column {', '.join(map(repr, missing[:5]))}, which the model was fitted with")
        return given[list(names)]

    def _named(self, rows: npt.NDArray[Any], names: npt.NDArray[np.object_]) -> Any:
        import pandas

        return pandas.DataFrame(rows, columns=names, copy=False) if rows.ndim == 2 and rows.shape[1] == len(names) else rows


def _load_pyfunc(path: str, model_config: dict[str, Any] | None = None) -> _Pyfunc:
    """Called by MLflow with the file of the model; `model_config` may have `decision` and `n_jobs`."""
    given = dict(model_config or {})
    unknown = sorted(set(given) - {"decision", "n_jobs"})
    if unknown or given.get("decision", "argmax") not in DECISIONS:
        raise ValueError(f"model_config is {given}, expected decision (one of {', '.join(DECISIONS)}) and n_jobs")
    return _Pyfunc(load(path, **given))

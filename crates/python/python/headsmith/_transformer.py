"""What all transformers have in common."""

from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt

from . import _data, _headsmith, _input, _output, _seed, _tags
from ._classifier import Options
from ._data import Floats
from ._params import Estimator


class Transformer(Estimator):
    """A transformer of features: subclasses give the text of their transform, which `scale` of the classifiers takes as well."""

    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]
    transform_: _headsmith.Transform
    n_jobs: int | None

    def _text(self, x: Floats) -> str:
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns from the rows of `X`; C-contiguous float32 is used in place. `y` is ignored."""
        rows = _data.rows(X, self)
        self.transform_ = _headsmith.Transform.fit(self._text(rows.x), rows.x, Options.of(self.n_jobs))
        _input.learn(self, rows)
        return self

    def transform(self, X: Any) -> Any:
        """The rows of `X`, transformed, as float32 or in the form that `set_output` asks for."""
        x = _input.check(self, X, "transform_")
        return _output.wrapped(self, self.transform_.apply(x, _seed.threads(self.n_jobs)), X)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """`fit`, then `transform` of the same rows."""
        return self.fit(X, y).transform(X)

    def set_output(self, *, transform: str | None = None) -> Self:
        """The form of the output: "default", "pandas" or "polars"; None changes nothing."""
        if transform is not None:
            self._sklearn_output_config = {"transform": _output.checked(transform)}
        return self

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The names of the columns of the output: those of the input, or new ones where their number changes."""
        return _output.names(self, input_features)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "transform_")

    def __sklearn_tags__(self) -> Any:
        return _tags.transformer()


class OneTransform(Transformer):
    """A transformer of one kind of transform."""

    _kind: str
    # The parameter that is the argument in the transform's text.
    _argument: str | None = None

    def _text(self, x: Floats) -> str:
        value = None if self._argument is None else getattr(self, self._argument)
        if value is None and self._kind == "pca":
            value = min(x.shape)
        return self._kind if value is None else f"{self._kind}:{_number(value)}"


def _number(value: Any) -> str:
    if isinstance(value, str):
        return value
    return repr(cast(object, value.item()) if isinstance(value, np.generic) else value)

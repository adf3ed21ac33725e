"""What all transformers have in common."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import _data, _headsmith, _input, _output, _seed, _tags, _words
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
    # The parameter that is the argument in the transform's text, the words and the type that it takes, and all of that as messages have it.
    _argument: str | None = None
    _takes: tuple[str | None, ...] = ()
    _is_whole: bool = False
    _accepts: str = ""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns from the rows of `X`; C-contiguous float32 is used in place. `y` is ignored."""
        try:
            return super().fit(X, y)
        except ValueError as error:
            # The text is made of a number: of others than the range of the parameter the library has nothing to say.
            if self._argument is not None and "is not a transform, expected" in str(error):
                raise self._wrong(" but 0" if getattr(self, self._argument) == 0 else "") from error
            raise

    def _text(self, x: Floats) -> str:
        value = None if self._argument is None else self._checked(getattr(self, self._argument))
        if value is None and self._kind == "pca":
            value = min(x.shape)
        return self._kind if value is None else f"{self._kind}:{value}"

    def _checked(self, given: Any) -> str | None:
        """The argument as the text has it."""
        value = _words.plain(given)
        if (value is None or isinstance(value, str)) and value in self._takes:
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and not (self._is_whole and isinstance(value, float)):
            return repr(value)
        raise self._wrong()

    def _wrong(self, but: str = "") -> ValueError:
        name = str(self._argument)
        return ValueError(f"{name} is {_words.plain(getattr(self, name))!r}, expected {self._accepts}{but}")

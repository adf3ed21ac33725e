"""The parameters of estimators: those of `__init__`, stored as they are given."""

import inspect
from typing import Any, Self


class Estimator:
    """An estimator as scikit-learn knows them, without scikit-learn."""

    @classmethod
    def _names(cls) -> list[str]:
        return list(cls._parameters())

    @classmethod
    def _parameters(cls) -> dict[str, inspect.Parameter]:
        """Those of `__init__`, but `**kwargs` of a subclass, which are stored under no name."""
        parameters = inspect.signature(cls).parameters
        return {name: parameter for name, parameter in parameters.items() if parameter.kind != parameter.VAR_KEYWORD}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:
        """Sets parameters; they are checked by `fit`."""
        known = self._names()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {type(self).__name__}(). Valid parameters are: {known}.")
            setattr(self, name, value)
        return self

    def _changed(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        defaults = {name: parameter.default for name, parameter in self._parameters().items()}
        return {name: value for name, value in self.get_params().items() if not _is_same(value, defaults[name])}

    def __repr__(self) -> str:
        changed = ", ".join(f"{name}={value!r}" for name, value in self._changed().items())
        return f"{type(self).__name__}({changed})"

    def _repr_html_(self) -> str:
        from . import _html_models

        return _html_models.of_estimator(self)


def _is_same(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and isinstance(value, (bool, int, float, str)) and value == default)

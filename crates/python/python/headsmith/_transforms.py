"""The transformers, one for each kind of transform.

Made by `crates/python/generate.py` from what the library declares; do not edit.
"""

from __future__ import annotations

from typing import Literal

from ._transformer import OneTransform

__all__ = [
    "Divider",
    "Standardiser",
    "RobustStandardiser",
    "L2Normaliser",
    "SquareRoot",
    "SignedPower",
    "YeoJohnson",
    "QuantileNormaliser",
    "PCA",
    "Whitener",
    "SpectrumPower",
]


class Divider(OneTransform):
    """Divides every feature by a constant.

    It is `divide:K` in the texts of transforms.

    Parameters
    ----------
    divisor : float, default=10.0
        The constant. Accepts a number of at least 0.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "divide"
    _argument = "divisor"
    _takes = ()
    _is_whole = False
    _accepts = "a number of at least 0"

    def __init__(
        self,
        *,
        divisor: float = 10.0,
        n_jobs: int | None = None,
    ) -> None:
        self.divisor = divisor
        self.n_jobs = n_jobs


class Standardiser(OneTransform):
    """Gives every feature mean 0 and standard deviation 1.

    It is `standardise` in the texts of transforms.

    Parameters
    ----------
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "standardise"

    def __init__(
        self,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_jobs = n_jobs


class RobustStandardiser(OneTransform):
    """Gives every feature median 0 and a distance of 1 between its quartiles.

    It is `robust` in the texts of transforms.

    Parameters
    ----------
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "robust"

    def __init__(
        self,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_jobs = n_jobs


class L2Normaliser(OneTransform):
    """Divides every row by its Euclidean norm.

    It is `l2` in the texts of transforms.

    Parameters
    ----------
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "l2"

    def __init__(
        self,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_jobs = n_jobs


class SquareRoot(OneTransform):
    """Takes the square root of the absolute value of every feature, with its sign.

    It is `sqrt` in the texts of transforms.

    Parameters
    ----------
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "sqrt"

    def __init__(
        self,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_jobs = n_jobs


class SignedPower(OneTransform):
    """Raises the absolute value of every feature to a power, with its sign.

    It is `power:P` in the texts of transforms.

    Parameters
    ----------
    exponent : float or {"auto"}, default="auto"
        The power; auto: 0.5 if no training value is negative, and otherwise 1. Accepts a number in 0..1 or auto.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "power"
    _argument = "exponent"
    _takes = ("auto",)
    _is_whole = False
    _accepts = "a number in 0..1 or auto"

    def __init__(
        self,
        *,
        exponent: float | Literal["auto"] = "auto",
        n_jobs: int | None = None,
    ) -> None:
        self.exponent = exponent
        self.n_jobs = n_jobs


class YeoJohnson(OneTransform):
    """Bends each feature to be as close to a normal distribution as it gets, then standardises it.

    It is `yeo-johnson` in the texts of transforms.

    Parameters
    ----------
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "yeo-johnson"

    def __init__(
        self,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_jobs = n_jobs


class QuantileNormaliser(OneTransform):
    """Puts each feature by its rank where that lies in a normal distribution.

    It is `quantile` in the texts of transforms.

    Parameters
    ----------
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "quantile"

    def __init__(
        self,
        *,
        n_jobs: int | None = None,
    ) -> None:
        self.n_jobs = n_jobs


class PCA(OneTransform):
    """Projects every row to the directions in which the training rows vary most.

    It is `pca:K` in the texts of transforms.

    Parameters
    ----------
    n_components : int or None, default=None
        The number of directions; none: as many as there are rows or features, whichever are fewer. Accepts an integer of at least 1 or
        None.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "pca"
    _argument = "n_components"
    _takes = (None,)
    _is_whole = True
    _accepts = "an integer of at least 1 or None"

    def __init__(
        self,
        *,
        n_components: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_jobs = n_jobs


class Whitener(OneTransform):
    """Turns rows to the principal axes and divides each by its standard deviation.

    It is `whiten, whiten:S` in the texts of transforms.

    Parameters
    ----------
    shrinkage : float or None, default=None
        The shrinkage of the covariance; none: the estimate of Ledoit and Wolf. Accepts a number in 0..1 or None.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "whiten"
    _argument = "shrinkage"
    _takes = (None,)
    _is_whole = False
    _accepts = "a number in 0..1 or None"

    def __init__(
        self,
        *,
        shrinkage: float | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.shrinkage = shrinkage
        self.n_jobs = n_jobs


class SpectrumPower(OneTransform):
    """Turns rows to the principal axes and multiplies each by a power of its variance.

    It is `spectrum:P` in the texts of transforms.

    Parameters
    ----------
    exponent : float, default=0.0
        The power of the standard deviation; -1 whitens, 0 only rotates. Accepts a number in -1..2.
    n_jobs : int or None, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result.
    """

    _kind = "spectrum"
    _argument = "exponent"
    _takes = ()
    _is_whole = False
    _accepts = "a number in -1..2"

    def __init__(
        self,
        *,
        exponent: float = 0.0,
        n_jobs: int | None = None,
    ) -> None:
        self.exponent = exponent
        self.n_jobs = n_jobs

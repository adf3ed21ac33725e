"""scikit-learn's routing of metadata: what its pipelines and searches pass to `fit` and `score`. Only who uses it needs scikit-learn."""

from typing import Any, TypeAlias, TypeVar

# Whether a method gets a value, or the name that the value has where it is given; None: an error where it is given.
Request: TypeAlias = bool | str | None
# scikit-learn's own word for a request that stays as it is.
UNCHANGED = "$UNCHANGED$"

# What each method takes beside rows and labels.
TAKEN = {"fit": ["sample_weight", "groups"], "score": ["sample_weight"]}

Kind = TypeVar("Kind")


def requests(estimator: Any) -> Any:
    """The requests of an estimator; those that nobody set ask for nothing."""
    from sklearn.utils import metadata_routing

    theirs: Any = metadata_routing
    # scikit-learn's `clone` copies requests by this name.
    known = getattr(estimator, "_metadata_request", None)
    if known is not None:
        return theirs.get_routing_for_object(known)
    made = theirs.MetadataRequest(owner=estimator)
    for method, names in TAKEN.items():
        for name in names:
            getattr(made, method).add_request(param=name, alias=None)
    return made


def changed(estimator: Kind, method: str, given: dict[str, Request]) -> Kind:
    """The estimator with other requests of a method."""
    import sklearn

    if not sklearn.get_config()["enable_metadata_routing"]:
        raise RuntimeError("This method is only available when metadata routing is enabled. You can enable it using sklearn.set_config(enable_metadata_routing=True).")
    made = requests(estimator)
    for name, alias in given.items():
        if alias != UNCHANGED:
            getattr(made, method).add_request(param=name, alias=alias)
    estimator._metadata_request = made  # type: ignore[attr-defined]
    return estimator

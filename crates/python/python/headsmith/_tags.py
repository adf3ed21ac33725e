"""scikit-learn's tags. Only scikit-learn asks for them, so it is there to be imported."""

from typing import Any


def classifier() -> Any:
    """The tags of a classifier."""
    from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

    return Tags(estimator_type="classifier", target_tags=TargetTags(required=True), classifier_tags=ClassifierTags(), input_tags=InputTags())


def transformer() -> Any:
    """The tags of a transformer, whose output is float32 whatever it gets."""
    from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

    tags = TransformerTags(preserves_dtype=[])
    return Tags(estimator_type=None, target_tags=TargetTags(required=False), transformer_tags=tags, input_tags=InputTags())

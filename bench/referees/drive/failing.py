"""Calls that must fail, and say why."""


def fails(call, kind, text):
    """The message of the error that the call raises, which has the text."""
    try:
        call()
    except kind as error:
        assert text in str(error), error
        return str(error)
    raise AssertionError(f"no {kind.__name__}: {text}")

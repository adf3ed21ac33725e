"""Calls that must fail, and say why."""


def fails(call, kind, text):
    try:
        call()
    except kind as error:
        assert text in str(error), error
        return
    raise AssertionError(f"no {kind.__name__}: {text}")

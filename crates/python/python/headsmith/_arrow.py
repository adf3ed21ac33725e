"""Columns of other libraries' tables, through Arrow's C data interface: nothing needs to be installed for it, and fixed-size lists are not copied.

The structures are those of https://arrow.apache.org/docs/format/CDataInterface.html, read by ctypes.
"""

import ctypes
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NUMBERS = {"f": "f4", "g": "f8", "e": "f2", "c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8"}


class _Schema(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.POINTER(_Schema)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class _Array(ctypes.Structure):
    pass


_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.POINTER(_Array)),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class _Stream(ctypes.Structure):
    _fields_ = [
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


class _Owned:
    """A structure that is released with the last array that looks into it."""

    def __init__(self, structure: Any) -> None:
        self.structure = structure

    def __del__(self) -> None:
        if self.structure.release:
            ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.structure.release)(ctypes.addressof(self.structure))


class Features(NamedTuple):
    """Rows of features, and the names of their columns if each has one of its own."""

    x: npt.NDArray[Any]
    names: list[str] | None


def is_arrow(data: Any) -> bool:
    """Whether `data` has the interface."""
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")


def features(data: Any) -> Features:
    """The rows of a table or an array: its one column of lists, or its columns of numbers side by side."""
    blocks = [_block(*block) for block in _batches(data)]
    if not blocks:
        raise ValueError("Found array with 0 sample(s) (shape=(0, 0)) while a minimum of 1 is required.")
    x = blocks[0].x if len(blocks) == 1 else np.concatenate([block.x for block in blocks])
    return Features(x, blocks[0].names)


def _block(schema: _Schema, array: _Array, owner: Any) -> Features:
    if schema.format != b"+s":
        return Features(_lists(schema, array, owner), None)
    columns = [(schema.children[i].contents, array.children[i].contents) for i in range(schema.n_children)]
    lists = [column for column in columns if column[0].format.startswith(b"+")]
    if len(lists) == 1 == len(columns):
        return Features(_lists(*lists[0], owner, array.offset, array.length), None)
    names = [column.name.decode() for column, _ in columns]
    if lists:
        raise ValueError(f"the columns {', '.join(names)} hold lists and more: give the column of lists, or columns of numbers alone")
    x = np.empty((array.length, len(columns)), dtype=np.float32)
    with np.errstate(over="ignore"):
        for i, column in enumerate(columns):
            x[:, i] = _numbers(*column, owner, array.offset, array.length)
    return Features(x, names)


def _lists(schema: _Schema, array: _Array, owner: Any, start: int = 0, length: int | None = None) -> npt.NDArray[Any]:
    """The rows of a column of lists of one length."""
    kind, n_rows = schema.format.decode(), array.length - start if length is None else length
    _refuse_nulls(schema, array)
    start += array.offset
    if kind.startswith("+w:"):
        width = int(kind[3:])
        first, last = start * width, (start + n_rows) * width
    elif kind in ("+l", "+L"):
        ends = _buffer(array, 1, "i4" if kind == "+l" else "i8", start + n_rows + 1, owner)[start:]
        widths = np.diff(ends)
        if len(widths) == 0 or (widths != widths[0]).any():
            raise ValueError(f"the lists of column {_name(schema)} have different lengths, expected as many numbers in each row")
        width, first, last = int(widths[0]), int(ends[0]), int(ends[-1])
    else:
        raise ValueError(f"column {_name(schema)} holds {kind} in Arrow's letters, expected numbers or lists of numbers")
    return _numbers(schema.children[0].contents, array.children[0].contents, owner, first, last - first).reshape(n_rows, width)


def _numbers(schema: _Schema, array: _Array, owner: Any, start: int, length: int) -> npt.NDArray[Any]:
    """Values of a column of numbers."""
    kind = schema.format.decode()
    _refuse_nulls(schema, array)
    start += array.offset
    if kind == "b":
        bits = _buffer(array, 1, "u1", (start + length + 7) // 8, owner)
        return np.unpackbits(bits, bitorder="little")[start : start + length]
    if kind.startswith("d:"):
        return _decimals(schema, array, owner, start, length)
    if kind not in NUMBERS:
        raise ValueError(f"column {_name(schema)} holds no numbers (it is {kind} in Arrow's letters): leave it out")
    return _buffer(array, 1, NUMBERS[kind], start + length, owner)[start:]


def _decimals(schema: _Schema, array: _Array, owner: Any, start: int, length: int) -> npt.NDArray[Any]:
    """Decimals of 128 bits, as DuckDB has them for literals and sums: two halves each."""
    _, scale, bits = [int(number) for number in f"{schema.format.decode()[2:]},128".split(",")[:3]]
    if bits != 128:
        raise ValueError(f"column {_name(schema)} holds decimals of {bits} bits: convert it to floats")
    low, high = _buffer(array, 1, "i8", 2 * (start + length), owner)[2 * start :].reshape(-1, 2).T
    # The lower half alone is rounded once, to a float64, where the upper one only repeats its sign.
    values = np.where(high == low >> 63, low, high * 2.0**64 + low.view(np.uint64))
    return np.asarray(values / 10.0**scale)


def _refuse_nulls(schema: _Schema, array: _Array) -> None:
    if array.null_count == 0 or not array.buffers[0]:
        return
    bits = np.unpackbits(_buffer(array, 0, "u1", (array.offset + array.length + 7) // 8, None), bitorder="little")
    if not bits[array.offset : array.offset + array.length].all():
        raise ValueError(f"column {_name(schema)} has values that are missing, as NaN is: they have to be replaced or left out first")


def _name(schema: _Schema) -> str:
    return repr(schema.name.decode()) if schema.name else "of the array"


def _buffer(array: _Array, i: int, dtype: str, length: int, owner: Any) -> npt.NDArray[Any]:
    """A view of a buffer, which keeps its owner."""
    address = array.buffers[i]
    if not address or length == 0:
        return np.empty(0, dtype)
    kind: Any = type("Buffer", (ctypes.c_ubyte * (length * np.dtype(dtype).itemsize),), {})
    view: Any = kind.from_address(address)
    view.owner = owner
    values = np.frombuffer(view, dtype=dtype)
    values.flags.writeable = False
    return values


def _batches(data: Any) -> Iterator[tuple[_Schema, _Array, Any]]:
    """The schema and the arrays of a table, each with what keeps its memory."""
    if not hasattr(data, "__arrow_c_stream__"):
        capsules = data.__arrow_c_array__()
        schema = _Schema.from_address(_pointer(capsules[0], b"arrow_schema"))
        yield schema, _Array.from_address(_pointer(capsules[1], b"arrow_array")), (data, capsules)
        return
    capsule = data.__arrow_c_stream__()
    stream = _Stream.from_address(_pointer(capsule, b"arrow_array_stream"))
    owned = _Owned(_Schema())
    _call(stream, stream.get_schema, owned.structure)
    while True:
        batch = _Owned(_Array())
        _call(stream, stream.get_next, batch.structure)
        if not batch.structure.release:
            return
        yield owned.structure, batch.structure, (batch, owned)


def _call(stream: _Stream, function: int, into: Any) -> None:
    status = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(function)(ctypes.addressof(stream), ctypes.addressof(into))
    if status != 0:
        text = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)(stream.get_last_error)(ctypes.addressof(stream))
        raise ValueError(f"the table cannot be read: {(text or b'').decode()}")


def _pointer(capsule: Any, name: bytes) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address = get(capsule, name)
    return int(address)

"""Columns of other libraries' tables, through Arrow's C data interface: nothing needs to be installed for it, and fixed-size lists are not copied.

The structures are those of https://arrow.apache.org/docs/format/CDataInterface.html, read by ctypes.
"""

import ctypes
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

NUMBERS = {"f": "f4", "g": "f8", "e": "f2", "c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8"}
TEXTS = ["u", "U", "vu"]


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


class _Column(NamedTuple):
    """A column, or what its lists hold, and the name that messages have for it."""

    name: str
    schema: _Schema
    array: _Array
    # What keeps the memory.
    owner: Any

    def child(self, i: int) -> "_Column":
        """The values of lists, which have the name of their column."""
        return self._replace(schema=self.schema.children[i].contents, array=self.array.children[i].contents)


def features(data: Any) -> Features:
    """The rows of a table or an array: its one column of lists, or its columns of numbers side by side."""
    blocks: list[Features] = []
    n_rows = 0
    for schema, array, owner in _batches(data):
        blocks.append(_block(schema, array, owner, n_rows))
        n_rows += array.length
    # Empty parts of lists know no length.
    blocks = [block for block in blocks if len(block.x)] or blocks[:1]
    if not blocks:
        raise ValueError("Found array with 0 sample(s) (shape=(0, 0)) while a minimum of 1 is required.")
    _refuse_other_widths([block.x for block in blocks])
    x = blocks[0].x if len(blocks) == 1 else np.concatenate([block.x for block in blocks])
    return Features(x, blocks[0].names)


def _block(schema: _Schema, array: _Array, owner: Any, first_row: int) -> Features:
    """The rows of a batch, whose first one is `first_row` of the table."""
    whole = _Column(_name(schema), schema, array, owner)
    if schema.format != b"+s":
        return Features(_lists(whole, first_row), None)
    _refuse_nulls(whole, 0, array.length)
    columns = [whole.child(i)._replace(name=_name(schema.children[i].contents)) for i in range(schema.n_children)]
    lists = [column for column in columns if column.schema.format.startswith(b"+")]
    if len(lists) == 1 == len(columns):
        return Features(_lists(lists[0], first_row, array.offset, array.length), None)
    names = [column.schema.name.decode() for column in columns]
    if lists:
        raise ValueError(f"the columns {', '.join(names)} hold lists and more: give the column of lists, or columns of numbers alone")
    x = np.empty((array.length, len(columns)), dtype=np.float32)
    with np.errstate(over="ignore"):
        for i, column in enumerate(columns):
            x[:, i] = _numbers(column, array.offset, array.length)
    return Features(x, names)


def _lists(column: _Column, first_row: int, start: int = 0, length: int | None = None) -> npt.NDArray[Any]:
    """The rows of a column of lists of one length."""
    array, kind = column.array, column.schema.format.decode()
    n_rows = array.length - start if length is None else length
    if column.schema.dictionary or not kind.startswith(("+w:", "+l", "+L")):
        raise ValueError(f"{column.name} holds {kind} in Arrow's letters, expected columns of numbers, or lists of numbers")
    _refuse_nulls(column, start, n_rows)
    start += array.offset
    if kind.startswith("+w:"):
        width = int(kind[3:])
        first, last = start * width, (start + n_rows) * width
    else:
        ends = _buffer(array, 1, "i4" if kind == "+l" else "i8", start + n_rows + 1, column.owner)[start:]
        width = _width(column.name, np.diff(ends), first_row)
        first, last = (int(ends[0]), int(ends[-1])) if n_rows else (0, 0)
    return _numbers(column.child(0), first, last - first).reshape(n_rows, width)


def _width(name: str, widths: npt.NDArray[Any], first_row: int) -> int:
    """The one length of lists; 0 where there are none."""
    other = np.flatnonzero(widths != widths[0]) if len(widths) else widths
    if len(other):
        raise ValueError(f"the lists of {name} have different lengths: {widths[0]} in row {first_row}, {widths[other[0]]} in row {first_row + other[0]}; expected as many numbers in each row")
    return int(widths[0]) if len(widths) else 0


def _refuse_other_widths(parts: list[npt.NDArray[Any]]) -> None:
    """Refuses lists that have one length in each part of a column, but not the same."""
    n_rows = 0
    for x in parts:
        if x.shape[1] != parts[0].shape[1]:
            raise ValueError(f"the lists have different lengths: {parts[0].shape[1]} in row 0, {x.shape[1]} in row {n_rows}; expected as many numbers in each row")
        n_rows += len(x)


def _numbers(column: _Column, start: int, length: int) -> npt.NDArray[Any]:
    """Values of a column of numbers."""
    _refuse_nulls(column, start, length)
    return _of_dictionary(column, start, length) if column.schema.dictionary else _values(column, start, length)


def _of_dictionary(column: _Column, start: int, length: int) -> npt.NDArray[Any]:
    """The values of a column that holds codes of them: of categories that are numbers."""
    codes = _values(column, start, length)
    known = column._replace(schema=column.schema.dictionary.contents, array=column.array.dictionary.contents)
    kind = known.schema.format.decode()
    if known.schema.dictionary or not _is_number(kind):
        what = "texts" if kind in TEXTS else f"{kind} in Arrow's letters"
        raise ValueError(f"{column.name} holds no numbers (its categories are {what}): leave it out, or convert it")
    n_known = known.array.length
    # Of categories that no row has nobody minds a null.
    valid = _valid(known, 0, n_known)
    if valid is not None and not valid[codes].all():
        raise _missing(column.name)
    return np.asarray(_values(known, 0, n_known)[codes])


def _is_number(kind: str) -> bool:
    return kind in NUMBERS or kind == "b" or kind.startswith("d:")


def _values(column: _Column, start: int, length: int) -> npt.NDArray[Any]:
    """What the buffer of a column holds, also behind nulls."""
    kind = column.schema.format.decode()
    start += column.array.offset
    if not _is_number(kind):
        raise ValueError(f"{column.name} holds no numbers (it is {kind} in Arrow's letters): leave it out")
    if kind == "b":
        bits = _buffer(column.array, 1, "u1", (start + length + 7) // 8, column.owner)
        return np.unpackbits(bits, bitorder="little")[start : start + length]
    if kind.startswith("d:"):
        return _decimals(column, start, length)
    return _buffer(column.array, 1, NUMBERS[kind], start + length, column.owner)[start:]


def _decimals(column: _Column, start: int, length: int) -> npt.NDArray[Any]:
    """Decimals of 128 bits, as DuckDB has them for literals and sums: two halves each."""
    _, scale, bits = [int(number) for number in f"{column.schema.format.decode()[2:]},128".split(",")[:3]]
    if bits != 128:
        raise ValueError(f"{column.name} holds decimals of {bits} bits: convert it to floats")
    low, high = _buffer(column.array, 1, "i8", 2 * (start + length), column.owner)[2 * start :].reshape(-1, 2).T
    # The lower half alone is rounded once, to a float64, where the upper one only repeats its sign.
    values = np.where(high == low >> 63, low, high * 2.0**64 + low.view(np.uint64))
    return np.asarray(values / 10.0**scale)


def _refuse_nulls(column: _Column, start: int, length: int) -> None:
    """Refuses values that are missing among `length` ones, whatever there is around them."""
    valid = _valid(column, start, length)
    if valid is not None and not valid.all():
        raise _missing(column.name)


def _valid(column: _Column, start: int, length: int) -> npt.NDArray[Any] | None:
    """Which of these values are not null; None where none of the array is."""
    array = column.array
    if array.null_count == 0 or not array.buffers[0]:
        return None
    start += array.offset
    # Only the bytes that hold these bits: a part of a large array is asked for its own.
    skipped = start // 8
    bits = np.unpackbits(_buffer(array, 0, "u1", (start + length + 7) // 8, column.owner)[skipped:], bitorder="little")
    return np.asarray(bits[start - 8 * skipped :][:length], dtype=bool)


def _missing(name: str) -> ValueError:
    return ValueError(f"{name} has values that are missing, as NaN is: they have to be replaced or left out first")


def _name(schema: _Schema) -> str:
    return f"column {schema.name.decode()!r}" if schema.name else "the array"


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

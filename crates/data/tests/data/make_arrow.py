"""Writes the table of make_tables.py as Arrow: files (Feather), streams as Hugging Face's datasets saves them, and the types
that tables have in them.

    python make_arrow.py        # numpy 2.4.6, pandas 3.1.1, pyarrow 26.0.1
"""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather

x = (np.arange(24).reshape(6, 4) * 7 % 31 - 9) / 8
y = ["b", "a", "c", "a", "b", "a"]


def write(new, name, table, rows, options):
    with new(name, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        out.write_table(table, rows)


def stream(name, table, rows=None, **options):
    write(pa.ipc.new_stream, name, table, rows, options)


def file(name, table, rows=None, **options):
    write(pa.ipc.new_file, name, table, rows, options)


f32 = pa.array(x.tolist(), pa.list_(pa.float32()))
plain = pa.table({"embedding": f32, "label": y})
for codec in ["uncompressed", "lz4", "zstd"]:
    feather.write_feather(plain, f"{codec}.feather", compression=codec, chunksize=4)
stream("stream.arrow", plain, 2)
fixed = pa.array([[np.float16(v) for v in row] for row in x], pa.list_(pa.float16(), 4))
file("fixed-f16.arrow", pa.table({"embedding": fixed, "label": y}), 5)
lists = pa.array(x.tolist(), pa.large_list(pa.float64()))
file("wide.arrow", pa.table({"embedding": lists, "label": pa.array(y, pa.large_string())}), compression="lz4")
notes = pa.array(["a text that is longer than a view"] * 6, pa.string_view())
file("views.arrow", pa.table({"note": notes, "embedding": f32, "label": pa.array(y, pa.string_view())}))
columns = pd.DataFrame(x, columns=[f"f{i}" for i in range(4)]).assign(label=y)
file("columns.arrow", pa.Table.from_pandas(columns.set_index(pd.Index(range(10, 16)))), 4)

# Dictionaries: of a whole file, and one that grows from batch to batch.
file("dictionary.arrow", pa.table({"embedding": f32, "label": pa.array(y).dictionary_encode()}), 2)
batches = [pa.array(["b", "a"], pa.string()), pa.array(["b", "a", "c"], pa.string())]
batches = [pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), names) for codes, names in zip([[0, 1], [2, 1, 0, 1]], batches)]
parts = [pa.table({"embedding": f32[:2], "label": batches[0]}), pa.table({"embedding": f32[2:], "label": batches[1]})]
options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
with pa.ipc.new_stream("deltas.arrow", parts[0].schema, options=options) as out:
    for part in parts:
        out.write_table(part)

# What Hugging Face's datasets writes of a ClassLabel.
names = {"info": {"features": {"label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}, "embedding": {"_type": "List"}}}}
schema = pa.schema([("embedding", pa.list_(pa.float32())), ("label", pa.int64())], {"huggingface": json.dumps(names)})
stream("class-label.arrow", pa.table([x.tolist(), ["abc".index(name) for name in y]], schema=schema), 4)
stream("class-label-test.arrow", pa.table([x.tolist(), [-1] * 6], schema=schema))

decimals = {f"f{i}": pa.array([Decimal(str(v)) for v in x[:, i]], pa.decimal128(12, 3)) for i in range(4)}
file("decimal-columns.arrow", pa.table(decimals | {"label": y}))
file("list-of-one.arrow", pa.table({"embedding": [[row] for row in x.tolist()], "label": y}))
file("list-of-two.arrow", pa.table({"embedding": [[row, row] for row in x.tolist()], "label": y}))
text = ["[" + ",".join(map(str, row)) + "]" for row in x]
file("text-lists.arrow", pa.table({"id": range(6), "embedding": text, "label": y}))
kind = pa.struct([("type", pa.int8()), ("size", pa.int32()), ("indices", pa.list_(pa.int32())), ("values", pa.list_(pa.float64()))])
vectors = [
    {"type": 1, "size": None, "indices": None, "values": row} if i % 2 else
    {"type": 0, "size": 4, "indices": [j for j in range(4) if row[j]], "values": [v for v in row if v]}
    for i, row in enumerate(x.tolist())
]
file("spark.arrow", pa.table({"features": pa.array(vectors, kind), "label": y}))
vectors[1] = None
file("spark-null.arrow", pa.table({"features": pa.array(vectors, kind), "label": y}))
packed = [row.astype("<f4").tobytes() for row in x]
file("packed-f32.arrow", pa.table({"name": y, "embedding": packed, "label": y}), compression="zstd")

# Columns of every type that is passed over, before those that are read.
tags = pa.array([0, 1] * 3, pa.int8())
others = {
    "date": pa.array([date(2024, 1, 1)] * 6),
    "time": pa.array(range(6), pa.time64("us")),
    "moment": pa.array(range(6), pa.timestamp("ms", "UTC")),
    "long": pa.array(range(6), pa.duration("s")),
    "interval": pa.array([(1, 2, 3)] * 6, pa.month_day_nano_interval()),
    "struct": pa.array([{"a": 1, "b": ["x"]}, None] * 3),
    "map": pa.array([[("k", 1)], []] * 3, pa.map_(pa.string(), pa.int8())),
    "sparse": pa.UnionArray.from_sparse(tags, [pa.array(range(6)), pa.array(["u"] * 6)]),
    "dense": pa.UnionArray.from_dense(tags, pa.array([0, 0, 1, 1, 2, 2], pa.int32()), [pa.array(range(3)), pa.array(["u"] * 3)]),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([4, 6], pa.int32()), pa.array(["p", "q"])),
    "list_view": pa.array([[1], [2, 3]] * 3, pa.list_view(pa.int16())),
    "null": pa.nulls(6),
    "bytes": pa.array([b"1", None] * 3, pa.large_binary()),
    "decimal": pa.array([Decimal("1.5")] * 6, pa.decimal256(60, 2)),
    "name": pa.array(["n", None] * 3),
}
file("others.arrow", pa.table(others | {"embedding": f32, "label": y}), 4, compression="zstd")

rows = [None, [], [1.0, None, 2.0, 3.0], [1.0], *x[4:].tolist()]
file("nulls.arrow", pa.table({"embedding": pa.array(rows, pa.list_(pa.float32())), "label": [None, *y[1:]]}))
file("date-embeddings.arrow", pa.table({"embedding": pa.array([date(2024, 1, 1)] * 6), "label": y}))
file("no-rows.arrow", plain.slice(0, 0))

# A folder as save_to_disk leaves it.
folder = Path("saved")
folder.mkdir(exist_ok=True)
stream(folder / "data-00000-of-00002.arrow", plain.slice(0, 4), 3)
stream(folder / "data-00001-of-00002.arrow", plain.slice(4), 3)
(folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": f"data-0000{k}-of-00002.arrow"} for k in range(2)]}))
(folder / "dataset_info.json").write_text(json.dumps({"features": {"label": {"dtype": "string", "_type": "Value"}}}))

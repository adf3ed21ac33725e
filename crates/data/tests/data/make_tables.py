"""Writes the tables beside it: the same six rows in every form that pandas, pyarrow and NumPy write, and some that
are wrong.

no-dictionary.parquet and levels.parquet are none of them: a fuzzer found them.

    python make_tables.py        # numpy 2.4.6, pandas 3.1.1, pyarrow 26.0.1, zstandard
"""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

# Multiples of 1/8, which half precision holds exactly.
x = (np.arange(24).reshape(6, 4) * 7 % 31 - 9) / 8
y = ["b", "a", "c", "a", "b", "a"]
names = [f"f{i}" for i in range(4)]

lists = pd.DataFrame({"embeddings": [str(row.tolist()) for row in x], "label": y})
columns = pd.DataFrame(x, columns=names).assign(label=y)
one_hot = pd.get_dummies(columns, columns=["label"], dtype=int)

lists.to_csv("lists.csv", index=False)
lists.to_csv("index.csv")
columns.to_csv("columns.csv", index=False)
columns.to_csv("columns-index.csv")
one_hot.to_csv("one-hot.csv", index=False)
pd.get_dummies(lists, columns=["label"], dtype=bool).to_csv("one-hot-bool.csv", index=False)
with open("lists.csv", "rb") as file:
    text = file.read()
open("lists.csv.gz", "wb").write(gzip.compress(text, mtime=0))
open("lists.csv.zst", "wb").write(zstandard.compress(text))

for name, item, length in [
    ("list-f32", pa.float32(), -1),
    ("list-f64", pa.float64(), -1),
    ("list-f16", pa.float16(), -1),
    ("fixed-f32", pa.float32(), 4),
]:
    rows = [[np.float16(v) if item == pa.float16() else float(v) for v in row] for row in x]
    table = pa.table({"embeddings": pa.array(rows, pa.list_(item, length)), "label": y})
    pq.write_table(table, f"{name}.parquet", compression="zstd")
table = pa.table({"embeddings": pa.array([row.tolist() for row in x], pa.list_(pa.float32())), "label": y})
pq.write_table(table, "groups-v2.parquet", compression="gzip", data_page_version="2.0", row_group_size=2)
pq.write_table(table, "checksum.parquet", compression="none", write_page_checksum=True, use_dictionary=False)
pq.write_table(table.append_column("id", pa.array([f"r,{i}" for i in range(6)])), "with-id.parquet", compression="snappy")
columns.set_index(pd.Index(range(10, 16))).to_parquet("columns.parquet")
one_hot.to_parquet("one-hot.parquet")
pd.DataFrame({"embeddings": [(row * 8).astype(int).tolist() for row in x], "label": [1, 0, 2, 0, 1, 0]}).to_parquet(
    "integers.parquet"
)
pq.write_table(
    pa.table({"embeddings": pa.array([[1.0, 2.0], [1.0], [3.0, 4.0]], pa.list_(pa.float32())), "label": ["a", "b", "a"]}),
    "ragged.parquet",
)
pq.write_table(
    pa.table(
        {
            "embeddings": pa.array(
                [[1.0, 2.0], None, [3.0, None], [], [np.nan, 1.0], [5.0, 6.0], [7.0, 8.0]], pa.list_(pa.float32())
            ),
            "label": ["a", "b", "a", "b", "a", None, "b"],
        }
    ),
    "nulls.parquet",
)
pq.write_table(
    pa.table({"embeddings": pa.array([[1e300, 2.0]], pa.list_(pa.float64())), "label": ["a"]}), "overflow.parquet"
)
# The same labels in CSV, Parquet and npy; and columns that are no features.
for name, labels in [("bool", [True, False] * 3), ("whole", [0.0, 2.0, 10.0] * 2), ("half", [0.0, 0.5, 2.0] * 2)]:
    frame = columns.assign(label=labels)
    frame.to_csv(f"labels-{name}.csv", index=False)
    frame.to_parquet(f"labels-{name}.parquet")
    np.save(f"labels-{name}.npy", x)
    np.save(f"labels-{name}.labels.npy", np.array(labels))
columns.assign(sample=[3, 1, 4, 1, 5, 9]).set_index("sample").to_parquet("named-index.parquet")
columns.assign(
    f2=[str(v) for v in x[:, 2]],
    f3=["0.5", "N/A", "0.25", None, "1", "1.5"],
    note=[f"row {i}" for i in range(6)],
    id=[f"r{i}" for i in range(6)],
).to_parquet("left-out.parquet", index=False)
lists.assign(embeddings=list(x), label=None).to_parquet("to-predict.parquet", index=False)
pq.write_table(
    pa.table({"f0": x[:, 0], "meta": [{"a": i} for i in range(6)], "two": [{"a": i, "b": i} for i in range(6)], "label": y}),
    "structures.parquet",
)
pq.write_table(table.slice(0, 0), "no-rows.parquet")
pq.write_table(pa.table({"label": y, "when": pd.date_range("2026-01-01", periods=6)}), "no-embeddings.parquet")

for name, dtype in [("f16", "<f2"), ("f32", "<f4"), ("f64", "<f8"), ("big-endian", ">f8")]:
    np.save(f"{name}.npy", x.astype(dtype))
    np.save(f"{name}.labels.npy", np.array(y))
np.save("fortran.npy", np.asfortranarray(x))
np.save("fortran.labels.npy", np.array(y).astype("S"))
np.save("X_pair.npy", x)
np.save("y_pair.npy", np.array(y))
np.save("int8.npy", (x * 8).astype("i1"))
np.save("int8.labels.npy", np.array([1, 0, 2, 0, 1, 0]))
np.savez("plain.npz", x=x, y=np.array(y))
np.savez_compressed("packed.npz", features=x.astype("f4"), labels=np.array(y))
np.savez("one-hot.npz", x=x * 8, y=np.eye(3)[[1, 0, 2, 0, 1, 0]])
np.save("object.npy", np.array([[1, "a"]], dtype=object))
np.save("text.npy", np.array([["a", "b"]]))
np.save("three.npy", np.zeros((2, 3, 4)))
np.save("complex.npy", np.zeros((2, 3), dtype="c8"))
np.save("structured.npy", np.zeros(3, dtype=[("a", "f4")]))
json.dump({"x": x.tolist(), "y": y}, open("expected.json", "w"))

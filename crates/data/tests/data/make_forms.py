"""Writes the table of make_tables.py in more of the forms that people bring it in.

    python make_forms.py        # numpy 2.4.6, pandas 3.1.1, pyarrow 26.0.1
"""

import json
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save_file

x = (np.arange(24).reshape(6, 4) * 7 % 31 - 9) / 8
y = ["b", "a", "c", "a", "b", "a"]

# What DataFrame.to_csv makes of a column of arrays: NumPy's print, with line ends in the cell where it is long.
vectors = pd.DataFrame({"embedding": list(x.astype(np.float32)), "label": y})
np.set_printoptions(linewidth=20)
vectors.to_csv("printed.csv", index=False)
np.set_printoptions(linewidth=75, threshold=3, edgeitems=1)
vectors.to_csv("abbreviated.csv", index=False)
np.set_printoptions(threshold=1000, edgeitems=3)

# What drivers of PostgreSQL give for a column of type vector.
text = ["[" + ",".join(map(str, row)) + "]" for row in x]
pq.write_table(pa.table({"id": range(6), "embedding": text, "label": y}), "text-lists.parquet")

# A warehouse's NUMBER(38, 0) as labels and NUMBER(12, 3) as features.
decimals = pa.array([Decimal(ord(name) - ord("a")) for name in y], pa.decimal128(38, 0))
pq.write_table(pa.table({"embedding": x.tolist(), "label": decimals}), "decimal-labels.parquet")
columns = {f"f{i}": pa.array([Decimal(str(v)) for v in x[:, i]], pa.decimal128(12, 3)) for i in range(4)}
pq.write_table(pa.table(columns | {"label": y}), "decimal-columns.parquet", store_decimal_as_integer=True)
dates = pa.array([date(2024, 1, 1)] * 6)
pq.write_table(pa.table({"embedding": x.tolist(), "label": dates}), "date-labels.parquet")
pq.write_table(pa.table({"embedding": dates, "label": y}), "date-embeddings.parquet")

# What df["label"].to_numpy() gives: Python objects.
objects = np.array(y, dtype=object)
np.savez("object-labels.npz", embeddings=x, labels=objects)
np.save("object-beside.npy", x)
np.save("object-beside.labels.npy", objects)
np.savez("object-features.npz", x=np.array([[1.0], [1.0, 2.0]], dtype=object), y=np.array([0, 1]))

# One axis too many: of one element, and of three tokens.
np.save("one-token.npy", x[:, None, :])
np.save("one-token.labels.npy", np.array(y))
np.save("pooled.npy", np.asfortranarray(x[:, :, None, None]))
np.save("pooled.labels.npy", np.array(y))
np.save("tokens.npy", np.stack([x, x, x], axis=1))
np.save("pictures.npy", np.zeros((6, 2, 3, 4)))
np.savez("splits.npz", X_train=x, y_train=np.array(y), X_test=x[:2] + 1, y_test=np.array(["d", "e"]))

save_file({"embeddings": x.astype(np.float32), "labels": np.array([1, 0, 2, 0, 1, 0])}, "tensors.safetensors")
vectors.assign(embedding=x.tolist()).to_json("lines.jsonl", orient="records", lines=True)
vectors.assign(embedding=x.tolist()).to_json("records.json", orient="records", indent=1)

# What Hugging Face's datasets writes of a ClassLabel: numbers, their names in the metadata, and -1 for no label.
names = {"info": {"features": {"label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}, "embedding": {"_type": "List"}}}}
schema = pa.schema([("embedding", pa.list_(pa.float32())), ("label", pa.int64())], {"huggingface": json.dumps(names)})
codes = ["abc".index(name) for name in y]
pq.write_table(pa.table([x.tolist(), codes], schema=schema), "class-label.parquet")
pq.write_table(pa.table([x.tolist(), [-1] * 6], schema=schema), "class-label-test.parquet")
pq.write_table(pa.table([x.tolist(), [0, 1, 7, 0, 1, 0]], schema=schema), "class-label-wrong.parquet")
table = pa.table({"embedding": x.tolist(), "label": pa.array(y).dictionary_encode()})
pq.write_table(table, "dictionary.parquet")

# Lists of one list, and of several.
pq.write_table(pa.table({"embedding": [[row] for row in x.tolist()], "label": y}), "list-of-one.parquet")
pq.write_table(pa.table({"embedding": [[row, row] for row in x.tolist()], "label": y}), "list-of-two.parquet")

# Bytes, as databases keep vectors.
packed = [row.astype("<f4").tobytes() for row in x]
pq.write_table(pa.table({"name": y, "embedding": packed, "label": y}), "packed-f32.parquet")
packed = pa.array([row.astype("<f2").tobytes() for row in x], pa.binary(8))
pq.write_table(pa.table({"v": packed, "label": y}), "packed-f16.parquet")
packed = [row.astype("<f8").tobytes() for row in x]
pq.write_table(pa.table({"embedding": [None, b"123", *packed[2:]], "label": y}), "packed-bad.parquet")

# The vectors of Spark ML: dense ones, and sparse ones that leave out zeros.
kind = pa.struct([("type", pa.int8()), ("size", pa.int32()), ("indices", pa.list_(pa.int32())), ("values", pa.list_(pa.float64()))])
vectors = [
    {"type": 1, "size": None, "indices": None, "values": row} if i % 2 else
    {"type": 0, "size": 4, "indices": [j for j in range(4) if row[j]], "values": [v for v in row if v]}
    for i, row in enumerate(x.tolist())
]
pq.write_table(pa.table({"features": pa.array(vectors, kind), "label": y}), "spark.parquet")
vectors[1] = None
pq.write_table(pa.table({"features": pa.array(vectors, kind), "label": y}), "spark-null.parquet")
vectors[0]["indices"] = [9, 8, 7, 6]
pq.write_table(pa.table({"features": pa.array(vectors, kind), "label": y}), "spark-wrong.parquet")

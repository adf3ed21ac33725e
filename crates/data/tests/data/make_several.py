"""Writes tables whose labels are several a row, and regression targets.

    python make_several.py        # numpy 2.4.6, pyarrow 26.0.1
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

x = [[0.5, 1.0], [1.5, 2.0], [2.5, 3.0]]
tables = {
    "texts": pa.table({"embedding": x, "label": [["a"], ["a", "b"], []]}),
    "numbers": pa.table({"embedding": x, "label": [[1], [], [2, 0, 1]]}),
    "one-hot": pa.table({"embedding": x, "label_a": [1, 1, 0], "label_b": [0, 1, 1]}),
}
for name, table in tables.items():
    pq.write_table(table, f"several-{name}.parquet")
with pa.ipc.new_stream("several-texts.arrow", tables["texts"].schema) as out:
    out.write_table(tables["texts"])
np.save("several.labels.npy", np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 0, 0], [0, 1, 0]]))

target = pa.table({"f0": np.arange(40) % 7, "target": np.sin(np.arange(40.0))})
pq.write_table(target, "regression.parquet")
with pa.ipc.new_file("regression.arrow", target.schema) as out:
    out.write_table(target)

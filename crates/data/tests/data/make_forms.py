"""Writes the table of make_tables.py in more of the forms that people bring it in.

    python make_forms.py        # numpy 2.4.6, pandas 3.1.1, pyarrow 26.0.1
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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

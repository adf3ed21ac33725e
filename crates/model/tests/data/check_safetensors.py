"""Reads the golden files with the safetensors package, predicts from them with numpy, and records the probabilities in
golden-v1.json.

Run: python check_safetensors.py    (numpy 2.4.6, safetensors 0.8.0)
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3] / "bench/referees"))

import model_file  # noqa: E402

rows = np.array([(i * i * 5 + i * 11 + 7) % 31 / 4 - 3.5 for i in range(28)]).reshape(7, 4)
recorded = {"rows": rows.tolist()}
for name in ["mlp", "forest", "ensemble"]:
    model, tensors = model_file.read(HERE / f"golden-v1-{name}.safetensors")
    assert len(model["classes"]) == 3, model["classes"]
    recorded[name] = model_file.predict_proba(model["node"], tensors, rows).tolist()
(HERE / "golden-v1.json").write_text(json.dumps(recorded, indent=1) + "\n")

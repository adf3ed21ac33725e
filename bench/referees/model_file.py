"""The model file, read by the safetensors package and computed again with numpy alone.

Run by `cargo xtask test`; alone: target/referees/bin/python bench/referees/model_file.py
For files of your own: model_file.py MODEL.safetensors TABLE.parquet PROBABILITIES.csv, where PROBABILITIES.csv is what
`headsmith predict --model MODEL.safetensors --data TABLE.parquet --out PROBABILITIES.csv --proba` wrote.
"""

import json
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
from safetensors import safe_open

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
DATA = ROOT / "examples/sentences"
LEAF = np.iinfo(np.uint32).max


def read(path):
    """The description and the tensors of a model file."""
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
        model = json.loads(metadata["headsmith"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if "crc32" in metadata:
        content = Path(path).read_bytes()
        data = content[8 + int.from_bytes(content[:8], "little") :]
        assert metadata["crc32"] == f"{zlib.crc32(metadata['headsmith'].encode(), zlib.crc32(data)):08x}", path
    assert model["format"] == "headsmith-model" and model["version"] in (1, 2), model["format"]
    return model, tensors


def predict_proba(node, tensors, x, path="0/"):
    """The probabilities of the rows x in double precision; docs/formats/model.md says what is what."""
    own = {name.removeprefix(path): tensor for name, tensor in tensors.items() if name.startswith(path)}
    match node["kind"]:
        case "transform":
            return predict_proba(node["then"], tensors, transform(node["scaling"], own, x), path + "0/")
        case "forest":
            return forest(own, x)
        case "mlp":
            return mlp(node["architecture"], own, x)
        case "ensemble":
            weights = np.array([member["weight"] for member in node["members"]])
            members = [predict_proba(m["node"], tensors, x, f"{path}{i}/") for i, m in enumerate(node["members"])]
            return np.average(members, axis=0, weights=weights)


def transform(scaling, tensors, x):
    if scaling.startswith("divide:"):
        x = x / float(scaling.removeprefix("divide:"))
    if scaling.startswith("l2"):
        norm = np.linalg.norm(x, axis=1, keepdims=True)
        x = x / np.where(norm < 10 * np.finfo(float).eps, 1, norm)
    if scaling.endswith("standardise"):
        x = (x - tensors["mean"]) / tensors["scale"]
    return x


def mlp(architecture, tensors, x):
    counts = {}
    for layer in architecture["layers"]:
        kind = layer["kind"]
        nth = counts[kind] = counts.get(kind, -1) + 1
        name = f"{kind}_{nth}" if nth else kind
        if kind == "dense":
            x = x @ tensors[f"{name}/kernel"].astype(float) + tensors[f"{name}/bias"]
            x = np.maximum(x, 0) if layer["activation"] == "relu" else softmax(x)
        elif kind == "layer_normalization":
            centred = x - x.mean(axis=1, keepdims=True)
            x = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + layer["epsilon"])
            x = x * tensors[f"{name}/gamma"] + tensors[f"{name}/beta"]
    return x


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forest(tensors, x):
    n_classes, n_trees = int(tensors["n_classes"][0]), len(tensors["tree_size"])
    first_node = np.concatenate([[0], np.cumsum(tensors["tree_size"], dtype=int)])
    first_leaf = np.concatenate([[0], np.cumsum(tensors["tree_mixed_leaves"], dtype=int)])
    first_share = np.concatenate([[0], np.cumsum(tensors["mixed_size"], dtype=int)])
    proba = np.zeros((len(x), n_classes))
    for row, total in zip(np.asarray(x, dtype=np.float32), proba):
        for root, leaves in zip(first_node[:-1], first_leaf[:-1]):
            node = root
            while (feature := tensors["feature"][node]) != LEAF:
                goes_right = row[feature] > tensors["threshold"][node]
                node = root + int(tensors["next"][node]) + goes_right
            leaf = int(tensors["next"][node])
            if leaf < n_classes:
                total[leaf] += 1
            else:
                leaf += leaves - n_classes
                shares = slice(first_share[leaf], first_share[leaf + 1])
                total[tensors["mixed_class"][shares]] += tensors["mixed_probability"][shares]
    return proba / n_trees


def compare(model_path, table_path, probabilities_path):
    """Asserts that the probabilities in a CSV are those of the model for the table's embeddings."""
    import pandas as pd

    model, tensors = read(model_path)
    x = np.stack(pd.read_parquet(table_path)["embeddings"]).astype(np.float32)
    ours = pd.read_csv(probabilities_path, usecols=model["classes"])[model["classes"]].to_numpy()
    numpys = predict_proba(model["node"], tensors, x.astype(float))
    worst = np.abs(ours - numpys).max()
    assert ours.shape == numpys.shape and worst < 1e-5, f"{ours.shape}, {numpys.shape}, apart by {worst}"
    return worst


def headsmith(*args):
    done = subprocess.run([HEADSMITH, *map(str, args), "--quiet"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{args} ended with {done.returncode}: {done.stderr}"


def page(model_path):
    """Runs the lines of Python that the format's page shows, on this model."""
    lines = (ROOT / "docs/formats/model.md").read_text().split("```python\n")[1].split("```")[0]
    names = {}
    exec(lines.replace("model.safetensors", str(model_path)), names)
    model, tensors = read(model_path)
    assert names["model"] == model and names["tensors"].keys() == tensors.keys()


def main():
    heads = {
        "forest": ["--n-estimators", 10],
        "mlp": ["--neurons0", 32, "--epochs", 2, "--layer-norms", 2, "--scale", "l2+standardise"],
    }
    with tempfile.TemporaryDirectory() as folder:
        for head, parameters in heads.items():
            model, out = Path(folder, f"{head}.safetensors"), Path(folder, f"{head}.csv")
            headsmith("fit", head, "--train", DATA / "train.parquet", "--model", model, *parameters)
            headsmith("predict", "--model", model, "--data", DATA / "test.parquet", "--out", out, "--proba")
            worst = compare(model, DATA / "test.parquet", out)
            page(model)
            print(f"ok {head}: numpy computes the same probabilities from the model file, within {worst:.1e}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(f"ok {sys.argv[1]}: within {compare(*sys.argv[1:]):.1e}")
    else:
        main()

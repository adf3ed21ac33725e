"""headsmith on an S3-compatible server (moto): tables read from objects, folders and wildcards give the bytes of the local files; outputs and shards are
objects; what is missing or fails leaves one clear error and no object.

Run by `cargo xtask test`; alone: target/referees/bin/python bench/referees/object_stores.py
"""

import gzip
import json
import logging
import os
import subprocess
import tempfile
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
DATA = ROOT / "examples/sentences"
BUCKET = "tables"


def headsmith(*args, **more):
    return subprocess.run([HEADSMITH, *map(str, args)], capture_output=True, text=True, **more)


def succeeded(*args):
    run = headsmith(*args)
    assert run.returncode == 0, (args, run.stderr)
    return run


def refused(*args, says):
    run = headsmith(*args)
    assert run.returncode not in (0, 101) and "panicked" not in run.stderr, (args, run.stderr)
    for text in says:
        assert text in run.stderr, (args, run.stderr)
    assert len(run.stderr.splitlines()) <= 3, run.stderr


class Bucket:
    """The client, with the objects' bytes."""

    def __init__(self, endpoint):
        self.s3 = boto3.client("s3", endpoint_url=endpoint)
        self.s3.create_bucket(Bucket=BUCKET)

    def put(self, key, content):
        content = content.read_bytes() if isinstance(content, Path) else content
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"s3://{BUCKET}/{key}"

    def get(self, key):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def keys(self, prefix):
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return sorted(item["Key"] for item in found)

    def uploads(self):
        return self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


def written(folder):
    """The same table in many formats: a list in row groups, one column for each feature, text, arrays."""
    table = pa.parquet.read_table(DATA / "val.parquet")
    # Long enough for several windows of the reader.
    table = pa.concat_tables([table] * 5)
    x = np.stack(table["embeddings"].to_pylist()).astype(np.float32)
    labels = table["label"].to_pylist()
    pa.parquet.write_table(table, folder / "lists.parquet", row_group_size=3000)
    columns = pd.DataFrame(x, columns=[f"f{i}" for i in range(x.shape[1])]).assign(id=np.arange(len(x)), label=labels)
    columns.to_parquet(folder / "columns.parquet", row_group_size=2500)
    columns.head(3000).to_csv(folder / "columns.csv", index=False)
    (folder / "columns.csv.gz").write_bytes(gzip.compress((folder / "columns.csv").read_bytes(), 1))
    pa.feather.write_feather(table, folder / "lists.arrow", compression="zstd")
    np.save(folder / "rows.npy", x)
    np.savez(folder / "both.npz", x=x, y=np.array(labels))
    return sorted(folder.iterdir())


def same_bytes(bucket, folder, model):
    """Every format, read from an object, gives the bytes that the local file gives."""
    for path in written(folder):
        url = bucket.put(f"formats/{path.name}", path)
        local, remote = folder.parent / "local.csv", folder.parent / "remote.csv"
        succeeded("predict", "--model", model, "--data", path, "--out", local, "--proba")
        succeeded("predict", "--model", model, "--data", url, "--out", remote, "--proba")
        assert local.read_bytes() == remote.read_bytes(), path
        print(f"ok {path.name} from an object ({path.stat().st_size:,} bytes): the same predictions")


def outputs(bucket, folder, model):
    source = bucket.put("in/lists.parquet", folder / "lists.parquet")
    for name in ["p.csv", "p.csv.gz", "p.parquet", "p.jsonl", "p.npy"]:
        local = folder.parent / name
        succeeded("predict", "--model", model, "--data", folder / "lists.parquet", "--out", local, "--proba")
        succeeded("predict", "--model", model, "--data", source, "--out", f"s3://{BUCKET}/out/{name}", "--proba")
        assert bucket.get(f"out/{name}") == local.read_bytes(), name
    assert not bucket.uploads()
    print(f"ok five formats to objects, the largest of {(folder.parent / 'p.jsonl').stat().st_size:,} bytes: the same bytes as local files")


def several(bucket, folder, model):
    """A folder in natural order, without hidden objects, and wildcards."""
    table = pa.parquet.read_table(folder / "lists.parquet")
    for i, start in [(1, 0), (2, 3000), (10, 6000)]:
        path = folder.parent / f"part-{i}.parquet"
        pa.parquet.write_table(table.slice(start, 3000), path)
        bucket.put(f"parts/date=1/part-{i}.parquet", path)
    bucket.put("parts/_SUCCESS", b"")
    bucket.put("parts/date=1/.part.crc", b"x")
    bucket.put("parts/date=1/readme.md", b"x")
    local, remote = folder.parent / "local.csv", folder.parent / "remote.csv"
    pa.parquet.write_table(table.slice(0, 9000), folder.parent / "whole.parquet")
    succeeded("predict", "--model", model, "--data", folder.parent / "whole.parquet", "--out", local)
    for name in ["parts", "parts/", "parts/date=1/part-*.parquet", "parts/*/part-?*.parquet"]:
        succeeded("predict", "--model", model, "--data", f"s3://{BUCKET}/{name}", "--out", remote)
        assert remote.read_bytes() == local.read_bytes(), name
    print("ok a folder of objects and wildcards: the rows of the whole table in their order")
    refused("predict", "--model", model, "--data", f"s3://{BUCKET}/parts/*.csv", "--out", remote, says=["no file matches"])


def shards(bucket, folder, model):
    args = ["predict", "--model", model, "--data", f"s3://{BUCKET}/parts", "--out", f"s3://{BUCKET}/shards/p.csv"]
    for i in range(4):
        succeeded(*args, "--shard", f"{i}/4")
    names = [f"shards/p-{i:05}-of-00004.csv" for i in range(4)]
    assert bucket.keys("shards/") == names
    parts = [bucket.get(name).splitlines(keepends=True) for name in names]
    whole = parts[0] + [line for part in parts[1:] for line in part[1:]]
    assert b"".join(whole) == (folder.parent / "local.csv").read_bytes()
    # moto's times have seconds: an output of the same second as its model is newer than it by nothing.
    again = succeeded(*args, "--shard", "2/4")
    assert "skipped" in again.stderr + again.stdout, again
    print("ok four shards of a folder: together the whole; a finished one is skipped")


def training(bucket, folder):
    urls = [bucket.put(f"train/{name}.parquet", DATA / f"{name}.parquet") for name in ["train", "val"]]
    for name, args in [("local", [DATA / "train.parquet", DATA / "val.parquet"]), ("remote", urls)]:
        out = folder.parent / f"{name}.safetensors"
        succeeded("fit", "ridge", "--train", args[0], "--val", args[1], "--model", out, "--seed", "1")
    both = []
    for model, data in [("local", DATA / "val.parquet"), ("remote", urls[1])]:
        report = json.loads(succeeded("evaluate", "--model", folder.parent / f"{model}.safetensors", "--data", data, "--json").stdout)
        both.append((report.pop("table")["fingerprint"], report))
    assert both[0] == both[1]
    print("ok fit and evaluate on objects: the same scores")


def failures(bucket, folder, model):
    out = folder.parent / "never.csv"
    predict = ["predict", "--model", model, "--data"]
    known = f"s3://{BUCKET}/in/lists.parquet"
    refused(*predict, f"s3://{BUCKET}/missing.parquet", "--out", out, says=["missing.parquet", "no such object"])
    refused(*predict, "s3://no-such-bucket/x.parquet", "--out", out, says=["no-such-bucket"])
    refused(*predict, "hf://datasets/x", "--out", out, says=["hf:// is no store", "s3://"])
    refused(*predict, known, "--out", "s3://no-such-bucket/p.csv", says=["no-such-bucket", "cannot be written"])
    refused(*predict, known, "--out", f"s3://{BUCKET}/p.csv", "--zip", says=["--zip"])
    bad = bucket.put("bad/cut.parquet", (folder / "lists.parquet").read_bytes()[:-7])
    refused(*predict, bad, "--out", f"s3://{BUCKET}/bad/p.csv", says=["cut off"])
    text = (folder / "columns.csv").read_text().splitlines()
    wrong = "\n".join([*text, text[-1].replace(",", ",x", 1)])
    refused(*predict, bucket.put("bad/row.csv", wrong.encode()), "--out", f"s3://{BUCKET}/bad/p.csv", says=["line 3002"])
    assert bucket.keys("bad/p") == [] and not bucket.uploads() and not out.exists()
    print("ok missing objects and buckets, other stores, cut files, bad rows: one error, and no object or upload is left")
    gone = {**os.environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run = headsmith(*predict, known, "--out", out, env=gone)
    assert run.returncode not in (0, 101) and "127.0.0.1:9" in run.stderr, run.stderr
    print(f"ok a server that is gone: {run.stderr.strip()}")


def main():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ.update(AWS_ENDPOINT_URL=f"http://{host}:{port}", AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION="us-east-1")
    bucket = Bucket(os.environ["AWS_ENDPOINT_URL"])
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder) / "tables"
        folder.mkdir()
        model = folder.parent / "model.safetensors"
        succeeded("fit", "linear", "--train", DATA / "train.parquet", "--model", model, "--conformal", "0.9")
        same_bytes(bucket, folder, model)
        outputs(bucket, folder, model)
        several(bucket, folder, model)
        shards(bucket, folder, model)
        training(bucket, folder)
        failures(bucket, folder, model)
    server.stop()


if __name__ == "__main__":
    main()

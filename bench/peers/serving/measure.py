"""headsmith serve beside onnxruntime + FastAPI (uvicorn): the same network, the same requests, one load generator (crates/server/examples/load.rs).

    python bench/peers/serving/measure.py MODEL.safetensors MODEL.onnx ONE_ROW.json MANY_ROWS.json

with a Python that has onnxruntime, fastapi and uvicorn[standard]; builds nothing: HEADSMITH and LOAD name the binaries (default: target/release/headsmith and
target/release/examples/load). For each number of connections and each body: the largest throughput (closed loop), and latencies from each request's arrival (open
loop) at half of it; then the largest rate at which the p99 stays within 10 ms. Server and generator share the machine, for both servers alike.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
LOAD = os.environ.get("LOAD", ROOT / "target/release/examples/load")
SECONDS = os.environ.get("SECONDS_EACH", "5")
LARGEST_P99_MS = 10.0
PORT = {"headsmith": 8731, "fastapi": 8732}


def start(server, model, onnx):
    port = str(PORT[server])
    if server == "headsmith":
        args, env = [HEADSMITH, "serve", model, "--listen", f"127.0.0.1:{port}", "--quiet"], {}
    else:
        folder = str(Path(__file__).parent)
        args = [sys.executable, "-m", "uvicorn", "--app-dir", folder, "fastapi_onnx:app", "--port", port, "--no-access-log"]
        env = {"MODEL": str(Path(onnx).resolve())}
    process = subprocess.Popen(args, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = "/v2/health/ready" if server == "headsmith" else "/docs"
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}")
            return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{server} did not start")


def load(server, body, connections, rate):
    args = [LOAD, f"127.0.0.1:{PORT[server]}", "/predict", body, str(connections), str(rate), SECONDS]
    return json.loads(subprocess.run(args, check=True, capture_output=True, text=True).stdout)


def rate_within(server, body, connections, capacity):
    """The largest tried rate at which the p99 stays within the bound, and its result."""
    for share in [0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.35, 0.2, 0.1]:
        result = load(server, body, connections, capacity * share)
        if result["p99_ms"] and result["p99_ms"] <= LARGEST_P99_MS and result["shed"] == result["failed"] == 0:
            return result
    return result


def show(server, rows, what, result):
    times = " ".join(f"{q}={result[f'{q}_ms'] or 0:8.2f}" for q in ("p50", "p99", "p999"))
    shed = result["shed"] / max(result["ok"] + result["shed"], 1)
    print(
        f"{server:9} rows={rows:<3} connections={result['connections']:<4} {what:12} {result['achieved']:9.0f}/s {times} ms "
        f"shed={shed:.1%} failed={result['failed']}",
        flush=True,
    )


def main():
    model, onnx, one, many = sys.argv[1:]
    for server in ["fastapi", "headsmith"]:
        process = start(server, model, onnx)
        try:
            load(server, one, 8, 0)
            for rows, body in [(1, one), (64, many)]:
                for connections in [1, 32, 256]:
                    capacity = load(server, body, connections, 0)
                    show(server, rows, "closed loop", capacity)
                    show(server, rows, "half of it", load(server, body, connections, capacity["achieved"] / 2))
                    if connections == 32:
                        show(server, rows, "p99 <= 10 ms", rate_within(server, body, connections, capacity["achieved"]))
        finally:
            process.terminate()
            process.wait()


main()

"""What the measurements of servers share: starting one, and the load generator (crates/server/examples/load.rs).

Nothing is built: HEADSMITH and LOAD name the binaries (default: target/release/headsmith and target/release/examples/load).
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
SECONDS = float(os.environ.get("SECONDS_EACH", "5"))
LARGEST_P99_MS = 10.0
PORT = {"headsmith": 8731, "fastapi": 8732}


def start(server, model, onnx=None):
    port = str(PORT[server])
    if server == "headsmith":
        args, env = [HEADSMITH, "serve", f"model={model}", "--listen", f"127.0.0.1:{port}", "--quiet"], {}
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


def used(process):
    """Seconds of a processor that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(process):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def load_started(server, body, connections, rate, seconds=SECONDS):
    """The load generator at work; a rate of 0: as many requests as it can."""
    args = [LOAD, f"127.0.0.1:{PORT[server]}", "/predict", body, str(connections), str(rate), str(seconds)]
    return subprocess.Popen(args, stdout=subprocess.PIPE, text=True)


def load_ended(process):
    """What the load generator found."""
    output, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit("the load generator failed")
    return json.loads(output)


def load(server, body, connections, rate, seconds=SECONDS):
    return load_ended(load_started(server, body, connections, rate, seconds))


def rate_within(server, body, connections, capacity):
    """The largest tried rate at which the p99 stays within the bound, and its result."""
    for share in [0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.35, 0.2, 0.1]:
        result = load(server, body, connections, capacity * share)
        if result["p99_ms"] and result["p99_ms"] <= LARGEST_P99_MS and result["shed"] == result["failed"] == 0:
            return result
    return result

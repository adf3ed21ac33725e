"""Good clients beside bad ones: latencies of headsmith serve alone, and while others abuse it in each way of `abusers.py`.

    python bench/peers/serving/abuse.py mlp.safetensors ONE_ROW.json [KIND..]

`servers.py` says which binaries. Good clients: 32 connections that ask for one row RATE times a second (2,000), in an open loop. Each kind is measured in turn,
the good clients alone before it, ROUNDS times (3); medians are printed, with the ratio of the p99 to the median of all p99s alone, and what server and abuser took
of a processor meanwhile. Server, abuser and generator share the machine.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import abusers
from servers import PORT, SECONDS, load, memory_mb, start, used

RATE = float(os.environ.get("RATE", "2000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CONNECTIONS = 32
MAX_ROWS = 4096
QUANTILES = ["p50_ms", "p99_ms", "p999_ms"]


def abused(kind, server, one, n_features):
    """The good clients' latencies while the bad ones are at work, and what those found."""
    args = [sys.executable, abusers.__file__, kind, PORT["headsmith"], n_features, MAX_ROWS, SECONDS + 2]
    bad = subprocess.Popen([str(arg) for arg in args], stdout=subprocess.PIPE, text=True)
    assert bad.stdout.readline() == "ready\n", kind
    # All have connected.
    time.sleep(1)
    before, begin = used(server), time.monotonic()
    found = load("headsmith", one, CONNECTIONS, RATE)
    found["server"] = (used(server) - before) / (time.monotonic() - begin)
    found |= json.loads(bad.communicate()[0])
    found["memory_mb"] = memory_mb(server)
    return found


def median(results, key):
    return statistics.median(result[key] for result in results)


def show(kind, results, alone):
    times = " ".join(f"{q[:-3]}={median(results, q):7.2f}" for q in QUANTILES)
    ratio = median(results, "p99_ms") / alone
    bad = sum(result["shed"] + result["failed"] for result in results)
    more = ""
    if "share" in results[0]:
        statuses = {status: n for result in results for status, n in result["statuses"].items()}
        more = f" server {median(results, 'server'):4.0%} abuser {median(results, 'share'):4.0%} {median(results, 'memory_mb'):4.0f} MB {statuses}"
    print(f"{kind:17} {times} ms, p99 x {ratio:5.2f}, {bad} not answered{more}", flush=True)


def main():
    model, one, *chosen = sys.argv[1:]
    n_features = len(json.loads(Path(one).read_text())["embeddings"][0])
    chosen = chosen or [*abusers.kinds(n_features, MAX_ROWS), "all"]
    server = start("headsmith", model)
    alone, found = [], {kind: [] for kind in chosen}
    try:
        load("headsmith", one, CONNECTIONS, RATE)
        for _ in range(ROUNDS):
            for kind in chosen:
                alone.append(load("headsmith", one, CONNECTIONS, RATE))
                found[kind].append(abused(kind, server, one, n_features))
        show("alone", alone, median(alone, "p99_ms"))
        for kind, results in found.items():
            show(kind, results, median(alone, "p99_ms"))
    finally:
        server.terminate()
        server.wait()


main()

"""headsmith serve beside onnxruntime + FastAPI (uvicorn): the same network, the same requests, one load generator (crates/server/examples/load.rs).

    python bench/peers/serving/measure.py MODEL.safetensors MODEL.onnx ONE_ROW.json MANY_ROWS.json

with a Python that has onnxruntime, fastapi and uvicorn[standard]; `servers.py` says which binaries. For each number of connections and each
body: the largest throughput (closed loop), and latencies from each request's arrival (open loop) at half of it; then the largest rate at which the p99 stays
within 10 ms. Server and generator share the machine, for both servers alike.
"""

import sys

from servers import load, rate_within, start


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

"""headsmith serve for a long time at a share of what it sustains: its memory must stay as it is.

    python bench/peers/serving/soak.py MODEL.safetensors ONE_ROW.json [--minutes 30] [--share 0.8]

`servers.py` says which binaries. The share is of the largest rate at which the p99 stays within 10 ms, which is measured first; 32 connections, an open loop. Prints the
server's memory every 30 s, and at the end the latencies of all requests.
"""

import argparse
import time

from servers import LARGEST_P99_MS, load, load_ended, load_started, memory_mb, rate_within, start, used

CONNECTIONS = 32
EVERY = 30


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("one")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--share", type=float, default=0.8)
    args = parser.parse_args()
    server = start("headsmith", args.model)
    try:
        capacity = load("headsmith", args.one, CONNECTIONS, 0)["achieved"]
        sustained = rate_within("headsmith", args.one, CONNECTIONS, capacity)
        if not (sustained["p99_ms"] and sustained["p99_ms"] <= LARGEST_P99_MS):
            raise SystemExit(f"p99 {sustained['p99_ms']:.1f} ms at the lowest rate tried: the machine is too busy")
        rate = args.share * sustained["achieved"]
        print(f"at most {capacity:.0f}/s, p99 {sustained['p99_ms']:.1f} ms at {sustained['achieved']:.0f}/s; {args.minutes} minutes at {rate:.0f}/s", flush=True)
        soak(server, args, rate)
    finally:
        server.terminate()
        server.wait()


def soak(server, args, rate):
    running, begin, before = load_started("headsmith", args.one, CONNECTIONS, rate, 60 * args.minutes), time.monotonic(), used(server)
    found = []
    while running.poll() is None and len(found) < 60 * args.minutes / EVERY:
        time.sleep(max(begin + EVERY * (len(found) + 1) - time.monotonic(), 0))
        found.append(memory_mb(server))
        share = (used(server) - before) / (time.monotonic() - begin)
        print(f"{len(found) * EVERY / 60:5.1f} min {found[-1]:6.1f} MB, {share:.0%} of a processor", flush=True)
    result = load_ended(running)
    print(f"{result['ok']} answered, {result['shed']} shed, {result['failed']} failed; " + " ".join(f"{q}={result[f'{q}_ms']:.2f}" for q in ("p50", "p99", "p999", "max")) + " ms")
    print(f"memory from {min(found):.1f} to {max(found):.1f} MB, {found[-1]:.1f} MB at the end")


main()

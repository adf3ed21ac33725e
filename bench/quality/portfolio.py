"""The order of the search's portfolio, from the public tables of the quality suite.

    target/quality-env/bin/python bench/quality/portfolio.py --headsmith BINARY [--tables NAMES] [--seconds 600] [--write]

Tries every entry of `crates/headsmith/src/auto/portfolio.json` on every table, and orders the entries: next comes the one with the largest gain a second. The gain is that of
the best log loss so far, as a share of the log loss of class frequencies, averaged over the tables; an entry that is `like` another comes after it. Entries that gain nothing may still be members of a
pool: the cheapest comes first. Only tables that are marked for it (`portfolio` in tables.py) are tried: the others choose nothing, so that scores on them are free of this choice. Results are files in `portfolio` of the cache folder, which serve again while the table, the portfolio and the binary are the
same. --write writes the order into the portfolio; positions that entries are `like` are renumbered.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import tables
from packages import Packages

PORTFOLIO = Path("crates/headsmith/src/auto/portfolio.json")


def tried(binary, name, folder, seconds):
    """Log loss and seconds of each entry on a table, in the portfolio's order; None for one that was not tried."""
    entries = json.loads(PORTFOLIO.read_text())
    key = hashlib.sha256(binary.read_bytes() + PORTFOLIO.read_bytes()).hexdigest()[:16]
    out = folder / "portfolio" / name
    report, seen = out / "report.json", out / "key"
    if not (report.exists() and seen.exists() and seen.read_text() == key):
        grouped = tables.read(folder / "tables", name, "train")[2] is not None
        command = [binary, "auto", "--train", folder / "tables" / name / "train.parquet", "--out", out, "--time", f"{seconds}s", "--seed", "1", "--quiet"]
        subprocess.run([*map(str, command), *(["--group-column", "group"] if grouped else [])], check=True, stdout=subprocess.DEVNULL)
        seen.write_text(key)
    candidates = json.loads(report.read_text())["auto"]["candidates"]
    found = []
    for entry in entries:
        same = lambda c: c["head"] == entry["head"] and all(c["params"].get(k) == v for k, v in entry.get("params", {}).items())
        # An entry without parameters of its own takes the first of its head that is left.
        match = next((c for c in candidates if same(c)), None)
        if match:
            candidates.remove(match)
        found.append((match["log_loss"], match["seconds"]) if match else None)
    return found


def entropy(folder, name):
    labels = np.unique(tables.read(folder / "tables", name, "train")[1], return_counts=True)[1]
    shares = labels / labels.sum()
    return float(-(shares * np.log(shares)).sum())


def order(entries, results, scales):
    """Positions of the entries, the next with the largest gain a second first."""
    left, placed = list(range(len(entries))), []
    best = list(scales)

    def gain(i):
        gains = [max(0.0, best[t] - found[i][0]) / scales[t] if found[i] else 0.0 for t, found in enumerate(results)]
        seconds = [found[i][1] for found in results if found[i]]
        mean_seconds = max(np.mean(seconds or [np.inf]), 1e-3)
        return np.mean(gains) / mean_seconds, -mean_seconds

    while left:
        ready = [i for i in left if entries[i].get("like") is None or entries[i]["like"] in placed]
        chosen = max(ready, key=gain)
        print(f"{len(placed)}: {json.dumps(entries[chosen])}, gain a second {gain(chosen)[0]:.5f}")
        placed.append(chosen)
        left.remove(chosen)
        best = [min(b, found[chosen][0]) if found[chosen] else b for b, found in zip(best, results)]
    return placed


def allowed(names):
    """The tables of a list of names, or all, that may choose the order."""
    found = [table for table in tables.named(names) if names or table.portfolio]
    if refused := [table.name for table in found if not table.portfolio]:
        sys.exit(f"error: the table {refused[0]} chooses nothing: scores on it are to be free of the portfolio's order")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headsmith", type=Path, required=True, help="the release binary")
    parser.add_argument("--folder", type=Path, default="target/quality", help="cache of packages, tables and results")
    parser.add_argument("--tables", default="", help="names, separated by commas [default: all that are marked for it]")
    parser.add_argument("--seconds", default=600, type=int, help="time of each search")
    parser.add_argument("--write", action="store_true", help="write the order into the portfolio")
    args = parser.parse_args()
    entries, packages, results, scales = json.loads(PORTFOLIO.read_text()), Packages(args.folder / "packages"), [], []
    for table in allowed(args.tables):
        tables.make(table, args.folder / "tables", packages)
        results.append(tried(args.headsmith.resolve(), table.name, args.folder, args.seconds))
        scales.append(entropy(args.folder, table.name))
        print(table.name, [None if found is None else f"{found[0]:.4f} in {found[1]:.1f} s" for found in results[-1]], flush=True)
    placed = order(entries, results, scales)
    if args.write:
        moved = [entries[i] | ({"like": placed.index(entries[i]["like"])} if entries[i].get("like") is not None else {}) for i in placed]
        PORTFOLIO.write_text("[\n" + ",\n".join("  " + json.dumps(entry).replace("{", "{ ").replace("}", " }") for entry in moved) + "\n]\n")


if __name__ == "__main__":
    main()

"""The quality suite: Headsmith beside scikit-learn, AutoGluon and FLAML on public tables, one thread each.

    target/quality-env/bin/python bench/quality/suite.py --headsmith BINARY --out FOLDER [--tables NAMES] [--seconds 20,60]
        [--autogluon PYTHON] [--flaml PYTHON] [--measure NAMES] [--page docs/quality.md [--readme README.md] [--note TEXT]]

Makes the tables that are missing, fits every method to the train part and scores it once on the test part, and writes
`quality.txt`, `.json` and `.svg` to FOLDER; --page writes the page and its picture from the same numbers, --readme its
summary. Each result is a file in `cells` of the cache folder, which serves again while table, versions, method and binary
are the same: a run that was interrupted goes on. What --measure leaves out, or has no Python of its own, is taken from
there or is missing.
"""

import os

for _name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT"]:
    os.environ[_name] = "1"

import argparse
import hashlib
import inspect
import json
import platform
import sys
import time
from pathlib import Path

import numpy as np

import automl
import ours
import page
import peers
import scores
import summary
import tables
from chart import picture
from packages import Packages


class Method:
    """One column of the suite; `key` is what its results depend on beside the table. Without `run` it has only the results of the cache."""

    def __init__(self, name, run, key, everywhere=True):
        self.name, self.run, self.key, self.everywhere = name, run, key, everywhere

    def without_run(self):
        return Method(self.name, None, self.key, self.everywhere)


def peer(name):
    def run(parts, folder, out):
        (x, y, groups), (queries, _, _), classes = parts
        train = peers.Train(x, y, groups, len(classes))
        start = time.perf_counter()
        labels, proba, chosen = peers.run(name, train, queries)
        return labels, proba, chosen, time.perf_counter() - start

    import scipy
    import sklearn

    source = inspect.getsource(peers.METHODS[name]) + inspect.getsource(peers.Train)
    versions = [sklearn.__version__, np.__version__, scipy.__version__, platform.python_version()]
    return Method(f"scikit-learn {name}", run, [*versions, hashlib.sha256(source.encode()).hexdigest()[:16]])


def headsmith(binary, head, seconds=None):
    def run(parts, folder, out):
        (_, _, groups), _, classes = parts
        return ours.run(binary, head, seconds, folder, out, classes, groups is not None)

    key = [hashlib.sha256(binary.read_bytes()).hexdigest()[:16], hashlib.sha256(inspect.getsource(ours).encode()).hexdigest()[:16]]
    return Method(f"headsmith {head}" + (f" {seconds} s" if seconds else ""), run, key)


def process(name, python):
    """AutoGluon or FLAML; without its environment's Python it has only the results of the cache."""
    peer = automl.PEERS[name]

    def run(parts, folder, out):
        return automl.run(peer, python, folder, out, parts[2])

    return Method(peer.title, run if python else None, automl.key(peer), everywhere=False)


def methods(args):
    """All columns; those of which --measure has no part of the name are not measured."""
    found = []
    if ours.has_auto(args.headsmith):
        found += [headsmith(args.headsmith, "auto", int(seconds)) for seconds in args.seconds.split(",")]
    else:
        print(f"note: {args.headsmith} has no command `auto`: its rows are missing", file=sys.stderr)
    found += [headsmith(args.headsmith, head) for head in ours.HEADS] + [peer(name) for name in peers.METHODS]
    found += [process(name, getattr(args, name)) for name in automl.PEERS]
    wanted = [word.strip() for word in args.measure.split(",")]
    return [method if any(word in method.name for word in wanted) else method.without_run() for method in found]


def parts_of(folder, name):
    """Train and test with classes as numbers, and the classes' names."""
    train, test = [tables.read(folder, name, part) for part in ("train", "test")]
    classes = np.unique(train[1])
    return *[(x, np.searchsorted(classes, labels), groups) for x, labels, groups in (train, test)], classes.tolist()


def cell(method, made, folder):
    """The scores of a method on a table, from its file or measured; None if it is neither there nor to be measured."""
    file = folder / "cells" / f"{made['name']}--{method.name.replace(' ', '-')}.json"
    key = [made["checksum"], *method.key]
    if file.exists() and (found := json.loads(file.read_text()))["key"] == key:
        return found
    if method.run is None or not (method.everywhere or made["automl"]):
        return None
    parts = parts_of(folder / "tables", made["name"])
    out = folder / "runs" / file.stem
    start, used = time.perf_counter(), cpu_seconds()
    labels, proba, chosen, seconds = method.run(parts, folder / "tables" / made["name"], out)
    share = (cpu_seconds() - used) / (time.perf_counter() - start)
    found = scores.scored(parts[1][1], labels, proba)
    found |= {"key": key, "table": made["name"], "method": method.name, "chosen": chosen, "seconds": seconds, "cpu_share": share}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found))
    return found


def cpu_seconds():
    """Those of this process and of the ones it started: beside the seconds that passed they tell how much of a core there was."""
    return sum(os.times()[:4])


def measured(args):
    """What each table is, and its cells by the methods' names; a method that fails is named and has no cell."""
    packages, columns, found, failures = Packages(args.folder / "packages"), methods(args), [], []
    for table in tables.named(args.tables):
        made = tables.make(table, args.folder / "tables", packages)
        cells = {}
        for method in columns:
            try:
                found_cell = cell(method, made, args.folder)
            except RuntimeError as error:
                failures.append(f"{table.name}, {method.name}: {error}")
                print(f"FAILED {failures[-1]}", file=sys.stderr)
                continue
            if found_cell:
                cells[method.name] = found_cell
                print(summary.cell_line(table.name, found_cell), flush=True)
        _, y, groups = parts_of(args.folder / "tables", table.name)[1]
        found.append((made, cells, y, groups))
    return found, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headsmith", type=Path, required=True, help="the release binary")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default="target/quality", help="cache of packages, tables and cells")
    parser.add_argument("--tables", default="", help="names, separated by commas [default: all]")
    parser.add_argument("--seconds", default="20,60", help="time limits of auto")
    for name, peer in automl.PEERS.items():
        parser.add_argument(f"--{name}", type=Path, metavar="PYTHON", help=f"Python of an environment with bench/quality/{peer.requirements}")
    parser.add_argument("--measure", default="", help="parts of the names of methods, separated by commas; `nothing` for the cache alone [default: all]")
    parser.add_argument("--page", type=Path, help="also write this Markdown page, with its picture beside it")
    parser.add_argument("--readme", type=Path, help="also write the summary into this file, between its marks")
    parser.add_argument("--note", default="", help="what the page says of the conditions of the measurement")
    args = parser.parse_args()
    for program in [args.headsmith, *[getattr(args, name) for name in automl.PEERS]]:
        if program and not program.exists():
            parser.error(f"there is no {program}")
    args.headsmith = args.headsmith.resolve()
    found, failures = measured(args)
    result = summary.summarise(found, failures)
    args.out.mkdir(parents=True, exist_ok=True)
    text = page.text(result)
    print("\n" + text, end="")
    (args.out / "quality.txt").write_text(text)
    (args.out / "quality.json").write_text(json.dumps(result, indent=1))
    (args.out / "quality.svg").write_text(picture(result))
    if args.page:
        args.page.with_suffix(".svg").write_text(picture(result))
        args.page.write_text(page.page(result, args.page.with_suffix(".svg").name, args.note))
    if args.readme:
        page.put(args.readme, page.summary(result))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

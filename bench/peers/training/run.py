"""Times the training of the perceptron beside its peers, all in turns in one run, and says how far each is from what the
machine can do.

    python run.py [--data FOLDER] [--configurations ABCDE] [--peers NAME,..] [--rounds N] [--seconds S] [--out FOLDER]

FOLDER of --data holds x.f32, y.u32, x_val.f32, y_val.u32 of three classes; without it the data are made from a seed.
Writes training.txt, training.json and training.svg.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import chart
import contenders
import data
import machine
import table
from configurations import CONFIGURATIONS, describe, work


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of raw arrays")
    parser.add_argument("--configurations", default="".join(CONFIGURATIONS))
    parser.add_argument("--peers", default=",".join(contenders.PEERS), help="all unless named")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each")
    parser.add_argument("--seconds", type=float, default=1.0, help="about the length of a turn")
    parser.add_argument("--out", type=Path, default=contenders.HERE.parents[2] / "target/bench")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(folder, letter, peers, rounds, seconds):
    """The seconds an epoch of everyone, one number a turn."""
    configuration = CONFIGURATIONS[letter]
    names = [contenders.FIT, contenders.STUDY, *peers]
    everyone = {name: contenders.begin(name, folder, configuration) for name in names}
    turns = {name: [] for name in names}
    length = {}
    for name, contender in everyone.items():
        # The first turn says how many epochs a turn has, and counts only for who has no other.
        first = contender.turn(1)
        length[name] = max(1, min(200, round(seconds / first)))
        if name == contenders.EAGER:
            turns[name].append(first)
    for _ in range(rounds):
        for name in names:
            if name != contenders.EAGER:
                turns[name].append(everyone[name].turn(length[name]))
    for contender in everyone.values():
        contender.close()
    for name, values in turns.items():
        say(f"  {letter}  {name:<22} {statistics.median(values):9.4f} s an epoch")
    return {name: {"seconds": turns[name], "about": everyone[name].about["about"]} for name in names}


def peaks():
    command = [sys.executable, str(contenders.HERE / "machine.py")]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def better(before, after):
    """What the machine showed in one measurement or the other: a peak is not reached while it does something else."""
    if isinstance(before, dict):
        return {key: better(value, after[key]) for key, value in before.items()}
    return [max(pair) for pair in zip(before, after)] if isinstance(before, list) else max(before, after)


def shape(folder):
    """Rows to train on, rows to validate on, features."""
    rows = [(folder / name).stat().st_size // 4 for name in ("y.u32", "y_val.u32")]
    return *rows, (folder / "x.f32").stat().st_size // 4 // rows[0]


def floor(figures, needed):
    """The least seconds of an epoch on all cores, and their parts."""
    cores = figures["n_cores"]
    at_once = figures["all"]
    products = needed.multiply_adds / (cores * at_once["flops"])
    roots = needed.roots / (cores * at_once["roots"])
    moved = needed.state_bytes / (cores * machine.bandwidth(at_once, 12 * needed.n_params))
    return {"products": products, "roots": roots, "bytes": moved, "roofline": max(products + roots, moved)}


def main():
    options = arguments()
    peers = [name for name in options.peers.split(",") if name]
    with tempfile.TemporaryDirectory() as made:
        folder = options.data or Path(made)
        if not options.data:
            data.make(folder)
        say("measuring the machine ..")
        others, measured = [machine.busy()], peaks()
        figures = {"processor": processor(), "busy": others} | measured
        rows = {}
        for letter in options.configurations:
            rows[letter] = measure(folder, letter, peers, options.rounds, options.seconds)
            # A run takes minutes: what it has is written as it goes.
            write(options.out, summary(figures, shape(folder), rows))
        figures |= better(measured, peaks()) | {"busy": [*others, machine.busy()]}
        print(write(options.out, summary(figures, shape(folder), rows)), end="")


def summary(figures, sizes, rows):
    """All that is written: the machine, and for each configuration its work, its floor and its contenders."""
    result = {"machine": figures, "data": sizes, "configurations": {}}
    n_train, n_val, n_features = sizes
    for letter, everyone in rows.items():
        needed = work(CONFIGURATIONS[letter], n_features, data.N_CLASSES, n_train, n_val)
        row = {"what": describe(CONFIGURATIONS[letter]), "work": asdict(needed), "floor": floor(figures, needed)}
        result["configurations"][letter] = row | {"contenders": everyone}
    result["figures"] = table.figures(result)
    return result


def write(folder, result):
    """Writes the table as text, JSON and drawing; gives the text."""
    text = table.text(result)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "training.json").write_text(json.dumps(result, indent=1))
    (folder / "training.txt").write_text(text)
    (folder / "training.svg").write_text(chart.svg(result))
    return text


def processor():
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    sets = [name for name in ("avx512f", "avx2", "fma") if f" {name} " in flags + " "]
    return " ".join([found[0] if found else platform.processor(), *sets])


if __name__ == "__main__":
    main()

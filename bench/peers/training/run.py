"""Times whole fits of the perceptron beside its peers, all in turns of ten epochs in one run, and says how far each is from what
the machine can do.

    python run.py [--data FOLDER] [--configurations ABCDE] [--kinds zeros,dense] [--peers NAME,..] [--seconds S] [--out FOLDER]

FOLDER of --data holds x.f32, y.u32, x_val.f32, y_val.u32 of three classes, and is measured instead of the kinds of data that are
made from a seed (data.py). On dense data only those run whom the targets name: ours, PyTorch and JAX. Ours always train 60
epochs; a peer that has trained for S seconds (40) trains no further turn, and the table says how many epochs it had.
Writes training.txt, training.json and training.svg.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import chart
import contenders
import data
import machine
import table
from configurations import CONFIGURATIONS, N_EPOCHS, N_ROWS, TURN, describe, work


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of raw arrays")
    parser.add_argument("--configurations", default="".join(CONFIGURATIONS))
    parser.add_argument("--kinds", default=",".join(data.KINDS))
    usual = [name for name in contenders.PEERS if name != contenders.EAGER]
    parser.add_argument("--peers", default=",".join(usual), help="all but Keras eager unless named")
    parser.add_argument("--seconds", type=float, default=40.0, help="what a peer trains at most on a configuration")
    parser.add_argument("--out", type=Path, default=contenders.HERE.parents[2] / "target/bench")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(what, folder, letter, peers, seconds):
    """The seconds of the epochs of everyone, in their order."""
    names = [*contenders.FITS, *peers]
    everyone = {name: contenders.begin(name, folder, CONFIGURATIONS[letter]) for name in names}
    epochs = {name: [] for name in names}
    for _ in range(N_EPOCHS // TURN):
        for name in names:
            if name in contenders.FITS or sum(epochs[name]) < seconds:
                epochs[name] += everyone[name].seconds(1 if name == contenders.EAGER else TURN)
    for name in names:
        everyone[name].close()
        say(f"  {what}  {letter}  {name:<20} {table.early(epochs[name]):9.4f} {table.late(epochs[name]):9.4f} s an epoch, early and late")
    return {name: {"seconds": epochs[name], "about": everyone[name].about["about"]} for name in names}


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


def folders(options, root):
    """For each kind of data the folder of its arrays."""
    if options.data:
        return {"given": options.data}
    found = {kind: root / kind for kind in options.kinds.split(",")}
    for kind, folder in found.items():
        folder.mkdir()
        data.make(folder, kind)
    return found


def rows_of(folder, letter, root):
    """The folder with as many of its rows as a configuration trains on."""
    if letter not in N_ROWS:
        return folder
    short = root / f"{folder.name}-{letter}"
    short.mkdir()
    data.shorten(folder, short, *N_ROWS[letter])
    return short


def main():
    options, begin = arguments(), time.monotonic()
    peers = [name for name in options.peers.split(",") if name]
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        say("measuring the machine ..")
        others, measured = [machine.busy()], peaks()
        figures, rows = {"processor": processor(), "busy": others} | measured, []
        for kind, folder in folders(options, root).items():
            wanted = [name for name in peers if kind != "dense" or name in table.BEST_OF]
            for letter in options.configurations:
                short = rows_of(folder, letter, root)
                everyone = measure(kind, short, letter, wanted, options.seconds)
                rows.append({"kind": kind, "letter": letter, "data": shape(short), "contenders": everyone})
                # A run takes minutes: what it has is written as it goes.
                write(options.out, summary(figures, rows, begin))
        figures |= better(measured, peaks()) | {"busy": [*others, machine.busy()]}
        print(write(options.out, summary(figures, rows, begin)), end="")


def summary(figures, rows, begin):
    """All that is written: the machine, and for each kind of data and configuration its work, its floor and its contenders."""
    result = {"machine": figures, "minutes": (time.monotonic() - begin) / 60, "rows": []}
    for row in rows:
        n_train, n_val, n_features = row["data"]
        configuration = CONFIGURATIONS[row["letter"]]
        needed = work(configuration, n_features, data.N_CLASSES, n_train, n_val)
        least = floor(figures, needed)
        result["rows"].append(row | {"what": describe(configuration), "work": asdict(needed), "floor": least})
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

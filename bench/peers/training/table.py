"""The figures of a run, and their table as text."""

import statistics
from math import exp, log

from configurations import FIT_TARGET, GEOMETRIC_MEAN_TARGET, TARGETS
from contenders import FIT, N_CORES, PEERS, STUDY

BEST_OF = ["PyTorch", "JAX"]
COMPILED = ["Keras on TensorFlow", "Keras on JAX"]


def figures(result):
    """Medians and what they are compared by: for each configuration, and their geometric mean."""
    rows = {letter: _row(letter, row) for letter, row in result["configurations"].items()}
    best = [row["comparisons"]["best"]["figure"] for row in rows.values() if "best" in row["comparisons"]]
    if len(best) == len(TARGETS):
        mean = exp(sum(map(log, best)) / len(best))
        return {"rows": rows, "geometric_mean": {"figure": mean, "target": GEOMETRIC_MEAN_TARGET}}
    return {"rows": rows}


def _row(letter, row):
    turns = {name: contender["seconds"] for name, contender in row["contenders"].items()}
    seconds = {name: _spread(values) for name, values in turns.items()}
    floor, targets, found = row["floor"], TARGETS[letter], {}

    def compare(what, among, ours, target):
        others = [seconds[name]["median"] for name in among if name in seconds]
        if others:
            found[what] = {"figure": min(others) / seconds[ours]["median"], "target": target}

    compare("best", BEST_OF, STUDY, targets["best"])
    compare("keras", COMPILED, STUDY, targets["keras"])
    compare("keras_tensorflow", COMPILED[:1], STUDY, targets["keras"])
    compare("fit", BEST_OF, FIT, FIT_TARGET)
    of_floor = {"peak": floor["products"], "roofline": floor["roofline"]}
    for share, least in of_floor.items():
        found[share] = {"figure": least / seconds[STUDY]["median"], "target": targets.get(share)}
        found[f"fit_{share}"] = {"figure": least / seconds[FIT]["median"], "target": None}
    return {"seconds": seconds, "comparisons": found}


def _spread(values):
    ordered = sorted(values)
    quarter = len(ordered) // 4
    low, high = ordered[quarter], ordered[-1 - quarter]
    median = statistics.median(ordered)
    return {"median": median, "low": ordered[0], "high": ordered[-1], "spread": (high - low) / 2 / median}


def text(result):
    """The table."""
    rows = result["figures"]["rows"]
    names = [name for name in [FIT, STUDY, *PEERS] if all(name in row["seconds"] for row in rows.values())]
    return "\n".join([*_machine(result), "", *_seconds(result, rows, names), "", *_targets(result, rows)]) + "\n"


def _machine(result):
    figures, (n_train, n_val, n_features) = result["machine"], result["data"]
    cores = figures["n_cores"]
    one, at_once = figures["one"], figures["all"]
    others = ", ".join(f"{busy:.1f}" for busy in figures["busy"])
    return [
        f"{figures['processor']}, {cores} cores; {n_train} x {n_features} to train on, {n_val} to validate on",
        f"matrix products in f32: {one['flops'] / 1e9:.0f} GFLOP/s on one core, {cores * at_once['flops'] / 1e9:.0f} on all",
        f"copies, read and written: {one['copies'][-1] / 1e9:.1f} GB/s from one core, "
        f"{cores * at_once['copies'][-1] / 1e9:.1f} from all; within a core's cache up to {max(one['copies']) / 1e9:.0f}",
        f"a square root and a division: {one['roots'] / 1e9:.2f} G/s on one core, {cores * at_once['roots'] / 1e9:.2f} on all",
        f"cores that other programs kept busy, before and after: {others} of {cores}",
    ]


def _seconds(result, rows, names):
    lines = ["Seconds an epoch, training and validation: median of the turns, and half the width of their middle half"]
    heads = [name.replace("headsmith, ", "").replace("Keras on TensorFlow", "Keras on TF") for name in names]
    lines.append(f"{'':<3} {'products':>9} {'roots':>8} {'bytes':>8} {'floor':>8} " + "".join(f"{h:>16}" for h in heads))
    for letter, row in rows.items():
        floor = result["configurations"][letter]["floor"]
        cells = [f"{row['seconds'][n]['median']:10.4f} ±{100 * row['seconds'][n]['spread']:3.0f}%" for n in names]
        parts = [floor[part] for part in ("products", "roots", "bytes", "roofline")]
        lines.append(f"{letter:<3} {parts[0]:9.4f}" + "".join(f" {p:8.4f}" for p in parts[1:]) + " " + " ".join(cells))
    for letter in rows:
        configuration = result["configurations"][letter]
        lines.append(f"{letter:<3} {configuration['what']}; {configuration['work']['n_params']:,} weights")
    return lines


COLUMNS = {
    "best": f"{N_CORES} fits / PyTorch, JAX",
    "keras": f"{N_CORES} fits / Keras",
    "keras_tensorflow": f"{N_CORES} fits / Keras on TF",
    "fit": "one fit / PyTorch, JAX",
    "peak": f"{N_CORES} fits, of peak",
    "roofline": f"{N_CORES} fits, of floor",
    "fit_peak": "one fit, of peak",
    "fit_roofline": "one fit, of floor",
}


def _targets(result, rows):
    lines = ["Times faster than the better peer, shares of the peak in products and of the floor; beside them the targets"]
    lines.append("    " + "".join(f"{head:>23}" for head in COLUMNS.values()))
    for letter, row in rows.items():
        cells = [_cell(row["comparisons"].get(what), what) for what in COLUMNS]
        lines.append(f"{letter:<4}" + "".join(f"{cell:>23}" for cell in cells))
    mean = result["figures"].get("geometric_mean")
    return lines + ([f"geometric mean of the first column: {_cell(mean, 'best')}"] if mean else [])


def _cell(comparison, what):
    if comparison is None:
        return ""
    share = what.endswith(("peak", "roofline"))

    def shown(value):
        return f"{100 * value:.0f}%" if share else f"{value:.2f}"

    figure, target = comparison["figure"], comparison["target"]
    if target is None:
        return shown(figure)
    return f"{shown(figure)} {'>=' if figure >= target else '<'} {shown(target)}"

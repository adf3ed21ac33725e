"""The figures of a run, and their tables in Markdown."""

import statistics
from math import exp, log

from configurations import GEOMETRIC_MEAN_TARGET, LEAST, MOST
from contenders import ALONE, FIT, FITS, PEERS, STUDY

BEST_OF = ["PyTorch", "JAX"]
N_LATE = 20


def early(epochs):
    """The median of epochs 3 to 10: the memory is no longer new, and nothing has decayed yet."""
    return statistics.median(epochs[2:10] or epochs)


def late(epochs):
    """The median of the last epochs."""
    return statistics.median(epochs[-N_LATE:])


def figures(result):
    """What is compared, for each kind of data and configuration, and the geometric mean of each kind."""
    rows = [{"kind": row["kind"], "letter": row["letter"], "figures": _compare(row)} for row in result["rows"]]
    means = {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        best = [row["figures"]["best"] for row in rows if row["kind"] == kind and "best" in row["figures"]]
        means |= {kind: exp(sum(map(log, best)) / len(best))} if best else {}
    return {"rows": rows, "geometric_means": means}


def _compare(row):
    epochs = {name: contender["seconds"] for name, contender in row["contenders"].items()}
    seconds = {name: late(values) for name, values in epochs.items()}
    found = {"late_fit": seconds[FIT] / early(epochs[FIT]), "late_study": seconds[STUDY] / early(epochs[STUDY])}
    peers = [seconds[name] for name in BEST_OF if name in seconds]
    if peers:
        found |= {"best": min(peers) / seconds[STUDY], "fit": min(peers) / seconds[FIT]}
    found |= {f"study {name}": seconds[name] / seconds[STUDY] for name in seconds if name.startswith("Keras")}
    return found | {"thread": seconds[ALONE] / seconds[FIT], "floor": seconds[STUDY] / row["floor"]["roofline"]}


def text(result):
    """The tables, kind by kind."""
    parts = _machine(result)
    for kind in dict.fromkeys(row["kind"] for row in result["rows"]):
        rows = [row for row in result["rows"] if row["kind"] == kind]
        compared = [row["figures"] for row in result["figures"]["rows"] if row["kind"] == kind]
        parts += ["", *_seconds(kind, rows), "", *_comparisons(rows, compared, result["figures"]["geometric_means"].get(kind))]
    return "\n".join(parts) + "\n"


def _machine(result):
    figures = result["machine"]
    cores, one, at_once = figures["n_cores"], figures["one"], figures["all"]
    others = ", ".join(f"{busy:.1f}" for busy in figures["busy"])
    return [
        f"{figures['processor']}, {cores} cores; {result['minutes']:.0f} minutes.",
        f"Matrix products in f32: {one['flops'] / 1e9:.0f} GFLOP/s on one core, {cores * at_once['flops'] / 1e9:.0f} on all;",
        f"copies, read and written: {one['copies'][-1] / 1e9:.1f} GB/s from one core, "
        f"{cores * at_once['copies'][-1] / 1e9:.1f} from all, within a core's cache up to {max(one['copies']) / 1e9:.0f};",
        f"a square root and a division: {one['roots'] / 1e9:.2f} G/s on one core, {cores * at_once['roots'] / 1e9:.2f} on all;",
        f"cores that other programs kept busy, before and after: {others} of {cores}.",
    ]


def _table(heads, lines):
    return [_line(heads), _line(["---"] * len(heads)), *map(_line, lines)]


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _seconds(kind, rows):
    names = [name for name in [*FITS, *PEERS] if any(name in row["contenders"] for row in rows)]
    lines, short = [], []
    for row in rows:
        cells = [f"{row['letter']}", f"{row['floor']['roofline']:.4f}"]
        for name in names:
            epochs = row["contenders"].get(name, {}).get("seconds")
            cells.append(f"{early(epochs):.4f}, {late(epochs):.4f}" if epochs else "")
            if epochs and len(epochs) < max(len(c["seconds"]) for c in row["contenders"].values()):
                short.append(f"{row['letter']} {name} {len(epochs)}")
        lines.append(cells)
    sizes = "; ".join(f"{row['letter']} {row['data'][0]:,} x {row['data'][2]}" for row in rows)
    said = [f"Data: {kind} ({sizes}). Seconds an epoch, median of epochs 3 to 10 and of the last {N_LATE}."]
    said += [f"Fewer epochs: {', '.join(short)}."] if short else []
    return [*said, "", *_table(["", "floor", *names], lines)]


COLUMNS = {
    "late_fit": f"{FIT}, late / early",
    "late_study": f"{STUDY}, late / early",
    "best": f"{STUDY}, times PyTorch or JAX",
    "floor": f"{STUDY}, of the floor",
    "fit": f"{FIT}, times PyTorch or JAX",
    "thread": f"{FIT}, times one thread",
}


def _comparisons(rows, compared, mean):
    keras = [name for name in compared[0] if name.startswith("study ")]
    heads = [f"{head} (asked {_asked(what)})" for what, head in COLUMNS.items()]
    heads += [f"{STUDY}, times {name.removeprefix('study ')}" for name in keras]
    lines = []
    for row, found in zip(rows, compared):
        cells = [_cell(what, found.get(what)) for what in COLUMNS]
        lines.append([row["letter"], *cells, *(f"{found[name]:.1f}" if name in found else "" for name in keras)])
    said = ["The last epochs compared; what is asked and not reached is bold."]
    if mean and len(rows) > 1:
        shown = f"{mean:.2f}" if mean >= GEOMETRIC_MEAN_TARGET else f"**{mean:.2f}**"
        said.append(f"Geometric mean of {STUDY} beside the better of PyTorch and JAX: {shown} (asked {GEOMETRIC_MEAN_TARGET:.1f}).")
    return [*said, "", *_table(["", *heads], lines)]


def _asked(what):
    return f"{LEAST[what]:.2f}" if what in LEAST else f"at most {MOST[what]:.2f}"


def _cell(what, figure):
    if figure is None:
        return ""
    reached = figure >= LEAST[what] if what in LEAST else figure <= MOST[what]
    return f"{figure:.2f}" if reached else f"**{figure:.2f}**"

"""Regret against time of the pruners, on recorded learning curves, as a chart.

    python bench/peers/pruners.py PRUNERS CURVES.jsonl OUT.svg [LAG]

PRUNERS is the example binary of a release build; CURVES what curves.py records. A trial ends as in a study, after `PATIENCE`
epochs without a better score. A line ends where the pruner has been through all trials: it could have begun others.
"""

import json
import subprocess
import sys
import tempfile
from math import log10
from pathlib import Path

PATIENCE = 20
# Okabe and Ito's colours, which those who do not see red and green apart can tell.
COLOURS = {
    "none": "#999999",
    "one-epoch": "#D55E00",
    "one-epoch:epochs=3": "#E69F00",
    "median": "#F0E442",
    "hyperband": "#56B4E9",
    "patient-hyperband": "#CC79A7",
    "halving": "#009E73",
    "asha": "#0072B2",
}
LEFT, TOP, WIDTH, HEIGHT = 70, 50, 520, 340
SMALLEST = 3e-4


def cut(values):
    best, waited, kept = -1.0, 0, []
    for value in values:
        kept.append(value)
        best, waited = (value, 0) if value > best else (best, waited + 1)
        if waited >= PATIENCE:
            break
    return kept


def play(binary, curves, lag):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for line in Path(curves).read_text().splitlines():
            trial = json.loads(line)
            print(json.dumps({"values": cut(trial["values"]), "seconds": trial["seconds"]}), file=file, flush=True)
        print(subprocess.run([binary, file.name, str(lag), *COLOURS], check=True, stdout=subprocess.PIPE, text=True).stdout)
        command = [binary, "--json", file.name, str(lag), *COLOURS]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def svg(series):
    end = max(s["seconds"][-1] for s in series)
    start = end / 300
    top = max(r for s in series for at, r in zip(s["seconds"], s["regret"]) if at >= start)
    x = lambda at: LEFT + log10(at / start) / log10(end / start) * WIDTH
    y = lambda r: TOP + log10(top / max(r, SMALLEST)) / log10(top / SMALLEST) * HEIGHT
    text = lambda a, b, words, more="": f'<text x="{a:.1f}" y="{b:.1f}" {more}>{words}</text>'
    parts = [text(LEFT, 24, "Weighted F1 below the best of all trials, against seconds of training (both logarithmic)", 'font-size="13"')]
    for exponent in range(-4, 1):
        for digit in (1, 3):
            value = digit * 10.0**exponent
            if SMALLEST <= value <= top:
                parts.append(f'<line x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e2e8f0"/>')
                parts.append(text(LEFT - 6, y(value) + 4, f"{value:g}", 'text-anchor="end"'))
    for exponent in range(0, 6):
        for digit in (1, 3):
            value = digit * 10.0**exponent
            if start <= value <= end:
                parts.append(text(x(value), TOP + HEIGHT + 18, f"{value:g} s", 'text-anchor="middle"'))
    for i, s in enumerate(series):
        points = [(at, r) for at, r in zip(s["seconds"], s["regret"]) if at >= start]
        path = " ".join(f"{x(at):.1f},{y(r):.1f}" for at, r in points)
        colour = COLOURS[s["pruner"]]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at, r = points[-1]
        parts.append(f'<circle cx="{x(at):.1f}" cy="{y(r):.1f}" r="3.5" fill="{colour}"/>')
        row = TOP + 14 + 20 * i
        parts.append(f'<rect x="{LEFT + WIDTH + 16}" y="{row - 9}" width="14" height="4" fill="{colour}"/>')
        parts.append(text(LEFT + WIDTH + 36, row - 3, f"{s['pruner']}: {at:.0f} s, {r:.4f}"))
    size = f'width="{LEFT + WIDTH + 240}" height="{TOP + HEIGHT + 40}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12" fill="#334155">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n"


def main(binary, curves, out, lag="8"):
    Path(out).write_text(svg(play(binary, curves, lag)))


if __name__ == "__main__":
    main(*sys.argv[1:])

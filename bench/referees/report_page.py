"""The report page, opened in headless Chromium on a desktop, a phone and in the dark: nothing is fetched, nothing fails,
nothing overflows or overlaps, and its numbers are those that scikit-learn computes from the model's predictions.

Needs Chromium or Chrome (Debian: apt-get install chromium), or HEADSMITH_CHROMIUM naming it. Run by `cargo xtask test`; alone:
target/referees/bin/python bench/referees/report_page.py [FOLDER for the screenshots]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from drive.chromium import Page
from sklearn import metrics

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
DATA = ROOT / "examples/sentences"
CLASSES = ["negative", "neutral", "positive"]
VIEWS = {"desktop": (1280, 900, "light"), "phone": (360, 740, "light"), "dark": (1280, 900, "dark")}

# What must not be: an element that sticks out of the page, a text that sticks out of its drawing, values of an axis on top of
# each other. What may be scrolled inside its own box does not stick out.
FAULTS = """(() => {
  const faults = [], width = document.documentElement.clientWidth;
  const cut = e => { for (; e; e = e.parentElement) if (getComputedStyle(e).overflowX != 'visible') return true; };
  const wide = [...document.body.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth && !cut(e));
  if (document.documentElement.scrollWidth > width)
    faults.push('the page is wider than the window: ' + wide.map(e => e.tagName + ' ' + e.textContent.slice(0, 60)).slice(-3));
  for (const e of document.body.querySelectorAll('*')) {
    if (e.closest('.scroll, nav, svg')) continue;
    const r = e.getBoundingClientRect();
    if (r.width && r.right > width + 1) faults.push(e.tagName + ' sticks out: ' + e.textContent.slice(0, 40));
  }
  for (const s of document.querySelectorAll('svg')) {
    const box = s.getBoundingClientRect(), name = s.getAttribute('aria-label');
    const texts = [...s.querySelectorAll('text')].filter(t => t.textContent);
    for (const t of texts) {
      const r = t.getBoundingClientRect();
      if (r.left < box.left - 2 || r.right > box.right + 2 || r.top < box.top - 2 || r.bottom > box.bottom + 2)
        faults.push(name + ': ' + t.textContent + ' sticks out');
    }
    const ticks = texts.filter(t => t.classList.contains('tick')).map(t => [t.textContent, t.getBoundingClientRect()]);
    for (let i = 0; i < ticks.length; i++) for (let j = 0; j < i; j++) {
      const [a, b] = [ticks[i][1], ticks[j][1]];
      const over = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const under = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (over > 1 && under > a.height * 0.45) faults.push(name + ': ' + ticks[i][0] + ' on top of ' + ticks[j][0]);
    }
  }
  return faults;
})()"""

# The rows of a table below an anchor, as texts.
TABLE = """[...document.querySelectorAll('#%s table')[%d].rows].map(r => [...r.cells].map(c => c.textContent))"""


def passed(check):
    print(f"ok {check}", flush=True)


def headsmith(*args):
    done = subprocess.run([HEADSMITH, *map(str, args)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{args} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def looks(page, path, shots):
    assert path.stat().st_size < 1_500_000, path.stat().st_size
    for name, (width, height, scheme) in VIEWS.items():
        page.open(path.as_uri(), width, height, scheme)
        faults = page.value(FAULTS)
        assert not faults, (name, faults[:10])
        urls = {event["request"]["url"] for event in page.seen("Network.requestWillBeSent")}
        assert urls <= {path.as_uri(), "data:,"}, urls
        wrong = page.seen("Runtime.exceptionThrown") + page.seen("Runtime.consoleAPICalled") + page.seen("Log.entryAdded")
        assert not wrong, wrong
        colours = page.value("['backgroundColor', 'color'].map(c => getComputedStyle(document.body)[c])")
        paper, ink = (sum(map(int, c[4:-1].split(","))) for c in colours)
        assert (paper < 150 and ink > 600) if scheme == "dark" else (paper > 600 and ink < 150), (name, colours)
        if shots:
            page.screenshot(shots / f"report-{name}.png")
    passed(f"page of {path.stat().st_size:,} bytes: desktop, phone and dark without requests, messages or overflow")


def figures(page, path):
    page.open(path.as_uri(), *VIEWS["desktop"])
    n = page.value("document.querySelectorAll('figure svg').length")
    lacking = page.value(
        "[...document.querySelectorAll('figure')].filter(f => f.querySelector('svg') && !(f.querySelector('.read')"
        " && f.querySelector('details table'))).map(f => f.textContent.slice(0, 40))"
    )
    unnamed = page.value(
        "[...document.querySelectorAll('svg')].filter(s => !s.querySelector('.name') && !s.querySelector('.strong')).length"
    )
    assert n > 20 and not lacking and not unnamed, (n, lacking, unnamed)
    passed(f"{n} drawings: each has named axes, a sentence on how to read it, and its numbers")


def numbers(page, out, scratch):
    """What the page says of the validation rows against scikit-learn."""
    headsmith("predict", "--model", out / "model.safetensors", "--data", DATA / "val.parquet", "--out", scratch / "val.csv", "--proba", "--quiet")
    proba = pd.read_csv(scratch / "val.csv")[CLASSES].to_numpy()
    labels = pd.read_parquet(DATA / "val.parquet")["label"].to_numpy()
    y = np.array([CLASSES.index(label) for label in labels])
    predicted = proba.argmax(axis=1)

    ours = page.value(TABLE % ("classes", 0))[1:]
    theirs = metrics.precision_recall_fscore_support(y, predicted, labels=range(3))
    for i, row in enumerate(ours):
        expected = [f"{theirs[score][i]:.4f}" for score in range(3)]
        assert [row[2], row[4], row[6]] == expected, (row, expected)
        assert row[1].replace(",", "") == str(theirs[3][i])
        assert abs(float(row[8]) - metrics.roc_auc_score(y == i, proba[:, i])) < 1e-4
        low, high = map(float, row[5].split(" to "))
        assert low < theirs[1][i] < high and high - low < 0.2, row
    passed("precision, recall, F1, support and ROC AUC of each class: scikit-learn's")

    ours = np.array([row[1:4] for row in page.value(TABLE % ("confusion", 0))[1:]], dtype=int)
    assert (ours == metrics.confusion_matrix(y, predicted)).all()
    passed("confusion matrix: scikit-learn's")

    every_point = lambda y, p: metrics.roc_curve(y, p, drop_intermediate=False)
    for place, curve in enumerate((every_point, metrics.precision_recall_curve)):
        rows = page.value(TABLE % ("curves", place))[1:]
        for i, name in enumerate(CLASSES):
            found = curve(y == i, proba[:, i])
            x, line = (found[0], found[1]) if place == 0 else (found[1], found[0])
            own = np.array([row[2:4] for row in rows if row[0] == name], dtype=float)
            gaps = np.abs(own[:, None, :] - np.stack([x, line], axis=1)[None]).max(axis=2).min(axis=1)
            assert gaps.max() < 1e-4 and len(own) > 30, (name, gaps.max(), len(own))
    passed("ROC and precision-recall curves run through scikit-learn's points")

    mistakes = page.value(TABLE % ("mistakes", 0))[1:]
    wrong = [row for row in np.argsort(-proba.max(axis=1), kind="stable") if predicted[row] != y[row]]
    assert [row[0] for row in mistakes] == [f"row {row + 1}" for row in wrong[: len(mistakes)]], (mistakes, wrong[:20])
    assert [row[1] for row in mistakes] == [labels[row] for row in wrong[: len(mistakes)]]
    passed("the mistakes that the head was surest of, by their rows")


def main():
    shots = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        out = folder / "out"
        small = ["--trials", 12, "--epochs", 8, "--neurons0", 64, "--layers1", 0, "--layers2", 0, "--forest-n-estimators", 20, "--quiet"]
        headsmith("run", "--recipe", "notebook", "--config", DATA / "headsmith.toml", "--out", out, *small)
        page = Page(folder / "profile")
        looks(page, out / "report.html", shots)
        figures(page, out / "report.html")
        numbers(page, out, folder)
        first = (out / "report.html").read_bytes()
        headsmith("report", out, "-o", folder / "again.html", "--pdf", folder / "again.pdf")
        assert (folder / "again.html").read_bytes() == first
        assert (folder / "again.pdf").read_bytes().startswith(b"%PDF-")
        passed("drawn anew: the same bytes; printed to a PDF")
        page.process.terminate()
        page.process.wait()


main()

"""What a person sees who opens TensorBoard on the folder of `headsmith run --tensorboard`: its pages in headless Chromium show
the run's curves, histograms, graph and trials, with the numbers of the report.

Needs Chromium or Chrome (Debian: apt-get install chromium), or HEADSMITH_CHROMIUM naming it. Run by `cargo xtask test`; alone:
target/referees/bin/python bench/referees/tensorboard_pages.py [FOLDER for the screenshots]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from drive.chromium import Page
from drive.patience import expecting_nothing, wait_for
from drive.tensorboard import Server

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
DATA = ROOT / "examples/sentences"
SMALL = ["--trials", 9, "--epochs", 6, "--neurons0", 24, "--layers1", 0, "--layers2", 0, "--forest-n-estimators", 5, "--quiet"]

# TensorBoard's elements stand in shadow roots: all of them that match, wherever they are, and the texts below one.
DEEP = """
const all = (selector, root = document) => [...root.querySelectorAll('*')].flatMap(e =>
  [...(e.matches(selector) ? [e] : []), ...(e.shadowRoot ? all(selector, e.shadowRoot) : [])]);
const texts = (node, found = []) => {
  for (const e of node.childNodes) {
    if (e.nodeType == 3 && e.textContent.trim()) found.push(e.textContent.trim());
    if (!['STYLE', 'SCRIPT'].includes(e.tagName)) texts(e, found);
  }
  if (node.shadowRoot) texts(node.shadowRoot, found);
  return found;
};
const inside = (selector, inner) => all(selector).flatMap(e => [...all(inner, e), ...(e.shadowRoot ? all(inner, e.shadowRoot) : [])]);
const drawn = e => { const r = e.getBoundingClientRect(); return r.width > 0 || r.height > 0; };
"""


def passed(check):
    print(f"ok {check}", flush=True)


class Board:
    """TensorBoard in a window."""

    def __init__(self, server, page, shots):
        self.server, self.page, self.shots = server, page, shots

    def open(self, name, query=""):
        self.page.open(f"{self.server.url}/?{query or name}#{name}", 1400, 1000, "light")

    def value(self, expression):
        return self.page.value(f"(() => {{ {DEEP} return {expression} }})()")

    def wait_for(self, name, expression, is_there):
        """What the expression gives once it is what it must be: the page draws when it has its data."""
        last = []

        def there():
            last[:] = [self.value(expression)]
            return is_there(last[0])

        wait_for(lambda: f"{name} {last}", there)
        found = last[0]
        if self.shots:
            self.page.screenshot(self.shots / f"tensorboard-{name}.png")
        return found


def is_near(shown, number):
    """Whether a number is shown, with the figures that it is shown with."""
    return abs(float(shown.replace("−", "-")) - number) <= 1e-3 * max(abs(number), 1e-3)


def time_series(board, history):
    board.open("timeseries", "tagFilter=^epoch_loss$")
    rows = "all('scalar-card-data-table tb-data-table-content-row').map(row => texts(row))"
    rows = board.wait_for("timeseries", rows, lambda rows: len(rows) == 2 and all(len(row) >= 4 for row in rows))
    assert board.value("all('scalar-card').flatMap(card => texts(card))")[0] == "epoch_loss"
    for run, side in [("train", "train"), ("validation", "val")]:
        [row] = [row for row in rows if row[0] == run]
        last = history[-1]
        assert is_near(row[2], last[side]["loss"]) and row[3] == str(last["epoch"]), (row, last)
    passed("Time Series: the losses of the last epoch are the report's")


def scalars(board, runs):
    board.open("scalars")
    shown = "all('tf-runs-selector').flatMap(e => texts(e))"
    board.wait_for("scalars", shown, lambda texts: set(runs) <= set(texts))
    tags = "all('tf-category-paginated-view').flatMap(e => texts(e))"
    names = [f"epoch_{name}" for name in ("loss", "accuracy", "weighted_f1", "mae", "mse", "learning_rate")]
    board.wait_for("scalars", tags, lambda texts: set(names) <= set(texts))
    lines = "inside('vz-line-chart2', 'path').filter(p => drawn(p) && (p.getAttribute('d') || '').split('L').length > 5).length"
    board.wait_for("scalars", lines, lambda n: n >= 2)
    passed(f"Scalars: {len(runs)} runs, Keras's tags, curves are drawn")


def histograms(board, n_tensors, n_epochs):
    board.open("histograms")
    shown = "all('vz-histogram-timeseries').filter(drawn).map(e => all('path', e.shadowRoot || e).filter(drawn).length)"
    board.wait_for("histograms", shown, lambda found: len(found) == n_tensors and all(n >= n_epochs for n in found))
    tags = set(board.value("all('tf-histogram-loader').flatMap(e => texts(e))"))
    assert {"sequential/dense/kernel/histogram", "sequential/dense_1/bias/histogram", "train"} <= tags, tags
    passed(f"Histograms: {n_tensors} tensors, each drawn at {n_epochs} epochs")


def distributions(board, n_tensors):
    board.open("distributions")
    shown = "all('vz-distribution-chart').filter(drawn).length"
    board.wait_for("distributions", shown, lambda n: n == n_tensors)
    passed(f"Distributions: {n_tensors} tensors")


def graph(board, layers):
    board.open("graphs")
    # Long names are shortened; their title has all of them.
    names = "inside('tf-graph-scene', '.nodelabel').filter(drawn).map(e => (e.querySelector('title') || e).textContent)"
    board.wait_for("graphs", names, lambda shown: set(shown) == {"input_layer", *layers})
    edges = board.value("inside('tf-graph-scene', 'path.edgeline').filter(drawn).length")
    assert edges == len(layers), edges
    passed(f"Graphs: {1 + len(layers)} nodes, each an edge from the next")


def hparams(board, study, trials):
    board.open("hparams")
    cells = "inside('tf-hparams-table-view', 'vaadin-grid-cell-content').flatMap(e => texts(e))"
    names = {f"{study}/trial-{trial['number']:04}": trial for trial in trials}
    cells = board.wait_for("hparams", cells, lambda texts: set(names) <= set(texts))
    first = min(cells.index(name) for name in names)
    header = cells[cells.index("Show Metrics") + 1 : first]
    assert [cell for cell in cells if cell.startswith(study)] == sorted(names), cells
    for name, trial in names.items():
        at = cells.index(name) + 1
        row = dict(zip(header, cells[at : at + len(header)]))
        expected = {"weighted F1": trial["value"], "epochs": len(trial["reports"]), "pruned": trial["state"] == "pruned"}
        assert all(is_near(row[column], float(value)) for column, value in expected.items()), (row, expected)
        assert is_near(row["lr"], trial["params"]["lr"]), (row, trial)
    passed(f"HParams: {len(names)} rows, one a trial, with their metrics and settings")


def alone(logs, into, fit):
    """A folder with the training and validation files of one fit alone."""
    for side in ("train", "validation"):
        shutil.copytree(logs / fit / side, into / side)
    return into


def one_fit(page, shots, fit):
    """The pages of one fit: of a trial, or of the final one."""
    name, logs, history, layers, n_tensors = fit
    with Server(logs) as server:
        server.wait_for(["train", "validation"])
        board = Board(server, page, shots)
        time_series(board, history)
        scalars(board, ["train", "validation"])
        histograms(board, n_tensors, len(history))
        distributions(board, n_tensors)
        graph(board, layers)
    passed(f"these are the pages of {name}")


def nothing(board):
    """The same looks at a page without data find nothing."""
    for look, args in [(time_series, [[]]), (scalars, [["train"]]), (histograms, [4, 6]), (graph, [["dense"]]), (hparams, ["s", [{"number": 0}]])]:
        try:
            look(board, *args)
        except AssertionError:
            continue
        raise SystemExit(f"{look.__name__} sees what is not there")


def of_a_trial(logs, folder, study, trials):
    """The best trial's files, and what its pages must show, by TensorBoard's own reader."""
    best = max((trial for trial in trials if trial["state"] == "complete"), key=lambda trial: trial["value"])
    name = f"{study}/trial-{best['number']:04}"
    files = alone(logs, folder / "trial", name)
    losses = {side: dict(scalar(files / side, "epoch_loss")) for side in ("train", "validation")}
    assert list(losses["train"]) == list(losses["validation"]) == [step for step, _ in best["reports"]]
    history = [
        {"epoch": step, "train": {"loss": losses["train"][step]}, "val": {"loss": losses["validation"][step]}}
        for step in losses["train"]
    ]
    layers = graph_layers(best["params"])
    return name, files, history, layers, 2 * sum(layer.startswith(("dense", "layer_normalization")) for layer in layers)


def scalar(folder, tag):
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    return [(event.step, float(make_ndarray(event.tensor_proto))) for event in accumulator.Tensors(tag)]


def graph_layers(params):
    """The layers that a trial's parameters ask for, by their names in Keras."""
    norms, noise = params["layer_norms"], params["noise"]
    kinds = ["dense", *(["gaussian_noise"] if noise else []), *(["layer_normalization"] if norms > 0 else [])]
    kinds += ["dense"] * (params.get("layers1", 0) + params.get("layers2", 0))
    kinds += [*(["layer_normalization"] if norms > 1 else []), "dropout", "dense"]
    seen, names = {}, []
    for kind in kinds:
        names.append(f"{kind}_{seen[kind]}" if kind in seen else kind)
        seen[kind] = seen.get(kind, 0) + 1
    return names


def main():
    shots = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        out, logs = folder / "out", folder / "logs"
        command = [HEADSMITH, "run", "--recipe", "notebook", "--config", DATA / "headsmith.toml", "--out", out, "--tensorboard", logs, *SMALL]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        report = json.loads((out / "report.json").read_text())
        export = [HEADSMITH, "study", "export", "--storage", out / "study.db", "--out", folder / "trials.json", "--json"]
        subprocess.run(list(map(str, export)), check=True, stdout=subprocess.DEVNULL)
        trials, mlp, study = json.loads((folder / "trials.json").read_text()), report["heads"][1], report["study"]["name"]
        layers = [layer["name"] for layer in mlp["structure"]["layers"]]
        runs = ["train", "validation", study, *(f"{study}/trial-{trial['number']:04}" for trial in trials)]
        page = Page(folder / "profile")
        with Server(logs) as server:
            server.wait_for(runs)
            board = Board(server, page, shots)
            scalars(board, runs)
            hparams(board, study, trials)
        # Of each layer with parameters two tensors: kernel and bias, or scale and shift.
        n_tensors = 2 * sum(layer["n_params"] > 0 for layer in mlp["structure"]["layers"])
        fits = [("the final fit", alone(logs, folder / "final", "."), mlp["history"], layers, n_tensors), of_a_trial(logs, folder, study, trials)]
        for fit in fits:
            one_fit(page, shots, fit)
        (folder / "empty").mkdir()
        with Server(folder / "empty") as server, expecting_nothing(5.0):
            nothing(Board(server, page, None))
        passed("a folder without data shows none of it")
        page.process.terminate()
        page.process.wait()


main()

"""The example notebook runs from top to bottom and shows what is committed; progress is a bar in terminals, a widget in notebooks and lines elsewhere.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_notebook.py [--write]

`--write` puts the outputs of this run into the notebook.
"""

import fcntl
import html
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from html.parser import HTMLParser
from pathlib import Path

# Threads without a core of their own would wait for one another: scripts run side by side.
os.environ["OMP_NUM_THREADS"] = "1"

import nbformat
from nbclient import NotebookClient

from drive.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "examples/notebook/headsmith.ipynb"
# What numbers may differ by: processors round differently.
ROUNDING = 0.02
# A search that ends by the clock gives another answer on another machine; the cells that use it have these words.
TIMED = ["AutoClassifier(", "auto."]
NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
TIME = re.compile(r"\d[\d.,]*\s(?:s|ms|µs|min)\b(?:\s\d+\s(?:s|min)\b)?")


def ok(text):
    print(f"ok {text}", flush=True)


def execute(notebook, folder):
    """Runs all cells, in a kernel that no other user of the machine can talk to."""
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", coalesce_streams=True, resources={"metadata": {"path": folder}})
    with tempfile.TemporaryDirectory() as sockets:
        manager = client.create_kernel_manager()
        manager.transport, manager.ip = "ipc", f"{sockets}/kernel"
        client.execute()


def executed():
    """The notebook after a run of its own, and the seconds that it took."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    started = time.monotonic()
    execute(notebook, NOTEBOOK.parent)
    return stripped(notebook), time.monotonic() - started


def stripped(notebook):
    """The notebook without what differs from run to run and says nothing."""
    for cell in notebook.cells:
        cell.metadata = {}
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


def texts(cell):
    """What the outputs of a cell show, as text without markup."""
    found = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        shown = data.get("text/html") or data.get("text/plain") or output.get("text", "")
        shown = re.sub(r"<style.*?</style>|<svg.*?</svg>", " ", shown, flags=re.DOTALL)
        found.append(TIME.sub("TIME", " ".join(re.sub(r"<[^>]*>", " ", shown).split())))
    return found


def is_timed(cell):
    return any(word in cell.source for word in TIMED)


def same(own, committed):
    """Whether two texts have the same words, and numbers that are equal up to rounding."""
    numbers = [[float(number.replace(",", "")) for number in NUMBER.findall(text)] for text in [own, committed]]
    words = [NUMBER.sub("#", text) for text in [own, committed]]
    near = lambda a, b: abs(a - b) <= ROUNDING * max(1.0, abs(a))
    return words[0] == words[1] and len(numbers[0]) == len(numbers[1]) and all(map(near, *numbers))


def as_committed(own, committed):
    n_compared = 0
    for cell, shown in zip(own.cells, committed.cells, strict=True):
        if cell.cell_type != "code":
            continue
        assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs), cell.outputs
        if is_timed(cell):
            continue
        assert len(texts(cell)) == len(texts(shown)) > 0, cell.source
        for one, other in zip(texts(cell), texts(shown)):
            assert same(one, other), f"{cell.source}\n{one}\ndiffers from\n{other}"
            n_compared += 1
    return n_compared


def cards(notebook):
    """The titles of the cards that a notebook shows."""
    html = [output.data["text/html"] for cell in notebook.cells for output in cell.get("outputs", []) if "text/html" in output.get("data", {})]
    assert not any(word in page for page in html for word in ["<script", "http://", "https://", "@import"]), "a card loads something"
    return [title for page in html for title in re.findall(r'<div class="title"><b>(\w+)</b>', page)]


EXPECTED = ["Table", "Inspection", "RandomForestClassifier", "Scores", "Study", "MLPClassifier", "Scores", "AutoClassifier"]


def the_notebook():
    own, seconds = executed()
    if "--write" in sys.argv[1:]:
        nbformat.write(own, NOTEBOOK)
    committed = nbformat.read(NOTEBOOK, as_version=4)
    n_compared = as_committed(own, committed)
    assert cards(own) == cards(committed) == EXPECTED, cards(own)
    shown = [text for cell in own.cells for text in texts(cell)]
    # What the cells that end by the clock have to say however fast the machine is.
    for line in ["the labels of the classifier: True", "256 numbers in each cell: True", "the same labels: True", "(3000, 2) ['embeddings', 'label']"]:
        assert any(line in text for text in shown), line
    code = NOTEBOOK.read_text()
    assert not re.search(r"/home/|/tmp/|/Users/|ipykernel_", code), "the notebook names a place on the machine where it ran"
    ok(f"the notebook: {n_compared} outputs as committed, {len(EXPECTED)} cards; {seconds:.0f} s")


# What would end an attribute, an element and a card, and begin others.
BREAK = "'\"></div><img src=x onerror=alert(1)>"

HOSTILE = f"BREAK = {BREAK!r}" + """
import headsmith as hs, numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(80, 4)).astype(np.float32)
y = np.array(["<script>alert(1)</script>", "b & \\"c\\""])[np.arange(80) % 2]
names = ["<b>bold</b>", "x", "y", "z"]
clf = hs.RidgeClassifier().fit(x, y)
clf.save("m.safetensors")
table = hs.Table(x, y, names, {"format": "<i>text</i>"})
auto = hs.AutoClassifier(steps=4, heads=["ridge", "centroid"]).fit(x, y)
auto.report_["auto"]["left_out"] = [(BREAK + "head", BREAK + "reason")]
for one in auto.report_["auto"]["candidates"]:
    one |= {"head": BREAK + "candidate", "title": BREAK + "title"}
path = BREAK.replace("/", "") + ".csv"
with open(path, "w") as file:
    file.write("\\n".join(["e0,e1,label", *(f"{row[0]},{row[1]},{i % 2}" for i, row in enumerate(x))]))
best = {"number": 0, "value": 0.5, "params": {BREAK + "param": BREAK + "value"}}
state = {"state": BREAK + "state", "n_trials": 1, "n_epochs": 1, "seconds": 1.0}
study = hs.Study({"name": BREAK + "name", "storage": f"sqlite:///{BREAK}.db", "metric": BREAK + "metric", "best": best, "n_finished": 1, "n_trials": 1, "states": [state]})
shown = [clf, hs.CentroidClassifier(scale="<u>"), hs.CentroidClassifier(scale=BREAK), auto, hs.load("m.safetensors"), table, hs.inspect((x, y)), hs.inspect(path)]
shown += [hs.score(y, clf.predict_proba(x), classes=clf.classes_), hs.Standardiser().fit(x), hs.Standardiser(), study]
print("\\n\\n".join(one._repr_html_() for one in shown))
"""


class Elements(HTMLParser):
    """The elements of cards with their attributes, as a browser reads them."""

    def __init__(self, page):
        super().__init__()
        self.names, self.attributes = set(), []
        self.feed(page)

    def handle_starttag(self, name, attributes):
        self.names.add(name)
        self.attributes += attributes


# All that cards are made of.
ELEMENTS = set("style div span b p table thead tbody tr th td details summary svg path circle title text rect polyline".split())
ATTRIBUTES = set("class style title open width height viewbox role d stroke stroke-width fill cx cy r x y rx text-anchor points".split())


def escaped(folder):
    page = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, check=True, cwd=folder).stdout
    cards = page.strip().split("\n\n")
    assert len(cards) == 12 and all('<div class="card">' in card for card in cards)
    assert "&lt;script&gt;" in page and not any(tag in page for tag in ["<script", "<b>bold", "<i>", "<u>"]), "markup of labels and names is not escaped"
    found = Elements(page)
    names = {name for name, _ in found.attributes}
    assert found.names <= ELEMENTS and names <= ATTRIBUTES, (found.names - ELEMENTS, names - ATTRIBUTES)
    # Whole, within the quotes of an attribute.
    assert ("title", BREAK + "reason") in found.attributes, [value for name, value in found.attributes if name == "title"]
    for what in ["candidate", "title", "head", "name", "param", "state"]:
        assert html.escape(BREAK + what) in page, what
    ok(f"{len(cards)} kinds of cards escape labels, names, parameters, paths and attributes")


# Addresses of databases, and what is shown of them.
STORAGES = [
    ("sqlite:////home/ann/s@1.db", "s@1.db"),
    ("postgresql://ann:secret@host/db", "postgresql://ann@host/db"),
    ("postgresql+psycopg://ann:%40secret@[::1]:5432/db", "postgresql+psycopg://ann@[::1]:5432/db"),
    ("postgresql://host:5432/db?user=ann&password=secret", "postgresql://host:5432/db"),
    ("postgresql:///db?host=/run&password=secret", "postgresql:///db"),
    ("mysql://ann:secret@host/db?x=a@b&password=secret", "mysql://ann@host/db"),
    ("mysql://ann:a@secret@host/db", "mysql://ann@host/db"),
    ("mysql://host/db?password=a@secret", "mysql://..."),
    ("mysql://ann:a/secret@host/db", "mysql://..."),
    ("mysql://ann:a?secret@host/db", "mysql://..."),
    ("mysql://ann:secret#a@host/db", "mysql://..."),
    ("mysql://ann:secret[@host/db", "mysql://..."),
    ("mysql://ann:secret@host/<b>", "mysql://ann@host/<b>"),
]


def database_passwords():
    import headsmith as hs

    for storage, shown in STORAGES:
        study = hs.Study({"name": "s", "storage": storage, "metric": "accuracy", "best": None, "n_finished": 0, "n_trials": 0, "states": []})
        both = repr(study) + study._repr_html_()
        assert "secret" not in both and f"in {html.escape(shown)}</span>" in both, (storage, both)
    ok(f"a study shows its database without the password: {len(STORAGES)} addresses")


FIT = """
import headsmith as hs, numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(300, 20)).astype(np.float32)
y = rng.integers(3, size=300)
hs.MLPClassifier(epochs=7, verbose=1).fit(x, y, validation_data=(x, y))
hs.RandomForestClassifier(n_estimators=300, verbose=1).fit(x, y)
auto = hs.AutoClassifier(steps=8, heads=["ridge", "centroid"], verbose=1).fit(x, y)
"""


def of_terminal(code, folder):
    """What a program writes to a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder)
    os.close(theirs)
    try:
        written = read_to_end(ours, process)
        assert process.wait(timeout=PATIENCE) == 0, written
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return written.decode()


def read_to_end(terminal, process):
    """What a process writes until it ends."""
    written, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            # The other end is closed.
            return written
        if not chunk:
            return written
        written += chunk
    raise AssertionError(f"process {process.pid} has not ended after {PATIENCE:.0f} s, and wrote {written!r}")


AT_ONCE = """
import headsmith as hs, logging, threading
import numpy as np
rng = np.random.default_rng(0)
x, y = rng.normal(size=(300, 20)).astype(np.float32), rng.integers(3, size=300)
fits = [threading.Thread(target=lambda: hs.MLPClassifier(epochs=7, verbose=1).fit(x, y)) for _ in range(4)]
[fit.start() for fit in fits]
[fit.join() for fit in fits]
log = logging.getLogger("headsmith")
print(log.level, len(log.handlers))
"""

WITHOUT_TQDM = "import sys; sys.modules['tqdm'] = sys.modules['tqdm.auto'] = None\n"


def progress(folder):
    shown = of_terminal(FIT, folder)
    for words in ["mlp: 100%", "7/7 [", "val_weighted_f1=", "forest: 100%", "300/300 [", "ridge: log loss", "search: 2 candidates"]:
        assert words in shown, (words, shown)
    ok("progress in a terminal: a bar of epochs with figures, of trees, of candidates")
    for more in ["", WITHOUT_TQDM]:
        lines = subprocess.run([sys.executable, "-c", more + FIT], capture_output=True, text=True, check=True, cwd=folder)
        assert lines.stdout == "" and "\r" not in lines.stderr and "%|" not in lines.stderr, lines.stderr
        assert all(words in lines.stderr for words in ["mlp: epoch 1, loss ", "val_weighted_f1", "forest: 300/300", "ridge: log loss"]), lines.stderr
    assert "loss" in of_terminal(WITHOUT_TQDM + FIT, folder)
    own = "import logging; logging.basicConfig(format='OWN %(name)s %(message)s', level=logging.INFO)\n"
    theirs = subprocess.run([sys.executable, "-c", own + FIT], capture_output=True, text=True, check=True, cwd=folder).stderr
    assert "OWN headsmith mlp: epoch 1" in theirs and theirs.count("mlp: epoch 1,") == 1, theirs
    after = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=True, cwd=folder)
    assert after.stdout == "0 0\n" and after.stderr.count("mlp: epoch 1,") == 4, (after.stdout, after.stderr)
    ok("progress without a terminal or tqdm: lines of logging, through the handlers of whoever has some")


def of_notebook(code, folder):
    """A notebook of one cell, after it ran."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    execute(notebook, folder)
    return notebook


def widgets(folder):
    notebook = of_notebook(FIT, folder)
    shown = [output for output in notebook.cells[0].outputs if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]
    states = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    bars = [state["state"] for state in states if state["model_name"] == "FloatProgressModel"]
    assert len(shown) == 3 and {(bar["value"], bar["max"]) for bar in bars} >= {(7.0, 7.0), (300.0, 300.0)}, (shown, bars)
    text = "".join(output.get("text", "") for output in notebook.cells[0].outputs)
    assert "ridge: log loss" in text and "%|" not in text and "Warning" not in text, text
    without = of_notebook("import sys; sys.modules['ipywidgets'] = None\n" + FIT, folder).cells[0].outputs
    text = "".join(output.get("text", "") for output in without)
    assert "mlp: 100%|" in text and "Warning" not in text and not any("data" in output for output in without), without
    ok("progress in a notebook: a widget for each fit, and a bar of text without ipywidgets")


def main():
    with tempfile.TemporaryDirectory() as folder:
        escaped(folder)
        database_passwords()
        progress(folder)
        widgets(folder)
    the_notebook()


if __name__ == "__main__":
    main()

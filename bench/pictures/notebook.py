"""Draws docs/pictures/notebook.png: cards of the example notebook, as a light and a dark notebook show them.

    target/referees/bin/python bench/pictures/notebook.py [docs/pictures/notebook.png]

Needs Chromium. The cards are those of the committed notebook.
"""

import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/referees"))

from drive.chromium import Page

NOTEBOOK = ROOT / "examples/notebook/headsmith.ipynb"
# The cards, and the ground and ink of JupyterLab's light and dark theme.
SHOWN = ["AutoClassifier", "Scores"]
THEMES = [("#ffffff", "rgba(0,0,0,.87)"), ("#111111", "#ffffff")]
WIDTH = 900


def cards():
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    outputs = ["".join(output.get("data", {}).get("text/html", "")) for cell in cells for output in cell.get("outputs", [])]
    return [[card for card in outputs if f"<b>{name}</b>" in card][-1] for name in SHOWN]


def page():
    parts = (f'<div style="padding:16px;background:{ground};color:{ink}">{card}</div>' for (ground, ink), card in zip(THEMES, cards()))
    return f'<!doctype html><meta charset="utf-8"><body style="margin:0">{"".join(parts)}'


def main():
    picture = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs/pictures/notebook.png")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "page.html")
        file.write_text(page())
        browser = Page(folder)
        browser.open(file.as_uri(), WIDTH, 400, "light")
        browser.screenshot(picture)
        browser.process.terminate()
        browser.process.wait()
    print(f"{picture}: {picture.stat().st_size} bytes")


if __name__ == "__main__":
    main()

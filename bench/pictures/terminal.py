"""Draws docs/pictures/terminal.png: a study in the live view, as a terminal shows it, in its colours.

    target/referees/bin/python bench/pictures/terminal.py [docs/pictures/terminal.png]

Needs the release binary, tmux and DejaVu Sans Mono (Debian: fonts-dejavu-core). Every character is drawn into its own cell;
braille patterns, which few fonts have, are drawn as dots.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")).resolve()
FONTS = pathlib.Path("/usr/share/fonts/truetype/dejavu")
COLUMNS, ROWS = 112, 30
# The study is shown when this many trials have ended.
N_ENDED = 12
LIMIT = 600

SIZE, MARGIN = 18, 14
INK, PAPER = (229, 231, 235), (15, 23, 42)
# The 16 colours of a terminal, as xterm has them on a dark ground.
BASIC = [
    (0, 0, 0), (205, 49, 49), (13, 188, 121), (229, 229, 16), (36, 114, 200), (188, 63, 188), (17, 168, 205), (229, 229, 229),
    (102, 102, 102), (241, 76, 76), (35, 209, 139), (245, 245, 67), (59, 142, 234), (214, 112, 214), (41, 184, 219), (255, 255, 255),
]
BRAILLE_DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]


def colour(index):
    """The colour with this number among a terminal's 256."""
    if index < 16:
        return BASIC[index]
    if index >= 232:
        return (8 + 10 * (index - 232),) * 3
    levels = [0, 95, 135, 175, 215, 255]
    index -= 16
    return levels[index // 36], levels[index // 6 % 6], levels[index % 6]


class Style:
    """What the escape sequences seen so far ask for."""

    def __init__(self):
        self.ink, self.paper, self.bold, self.dim, self.reverse = INK, PAPER, False, False, False

    def apply(self, codes):
        codes = [int(code or 0) for code in codes.replace(":", ";").split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.__init__()
            elif code in (38, 48):
                kind = codes.pop(0)
                value = colour(codes.pop(0)) if kind == 5 else tuple(codes.pop(0) for _ in range(3))
                self.ink, self.paper = (value, self.paper) if code == 38 else (self.ink, value)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.ink = BASIC[code - 30 if code < 90 else code - 82]
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.paper = BASIC[code - 40 if code < 100 else code - 92]
            elif code in (39, 49):
                self.ink, self.paper = (INK, self.paper) if code == 39 else (self.ink, PAPER)
            else:
                self.bold = {1: True, 22: False}.get(code, self.bold)
                self.dim = {2: True, 22: False}.get(code, self.dim)
                self.reverse = {7: True, 27: False}.get(code, self.reverse)

    def colours(self):
        ink, paper = (self.paper, self.ink) if self.reverse else (self.ink, self.paper)
        return tuple((a + b) // 2 for a, b in zip(ink, paper)) if self.dim else ink, paper


def cells(screen):
    """Every character of the screen: row, column, character, ink, paper, bold."""
    style = Style()
    for row, line in enumerate(screen.split("\n")):
        column = 0
        for codes, text in re.findall(r"\x1b\[([\d;:]*)m|([^\x1b]+)", line):
            if not text:
                style.apply(codes)
            for character in text:
                yield row, column, character, *style.colours(), style.bold
                column += 1


def draw(screen, path):
    regular, bold = (ImageFont.truetype(FONTS / name, SIZE) for name in ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"))
    width, height = round(regular.getlength("0")), sum(regular.getmetrics())
    picture = Image.new("RGB", (COLUMNS * width + 2 * MARGIN, ROWS * height + 2 * MARGIN), PAPER)
    pen = ImageDraw.Draw(picture)
    for row, column, character, ink, paper, is_bold in cells(screen):
        x, y = MARGIN + column * width, MARGIN + row * height
        if paper != PAPER:
            pen.rectangle((x, y, x + width - 1, y + height - 1), fill=paper)
        if 0x2800 <= ord(character) <= 0x28FF:
            for bit, (i, j) in enumerate(BRAILLE_DOTS):
                if ord(character) >> bit & 1:
                    cx, cy = x + (i + 0.5) * width / 2, y + (j + 0.5) * height / 4
                    pen.ellipse((cx - 1.6, cy - 1.6, cx + 1.6, cy + 1.6), fill=ink)
        else:
            pen.text((x, y), character, ink, bold if is_bold else regular)
    picture.save(path, optimize=True)


def tmux(socket, *words):
    return subprocess.run(["tmux", "-L", socket, *map(str, words)], check=True, capture_output=True, text=True).stdout


def screen_of_a_study():
    """The screen of a study of the shipped example, some trials after its beginning."""
    socket = f"headsmith-picture-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        tables = " ".join(f"--{role} {ROOT}/examples/sentences/{role}.parquet" for role in ("train", "val"))
        command = f"cd {folder}; {BINARY} tune {tables} --trials 40 --jobs 2 --seed 42"
        environment = ["env", "-u", "NO_COLOR", "LANG=C.UTF-8", "TERM=tmux-256color", "COLORTERM=truecolor"]
        try:
            tmux(socket, "-f", "/dev/null", "new-session", "-d", "-x", COLUMNS, "-y", ROWS, *environment, "sh", "-c", command)
            tmux(socket, "set", "-g", "status", "off")
            end = time.monotonic() + LIMIT
            while time.monotonic() < end:
                screen = tmux(socket, "capture-pane", "-e", "-p")
                ended = re.search(r"trials\s+(\d+)/", re.sub(r"\x1b\[[\d;:]*m", "", screen))
                if ended and int(ended[1]) >= N_ENDED:
                    return screen.replace(f"{ROOT}/", "")
                time.sleep(0.2)
        finally:
            subprocess.run(["tmux", "-L", socket, "kill-server"], capture_output=True)
    raise SystemExit(f"no {N_ENDED} trials ended within {LIMIT} s")


if __name__ == "__main__":
    draw(screen_of_a_study(), sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs/pictures/terminal.png")

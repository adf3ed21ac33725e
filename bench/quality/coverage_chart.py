"""The picture of the coverage of intervals, from the table that `coverage.py` prints.

    python bench/quality/coverage_chart.py [docs/guide/honest-numbers.md] [docs/guide/coverage.svg]

A panel for each score, a line for each kind of table: the share of intervals that hold, with its own 95% interval (Wilson's, for as many tables), and the
shares from 93% to 97% shaded. Needs Python alone.
"""

import sys
from math import sqrt
from pathlib import Path

from chart import rule, words

LEFT, PANEL, GAP, TOP, LINE, BOTTOM = 420, 210, 24, 62, 22, 40
LOW, HIGH, BAND, NOMINAL = 0.85, 1.0, (0.93, 0.97), 0.95
INSIDE, OUTSIDE = "#2563eb", "#c2410c"


def rows_of(page):
    """The scores, and for each line of the page's table its title, its number of tables and its shares."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    start = next((i for i, line in enumerate(lines) if line[:4] == ["rows", "classes", "scored", "tables"]), None)
    if start is None:
        sys.exit("error: the page has no table as bench/quality/coverage.py prints it")
    held = [i for i, name in enumerate(lines[start]) if name.endswith(": held")]
    rows = []
    for line in lines[start + 2:]:
        if len(line) != len(lines[start]):
            break
        classes = "" if line[1] == "equal" else "rare classes, "
        size = line[0] if " " in line[0] else f"{line[0]} rows"
        rows.append((f"{size}, {classes}{line[2].replace('`', '')}", int(line[3]), [float(line[i].rstrip("%")) / 100 for i in held]))
    return [lines[start][i].removesuffix(": held") for i in held], rows


def interval(share, n, z=1.96):
    """Wilson's interval of a share of n (Wilson, JASA 22, 1927)."""
    middle, half = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def x_of(panel, share):
    return LEFT + panel * (PANEL + GAP) + (max(share, LOW) - LOW) / (HIGH - LOW) * PANEL


def frame(panel, score, n_rows):
    bottom = TOP + n_rows * LINE
    left, right = (x_of(panel, share) for share in BAND)
    parts = [f'<rect x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{n_rows * LINE}" fill="#dcfce7"/>']
    parts.append(words(x_of(panel, NOMINAL), TOP - 12, score, 'text-anchor="middle" font-size="13" font-weight="bold"'))
    for share in (0.87, 0.9, 0.93, 0.95, 0.97, 1.0):
        parts.append(rule(x_of(panel, share), x_of(panel, share), TOP, bottom))
        parts.append(words(x_of(panel, share), bottom + 16, f"{share:.0%}", 'text-anchor="middle" fill="#475569"'))
    return parts


def mark(panel, row, share, n):
    """A share with its interval, in another colour where it is outside of the band."""
    y, (low, high) = TOP + (row + 0.5) * LINE, interval(share, n)
    colour = INSIDE if BAND[0] <= round(share, 4) <= BAND[1] else OUTSIDE
    return [
        f'<line x1="{x_of(panel, low):.1f}" x2="{x_of(panel, high):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="1.5"/>',
        f'<circle cx="{x_of(panel, share):.1f}" cy="{y}" r="4" fill="{colour}"><title>{share:.1%} of {n}</title></circle>',
    ]


def picture(page):
    scores, rows = rows_of(page)
    width, height = LEFT + len(scores) * (PANEL + GAP), TOP + len(rows) * LINE + BOTTOM
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">']
    parts += ['<rect width="100%" height="100%" fill="white"/>', words(12, 22, "Share of 95% intervals that hold the score on new rows", 'font-size="14" font-weight="bold"')]
    for panel, score in enumerate(scores):
        parts += frame(panel, score, len(rows))
    for i, (title, n, shares) in enumerate(rows):
        parts.append(words(LEFT - 14, TOP + (i + 0.5) * LINE + 4, f"{title} ({n} tables)", 'text-anchor="end"'))
        for panel, share in enumerate(shares):
            parts += mark(panel, i, share, n)
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    source, target = [Path(path) for path in (sys.argv[1:] + ["docs/guide/honest-numbers.md", "docs/guide/coverage.svg"][len(sys.argv) - 1:])]
    target.write_text(picture(source.read_text()))

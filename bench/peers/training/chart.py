"""The figures of a run as a drawing: who needs how long for an epoch, each configuration beside its floor."""

from html import escape
from math import floor, log10

from contenders import FIT, PEERS, STUDY

COLOURS = dict(zip([FIT, STUDY, *PEERS], ["#c2410c", "#f59e0b", "#475569", "#0f766e", "#7c3aed", "#a78bfa", "#cbd5e1"]))
LEFT, TOP, WIDTH, BAR, GAP = 40, 70, 720, 12, 22


def svg(result):
    """Bars on a logarithmic scale; a black line is the floor, a dash what a target asks of the fits at once."""
    rows = result["figures"]["rows"]
    names = [name for name in COLOURS if all(name in row["seconds"] for row in rows.values())]
    all_seconds = [s["median"] for row in rows.values() for s in row["seconds"].values()]
    floors = {letter: result["configurations"][letter]["floor"]["roofline"] for letter in rows}
    low, high = log10(min(floors.values())) - 0.1, log10(max(all_seconds)) + 0.1

    def at(seconds):
        return LEFT + (log10(seconds) - low) / (high - low) * WIDTH

    height = len(names) * BAR
    bottom = TOP + len(rows) * (height + GAP)
    parts = [*_axis(at, low, high, bottom), *_legend(names)]
    for i, (letter, row) in enumerate(rows.items()):
        parts += _group(letter, row, floors[letter], names, at, TOP + i * (height + GAP))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 80}" height="{bottom + 30}" '
        'font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(x, y, text, rest=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {rest}>{escape(text)}</text>'


def _line(x, top, bottom, style):
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" {style}/>'


def _axis(at, low, high, bottom):
    parts = []
    for exponent in range(floor(low), floor(high) + 1):
        for digit in range(1, 10):
            seconds = digit * 10.0**exponent
            if not low <= log10(seconds) <= high:
                continue
            parts.append(_line(at(seconds), TOP - 8, bottom, f'stroke="{"#cbd5e1" if digit == 1 else "#f1f5f9"}"'))
            if digit in (1, 2, 5):
                parts.append(_text(at(seconds), bottom + 14, f"{seconds:g} s", 'text-anchor="middle" fill="#475569"'))
    return parts


def _legend(names):
    parts = [_text(LEFT, 18, "Seconds an epoch; the black line is the floor, the dashes what the targets ask of the fits at once")]
    x = LEFT
    for name in names:
        parts.append(f'<rect x="{x}" y="32" width="10" height="10" fill="{COLOURS[name]}"/>')
        parts.append(_text(x + 14, 41, name))
        x += 30 + 6.2 * len(name)
    return parts


def _group(letter, row, least, names, at, top):
    parts = [_text(LEFT - 24, top + len(names) * BAR / 2 + 4, letter, 'font-size="16" font-weight="bold"')]
    for i, name in enumerate(names):
        seconds, y = row["seconds"][name]["median"], top + i * BAR
        width = at(seconds) - LEFT
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{COLOURS[name]}"/>')
        parts.append(_text(at(seconds) + 4, y + BAR - 3, f"{seconds:.3g}", 'font-size="9" fill="#334155"'))
    bottom = top + len(names) * BAR
    parts.append(_line(at(least), top - 4, bottom, 'stroke="black" stroke-width="1.5"'))
    study = row["seconds"][STUDY]["median"]
    for comparison in ("best", "keras", "peak", "roofline"):
        found = row["comparisons"].get(comparison)
        if found and found["target"]:
            wanted = study * found["figure"] / found["target"]
            parts.append(_line(at(wanted), top - 4, top + 2 * BAR, 'stroke="black" stroke-dasharray="2 2"'))
    return parts

"""The figures of a run as a drawing: who needs how long for one of the last epochs, each configuration beside its floor."""

from html import escape
from math import floor, log10

from contenders import FITS, PEERS
from table import late

COLOURS = dict(
    zip([*FITS, *PEERS], ["#c2410c", "#f59e0b", "#fcd34d", "#475569", "#0f766e", "#7c3aed", "#a78bfa", "#cbd5e1"])
)
LEFT, TOP, WIDTH, BAR, GAP = 80, 70, 720, 12, 22


def svg(result):
    """Bars on a logarithmic scale; a black line is the floor."""
    rows = result["rows"]
    names = [name for name in COLOURS if any(name in row["contenders"] for row in rows)]
    seconds = [{name: late(c["seconds"]) for name, c in row["contenders"].items()} for row in rows]
    floors = [row["floor"]["roofline"] for row in rows]
    low = log10(min(floors)) - 0.1
    high = log10(max(max(of_row.values()) for of_row in seconds)) + 0.1

    def at(seconds):
        return LEFT + (log10(seconds) - low) / (high - low) * WIDTH

    height = len(names) * BAR
    bottom = TOP + len(rows) * (height + GAP)
    parts = [*_axis(at, low, high, bottom), *_legend(names)]
    for i, row in enumerate(rows):
        title, top = f"{row['letter']} {row['kind']}", TOP + i * (height + GAP)
        parts += _group(title, seconds[i], floors[i], [name for name in names if name in seconds[i]], at, top)
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
    parts = [_text(LEFT, 18, "Seconds of a late epoch; the black line is the floor")]
    x = LEFT
    for name in names:
        parts.append(f'<rect x="{x}" y="32" width="10" height="10" fill="{COLOURS[name]}"/>')
        parts.append(_text(x + 14, 41, name))
        x += 30 + 6.2 * len(name)
    return parts


def _group(title, seconds, least, names, at, top):
    parts = [_text(8, top + len(names) * BAR / 2 + 4, title, 'font-size="14" font-weight="bold"')]
    for i, name in enumerate(names):
        end, y = at(seconds[name]), top + i * BAR
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR - 2}" fill="{COLOURS[name]}"/>')
        parts.append(_text(end + 4, y + BAR - 3, f"{seconds[name]:.3g}", 'font-size="9" fill="#334155"'))
    return [*parts, _line(at(least), top - 4, top + len(names) * BAR, 'stroke="black" stroke-width="1.5"')]

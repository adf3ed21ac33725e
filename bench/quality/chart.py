"""The picture of the quality suite: a panel for each table, weighted F1 against seconds on a logarithmic scale."""

from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT, COLUMNS = 400, 260, 3
LEFT, RIGHT, TOP, BOTTOM, LEGEND = 48, 90, 30, 34, 36
COLOURS = {"headsmith auto": "#7c2d12", "headsmith": "#c2410c", "scikit-learn": "#2563eb", "AutoGluon": "#15803d", "FLAML": "#7e22ce"}


def picture(result):
    cells = [cell for of_table in result["rows"].values() for cell in of_table.values()]
    if not cells:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>\n'
    low = floor(log10(max(0.01, min(cell["seconds"] for cell in cells))))
    high = max(low + 1, ceil(log10(max(cell["seconds"] for cell in cells))))
    parts = legend({method for of_table in result["rows"].values() for method in of_table})
    for i, (name, of_table) in enumerate(result["rows"].items()):
        left, top = i % COLUMNS * WIDTH, LEGEND + i // COLUMNS * HEIGHT
        parts += [f'<g transform="translate({left} {top})">', *panel(name, of_table, low, high), "</g>"]
    height = LEGEND + ceil(len(result["rows"]) / COLUMNS) * HEIGHT
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * COLUMNS} {height}" font-family="sans-serif" font-size="11">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def legend(methods):
    colours = {colour_of(method) for method in methods}
    parts, x = [words(12, 22, "Weighted F1 against seconds, one thread", 'font-size="14" font-weight="bold"')], 360
    for name, colour in COLOURS.items():
        if colour not in colours:
            continue
        parts += [f'<circle cx="{x}" cy="18" r="5" fill="{colour}"/>', words(x + 10, 22, "headsmith, one head" if name == "headsmith" else name)]
        x += 150
    return parts


def panel(name, cells, low, high):
    best, worst = max(cell["f1"] for cell in cells.values()), min(cell["f1"] for cell in cells.values())
    bottom, top = floor(worst * 50 - 0.2) / 50, ceil(best * 50 + 0.2) / 50
    x = lambda seconds: LEFT + (log10(max(seconds, 10**low)) - low) / (high - low) * (WIDTH - LEFT - RIGHT)  # noqa: E731
    y = lambda f1: TOP + (top - f1) / (top - bottom) * (HEIGHT - TOP - BOTTOM)  # noqa: E731
    parts = [words(LEFT, TOP - 10, name, 'font-size="13" font-weight="bold"')]
    for exponent in range(low, high + 1):
        parts.append(rule(x(10**exponent), x(10**exponent), y(top), y(bottom)))
        parts.append(words(x(10**exponent), HEIGHT - BOTTOM + 16, f"{10.0**exponent:g} s", 'text-anchor="middle" fill="#475569"'))
    for i in range(5):
        f1 = bottom + (top - bottom) * i / 4
        parts += [rule(LEFT, WIDTH - RIGHT, y(f1), y(f1)), words(LEFT - 6, y(f1) + 4, f"{f1:.3f}", 'text-anchor="end" fill="#475569"')]
    placed = []
    for method, cell in sorted(cells.items(), key=lambda pair: -pair[1]["f1"]):
        at, colour = (x(cell["seconds"]), y(cell["f1"])), colour_of(method)
        parts.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4.5" fill="{colour}"><title>{escape(method)}</title></circle>')
        parts.append(words(at[0] + 8, free(at, placed) + 4, label(method), f'font-size="10" fill="{colour}"'))
    return parts


def free(at, placed):
    """The height of a label nearest below its mark where no other label is."""
    height = at[1]
    while any(abs(height - other) < 10 and abs(at[0] - x) < 80 for x, other in placed):
        height += 1
    placed.append((at[0], height))
    return height


def colour_of(method):
    return next(colour for name, colour in COLOURS.items() if method.startswith(name))


def label(method):
    """What the colour does not say."""
    return method.removeprefix("headsmith ").removeprefix("scikit-learn ").replace(" best_quality", "")


def words(x, y, content, rest=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {rest}>{escape(content)}</text>'


def rule(x1, x2, y1, y2):
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="#e2e8f0"/>'

"""The figures of cards, as SVG. Their colours are legible on a light and a dark background; text and lines have the notebook's."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from . import _html
from ._html import Markup
from ._words import Ends

BLUE, PURPLE, GREY, ORANGE, RED = "#2a8fd0", "#b3639a", "#8b949e", "#c27a00", "#cc4b37"
LINE, GROUND = "rgba(128,128,128,.5)", "rgba(128,128,128,.15)"
# The height of a row of a figure, and the room beside its axis.
ROW, MARGIN = 24, 8


class Axis(NamedTuple):
    """Values from `low` to `high` on the points from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The point of a value; where all are the same, the first."""
        return self.start + (self.end - self.start) * (value - self.low) / ((self.high - self.low) or 1.0)


class Whisker(NamedTuple):
    """A score with its interval, as a dot with whiskers."""

    name: str
    value: float
    interval: Ends | None = None
    colour: str = BLUE


def svg(width: float, height: float, *parts: str) -> Markup:
    """A figure of that size."""
    return Markup(f'<svg width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}" role="img">{"".join(parts)}</svg>')


def bar(share: float) -> Markup:
    """A bar of that share of the full width."""
    shapes = (f'<rect width="{width:.1f}" height="9" rx="2" fill="{colour}"/>' for width, colour in [(140, GROUND), (140 * share, BLUE)])
    return svg(140, 9, *shapes)


def shares(counts: Iterable[tuple[object, int]], limit: int = 12) -> Markup:
    """How many rows each class has, as bars."""
    given = list(counts)
    total, most = max(1, sum(count for _, count in given)), max((count for _, count in given), default=1)
    rows = [[name, count, _html.figure(f"{count / total:.1%}"), bar(count / most)] for name, count in given[:limit]]
    more = [_html.soft(f"and {len(given) - limit:,} classes more")] if len(given) > limit else []
    return _html.joined([_html.table(["class", "rows", "share", ""], rows), *more])


def dot(x: float, y: float, value: float, colour: str) -> str:
    """A dot with its value as a tooltip."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"><title>{value:.4f}</title></circle>'


def label(x: float, y: float, anchor: str, text: str) -> str:
    """A text at a point."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_html.text(text)}</text>'


def whiskers(shown: Sequence[Whisker], width: int = 250, left: int = 130) -> Markup:
    """Scores on one axis, whose ends are the least and the greatest value."""
    ends = [end for one in shown for end in (one.value, *(one.interval or ()))]
    axis = Axis(min(ends), max(ends), left + MARGIN, left + width - MARGIN)
    height = ROW * len(shown)
    frame = f'<path d="M{left} 0V{height}H{left + width}" stroke="{LINE}" fill="none"/>'
    ticks = [label(axis.at(value), height + 15, anchor, f"{value:.3f}") for value, anchor in [(axis.low, "start"), (axis.high, "end")]]
    rows = (_whisker(one, axis, left, ROW * i + ROW / 2) for i, one in enumerate(shown))
    return svg(left + width, height + 20, frame, *rows, *ticks)


def _whisker(one: Whisker, axis: Axis, left: int, y: float) -> str:
    name, point = label(left - MARGIN, y + 4, "end", one.name), dot(axis.at(one.value), y, one.value, one.colour)
    if one.interval is None:
        return name + point
    low, high = map(axis.at, one.interval)
    path = f"M{low:.1f} {y:g}H{high:.1f}M{low:.1f} {y - 4:g}v8M{high:.1f} {y - 4:g}v8"
    return f'{name}<path d="{path}" stroke="{one.colour}" stroke-width="2" fill="none"/>{point}'


def curve(values: Sequence[float], best: int, width: int = 250, height: int = 70) -> Markup:
    """A curve with its best point."""
    across = Axis(0, len(values) - 1, 6, width - 6)
    up = Axis(min(values), max(values), height - 6, 6)
    points = " ".join(f"{across.at(i):.1f},{up.at(value):.1f}" for i, value in enumerate(values))
    frame = f'<path d="M0 0V{height}H{width}" stroke="{LINE}" fill="none"/>'
    line = f'<polyline points="{points}" stroke="{BLUE}" stroke-width="2" fill="none"/>'
    return svg(width, height, frame, line, dot(across.at(best), up.at(values[best]), values[best], BLUE))

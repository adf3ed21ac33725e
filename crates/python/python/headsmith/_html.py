"""The parts of which cards in notebooks are made. Colours are those of the notebook, so that cards fit a light and a dark one; all text is escaped."""

import html
from collections.abc import Iterable, Sequence

# Its elements carry their look with them: there is no script, and nothing is loaded. Greys are translucent, text has the notebook's colour.
STYLE = """<style>
.headsmith{max-width:54rem;font:13px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:break-word}
.headsmith .card{border:1px solid rgba(128,128,128,.3);border-radius:8px;overflow:hidden}
.headsmith .title{padding:.45rem .9rem;background:rgba(128,128,128,.12)}
.headsmith .title b{margin-right:.6em;font-size:14px}
.headsmith .body{padding:.6rem .9rem .7rem;overflow-x:auto}
.headsmith .body>p{margin:.35rem 0}
.headsmith .body>:first-child{margin-top:0}
.headsmith .soft{opacity:.72}
.headsmith .columns{display:flex;flex-wrap:wrap;gap:.5rem 2rem;align-items:flex-start}
.headsmith .answer{min-width:11rem}
.headsmith .big{display:block;font-size:2.3rem;font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums}
.headsmith svg{display:block;max-width:100%;height:auto;overflow:visible}
.headsmith svg text{fill:currentColor;font-size:11.5px}
.headsmith table.sheet{margin:.4rem 0;border:0;border-collapse:collapse;font-size:12.5px;font-variant-numeric:tabular-nums}
.headsmith table.sheet tr,.headsmith table.sheet tbody tr:nth-child(n){background:none}
.headsmith table.sheet th,.headsmith table.sheet td{padding:.16rem .9rem .16rem 0;border:0;border-bottom:1px solid rgba(128,128,128,.18);text-align:left;vertical-align:middle;max-width:none;white-space:normal}
.headsmith table.sheet thead th{font-weight:600;opacity:.72}
.headsmith table.sheet td.number,.headsmith table.sheet th.number{text-align:right;white-space:nowrap}
.headsmith table.sheet tr.chosen td{font-weight:600}
.headsmith table.sheet tr:last-child td{border-bottom:0}
.headsmith details{margin:.35rem 0 0}
.headsmith summary{cursor:pointer;opacity:.72}
.headsmith .mark{display:inline-block;min-width:4.6em;padding:0 .5em;border-radius:4px;color:#fff;font-size:11.5px;text-align:center}
</style>"""


# A name of so many characters is not cut.
LONGEST = 60


class Markup(str):
    """Text that is HTML already."""


class Figure(Markup):
    """A number that is HTML already."""


class Row(list[object]):
    """The cells of a row that is the chosen one of its table."""


def text(cell: object) -> Markup:
    """A cell as HTML: numbers are written with thousands, texts are escaped."""
    if isinstance(cell, Markup):
        return cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return Markup(f"{cell:,}")
    return Markup(html.escape(f"{cell:.4f}" if isinstance(cell, float) else str(cell)))


def figure(cell: object) -> Figure:
    """A number with its unit, which is set to the right."""
    return Figure(text(cell))


def joined(parts: Iterable[object], between: str = "") -> Markup:
    """Parts, one after another."""
    return Markup(between.join(text(part) for part in parts))


def element(name: str, *content: object, **attributes: str) -> Markup:
    """An element; `class_` is its class."""
    given = "".join(f' {key.rstrip("_")}="{html.escape(value)}"' for key, value in attributes.items() if value or key == "open")
    return Markup(f"<{name}{given}>{joined(content)}</{name}>")


def short(name: object) -> Markup:
    """A name, cut where it is long; whoever points at it sees the whole."""
    whole = str(name)
    return text(whole) if len(whole) <= LONGEST else element("span", whole[: LONGEST - 3] + "...", title=whole)


def soft(*content: object) -> Markup:
    """Words in the background."""
    return element("span", *content, class_="soft")


def card(title: str, about: str, *body: object) -> Markup:
    """A card with a title, a few words beside it, and what it shows."""
    head = element("div", element("b", title), " ", soft(about), class_="title")
    shown = element("div", *body, class_="body") if any(body) else ""
    return element("div", Markup(STYLE), element("div", head, shown, class_="card"), class_="headsmith")


def answer(value: float, *lines: object) -> Markup:
    """A number that is the answer, and what it is."""
    below = joined((element("div", line) for line in lines))
    return element("div", element("span", value, class_="big"), below, class_="answer")


def columns(*parts: object) -> Markup:
    """Parts side by side, where there is room."""
    return element("div", *(element("div", part) for part in parts if part), class_="columns")


def details(summary: object, *content: object, **attributes: str) -> Markup:
    """Something to unfold; with `open` it is."""
    return element("details", element("summary", summary), *content, **attributes)


def table(heads: Sequence[object], rows: Sequence[Sequence[object]]) -> Markup:
    """A table; columns of numbers are set to the right."""
    kinds = ["number" if rows and all(_is_number(row[i]) for row in rows) else "" for i in range(len(heads))]
    head = element("tr", *(_cell("th", cell, kind) for cell, kind in zip(heads, kinds)))
    body = (element("tr", *(_cell("td", cell, kind) for cell, kind in zip(row, kinds)), class_="chosen" if isinstance(row, Row) else "") for row in rows)
    return element("table", element("thead", head) if any(heads) else "", element("tbody", *body), class_="sheet")


def _cell(name: str, cell: object, kind: str) -> Markup:
    return element(name, cell, class_=kind) if kind else element(name, cell)


def _is_number(cell: object) -> bool:
    return cell == "" or isinstance(cell, Figure) or (isinstance(cell, (int, float)) and not isinstance(cell, bool))

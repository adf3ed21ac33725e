"""From the cells of the quality suite to its summary: who is how good in what time, what we lose first; as text, page and picture."""

import platform

import scores
from chart import picture

__all__ = ["cell_line", "page", "picture", "summarise", "text"]

SCORES = {"f1": "Weighted F1", "log_loss": "Log loss", "seconds": "Seconds of the fit"}
DIGITS = {"f1": 4, "log_loss": 4, "seconds": 1}


def is_ours(method):
    return method.startswith("headsmith")


def summarise(found, failures):
    """What is kept in quality.json, of (table, cells by method, classes of the test rows)."""
    kept = ["f1", "log_loss", "seconds", "chosen"]
    rows = {made["name"]: {name: {key: cell[key] for key in kept} for name, cell in cells.items()} for made, cells, _ in found}
    ranked = {
        "f1": scores.mean_ranks({table: {name: cell["f1"] for name, cell in cells.items()} for table, cells in rows.items()}),
        "log_loss": scores.mean_ranks({table: {name: -cell["log_loss"] for name, cell in cells.items()} for table, cells in rows.items()}),
    }
    compared = [
        comparison(made["name"], name, cells, y) for made, cells, y in found for name in judged(ranked["f1"]) if name in cells
    ]
    return {
        "python": platform.python_version(), "tables": [made for made, _, _ in found], "rows": rows, "ranks": ranked, "failures": failures,
        "comparisons": sorted([c for c in compared if c], key=lambda c: c["f1"]["difference"]),
    }


def judged(ranks):
    """The searches of ours, or without them the best head: one that the test chose, which favours us."""
    found = [name for name in ranks if is_ours(name)]
    return [name for name in found if name.startswith("headsmith auto")] or found[:1]


def comparison(table, name, cells, y):
    """Ours beside the best row of scikit-learn, which the test chose: this favours scikit-learn."""
    others = {other: cell for other, cell in cells.items() if not is_ours(other)}
    if not others:
        return None
    best, surest = max(others, key=lambda o: others[o]["f1"]), min(others, key=lambda o: others[o]["log_loss"])
    return {
        "table": table, "method": name,
        "f1": {"best": best} | scores.f1_interval(y, cells[name], others[best]),
        "log_loss": {"best": surest} | scores.loss_interval(y, cells[name], others[surest]),
    }


def verdict(difference, better=1):
    """In a word, where the interval of the difference lies; `better` is its sign if ours is better."""
    low, high = sorted([better * difference["low"], better * difference["high"]])
    if high < 0:
        return "lost"
    return "won" if low > 0 else "level"


def cell_line(table, cell):
    return f"{table:<10} {cell['method']:<34} F1 {cell['f1']:.4f}  log loss {cell['log_loss']:7.4f}  {cell['seconds']:8.1f} s"


def signed(difference):
    return f"{difference['difference']:+.4f} ({difference['low']:+.4f} .. {difference['high']:+.4f})"


def count(comparisons, score, better):
    verdicts = [verdict(c[score], better) for c in comparisons]
    return ", ".join(f"{verdicts.count(word)} {word}" for word in ["lost", "level", "won"])


def grid(result, score):
    """A header and lines of one score: a line for each method, a column for each table."""
    names = [made["name"] for made in result["tables"]]
    methods = dict.fromkeys(name for cells in result["rows"].values() for name in cells)
    value = lambda cells, method: f"{cells[method][score]:.{DIGITS[score]}f}" if method in cells else ""  # noqa: E731
    lines = [[method, *[value(result["rows"][name], method) for name in names]] for method in methods]
    if score in result["ranks"]:
        ranks = result["ranks"][score]
        return ["", *names, "mean rank"], [[*line, f"{ranks[line[0]]:.2f}" if line[0] in ranks else ""] for line in lines]
    return ["", *names], lines


def compared(result):
    """A header and the lines of ours beside the best of scikit-learn, worst first."""
    header = ["table", "ours", "best by weighted F1", "weighted F1, difference (95%)", "", "best by log loss", "log loss, difference (95%)", ""]
    return header, [
        [
            c["table"], c["method"].removeprefix("headsmith "), c["f1"]["best"].removeprefix("scikit-learn "), signed(c["f1"]), verdict(c["f1"]),
            c["log_loss"]["best"].removeprefix("scikit-learn "), signed(c["log_loss"]), verdict(c["log_loss"], -1),
        ]
        for c in result["comparisons"]
    ]


def aligned(header, lines):
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + "\n" for line in [header, *lines])


def markdown(header, lines):
    return "".join("| " + " | ".join(line) + " |\n" for line in [header, ["---"] * len(header), *lines])


def text(result):
    parts = [f"FAILED {failure}\n" for failure in result["failures"]]
    if result["comparisons"]:
        parts += ["Ours beside scikit-learn's best row of each table, worst first\n", aligned(*compared(result)), "\n"]
    for score, name in SCORES.items():
        parts += [name + "\n", aligned(*grid(result, score)), "\n"]
    return "".join(parts)


def described(made):
    encoder = made["encoder"] or "none: the features are the table's own"
    size = [f"{made['train']} + {made['test']}", str(made["features"]), str(made["classes"])]
    return [made["name"], made["what"], made["source"], encoder, *size]


def page(result, picture_name, note):
    tables, comparisons = result["tables"], result["comparisons"]
    embeddings = sum(bool(made["encoder"]) for made in tables)
    parts = [
        "# Quality on public tables\n\n"
        "<!-- Made by `cargo xtask bench quality`: edit bench/quality/summary.py. -->\n\n"
        f"Headsmith beside scikit-learn on {len(tables)} tables that public packages ship, {embeddings} of them embeddings of text. Every method "
        "sees the train part alone, searches there by five folds (or leave-one-out), and is scored once on the test part. All run on one thread. "
        "scikit-learn has logistic regression (ten strengths), an RBF support vector machine (16 points of C and gamma; probabilities by "
        "sigmoids out of fold) and a forest of 500 trees; the first two choose between features as they are and standardised.\n\n"
        "    cargo xtask bench quality\n\n"
        "fetches the packages, makes the tables and measures; it takes more than an hour. Results are kept in `target/quality`, so that a "
        "run which was interrupted goes on.\n\n",
    ]
    if comparisons:
        parts += [
            "## Where we lose\n\nThe best row of scikit-learn on each table by its test score, and the difference of ours from it, worst first. Intervals "
            "are paired: 2,000 resamples of the same test rows, chapters or not. *Lost* and *won* are intervals without zero. Weighted F1: "
            f"{count(comparisons, 'f1', 1)}. Log loss (lower is better): {count(comparisons, 'log_loss', -1)}.\n\n",
            markdown(*compared(result)), "\n",
        ]
    for score, name in SCORES.items():
        parts += [f"## {name}\n\n", markdown(*grid(result, score)), "\n"]
    parts += [
        f"![Weighted F1 against seconds, a panel for each table]({picture_name})\n\n"
        "Seconds of Headsmith are those of the whole process, with reading the table; those of scikit-learn are the search, the fit and the "
        f"prediction of the test part. {note + ' ' if note else ''}Log loss clips probabilities at 1e-15, which costs a forest whose trees all miss a class. "
        "The decisions of scikit-learn's support vector machine among several classes are little more than votes of pairs, so its "
        "probabilities are worse than its labels.\n\n"
        "## The tables\n\nRows of a chapter are not in both parts. Nothing is redistributed: packages are fetched from their registries, "
        "each at a pinned version, and the rows, labels and split of a table must give the checksum in `bench/quality/tables.py`.\n\n",
        markdown(["table", "task", "package", "encoder", "rows", "features", "classes"], [described(made) for made in tables]),
    ]
    return "".join(parts)

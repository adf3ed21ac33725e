"""From the cells of the quality suite to its numbers: who is how good, and what of it is more than chance. `page` words them."""

import platform

import scores

SCORES = {"f1": "Weighted F1", "log_loss": "Log loss", "seconds": "Seconds of the fit"}
DIGITS = {"f1": 4, "log_loss": 4, "seconds": 1}
# What makes a greater score the better one.
SIGNS = {"f1": 1, "log_loss": -1}
# Kinds of peers, by the first word of their rows. Of several rows the test chooses the best, which favours the peer.
PEERS = ["scikit-learn", "AutoGluon", "FLAML"]
LEVEL = 0.05


def summarise(found, failures):
    """What is kept in quality.json, of (table, cells by method, classes of the test rows, their groups or None)."""
    kept = ["f1", "log_loss", "seconds", "cpu_share", "chosen"]
    rows = {made["name"]: {name: {key: cell.get(key) for key in kept} for name, cell in cells.items()} for made, cells, _, _ in found}
    compared = [comparison for part in found for comparison in comparisons(*part)]
    for_all = scores.holm([c[score]["p"] for c in compared for score in SIGNS])
    for i, c in enumerate(compared):
        c["f1"]["holm"], c["log_loss"]["holm"] = for_all[2 * i:2 * i + 2]
    tables = [made for made, _, _, _ in found]
    return {
        "python": platform.python_version(), "tables": tables, "rows": rows, "failures": failures, "ranks": ranks(tables, rows),
        "comparisons": sorted(compared, key=lambda c: min(c[score]["difference"] * sign / abs(c[score]["high"] - c[score]["low"] or 1) for score, sign in SIGNS.items())),
    }


def searches(methods):
    """Ours, the longest search last; without searches nothing is judged."""
    return sorted({name for name in methods if name.startswith("headsmith auto")}, key=lambda name: int(name.split()[-2]))


def of_kind(methods, peer):
    return [name for name in methods if name.startswith(peer)]


def comparisons(made, cells, y, groups):
    """Each search of ours beside each kind of peer that the table has."""
    drawn, found = scores.draws(y, groups), []
    for search in searches(cells):
        for peer in PEERS:
            if not (others := of_kind(cells, peer)):
                continue
            best, surest = max(others, key=lambda o: cells[o]["f1"]), min(others, key=lambda o: cells[o]["log_loss"])
            found.append({
                "table": made["name"], "method": search, "peer": peer,
                "f1": {"best": best} | scores.f1_interval(y, drawn, cells[search], cells[best]),
                "log_loss": {"best": surest} | scores.loss_interval(drawn, cells[search], cells[surest]),
            })
    return found


def ranks(tables, rows):
    """Mean ranks of each search among the peers' rows, on all tables and on those by which nothing was chosen; with and
    without AutoGluon and FLAML, which not all tables have. Ours are never ranked among one another."""
    unseen = {made["name"] for made in tables if not made["portfolio"]}
    methods = list(dict.fromkeys(name for cells in rows.values() for name in cells))
    slow = [name for name in methods if name.startswith(("AutoGluon", "FLAML"))]
    found = []
    for title, peers in [("scikit-learn", of_kind(methods, "scikit-learn")), ("all", of_kind(methods, "scikit-learn") + slow)]:
        for which in ["all", "unseen"]:
            part = {name: cells for name, cells in rows.items() if which == "all" or name in unseen}
            for search in searches(methods):
                for score, sign in SIGNS.items():
                    values = {table: {name: sign * cell[score] for name, cell in cells.items()} for table, cells in part.items()}
                    n, means = scores.mean_ranks(values, [search, *peers])
                    found.append({"peers": title, "tables": which, "n_tables": n, "search": search, "score": score, "ranks": means})
    return found


def verdict(difference, score):
    """In a word, where the interval of the difference lies."""
    low, high = sorted([SIGNS[score] * difference["low"], SIGNS[score] * difference["high"]])
    if high < 0:
        return "lost"
    return "won" if low > 0 else "level"


def count(compared, score):
    """How many were lost, level and won; and lost, if all comparisons of the page are to hold together."""
    verdicts = [verdict(c[score], score) for c in compared]
    lost = sum(word == "lost" and c[score]["holm"] < LEVEL for word, c in zip(verdicts, compared))
    return [verdicts.count(word) for word in ["lost", "level", "won"]], lost


def cell_line(table, cell):
    return f"{table:<10} {cell['method']:<34} F1 {cell['f1']:.4f}  log loss {cell['log_loss']:7.4f}  {cell['seconds']:8.1f} s"


def grid(result, score):
    """A header and lines of one score: a line for each method, a column for each table."""
    names = [made["name"] for made in result["tables"]]
    methods = dict.fromkeys(name for cells in result["rows"].values() for name in cells)
    value = lambda cells, method: f"{cells[method][score]:.{DIGITS[score]}f}" if method in cells else ""  # noqa: E731
    return ["", *names], [[method, *[value(result["rows"][name], method) for name in names]] for method in methods]


def probability(p):
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def signed(difference):
    return f"{difference['difference']:+.4f} ({difference['low']:+.4f} .. {difference['high']:+.4f})"


def compared(result, peer):
    """A header and the lines of ours beside a kind of peer, worst first."""
    header = ["table", "ours", "beside", "weighted F1", "", "p", "beside", "log loss", "", "p"]
    lines = []
    for c in [c for c in result["comparisons"] if c["peer"] == peer]:
        line = [c["table"], c["method"].removeprefix("headsmith ")]
        for score in SIGNS:
            line += [c[score]["best"].removeprefix("scikit-learn "), signed(c[score]), verdict(c[score], score), probability(c[score]["holm"])]
        lines.append(line)
    return header, lines


def ranked(result, score):
    """A header and lines of mean ranks: a line for each method, a column for each set of tables and peers."""
    found = [r for r in result["ranks"] if r["score"] == score and r["n_tables"]]
    longest = found[-1]["search"] if found else None
    columns = dict.fromkeys((r["peers"], r["tables"], r["n_tables"]) for r in found)
    methods = dict.fromkeys(name for r in found for name in r["ranks"])

    def value(method, column):
        # A search is ranked in its own company, a peer beside the longest search.
        for r in found:
            if (r["peers"], r["tables"], r["n_tables"]) == column and r["search"] == (method if method.startswith("headsmith") else longest) and method in r["ranks"]:
                mean, low, high = r["ranks"][method]
                return f"{mean:.2f} ({low:.2f} .. {high:.2f})"
        return ""

    names = {"all": "tables", "unseen": "that chose nothing"}
    header = ["", *[f"{n} {names[tables]}" + (", with AutoGluon and FLAML" if peers == "all" else "") for peers, tables, n in columns]]
    return header, [[method, *[value(method, column) for column in columns]] for method in methods]

"""The words of the quality suite: its text, its page, and the summary in README, all from the same numbers."""

from summary import LEVEL, PEERS, SCORES, SIGNS, compared, count, grid, ranked, searches

START, END = "<!-- quality: made by `cargo xtask bench quality` -->", "<!-- /quality -->"

INTRODUCTION = """\
# Quality on public tables

<!-- Made by `cargo xtask bench quality`: edit bench/quality/page.py. -->

Headsmith's search (`auto`) beside scikit-learn, AutoGluon and FLAML on {tables} tables that public packages ship, {embeddings} of them embeddings. \
Every method gets the same columns of the train part alone, chooses there by folds, and is scored once on the test part; all have one thread and one \
seed. On `novels`, `verses` and `diagnoses` rows that belong together (a chapter, a category) are a group, which is never in two parts or two folds.

    cargo xtask bench quality

makes the environments and tables and measures: about three hours of one thread. Results are kept in `target/quality`, so that an \
interrupted run resumes; `--peers none` leaves AutoGluon and FLAML out, `--tables digits,verbs` measures some tables and leaves this page as it is.

| | what it does in its time |
| --- | --- |
| headsmith auto | `auto --time 20s` and `60s`: portfolio of heads, calibrated pool, a decision for weighted F1 |
| scikit-learn | logistic regression (ten strengths), an RBF support vector machine (16 points of C and gamma; probabilities by sigmoids out of fold), a forest of 500 trees; the first two choose between features as they are and standardised. No limit of time |
| AutoGluon | 1.6.3, `best_quality`, `time_limit=200`, log loss, with LightGBM, CatBoost, XGBoost, PyTorch and fastai; folds one after the other, of whole groups. Its labels are its own |
| FLAML | 2.8.0 as `flaml[automl]`, `time_budget=200`, log loss, folds of whole groups. CatBoost, which is optional, is left out: its fits do not end with FLAML's time |
| TabICL 2.2.0, TabPFN 9.2.0 | not measured: their packages ship no weights, which are downloaded at run time (TabPFN's after a login) |

"""

JUDGEMENT = """\
## Where we lose

Differences of ours from each peer on the same test rows, worst first, with 95% intervals over 2,000 resamples of these rows (of whole groups, where \
there are some). *Lost* and *won* are intervals without zero. For log loss lower is better. Of scikit-learn's three rows the test chose the best for \
each score, which favours scikit-learn. p is that of no difference, corrected for all {n} p-values of this section together (Holm); if all methods were \
equal, about {chance} of as many comparisons would be lost by chance, and as many won, before it.

"""

RANKS = """\
## Mean ranks

1 is the best. A search of ours is ranked among the peers' rows, not among its own kind; peers are ranked beside the longest search. Intervals are those \
over resamples of the tables, few as they are. The order of the search's portfolio was chosen on the train parts of ten tables (marked below), and \
defaults of the MLP on some of them; the others came after these choices and chose nothing.

"""

LIMITS = """\
## What these numbers do not say

- One split and one seed: the intervals have the noise of the test rows, not that of another split, seed or run. Searches with a time limit give \
other models on another machine.
- Tables of 2,000 to 6,000 rows, one thread and short times. AutoGluon and FLAML are made for more of each: with hours and many cores they do better{fitted}{again}. They were \
measured on {automl} tables, all those that chose nothing among them, named before AutoGluon or FLAML was measured on any.
- The time limit counts what each tool counts. Seconds of Headsmith are those of the process, with reading the table; those of AutoGluon and FLAML \
are those of `fit`, without the prediction of the test part; those of scikit-learn are the search, the fit and the prediction. {shares}{note}
- Headsmith decides for the expected weighted F1, scikit-learn's machine has labels of its own, the others name the most probable class. Log loss compares \
probabilities alone.
- Log loss clips probabilities at 1e-15, which costs a forest whose trees all miss a class. The decisions of scikit-learn's support vector machine among several \
classes are little more than votes of pairs, so its probabilities are worse than its labels.{plain}

"""

TABLES = """\
## The tables

Nothing is redistributed: packages are fetched from their registries, each at a pinned version, and the rows, labels and split of a table must give the \
checksum in `bench/quality/tables.py`. At most 6,000 rows are drawn, 30% of them for the test; no text or row is there twice.

"""


def aligned(header, lines):
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() + "\n" for line in [header, *lines])


def markdown(header, lines):
    return "".join("| " + " | ".join(line) + " |\n" for line in [header, ["---"] * len(header), *lines])


def counted(of):
    (lost, level, won), _ = of
    return f"{lost} lost, {level} level, {won} won"


def beside(result, peer, search=None):
    return [c for c in result["comparisons"] if c["peer"] == peer and search in (None, c["method"])]


def judged(result):
    """A section for each kind of peer, and before them how each search did beside each."""
    lines = []
    for search in searches(method for cells in result["rows"].values() for method in cells):
        for peer in PEERS:
            if found := beside(result, peer, search):
                both = [count(found, score) for score in SIGNS]
                lines.append([search.removeprefix("headsmith "), peer, str(len(found)), *map(counted, both), str(sum(lost for _, lost in both))])
    yield None, ["ours", "beside", "tables", "weighted F1", "log loss", "lost after Holm"], lines
    for peer in PEERS:
        if beside(result, peer):
            yield peer, *compared(result, peer)


def text(result):
    parts = [f"FAILED {failure}\n" for failure in result["failures"]]
    if result["comparisons"]:
        for peer, header, lines in judged(result):
            parts += [f"Ours beside {peer or 'the peers'}\n", aligned(header, lines), "\n"]
        for score in SIGNS:
            parts += [f"Mean ranks, {SCORES[score].lower()}\n", aligned(*ranked(result, score)), "\n"]
    for score, name in SCORES.items():
        parts += [name + "\n", aligned(*grid(result, score)), "\n"]
    return "".join(parts)


def described(made):
    encoder = made["encoder"] or "none: the features are the table's own"
    size = [f"{made['train']} + {made['test']}", str(made["features"]), str(made["classes"])]
    return [made["name"], made["what"], made["source"], encoder, *size, "yes" if made["portfolio"] else ""]


def page(result, picture_name, note):
    tables = result["tables"]
    parts = [INTRODUCTION.format(tables=len(tables), embeddings=sum(bool(made["encoder"]) for made in tables))]
    if missing := not_measured(result):
        parts.append(missing)
    if result["comparisons"]:
        n = 2 * len(result["comparisons"])
        parts.append(JUDGEMENT.format(n=n, chance=round(n * LEVEL / 2)))
        for peer, header, lines in judged(result):
            parts += [f"### Beside {peer}\n\n" if peer else "", markdown(header, lines), "\n"]
        parts.append(RANKS)
        for score in SIGNS:
            parts += [f"### {SCORES[score]}\n\n", markdown(*ranked(result, score)), "\n"]
    parts += ["## Scores and seconds\n\n", f"![Weighted F1 against seconds, a panel for each table]({picture_name})\n\n"]
    for score, name in SCORES.items():
        parts += [f"### {name}\n\n", markdown(*grid(result, score)), "\n"]
    parts += [LIMITS.format(note=note, shares=shares(result), fitted=fitted(result), again=again(result), plain=plain(result), automl=sum(made["automl"] for made in tables)), TABLES]
    parts.append(markdown(["table", "task", "package", "encoder", "rows", "features", "classes", "portfolio"], [described(made) for made in tables]))
    return "".join(parts)


def plain(result):
    """What the rows of single heads are for, where there are some."""
    methods = {method for cells in result["rows"].values() for method in cells if method.startswith("headsmith")}
    return "\n- The plain heads of Headsmith are listed for orientation and judged nowhere." if methods - set(searches(methods)) else ""


def again(result):
    """Where FLAML had its time anew."""
    found = [
        table for table, cells in result["rows"].items() for method, cell in cells.items()
        if method.startswith("FLAML") and cell["chosen"].get("stratified_groups")
    ]
    return f"; on {' and '.join(found)} its own folds of groups scored no model, and it had its 200 s anew with stratified ones" if found else ""


def fitted(result):
    """How far AutoGluon came in its time."""
    found = {table: cell["chosen"] for table, cells in result["rows"].items() for method, cell in cells.items() if method.startswith("AutoGluon")}
    if not found:
        return ""
    models = [chosen["models"] for chosen in found.values()]
    again = [table for table, chosen in found.items() if chosen.get("dynamic_stacking") is False]
    rest = f"; on {' and '.join(again)} its trial of stacking ended with an error, and it had its 200 s anew without it" if again else ""
    return f" (AutoGluon fitted {min(models)} to {max(models)} models, ensembles among them, of the 108 of its first level alone{rest})"


def shares(result):
    """How much of a core the rows had: other programs take from what a search does in its time."""
    timed, free = [], []
    for cells in result["rows"].values():
        for method, cell in cells.items():
            if cell["cpu_share"] is not None:
                (timed if method.endswith(" s") else free).append(cell["cpu_share"])
    parts = [f"searches with a limit had at least {min(timed):.0%} of a core"] if timed else []
    parts += [f"rows without a limit, whose scores do not depend on time, at least {min(free):.0%}, so their seconds are too long"] if free and min(free) < 0.9 else []
    return f"By the CPU's clock {'; '.join(parts)}. " if parts else ""


def not_measured(result):
    """What the page has to say of rows that are missing."""
    rows, lines = result["rows"], []
    for peer in PEERS:
        wanted = [made["name"] for made in result["tables"] if peer == "scikit-learn" or made["automl"]]
        missing = [name for name in wanted if not any(method.startswith(peer) for method in rows[name])]
        if missing:
            lines.append(f"Not measured: {peer} on {'any table' if len(missing) == len(wanted) else ', '.join(missing)}.")
    return "".join(line + "\n" for line in lines) + ("\n" if lines else "")


def summary(result):
    """The block in README: the longest search beside each peer, and its mean ranks."""
    longest = searches(method for cells in result["rows"].values() for method in cells)[-1:]
    if not longest or not result["comparisons"]:
        return ""
    [search] = longest
    tables = result["tables"]
    embeddings = sum(bool(made["encoder"]) for made in tables)
    lines = []
    for peer in PEERS:
        if found := beside(result, peer, search):
            name = "scikit-learn's best of three on each table" if peer == "scikit-learn" else found[0]["f1"]["best"]
            lines.append([name, str(len(found)), *[counted(count(found, score)) for score in SIGNS]])
    ranked = [r for r in result["ranks"] if r["search"] == search and r["n_tables"] and (r["peers"], r["tables"]) == ("all", "all")]
    means = [
        f"{r['ranks'][search][0]:.2f} of {len(r['ranks'])} by {SCORES[r['score']].lower() if r['score'] == 'log_loss' else 'weighted F1'}"
        for r in ranked
    ]
    seconds = search.split()[-2]
    return (
        f"`auto --time {seconds}s` compared with other tools on {len(tables)} public tables ({embeddings} of embeddings), one thread each. *Won* and *lost*: the paired 95% interval of the difference excludes zero.\n\n"
        + markdown([f"{seconds} s beside", "tables", "weighted F1", "log loss"], lines)
        + (f"\nIts mean rank is {' and '.join(means)} on the {ranked[0]['n_tables']} tables measured with every tool. [Losses first, figures, and what this does not say](docs/quality.md)\n" if means else "")
    )


def put(file, block):
    """Writes the block between its marks."""
    before, start, rest = file.read_text().partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"error: {file} has no place for the summary: put the lines {START} and {END} there")
    file.write_text(f"{before}{START}\n{block}{END}{after}")

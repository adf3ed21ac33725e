"""Studies in databases that both sides write: Optuna and its dashboard read ours and go on with them, ours reads theirs.

Run by `cargo xtask test`; alone, after `cargo build -p headsmith-study --example storage_worker` and
`cargo build --release -p headsmith-cli`:
target/referees/bin/python bench/referees/study_storage.py
"""

import json
import logging
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
import warnings
from datetime import datetime, timezone
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.testing.pytest_storages import StorageTestCase
from optuna.trial import TrialState

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
HEADSMITH = os.environ.get("HEADSMITH", TARGET / "release/headsmith")
WORKER = os.environ.get("HEADSMITH_STORAGE_WORKER", TARGET / "debug/examples/storage_worker")

optuna.logging.set_verbosity(optuna.logging.ERROR)
logging.disable(logging.INFO)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def ours(*args):
    done = subprocess.run([WORKER, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def external(value):
    """A float as our JSON has it."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"


def bare(value):
    """Floats that are no JSON, in attributes as our JSON has them."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [bare(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def micros(moment):
    """Optuna gives local times without a zone."""
    if moment is None:
        return None
    since = moment.astimezone(timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def described(trial):
    return {
        "number": trial.number,
        "state": trial.state.name,
        "value": external(trial.value),
        "params": trial.params,
        "intermediate": {str(step): external(v) for step, v in trial.intermediate_values.items()},
        "user_attrs": bare(trial.user_attrs),
        "system_attrs": bare(trial.system_attrs),
        "started": micros(trial.datetime_start),
        "completed": micros(trial.datetime_complete),
    }


def same(url, name):
    """Both sides see the same trials; gives them."""
    trials = optuna.load_study(study_name=name, storage=url).trials
    mine = json.loads(ours("dump", url, name))
    assert len(mine) == len(trials), (len(mine), len(trials))
    for a, b in zip(mine, map(described, trials)):
        assert a == b, (a, b)
    return trials


def objective(trial):
    x = trial.suggest_float("x", 1e-5, 1.0, log=True)
    n = trial.suggest_int("n", 1, 9, step=2)
    c = trial.suggest_categorical("c", [None, True, 3, 0.5, 'ü "q"'])
    trial.set_user_attr("odd", {"nan": float("nan"), "inf": [-float("inf")], "ü": c})
    for step in range(4):
        trial.report(float("nan") if step == 1 else x / (step + 1), step)
    if n == 3:
        raise optuna.TrialPruned
    if n == 5:
        raise ValueError("a trial that fails")
    return math.inf if n == 7 else x


def ours_then_optuna(url):
    ours("make", url, "ours")
    trials = same(url, "ours")
    states = [trial.state.name for trial in trials]
    expected = ["COMPLETE", "PRUNED", "FAIL", "COMPLETE", "COMPLETE", "COMPLETE", "RUNNING", "WAITING"]
    assert states == expected, states
    assert trials[1].value == 0.1 + 0.2 and trials[0].system_attrs["completed_rung_0"] == math.inf
    study = optuna.load_study(study_name="ours", storage=url)
    assert study.best_value == -math.inf and study.direction.name == "MINIMIZE"
    study.optimize(objective, n_trials=12, catch=ValueError)
    trials = same(url, "ours")
    assert [trial.number for trial in trials] == list(range(19)), "the waiting one was taken up"
    assert trials[7].params["x"] == 0.5 and trials[7].params["c"] == 3
    asked = study.ask()
    study.tell(asked, 0.125)
    assert same(url, "ours")[asked.number].value == 0.125
    optuna.delete_study(study_name="ours", storage=url)
    print(f"ok {kind(url)}: Optuna reads our study, goes on with it (optimize, ask, tell) and deletes it")


def optuna_then_ours(url):
    study = optuna.create_study(study_name="theirs", storage=url, direction="minimize")
    study.set_user_attr("note", float("inf"))
    study.optimize(objective, n_trials=15, catch=ValueError)
    study.enqueue_trial({"x": 0.5})
    before = [described(trial) for trial in same(url, "theirs")]
    worker = [WORKER, "work", url, "theirs", "20"]
    refused = subprocess.run(worker, capture_output=True, text=True)
    assert refused.returncode and "another kind of distribution" in refused.stderr, refused.stderr
    after = [described(trial) for trial in same(url, "theirs")]
    assert after == before, "what is refused leaves nothing"

    study = optuna.create_study(study_name="linear", storage=url)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=5)
    study.enqueue_trial({"x": 0.25})
    ours("work", url, "linear", 12)
    trials = same(url, "linear")
    assert len(trials) == 12 and all(trial.state == TrialState.COMPLETE for trial in trials)
    assert [t.user_attrs.get("by") for t in trials] == [None] * 5 + ["rust"] * 7
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=5)
    assert [trial.number for trial in same(url, "linear")] == list(range(17))
    print(f"ok {kind(url)}: a study that Optuna began is read and gone on with by ours, and by Optuna again")


def own_tests_of_optuna(fresh):
    """Optuna's own tests of a storage, on a database that we made."""
    url = fresh()
    ours("make", url, "s")

    class TestOurDatabase(StorageTestCase):
        @pytest.fixture
        def storage(self):
            # Emptied, it is one that we made still; a fresh one each would take minutes.
            storage = RDBStorage(url)
            for study in storage.get_all_studies():
                storage.delete_study(study._study_id)
            yield storage
            storage.remove_session()
            storage.engine.dispose()

    cases = pathlib.Path(tempfile.mkdtemp()) / f"test_{kind(url)}.py"
    cases.write_text("from study_storage import Cases as TestOurDatabase\n")
    sys.modules["study_storage"] = type(sys)("study_storage")
    sys.modules["study_storage"].Cases = TestOurDatabase
    count = Counter()
    status = pytest.main(["-q", "-p", "no:cacheprovider", "-W", "ignore", str(cases)], plugins=[count])
    shutil.rmtree(cases.parent)
    assert status == 0 and count.passed >= 46, (status, count.passed)
    print(f"ok {kind(url)}: {count.passed} of Optuna's own tests of a storage, on a database that we made")


class Counter:
    passed = 0

    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed


def upgrade_leaves_it(url):
    ours("make", url, "s")
    storage = RDBStorage(url)
    assert storage.get_current_version() == storage.get_head_version() == "v3.2.0.a"
    storage.upgrade()
    assert len(same(url, "s")) == 8
    print(f"ok {kind(url)}: the schema's version is Optuna's newest, and its upgrade changes nothing")


def dashboard_shows_it(url):
    import optuna_dashboard

    ours("make", url, "shown")

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    server = make_server("127.0.0.1", 0, optuna_dashboard.wsgi(url), handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    get = lambda path: json.load(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/api/{path}"))
    shown = [s for s in get("studies")["study_summaries"] if s["study_name"] == "shown"]
    assert len(shown) == 1, shown
    detail = get(f"studies/{shown[0]['study_id']}")
    states = [trial["state"] for trial in detail["trials"]]
    assert states == ["Complete", "Pruned", "Fail"] + ["Complete"] * 3 + ["Running", "Waiting"], states
    assert detail["trials"][0]["values"] == [0.25]
    assert detail["trials"][1]["intermediate_values"][-1]["value"] == 0.1 + 0.2
    server.shutdown()
    print(f"ok {kind(url)}: optuna-dashboard serves the study with its 8 trials")


def shown(url, name, command, *args, status=0):
    """The output of `headsmith study COMMAND` as JSON, or its message."""
    call = [HEADSMITH, "study", command, "--storage", url, *(["--study", name] if name else []), *args]
    done = subprocess.run(list(map(str, call)), capture_output=True, text=True)
    assert done.returncode == status, (call, done.stderr)
    return done.stderr if status else done.stdout


def two_objectives(trial):
    x, y = trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)
    return x, (1 - x) ** 2 + y


def objectives_are_optunas(url):
    """Direction, metric names, best trial and Pareto front of studies that Optuna began."""
    sampler = optuna.samplers.RandomSampler(seed=7)
    for name, direction, metric in [("down", "minimize", "error rate"), ("up", "maximize", None)]:
        study = optuna.create_study(study_name=name, storage=url, direction=direction, sampler=sampler)
        if metric:
            study.set_metric_names([metric])
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1) - 0.3) ** 2, n_trials=30)
        report = json.loads(shown(url, name, "show", "--json"))
        assert report["objectives"] == [{"name": metric or "value", "direction": direction}], report["objectives"]
        for best in (report["best"], json.loads(shown(url, name, "best", "--json"))):
            assert (best["number"], best["value"]) == (study.best_trial.number, study.best_value), best
        assert f"{direction} {metric or 'value'}" in shown(url, name, "show")
        assert report["importance"] == [], "of one parameter there is nothing to say"

    # What violates a constraint is not the best; waiting, failed and running trials are none either.
    study = optuna.create_study(study_name="bound", storage=url, direction="minimize")
    for i in range(12):
        trial = study.ask()
        value = trial.suggest_float("x", 0, 1)
        trial.set_constraint("odd", 1.0 if i % 2 else -1.0)
        study.tell(trial, -i)
    study.ask()
    study.enqueue_trial({"x": 0.5})
    best = json.loads(shown(url, "bound", "best", "--json"))
    assert best["number"] == study.best_trial.number == 10, best

    study = optuna.create_study(study_name="many", storage=url, directions=["minimize", "maximize"], sampler=sampler)
    study.set_metric_names(["size", "accuracy"])
    shown(url, "many", "best", status=1)
    study.optimize(two_objectives, n_trials=60)
    study.optimize(lambda trial: 1 / 0, n_trials=1, catch=ZeroDivisionError)
    running = study.ask()
    expected = [(trial.number, trial.values) for trial in study.best_trials]
    front = json.loads(shown(url, "many", "best", "--json"))["pareto_front"]
    assert [(row["number"], row["values"]) for row in front] == expected
    report = json.loads(shown(url, "many", "show", "--json"))
    assert report["best"] is None and report["importance"] == [] and report["n_finished"] == 61
    assert "2 objectives: minimize size, maximize accuracy" in shown(url, "many", "show")
    lines = {line["name"]: line for line in json.loads(shown(url, None, "list", "--json"))}
    assert lines["many"]["n_pareto"] == len(expected) and lines["many"]["n_running"] == 1, lines["many"]
    assert lines["down"]["best_value"] == optuna.load_study(study_name="down", storage=url).best_value
    rows = json.loads(shown(url, "many", "trials", "--sort", "accuracy", "--top", "60", "--json"))
    values = [row["values"][1] for row in rows]
    assert values == sorted(t.values[1] for t in study.trials if t.values), "sorted by the metric's name"
    with tempfile.TemporaryDirectory() as folder:
        shown(url, "many", "export", "--out", f"{folder}/trials.csv")
        header = pathlib.Path(f"{folder}/trials.csv").read_text().splitlines()[0].split(",")
        mine = [column for column in header if column.startswith("values_")]
        assert mine == [c for c in study.trials_dataframe().columns if c.startswith("values_")], header
    study.tell(running, state=TrialState.FAIL)

    worker = [HEADSMITH, "worker", "--storage", url, "--study", "many"]
    refused = subprocess.run(list(map(str, worker)), capture_output=True, text=True)
    assert refused.returncode == 2 and "2 objectives" in refused.stderr, refused.stderr
    print(f"ok {kind(url)}: directions, metric names, best trials, constraints and the Pareto front are Optuna's")


def other_studies_are_refused(url):
    """`tune` takes no study of another direction, metric or space, and leaves it as it was."""
    with tempfile.TemporaryDirectory() as folder:
        rows = "".join(f'"[{i % 3}.5, {i % 7}.0]",{"abc"[i % 3]}\n' for i in range(60))
        pathlib.Path(f"{folder}/t.csv").write_text("embeddings,label\n" + rows)
        flags = ["--train", f"{folder}/t.csv", "--trials", 4, "--epochs", 1, "--neurons0", 4, "--quiet"]

        def tune(name, status):
            call = [HEADSMITH, "tune", *flags, "--storage", url, "--study", name]
            done = subprocess.run(list(map(str, call)), capture_output=True, text=True)
            assert done.returncode == status, done.stderr
            return done.stderr

        dropout = lambda high: lambda trial: trial.suggest_float("dropout", 0.0, high)
        for name, direction, metric, objective, said in [
            ("less", "minimize", "weighted_f1", None, "direction: minimize in the study, maximize asked for"),
            ("other", "maximize", "auc", None, "metric: auc in the study, weighted_f1 asked for"),
            ("wide", "maximize", None, dropout(0.99), "space: dropout: float 0.0 to 0.99"),
        ]:
            study = optuna.create_study(study_name=name, storage=url, direction=direction)
            if metric:
                study.set_metric_names([metric])
            if objective:
                study.optimize(objective, n_trials=2)
            before = study._storage.get_study_system_attrs(study._study_id)
            error = tune(name, 2)
            assert said in error and "--study NAME" in error, error
            study = optuna.load_study(study_name=name, storage=url)
            assert study._storage.get_study_system_attrs(study._study_id) == before
        # A study of the same space and direction is resumed, by whoever began it.
        study = optuna.create_study(study_name="same", storage=url, direction="maximize")
        study.set_metric_names(["weighted_f1"])
        tune("same", 0)
        study = optuna.load_study(study_name="same", storage=url)
        assert len(study.trials) == 4 and study.best_value == json.loads(shown(url, "same", "best", "--json"))["value"]
    print(f"ok {kind(url)}: a study of another direction, metric or space is refused and stays as it was")


def workers_side_by_side(url):
    n_trials = 80
    optuna.create_study(study_name="both", storage=url)
    python = (
        "import optuna, sys\n"
        "optuna.logging.set_verbosity(optuna.logging.ERROR)\n"
        "study = optuna.load_study(study_name='both', storage=sys.argv[1])\n"
        "def objective(trial):\n"
        "    trial.set_user_attr('by', 'python')\n"
        "    x = trial.suggest_float('x', 0, 1)\n"
        "    trial.report(x, 0)\n"
        "    return x\n"
        "study.optimize(objective, n_trials=20)\n"
    )
    rust = [subprocess.Popen([WORKER, "work", url, "both", str(n_trials)]) for _ in range(2)]
    snakes = [subprocess.Popen([sys.executable, "-c", python, url]) for _ in range(2)]
    assert all(process.wait() == 0 for process in rust + snakes)
    trials = same(url, "both")
    assert [trial.number for trial in trials] == list(range(len(trials))), "numbers without gaps"
    assert len(trials) >= n_trials and all(trial.state == TrialState.COMPLETE for trial in trials)
    by = [trial.user_attrs["by"] for trial in trials]
    assert by.count("python") == 40 and by.count("rust") == len(trials) - 40 > 0, by
    print(f"ok {kind(url)}: 2 Python and 2 Rust workers at once, {len(trials)} trials, none lost, none done twice")


def queue_side_by_side(url):
    """Waiting trials are claimed by both kinds of workers, each by one of them."""
    study = optuna.create_study(study_name="queue", storage=url)
    for n in range(60):
        study.enqueue_trial({"x": n / 60})
    python = (
        "import optuna, sys\n"
        "optuna.logging.set_verbosity(optuna.logging.ERROR)\n"
        "study = optuna.load_study(study_name='queue', storage=sys.argv[1])\n"
        "def objective(trial):\n"
        "    trial.set_user_attr('by', 'python')\n"
        "    return trial.suggest_float('x', 0, 1)\n"
        "study.optimize(objective, n_trials=15)\n"
    )
    snake = subprocess.Popen([sys.executable, "-c", python, url])
    rust = [subprocess.Popen([WORKER, "work", url, "queue", "60"]) for _ in range(2)]
    assert all(process.wait() == 0 for process in [snake, *rust])
    trials = same(url, "queue")
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert all(trial.state == TrialState.COMPLETE for trial in trials)
    by = [trial.user_attrs["by"] for trial in trials]
    assert by.count("python") == 15 and by.count("rust") == len(trials) - 15, by
    print(f"ok {kind(url)}: a queue of 60 waiting trials, emptied by Python and Rust workers, none taken twice")


def kind(url):
    return "PostgreSQL" if url.startswith("postgresql") else "SQLite"


class Server:
    """A PostgreSQL server in a temporary folder."""

    def __init__(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = found[-1] if found else shutil.which("initdb")
        self.bin = initdb and pathlib.Path(initdb).parent

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.user = {}
        if os.geteuid() == 0:
            self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
            shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "-A", "trust", "-U", "postgres", "--no-sync")
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self.run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", options, "start")
        self.count = 0
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program, *args):
        command = [self.bin / program, "-D", f"{self.folder}/data", *args]
        subprocess.run(command, check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **self.user)

    def fresh(self):
        import psycopg

        self.count += 1
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE d{self.count}")
        return f"postgresql+psycopg://postgres@/d{self.count}?host={self.folder}"


def check(fresh):
    ours_then_optuna(fresh())
    optuna_then_ours(fresh())
    upgrade_leaves_it(fresh())
    dashboard_shows_it(fresh())
    objectives_are_optunas(fresh())
    other_studies_are_refused(fresh())
    own_tests_of_optuna(fresh)


def main():
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(10_000))
        check(lambda: f"sqlite:///{folder}/{next(numbers)}.db")
    server = Server()
    if server.bin is None:
        assert "HEADSMITH_NEED_POSTGRES" not in os.environ, "PostgreSQL is needed, and not installed"
        print("PostgreSQL is not installed, its part is left out: apt-get install postgresql")
        return
    with server:
        check(server.fresh)
        workers_side_by_side(server.fresh())
        queue_side_by_side(server.fresh())


if __name__ == "__main__":
    main()

"""One study on several machines: workers in network namespaces of their own, one PostgreSQL server between them. One is cut
off and comes back, one is killed; the study is that of a single process, trial by trial. And the files that start
workers on a cluster are what their schedulers take.

Run by `cargo xtask test`, as root (it makes namespaces); alone, after `cargo build --release -p headsmith-cli`:
target/referees/bin/python bench/referees/study_machines.py
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import pandas as pd
import yaml
from sklearn.datasets import make_classification

from drive.patience import PATIENCE, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
BRIDGE = f"hs{os.getpid() % 100_000}"
NET = f"10.{os.getpid() % 199 + 17}.7"
STUDY = ["--study", "s", "--epochs", "40", "--neurons1", "16", "--neurons2", "16", "--seed", "3"]
N_TRIALS = 40


def passed(check):
    print(f"ok {check}", flush=True)


def run(*args, **more):
    return subprocess.run([str(arg) for arg in args], check=True, **more)


def headsmith(*args, cwd):
    done = subprocess.run([HEADSMITH, *map(str, args)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Bridge:
    """What the machines hang on, the server on this side of it."""

    def __enter__(self):
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{NET}.1/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "delete", BRIDGE])


class Machines:
    """Network namespaces on the bridge."""

    def __init__(self, n):
        self.names = [f"{BRIDGE}w{i}" for i in range(n)]

    def __enter__(self):
        for i, name in enumerate(self.names):
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"{name}a", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"{name}a", "master", BRIDGE, "up")
            run("ip", "-n", name, "addr", "add", f"{NET}.{i + 2}/24", "dev", "eth0")
            run("ip", "-n", name, "link", "set", "eth0", "up")
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name])

    def start(self, i, args, cwd):
        command = ["ip", "netns", "exec", self.names[i], HEADSMITH, *args]
        # A group of its own: what is killed is the worker, not the shell around it alone.
        return subprocess.Popen([str(arg) for arg in command], cwd=cwd, stdout=subprocess.DEVNULL, start_new_session=True)

    def link(self, i, state):
        run("ip", "link", "set", f"{self.names[i]}a", state)


class Server:
    """A PostgreSQL server that listens on the bridge."""

    def __init__(self, bin_folder):
        self.bin = bin_folder

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "-A", "trust", "-U", "postgres", "--no-sync")
        with open(f"{self.folder}/data/pg_hba.conf", "a") as hba:
            hba.write(f"host all all {NET}.0/24 trust\n")
        # Connections that are cut off are given up after seconds, as on a server for many machines.
        options = f"-k {self.folder} -c listen_addresses={NET}.1 -c fsync=off -c tcp_keepalives_idle=2 "
        options += "-c tcp_keepalives_interval=1 -c tcp_keepalives_count=3"
        self.run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", options, "start")
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program, *args):
        command = [self.bin / program, "-D", f"{self.folder}/data", *args]
        run(*command, cwd=self.folder, stdout=subprocess.DEVNULL, **self.user)

    def fresh(self, name):
        run(self.bin / "createdb", "-h", f"{NET}.1", "-U", "postgres", name)
        return f"postgresql://postgres@{NET}.1/{name}"


def tables(folder):
    x, y = make_classification(1500, 24, n_informative=8, n_classes=3, random_state=0)
    for name, rows in [("train", slice(0, 1000)), ("val", slice(1000, 1500))]:
        cells = [str([round(float(v), 5) for v in row]) for row in x[rows]]
        labels = [["no", "maybe", "yes"][c] for c in y[rows]]
        pd.DataFrame({"embeddings": cells, "label": labels}).to_csv(folder / f"{name}.csv", index=False)


def content(storage, folder):
    headsmith("study", "export", "--storage", storage, "--study", "s", "--out", "trials.json", cwd=folder)
    trials = json.loads((folder / "trials.json").read_text())
    assert [trial["number"] for trial in trials] == list(range(len(trials))), "numbers have gaps"
    return [{k: v for k, v in trial.items() if k not in ("seconds", "started", "completed")} for trial in trials]


def wait_for_finished(storage, folder, n_finished):
    """Until so many trials are finished."""

    def are_finished():
        show = json.loads(headsmith("study", "show", "--storage", storage, "--json", cwd=folder))
        return show["n_finished"] >= n_finished

    wait_for(f"{n_finished} finished trials", are_finished)


def machines(folder, alone, server, n):
    storage = server.fresh(f"m{n}")
    begin = ["tune", "--train", "train.csv", "--val", "val.csv", "--storage", storage, *STUDY]
    headsmith(*begin, "--trials", N_TRIALS, "--timeout", "0s", cwd=folder)
    worker = ["worker", "--storage", storage, "--study", "s", "--jobs", 1, "--quiet"]
    with Machines(n) as made:
        workers = [made.start(i, worker, folder) for i in range(n)]
        try:
            wait_for_finished(storage, folder, 4)
            made.link(0, "down")
            wait_for_finished(storage, folder, 6)
            os.killpg(workers[1].pid, signal.SIGKILL)
            time.sleep(3)
            made.link(0, "up")
            # Another takes its place, as a scheduler would have it.
            workers[1].wait()
            workers[1] = made.start(1, worker, folder)
            for one in workers:
                assert one.wait(timeout=PATIENCE) == 0, "a worker failed"
        finally:
            for one in workers:
                if one.poll() is None:
                    os.killpg(one.pid, signal.SIGKILL)
    there = content(storage, folder)
    assert len(there) == N_TRIALS
    assert there == alone, next((a, b) for a, b in zip(there, alone) if a != b)
    passed(f"{n} workers in namespaces of their own, one cut off and back, one killed: the study of a single process")


def study_over_the_network(folder):
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if os.geteuid() != 0 or not shutil.which("ip") or not found:
        print("workers in network namespaces are left out: they need root, iproute2 and PostgreSQL")
        return
    tables(folder)
    headsmith("tune", "--train", "train.csv", "--val", "val.csv", "--storage", "alone.db", *STUDY, "--trials", N_TRIALS, cwd=folder)
    alone = content("alone.db", folder)
    with Bridge(), Server(found[-1]) as server:
        for n in (2, 4):
            machines(folder, alone, server, n)


def cluster_files():
    """The manifest against what a Job of batch/v1 has; the script against bash and the options of sbatch."""
    job = yaml.safe_load((ROOT / "examples/cluster/kubernetes.yaml").read_text())
    from kubernetes_validate import validate

    validate(job, "1.31", strict=True)
    assert job["spec"]["completionMode"] == "Indexed"
    command = job["spec"]["template"]["spec"]["containers"][0]
    flags = [arg for arg in command["args"] if arg.startswith("--")]
    script = ROOT / "examples/cluster/slurm.sbatch"
    run("bash", "-n", script)
    text = script.read_text()
    options = re.findall(r"^#SBATCH (--[a-z-]+)", text, re.MULTILINE)
    known = {"--job-name", "--array", "--cpus-per-task", "--mem", "--time", "--signal", "--requeue", "--output"}
    assert options and set(options) <= known, options
    flags += re.findall(r" (--[a-z]+)", text.split("headsmith worker", 1)[1])
    usage = subprocess.run([HEADSMITH, "worker", "--help"], check=True, capture_output=True, text=True).stdout
    assert all(f"{flag} " in usage for flag in flags), flags
    passed("the Kubernetes manifest is a strict batch/v1 Job, the Slurm script is bash, and both call flags that there are")


def main():
    cluster_files()
    with tempfile.TemporaryDirectory() as folder:
        study_over_the_network(pathlib.Path(folder))


if __name__ == "__main__":
    main()

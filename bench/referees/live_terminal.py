"""The live view in a real terminal (tmux): what its screen says is what the study's database says, its keys do what they
say, and however the command ends the terminal is as it was.

Run by `cargo xtask test`; alone: target/referees/bin/python bench/referees/live_terminal.py
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios

from drive.patience import PATIENCE, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")).resolve()
TABLES = [f"--{role}={ROOT}/examples/sentences/{role}.parquet" for role in ("train", "val")]
ENTER_SCREEN, LEAVE_SCREEN, SHOW_CURSOR = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25h"


def ok(text):
    print("ok " + text, flush=True)


class Pane:
    """A shell in a terminal of its own, for one command."""

    n_panes = 0

    def __init__(self, folder, width=80, height=24, **environment):
        Pane.n_panes += 1
        self.socket = f"headsmith-{os.getpid()}-{Pane.n_panes}"
        self.folder = folder
        environment = {"LANG": "C.UTF-8", "LC_ALL": "", "NO_COLOR": "", "PS1": "$ ", **environment}
        words = [f"{name}={value}" for name, value in environment.items()]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", width, "-y", height, "-c", folder, "env", *words, "sh")
        self.tmux("set", "-g", "status", "off")
        self.tmux("set", "-g", "window-size", "manual")

    def tmux(self, *args):
        done = subprocess.run(["tmux", "-L", self.socket, *map(str, args)], capture_output=True, text=True)
        assert done.returncode == 0, (args, done.stderr)
        return done.stdout

    def close(self):
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def history(self):
        return self.tmux("capture-pane", "-p", "-S", "-")

    def resize(self, width, height):
        self.tmux("resize-window", "-x", width, "-y", height)

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def start(self, command):
        """Types the command, with the terminal's settings written before it and after it."""
        name = f"run{Pane.n_panes}"
        before, after = f"stty -a > {name}.before", f"echo $? > {name}.status; stty -a > {name}.after"
        line = f"clear; echo MARK; {before}; {command}; {after}; echo END-$(cat {name}.status)"
        self.tmux("send-keys", "-l", line)
        self.tmux("send-keys", "Enter")
        return name

    def wait(self, pattern, patience=PATIENCE):
        """Waits until the screen shows the pattern; gives the match."""
        return wait_for(lambda: f"{pattern}\n{self.screen()}", lambda: re.search(pattern, self.screen()), patience)

    def flag(self, name):
        return self.tmux("display", "-p", "#{%s}" % name).strip()

    def is_as_it_was(self, name, status):
        """Whether the command is over and left the terminal as it found it."""
        wait_for(lambda: f"the end of {name}\n{self.screen()}", (self.folder / f"{name}.after").exists)
        self.wait(r"END-\d+")
        assert (self.folder / f"{name}.before").read_text() == (self.folder / f"{name}.after").read_text()
        assert int((self.folder / f"{name}.status").read_text()) == status, self.history()
        assert self.flag("alternate_on") == "0" and self.flag("cursor_flag") == "1", "another screen, or no cursor"
        assert "MARK" in self.history(), "what stood before is gone"


def headsmith(*args):
    return shlex.join([str(BINARY), *map(str, args)])


def tune(folder, name, *args):
    return headsmith("tune", *TABLES, f"--storage=sqlite:///{folder}/{name}.db", f"--study={name}", "--jobs=2", *args)


def trials(folder, name):
    """The trials as the database has them: state, value, reports and system attributes by number."""
    connection = sqlite3.connect(f"file:{folder}/{name}.db?mode=ro", uri=True, timeout=PATIENCE)
    try:
        rows = connection.execute(
            "select t.trial_id, t.number, t.state, v.value from trials t left join trial_values v using (trial_id)"
        ).fetchall()
        attributes = connection.execute("select trial_id, key, value_json from trial_system_attributes").fetchall()
        reports = dict(
            connection.execute("select trial_id, count(*) from trial_intermediate_values group by trial_id").fetchall()
        )
    finally:
        connection.close()
    found = {}
    for trial_id, number, state, value in rows:
        system = {key: json.loads(text) for owner, key, text in attributes if owner == trial_id and key.startswith("headsmith:") and key != "headsmith:probabilities"}
        found[number] = {"state": state, "value": value, "reports": reports.get(trial_id, 0), "system": system}
    return found


def numbers_are_those_of_the_database(pane, folder):
    pane.wait(r"best 0\.\d{4} \(trial \d+\)")
    pane.wait(r"\d+  0\.\d{4}  +\d+  pruned")
    screen = pane.screen()
    there = trials(folder, "shown")
    best = re.search(r"best (0\.\d{4}) \(trial (\d+)\)", screen)
    trial = there[int(best[2])]
    assert trial["state"] == "COMPLETE" and f"{trial['value']:.4f}" == best[1], (best[0], trial)
    # Of the ended ones the screen says number, value, epochs and what became of them.
    ended = re.findall(r"(\d+)  (0\.\d{4}|none)  +(\d+)  (complete|pruned)", screen)
    assert len(ended) >= 2, screen
    for number, value, epochs, state in ended:
        trial = there[int(number)]
        assert trial["state"] == state.upper() and trial["reports"] == int(epochs), (number, epochs, state, trial)
        assert f"{trial['value']:.4f}" == value, (number, value, trial)
    counts = re.search(r"(\d+) complete, (\d+) pruned, (\d+) failed", screen)
    shown = re.search(r"trials (\d+)/200", screen)
    assert int(shown[1]) == sum(map(int, counts.groups())), screen
    of_state = [sum(trial["state"] == state for trial in there.values()) for state in ("COMPLETE", "PRUNED", "FAIL")]
    # The database was read after the screen, which has as many in its turn.
    assert all(int(count) <= n for count, n in zip(counts.groups(), of_state)), (counts[0], of_state)

    def has_as_many():
        now = re.search(r"(\d+) complete, (\d+) pruned, (\d+) failed", pane.screen())
        return now and all(int(count) >= n for count, n in zip(now.groups(), of_state))

    wait_for(f"{of_state} trials on the screen", has_as_many)
    best_value = max(t["value"] for t in there.values() if t["state"] == "COMPLETE")
    assert f"{best_value:.4f}" == best[1] or best_value > float(best[1])
    ok(f"live view: best {best[1]}, {len(ended)} ended trials and the counts on the screen are those of the database")


def every_size(pane):
    for width, height in ((120, 40), (40, 10), (20, 5), (80, 24)):
        pane.resize(width, height)
        frame = "┐" if height >= 24 else "trials"
        wait_for(
            f"{width} x {height}\n{pane.screen()}",
            lambda: any(line.rstrip().endswith(frame) and len(line.rstrip()) == width for line in pane.screen().splitlines())
            if height >= 24
            else "trials" in pane.screen(),
        )
    ok("live view: 120 x 40, 40 x 10, 20 x 5 and 80 x 24 are drawn as the terminal changes")


def a_trial_pruned_by_hand(pane, folder):
    pane.press("?")
    pane.wait("stop cleanly")
    pane.press("x")
    wait_for("the help to close", lambda: "stop cleanly" not in pane.screen())

    def prune_one():
        pane.press("p")
        try:
            number = int(pane.wait(r"prune trial (\d+)\?", 5)[1])
        except AssertionError:
            return None
        pane.press("y")
        ended = lambda: trials(folder, "shown")[number]["state"] not in ("RUNNING", "WAITING")
        wait_for(f"the end of trial {number}", ended)
        trial = trials(folder, "shown")[number]
        # It may have ended by itself in the moment between.
        return trial["system"].get("headsmith:pruned_by_hand") and (number, trial)

    number, trial = wait_for("a trial pruned by hand", prune_one)
    assert trial["state"] == "PRUNED" and trial["system"]["headsmith:reason"] == "pruned by hand", trial
    pane.wait(rf"{number}  0\.\d{{4}}  +\d+  pruned by hand")
    listed = subprocess.run(
        [BINARY, "study", "trials", "--json", f"--storage=sqlite:///{folder}/shown.db"], capture_output=True, text=True
    )
    listed = json.loads(listed.stdout)
    rows = listed if isinstance(listed, list) else listed["trials"]
    assert [row["number"] for row in rows if row["reason"] == "pruned by hand"] == [number]
    ok(f"live view: p and y pruned trial {number}, which the study records, shows and lists as pruned by hand")


def left_alone_the_study_goes_on(pane, folder, name):
    pane.press("q")
    wait_for("the normal screen", lambda: pane.flag("alternate_on") == "0")
    pane.wait(r"study shown")
    n = sum(trial["state"] in ("COMPLETE", "PRUNED") for trial in trials(folder, "shown").values())
    wait_for("more trials", lambda: sum(t["state"] in ("COMPLETE", "PRUNED") for t in trials(folder, "shown").values()) > n)
    pane.wait(r"\d+/200 done, best")
    pane.press("C-c")
    pane.is_as_it_was(name, 130)
    ok("live view: after q the study goes on in lines; Ctrl-C then ends it, and the terminal is as it was")


def a_study_in_tmux(folder):
    with Pane(folder) as pane:
        name = pane.start(tune(folder, "shown", "--trials=200"))
        numbers_are_those_of_the_database(pane, folder)
        every_size(pane)
        a_trial_pruned_by_hand(pane, folder)
        left_alone_the_study_goes_on(pane, folder, name)


def is_pending(pid, number):
    """Whether a process has yet to be interrupted by a signal that it was sent; one that is gone has not."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return any(int(mask, 16) >> (number - 1) & 1 for mask in re.findall(r"^(?:Shd|Sig)Pnd:\t(\w+)", status, re.MULTILINE))


def every_end(folder):
    """The same study again and again, ended in every way."""

    def pid(pane):
        return int(subprocess.run(["pgrep", "-P", pane.flag("pane_pid")], capture_output=True, text=True).stdout.split()[0])

    def interrupt_twice(pane):
        running = pid(pane)
        os.kill(running, signal.SIGINT)
        # Two that are pending at once are one.
        wait_for("the first signal's delivery", lambda: not is_pending(running, signal.SIGINT))
        os.kill(running, signal.SIGINT)

    ends = {
        "Ctrl-C": (lambda pane: pane.press("C-c"), 130),
        "s": (lambda pane: pane.press("s"), 130),
        "Ctrl-C twice": (lambda pane: pane.press("C-c", "C-c"), 130),
        "SIGTERM": (lambda pane: os.kill(pid(pane), signal.SIGTERM), 130),
        "SIGINT twice": (interrupt_twice, 130),
    }
    for what, (end, status) in ends.items():
        with Pane(folder) as pane:
            name = pane.start(tune(folder, "shown", "--trials=200"))
            pane.wait(r"best 0\.\d{4}")
            assert pane.flag("alternate_on") == "1" and pane.flag("cursor_flag") == "0"
            try:
                end(pane)
            except (ProcessLookupError, IndexError):
                pass
            pane.is_as_it_was(name, status)
            if "twice" not in what:
                assert re.search(r"best: trial \d+, weighted F1 0\.\d{4}", pane.history()), pane.history()
    ok(f"live view: the terminal is as it was after {', '.join(ends)}, with the summary below what stood there before")


def a_terminal_that_goes_away(folder):
    with Pane(folder) as pane:
        pane.start("exec " + tune(folder, "shown", "--trials=200"))
        pane.wait(r"best 0\.\d{4}")
        running = int(pane.flag("pane_pid"))
        pane.close()
        wait_for("the end of a study whose terminal is gone", lambda: not pathlib.Path(f"/proc/{running}").exists())
    ok("live view: a study whose terminal goes away stops as at Ctrl-C")


def an_error(folder):
    with Pane(folder) as pane:
        (folder / "sub").mkdir()
        name = pane.start(headsmith("fit", "mlp", *TABLES, "--model=sub/m.safetensors", "--epochs=1000000", "--patience=none"))
        pane.wait("weighted F1.*\n.*loss")
        shutil.rmtree(folder / "sub")
        pane.press("C-c")
        pane.is_as_it_was(name, 1)
        assert "error: " in pane.history()
    ok("live view: an error is told on the normal screen, and the terminal is as it was")


def plain_looks(folder):
    for environment, at_least in (({"LC_ALL": "C", "LANG": "C"}, "ascii"), ({"NO_COLOR": "1"}, "no colour")):
        with Pane(folder, **environment) as pane:
            name = pane.start(headsmith("fit", "mlp", *TABLES, "--model=m.safetensors", "--epochs=1000000", "--patience=none"))
            pane.wait("weighted F1.*\n.*epoch|weighted F1")
            pane.wait(r"best 0\.\d{4} at epoch")
            shown = pane.tmux("capture-pane", "-p", "-e")
            if at_least == "ascii":
                assert pane.screen().isascii(), pane.screen()
            else:
                assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|38|9[0-7])[;m]", shown), shown
            pane.press("C-c")
            pane.is_as_it_was(name, 130)
    ok("live view: with LC_ALL=C it is drawn in ASCII, with NO_COLOR without colours")


class Pty:
    """The command on a terminal that this script reads, or does not."""

    def __init__(self, command, folder, **environment):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve("/bin/sh", ["sh", "-c", "exec " + command], {**os.environ, "LC_ALL": "C.UTF-8", **environment})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.output = b""

    def read(self):
        try:
            piece = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += piece
        return bool(piece)

    def finish(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def no_view_changes_a_byte(folder):
    fit = ["fit", "mlp", *TABLES, "--epochs=40", "--patience=none"]
    models = []
    for how in ("off", "plain", "full"):
        shown = Pty(headsmith(*fit, f"--live={how}", f"--model={how}.safetensors"), folder, TERM="xterm-256color")
        assert shown.finish() == 0, shown.output
        assert (ENTER_SCREEN in shown.output) == (how == "full"), how
        if how == "full":
            assert LEAVE_SCREEN in shown.output and SHOW_CURSOR in shown.output.split(LEAVE_SCREEN)[1]
        models.append((folder / f"{how}.safetensors").read_bytes())
    assert models[0] == models[1] == models[2]
    ok("live view: off, plain and full end in the same model, byte by byte")
    found = []
    for how in ("plain", "full"):
        shown = Pty(tune(folder, how, "--trials=12", f"--live={how}"), folder, TERM="xterm-256color")
        assert shown.finish() == 0, shown.output
        found.append({n: (t["state"], t["value"], t["reports"]) for n, t in trials(folder, how).items()})
    assert found[0] == found[1] and len(found[0]) == 12
    ok("live view: plain and full end in the same study, trial by trial")


def a_terminal_that_takes_nothing(folder):
    fit = headsmith("fit", "mlp", *TABLES, "--epochs=300", "--patience=none", "--model=blocked.safetensors")
    shown = Pty(fit, folder, TERM="xterm-256color")
    while ENTER_SCREEN not in shown.output:
        assert shown.read(), shown.output
    # From here on nobody reads: a few frames fill what the kernel keeps.
    wait_for("the model of a fit whose terminal is blocked", (folder / "blocked.safetensors").exists)
    assert shown.finish() == 0
    ok("live view: a fit whose terminal takes nothing any more comes to its end")


def lines_elsewhere(folder):
    fit = headsmith("fit", "mlp", *TABLES, "--epochs=30", "--model=lines.safetensors")
    done = subprocess.run(fit, shell=True, cwd=folder, capture_output=True)
    assert done.returncode == 0 and b"\x1b" not in done.stderr + done.stdout
    assert b"fitting mlp" in done.stderr and b"fitted mlp in" in done.stderr
    ok("live view: into a pipe it is lines, without a control character")
    for environment in ({"TERM": "dumb"}, {"TERM": ""}):
        shown = Pty(fit, folder, **environment)
        assert shown.finish() == 0 and b"\x1b" not in shown.output, shown.output
        assert b"fitted mlp in" in shown.output
    ok("live view: on a dumb terminal, and on one without a name, it is lines")
    shown = Pty(fit + " --live full", folder, TERM="dumb")
    assert shown.finish() == 0 and b"warning: no full view, for the terminal (TERM) cannot move its cursor" in shown.output
    ok("live view: --live full says why it cannot")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        lines_elsewhere(folder)
        no_view_changes_a_byte(folder)
        a_terminal_that_takes_nothing(folder)
        if shutil.which("tmux") is None:
            print("tmux is not installed, the screens of the live view are not checked: apt-get install tmux")
            return
        a_study_in_tmux(folder)
        every_end(folder)
        a_terminal_that_goes_away(folder)
        an_error(folder)
        plain_looks(folder)


if __name__ == "__main__":
    sys.exit(main())

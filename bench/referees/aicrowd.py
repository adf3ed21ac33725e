"""The challenge client against the real aicrowd-cli: both talk to one stand-in server, and must ask it the same.

The server speaks the API over TLS on this machine, for aicrowd-cli assumes https; both trust its certificate through
the environment. What differs on purpose is named in `GITLAB` and `USER`, and nothing else may differ.

Run by `cargo xtask test`; alone: target/referees/bin/python bench/referees/aicrowd.py
"""

import email.parser
import email.policy
import http.server
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import tomllib
import zipfile
from pathlib import Path

from drive.patience import PATIENCE, wait_for

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
CERTIFICATES = ROOT / "crates/aicrowd/tests/data"
KEY = "k3y-0123456789abcdef"
GRADED = {"grading_status_cd": "graded", "score": 0.5, "score_secondary": None, "grading_message": "well done"}

# aicrowd-cli sends a GitLab token in a query string, an empty one even at a login by key; we never ask GitLab.
GITLAB = "/oauth/token/info"
# It asks who the user is twice in one submission; we ask once.
USER = "/api/v1/api_user"

TRAIN = b"embeddings,label\n\"[1.0, 2.0]\",happy\n"
SAMPLE = b"embeddings,label\n\"[0.5, 0.5]\",none\n\"[0.25, 0.125]\",none\n"


class Service(http.server.BaseHTTPRequestHandler):
    """The API, as the client of AIcrowd has it; everything it is asked goes to `server.asked`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.take()

    def do_POST(self):
        self.take()

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
        self.server.asked.append(asked)
        status, headers, answer = self.answer()
        payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def answer(self):
        host = self.server.host
        open_to_all = {
            "/api/auth/initiate": {"login_url": f"https://{host}/login/abc-123", "otp": "otp-456"},
            "/storage/test.csv?X-Signature=abc": TRAIN * 2,
        }
        if self.path in open_to_all:
            return 200, {}, open_to_all[self.path]
        if self.path == "/upload":
            return 204, {}, b""
        if self.path == "/api/auth/abc-123/details":
            if self.headers.get("Authorization") != "otp-456":
                return 403, {}, {}
            details = {"api_key": KEY, "gitlab_oauth_token": "", "gitlab_userid": "", "gitlab_username": ""}
            return 200, {}, {"details": details}
        if self.path.startswith(GITLAB):
            return 401, {}, {}
        if self.headers.get("Authorization") != f"Token {KEY}":
            return 401, {}, {"message": "Invalid key"}
        return self.keyed(host)

    def keyed(self, host):
        upload = {"url": f"https://{host}/upload", "fields": {
            "policy": "cG9saWN5", "x-amz-meta": "\u00e4 \"quoted\"", "key": "submissions/${filename}", "x-amz-signature": "f00"}}
        files = [
            {"title": "train.csv", "description": "to learn", "external_file_size": "40", "external_url": f"https://{host}/files/train.csv"},
            {"title": "test.csv", "description": "", "external_file_size": "80", "external_url": f"https://{host}/files/test.csv"},
            {"title": "sample_submission.csv", "description": "how it looks", "external_file_size": 64,
             "external_url": f"https://{host}/files/sample_submission.csv"},
        ]
        answers = {
            USER: {"id": 42},
            "/api/challenges/?slug=faces": [{"id": 7, "slug": "faces"}],
            "/api/challenges/?id=7": [{"id": 7, "slug": "faces"}],
            "/api/challenges/?slug=problem": [{"id": 8, "slug": "problem"}],
            "/api/challenges/7/dataset": files,
            "/api/challenges/7/participant?participant_id=42": {"registered": True},
            "/api/challenges/8/participant?participant_id=42": {"registered": True},
            "/files/train.csv": TRAIN,
            "/files/sample_submission.csv": SAMPLE,
            "/api/v1/submissions?challenge_id=faces": {"success": True, "data": upload},
            "/api/v1/submissions?challenge_id=meta": {"success": True, "data": upload},
            "/api/v1/submissions": {"success": True, "data": {"submission_id": 1234}},
            "/api/submissions/1234": GRADED,
        }
        if self.path == "/files/test.csv":
            return 302, {"Location": f"https://{self.server.other}/storage/test.csv?X-Signature=abc"}, b""
        if self.path == "/api/v1/submissions?challenge_id=problem":
            return 302, {"Location": f"https://{host}/challenges/meta/problems/problem/submissions/new"}, b""
        if self.path in answers:
            return 200, {"Content-Type": "application/json"}, answers[self.path]
        return 404, {}, {}


def serve():
    """A server with the test certificate."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem", CERTIFICATES / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.asked = []
    server.host = f"127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def passed(check):
    print(f"ok {check}", flush=True)


class World:
    """Two homes, one for each of the two, and the servers they both talk to."""

    def __init__(self, folder):
        self.folder = folder
        self.service, self.other = serve(), serve()
        self.service.other, self.other.other = self.other.host, self.other.host
        self.own = {**os.environ, "SSL_CERT_FILE": str(CERTIFICATES / "ca.pem"), "REQUESTS_CA_BUNDLE": str(CERTIFICATES / "ca.pem")}
        for name in ("AICROWD_API_KEY", "XDG_CONFIG_HOME"):
            self.own.pop(name, None)
        host = self.service.host
        self.own |= {
            "RAILS_HOST": host, "GITLAB_HOST": host, "DATASETS_HOST": host, "AICROWD_GITLAB_HOST": host,
            "AICROWD_API_ENDPOINT": f"https://{host}/api", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
            "COLUMNS": "200", "BROWSER": "true", "GIT_PYTHON_REFRESH": "quiet",
        }
        for tool in ("theirs", "ours"):
            self.config(tool).parent.mkdir(parents=True)
            self.config(tool).write_text("# kept\ndisable_update_check = true\n")

    def config(self, tool):
        return self.folder / tool / ".config/aicrowd-cli/config.toml"

    def run(self, tool, command, stdin=None, status=0, **env):
        """Runs a command in the tool's home; gives what it printed and what the servers were asked."""
        self.service.asked.clear()
        self.other.asked.clear()
        home = self.folder / tool
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, cwd=home, input=stdin, timeout=PATIENCE,
            env={**self.own, "HOME": str(home), **env})
        assert done.returncode == status, f"{command} ended with {done.returncode}: {done.stdout} {done.stderr}"
        if tool == "ours":
            assert KEY not in done.stdout + done.stderr, f"{command} shows the key"
        return done, normal(self.service.asked, self.service.host), normal(self.other.asked, self.other.host)

    def both(self, theirs, ours, **how):
        """Runs both and compares what they asked; gives back what they printed, and that."""
        their, asked, asked_other = self.run("theirs", [aicrowd(), *theirs], **how)
        our, our_asked, our_asked_other = self.run("ours", [HEADSMITH, "aicrowd", *ours], **how)
        assert asked, "aicrowd-cli asked nothing"
        compare(asked, our_asked)
        compare(asked_other, our_asked_other)
        return their, our, our_asked


def aicrowd():
    return Path(sys.executable).with_name("aicrowd")


def normal(asked, host):
    """What was asked, without GITLAB, a second USER, and headers that are the HTTP library's: its name, how it keeps
    connections."""
    wanted = []
    for request in asked:
        if request["path"].startswith(GITLAB):
            continue
        headers = {name.lower(): value for name, value in request["headers"].items()}
        kept = {name: headers[name] for name in ("authorization", "content-type", "content-length", "range") if name in headers}
        assert headers["host"] == host, headers
        body = request["body"]
        if kept.get("content-type", "").startswith("multipart/form-data"):
            boundary = kept["content-type"].split("boundary=")[1].encode()
            assert boundary in body and len(boundary) == 32, boundary
            body, kept["content-type"] = body.replace(boundary, b"BOUNDARY"), "multipart/form-data"
        elif kept.get("content-type") == "application/json":
            # The length is that of how the JSON is spaced.
            body = json.loads(body)
            del kept["content-length"]
        one = {"method": request["method"], "path": request["path"], "headers": kept, "body": body}
        if one["path"] == USER and one in wanted:
            continue
        wanted.append(one)
    return wanted


def compare(theirs, ours):
    show = lambda asked: [f"{one['method']} {one['path']}" for one in asked]
    assert show(theirs) == show(ours), f"aicrowd-cli asked {show(theirs)}, headsmith {show(ours)}"
    for one, other in zip(theirs, ours):
        for part in one:
            assert one[part] == other[part], f"{one['path']}: {part}: {one[part]} is not {other[part]}"


def login(world):
    # aicrowd-cli takes a key from the environment or, for all to see, as an argument; we from the environment or stdin.
    _, _, asked = world.both(["login"], ["login"], AICROWD_API_KEY=KEY)
    assert [one["headers"]["authorization"] for one in asked] == [f"Token {KEY}"]
    passed("aicrowd login by key: the same request")
    theirs, ours = (tomllib.loads(world.config(tool).read_text()) for tool in ("theirs", "ours"))
    assert theirs == ours == {"disable_update_check": True, "aicrowd_api_key": KEY}, (theirs, ours)
    assert world.config("ours").read_text().startswith("# kept\n")
    assert world.config("ours").stat().st_mode & 0o777 == 0o600
    passed("aicrowd login by key: the same configuration, ours with mode 0600 and its comments kept")
    world.run("ours", [HEADSMITH, "aicrowd", "login", "--api-key-stdin"], stdin=f"{KEY}\n")
    _, by_stdin, _ = world.run("ours", [HEADSMITH, "aicrowd", "login", "--api-key-stdin"], stdin=KEY)
    compare(asked, by_stdin)
    passed("aicrowd login --api-key-stdin: the same request")
    world.both(["login"], ["login"])
    passed("aicrowd login in the browser: the same requests, with the one-time password")
    world.both(["login"], ["login"], status=4, AICROWD_API_KEY="wrong")
    passed("aicrowd login with a wrong key: the same request, and both end with 4")
    # Each reads what the other wrote.
    ours, theirs = world.config("ours").read_text(), world.config("theirs").read_text()
    world.config("ours").write_text(theirs)
    world.config("theirs").write_text(ours)


def datasets(world):
    for named in ("faces", "7", f"https://{world.service.host}/challenges/faces"):
        their, our, asked = world.both(["dataset", "list", "-c", named], ["datasets", named])
        assert len(asked) == 3, asked
    for title in ("train.csv", "test.csv", "sample_submission.csv"):
        assert title in their.stdout and title in our.stdout
    passed("aicrowd datasets: by slug, number and address the same requests, each reading the other's configuration")


def download(world):
    for tool in ("theirs", "ours"):
        (world.folder / tool / "data").mkdir()
    for patterns in (["train*"], ["1"], ["*sample*", "0"], []):
        theirs = ["dataset", "download", "-c", "faces", "-o", "data", "-j", "1", *patterns]
        ours = ["download", "faces", "-o", "data", "--parallel", "1", "--force", *patterns]
        world.both(theirs, ours)
        for one in world.other.asked:
            assert KEY not in str(one), one
    for name in ("train.csv", "test.csv", "sample_submission.csv"):
        theirs, ours = ((world.folder / tool / "data" / name).read_bytes() for tool in ("theirs", "ours"))
        assert theirs == ours and ours, name
    assert len(list((world.folder / "ours/data").iterdir())) == 3
    passed("aicrowd download: the same requests and the same files, a redirect to another host without the key")


def submit(world):
    table = SAMPLE.replace(b"none", b"happy")
    for tool in ("theirs", "ours"):
        with zipfile.ZipFile(world.folder / tool / "my \u00fc.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("submission.csv"), table)
    for challenge in ("faces", "problem"):
        theirs = ["submission", "create", "-c", challenge, "-f", "my \u00fc.zip", "-d", "d\u00e9j\u00e0 \"vu\""]
        ours = ["submit", challenge, "my \u00fc.zip", "-d", "d\u00e9j\u00e0 \"vu\""]
        _, our, asked = world.both(theirs, ours)
        upload, note = asked[-2:]
        assert upload["path"] == "/upload" and "authorization" not in upload["headers"]
        assert table in upload["body"] and note["body"]["submission_files"][0]["submission_file_s3_key"] == "submissions/my \u00fc.zip"
        assert "1234" in our.stdout
        passed(f"aicrowd submit to a {'meta-' if challenge == 'problem' else ''}challenge: the same requests, the form byte for byte")


def ours_alone(world):
    home = world.folder / "ours"
    command = [HEADSMITH, "aicrowd", "submit", "faces", "submission.csv", "--json", "--quiet"]
    (home / "submission.csv").write_bytes(SAMPLE + b"\"[1.0]\",none\n")
    done, asked, _ = world.run("ours", command, status=3)
    assert not asked and json.loads(done.stdout)["error"]["cause"] == "mismatch", (asked, done.stdout)
    passed("aicrowd submit: a table with more rows than the sample is refused before anything is sent")
    (home / "submission.csv").write_bytes(SAMPLE)
    done, asked, _ = world.run("ours", [*command, "--dry-run"])
    assert not asked and len(json.loads(done.stdout)["would_send"]) == 6
    passed("aicrowd submit --dry-run: says what would be sent and sends nothing")
    done, asked, _ = world.run("ours", [*command, "--wait"])
    upload = next(one for one in asked if one["path"] == "/upload")["body"]
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        b"Content-Type: multipart/form-data; boundary=BOUNDARY\r\n\r\n" + upload)
    packed = next(part for part in message.iter_parts() if part.get_filename() == "submission.zip").get_payload(decode=True)
    (home / "sent.zip").write_bytes(packed)
    with zipfile.ZipFile(home / "sent.zip") as archive:
        assert archive.namelist() == ["submission.csv"] and archive.read("submission.csv") == SAMPLE
    assert json.loads(done.stdout)["state"]["score"] == 0.5, done.stdout
    passed("aicrowd submit: Python reads the CSV out of the archive it was packed into on the way; --wait brings the grade")


def watched(world):
    """The key must not be in what other users see of the process, and a proxy log must not have it."""
    home = world.folder / "ours"
    before, looked = Service.answer, threading.Event()
    Service.answer = lambda self: looked.wait(PATIENCE) and before(self)
    world.service.asked.clear()
    try:
        process = subprocess.Popen(
            [HEADSMITH, "aicrowd", "datasets", "faces"], cwd=home, stdout=subprocess.DEVNULL,
            env={**world.own, "HOME": str(home)})
        wait_for("a question", lambda: world.service.asked)
        line = Path(f"/proc/{process.pid}/cmdline")
        if line.exists():
            shown = line.read_bytes()
            assert b"aicrowd" in shown and KEY.encode() not in shown
        looked.set()
        assert process.wait(timeout=PATIENCE) == 0
    finally:
        looked.set()
        Service.answer = before
    for one in world.service.asked:
        assert KEY not in one["path"]
    passed("aicrowd: the key is in no query string and not in the process list")


def main():
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        login(world)
        datasets(world)
        download(world)
        submit(world)
        ours_alone(world)
        watched(world)


if __name__ == "__main__":
    main()

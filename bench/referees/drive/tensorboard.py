"""TensorBoard's own server."""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request

from drive.patience import PATIENCE, wait_for


class Server:
    """TensorBoard over a folder, on a port of its own."""

    def __init__(self, folder):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", "0", "--host", "127.0.0.1"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if match := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.url = match[0]
                return
        raise AssertionError("TensorBoard did not start")

    def get(self, path, body=None, **query):
        url = f"{self.url}/data/{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=PATIENCE) as answer:
            content = answer.read()
            return json.loads(content) if "json" in answer.headers["Content-Type"] else content

    def wait_for(self, runs):
        """Waits until all these runs are loaded."""
        wait_for(lambda: f"{runs} of {self.get('runs')}", lambda: set(runs) <= set(self.get("runs")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

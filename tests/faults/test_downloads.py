"""Downloads from the hub that break off: the next call continues, and no half model is used."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BIG = 3_000_000  # bytes


class Hub(BaseHTTPRequestHandler):
    """Serves the files of one repository; sends ``server.most`` bytes of the large one."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        files = self.server.files
        if self.path.startswith("/api/"):  # newer clients ask for the tree
            told = {
                "id": "me/m",
                "sha": COMMIT,
                "siblings": [{"rfilename": name} for name in files],
            }
            if "/tree/" in self.path:
                told = [
                    {"type": "file", "path": name, "size": len(data), "oid": name}
                    for name, data in files.items()
                ]
            data = json.dumps(told).encode()
            return self.send(data, {"Content-Type": "application/json"}, body)
        name = self.path.rpartition("/")[2].partition("?")[0]
        if name not in files:
            return self.send(b"", {"X-Error-Code": "EntryNotFound"}, body, 404)
        data, headers, status = files[name], {}, 200
        headers["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
        headers |= {"X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        most = self.server.most if name == "model.safetensors" else None
        if body and (asked := self.headers.get("Range")):
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            self.server.ranges.append(start)
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            data, status = data[start:], 206
        return self.send(data, headers, body, status, most)

    def send(self, data, headers, body, status=200, most=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data[:most])
        if body and most is not None:
            self.wfile.flush()
            self.server.sent.set()
            if self.server.hang:
                self.server.go_on.wait(30)
            self.close_connection = True


@pytest.fixture
def hub():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.daemon_threads = True
    server.files = {
        "config.json": b'{"model_type": "bert"}',
        "tokenizer.json": b"{}",
        "model.safetensors": os.urandom(BIG),
    }
    server.most, server.hang, server.ranges = None, False, []
    server.sent, server.go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


FIND = """
import sys
from llmtopics._language.files import find_files
try:
    print(find_files("me/m"))
except OSError as error:
    print("OSError", error)
"""


def find(hub, home, offline="0"):
    variables = {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": offline,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DOWNLOAD_TIMEOUT": "5",
        "NO_PROXY": "127.0.0.1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", FIND],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def weights_in(told):
    with open(os.path.join(told.strip(), "model.safetensors"), "rb") as file:
        return file.read()


@pytest.mark.slow
def test_a_killed_download_continues_and_no_half_model_is_used(hub, tmp_path):
    hub.most, hub.hang = BIG // 2, True
    process = find(hub, tmp_path)
    assert hub.sent.wait(60), process.communicate()
    process.kill()
    process.communicate()
    hub.go_on.set()
    hub.most, hub.hang = None, False
    told, _ = find(hub, tmp_path, offline="1").communicate()
    assert told.startswith("OSError Model 'me/m' was not found.")
    told, errors = find(hub, tmp_path).communicate()
    assert weights_in(told) == hub.files["model.safetensors"], errors
    told, _ = find(hub, tmp_path, offline="1").communicate()
    assert weights_in(told) == hub.files["model.safetensors"]


@pytest.mark.slow
def test_a_server_that_breaks_off_is_an_error_or_asked_again(hub, tmp_path):
    hub.most = BIG // 3  # the client asks again for the rest, until nothing is left
    told, errors = find(hub, tmp_path).communicate()
    if not told.startswith("OSError"):
        assert weights_in(told) == hub.files["model.safetensors"], errors
    hub.most = 0
    told, errors = find(hub, tmp_path / "other").communicate()
    assert told.startswith("OSError Model 'me/m' was not found."), errors
    hub.most = None
    told, errors = find(hub, tmp_path / "other").communicate()
    assert weights_in(told) == hub.files["model.safetensors"], errors

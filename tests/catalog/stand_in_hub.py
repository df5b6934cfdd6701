"""A hub on loopback: lists files as the real one does and sends them, with Range, and fails where it is told to."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c" * 40


@dataclass
class Behaviour:
    """What the hub holds and how it misbehaves; a test changes it as it goes."""

    files: dict[str, bytes] = field(default_factory=dict)  # one repository's, whatever its name
    stated: dict[str, str] = field(default_factory=dict)  # a sha256 stated in place of the true one
    drop_after: list[int] = field(default_factory=list)  # bytes after which each of the next answers is cut off
    status: list[int] = field(default_factory=list)  # statuses of the next downloads, in place of the file
    resumes: bool = True  # whether Range is honoured
    slow: threading.Event | None = None  # set: go on; while it is not, the second half of a file is held back
    ranges: list[str] = field(default_factory=list)  # the Range header of every download that came


class Hub:
    """The server, running while it is entered."""

    def __init__(self) -> None:
        self.behaviour = behaviour = Behaviour()

        class Handler(_Handler):
            pass

        Handler.behaviour = behaviour
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="stand-in hub")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.behaviour.slow is not None:
            self.behaviour.slow.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/"):
            self._list(path.removeprefix("/api/models/"))
        elif match := re.fullmatch(r"/[^/]+/[^/]+/resolve/[^/]+/(.+)", path):
            self._send(match[1])
        else:
            self.send_error(404)

    def _list(self, repository: str) -> None:
        if repository.startswith("nobody/"):
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.end_headers()
            return
        siblings = []
        for name, content in self.behaviour.files.items():
            entry: dict[str, Any] = {"rfilename": name, "size": len(content)}
            entry["blobId"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            if len(content) > 1000:
                sha256 = self.behaviour.stated.get(name) or hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        body = json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings, "tags": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send(self, name: str) -> None:
        behaviour = self.behaviour
        wanted = self.headers.get("Range", "")
        behaviour.ranges.append(wanted)
        if behaviour.status:
            self.send_error(behaviour.status.pop(0))
            return
        content = behaviour.files[name]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and behaviour.resumes else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = start + behaviour.drop_after.pop(0) if behaviour.drop_after else len(content)
        if behaviour.slow is not None:
            half = max(len(content) // 2, start)
            self.wfile.write(content[start:half])
            self.wfile.flush()
            behaviour.slow.wait(20)
            start = half
        try:
            self.wfile.write(content[start:stop])
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever asked has gone
        self.close_connection = True

"""A small hub on this machine: it speaks what huggingface_hub asks, for tests without a network."""

import hashlib
import json
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "a" * 40
Refusal = tuple[int, dict[str, str]]
"""Status and headers."""

REFUSALS: dict[str, Refusal] = {
    "lab/gated": (401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}),
    "lab/waiting": (403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Awaiting a review."}),
    "lab/forbidden": (403, {"X-Error-Message": "The token may not."}),
    "lab/stale": (401, {"X-Error-Message": "Invalid credentials in Authorization header"}),
    "lab/private": (401, {"X-Error-Code": "RepoNotFound"}),
    "lab/closed": (403, {"X-Error-Message": "Access to this resource is disabled."}),
    "lab/ill": (500, {}),
}
"""What the hub answers for models that it does not give."""


@dataclass
class Hub:
    """The address of a hub that runs, and what it was asked."""

    endpoint: str
    asked: list[str] = field(default_factory=list)
    """Path of every request."""


class Answering(BaseHTTPRequestHandler):
    """Answers of a hub; what is asked decides a subclass."""

    protocol_version = "HTTP/1.1"
    seconds_per_megabyte = 0.0

    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        raise NotImplementedError

    def answer_file(self, path: Path) -> None:
        if not path.is_file():
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        content = path.read_bytes()
        etag = hashlib.sha256(content).hexdigest()
        self.answer(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})

    def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "HEAD":
            return
        for start in range(0, len(content), 1 << 18):
            part = content[start : start + (1 << 18)]
            time.sleep(self.seconds_per_megabyte * len(part) / 2**20)
            try:
                self.wfile.write(part)
            except OSError:  # whoever asked has gone
                return


@contextmanager
def hub_of(models: Mapping[str, Path], *, seconds_per_megabyte: float = 0.0) -> Generator[Hub]:
    """Serve folders as models until the block ends."""

    class Handler(Answering):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/")
            hub.asked.append(path)
            parts = path.split("/")
            about = parts[0] == "api"
            name = "/".join(parts[2:4] if about else parts[:2])
            if name in REFUSALS:
                status, headers = REFUSALS[name]
                self.answer(status, b"", headers)
            elif name not in models:
                self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})
            elif about:
                self.answer(200, _described(name, models[name]), {})
            else:
                self.answer_file(models[name] / parts[-1])

    Handler.seconds_per_megabyte = seconds_per_megabyte
    with serving(Handler) as hub:
        yield hub


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Generator[Hub]:
    """Answer requests with a handler until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Hub(endpoint=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _described(name: str, folder: Path) -> bytes:
    files = [
        {
            "rfilename": path.name,
            "size": path.stat().st_size,
            "blobId": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
    ]
    about = {"id": name, "modelId": name, "sha": COMMIT, "siblings": files, "tags": []}
    return json.dumps(about).encode()

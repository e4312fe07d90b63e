"""A small hub of data sets on this machine: what huggingface_hub asks to download a snapshot."""

import hashlib
import json
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.model_runners.hub_server import COMMIT, Hub, Refusal

REFUSALS: dict[str, Refusal] = {
    "lab/gated": (403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}),
    "lab/forbidden": (403, {"X-Error-Message": "The token may not."}),
    "lab/ill": (500, {}),
}
"""What the hub answers for data sets that it does not give."""


@contextmanager
def datasets_of(datasets: Mapping[str, Path]) -> Generator[Hub]:
    """Serve folders, with the folders in them, as data sets until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            del format, args

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].strip("/")
            hub.asked.append(path)
            parts = path.split("/")
            api = parts[0] == "api"
            parts = parts[1:] if api else parts
            name = "/".join(parts[1:3])  # datasets/owner/name/...
            if name in REFUSALS:
                status, headers = REFUSALS[name]
                self.answer(status, b"", headers)
            elif name not in datasets:
                self.answer(404, b"", {"X-Error-Code": "RepoNotFound"})
            elif not api:  # resolve/<commit>/<path>
                self.answer_file(datasets[name].joinpath(*parts[5:]))
            elif parts[3:4] == ["tree"]:
                self.answer_json(tree_of(datasets[name]))
            else:
                self.answer_json(described(name, datasets[name]))

        do_HEAD = do_GET

        def answer_file(self, path: Path) -> None:
            if not path.is_file():
                self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            content = path.read_bytes()
            headers = {"ETag": f'"{digest_of(path)}"', "X-Repo-Commit": COMMIT}
            self.answer(200, content, headers)

        def answer_json(self, content: object) -> None:
            self.answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

        def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = Hub(endpoint=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def described(name: str, folder: Path) -> dict[str, object]:
    files = [
        {
            "rfilename": str(path.relative_to(folder)),
            "size": path.stat().st_size,
            "blobId": digest_of(path),
        }
        for path in files_of(folder)
    ]
    return {"id": name, "sha": COMMIT, "siblings": files, "tags": []}


def tree_of(folder: Path) -> list[dict[str, object]]:
    return [
        {
            "type": "file",
            "path": str(path.relative_to(folder)),
            "size": path.stat().st_size,
            "oid": digest_of(path),
        }
        for path in files_of(folder)
    ]

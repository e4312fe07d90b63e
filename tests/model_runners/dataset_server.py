"""A small hub of data sets on this machine: what huggingface_hub asks to download a snapshot."""

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.model_runners.hub_server import COMMIT, Answering, Hub, Refusal, serving

REFUSALS: dict[str, Refusal] = {
    "lab/gated": (403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}),
    "lab/forbidden": (403, {"X-Error-Message": "The token may not."}),
    "lab/ill": (500, {}),
}
"""What the hub answers for data sets that it does not give."""


@contextmanager
def datasets_of(datasets: Mapping[str, Path]) -> Generator[Hub]:
    """Serve folders, with the folders in them, as data sets until the block ends."""

    class Handler(Answering):
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

        def answer_json(self, content: object) -> None:
            self.answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    with serving(Handler) as hub:
        yield hub


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

"""The files that the two sides exchange: written whole or not at all, read with care."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

PROTOCOL = 1
"""Of these files. Both sides must have the same; a side that reads another one stops."""
BEAT_SECONDS = 0.5
"""How often the worker says that it lives."""

REQUEST = "request.json"
READY = "ready.json"
FAILED = "failed.json"
BEAT = "beat.json"
STOP = "stop"


def write_json(path: Path, content: Any) -> None:
    """Write JSON values; the file appears under its name when it is whole."""
    unfinished = path.with_name("." + path.name + "." + str(os.getpid()))
    unfinished.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
    os.replace(str(unfinished), str(path))


def read_json(path: Path) -> Any:
    """Read what `write_json` wrote."""
    return json.loads(path.read_text(encoding="utf-8"))


def task_path(folder: Path, number: int) -> Path:
    """Return where the caller puts a task."""
    return folder / "tasks" / f"{number:06d}.json"


def answer_path(folder: Path, number: int) -> Path:
    """Return where the worker puts the answer to a task; its table has the same name."""
    return folder / "answers" / f"{number:06d}.json"


def write_answer(folder: Path, number: int, values: dict[str, Any], table: Any = None) -> None:
    """Write a table (pyarrow, or None), and then what says that it is there and whole."""
    path = answer_path(folder, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {"protocol": PROTOCOL, "task": number, "table": None, **values}
    if table is not None:
        import pyarrow.parquet

        parquet = path.with_suffix(".parquet")
        unfinished = parquet.with_name("." + parquet.name)
        pyarrow.parquet.write_table(table, str(unfinished))
        data = unfinished.read_bytes()
        content["table"] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        os.replace(str(unfinished), str(parquet))
    write_json(path, content)


class Beat:
    """Says twice a second that the process lives, and how many steps its work has made.

    A process that beats and makes no step hangs; one that does not beat is gone. It ends itself
    when the process that started it is gone.
    """

    def __init__(self, folder: Path):
        """Prepare; `start` begins."""
        self._folder = folder
        self._parent = os.getppid()
        self.steps = 0

    def step(self) -> None:
        """Say that the work goes on; called at least once for every forward pass."""
        self.steps += 1

    def start(self) -> None:
        """Begin to beat, from a thread."""
        threading.Thread(target=self._keep, name="beat", daemon=True).start()

    def _keep(self) -> None:
        beats = 0
        while True:
            if os.getppid() != self._parent:
                os._exit(3)
            beats += 1
            try:
                write_json(self._folder / BEAT, {"beat": beats, "steps": self.steps})
            except OSError:
                os._exit(3)  # the folder was taken away: nobody reads the answers
            time.sleep(BEAT_SECONDS)

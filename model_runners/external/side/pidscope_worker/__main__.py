"""The process that runs a model for PIDscope: reads tasks from a folder, writes answers there."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path
from typing import Any

from . import exchange
from .adapters import adapter_of, described
from .forks import BadSample, Unsupported
from .work import Work

POLL_SECONDS = 0.02


def main(folder: Path) -> int:
    """Serve the folder until a file named `stop` appears."""
    beat = exchange.Beat(folder)
    beat.start()
    number = 0
    try:
        request = exchange.read_json(folder / exchange.REQUEST)
        if request.get("protocol") != exchange.PROTOCOL:
            # The other side reads which one this is, and says so.
            exchange.write_json(folder / exchange.READY, {"protocol": exchange.PROTOCOL})
            return 4
        adapter = adapter_of(request)
        work = Work(adapter, request, beat.step)
        exchange.write_json(
            folder / exchange.READY,
            {"protocol": exchange.PROTOCOL, "identity": described(adapter, request)},
        )
        number = request["first_task"]
        while not (folder / exchange.STOP).exists():
            path = exchange.task_path(folder, number)
            if not path.exists():
                time.sleep(POLL_SECONDS)
                beat.step()  # waiting is no hanging
                continue
            values, table = work.do(exchange.read_json(path))
            exchange.write_answer(folder, number, values, table)
            number += 1
        return 0
    except (Unsupported, BadSample) as error:
        return _failed(folder, number, str(error))
    except Exception as error:  # the sentence goes to the other side, the rest into the log
        traceback.print_exc()
        lines = str(error).strip().splitlines() or ["no message"]
        return _failed(folder, number, type(error).__name__ + ": " + lines[0])


def _failed(folder: Path, number: int, sentence: str) -> int:
    content: dict[str, Any] = {"protocol": exchange.PROTOCOL, "task": number, "error": sentence}
    exchange.write_json(folder / exchange.FAILED, content)
    return 2


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""A worker that speaks the protocol and behaves as its plan says; no model, so it starts at once.

`python scripted.py PLAN [...]`, where PLAN is a file with one behaviour for each start; the last
one stays. The folder of the exchange comes last, as the supervisor gives it.
"""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "model_runners/external/side"))

from pidscope_worker import exchange  # pyright: ignore[reportMissingImports]


def behaviour(plan: Path) -> str:
    lines = plan.read_text().splitlines()
    if len(lines) > 1:
        plan.write_text("\n".join(lines[1:]))
    return lines[0]


def answer(folder: Path, number: int, task: dict) -> None:
    exchange.write_answer(folder, number, {"said": task["kind"]})


def main(plan: Path, folder: Path) -> int:
    how = behaviour(plan)
    request = exchange.read_json(folder / exchange.REQUEST)
    beat = exchange.Beat(folder)
    beat.start()
    if how == "dies while loading":
        sys.stdout.write("no such weights\n")
        return 1
    version = exchange.PROTOCOL + (how == "other version")
    exchange.write_json(folder / exchange.READY, {"protocol": version, "identity": {"layers": 1}})
    number = request["first_task"]
    while not (folder / exchange.STOP).exists():
        path = exchange.task_path(folder, number)
        if not path.exists():
            time.sleep(0.005)
            beat.step()
            continue
        task = exchange.read_json(path)
        place = exchange.answer_path(folder, number)
        place.parent.mkdir(parents=True, exist_ok=True)
        if how == "works":
            answer(folder, number, task)
        elif how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        elif how == "dies after an answer":
            answer(folder, number, task)
            return 1
        elif how == "says no":
            said = {"protocol": exchange.PROTOCOL, "task": number, "error": "no such picture"}
            exchange.write_json(folder / exchange.FAILED, said)
            return 2
        elif how == "garbage":
            place.write_bytes(b"\x00\xff{")
        elif how == "other answer":
            exchange.write_answer(folder, number + 1, {"said": "?"})
            exchange.answer_path(folder, number + 1).rename(place)
        elif how == "truncated":
            place.with_suffix(".parquet").write_bytes(b"PAR1 and the disk was full")
            table = {"bytes": 4096, "sha256": "0" * 64}
            exchange.write_answer(folder, number, {"table": table})
        elif how == "stopped":
            os.kill(os.getpid(), signal.SIGSTOP)
        number += 1
        if how == "hangs":
            time.sleep(3600)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[-1])))

"""A worker that dies, hangs or writes garbage costs a new start, or ends in one sentence."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model_runners.errors import Cancelled, WorkerFailed
from model_runners.external.spec import WorkerSpec
from model_runners.external.supervisor import Answer, Limits, Worker

QUICK = Limits(restarts=2, pause_seconds=0.01)
IMPATIENT = Limits(silence_seconds=2.5, step_seconds=2.5, restarts=2, pause_seconds=0.01)
TASK = {"kind": "anything"}


@pytest.fixture
def spec(tmp_path: Path):
    """Makes a worker whose starts behave one after the other as said; the last way stays."""

    def of(*ways: str) -> WorkerSpec:
        plan = tmp_path / "plan"
        plan.write_text("\n".join(ways))
        script = Path(__file__).with_name("scripted.py")
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "{plan}" "$@"\n')
        python.chmod(0o755)
        return WorkerSpec(python=python, adapter="cambrian", name="theirs", folder=tmp_path)

    return of


def said(answer: Answer) -> str:
    return str(answer.values["said"])


def test_a_worker_answers_one_task_after_the_other(spec) -> None:
    with Worker(spec("works"), {}, limits=QUICK) as worker:
        assert worker.identity == {"layers": 1}
        assert [worker.ask(TASK, said, "asking") for _ in range(3)] == ["anything"] * 3
        assert worker.starts == 1
        folder = worker.folder
    assert not folder.exists(), "the files of the exchange are taken away"


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("dies", r"ended \(killed by SIGKILL\)"),
        ("dies while loading", r"ended \(exit code 1\) while loading"),
        ("garbage", "wrote an answer that cannot be read"),
        ("truncated", "wrote a table of .* bytes that is not the one"),
        ("other answer", "wrote an answer to something else"),
    ],
)
def test_what_a_new_start_can_mend_is_mended(spec, way: str, told: str) -> None:
    sentences: list[str] = []
    with Worker(spec(way, "works"), {}, limits=QUICK, tell=sentences.append) as worker:
        assert worker.ask(TASK, said, "asking") == "anything"
        assert worker.starts == 2
    assert len(sentences) == 1
    assert re.search(told, sentences[0])
    assert "new start 1 of 2" in sentences[0]


@pytest.mark.parametrize(
    ("way", "told"), [("hangs", "made no step"), ("stopped", "gave no sign of life|made no step")]
)
def test_a_worker_that_hangs_is_started_anew(spec, way: str, told: str) -> None:
    sentences: list[str] = []
    with Worker(spec(way, "works"), {}, limits=IMPATIENT, tell=sentences.append) as worker:
        assert worker.ask(TASK, said, "asking") == "anything"
    assert re.search(f"({told}) for 2.5 s", " ".join(sentences))


def test_an_answer_that_was_written_counts_although_its_worker_is_gone(spec) -> None:
    with Worker(spec("dies after an answer", "works"), {}, limits=QUICK) as worker:
        assert worker.ask(TASK, said, "asking") == "anything"
        assert worker.starts == 1
        assert worker.ask(TASK, said, "asking") == "anything"
        assert worker.starts == 2


def test_a_worker_that_keeps_dying_ends_in_a_sentence_with_its_last_words(spec) -> None:
    with (
        pytest.raises(
            WorkerFailed,
            match=r"theirs ended .* while loading the model, 3 times in a row .*no such weights.*"
            "finished chunks are kept",
        ),
        Worker(spec("dies while loading"), {}, limits=QUICK),
    ):
        pass


def test_new_starts_are_counted_for_each_task(spec) -> None:
    with Worker(spec("dies", "dies", "works"), {}, limits=QUICK) as worker:
        worker.ask(TASK, said, "asking")
        assert worker.starts == 3
        worker.ask(TASK, said, "asking")


def test_another_version_is_refused_at_once(spec) -> None:
    with (
        pytest.raises(WorkerFailed, match="speaks version 2 of the protocol, and this PIDscope"),
        Worker(spec("other version"), {}, limits=QUICK),
    ):
        pass


def test_what_the_worker_itself_says_is_not_asked_again(spec) -> None:
    with Worker(spec("says no"), {}, limits=QUICK) as worker:
        with pytest.raises(WorkerFailed, match="says: no such picture"):
            worker.ask(TASK, said, "asking")
        assert worker.starts == 1


def test_an_answer_that_means_nothing_counts_as_garbage(spec) -> None:
    def refuse(_: Answer) -> None:
        raise ValueError("its rows are none")

    with (
        pytest.raises(WorkerFailed, match="its rows are none"),
        Worker(spec("works"), {}, limits=Limits(restarts=1, pause_seconds=0.01)) as worker,
    ):
        worker.ask(TASK, refuse, "asking")


def test_a_wish_to_stop_ends_the_waiting_for_a_model(spec) -> None:
    began = time.monotonic()
    with (
        pytest.raises(Cancelled),
        Worker(spec("dies while loading"), {}, limits=Limits(pause_seconds=60), stop=lambda: True),
    ):
        pass
    assert time.monotonic() - began < 30


def test_a_worker_whose_starter_is_gone_ends_itself(spec, tmp_path: Path) -> None:
    folder = tmp_path / "exchange"
    folder.mkdir()
    (folder / "request.json").write_text('{"protocol": 1, "first_task": 1}')
    python = spec("works").python
    script = f"import subprocess, time\np = subprocess.Popen([{str(python)!r}, {str(folder)!r}])\n"
    script += "print(p.pid, flush=True)\ntime.sleep(0.7)"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    worker = int(found.stdout)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{worker}/stat").exists():
            state = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0]
            if state == "Z":  # nobody collects it where there is no init
                return
        time.sleep(0.05)
    pytest.fail("the worker lives on")

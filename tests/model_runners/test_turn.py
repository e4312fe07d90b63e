"""A process waits for its job's turn, says for what, and is told what binds it to its device."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from data_cache import jobs
from data_cache.job_queue import Ask, ask
from data_cache.jobs import JobRow, Terms
from model_runners import turn
from model_runners.__main__ import build_parser
from model_runners.commands.waiting_arguments import terms_from
from model_runners.errors import BadOption, Cancelled
from model_runners.gpus import VISIBLE
from model_runners.places import DEVICES
from model_runners.turn import wait_for_turn

CPU = Ask(places={"cpu": 1}, names=("the CPU",))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(turn, "DRIVER_SECONDS", 0.0)
    monkeypatch.delenv(DEVICES, raising=False)
    monkeypatch.delitem(sys.modules, "torch", raising=False)


def queued(cache: Path, name: str, kind: str = "profile", **request: Any) -> JobRow:
    key = jobs.open_or_create(cache, kind, {"model": name, **request}, name).job_key
    assert jobs.reserve(cache, key)
    return jobs.find(cache, key)


def test_a_job_waits_says_for_what_and_goes_when_the_device_is_free(tmp_path: Path) -> None:
    holder = queued(tmp_path, "holder", device="cpu").job_key
    assert ask(tmp_path, holder, CPU).leased
    assert jobs.claim(tmp_path, holder, only_queued=True)
    job, said = queued(tmp_path, "waits", device="cpu"), []

    def heard(sentence: str) -> None:
        said.append(sentence)
        threading.Timer(0.1, jobs.finish, (tmp_path, holder, "done")).start()

    assert wait_for_turn(tmp_path, job, say=heard) == {}
    assert said == [f"waits for the CPU behind job {holder[:8]}, holder"]
    assert jobs.find(tmp_path, job.job_key).leased == ("cpu",)


def test_waiting_ends_when_it_is_told_to_or_the_job_is_cancelled(tmp_path: Path) -> None:
    holder = queued(tmp_path, "holder", device="cpu").job_key
    assert ask(tmp_path, holder, CPU).leased
    job = queued(tmp_path, "waits", asked={"device": "cpu"})  # as the request of a lens has it
    with pytest.raises(Cancelled, match="while it waited for a device"):
        wait_for_turn(tmp_path, job, stop=lambda: bool(jobs.find(tmp_path, job.job_key).waits_for))
    jobs.request_cancel(tmp_path, job.job_key)
    assert wait_for_turn(tmp_path, job) is None


def test_a_plan_waits_for_nothing_its_cells_do(tmp_path: Path) -> None:
    plan = queued(tmp_path, "plan", kind="plan", cells=[])
    assert wait_for_turn(tmp_path, plan) == {}
    assert jobs.find(tmp_path, plan.job_key).leased == ()


def test_a_gpu_that_another_program_holds_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/used\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv(VISIBLE, raising=False)
    used = tmp_path / "used"
    used.write_text("0, GPU-aa, 70000, 81559\n")
    # In an environment of its own, so that it does not matter what torch was built for here.
    request = {"device": "auto", "worker": "/env/bin/python"}
    job, said = queued(tmp_path, "waits", **request), []

    def heard(sentence: str) -> None:
        said.append(sentence)
        used.write_text("0, GPU-aa, 12, 81559\n")

    assert wait_for_turn(tmp_path, job, say=heard) == {VISIBLE: "GPU-aa"}
    assert said == [
        "waits for GPU 0; other programs hold memory of it (--busy-devices takes it all the same)"
    ]
    used.write_text("0, GPU-aa, 70000, 81559\n")
    jobs.finish(tmp_path, job.job_key, "cancelled")
    assert jobs.reserve(tmp_path, job.job_key, terms=Terms(busy_devices=True))
    assert wait_for_turn(tmp_path, jobs.find(tmp_path, job.job_key)) == {VISIBLE: "GPU-aa"}


def test_commands_say_how_a_job_waits() -> None:
    parser = build_parser(["profile", "run"])
    asked = ["profile", "--model", "m", "--benchmark", "b"]
    assert terms_from(parser.parse_args(asked)) is None
    found = terms_from(parser.parse_args([*asked, "--priority", "high", "--devices", "0,1"]))
    assert found == Terms(priority=1, devices=("0", "1"), retries=2)
    with pytest.raises(BadOption, match="leave out --device, or --devices"):
        terms_from(parser.parse_args([*asked, "--devices", "1", "--device", "cuda:0"]))
    assert parser.parse_args(["run", "plan.yaml", "--priority", "low"]).priority == "low"

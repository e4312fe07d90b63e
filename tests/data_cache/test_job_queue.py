"""Who gets a device: one at a place, by priority and age, and nobody keeps what it has left."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from data_cache import jobs
from data_cache.job_queue import WAITING_SILENCE, Ask, Turn, ask
from data_cache.jobs import Terms
from data_cache.location import jobs_path
from data_cache.processes import SILENCE_SECONDS

CPU = Ask(places={"cpu": 1}, names=("the CPU",))
BOTH = Ask(places={"GPU-a": 1, "GPU-b": 1}, names=("GPU 0", "GPU 1"))


def queued(cache: Path, name: str, priority: int = 0) -> str:
    key = jobs.open_or_create(cache, "profile", {"model": name}, name).job_key
    assert jobs.reserve(cache, key, terms=Terms(priority=priority))
    return key


def ended(cache: Path, key: str) -> None:
    assert jobs.claim(cache, key, only_queued=True)
    assert jobs.finish(cache, key, "done")


def set_columns(cache: Path, key: str, **values: object) -> None:
    with closing(sqlite3.connect(jobs_path(cache))) as connection, connection:
        for name, value in values.items():
            connection.execute(f"UPDATE jobs SET {name} = ? WHERE job_key = ?", [value, key])


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_one_job_has_a_device_until_it_ends(tmp_path: Path) -> None:
    first, second = queued(tmp_path, "first"), queued(tmp_path, "second")
    assert ask(tmp_path, first, CPU) == Turn(is_mine=True, leased=("cpu",))
    turn = ask(tmp_path, second, CPU, message="waits for the CPU")
    assert turn.leased == ()
    assert [(one.device, one.job_key) for one in turn.holders] == [("cpu", first)]
    row = jobs.find(tmp_path, second)
    assert (row.state, row.waits_for, row.message) == ("queued", ("the CPU",), "waits for the CPU")
    assert jobs.claim(tmp_path, first, only_queued=True)
    assert jobs.find(tmp_path, first).leased == ("cpu",)  # it is claimed with what it waited for
    assert ask(tmp_path, second, CPU).leased == ()
    jobs.finish(tmp_path, first, "done")
    assert ask(tmp_path, second, CPU).leased == ("cpu",)
    assert jobs.find(tmp_path, second).waits_for == ()


def test_the_highest_priority_goes_first_and_then_the_oldest(tmp_path: Path) -> None:
    holder = queued(tmp_path, "holder")
    assert ask(tmp_path, holder, CPU).leased
    keys = {
        name: queued(tmp_path, name, priority)
        for name, priority in (("low", -1), ("one", 0), ("two", 0), ("high", 1))
    }
    for key in keys.values():
        assert not ask(tmp_path, key, CPU).leased
    assert [ask(tmp_path, key, CPU).ahead for key in keys.values()] == [3, 1, 2, 0]
    ended(tmp_path, holder)
    for name in ("high", "one", "two", "low"):
        others = [key for key in keys.values() if key != keys[name]]
        assert not any(ask(tmp_path, key, CPU).leased for key in others)
        assert ask(tmp_path, keys[name], CPU).leased
        ended(tmp_path, keys.pop(name))


def test_a_priority_can_be_changed_while_a_job_waits(tmp_path: Path) -> None:
    holder, one, two = (queued(tmp_path, name) for name in ("holder", "one", "two"))
    for key in (holder, one, two):
        ask(tmp_path, key, CPU)
    assert jobs.set_priority(tmp_path, two, 1).priority == "high"
    assert [ask(tmp_path, key, CPU).ahead for key in (one, two)] == [1, 0]
    assert not jobs.reserve(tmp_path, one, terms=Terms(priority=1))  # asked for once more
    assert [ask(tmp_path, key, CPU).ahead for key in (one, two)] == [0, 1]


def test_each_job_takes_a_device_of_its_own_where_there_are_several(tmp_path: Path) -> None:
    keys = [queued(tmp_path, name) for name in "abc"]
    assert [ask(tmp_path, key, BOTH).leased for key in keys] == [("GPU-a",), ("GPU-b",), ()]
    # The CPU is another device, and two places on it are two.
    two = Ask(places={"cpu": 2}, names=("the CPU",))
    more = [queued(tmp_path, name) for name in "def"]
    assert [ask(tmp_path, key, two).leased for key in more] == [("cpu",), ("cpu",), ()]


def test_a_spread_model_gets_all_devices_though_others_want_one(tmp_path: Path) -> None:
    holder, spread, late = (queued(tmp_path, name) for name in ("holder", "spread", "late"))
    every = Ask(places=BOTH.places, names=BOTH.names, together=True)
    assert ask(tmp_path, holder, BOTH).leased == ("GPU-a",)
    assert ask(tmp_path, spread, every).leased == ()
    assert ask(tmp_path, late, BOTH).leased == ()  # or the spread one would starve
    ended(tmp_path, holder)
    assert ask(tmp_path, spread, every).leased == ("GPU-a", "GPU-b")


def test_memory_of_other_programs_keeps_a_device_from_jobs_and_that_of_ours_does_not(
    tmp_path: Path,
) -> None:
    held = Ask(places=BOTH.places, names=BOTH.names, foreign=frozenset({"GPU-a"}))
    first, second = queued(tmp_path, "first"), queued(tmp_path, "second")
    assert ask(tmp_path, first, held).leased == ("GPU-b",)
    both = Ask(places={"GPU-b": 2}, names=("GPU 1",), foreign=frozenset({"GPU-b"}))
    assert ask(tmp_path, second, both).leased == ("GPU-b",)  # its memory is that of the first


def test_a_killed_job_gives_its_device_back_and_holds_nobody_up(
    tmp_path: Path, other: subprocess.Popen[bytes]
) -> None:
    holder, ahead, last = (queued(tmp_path, name) for name in ("holder", "ahead", "last"))
    for key in (holder, ahead):
        assert jobs.adopt(tmp_path, key, pid=other.pid)
        ask(tmp_path, key, CPU, pid=other.pid)
    assert jobs.claim(tmp_path, holder, other.pid, only_queued=True)
    turn = ask(tmp_path, last, CPU)
    assert (turn.leased, turn.ahead, len(turn.holders)) == ((), 1, 1)
    other.kill()
    other.wait()
    assert ask(tmp_path, last, CPU).leased == ("cpu",)


def test_a_job_that_was_stopped_while_it_waited_is_passed_over(tmp_path: Path) -> None:
    holder, ahead, last = (queued(tmp_path, name) for name in ("holder", "ahead", "last"))
    for key in (holder, ahead):
        ask(tmp_path, key, CPU)
    ended(tmp_path, holder)
    assert ask(tmp_path, last, CPU).leased == ()
    with closing(sqlite3.connect(jobs_path(tmp_path))) as connection:
        (beat,) = connection.execute("SELECT beat FROM jobs WHERE job_key = ?", [ahead]).fetchone()
    set_columns(tmp_path, ahead, beat=beat - WAITING_SILENCE)
    assert ask(tmp_path, last, CPU).leased == ("cpu",)


def test_who_was_cancelled_or_replaced_waits_no_more(tmp_path: Path) -> None:
    cancelled, replaced = queued(tmp_path, "cancelled"), queued(tmp_path, "replaced")
    jobs.request_cancel(tmp_path, cancelled)
    assert not ask(tmp_path, cancelled, CPU).is_mine
    assert jobs.adopt(tmp_path, replaced, pid=os.getppid())
    assert not ask(tmp_path, replaced, CPU).is_mine
    assert not jobs.adopt(tmp_path, cancelled)


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_neither_frees_a_device_nor_loses_a_job(
    tmp_path: Path, jump: float
) -> None:
    holder, last = queued(tmp_path, "holder"), queued(tmp_path, "last")
    assert ask(tmp_path, holder, CPU).leased
    assert jobs.claim(tmp_path, holder, only_queued=True)
    # Its heartbeat was written by a clock that was a day off, in this and in another container.
    row = jobs.find(tmp_path, holder)
    boot = row.process_started.partition("/")[0]
    for stamped in (row.process_started, f"{boot}/pid:[1]/7"):
        set_columns(tmp_path, holder, heartbeat=row.heartbeat + jump, process_started=stamped)
        assert jobs.find(tmp_path, holder).state == "running"
        assert ask(tmp_path, last, CPU).leased == ()
        assert not jobs.reserve(tmp_path, holder)


def test_a_heartbeat_of_before_the_reboot_counts_for_nothing_though_the_clock_went_back(
    tmp_path: Path,
) -> None:
    key = queued(tmp_path, "before")
    assert ask(tmp_path, key, CPU).leased
    assert jobs.claim(tmp_path, key, only_queued=True)
    future = jobs.find(tmp_path, key).heartbeat + SILENCE_SECONDS + 1
    set_columns(tmp_path, key, heartbeat=future, process_started="another boot/pid:[1]/7")
    assert jobs.find(tmp_path, key).state == "lost"


def test_a_file_of_before_the_queue_is_read_and_then_upgraded(tmp_path: Path) -> None:
    key = queued(tmp_path, "old")
    assert jobs.claim(tmp_path, key)
    with closing(sqlite3.connect(jobs_path(tmp_path))) as connection, connection:
        for column in ("beat", "priority", "terms", "ticket", "wants", "leased"):
            connection.execute(f"ALTER TABLE jobs DROP COLUMN {column}")
        connection.execute("PRAGMA user_version=1")
    row = jobs.find(tmp_path, key)
    assert (row.state, row.terms, row.leased) == ("running", Terms(), ())
    new = queued(tmp_path, "new")  # the first writer upgrades it
    assert ask(tmp_path, new, CPU).leased == ("cpu",)
    assert jobs.find(tmp_path, key).state == "running"

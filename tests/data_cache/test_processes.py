"""A process is known by more than its number."""

import os
import subprocess
import sys
import time

from data_cache.processes import SILENCE_SECONDS, is_alive, is_here, stamp


def test_this_process_is_alive_and_here() -> None:
    mine = stamp(os.getpid())
    assert is_here(mine)
    assert is_alive(os.getpid(), mine, heartbeat=0)


def test_a_recycled_number_is_another_process() -> None:
    place, _, ticks = stamp(os.getpid()).rpartition("/")
    assert not is_alive(os.getpid(), f"{place}/{int(ticks) - 1}", heartbeat=time.time())


def test_a_killed_process_is_gone_even_before_its_parent_collects_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        stamped = stamp(process.pid)
        assert is_alive(process.pid, stamped, heartbeat=0)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet collected
        assert not is_alive(process.pid, stamped, heartbeat=time.time())
    finally:
        process.communicate()
    assert not is_alive(process.pid, stamped, heartbeat=time.time())


def test_elsewhere_the_heartbeat_decides() -> None:
    for stamped in ("another boot/pid:[1]/77", ""):
        assert not is_here(stamped)
        assert is_alive(os.getpid(), stamped, heartbeat=time.time())
        assert not is_alive(os.getpid(), stamped, heartbeat=time.time() - SILENCE_SECONDS - 1)


def test_a_number_without_a_process_is_gone() -> None:
    nobody = 2**22 + 1
    assert not is_alive(nobody, stamp(nobody), heartbeat=time.time())

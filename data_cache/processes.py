"""Whether the process that took a job is still there, though its number may have been given away.

A process is known by its number and a stamp: where the number counts (one boot of one machine, one
namespace of process numbers) and when the process started. Where the stamp was made elsewhere, or
the system has no /proc, the age of the last heartbeat decides. Its age is taken on the clock that
counts from the boot where that is the same (containers), because clocks that people see can jump.
"""

import os
import time
from pathlib import Path

HEARTBEAT_SECONDS = 2.0
"""How often a worker says that it lives."""
SILENCE_SECONDS = 60.0
"""After so long without a heartbeat, a process that cannot be looked at counts as gone."""

_PROC = Path("/proc")
_GONE = frozenset("ZX")
"""States of a process that has ended and only waits to be collected by its parent."""


def stamp(pid: int) -> str:
    """Return the stamp of a process, empty where the system does not tell."""
    place, found = _place(), _look(pid)
    return f"{place}/{found[1] if found else 'gone'}" if place else ""


def boot_clock() -> float:
    """Return the seconds since this machine began, with those asleep; nobody can set it."""
    which = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if which is None else time.clock_gettime(which)


def is_alive(pid: int, stamped: str, heartbeat: float, beat: float | None = None) -> bool:
    """Return whether the process that was stamped lives.

    Parameters
    ----------
    pid
        Its number.
    stamped
        What `stamp` said of it.
    heartbeat
        When it was last heard of, seconds since the epoch.
    beat
        The same on `boot_clock` of its machine, where it is known.
    """
    place, _, started = stamped.rpartition("/")
    if not place or place != _place():
        if beat is not None and is_same_machine(stamped):
            return abs(boot_clock() - beat) < SILENCE_SECONDS
        # A heartbeat from the future is as strange as an old one: a clock was set meanwhile.
        return abs(time.time() - heartbeat) < SILENCE_SECONDS
    found = _look(pid)
    return found is not None and found[0] not in _GONE and found[1] == started


def is_here(stamped: str) -> bool:
    """Return whether a stamped process is one that this process could send a signal to."""
    place = stamped.rpartition("/")[0]
    return bool(place) and place == _place()


def is_same_machine(stamped: str) -> bool:
    """Return whether a stamped process is of this machine and boot, in whatever container."""
    boot = stamped.partition("/")[0]
    return bool(boot) and boot == _place().partition("/")[0]


def _place() -> str:
    """Name this boot and this namespace of process numbers; containers share the former."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return ""


def _look(pid: int) -> tuple[str, str] | None:
    """Return state and start time (fields 3 and 22 of /proc/PID/stat), None if there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return (fields[0], fields[19]) if len(fields) > 19 else None

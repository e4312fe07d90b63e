"""Who of the jobs that want a device may have it: one at a place, by priority, then by age.

There is no process that gives devices away. A job that waits asks again and again, each time in one
transaction: what living jobs hold is not free, and what waiting jobs ahead of it would take it
leaves to them. A lease is part of the job's row, so that it ends with the job's process, however
that ends. A lease counts on the machine whose process holds it.
"""

import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from data_cache.jobs_file import transaction
from data_cache.processes import boot_clock, is_alive, is_same_machine

WAITING_SILENCE = 20.0
"""A job that waits and has not asked for so many seconds holds nobody back: it was stopped."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a job wants of the devices of this machine."""

    places: Mapping[str, int]
    """How many jobs may be at each device at once, by what names the device for all processes of
    this machine: `cpu`, or the UUID of a GPU. Any of them will do."""
    names: Sequence[str] = ()
    """The same devices as a person calls them."""
    foreign: frozenset[str] = frozenset()
    """Those whose memory other programs hold; taken only beside jobs of ours."""
    together: bool = False
    """It wants all of them at once: a model that is spread over devices."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A job that has a device."""

    device: str
    job_key: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a job that asked is told."""

    is_mine: bool
    """False when it was cancelled or another process has taken it: stop waiting."""
    leased: tuple[str, ...] = ()
    """The devices that are its own now; empty while it has to wait."""
    ahead: int = 0
    """Jobs that wait for one of these devices and go first."""
    holders: tuple[Holder, ...] = ()
    """Jobs that have one of these devices."""


def ask(cache: Path, key: str, wanted: Ask, *, message: str = "", pid: int | None = None) -> Turn:
    """Ask for a device once, and say that the job still waits.

    Parameters
    ----------
    cache, key
        A job that this process has reserved.
    wanted
        The devices.
    message
        One line for lists.
    pid
        The process that waits; this one by default.

    Raises
    ------
    data_cache.errors.CacheError
        If the jobs' file cannot be written.
    """
    me = os.getpid() if pid is None else pid
    asked = {
        "places": dict(wanted.places),
        "names": list(wanted.names),
        "foreign": sorted(wanted.foreign),
        "together": wanted.together,
    }
    with transaction(cache) as connection:
        changed = connection.execute(
            """UPDATE jobs SET heartbeat = ?, beat = ?, message = ?, wants = ?
               WHERE job_key = ? AND state = 'queued' AND pid = ?""",
            [time.time(), boot_clock(), message, json.dumps(asked), key, me],
        ).rowcount
        if changed != 1:
            return Turn(is_mine=False)
        others = _others(connection, key)
        mine = connection.execute(
            "SELECT priority, ticket FROM jobs WHERE job_key = ?", [key]
        ).fetchone()
        holders = [
            Holder(device=device, job_key=row["job_key"], title=row["title"])
            for row in others
            for device in json.loads(row["leased"])
            if device in wanted.places
        ]
        ahead = [row for row in _waiting(others) if _order(row) < _order(mine)]
        leased = _choose(wanted, others, ahead)
        if leased:
            connection.execute(
                "UPDATE jobs SET leased = ?, wants = '', message = '' WHERE job_key = ?",
                [json.dumps(leased), key],
            )
    return Turn(
        is_mine=True,
        leased=tuple(leased),
        ahead=sum(bool(set(_ask_of(row).places) & set(wanted.places)) for row in ahead),
        holders=tuple(holders),
    )


def _choose(wanted: Ask, others: Sequence[sqlite3.Row], ahead: Sequence[sqlite3.Row]) -> list[str]:
    """Return what the job may have now; nothing while it has to wait."""
    held = Counter(device for row in others for device in json.loads(row["leased"]))
    ours = frozenset(held)
    taken = Counter(held)
    for row in ahead:
        other = _ask_of(row)
        free = _free(other, taken, ours)
        if other.together:  # kept for it, or it would never have all of them
            taken.update(other.places)
        elif free:
            taken[free[0]] += 1
    free = _free(wanted, taken, ours)
    if wanted.together:
        return free if len(free) == len(wanted.places) else []
    return free[:1]


def _free(asked: Ask, taken: Mapping[str, int], ours: frozenset[str]) -> list[str]:
    return [
        device
        for device, places in asked.places.items()
        if taken.get(device, 0) < places and (device not in asked.foreign or device in ours)
    ]


def _others(connection: sqlite3.Connection, key: str) -> list[sqlite3.Row]:
    """Return the other jobs with a living process on this machine."""
    rows = connection.execute(
        """SELECT * FROM jobs
           WHERE state IN ('queued', 'running') AND pid IS NOT NULL AND job_key != ?""",
        [key],
    ).fetchall()
    return [
        row
        for row in rows
        if is_same_machine(row["process_started"]) or not row["process_started"]
        if is_alive(row["pid"], row["process_started"], row["heartbeat"], row["beat"])
    ]


def _waiting(rows: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
    now = boot_clock()
    waiting = [
        row
        for row in rows
        if row["state"] == "queued" and row["wants"] and now - row["beat"] < WAITING_SILENCE
    ]
    return sorted(waiting, key=_order)


def _order(row: sqlite3.Row) -> tuple[int, int]:
    return (-row["priority"], row["ticket"])


def _ask_of(row: sqlite3.Row) -> Ask:
    said = cast("dict[str, Any]", json.loads(row["wants"]))
    return Ask(
        places=said["places"],
        names=said["names"],
        foreign=frozenset(said["foreign"]),
        together=said["together"],
    )

"""How a process waits until a device is its job's own, and says meanwhile what it waits for."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from data_cache.errors import CacheBusy
from data_cache.job_queue import Turn, ask
from data_cache.jobs import JobRow
from model_runners.errors import Cancelled
from model_runners.kinds import kind_entry
from model_runners.places import Places, places_for
from model_runners.unwatched import ignore, never

POLL_SECONDS = 0.5
DRIVER_SECONDS = 3.0
"""How often the driver is asked what other programs hold."""
TITLE_LENGTH = 60


def wait_for_turn(
    cache: Path,
    job: JobRow,
    *,
    say: Callable[[str], None] = ignore,
    stop: Callable[[], bool] = never,
) -> dict[str, str] | None:
    """Wait until a device is the job's own, if it wants one.

    Returns the variables that bind a process to that device, or None where the job was cancelled
    or is not this process's any more.

    Parameters
    ----------
    cache, job
        A job that this process has reserved or adopted.
    say
        Told what it waits for, whenever that changes.
    stop
        Whether to give up.

    Raises
    ------
    Cancelled
        If `stop` says so.
    BadOption
        If the variable PIDSCOPE_DEVICES names no devices.
    """
    if not kind_entry(job.kind).wants_device:
        return {}
    request: Mapping[str, Any] = job.request.get("asked", job.request)
    said, places, looked = "", places_for(request, job.terms), time.monotonic()
    if places is None:
        return {}
    while True:
        if stop():
            raise Cancelled("stopped while it waited for a device")
        try:
            turn = ask(cache, job.job_key, places.ask, message=said)
        except CacheBusy:  # a crowd; the next time may be luckier
            time.sleep(POLL_SECONDS)
            continue
        if not turn.is_mine:
            return None
        if turn.leased:
            return places.environment(turn.leased)
        now = sentence(places, turn)
        if now != said:
            said = now
            say(said)
            continue  # it is in the job's row at once
        time.sleep(POLL_SECONDS)
        if time.monotonic() - looked > DRIVER_SECONDS and places.ask.names != ("the CPU",):
            places, looked = places_for(request, job.terms) or places, time.monotonic()


def sentence(places: Places, turn: Turn) -> str:
    """Say what a job waits for, and behind whom.

    >>> from data_cache.job_queue import Ask, Holder, Turn
    >>> cpu = Places(ask=Ask(places={"cpu": 1}, names=("the CPU",)), visible={"cpu": ""})
    >>> holder = Holder(device="cpu", job_key="1a2b3c4d5e6f7a8b", title="m on b (4 draws)")
    >>> sentence(cpu, Turn(is_mine=True, holders=(holder,), ahead=2))
    'waits for the CPU behind job 1a2b3c4d, m on b (4 draws); 2 more jobs go first'
    """
    names = (" and " if places.ask.together else " or ").join(places.ask.names)
    parts = [f"waits for {names}"]
    if turn.holders:
        first = turn.holders[0]
        title = first.title[:TITLE_LENGTH] + ("…" if len(first.title) > TITLE_LENGTH else "")
        more = len({one.job_key for one in turn.holders}) - 1
        rest = f" and {more} more" if more else ""
        parts[0] += f" behind job {first.job_key[:8]}, {title}{rest}"
    if turn.ahead:
        others = "more " if turn.holders else ""
        one = turn.ahead == 1
        parts.append(f"{turn.ahead} {others}job{' goes' if one else 's go'} first")
    held = places.ask.foreign - {one.device for one in turn.holders}
    if held:
        parts.append(
            "other programs hold memory of "
            + ("it" if len(places.ask.places) == 1 else f"{len(held)} of them")
            + " (--busy-devices takes it all the same)"
        )
    return "; ".join(parts)

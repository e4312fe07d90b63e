"""How a run waits for a device: its priority, and behind whom it would wait now."""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from data_cache import jobs
from data_cache.errors import DataError
from data_cache.job_rows import PRIORITIES, JobRow, Terms
from model_runners.gpus import Gpu, unused_gpu, visible_gpus
from model_runners.jobs import RETRIES
from model_runners.places import Places, places_for
from model_runners.profile import ProfileOptions
from pages.widgets import state
from pages.widgets.address import note_unknown

USUAL = "normal"


def choose_terms(options: ProfileOptions, cache: Path) -> Terms:
    """Draw the picker, and say what the run would wait for.

    Raises
    ------
    BadOption
        If the variable PIDSCOPE_DEVICES names no devices.
    """
    note_unknown(state.RUN_PRIORITY, PRIORITIES)
    priority = st.segmented_control(
        "Priority",
        list(PRIORITIES),
        default=USUAL,
        required=True,
        key=state.RUN_PRIORITY,
        bind="query-params",
        help="Each device has one job at a time. Of those that wait, the highest priority goes "
        "first, then the oldest.",
    )
    gpus, unused = _driver()
    asked = {
        "device": options.device,
        "device_map": options.device_map,
        "worker": options.worker,
    }
    places = places_for(asked, Terms(), gpus=gpus, early=True)
    takes_held = False
    if places is not None and places.ask.foreign:
        takes_held = st.checkbox(
            "Take GPUs that others hold",
            key=state.RUN_BUSY,
            bind="query-params",
            help="Other programs hold memory of a GPU; a run is not put beside them unasked.",
        )
    level = PRIORITIES.get(priority or USUAL, 0)
    with st.container(gap="xxsmall"):
        if places is not None:
            line = before(places, _rows(cache), priority=level, takes_held=takes_held)
            if line:
                st.text(line)
        if unused and options.device != "cpu":
            st.text(f"{unused[0].upper()}{unused[1:]}.")
    return Terms(priority=level, busy_devices=takes_held, retries=RETRIES)


def before(
    places: Places, rows: Iterable[JobRow], *, priority: int = 0, takes_held: bool = False
) -> str:
    """Say what a run would wait for if it were started now; empty where it would begin.

    Parameters
    ----------
    places
        The devices that would do for it.
    rows
        All jobs.
    priority
        Its own; who waits with a lower one stays behind it.
    takes_held
        It takes GPUs of which other programs hold memory.
    """
    ask, at_work = places.ask, [row for row in rows if row.is_active]
    holders = [row for row in at_work if set(row.leased) & set(ask.places)]
    waiting = [
        row
        for row in at_work
        if set(row.waits_for) & set(ask.names) and row.terms.priority >= priority
    ]
    held = 0 if takes_held else len(ask.foreign)
    taken = sum(len(set(row.leased) & set(ask.places)) for row in holders)
    if taken + held + len(waiting) < sum(ask.places.values()):
        return ""
    names = " or ".join(ask.names)
    jobs_before = [
        f"{_jobs(len(holders))} that {_has(len(holders))} it" if holders else "",
        f"{_jobs(len(waiting))} in line" if waiting else "",
        "other programs that hold its memory" if held else "",
    ]
    return f"A run started now waits for {names}: {', '.join(filter(None, jobs_before))}."


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _rows(cache: Path) -> list[JobRow]:
    try:
        return jobs.jobs(cache)
    except DataError:  # the list of jobs says it
        return []


@st.cache_data(ttl=10, show_spinner=False)
def _driver() -> tuple[list[Gpu], str]:
    """Ask the driver, not at every click."""
    return visible_gpus(), unused_gpu()

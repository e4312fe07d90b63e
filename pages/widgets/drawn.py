"""What the page has drawn in this run, for its export; forgotten as soon as the run has ended.

A fragment that runs on its own draws again what is noted already, and notes nothing.
"""

import dataclasses

import streamlit as st

from pages.report.parts import Figure, Part, Table, Words
from pages.widgets import state


def begin() -> None:
    """Forget everything; the first call of a run."""
    st.session_state[state.DRAWN_PARTS] = []


def note(part: Part) -> None:
    """Remember a part of the page, in the order of the page."""
    parts: list[Part] | None = st.session_state.get(state.DRAWN_PARTS)
    if parts is None:
        return
    if isinstance(part, Figure | Table):
        taken = {one.name for one in parts if isinstance(one, Figure | Table)}
        part = dataclasses.replace(part, name=_free(part.name, taken))
    parts.append(part)


def show_caption(text: str) -> None:
    """Show a caption of our own words, which a report repeats; texts of others are `st.text`."""
    note(Words(text=text, kind="note"))
    st.caption(text)


def parts() -> tuple[Part, ...]:
    """Return what was drawn so far."""
    return tuple(st.session_state.get(state.DRAWN_PARTS) or ())


def end() -> None:
    """Forget everything, so that no session holds figures between two runs."""
    if not st.session_state.get(state.KEEP_DRAWN):
        st.session_state.pop(state.DRAWN_PARTS, None)


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a number where another part has it."""
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free

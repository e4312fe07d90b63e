"""Buttons whose click is not lost when the page begins again before it came to them."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from data_cache.permission import refusal
from pages.widgets import state
from pages.widgets.visitors import why_disabled


def clicked(label: str, *, key: str, first: Callable[[], None] | None = None, **look: Any) -> bool:
    """Draw a button and tell whether it was clicked.

    As `st.button`, but the click is kept until the button is drawn: the first run on a server just
    started begins again (see `entry`), and so does one that finds that a job has ended.

    Parameters
    ----------
    label, key
        The button's words, and its name in the session.
    first
        What is to be done before anything is drawn again.
    look
        More for `st.button`.
    """
    st.button(label, key=key, on_click=_note, args=(key, first), **look)
    if st.session_state.get(state.WISH) != key:
        return False
    forget()
    return True


def acted(label: str, *, key: str, disabled: bool = False, **look: Any) -> bool:
    """As `clicked`, for a button that starts, writes or deletes: nothing for who may only look.

    Parameters
    ----------
    label, key
        As for `clicked`.
    disabled
        It cannot be clicked now for another reason.
    look
        More for `st.button`.
    """
    refused = refusal() is not None
    look["help"] = why_disabled(look.get("help"))
    return clicked(label, key=key, disabled=disabled or refused, **look) and not refused


def forget() -> None:
    """Drop a click on a button that is not there any more; the last call of a page with buttons."""
    st.session_state.pop(state.WISH, None)


def _note(key: str, first: Callable[[], None] | None) -> None:
    st.session_state[state.WISH] = key
    if first is not None:
        first()

"""One sentence where the address asks for something that is not here."""

from collections.abc import Iterable

import streamlit as st

from pages.widgets import state

LONGEST_QUOTE = 60
"""Characters of an address that are repeated on the page."""


def begin_notes() -> None:
    """Forget what was noted in the run before."""
    st.session_state[state.NOTES] = []


def note_unknown(name: str, options: Iterable[str]) -> None:
    """Note it if the address gives a parameter a value that is none of its options.

    To be called before the picker is drawn, which takes the wrong value out of the address.
    """
    known = set(options)
    for wanted in st.query_params.get_all(name):
        if wanted not in known:
            note(name, wanted)


def note(name: str, wanted: str) -> None:
    """Note that the address asks for a value that is not here."""
    st.session_state[state.NOTES].append((name, wanted))


def show_notes() -> None:
    """Show what was noted, in a sentence, as plain text: whoever made the link wrote the values."""
    sentence = sentence_of(st.session_state[state.NOTES])
    if sentence:
        say(sentence)
    begin_notes()


def sentence_of(notes: Iterable[tuple[str, str]]) -> str:
    """Return the sentence; empty where nothing was noted.

    >>> sentence_of([("page", "999"), ("sort", "x")])
    'The address asks for page “999”, sort “x”, which is not here; what is here is shown instead.'
    """
    wanted = ", ".join(f"{name} “{quoted(value)}”" for name, value in notes)
    if not wanted:
        return ""
    return f"The address asks for {wanted}, which is not here; what is here is shown instead."


def say(sentence: str) -> None:
    """Show a sentence in a frame of its own, as plain text."""
    with st.container(border=True):
        st.text(sentence)


def quoted(text: str) -> str:
    """Cut a text from an address to a length that fits into a sentence.

    >>> quoted("a" * 100) == "a" * 59 + "…"
    True
    """
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[: LONGEST_QUOTE - 1]}…"

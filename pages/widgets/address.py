"""A sentence where the address asks for something that is not here."""

from collections.abc import Iterable

import streamlit as st

LONGEST_QUOTE = 60
"""Characters of an address that are repeated on the page."""


def note_unknown(name: str, options: Iterable[str], *, instead: str) -> None:
    """Say so if the address gives a parameter a value that is none of its options.

    To be called before the picker is drawn, which takes the wrong value out of the address.

    Parameters
    ----------
    name
        The parameter.
    options
        What it can be.
    instead
        What is shown instead, in words.
    """
    known = set(options)
    for wanted in st.query_params.get_all(name):
        if wanted not in known:
            # Plain text: whoever made the link wrote the value.
            say(f"The address asks for {name} “{quoted(wanted)}”, which is not here; {instead}.")


def say(sentence: str) -> None:
    """Show a sentence in a frame of its own, as plain text."""
    with st.container(border=True):
        st.text(sentence)


def quoted(text: str) -> str:
    """Cut a text from an address to a length that fits into a sentence.

    >>> quoted("a" * 100) == "a" * 59 + "…"
    True
    """
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"

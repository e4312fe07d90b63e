"""Which test questions a training moved from wrong to right, and back."""

from collections.abc import Sequence

import streamlit as st

from data_cache.disagreement import Agreement, Differing
from pages.figures.before_after import Pair
from pages.figures.rows import subset_label
from pages.widgets import drawn, state
from pages.widgets.adapter_parts import Shown, pair_shown
from pages.widgets.address import note_unknown
from pages.widgets.disagreement_list import show_list
from pages.widgets.pair_choices import Together
from pages.widgets.stored import Stored
from pages.widgets.stored_pairs import read_agreement

WAYS = {"wrong to right": "only_1", "right to wrong": "only_0"}
"""Of two models, before and after, the one that is right alone."""


def show_moved(shown: Shown, pairs: Sequence[Pair], reading: Stored) -> None:
    """Count the questions that moved, and list those of one way; each leads to its sample."""
    pair = pair_shown(pairs, shown)
    if pair is None:
        return
    st.subheader("Which answers moved", anchor=False)
    keys = (pair.before.estimate_key, pair.after.estimate_key)
    counts = moved(read_agreement(reading, keys))
    st.text(in_words(counts, subset_label(pair.after.subset)))
    note_unknown(state.MOVED, WAYS)
    wanted = st.segmented_control(
        "Answers that went",
        list(WAYS),
        default=next(iter(WAYS)),
        required=True,
        key=state.MOVED,
        bind="query-params",
        help="A is the base, B the model with the adapter.",
    )
    way = wanted if wanted in WAYS else next(iter(WAYS))
    drawn.show_caption(
        "A is the base, B the model with the adapter, on the same test questions; those whose "
        "answer moved furthest come first. Some move by chance: another seed moves others, and the "
        "table above says how many every seed moves."
    )
    if not counts[way]:
        st.text(f"No answer went from {way}.")
        return
    show_list(
        reading,
        Together(records=(pair.before, pair.after)),
        Differing(estimate_keys=keys, kind=WAYS[way], order_by="answer"),
        across=False,
    )


def moved(found: Agreement) -> dict[str, int]:
    """Return how many answers went which way."""
    return {
        "wrong to right": found.count(lambda one: one.right == (False, True)),
        "right to wrong": found.count(lambda one: one.right == (True, False)),
    }


def in_words(counts: dict[str, int], subset: str) -> str:
    """Say how many answers moved.

    >>> in_words({"wrong to right": 12, "right to wrong": 3}, "synergy")
    'synergy: 12 answers went from wrong to right and 3 from right to wrong.'
    """
    won, lost = counts["wrong to right"], counts["right to wrong"]
    answers = "1 answer" if won == 1 else f"{won:,} answers"
    return f"{subset}: {answers} went from wrong to right and {lost:,} from right to wrong."

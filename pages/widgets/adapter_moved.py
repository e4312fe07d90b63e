"""Which test questions a training moved from wrong to right, and back."""

from collections.abc import Mapping, Sequence

import streamlit as st

from data_cache.adapters import AdapterRecord
from data_cache.disagreement import Differing
from model_runners.finetuning.standings import Standing
from pages.figures.before_after import Pair
from pages.figures.rows import subset_label
from pages.widgets import drawn, state
from pages.widgets.adapter_parts import EVERY, Shown
from pages.widgets.adapter_strategies import read_standings
from pages.widgets.address import note_unknown
from pages.widgets.disagreement_list import show_list
from pages.widgets.pair_choices import Together
from pages.widgets.stored import Stored

WAYS = {"wrong to right": "only_1", "right to wrong": "only_0"}
"""Of two models, before and after, the one that is right alone."""
Moved = tuple[int, int]
"""Answers that went from wrong to right, and back."""


def show_moved(
    shown: Shown, pairs: Sequence[Pair], adapters: Sequence[AdapterRecord], reading: Stored
) -> None:
    """Count the questions that moved, and list those of one way; each leads to its sample."""
    by_subset = read_standings(shown.adapter, adapters, reading, shown.benchmark)
    counts = moved(shown.adapter, by_subset)
    if not counts or not pairs:
        return
    st.subheader("Which answers moved", anchor=False)
    st.text(in_words(counts, shown.subset))
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
    place = list(WAYS).index(way)
    subset = shown.subset or most(counts, place)
    pair = next((one for one in pairs if one.after.subset == subset), None)
    if pair is None or not counts.get(subset, (0, 0))[place]:
        st.text(f"No answer went from {way}.")
        return
    drawn.show_caption(
        "A is the base, B the model with the adapter, on the same test questions; those whose "
        "answer moved furthest come first. Some move by chance: another seed moves others, and the "
        "table above says how many every seed moves."
    )
    if shown.subset is None and len(pairs) > 1:
        listed = subset_label(pair.after.subset)
        st.text(f"Listed are those of {listed}. Choose another subset above to see its own.")
    show_list(
        reading,
        Together(records=(pair.before, pair.after)),
        Differing(
            estimate_keys=(pair.before.estimate_key, pair.after.estimate_key),
            kind=WAYS[way],
            order_by="answer",
        ),
        across=False,
    )


def moved(
    adapter: AdapterRecord, by_subset: Mapping[str | None, Sequence[Standing]]
) -> dict[str | None, Moved]:
    """Return how many answers one adapter moved, by subset; None is all of them."""
    seed = int(adapter.options.get("seed", 0))
    return {
        subset: one.moved_by_seed[one.seeds.index(seed)]
        for subset, found in by_subset.items()
        for one in found
        if one.strategy == adapter.strategy and seed in one.seeds
    }


def most(counts: Mapping[str | None, Moved], place: int) -> str | None:
    """Return the subset in which most answers went one way, the first of equals.

    >>> most({"a": (1, 5), "b": (4, 0), None: (5, 5)}, 0)
    'b'
    """
    single = {subset: count[place] for subset, count in counts.items() if subset is not None}
    return max(single, key=lambda subset: single[subset], default=None)


def in_words(counts: Mapping[str | None, Moved], subset: str | None) -> str:
    """Say how many answers moved, and where, if all subsets are asked for.

    >>> in_words({None: (12, 3), "a": (12, 1), "b": (0, 2)}, "a")
    'a: 12 answers went from wrong to right and 1 from right to wrong.'
    >>> in_words({None: (12, 3), "a": (12, 1), "b": (0, 2), "c": (0, 0)}, None)
    'every subset: 12 answers went from wrong to right and 3 from right to wrong; a 12 and 1, b 0 \
and 2.'
    """
    won, lost = counts.get(subset, (0, 0))
    name = EVERY if subset is None else subset_label(subset)
    answers = "1 answer" if won == 1 else f"{won:,} answers"
    parts = [
        f"{subset_label(one)} {count[0]:,} and {count[1]:,}"
        for one, count in counts.items()
        if subset is None and one is not None and any(count)
    ]
    told = f"; {', '.join(parts)}" if len(parts) > 1 else ""
    return f"{name}: {answers} went from wrong to right and {lost:,} from right to wrong{told}."

"""The samples that two models answer differently: how many, and which."""

from collections.abc import Mapping
from math import ceil
from typing import TypeVar

import pandas as pd
import streamlit as st

from data_cache.disagreement import Agreement, DisagreementRow, Kind, Order, Side
from data_cache.estimates import SpectrumRecord
from data_cache.samples import letter_of
from pages.figures.palette import ATOMS
from pages.widgets import state
from pages.widgets.address import note_unknown, say, show_notes
from pages.widgets.drill_down import remember_sample
from pages.widgets.pair_choices import Compared
from pages.widgets.pictures import show_picture
from pages.widgets.stored import Stored
from pages.widgets.stored_pairs import read_disagreements

KIND_LABELS: dict[str, Kind] = {
    "any disagreement": "any",
    "only A right": "only_a",
    "only B right": "only_b",
    "both wrong, differently": "both_wrong",
}
ORDER_LABELS: dict[str, Order] = {
    "GapScore, largest difference": "gap",
    "Benchmark order": "position",
}
Chosen = TypeVar("Chosen")
PER_PAGE = 10
PICTURE_PIXELS = 112


def show_counts(found: Agreement) -> None:
    """Show who is right how often, and on how many samples both were asked."""
    st.text(in_common(found))
    if not found.common:
        return
    st.dataframe(
        counts(found),
        column_config={
            name: st.column_config.TextColumn(alignment="right") for name in counts(found).columns
        },
        alt="How many samples both, one or none of the models answers right.",
        width="content",
    )


def in_common(found: Agreement) -> str:
    """Say how many samples the two estimates share."""
    if found.common == found.samples_a == found.samples_b:
        return f"Both models answered the same {found.common:,} samples."
    if not found.common:
        return (
            f"A has {found.samples_a:,} samples and B {found.samples_b:,}, and none of them in "
            "common with their texts: they may come from different versions of the benchmark."
        )
    return (
        f"A has {found.samples_a:,} samples and B {found.samples_b:,}; "
        f"{found.common:,} are in common, and only these are listed."
    )


def counts(found: Agreement) -> pd.DataFrame:
    """Return the table of who is right."""
    return pd.DataFrame(
        {
            "B right": [f"{found.both_right:,}", f"{found.only_b:,}"],
            "B wrong": [f"{found.only_a:,}", f"{found.both_wrong:,}"],
            "same answer": ["", f"{found.both_wrong_same:,}"],
            "another answer": [f"{found.only_a:,}", f"{found.both_wrong_differently:,}"],
        },
        index=pd.Index(["A right", "A wrong"]),
    )


def show_list(reading: Stored, compared: Compared) -> None:
    """Show the pickers and one page of samples; everything of the benchmark is plain text."""
    with st.container(horizontal=True, vertical_alignment="top"):
        kind = _choose("Show", state.DIFFERING, KIND_LABELS)
        order = _choose("Sort by", state.DIFFERING_ORDER, ORDER_LABELS)
    _begin_again_with_others(compared, kind, order)
    start = read_disagreements(
        reading, compared.pair, kind=kind, order_by=order, limit=PER_PAGE, offset=0
    )
    pages = max(ceil(start.total / PER_PAGE), 1)
    note_unknown(state.DIFFERING_PAGE, (str(number + 1) for number in range(pages)))
    show_notes()
    if not start.total:
        say(
            "The two models give the same answer to every sample."
            if kind == "any"
            else "No sample is of this kind; choose another one, or another subset."
        )
        return
    number = st.pagination(pages, key=state.DIFFERING_PAGE, bind="query-params") if pages > 1 else 1
    first = (number - 1) * PER_PAGE
    page = read_disagreements(
        reading, compared.pair, kind=kind, order_by=order, limit=PER_PAGE, offset=first
    )
    st.caption(f"{first + 1:,} to {first + len(page.rows):,} of {page.total:,} samples")
    for place, row in enumerate(page.rows, start=first + 1):
        _show_row(row, compared, place)


def carried_by(numbers: Mapping[str, float | None]) -> str:
    """Name the largest atom of a sample.

    >>> carried_by({"redundancy": 0.1, "unique_1": 0.2, "unique_2": -1.0, "synergy": 1.5})
    'mostly synergy (1.50 bits)'
    """
    known = [(value, atom.label) for atom in ATOMS if (value := numbers[atom.field]) is not None]
    if not known:
        return "no atoms"
    value, label = max(known, key=lambda one: one[0])
    return f"mostly {label.lower()} ({value:.2f} bits)" if value > 0 else "no atom is positive"


def _show_row(row: DisagreementRow, compared: Compared, place: int) -> None:
    with st.container(border=True):
        picture, asked, first, second = st.columns([1, 3, 2, 2], gap="small")
        with picture:
            show_picture(row.thumbnail, side=PICTURE_PIXELS, alt=f"Image of sample {place}")
        with asked, st.container(gap="xsmall"):
            st.text(row.question)
            st.text(f"Right: {_option(row, row.answer)}")
        for column, letter, side, record in (
            (first, "A", row.a, compared.a),
            (second, "B", row.b, compared.b),
        ):
            with column, st.container(gap="xsmall"):
                _show_side(row, letter, side, record, place)


def _show_side(
    row: DisagreementRow, letter: str, side: Side, record: SpectrumRecord, place: int
) -> None:
    is_right = side.choice == row.answer
    st.badge(
        f"{letter} is right" if is_right else f"{letter} is wrong",
        icon=":material/check:" if is_right else ":material/close:",
        color="green" if is_right else "orange",
    )
    st.text("none of the options" if side.choice is None else _option(row, side.choice))
    gap = side.numbers["gap_score"]
    gap_words = "GapScore undefined" if gap is None else f"GapScore {round(gap, 2) + 0.0:.2f} bits"
    st.caption(f"{carried_by(side.numbers)}, {gap_words}")
    st.button(
        f"Open for {letter}",
        key=f"open_{letter.lower()}_{place}",
        icon=":material/open_in_new:",
        on_click=remember_sample,
        args=(record, row.sample_id),
    )


def _option(row: DisagreementRow, place: int) -> str:
    return f"{letter_of(place)}  {row.options[place]}"


def _choose(label: str, key: str, values: Mapping[str, Chosen]) -> Chosen:
    note_unknown(key, values)
    wanted = st.selectbox(label, list(values), key=key, bind="query-params", width=250)
    return values.get(wanted or "", next(iter(values.values())))


def _begin_again_with_others(compared: Compared, kind: Kind, order: Order) -> None:
    """Show the first page where other samples, or the same in another order, are listed."""
    now = (compared.pair, kind, order)
    before = st.session_state.get(state.LISTED_DIFFERING)
    if before is not None and before != now:
        st.session_state[state.DIFFERING_PAGE] = 1
    st.session_state[state.LISTED_DIFFERING] = now

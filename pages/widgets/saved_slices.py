"""Tags and saved slices of a benchmark: keep what is listed under a name, show, delete."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from data_cache import samples_view, tags
from data_cache.errors import CacheError, DataError
from data_cache.estimates import SpectrumRecord
from data_cache.permission import refusal
from data_cache.sample_filters import SampleFilters
from data_cache.samples_view import SampleOrder
from data_cache.tags import Tag
from pages.widgets import state
from pages.widgets.opened_sample import forget_sample
from pages.widgets.sample_choices import Listing
from pages.widgets.sample_filter import (
    benchmark_keys,
    known_tags,
    other_runs,
    write_filters,
)
from pages.widgets.sample_list import PER_PAGE
from pages.widgets.stored import Stored
from pages.widgets.stored_samples import read_page
from pages.widgets.visitors import why_disabled
from pages.widgets.where import sentence_of

LISTED = 50
"""Tags that are listed at most; those used last come first."""


def show_slices(reading: Stored, records: Sequence[SpectrumRecord], listing: Listing) -> None:
    """Draw the button that opens the window; nothing in it is read before."""
    window = st.popover(
        "Tags and slices", icon=":material/sell:", key=state.SLICES, on_change="rerun"
    )
    if window.open:
        with window:
            _show_new(reading, records, listing)
            _show_tags(reading, known_tags(reading, records))
    elif state.GOING_OFF in st.session_state:
        del st.session_state[state.GOING_OFF]


def how_chosen(listing: Listing, record: SpectrumRecord, models: dict[str, str]) -> str:
    """Say how the samples of a list were chosen, as plain text.

    Parameters
    ----------
    listing
        The list.
    record
        One of the estimates that its numbers come from.
    models
        What the other runs are called, by run key.
    """
    order = listing.order
    parts = [f"{record.model} on {record.benchmark} ({record.estimator}, {record.split} samples)"]
    if order.subset is not None or len(order.estimate_keys) == 1:
        parts.append(f"subset {order.subset or record.subset}")
    if order.split is not None:
        parts.append(f"{order.split} split")
    if order.correct is not None:
        parts.append("answered right" if order.correct else "answered wrong")
    filtered = sentence_of(order.filters, models).removeprefix("Filtered: ").removesuffix(".")
    if filtered:
        parts.append(filtered)
    sentence = f"{'; '.join(parts)}; by {listing.score.label}."
    shown = "".join(one if one.isprintable() else " " for one in sentence)
    longest = tags.LONGEST_DESCRIPTION
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _show_new(reading: Stored, records: Sequence[SpectrumRecord], listing: Listing) -> None:
    keys = benchmark_keys(reading, records)
    first = read_page(reading, listing.order, limit=PER_PAGE[listing.view], offset=0)
    total = first.total
    record = next(one for one in records if one.estimate_key in listing.order.estimate_keys)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            f"Save these {total:,} samples as a slice",
            key=state.SLICE_NAME,
            max_chars=tags.LONGEST_NAME,
            placeholder="Name of the slice",
            disabled=not total or len(keys) != 1 or refusal() is not None,
            help=why_disabled(),
            width=300,
        )
        st.button(
            "Save",
            key="save_slice",
            icon=":material/save:",
            disabled=not total or len(keys) != 1 or refusal() is not None,
            on_click=_save,
            args=(
                reading.cache,
                listing.order,
                record.benchmark,
                next(iter(keys), ""),
                how_chosen(listing, record, other_runs(reading, records)),
            ),
        )
    if len(keys) > 1:
        st.text("These samples come from several versions of the benchmark; choose one subset.")
    said = st.session_state.pop(state.TAGGING, None)
    if said:
        st.text(said)


def _save(
    cache: Path, order: SampleOrder, benchmark: str, benchmark_key: str, sentence: str
) -> None:
    """Save all samples of a list under the name that was typed; a callback."""
    name = str(st.session_state[state.SLICE_NAME]).strip()
    try:
        ids = samples_view.sample_ids(cache, order)
        new = tags.add(
            cache,
            tags.checked_name(name),
            benchmark=benchmark,
            benchmark_key=benchmark_key,
            sample_ids=ids,
            description=sentence,
        )
    except DataError as error:
        st.session_state[state.TAGGING] = str(error)
        return
    st.session_state[state.LAST_TAG] = name
    st.session_state[state.SLICE_NAME] = ""
    before = len(ids) - new
    more = f"; {before:,} were in it already" if before else ""
    st.session_state[state.TAGGING] = f"Saved {len(ids):,} samples as “{name}”{more}."


def _show_tags(reading: Stored, known: Sequence[Tag]) -> None:
    if not known:
        st.caption("No sample of this benchmark is tagged yet.")
        return
    st.caption(f"Tags and slices of this benchmark: {len(known):,}")
    newest = sorted(known, key=lambda one: one.created, reverse=True)[:LISTED]
    with st.container(height=min(380, 150 * len(newest)), border=False):
        for number, one in enumerate(newest):
            _show_tag(reading, one, number)
    if len(known) > LISTED:
        st.caption(f"The newest {LISTED} are listed; `python -m model_runners slices` lists all.")


def _show_tag(reading: Stored, tag: Tag, number: int) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            samples = "1 sample" if tag.samples == 1 else f"{tag.samples:,} samples"
            st.text(f"{tag.name}: {samples}")
            st.button(
                "Show",
                key=f"show_tag_{number}",
                on_click=_show,
                args=(tag.name,),
            )
            going = st.session_state.get(state.GOING_OFF) == (tag.name, tag.benchmark_key)
            if going:
                st.button(
                    "Delete for good",
                    key=f"delete_tag_{number}",
                    type="primary",
                    on_click=_delete,
                    args=(reading.cache, tag),
                )
            else:
                st.button(
                    "Delete",
                    key=f"ask_tag_{number}",
                    disabled=refusal() is not None,
                    help=why_disabled(),
                    on_click=_ask,
                    args=(tag,),
                )
        if going:
            st.text("The samples stay; their tag goes, and no rebuild brings it back.")
        if tag.description:
            st.text(tag.description)


def _show(name: str) -> None:
    """List the samples that carry a tag, whatever was answered; a callback."""
    write_filters(SampleFilters(tags=(name,)))
    forget_sample()
    for picker, everything in ((state.ANSWERS, "all"), (state.PART, "both")):
        if picker in st.session_state:
            st.session_state[picker] = everything


def _ask(tag: Tag) -> None:
    st.session_state[state.GOING_OFF] = (tag.name, tag.benchmark_key)


def _delete(cache: Path, tag: Tag) -> None:
    """Delete a tag; a callback."""
    st.session_state.pop(state.GOING_OFF, None)
    try:
        gone = tags.take_off(cache, tag.name, tag.benchmark_key)
    except CacheError as error:
        st.session_state[state.TAGGING] = str(error)
    else:
        st.session_state[state.TAGGING] = f"The tag “{tag.name}” is off {gone:,} samples."

"""The tags on an opened sample: chosen, made, taken off, and put on again with one key."""

from functools import partial

import streamlit as st

from data_cache import tags
from data_cache.errors import DataError
from data_cache.permission import refusal
from data_cache.sample_detail import SampleDetail
from pages.widgets import state
from pages.widgets.stored import Stored
from pages.widgets.visitors import why_disabled


def show_tags(reading: Stored, detail: SampleDetail) -> None:
    """Draw the picker for the tags of a sample, and the button for the tag that was used last."""
    key = next(
        (run.benchmark_key for run in reading.runs if run.run_key == detail.record.run_key), None
    )
    if key is None:
        return
    sample_id, benchmark = detail.sample.sample_id, detail.record.benchmark
    held = tags.tags_of(reading.cache, key, sample_id)
    names = [one.name for one in tags.tags(reading.cache) if one.benchmark_key == key]
    last: str | None = st.session_state.get(state.LAST_TAG)
    put = partial(_put, reading, benchmark, key, sample_id)
    # A picker of its own for each sample: what is drawn for one must not be kept for the next.
    picker = f"{state.TAGS_OF}_{key}_{sample_id}"
    st.session_state[picker] = list(held)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "Tags of this sample",
            list(dict.fromkeys([*names, *held])),
            key=picker,
            accept_new_options=True,
            placeholder="Choose a tag, or type a new one",
            on_change=lambda: put(held, st.session_state[picker]),
            width=420,
            disabled=refusal() is not None,
            help=why_disabled(),
        )
        if last is not None:
            st.button(
                "Last tag again",
                key="tag_again",
                icon=":material/label:",
                shortcut="t",
                disabled=last in held or refusal() is not None,
                help=why_disabled(),
                on_click=put,
                args=(held, [*held, last]),
            )
            st.text(f"“{last}”")
    said = st.session_state.pop(state.TAGGING, None)
    if said:
        st.text(said)


def _put(
    reading: Stored,
    benchmark: str,
    key: str,
    sample_id: str,
    held: tuple[str, ...],
    chosen: list[str],
) -> None:
    """Make the tags of the sample those that are chosen; a callback."""
    try:
        for name in (one.strip() for one in chosen if one.strip() not in held):
            tags.add(
                reading.cache, name, benchmark=benchmark, benchmark_key=key, sample_ids=[sample_id]
            )
            st.session_state[state.LAST_TAG] = name
        for name in held:
            if name not in chosen:
                tags.take_off(reading.cache, name, key, [sample_id])
    except DataError as error:
        st.session_state[state.TAGGING] = str(error)

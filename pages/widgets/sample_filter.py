"""The filters of the list of samples: a window to set them in, and the sentence that says them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from data_cache import tags
from data_cache.errors import CacheError
from data_cache.estimates import SpectrumRecord
from data_cache.sample_filters import LONGEST_TEXT, Bound, SampleFilters
from pages.figures.scores import Score
from pages.widgets import state
from pages.widgets.address import note
from pages.widgets.stored import Stored
from pages.widgets.where import FALLBACK_WORDS, NUMBERS_SHOWN, filters_of, sentence_of, where_of

ANYWHERE = "does not matter"
NOBODY = "no other model"
WIDE = 300
"""Pixels of a picker in the window."""


def read_filters(reading: Stored, records: Sequence[SpectrumRecord]) -> SampleFilters:
    """Return the filters that the address asks for; what is none, or not here, is noted."""
    wanted = st.query_params.get(state.WHERE, "")
    filters, unknown = filters_of(wanted)
    for part in unknown:
        note(state.WHERE, part)
    known = {one.name for one in known_tags(reading, records)} if filters.tags else set[str]()
    for name in filters.tags:
        if name not in known:
            note(state.WHERE, f"tag:{name}")
    others = other_runs(reading, records)
    unlike = filters.unlike
    if unlike is not None and unlike not in others:
        note(state.WHERE, f"unlike:{unlike}")
        unlike = None
    there = SampleFilters(
        bounds=filters.bounds,
        tags=tuple(name for name in filters.tags if name in known),
        fallback=filters.fallback,
        unlike=unlike,
        text=filters.text,
    )
    if where_of(there) != wanted:
        write_filters(there)
    return there


def write_filters(filters: SampleFilters) -> None:
    """Put the filters into the address; a callback of pickers and buttons."""
    if not filters.is_empty:
        st.query_params[state.WHERE] = where_of(filters)
    elif state.WHERE in st.query_params:
        del st.query_params[state.WHERE]


def show_filters(
    reading: Stored, records: Sequence[SpectrumRecord], filters: SampleFilters
) -> None:
    """Draw the button that opens the window; its pickers are drawn only while it is open."""
    window = st.popover("Filter", icon=":material/filter_alt:", key=state.FILTER, on_change="rerun")
    if window.open:
        with window:
            _show_pickers(reading, records, filters)


def show_sentence(
    reading: Stored, records: Sequence[SpectrumRecord], filters: SampleFilters
) -> None:
    """Say what is filtered, as plain text, with the button that takes it back."""
    if filters.is_empty:
        return
    st.text(sentence_of(filters, other_runs(reading, records)))
    st.button(
        "Clear filters",
        key="clear_filters",
        icon=":material/filter_alt_off:",
        on_click=write_filters,
        args=(SampleFilters(),),
    )


def known_tags(reading: Stored, records: Sequence[SpectrumRecord]) -> list[tags.Tag]:
    """Return the tags of the benchmark that the estimates are about, as it was read for them."""
    keys = benchmark_keys(reading, records)
    return [one for one in tags.tags(reading.cache) if one.benchmark_key in keys]


def benchmark_keys(reading: Stored, records: Sequence[SpectrumRecord]) -> frozenset[str]:
    """Return the keys of the benchmark that the estimates' runs were made on; one as a rule."""
    own = {record.run_key for record in records}
    return frozenset(run.benchmark_key for run in reading.runs if run.run_key in own)


def other_runs(reading: Stored, records: Sequence[SpectrumRecord]) -> dict[str, str]:
    """Return the other runs on the same benchmark by key, each with what it is called."""
    own = {record.run_key for record in records}
    keys = benchmark_keys(reading, records)
    others = [run for run in reading.runs if run.benchmark_key in keys and run.run_key not in own]
    models = [run.model for run in others]
    return {
        run.run_key: run.model if models.count(run.model) == 1 else f"{run.model}, {run.run_key}"
        for run in others
    }


def _show_pickers(
    reading: Stored, records: Sequence[SpectrumRecord], filters: SampleFilters
) -> None:
    """Draw a picker for each; the address alone knows what is set, and every change goes there."""
    st.caption("A sample has to pass all of these. Undefined numbers lie in no range.")
    refused = st.session_state.pop(state.REFUSED, None)
    if refused:
        st.text(refused)
    held = {one.field: one for one in filters.bounds}
    for score in NUMBERS_SHOWN:
        _show_range(score, held.get(score.field))
    fallbacks = {ANYWHERE: None} | {words: name for name, words in FALLBACK_WORDS.items()}
    _show_choice(
        "Fell back to uniform (tau)",
        "fallback",
        fallbacks,
        filters.fallback,
        "The options had less probability together than tau, so every option counts as equally "
        "likely there. The first one stands for the three conditions that the atoms come from.",
    )
    others = {words: key for key, words in other_runs(reading, records).items()}
    _show_choice(
        "Another answer than",
        "unlike",
        {NOBODY: None} | others,
        filters.unlike,
        "The first token of the other model names another option, or none.",
    )
    names = list(dict.fromkeys(one.name for one in known_tags(reading, records)))
    st.multiselect(
        "Tags, all of them",
        names,
        key=_held("tags", list(filters.tags)),
        on_change=_change,
        args=("tags", lambda chosen: {"tags": tuple(chosen)}),
        placeholder="Choose tags or slices" if names else "No sample is tagged yet",
        disabled=not names,
        width=WIDE,
    )
    st.text_input(
        "Text in the question or an option",
        max_chars=LONGEST_TEXT,
        key=_held("text", filters.text),
        on_change=_change,
        args=("text", lambda text: {"text": text if text.strip() else ""}),
        width=WIDE,
    )


def _show_range(score: Score, held: Bound | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=160):
            st.text(score.title, help=score.help)
        for end, words in (("low", "from"), ("high", "to")):
            name = f"{score.field}_{end}"
            st.number_input(
                f"{score.title}, {words}",
                value=None,
                format="%g",
                step=0.1,
                placeholder=words,
                label_visibility="collapsed",
                key=_held(name, getattr(held, end, None)),
                on_change=_change,
                args=(name, partial(_ranges, score.field, end)),
                width=140,
            )


def _ranges(field: str, end: str, value: float | None) -> dict[str, Any]:
    """Return all ranges with one end of one of them set anew."""
    bounds = {one.field: one for one in _filters_now().bounds}
    old = bounds.pop(field, None)
    ends = {"low": getattr(old, "low", None), "high": getattr(old, "high", None)} | {end: value}
    if any(one is not None for one in ends.values()):
        bounds[field] = Bound(field=field, **ends)
    return {"bounds": tuple(bounds.values())}


def _show_choice(
    label: str, name: str, values: Mapping[str, str | None], held: str | None, help: str
) -> None:
    words = next((one for one, value in values.items() if value == held), None)
    st.selectbox(
        label,
        list(values),
        key=_held(name, words or next(iter(values))),
        on_change=_change,
        args=(name, lambda chosen: {name: values.get(chosen)}),
        help=help,
        width=WIDE,
    )


def _held(name: str, value: object) -> str:
    """Set a picker to what the address says, and return its key."""
    key = f"{state.FILTER}_{name}"
    st.session_state[key] = value
    return key


def _filters_now() -> SampleFilters:
    return filters_of(st.query_params.get(state.WHERE, ""))[0]


def _change(name: str, change: Callable[[Any], dict[str, Any]]) -> None:
    """Put what was just picked into the address, or keep the sentence that says why not."""
    try:
        changed = change(st.session_state[f"{state.FILTER}_{name}"])
        write_filters(replace(_filters_now(), **changed))
    except CacheError as error:
        st.session_state[state.REFUSED] = str(error)

"""The samples behind estimates, read once per data version and shared by all sessions."""

from pathlib import Path

import streamlit as st

from data_cache import samples_view, tags
from data_cache.sample_detail import SampleDetail, sample_detail
from data_cache.samples_view import Place, SampleOrder, SamplePage
from pages.widgets.stored import Stored


def read_page(reading: Stored, order: SampleOrder, *, limit: int, offset: int) -> SamplePage:
    """Return some of the samples in an order."""
    return _page(str(reading.cache), _version(reading, order), order, limit, offset)


def read_place(reading: Stored, order: SampleOrder, sample_id: str) -> Place | None:
    """Return where a sample stands in an order, None where it is not in it."""
    return _place(str(reading.cache), _version(reading, order), order, sample_id)


def read_detail(reading: Stored, estimate_keys: tuple[str, ...], sample_id: str) -> SampleDetail:
    """Return one sample in full."""
    return _detail(str(reading.cache), reading.version, estimate_keys, sample_id)


def read_subsets(reading: Stored, estimate_keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the subsets that the samples of some estimates belong to."""
    return _subsets(str(reading.cache), reading.version, estimate_keys)


def _version(reading: Stored, order: SampleOrder) -> str:
    """Return what a list depends on: the cache, and the tags where they are a filter."""
    return f"{reading.version} {tags.version(reading.cache) if order.filters.tags else ''}"


@st.cache_data(max_entries=16, show_spinner="Reading samples")
def _page(cache: str, version: str, order: SampleOrder, limit: int, offset: int) -> SamplePage:
    return samples_view.sample_page(Path(cache), order, limit=limit, offset=offset)


@st.cache_data(max_entries=256, show_spinner=False)
def _place(cache: str, version: str, order: SampleOrder, sample_id: str) -> Place | None:
    return samples_view.place_of(Path(cache), order, sample_id)


@st.cache_data(max_entries=16, show_spinner="Reading the sample")
def _detail(
    cache: str, version: str, estimate_keys: tuple[str, ...], sample_id: str
) -> SampleDetail:
    return sample_detail(Path(cache), estimate_keys, sample_id)


@st.cache_data(max_entries=32, show_spinner=False)
def _subsets(cache: str, version: str, estimate_keys: tuple[str, ...]) -> tuple[str, ...]:
    return samples_view.subsets_of(Path(cache), estimate_keys)

"""What estimates have in common, read once per data version and shared by all sessions."""

from pathlib import Path

import streamlit as st

from data_cache import across, disagreement, paired
from data_cache.across import Across
from data_cache.disagreement import Agreement, Differing, DisagreementPage
from data_cache.paired import Pair, PairedRows
from pages.widgets.stored import Stored

Place = tuple[int, str | None, str | None]
"""A sample's place from 0, -1 where it is not there, and its neighbours."""


def read_agreement(reading: Stored, estimate_keys: tuple[str, ...]) -> Agreement:
    """Return how often models give the same answer."""
    return _agreement(str(reading.cache), reading.version, estimate_keys)


def read_carried(reading: Stored, estimate_keys: tuple[str, ...]) -> dict[tuple[str, ...], int]:
    """Return how many samples each combination of largest atoms has."""
    return _carried(str(reading.cache), reading.version, estimate_keys)


def read_paired_rows(reading: Stored, pair: Pair) -> PairedRows:
    """Return the pointwise atoms of two estimates, and which answers are right."""
    return _paired_rows(str(reading.cache), reading.version, pair)


def read_disagreements(
    reading: Stored, differing: Differing, *, limit: int, offset: int
) -> DisagreementPage:
    """Return some of the samples that models see differently."""
    return _page(str(reading.cache), reading.version, differing, limit, offset)


def read_place(reading: Stored, differing: Differing, sample_id: str) -> Place:
    """Return where a sample stands among these."""
    return _place(str(reading.cache), reading.version, differing, sample_id)


def read_across(reading: Stored, estimate_keys: tuple[str, ...], sample_id: str) -> Across | None:
    """Return a sample as several models see it; None where none of the estimates has it."""
    return _across(str(reading.cache), reading.version, estimate_keys, sample_id)


@st.cache_data(max_entries=32, show_spinner=False)
def _agreement(cache: str, version: str, estimate_keys: tuple[str, ...]) -> Agreement:
    return disagreement.agreement(Path(cache), estimate_keys)


@st.cache_data(max_entries=32, show_spinner=False)
def _carried(
    cache: str, version: str, estimate_keys: tuple[str, ...]
) -> dict[tuple[str, ...], int]:
    return disagreement.carried(Path(cache), estimate_keys)


@st.cache_data(max_entries=4, show_spinner="Reading samples")
def _paired_rows(cache: str, version: str, pair: Pair) -> PairedRows:
    return paired.paired_rows(Path(cache), pair, answers=True)


@st.cache_data(max_entries=8, show_spinner="Reading samples")
def _page(
    cache: str, version: str, differing: Differing, limit: int, offset: int
) -> DisagreementPage:
    return disagreement.disagreements(Path(cache), differing, limit=limit, offset=offset)


@st.cache_data(max_entries=256, show_spinner=False)
def _place(cache: str, version: str, differing: Differing, sample_id: str) -> Place:
    return disagreement.place_of(Path(cache), differing, sample_id)


@st.cache_data(max_entries=16, show_spinner="Reading the sample")
def _across(
    cache: str, version: str, estimate_keys: tuple[str, ...], sample_id: str
) -> Across | None:
    return across.across(Path(cache), estimate_keys, sample_id)

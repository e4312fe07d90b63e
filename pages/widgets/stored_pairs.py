"""What two estimates have in common, read once per data version and shared by all sessions."""

from pathlib import Path

import streamlit as st

from data_cache import disagreement
from data_cache.disagreement import Agreement, DisagreementPage, Kind, Order, Pair, PairedRows
from pages.widgets.stored import Stored


def read_agreement(reading: Stored, pair: Pair) -> Agreement:
    """Return how often two models give the same answer."""
    return _agreement(str(reading.cache), reading.version, pair)


def read_paired_rows(reading: Stored, pair: Pair) -> PairedRows:
    """Return the pointwise atoms of both."""
    return _paired_rows(str(reading.cache), reading.version, pair)


def read_disagreements(
    reading: Stored, pair: Pair, *, kind: Kind, order_by: Order, limit: int, offset: int
) -> DisagreementPage:
    """Return some of the samples that the two answer differently."""
    return _page(str(reading.cache), reading.version, pair, kind, order_by, limit, offset)


@st.cache_data(max_entries=32, show_spinner=False)
def _agreement(cache: str, version: str, pair: Pair) -> Agreement:
    return disagreement.agreement(Path(cache), pair)


@st.cache_data(max_entries=8, show_spinner="Reading samples")
def _paired_rows(cache: str, version: str, pair: Pair) -> PairedRows:
    return disagreement.paired_rows(Path(cache), pair)


@st.cache_data(max_entries=32, show_spinner="Reading samples")
def _page(
    cache: str, version: str, pair: Pair, kind: Kind, order_by: Order, limit: int, offset: int
) -> DisagreementPage:
    return disagreement.disagreements(
        Path(cache), pair, kind=kind, order_by=order_by, limit=limit, offset=offset
    )

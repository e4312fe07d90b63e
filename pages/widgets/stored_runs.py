"""What a run has to estimate from, read once per data version and shared by all sessions."""

from pathlib import Path

import streamlit as st

from data_cache import queries
from data_cache.queries import RunRow
from pages.figures.rows import POOLED
from pages.widgets.stored import Stored


def read_subsets(reading: Stored, run: RunRow) -> tuple[str, ...]:
    """Return the subsets of a run's samples, the pooled one last."""
    return _subsets(str(reading.cache), reading.version, run.run_key)


def has_features(reading: Stored, run: RunRow) -> bool:
    """Tell whether a run has stored embeddings of both sources."""
    return _has_features(str(reading.cache), reading.version, run.run_key)


@st.cache_data(max_entries=64, show_spinner="Reading the run")
def _subsets(cache: str, version: str, run_key: str) -> tuple[str, ...]:
    part = queries.predictions(Path(cache), run_key, draws=1)
    return (*sorted(set(part.subsets.tolist()) - {POOLED}), POOLED)


@st.cache_data(max_entries=64, show_spinner=False)
def _has_features(cache: str, version: str, run_key: str) -> bool:
    part = queries.predictions(Path(cache), run_key, limit=1, draws=1, features=True)
    return part.features_1 is not None and part.features_2 is not None

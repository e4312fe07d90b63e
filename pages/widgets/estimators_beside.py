"""The same cells by a second estimator: which one, its rows below the first, and what differs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.figures.estimator_differences import EstimatorPair
from pages.figures.rows import row_names
from pages.widgets import empty_states, state
from pages.widgets.address import note_unknown
from pages.widgets.spectrum_choices import newest_of_each
from pages.widgets.stored import Stored

NONE = "none"
WHY_NO_INTERVAL = (
    "Both come from the same predictions, so what differs is the method; an interval of each says "
    "nothing about their difference."
)


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Rows of one estimator, and those of a second one that has an estimate of the same cells."""

    name: str
    """The second estimator."""
    pairs: tuple[EstimatorPair, ...]
    alone: tuple[SpectrumRecord, ...]
    """Rows of the first without the second."""
    rows: tuple[SpectrumRecord, ...]
    """All rows as they are drawn, the second below the first."""


def choose_beside(reading: Stored, records: Sequence[SpectrumRecord]) -> str | None:
    """Draw the picker for a second estimator; none where no other has estimated these cells."""
    first = {record.estimator for record in records}
    names = sorted({one.estimator for one in others_of(records, reading.spectra)} - first)
    if not names:
        return None
    options = [NONE, *names]
    note_unknown(state.BESIDE, options)
    wanted = st.selectbox(
        "Second estimator",
        options,
        key=state.BESIDE,
        bind="query-params",
        width=150,
        help="A second estimator of the same cells, below the first, and by how much it differs.",
    )
    return wanted if wanted in names else None


def others_of(
    records: Iterable[SpectrumRecord], spectra: Iterable[SpectrumRecord]
) -> list[SpectrumRecord]:
    """Return the estimates of the same runs, subsets and splits by any estimator."""
    cells = {_cell(record) for record in records}
    return [one for one in spectra if _cell(one) in cells]


def beside(
    records: Sequence[SpectrumRecord], name: str, spectra: Iterable[SpectrumRecord]
) -> Beside:
    """Find the newest estimate by the second estimator for each row.

    Parameters
    ----------
    records
        Rows of the first, in their order.
    name
        The second one.
    spectra
        All that are stored.
    """
    own = [one for one in others_of(records, spectra) if one.estimator == name]
    second = {_cell(one): one for one in newest_of_each(own)}
    pairs: list[EstimatorPair] = []
    alone: list[SpectrumRecord] = []
    rows: list[SpectrumRecord] = []
    for record in records:
        rows.append(record)
        other = second.get(_cell(record))
        if other is None:
            alone.append(record)
            continue
        rows.append(other)
        pairs.append(EstimatorPair(first=record, second=other))
    return Beside(name=name, pairs=tuple(pairs), alone=tuple(alone), rows=tuple(rows))


def show_notes_on(found: Beside, reading: Stored) -> None:
    """Say how to read the differences, where they are of unlike samples, and what is missing."""
    st.caption(WHY_NO_INTERVAL)
    names = row_names([pair.first for pair in found.pairs])
    unlike = [
        f"{names[pair.first.estimate_key]} ({pair.first.n:,} and {pair.second.n:,})"
        for pair in found.pairs
        if pair.first.n != pair.second.n
    ]
    if unlike:
        st.text(f"Different numbers of samples: {'; '.join(unlike)}.")
    if found.alone:
        missing = row_names(found.alone)
        st.text(f"No estimate by {found.name}: {'; '.join(missing.values())}.")
        one = found.alone[0]
        empty_states.show_estimate_command(
            one.model, one.benchmark, reading.cache, estimator=found.name, split=one.split
        )


def _cell(record: SpectrumRecord) -> tuple[str, str, str, int]:
    return record.run_key, record.subset, record.split, record.layer

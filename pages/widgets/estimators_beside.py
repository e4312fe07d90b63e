"""The same cells by a second estimator: which one, its rows below the first, and what differs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from data_cache.estimates import INTERVENTIONAL, SpectrumRecord
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


MOST_NAMED = 6
"""Rows that a sentence names."""
WHY_OTHER_RUNS = (
    "The two probes ask the model different things: noise in the place of a source, and the source "
    "of another sample. Their difference is what masking adds and takes away."
)
SAME_RUN = (
    "model", "weights", "adapter", "dtype", "quantisation", "benchmark_key", "template",
    "candidates", "image_size",
)  # fmt: skip
"""Of a configuration, what a run with noise and one of swaps must agree in."""


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
    if swaps_of(records, reading):
        names.append(INTERVENTIONAL)
    if not names:
        return None
    options = [NONE, *names]
    note_unknown(state.BESIDE, options)
    wanted = st.selectbox(
        "Second estimator",
        options,
        key=state.BESIDE,
        bind="query-params",
        width=170,
        help="A second estimator of the same cells, below the first, and by how much it differs. "
        "interventional: each question beside the images of other samples, and nothing masked.",
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
    by_cell = {_cell(one): one for one in newest_of_each(own)}
    found = {one.estimate_key: by_cell.get(_cell(one)) for one in records}
    return _beside(records, name, found)


def swaps_beside(records: Sequence[SpectrumRecord], reading: Stored) -> Beside:
    """Find the spectrum of swapped pairs for each row."""
    return _beside(records, INTERVENTIONAL, swaps_of(records, reading))


def swaps_of(records: Iterable[SpectrumRecord], reading: Stored) -> dict[str, SpectrumRecord]:
    """Return by estimate key the newest spectrum of swapped pairs of the same model and question.

    It comes from another run, so the same is what both say of themselves: weights, precision,
    benchmark, template, candidates.
    """
    if not reading.swapped:
        return {}
    identity = {
        run.run_key: tuple(str(run.config.get(name)) for name in SAME_RUN)
        for run in (*reading.every_run, *reading.swap_runs)
    }
    known: dict[tuple[object, ...], SpectrumRecord] = {}
    for one in sorted(reading.swapped, key=lambda one: (one.created, one.estimate_key)):
        known[identity.get(one.run_key), one.subset, one.split] = one
    found: dict[str, SpectrumRecord] = {}
    for record in records:
        other = known.get((identity.get(record.run_key), record.subset, record.split))
        if other is not None and record.layer == other.layer:
            found[record.estimate_key] = other
    return found


def _beside(
    records: Sequence[SpectrumRecord], name: str, second: Mapping[str, SpectrumRecord | None]
) -> Beside:
    pairs: list[EstimatorPair] = []
    alone: list[SpectrumRecord] = []
    rows: list[SpectrumRecord] = []
    for record in records:
        rows.append(record)
        other = second.get(record.estimate_key)
        if other is None:
            alone.append(record)
            continue
        rows.append(other)
        pairs.append(EstimatorPair(first=record, second=other))
    return Beside(name=name, pairs=tuple(pairs), alone=tuple(alone), rows=tuple(rows))


def show_notes_on(found: Beside, reading: Stored) -> None:
    """Say how to read the differences, where they are of unlike samples, and what is missing."""
    st.caption(WHY_NO_INTERVAL if found.name != INTERVENTIONAL else WHY_OTHER_RUNS)
    names = row_names([pair.first for pair in found.pairs])
    unlike = [pair for pair in found.pairs if pair.first.n != pair.second.n]
    named = [
        f"{names[pair.first.estimate_key]} ({pair.first.n:,} and {pair.second.n:,})"
        for pair in unlike[:MOST_NAMED]
    ]
    if len(unlike) > MOST_NAMED:
        named.append(f"and {len(unlike) - MOST_NAMED} more rows, see the table")
    if named:
        st.text(f"Different numbers of samples: {'; '.join(named)}.")
    if found.alone:
        missing = row_names(found.alone)
        one = found.alone[0]
        if found.name == INTERVENTIONAL:
            st.text(f"No swapped pairs: {'; '.join(missing.values())}.")
            return
        st.text(f"No estimate by {found.name}: {'; '.join(missing.values())}.")
        empty_states.show_estimate_command(
            one.model, one.benchmark, reading.cache, estimator=found.name, split=one.split
        )


def _cell(record: SpectrumRecord) -> tuple[str, str, str, int]:
    return record.run_key, record.subset, record.split, record.layer

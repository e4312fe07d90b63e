"""The spectra of layers, read once per data version and shared by all sessions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import streamlit as st

from data_cache import estimates
from data_cache.estimates import SpectrumRecord, estimate_key
from data_cache.plan import OUTPUT_LAYER
from data_cache.queries import RunRow
from pages.figures.layer_trajectories import Trajectory
from pages.widgets.sidebar import Selection
from pages.widgets.stored import Stored


def read_layers(reading: Stored, selection: Selection) -> tuple[SpectrumRecord, ...]:
    """Return the spectra of the chosen models' layers, without those of their own output."""
    return _layers(str(reading.cache), reading.version, selection.benchmark, selection.models)


def trajectories_of(
    outputs: Iterable[SpectrumRecord], layers: Sequence[SpectrumRecord], runs: Sequence[RunRow]
) -> dict[str, Trajectory]:
    """Join the layers to the spectrum of their model's own output, where all settings agree.

    Returns
    -------
    Estimate key of the output's spectrum to its trajectory; outputs without layers are left out.
    """
    depths = {run.run_key: max(run.layers, default=OUTPUT_LAYER) + 1 for run in runs}
    found: dict[str, list[SpectrumRecord]] = defaultdict(list)
    for record in layers:
        found[_output_key(record)].append(record)
    return {
        output.estimate_key: Trajectory(
            model=output.model,
            layers=tuple(sorted(found[output.estimate_key], key=lambda record: record.layer)),
            output=output,
            # A run that goes on may have layers in some of its blocks only.
            depth=max(
                depths.get(output.run_key, 0),
                *(record.layer + 1 for record in found[output.estimate_key]),
            ),
        )
        for output in outputs
        if output.estimate_key in found
    }


def _output_key(record: SpectrumRecord) -> str:
    """Return the key that the same question has about the model's own output."""
    return estimate_key(
        run_key=record.run_key,
        subset=record.subset,
        split=record.split,
        layer=OUTPUT_LAYER,
        estimator=record.estimator,
        settings=record.settings,
    )


# Shared, not copied at every click; nothing changes the records.
@st.cache_resource(max_entries=4, show_spinner="Reading layers")
def _layers(
    cache: str, version: str, benchmark: str, models: tuple[str, ...]
) -> tuple[SpectrumRecord, ...]:
    found = estimates.load(Path(cache), benchmarks=[benchmark], models=models, layer=None)
    return tuple(record for record in found if record.layer != OUTPUT_LAYER)

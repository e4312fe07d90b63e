"""Which models stand in the plane of families, and what its axes are: the pickers above it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

import streamlit as st

from data_cache.queries import RunRow
from pages.figures.family_scatter import Axes, FamilyPoint
from pages.figures.quantities import QUANTITIES, Quantity
from pages.figures.spectrum_bars import Unit
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sidebar import Selection
from pages.widgets.spectrum_choices import choose_records
from pages.widgets.stored import Stored
from pages.widgets.subset_choice import choose_subset


@dataclass(frozen=True, kw_only=True)
class Plane:
    """What is drawn."""

    points: tuple[FamilyPoint, ...]
    """In the order in which the models were chosen."""
    axes: Axes
    subset: str


def choose_plane(reading: Stored, selection: Selection) -> Plane | None:
    """Draw the pickers; None where no spectrum fits them."""
    records = choose_records(reading.spectra, selection)
    if not records:
        return None
    subset = choose_subset(records)
    up = _choose_axis("Up", state.UP, "synergy")
    across = _choose_axis("Across", state.ACROSS, "unique_2")
    unit = st.segmented_control(
        "Unit",
        get_args(Unit),
        default="bits",
        required=True,
        key=state.UNIT,
        bind="query-params",
        help="Atoms in bits, or as the share of the total in per cent.",
    )
    counted = parameters_of(reading.runs)
    return Plane(
        points=tuple(
            FamilyPoint(record=record, parameters=counted.get(record.run_key))
            for record in records
            if record.subset == subset
        ),
        axes=Axes(x=across, y=up, unit=unit or "bits"),
        subset=subset,
    )


def parameters_of(runs: Iterable[RunRow]) -> dict[str, int]:
    """Return how many parameters the model of each run has, where they were counted."""
    found: dict[str, int] = {}
    for run in runs:
        counted = run.environment.get("parameters")
        if isinstance(counted, int | float) and not isinstance(counted, bool) and counted >= 1:
            found[run.run_key] = int(counted)
    return found


def without_place(points: Sequence[FamilyPoint], axes: Axes) -> list[str]:
    """Return the models that have no place in the plane: one of the axes is not defined."""
    return [point.record.model for point in points if axes.place(point.record) is None]


def _choose_axis(name: str, key: str, default: str) -> Quantity:
    labels = {one.label: one for one in QUANTITIES}
    places = {one.key: place for place, one in enumerate(QUANTITIES)}
    note_unknown(key, labels)
    wanted = st.selectbox(
        name, list(labels), index=places[default], key=key, bind="query-params", width=170
    )
    return labels.get(wanted or "", QUANTITIES[places[default]])

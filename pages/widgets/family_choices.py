"""Which models the Families page is about, what it shows of them, and the axes of its plane."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.queries import RunRow
from pages.figures.family_scatter import FAMILY, Axes, FamilyPoint
from pages.figures.quantities import QUANTITIES, Quantity
from pages.figures.rows import POOLED
from pages.figures.spectrum_bars import Unit
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sidebar import Selection, natural_order
from pages.widgets.spectrum_choices import choose_records
from pages.widgets.stored import Stored
from pages.widgets.subset_choice import choose_subset

Shown = Literal["plane", "correlations", "tasks"]
Among = Literal["all", "chosen"]
Drawn = Literal["models", "families"]

SHOWN: dict[str, Shown] = {
    "Plane": "plane",
    "What goes with accuracy": "correlations",
    "Tasks and regimes": "tasks",
}


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The spectra that fit the pickers, one per model and subset."""

    records: tuple[SpectrumRecord, ...]
    """Without hidden families."""
    fitting: tuple[SpectrumRecord, ...]
    """With them."""
    hidden: tuple[str, ...]
    subset: str | None
    """None where no picker for it was drawn."""
    split: str
    estimator: str

    @property
    def is_whole(self) -> bool:
        """Whether the chosen subset is the whole benchmark."""
        return self.subset == POOLED or len({record.subset for record in self.fitting}) == 1

    @property
    def of_subset(self) -> tuple[SpectrumRecord, ...]:
        """The spectra of the chosen subset, one per model."""
        return tuple(record for record in self.records if record.subset == self.subset)


@dataclass(frozen=True, kw_only=True)
class Plane:
    """What is drawn."""

    points: tuple[FamilyPoint, ...]
    """In the order in which the models were chosen."""
    axes: Axes
    subset: str


def choose_shown() -> Shown:
    """Draw the picker for what the page shows."""
    note_unknown(state.FAMILIES_SHOW, SHOWN)
    wanted = st.segmented_control(
        "Show",
        list(SHOWN),
        default="Plane",
        required=True,
        key=state.FAMILIES_SHOW,
        bind="query-params",
        label_visibility="collapsed",
    )
    return SHOWN.get(wanted or "", "plane")


def choose_among() -> Among:
    """Draw the picker for the models that statistics are over."""
    wanted = st.segmented_control(
        "Models",
        get_args(Among),
        default="all",
        required=True,
        key=state.AMONG,
        bind="query-params",
        help="All models that have a spectrum, or those that are chosen in the sidebar.",
    )
    return "chosen" if wanted == "chosen" else "all"


def choose_drawn() -> Drawn:
    """Draw the picker for what the bootstrap draws."""
    wanted = st.segmented_control(
        "Intervals over",
        get_args(Drawn),
        default="models",
        required=True,
        key=state.DRAWN,
        bind="query-params",
        help="What would other models say, or other families? Models of one family are relatives: "
        "drawn as whole families they say less, and the intervals are wider.",
    )
    return "families" if wanted == "families" else "models"


def everyone(reading: Stored, benchmark: str) -> Selection:
    """Return a selection of all models that have a spectrum on a benchmark."""
    models = {one.model for one in reading.spectra if one.benchmark == benchmark}
    return Selection(benchmark=benchmark, models=tuple(sorted(models, key=natural_order)))


def choose_models(
    reading: Stored, selection: Selection, *, with_subset: bool = True
) -> Chosen | None:
    """Draw the pickers for split, estimator, settings, subset and families; None where none fits.

    Parameters
    ----------
    reading
        What is stored.
    selection
        The models that count.
    with_subset
        Whether one subset is to be chosen.
    """
    fitting = choose_records(reading.spectra, selection)
    if not fitting:
        return None
    subset = choose_subset(fitting, first=POOLED) if with_subset else None
    hidden = choose_hidden({record.family for record in fitting})
    return Chosen(
        records=tuple(record for record in fitting if record.family not in hidden),
        fitting=fitting,
        hidden=hidden,
        subset=subset,
        split=fitting[0].split,
        estimator=fitting[0].estimator,
    )


def choose_hidden(families: Iterable[str]) -> tuple[str, ...]:
    """Draw the picker for families that are left out; none where there is one family."""
    names = sorted(families, key=natural_order)
    if len(names) < 2:
        return ()
    note_unknown(state.FAMILIES_HIDDEN, names)
    return tuple(
        st.multiselect(
            "Hide families",
            names,
            key=state.FAMILIES_HIDDEN,
            bind="query-params",
            placeholder="None",
            width=220,
        )
    )


def hidden_families() -> tuple[str, ...]:
    """Return the families that are hidden now."""
    return tuple(st.session_state.get(state.FAMILIES_HIDDEN, ()))


def choose_plane(reading: Stored, chosen: Chosen) -> Plane:
    """Draw the pickers for axes and unit."""
    up = _choose_axis("Up", state.UP, "synergy")
    across = _choose_axis("Across", state.ACROSS, "unique_2")
    unit = choose_unit()
    counted = parameters_of(reading.runs)
    return Plane(
        points=tuple(
            FamilyPoint(record=record, parameters=counted.get(record.run_key))
            for record in chosen.of_subset
        ),
        axes=Axes(x=across, y=up, unit=unit),
        subset=chosen.subset or "",
    )


def choose_unit() -> Unit:
    """Draw the picker for the unit."""
    unit = st.segmented_control(
        "Unit",
        get_args(Unit),
        default="bits",
        required=True,
        key=state.UNIT,
        bind="query-params",
        help="Atoms in bits, or as the share of the total in per cent.",
    )
    return unit or "bits"


def parameters_of(runs: Iterable[RunRow]) -> dict[str, int]:
    """Return how many parameters the model of each run has, where they were counted."""
    found: dict[str, int] = {}
    for run in runs:
        counted = run.environment.get("parameters")
        if isinstance(counted, int | float) and not isinstance(counted, bool) and counted >= 1:
            found[run.run_key] = int(counted)
    return found


def show_only(key: str, families: Iterable[str]) -> None:
    """Show the family that was clicked alone, or all where it was; a chart's callback.

    Parameters
    ----------
    key
        Of the chart.
    families
        All that the picker for hidden ones has.
    """
    for point in st.session_state[key]["selection"]["points"]:
        data = point.get("customdata")
        if data and data[0] == FAMILY and data[1] in families:
            others = [name for name in sorted(families, key=natural_order) if name != data[1]]
            only = set(hidden_families()) == set(others)
            st.session_state[state.FAMILIES_HIDDEN] = [] if only else others


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

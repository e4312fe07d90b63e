"""Which trajectories are shown, and over what: the pickers above the plots."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from model_runners.lens_options import LOGIT, TUNED
from pages.figures.layer_trajectories import DEPTHS, Depth, Trajectory
from pages.figures.rows import POOLED
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sidebar import Selection
from pages.widgets.spectrum_choices import choose_records

ALL_POOLED = "all, pooled"
BOTH = "both"
"""Lines of the logit lens and of the tuned one beside each other."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is drawn."""

    subset: str
    trajectories: tuple[Trajectory, ...]
    """In the order in which the models were chosen."""
    depth: Depth


def choose_trajectories(stored: Mapping[str, Trajectory], selection: Selection) -> Shown:
    """Draw the pickers for split, estimator, settings, subset and axis; there is one trajectory.

    That for the lens is drawn where some layers were read through a tuned one.
    """
    lens = _choose_lens([one for one in stored.values() if one.model in selection.models])
    stored = {
        key: one for key, one in stored.items() if lens == BOTH or one.lens.split()[0] == lens
    }
    records = choose_records(
        [one.output for one in stored.values()],
        selection,
        apart=(state.LENS,) if lens == BOTH else (),
    )
    subsets = {
        ALL_POOLED if record.subset == POOLED else record.subset: record.subset
        for record in records
    }
    note_unknown(state.SUBSET, subsets)
    counts = Counter(record.subset for record in records)
    most = max(counts.values(), default=0)
    wanted = st.selectbox(
        "Subset",
        list(subsets),
        # The first of those on which most of the models were read.
        index=next((place for place, one in enumerate(subsets.values()) if counts[one] == most), 0),
        key=state.SUBSET,
        bind="query-params",
        width=190,
    )
    subset = subsets[wanted if wanted in subsets else next(iter(subsets))]
    note_unknown(state.DEPTH, DEPTHS)
    depth = st.segmented_control(
        "Over",
        DEPTHS,
        default="layers",
        required=True,
        key=state.DEPTH,
        bind="query-params",
        help="The layers' own numbers, or how deep they lie, to compare models of different depth.",
    )
    return Shown(
        subset=subset,
        trajectories=tuple(
            sorted(
                (stored[record.estimate_key] for record in records if record.subset == subset),
                key=lambda one: (selection.models.index(one.model), one.lens),
            )
        ),
        depth="relative" if depth == "relative" else "layers",
    )


def one_per_model(trajectories: Sequence[Trajectory]) -> tuple[Trajectory, ...]:
    """Keep the first trajectory of each model: what is not about layers' lenses is shown once."""
    first: dict[str, Trajectory] = {}
    for one in trajectories:
        first.setdefault(one.model, one)
    return tuple(first.values())


def _choose_lens(trajectories: Sequence[Trajectory]) -> str:
    """Return `logit`, `tuned` or `both`; no picker where only one of them is there."""
    there = {one.lens.split()[0] for one in trajectories}
    lenses = [lens for lens in (LOGIT, TUNED) if lens in there]
    options = [*lenses, BOTH] if len(lenses) > 1 else lenses
    note_unknown(state.LENS, options)
    if len(options) < 2:
        return options[0] if options else LOGIT
    wanted = st.segmented_control(
        "Lens",
        options,
        default=options[0],
        required=True,
        key=state.LENS,
        bind="query-params",
        help="How layers are read: as if each were the last one (logit lens), or through a map "
        "that was trained so that it reads what the model says at its end (tuned lens).",
    )
    return wanted if wanted in options else options[0]

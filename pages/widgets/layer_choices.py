"""Which trajectories are shown, and over what: the pickers above the plots."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from pages.figures.layer_trajectories import DEPTHS, Depth, Trajectory
from pages.figures.rows import POOLED
from pages.widgets import state
from pages.widgets.address import note_unknown
from pages.widgets.sidebar import Selection
from pages.widgets.spectrum_choices import choose_records

ALL_POOLED = "all, pooled"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is drawn."""

    subset: str
    trajectories: tuple[Trajectory, ...]
    """In the order in which the models were chosen."""
    depth: Depth


def choose_trajectories(stored: Mapping[str, Trajectory], selection: Selection) -> Shown:
    """Draw the pickers for split, estimator, settings, subset and axis; there is one trajectory."""
    records = choose_records([one.output for one in stored.values()], selection)
    subsets = {
        ALL_POOLED if record.subset == POOLED else record.subset: record.subset
        for record in records
    }
    note_unknown(state.SUBSET, subsets)
    wanted = st.selectbox("Subset", list(subsets), key=state.SUBSET, bind="query-params", width=190)
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
            stored[record.estimate_key] for record in records if record.subset == subset
        ),
        depth="relative" if depth == "relative" else "layers",
    )

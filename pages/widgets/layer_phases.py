"""The phases of each model's trajectory, and from which depth on each atom is there."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

import pandas as pd
import streamlit as st

from model_runners.kept_courses import kept_course
from model_runners.layer_statistics import Course
from pages.figures.layer_trajectories import Trajectory
from pages.figures.palette import ATOMS
from pages.widgets import drawn
from pages.widgets.stored import Stored
from pages.widgets.tables import show_table_frame

PATTERNS = {
    "three phases": "silent, accumulation, late fusion",
    "other phases": "others",
    "no change": "one course",
    "too few layers": "too few layers",
    "no information": "no information",
}


def show_phases(reading: Stored, trajectories: Sequence[Trajectory]) -> None:
    """Show one row per trajectory; those with holes are named instead."""
    whole = [one for one in trajectories if len(one.layers) == one.depth]
    courses = {one.name: _course(reading, one) for one in whole}
    if courses:
        st.subheader("Phases", anchor=False)
        show_table_frame(
            table(courses),
            key="layer_phases",
            alt="The phases of each model's trajectory, and where each atom emerges.",
        )
        drawn.show_caption(
            "In per cent of the layers, with 95 % intervals over samples (bootstrap of groups; "
            "none where an atom emerges in fewer than 95 % of the redrawn trajectories). "
            "“Drawn alike” is the share of them with the same phases. A phase begins where the "
            "course of all atoms together bends or jumps; their number is that of the lowest "
            "Bayesian information criterion. An atom emerges where it passes half of its largest "
            "value for good. Counted is where a layer begins; in the plots its point stands where "
            "it ends. MI26 describe silent encoding (0 to 20 %), unimodal accumulation "
            "(20 to 80 %) and late fusion (80 to 100 %)."
        )
    if len(whole) < len(trajectories):
        named = ", ".join(one.name for one in trajectories if one not in whole)
        st.text(f"Phases need a spectrum of every layer; some are missing of {named}.")


def table(courses: dict[str, Course]) -> pd.DataFrame:
    """Return the rows, all numbers in per cent of the layers."""
    rows: list[dict[str, str]] = []
    for model, course in courses.items():
        found = course.phases
        row = {
            "Model": model,
            "Phases": PATTERNS[found.pattern],
            "Drawn alike (%)": "" if isnan(found.support) else f"{100 * found.support:.0f}",
        }
        for place, name in enumerate(("Second begins (%)", "Third begins (%)")):
            cut = found.cuts[place] if place < len(found.cuts) else None
            row[name] = "" if cut is None else _depth(cut.depth, cut.interval)
        for atom in ATOMS:
            one = course.emergence[atom.field]
            row[f"{atom.label} from (%)"] = (
                "never" if one.layer is None else _depth(one.depth, one.interval)
            )
        rows.append(row | {"Remark": found.note})
    return pd.DataFrame(rows)


def _depth(depth: float, interval: tuple[float, float]) -> str:
    """Write a depth with its interval.

    >>> _depth(0.2, (0.15, 0.25)), _depth(0.5, (float("nan"), float("nan")))
    ('20 (15 to 25)', '50')
    """
    low, high = interval
    if isnan(low):
        return f"{100 * depth:.0f}"
    return f"{100 * depth:.0f} ({100 * low:.0f} to {100 * high:.0f})"


def _course(reading: Stored, trajectory: Trajectory) -> Course:
    keys = tuple(record.estimate_key for record in trajectory.layers)
    return _fitted(
        str(reading.cache), reading.version, keys, trajectory, _seen=reading.data_version
    )


@st.cache_data(max_entries=64, show_spinner="Fitting phases")
def _fitted(
    cache: str, version: str, keys: tuple[str, ...], _trajectory: Trajectory, *, _seen: str
) -> Course:
    return kept_course(Path(cache), _trajectory.layers, seen=_seen)

"""What each stage of a training changed, and where in it each atom changes its course."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path

import pandas as pd
import streamlit as st

from data_cache.checkpoints import Checkpoint
from data_cache.layer_rows import layer_rows
from model_runners.training_statistics import AtomCourse, Gain, TrainingCourse, training_course
from pages.figures.palette import ATOMS
from pages.figures.training_curves import Curve
from pages.widgets import drawn
from pages.widgets.stored import Stored
from pages.widgets.tables import show_table_frame
from pid_core.change_points import BY_CHANCE, FEWEST


def show_courses(reading: Stored, curves: Sequence[Curve]) -> None:
    """Show a table of stages and one of atoms."""
    courses = {one.name: _course(reading, one) for one in curves}
    stages = stage_table(courses)
    if not stages.empty:
        st.subheader("What each stage changed", anchor=False)
        show_table_frame(
            stages,
            key="training_stages",
            alt="How much each stage of each training changed each atom, in bits.",
        )
        drawn.show_caption(
            "Bits, with 95 % intervals of the difference over the samples that all checkpoints "
            "share (bootstrap of groups; the same samples are drawn for all checkpoints). A stage "
            "is held to the last checkpoint before it, the first one to its own first checkpoint. "
            "* marks differences whose interval leaves zero out."
        )
    if any(len(one.points) > 1 for one in curves):
        st.subheader("Where each atom changes its course", anchor=False)
        show_table_frame(
            atom_table(courses),
            key="training_atoms",
            alt="The step at which each atom of each training changes its course.",
        )
        drawn.show_caption(
            "Steps, with 95 % intervals over samples. A change of course is the best place to cut "
            "the checkpoints into two straight lines over steps that bend or jump there, named by "
            "the first checkpoint of the new course; "
            f"“by chance” is the share of straight lines with noise in which as good a cut is "
            f"found, and a change counts below {BY_CHANCE:.0%}. It takes {FEWEST} checkpoints. An "
            "atom is there from the checkpoint on from which it stays above half of its largest "
            "value."
        )


def stage_table(courses: Mapping[str, TrainingCourse]) -> pd.DataFrame:
    """Return one row per training and stage; changes in bits."""
    rows: list[dict[str, str]] = []
    for name, course in courses.items():
        for stage in course.stages:
            row = {
                "Training": name,
                "Stage": stage.stage or "-",
                "Steps": f"{stage.before.step:,} to {stage.after.step:,}",
            }
            row |= {f"{atom.label} (bits)": _gain(stage.gains[atom.field]) for atom in ATOMS}
            rows.append(row)
    return pd.DataFrame(rows)


def atom_table(courses: Mapping[str, TrainingCourse]) -> pd.DataFrame:
    """Return one row per training and atom; places as steps."""
    rows: list[dict[str, str]] = []
    for name, course in courses.items():
        steps = [one.step for one in course.checkpoints]
        for atom in ATOMS:
            found = course.atoms[atom.field]
            rows.append(
                {
                    "Training": name,
                    "Atom": atom.label,
                    "Changes at step": _change(found, steps),
                    "By chance": "" if found.change is None else f"{found.change.p_value:.2g}",
                    "There from step": _emerged(found, course.checkpoints),
                }
            )
    return pd.DataFrame(rows)


def _gain(gain: Gain) -> str:
    """Write a difference with its interval.

    >>> _gain(Gain(bits=0.5, interval=(0.4, 0.6)))
    '+0.500 (+0.400 to +0.600) *'
    """
    low, high = gain.interval
    written = _signed(gain.bits)
    if isnan(low):
        return written
    return f"{written} ({_signed(low)} to {_signed(high)}){' *' if gain.is_clear else ''}"


def _signed(value: float) -> str:
    """Write a number with its sign; never a minus zero.

    >>> _signed(-0.0001), _signed(0.25)
    ('+0.000', '+0.250')
    """
    return f"{round(value, 3) + 0.0:+.3f}"


def _change(found: AtomCourse, steps: Sequence[int]) -> str:
    change = found.change
    if change is None:
        return "too few checkpoints"
    if not change.is_there:
        return "none"
    low, high = change.interval
    at = f"{steps[change.at]:,}"
    return at if isnan(low) else f"{at} ({steps[round(low)]:,} to {steps[round(high)]:,})"


def _emerged(found: AtomCourse, checkpoints: Sequence[Checkpoint]) -> str:
    one = found.emergence
    if one.layer is None:
        return "never"
    at = f"{checkpoints[one.layer].step:,}"
    low, high = one.interval
    if isnan(low):
        return at
    ends = [checkpoints[round(end * len(checkpoints))].step for end in (low, high)]
    return f"{at} ({ends[0]:,} to {ends[1]:,})"


def _course(reading: Stored, curve: Curve) -> TrainingCourse:
    keys = tuple(record.estimate_key for record in curve.records)
    return _followed(str(reading.cache), reading.version, keys, curve)


@st.cache_data(max_entries=64, show_spinner="Following the training")
def _followed(cache: str, version: str, keys: tuple[str, ...], _curve: Curve) -> TrainingCourse:
    return training_course(_curve.points, layer_rows(Path(cache), keys))

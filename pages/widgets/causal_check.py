"""The causal check of synergy below the layers: what patching them did, or how to have it done."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import isnan
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from data_cache.errors import CacheError
from data_cache.estimates import SpectrumRecord
from data_cache.patch_effects import fingerprint
from data_cache.queries import RunRow
from model_runners.kept_courses import kept_patch_course
from model_runners.patch_run import PatchOptions
from model_runners.run_again import found_as
from pages.figures.layer_trajectories import Depth, Trajectory
from pages.figures.model_styles import ModelStyle
from pages.figures.patch_effects import Checked, describe, patch_figure
from pages.figures.rows import POOLED
from pages.report.parts import Words
from pages.widgets import drawn, state
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_click
from pages.widgets.empty_states import show_command
from pages.widgets.job_offer import offer_job
from pages.widgets.stored import Stored
from pages.widgets.tables import show_table_frame

if TYPE_CHECKING:
    from model_runners.patch_statistics import PatchCourse
    from pid_core.association import Association, Closer

COMMANDS = 3
"""Models whose command is written out at most."""


def show_causal_check(
    reading: Stored,
    trajectories: Sequence[Trajectory],
    styles: Mapping[str, ModelStyle],
    *,
    depth: Depth,
) -> None:
    """Show the effects beside S of every model that was patched; the others are named."""
    checked: list[Checked] = []
    waiting: list[Trajectory] = []
    for one in trajectories:
        try:
            course = _course(reading, one)
        except CacheError as error:
            drawn.note(Words(text=str(error), kind="warning"))
            st.text(f"What was patched of {one.model} cannot be shown: {error}. Patch it again.")
            course = None
        if course is None:
            waiting.append(one)
        else:
            checked.append(Checked(trajectory=one, course=course))
    if checked:
        st.subheader("Causal check of synergy", anchor=False)
        show_figure(
            patch_figure(checked, styles, depth=depth),
            key="patch_effects",
            alt=describe(checked),
            on_click=remember_click,
            data=partial(numbers, checked),
        )
        drawn.show_caption(
            "Below: after one layer, the last token's state of the run with image takes the "
            "place of that of the run whose image is noise, and everything above is computed "
            "anew. Shown is by how many points the probability of the full run's answer rises, "
            "with 95 % intervals over samples (bootstrap of groups). The diamond is all that the "
            "image changes; the last layer always reaches it. So it says from which layer on the "
            "state holds what the image adds to the answer, be that synergy or the image's own. "
            "The rank correlations (rho) of the samples' effects with their pointwise atoms say "
            "which of the two it goes with; over several subsets together they compare the "
            "subsets."
        )
        show_table_frame(
            table(checked),
            key="patch_effects_table",
            alt="What patching each layer did, and how it goes with pointwise synergy.",
        )
    # What is patched does not depend on the lens: a model is offered once, if at all.
    done = {one.trajectory.model for one in checked}
    waiting = list({one.model: one for one in waiting if one.model not in done}.values())
    if waiting:
        _offer(reading, waiting, some=bool(checked))


def table(checked: Sequence[Checked]) -> pd.DataFrame:
    """Return one row per model and patched layer, with units in the heads."""
    return pd.DataFrame(
        [
            {
                "Model": one.trajectory.name,
                "Layer": str(layer.layer),
                "Samples": str(layer.n),
                "Effect (points)": _points(layer.effect, layer.interval),
                "Of the whole (%)": "" if isnan(layer.share) else f"{round(100 * layer.share)}",
                "Moved in all (points)": _points(layer.moved, layer.moved_interval),
                "Rho with synergy": _rho(layer.synergy),
                "Rho with unique vision": _rho(layer.unique_1),
                "Difference of rho": _difference(layer.closer),
            }
            for one in checked
            for layer in one.course.layers
        ]
    )


def numbers(checked: Sequence[Checked]) -> pd.DataFrame:
    """Return the numbers behind the figure, unrounded; probabilities and bits."""
    synergy = {
        (one.trajectory.output.estimate_key, record.layer): record.synergy
        for one in checked
        for record in one.trajectory.layers
    }
    return pd.DataFrame(
        [
            {
                "model": one.trajectory.model,
                "run_key": one.trajectory.output.run_key,
                "estimate_key": one.trajectory.output.estimate_key,
                "layer": layer.layer,
                "n": layer.n,
                "draws": one.course.draws,
                "synergy_bits": synergy.get((one.trajectory.output.estimate_key, layer.layer)),
                "effect": layer.effect,
                "effect_low": layer.interval[0],
                "effect_high": layer.interval[1],
                "moved": layer.moved,
                "whole": one.course.whole,
                "rho_synergy": None if layer.synergy is None else layer.synergy.rho,
                "rho_unique_1": None if layer.unique_1 is None else layer.unique_1.rho,
            }
            for one in checked
            for layer in one.course.layers
        ]
    )


def _offer(reading: Stored, waiting: Sequence[Trajectory], *, some: bool) -> None:
    """Say how models that were not patched can be."""
    window = st.expander(
        "Check the other models causally" if some else "Causal check of synergy",
        key=state.CAUSAL_OPEN,
        icon=":material/experiment:",
        on_change="rerun",
    )
    if not window.open:
        return
    with window:
        st.text(
            "Does the state of a layer bring the full run's answer along? These models have not "
            "been patched on these samples yet:"
        )
        runs = {run.run_key: run for run in reading.every_run}
        for one in waiting[:COMMANDS]:
            st.text(one.model)
            _offer_one(reading, one.output, runs.get(one.output.run_key))
        if len(waiting) > COMMANDS:
            st.text(f"And {len(waiting) - COMMANDS} more.")


def _offer_one(reading: Stored, record: SpectrumRecord, run: RunRow | None) -> None:
    """Draw the button where it is known which weights the model has, and the command."""
    weights = None if run is None else found_as(run, reading.cache)
    subset = None if record.subset == POOLED else record.subset
    if weights is not None:
        offer_job(
            PatchOptions(
                model=record.model,
                benchmark=record.benchmark,
                run_key=record.run_key,
                weights=None if weights == record.model else weights,
                split=record.split,
                subset=subset,
            ),
            "Patch its layers",
            key=f"patch_{record.run_key}_{record.subset}",
            icon="experiment",
            cache=reading.cache,
        )
    names = f"--model {quote(record.model)} --benchmark {quote(record.benchmark)}"
    part = "" if subset is None else f" --subset {quote(subset)}"
    where = "" if weights is not None else " --weights FOLDER"
    show_command(
        f"patch {names} --run {record.run_key} --split {record.split}{part}{where}", reading.cache
    )


def _course(reading: Stored, one: Trajectory) -> "PatchCourse | None":
    held = fingerprint(reading.cache, one.output.run_key)
    if not held:
        return None
    record = one.output
    tau, draws = record.settings.get("tau", 0.3), record.settings.get("draws")
    return _measured(
        str(reading.cache),
        reading.version,
        held,
        record.run_key,
        record.estimate_key,
        tau,
        draws,
        _seen=reading.data_version,
    )


@st.cache_data(max_entries=64, show_spinner="Reading what patching did")
def _measured(
    cache: str,
    version: str,
    held: str,
    run_key: str,
    estimate_key: str,
    tau: float,
    draws: int | None,
    *,
    _seen: str,
) -> "PatchCourse | None":
    return kept_patch_course(
        Path(cache), run_key=run_key, estimate_key=estimate_key, tau=tau, draws=draws, seen=_seen
    )


def _points(value: float, interval: tuple[float, float]) -> str:
    """Write a probability in points.

    >>> _points(0.123, (0.1, 0.2)), _points(0.5, (float("nan"), float("nan")))
    ('12.3 (10.0 to 20.0)', '50.0')
    """
    return _with(100 * value, (100 * interval[0], 100 * interval[1]), digits=1)


def _rho(found: "Association | None") -> str:
    if found is None or isnan(found.rho):
        return ""
    return _with(found.rho, found.interval)


def _difference(found: "Closer | None") -> str:
    if found is None or isnan(found.difference):
        return ""
    return _with(found.difference, found.interval)


def _with(value: float, interval: tuple[float, float], *, digits: int = 2) -> str:
    """Write a number with its interval; nothing is minus zero.

    >>> _with(-0.001, (-0.002, 0.5))
    '0.00 (0.00 to 0.50)'
    """
    # Adding zero takes the minus off a zero.
    number, low, high = (f"{round(one, digits) + 0.0:.{digits}f}" for one in (value, *interval))
    return number if isnan(interval[0]) else f"{number} ({low} to {high})"

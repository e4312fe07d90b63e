"""What the Training page says where there is nothing to draw, and how far to trust the rest."""

from collections.abc import Sequence
from shlex import quote

import streamlit as st

from data_cache.training_runs import TrainingRun
from data_cache.trajectories import Trajectory
from model_runners.again import training_command
from pages.figures.exactness import within
from pages.figures.training_curves import Curve
from pages.widgets.empty_states import (
    nothing_stored,
    show_command,
    show_estimate_command,
)
from pages.widgets.evidence import GAP_ABOVE
from pages.widgets.stored import Stored

COMMANDS_SHOWN = 3


def nothing_measured(reading: Stored, known: Sequence[Trajectory]) -> None:
    """No checkpoint of any training is measured."""
    if reading.condition != "ready" and not known:
        nothing_stored(reading)
        return
    with st.container(border=True):
        st.subheader("No training measured yet", anchor=False)
        st.text(
            "Any sequence of checkpoints of one model can be followed: a folder with "
            "trajectory.json or with the Trainer's checkpoint-STEP folders, revisions of a "
            "repository on the hub, or adapters of one base."
        )
        benchmark = reading.runs[0].benchmark if reading.runs else "digits_vqa"
        for one in known[:COMMANDS_SHOWN]:
            if one.kind != "callback":
                st.text(f"{one.name} has {len(one.points)} checkpoints; measure them:")
                show_command(training_command(one, None, benchmark=benchmark), reading.cache)
        if not known:
            names = f"--benchmark {quote(benchmark)}"
            show_command(f"training FOLDER {names} --limit 256", reading.cache)


def nothing_shown(chosen: Sequence[TrainingRun], reading: Stored) -> None:
    """No training is chosen, or none of those has a spectrum."""
    if not chosen:
        with st.container(border=True):
            st.subheader("Nothing is selected", anchor=False)
            st.text("Choose at least one training.")
        return
    with st.container(border=True):
        st.subheader("No estimate yet", anchor=False)
        names = ", ".join(one.trajectory for one in chosen)
        st.text(f"{names}: predictions are there, and no spectrum that fits the pickers.")
        for point in chosen[0].measured[:COMMANDS_SHOWN]:
            show_estimate_command(point.checkpoint.model, chosen[0].benchmark, reading.cache)


def show_notes_on(chosen: Sequence[TrainingRun], curves: Sequence[Curve]) -> None:
    """Show how exact the numbers are, and whose checkpoints were measured unlike each other."""
    gap = max((record.gap_bits for one in curves for record in one.records), default=0.0)
    exact = gap <= GAP_ABOVE
    st.badge(
        within(max(gap, 1e-4)),
        icon=":material/verified:" if exact else ":material/warning:",
        color="green" if exact else "orange",
        help="The largest distance between the certified lower and upper bound, over all "
        "checkpoints.",
    )
    sentences = [sentence for one in curves for sentence in unlike(one)]
    drawn = {one.name for one in curves}
    absent = [one.trajectory for one in chosen if one.trajectory not in drawn]
    if absent:
        sentences.append(f"{', '.join(absent)}: no spectrum that fits the pickers.")
    if sentences:
        with st.container(border=True):
            st.text("\n".join(sentences))


def unlike(curve: Curve) -> list[str]:
    """Say what differs between the checkpoints of a training, beside the model."""
    found: list[str] = []
    counts = [record.n for record in curve.records]
    if len(set(counts)) > 1:
        found.append(
            f"{curve.name}: its checkpoints were measured on {min(counts)} to {max(counts)} "
            "samples; differences between them are not of the model alone."
        )
    settings = {repr(sorted(record.settings.items(), key=str)) for record in curve.records}
    if len(settings) > 1:
        found.append(
            f"{curve.name}: its checkpoints were estimated with different settings; the pickers "
            "above choose one, and the settings below say which."
        )
    return found

"""How far the trajectories can be trusted: the gap, and the layers that say nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

import streamlit as st

from data_cache.coverage import coverage
from data_cache.lenses import lenses
from data_cache.queries import RunRow
from model_runners.benchmark_choice import arguments_of
from model_runners.errors import BadOption
from model_runners.lens_options import LOGIT, TUNED, LensOptions, lens_verb, recipe_of
from model_runners.lens_quality import judged
from model_runners.run_again import found_as, of_the_same_samples, options_again
from pages.figures.exactness import within
from pages.figures.layer_trajectories import OFTEN, Trajectory, fell_back
from pages.widgets.empty_states import show_command
from pages.widgets.evidence import GAP_ABOVE
from pages.widgets.job_offer import offer_job
from pages.widgets.stored import Stored


def show_notes_on(trajectories: Sequence[Trajectory], reading: Stored) -> None:
    """Show how exact the numbers are, which lens reads nothing, and which layers hardly do."""
    gap = max(
        (record.gap_bits for one in trajectories for record in (*one.layers, one.output)),
        default=0.0,
    )
    exact = gap <= GAP_ABOVE
    st.badge(
        within(max(gap, 1e-4)),
        icon=":material/verified:" if exact else ":material/warning:",
        color="green" if exact else "orange",
        help="The largest distance between the certified lower and upper bound, over all layers.",
    )
    _show_lenses(trajectories, reading)
    sentences = [
        f"{one.name}: {layers_in_words(layers)}"
        for one in trajectories
        if (layers := fell_back(one))
    ]
    if sentences:
        with st.container(border=True):
            st.text(
                f"In these layers more than {OFTEN:.0%} of the samples put too little mass on the "
                "options and counted as uniform. Atoms near zero there say that the lens reads no "
                "answer, not that there is no information."
            )
            st.text("\n".join(f"• {sentence}" for sentence in sentences))


def _show_lenses(trajectories: Sequence[Trajectory], reading: Stored) -> None:
    """Name the models whose lens reads nothing before the end, and offer a tuned lens for each."""
    runs = {run.run_key: run for run in reading.every_run}
    through = {one.model for one in trajectories if one.lens != LOGIT}
    for one in trajectories:
        sentence = judged(one.layers, one.depth)
        if not sentence:
            continue
        with st.container(border=True):
            st.text(sentence)
            run = runs.get(one.output.run_key)
            if run is None or "imported" in run.config:
                continue
            asked = arguments_of(run.benchmark, run.environment)
            if one.lens != LOGIT:
                st.text("A lens trained on more samples (--limit) may read more.")
            elif one.model not in through:
                st.text("A tuned lens may read them. Train it, then read the layers through it:")
                _offer_lens(run, reading.cache)
                show_command(lens_verb(run.model, run.config, asked), reading.cache)
                show_command(
                    f"profile --model {quote(run.model)} {asked} --lens tuned", reading.cache
                )


def _offer_lens(run: RunRow, cache: Path) -> None:
    """Draw the button of the next step: train a lens, or read the layers through the one there."""
    weights = found_as(run, cache)
    if weights is None:
        return
    try:
        asked = options_again(run, model=weights)
    except BadOption as error:
        st.text(f"It cannot be started from here: {error}")
        return
    recipe = recipe_of(run.config)
    key = run.run_key
    if not any(one.recipe == recipe for one in lenses(cache)):
        lens = LensOptions(asked=asked)
        offer_job(lens, "Train a tuned lens", key=f"lens_{key}", icon="lens_blur", cache=cache)
        return
    offer_job(
        of_the_same_samples(replace(asked, lens=TUNED), run, coverage(cache)[key]),
        "Read the layers through the tuned lens",
        key=f"read_{key}",
        icon="layers",
        cache=cache,
    )


def layers_in_words(layers: Sequence[int]) -> str:
    """Join layers to runs of neighbours.

    >>> layers_in_words([0, 1, 2, 5])
    'layers 0-2, 5'
    """
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    words = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    return f"layer{'s' if len(layers) > 1 else ''} {words}"

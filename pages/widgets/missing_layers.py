"""The models whose layers were not read yet, and how they are: a button, and a command."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

import streamlit as st

from data_cache.coverage import RunCoverage, coverage
from data_cache.plan import OUTPUT_LAYER
from data_cache.queries import RunRow
from model_runners.benchmark_choice import arguments_of
from model_runners.errors import BadOption
from model_runners.run_again import found_as, of_the_same_samples, options_again
from pages.widgets import state
from pages.widgets.empty_states import show_command
from pages.widgets.job_offer import offer_job
from pages.widgets.sidebar import MODELS_AT_FIRST, natural_order
from pages.widgets.stored import Stored

MOST_OFFERED = 3
"""Models whose button and command are drawn at most."""


def show_missing_layers(models: Sequence[str], benchmark: str, reading: Stored) -> None:
    """No spectrum of a layer is stored of any chosen model that fits the pickers."""
    if not models:
        return
    with st.container(border=True):
        st.subheader("Not read layer by layer yet", anchor=False)
        st.text(f"{benchmark}: no spectra of the layers of {', '.join(models)}.")
        others = sorted(_deep(benchmark, reading) - set(models), key=natural_order)
        if others:
            st.text(f"Read already: {', '.join(others)}.")
            st.button(
                "Show these",
                key="models_with_layers",
                icon=":material/layers:",
                on_click=_choose_models,
                args=(others[:MODELS_AT_FIRST],),
            )
        _show_ways(models, benchmark, reading)


def offer_missing_layers(models: Sequence[str], benchmark: str, reading: Stored) -> None:
    """Name the chosen models that are not drawn among the others; how they are read is folded."""
    if not models:
        return
    window = st.expander(
        f"Not read layer by layer yet: {len(models)} of the chosen models",
        key=state.MISSING_LAYERS_OPEN,
        icon=":material/layers:",
        on_change="rerun",
    )
    if window.open:
        with window:
            st.text(f"{benchmark}: no spectra of the layers of {', '.join(models)}.")
            _show_ways(models, benchmark, reading)


def _deep(benchmark: str, reading: Stored) -> set[str]:
    """Return the models all of whose samples have layers."""
    return {
        run.model
        for run in reading.runs
        if run.benchmark == benchmark and max(run.layers, default=OUTPUT_LAYER) > OUTPUT_LAYER
    }


def _show_ways(models: Sequence[str], benchmark: str, reading: Stored) -> None:
    """Draw for each model the button and the command that give it spectra of its layers."""
    deep = _deep(benchmark, reading)
    stored = {run.model: run for run in reading.runs if run.benchmark == benchmark}
    covered = coverage(reading.cache)
    for model in models[:MOST_OFFERED]:
        names = f"--model {quote(model)} --benchmark {quote(benchmark)}"
        if model in deep:
            st.text(f"The layers of {model} are measured; estimate their spectra:")
            show_command(f"estimate {names} --by subset --layers", reading.cache)
            continue
        st.text(
            f"{model} can be read through the logit lens: here, on the Run page (Read out: every "
            "layer) or with this command. The spectra come with it:"
        )
        run = stored.get(model)
        again = f"--benchmark {quote(benchmark)}"
        if run is not None:
            _offer_layers(run, covered.get(run.run_key), reading.cache)
            again = arguments_of(benchmark, run.environment)
        show_command(f"profile --model {quote(model)} {again} --layers", reading.cache)
    if len(models) > MOST_OFFERED:
        st.text(f"And {len(models) - MOST_OFFERED} more.")


def _offer_layers(run: RunRow, held: RunCoverage | None, cache: Path) -> None:
    """Draw the button that reads every layer on the samples of a run."""
    weights = found_as(run, cache)
    if weights is None or held is None or not held.samples:
        return
    try:
        asked = options_again(run, model=weights)
    except BadOption:  # of another PIDscope; the command asks anew
        return
    offer_job(
        of_the_same_samples(replace(asked, layers=True), run, held),
        "Read its layers",
        key=f"layers_{run.run_key}",
        icon="layers",
        cache=cache,
    )


def _choose_models(models: Sequence[str]) -> None:
    st.session_state[state.MODELS] = list(models)

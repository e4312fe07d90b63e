"""The models whose layers were not read yet, and how they are: a button, and a command."""

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote

import streamlit as st

from data_cache.coverage import coverage
from data_cache.queries import RunRow
from model_runners.benchmark_choice import arguments_of
from model_runners.errors import BadOption
from model_runners.run_again import found_as, of_the_same_samples, options_again
from pages.widgets import state
from pages.widgets.empty_states import show_command
from pages.widgets.job_offer import offer_job
from pages.widgets.sidebar import MODELS_AT_FIRST, natural_order
from pages.widgets.stored import Stored


def show_missing_layers(models: Sequence[str], benchmark: str, reading: Stored) -> None:
    """No spectrum of a layer is stored of some models that fits the pickers."""
    if not models:
        return
    measured = [run for run in reading.runs if run.benchmark == benchmark]
    deep = {run.model for run in measured if max(run.layers, default=-1) > -1}
    stored = {run.model: run for run in measured}
    asked = {run.model: arguments_of(benchmark, run.environment) for run in measured}
    with st.container(border=True):
        st.subheader("Not read layer by layer yet", anchor=False)
        st.text(f"{benchmark}: no spectra of the layers of {', '.join(models)}.")
        others = sorted(deep - set(models), key=natural_order)
        if others:
            st.text(f"Read already: {', '.join(others)}.")
            st.button(
                "Show these",
                key="models_with_layers",
                icon=":material/layers:",
                on_click=_choose_models,
                args=(others[:MODELS_AT_FIRST],),
            )
        for model in models[:3]:
            names = f"--model {quote(model)} --benchmark {quote(benchmark)}"
            if model in deep:
                st.text(f"The layers of {model} are measured; estimate their spectra:")
                show_command(f"estimate {names} --by subset --layers", reading.cache)
            else:
                st.text(
                    f"{model} can be read through the logit lens: here, on the Run page (Read out: "
                    "every layer) or with this command. The spectra come with it:"
                )
                if model in stored:
                    _offer_layers(stored[model], reading)
                again = asked.get(model, f"--benchmark {quote(benchmark)}")
                show_command(f"profile --model {quote(model)} {again} --layers", reading.cache)


def _offer_layers(run: RunRow, reading: Stored) -> None:
    """Draw the button that reads every layer on the samples of a run."""
    weights = found_as(run, reading.cache)
    held = coverage(reading.cache).get(run.run_key)
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
        cache=reading.cache,
    )


def _choose_models(models: Sequence[str]) -> None:
    st.session_state[state.MODELS] = list(models)

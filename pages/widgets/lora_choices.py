"""What is to be trained: the pickers for model, samples and strategy."""

from pathlib import Path

import streamlit as st

from model_runners.errors import BadOption
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.tagged import with_tag
from model_runners.strategies import STRATEGIES
from pages.widgets import state
from pages.widgets.benchmark_choices import choose_benchmark, show_rows
from pages.widgets.lora_advanced import USUAL, choose_advanced, count
from pages.widgets.lora_tag import choose_tag
from pages.widgets.run_choices import (
    ask_for_model,
    choose_device,
    choose_limit,
    choose_model,
    choose_subset,
)
from pages.widgets.run_probe import choose_draws

UNWEIGHED = "uniform"
"""The strategy of options whose tag is not set yet."""


def choose_finetune(cache: Path) -> FinetuneOptions | None:
    """Draw the pickers and return what is chosen; None while the model has no name yet.

    Parameters
    ----------
    cache
        The cache folder, which has the tags.

    Raises
    ------
    data_cache.errors.DataError, model_runners.errors.RunnerError
        If a choice makes no sense or cannot be read.
    """
    first_row = st.container(horizontal=True, vertical_alignment="top")
    manner_row = st.container()
    with first_row:
        model = choose_model(state.LORA_MODEL, state.LORA_OTHER_MODEL)
        chosen = choose_benchmark(state.LORA_BENCHMARK, manner_row)
        if chosen is None:
            return None
        subset = choose_subset(chosen.benchmark, state.LORA_SUBSET)
        strategy = st.segmented_control(
            "Strategy",
            list(STRATEGIES),
            default=next(iter(STRATEGIES)),
            required=True,
            key=state.LORA_STRATEGY,
            persist_state="session",
            help="\n".join(f"- {name}: {entry.summary}" for name, entry in STRATEGIES.items()),
        )
        by_tag = strategy is not None and STRATEGIES[strategy].needs_tag
        tag = choose_tag(cache, chosen.benchmark) if by_tag else None
    with st.container(horizontal=True, vertical_alignment="top"):
        limit = choose_limit(
            state.LORA_LIMIT,
            help="So many train samples of the benchmark's order; empty takes all.",
        )
        epochs = count("Epochs", state.LORA_EPOCHS, USUAL.epochs, "Passes over the train samples.")
        draws = choose_draws(state.LORA_DRAWS)
        device = choose_device(state.LORA_DEVICE)
    with st.expander("Advanced", icon=":material/tune:", key="lora_training"):
        advanced = choose_advanced(by_tag=by_tag)
    chosen = show_rows(chosen, state.LORA_BENCHMARK)
    if not model:
        ask_for_model()
        return None
    if strategy is None:
        raise BadOption("choose a strategy")
    options = FinetuneOptions(
        model=model,
        benchmark=chosen.choice.name,
        data=chosen.choice.data,
        split_policy=chosen.choice.split_policy,
        circular=chosen.choice.circular,
        frames=chosen.choice.frames,
        max_bad_rows=chosen.max_bad_rows,
        strategy=UNWEIGHED if by_tag else strategy,
        subset=subset,
        limit=limit,
        epochs=epochs,
        draws=draws,
        device=device,
        **advanced,
    )
    if not by_tag:
        return options
    if tag is None:
        raise BadOption(
            f"no sample of {chosen.benchmark.name} is tagged yet; tag samples of the train split "
            "on the Samples page, or save a list of them as a slice"
        )
    return with_tag(options, tag, cache, chosen.benchmark, keep=False)

"""What is to be trained: the pickers for model, samples, strategy and the training itself."""

from pathlib import Path

import streamlit as st

from model_runners.errors import BadOption
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.tagged import with_tag
from model_runners.strategies import STRATEGIES
from pages.widgets import state
from pages.widgets.benchmark_choices import choose_benchmark, show_rows
from pages.widgets.lora_tag import choose_tag
from pages.widgets.run_choices import (
    ask_for_model,
    choose_device,
    choose_draws,
    choose_limit,
    choose_model,
    choose_subset,
)

WIDTH = 140
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
        top = st.number_input(
            "Gap samples",
            min_value=1,
            value=None,
            step=1,
            placeholder="of the tag" if by_tag else "a quarter",
            disabled=by_tag,
            key=state.LORA_TOP,
            persist_state="session",
            width=WIDTH,
            help="So many samples weigh more, and as many shortcut samples less; empty takes a "
            "quarter of the train samples.",
        )
        epochs = _count("Epochs", state.LORA_EPOCHS, 3, "Passes over the train samples.")
        draws = choose_draws(state.LORA_DRAWS)
        device = choose_device(state.LORA_DEVICE)
    more = st.expander("Training", icon=":material/tune:", key="lora_training")
    with more, st.container(horizontal=True, vertical_alignment="top"):
        rank = _count("Rank", state.LORA_RANK, 8, "Of the low-rank matrices.")
        batch = _count("Batch size", state.LORA_BATCH, 32, "Samples of one step.")
        rate = st.number_input(
            "Learning rate",
            min_value=0.0,
            value=None,
            step=1e-4,
            format="%.2e",
            placeholder="automatic",
            key=state.LORA_RATE,
            persist_state="session",
            width=WIDTH,
            help="Empty takes 2e-4 at width 4096, in proportion to 1 / width, at most 2e-3.",
        )
        seed = _count("Seed", state.LORA_SEED, 0, "Of first weights and order.", least=0)
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
        top=None if by_tag else top,
        epochs=epochs,
        rank=rank,
        learning_rate=rate,
        batch_size=batch,
        draws=draws,
        seed=seed,
        device=device,
    )
    if not by_tag:
        return options
    if tag is None:
        raise BadOption(
            f"no sample of {chosen.benchmark.name} is tagged yet; tag samples of the train split "
            "on the Samples page, or save a list of them as a slice"
        )
    return with_tag(options, tag, cache, chosen.benchmark, keep=False)


def _count(label: str, key: str, value: int, help: str, *, least: int = 1) -> int:
    return st.number_input(
        label,
        min_value=least,
        value=value,
        step=1,
        key=key,
        persist_state="session",
        width=WIDTH,
        help=help,
    )

"""How an adapter is trained: the choices that most people leave as they are."""

from typing import Any

import streamlit as st

from data_cache.benchmarks import BENCHMARKS
from model_runners.finetuning.options import SELECT, TOP_SHARE, FinetuneOptions
from pages.widgets import state

WIDTH = 150
USUAL = FinetuneOptions(model="", benchmark="")
"""Where every field begins."""
SELECTIONS = {"all": "all of them", "topk": "only those that weigh more or less"}


def choose_advanced(*, by_tag: bool) -> dict[str, Any]:
    """Draw the fields and return what they hold, by the name of the option.

    Parameters
    ----------
    by_tag
        A tag says which samples weigh more, so that none are counted or left out.
    """
    rows = [st.container(horizontal=True, vertical_alignment="top") for _ in range(4)]
    with rows[0]:
        found: dict[str, Any] = {
            "top": st.number_input(
                "Samples that weigh more (K)",
                min_value=1,
                value=None,
                step=1,
                placeholder="of the tag" if by_tag else f"{TOP_SHARE:.0%}",
                disabled=by_tag,
                key=state.LORA_TOP,
                persist_state="session",
                width=210,
                help="And as many that weigh less; the same K for every strategy. Empty takes "
                f"{TOP_SHARE:.0%} of the train samples.",
            ),
            "select": st.selectbox(
                "Train on",
                SELECT,
                format_func=lambda name: SELECTIONS[name],
                disabled=by_tag,
                key=state.LORA_SELECT,
                persist_state="session",
                width=270,
                help="All train samples with their weights, or only the K that weigh more and the "
                "K that weigh less.",
            )
            or SELECT[0],
        }
        found["mix"] = st.text_input(
            "And on other benchmarks",
            key=state.LORA_MIX,
            persist_state="session",
            disabled=by_tag,
            placeholder="none; such as mmstar, pope=2",
            width=230,
            help="With mixing weights: an epoch takes samples of each benchmark in proportion to "
            "them; that of the first one is 1.",
        )
        measured = st.multiselect(
            "Measure on, too",
            list(BENCHMARKS),
            accept_new_options=True,
            key=state.LORA_MEASURED,
            persist_state="session",
            placeholder="those that are trained on",
            width=330,
            help="Benchmarks on whose test split before and after are measured, beside the one "
            "that is trained on: what the training costs elsewhere. A name or the path of a file.",
        )
    with rows[1]:
        found["rank"] = count("Rank", state.LORA_RANK, USUAL.rank, "Of the low-rank matrices.")
        found["alpha"] = st.number_input(
            "Alpha",
            min_value=0.0,
            value=None,
            step=1.0,
            placeholder="2 x rank",
            key=state.LORA_ALPHA,
            persist_state="session",
            width=WIDTH,
            help="What the matrices add is scaled by alpha / rank.",
        )
        found["dropout"] = st.number_input(
            "Dropout",
            min_value=0.0,
            max_value=0.95,
            value=USUAL.dropout,
            step=0.05,
            key=state.LORA_DROPOUT,
            persist_state="session",
            width=WIDTH,
            help="Of what goes into the low-rank matrices; nothing else drops anything.",
        )
        found["learning_rate"] = st.number_input(
            "Learning rate",
            min_value=0.0,
            value=None,
            step=1e-4,
            format="%.2e",
            placeholder="automatic",
            key=state.LORA_RATE,
            persist_state="session",
            width=WIDTH,
            help="Empty takes 1e-4 at width 4096, in proportion to 1 / width, at most 2e-3.",
        )
    with rows[2]:
        found["batch_size"] = count(
            "Batch size", state.LORA_BATCH, USUAL.batch_size, "Samples of one step."
        )
        found["micro_batch"] = st.number_input(
            "Samples at once",
            min_value=1,
            value=None,
            step=1,
            placeholder="the batch",
            key=state.LORA_MICRO,
            persist_state="session",
            width=WIDTH,
            help="Of one forward pass; passes add up to a batch. Fewer need less memory.",
        )
        found["early_stop"] = count(
            "Stop early after",
            state.LORA_STOP,
            USUAL.early_stop,
            "Evaluations in a row that are no better, on a tenth of the train split that is held "
            "out; the best adapter is kept. 0 trains to the end, on all samples.",
            least=0,
        )
        found["seed"] = count(
            "Seed",
            state.LORA_SEED,
            USUAL.seed,
            "Of first weights, dropout and order; the first one of several.",
            least=0,
        )
    with rows[3]:
        found["gradient_checkpointing"] = st.checkbox(
            "Compute activations twice rather than keep them",
            key=state.LORA_CHECKPOINTING,
            persist_state="session",
            help="Gradient checkpointing: less memory, more time.",
        )
    found["mix"] = None if by_tag else (found["mix"] or "").replace(" ", "") or None
    found["evaluate_on"] = tuple(measured) or None
    if by_tag:
        found |= {"top": None, "select": SELECT[0]}
    return found


def count(label: str, key: str, value: int, help: str, *, least: int = 1) -> int:
    """Draw a field for a whole number."""
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

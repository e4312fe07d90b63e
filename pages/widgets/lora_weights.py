"""How many samples would get which weight, before anything is trained: from stored scores."""

from collections.abc import Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from data_cache import queries
from data_cache.estimates import SpectrumRecord
from data_cache.samples import Benchmark
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.stored_scores import preview
from model_runners.strategies import STRATEGIES
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.lora_plan import Plan
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import Weights, lifted_samples
from pages.widgets.strategy_words import rank_of, with_ranks
from pages.widgets.weights_shown import SHOWN, show_roles


def show_weights_before(options: FinetuneOptions, plan: Plan, reading: Stored) -> None:
    """Offer a look at the weights; they are worked out only while it is open."""
    if STRATEGIES[options.strategy].needs_scores and not plan.behind:
        return  # the plan has said that scores are measured first
    window = st.expander(
        "Which samples weigh how much",
        key=state.LORA_WEIGHTS_OPEN,
        icon=":material/scale:",
        on_change="rerun",
    )
    if not window.open:
        return
    with window, sentence_instead("These weights cannot be told."):
        found = _weights(
            str(reading.cache),
            reading.version,
            options,
            plan.behind,
            plan.benchmark.key,
            plan.tagged,
            plan.benchmark,
            {run.run_key: run.config for run in reading.runs},
        )
        if found is None:
            st.text("No scores of these samples are stored; they are measured first.")
            return
        weights, warnings = found
        show_roles(
            weights,
            options.strategy,
            key="before",
            note=note_of(options, plan, len(weights.frame)),
            behind=plan.behind,
        )
        for warning in warnings:
            st.text(f"{warning}.")


def note_of(options: FinetuneOptions, plan: Plan, known: int) -> str:
    """Say what these weights rest on."""
    if not STRATEGIES[options.strategy].needs_scores:
        return "All of them are of the train split."
    draws = sorted({str(one.settings.get("draws")) for one in plan.behind})
    which = f"From stored scores of the base on the train split (draws: {', '.join(draws)})"
    if known < len(plan.samples):
        return (
            f"{which}, which {known:,} of the {len(plan.samples):,} train samples have; the others "
            "are measured first, and then other samples may be chosen."
        )
    if draws != [str(options.draws)]:
        return f"{which}; the training takes {options.draws} draws, and may choose other samples."
    return f"{which}. The training measures the same and chooses the same."


# The samples follow from the options and the benchmark's key.
@st.cache_data(
    max_entries=8,
    show_spinner="Weighing samples",
    hash_funcs={SpectrumRecord: lambda one: one.estimate_key},
)
def _weights(
    cache: str,
    version: str,
    options: FinetuneOptions,
    behind: Sequence[SpectrumRecord],
    benchmark_key: str,
    tagged: frozenset[str],
    _benchmark: Benchmark,
    _configs: Mapping[str, Mapping[str, Any]],
) -> tuple[Weights, tuple[str, ...]] | None:
    found = preview(options, behind, Path(cache), _benchmark, tagged=tagged, configs=_configs)
    if found is None:
        return None
    scores = found.scores
    frame = with_ranks(
        pd.DataFrame(
            {
                "sample_id": scores.sample_ids,
                "role": found.weighting.roles,
                "weight": found.weighting.weights,
                "gap_score": scores.gap_score,
                "fusion_potential": scores.fusion_potential,
                "answer": scores.answer,
                "answer_without_image": scores.answer_without_image,
                "audio_unique": nan if scores.audio_unique is None else scores.audio_unique,
            }
        )
    )
    score = rank_of(options.strategy)
    ids = lifted_samples(frame, None if score is None else score.field)["sample_id"]
    first = ids.head(SHOWN).tolist()
    shown = queries.samples(Path(cache), benchmark_key, first) if first else []
    return Weights(frame=frame, shown=tuple(shown)), found.weighting.warnings

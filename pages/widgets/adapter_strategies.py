"""The strategies that adapters of one base were trained by, beside each other and over seeds."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from data_cache.adapters import AdapterRecord
from data_cache.estimates import SpectrumRecord
from model_runners.finetuning import study
from pages.figures.before_after import Pair
from pages.figures.rows import POOLED, subset_label
from pages.widgets import drawn, state
from pages.widgets.adapter_results import strategy_of, subset_of
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import SPLIT, pairs_of
from pages.widgets.tables import show_table_frame


def show_strategies(
    adapter: AdapterRecord, adapters: Sequence[AdapterRecord], reading: Stored
) -> None:
    """List all adapters of the same base and benchmark, as found."""
    here = [
        (one, {pair.after.subset: pair for pair in pairs_of(one, reading.spectra)})
        for one in adapters
        if (one.base, one.benchmark) == (adapter.base, adapter.benchmark)
    ]
    here = [(one, pairs) for one, pairs in here if pairs]
    subsets = sorted(
        {subset for _, pairs in here for subset in pairs},
        key=lambda name: (name != subset_of(adapter), name != POOLED, name),
    )
    if not subsets:
        return
    st.subheader("Strategies on the same base", anchor=False)
    wanted = st.selectbox(
        "Measured on",
        subsets,
        format_func=subset_label,
        key=state.LORA_PART,
        width=220,
    )
    subset = wanted if wanted in subsets else subsets[0]
    show_table_frame(
        strategies(subset, [(one, pairs) for one, pairs in here if subset in pairs]),
        key="strategy_table",
        alt="One row per adapter of this base, and one for the base itself.",
    )
    drawn.show_caption(
        "As found, on the test split, with the 95 % interval of each estimate. Adapters differ in "
        "more than their strategy where the columns on the right differ."
    )
    _show_seeds(subset, adapter, [one for one, _ in here], reading)


def _show_seeds(
    subset: str, adapter: AdapterRecord, adapters: Sequence[AdapterRecord], reading: Stored
) -> None:
    """Show means over seeds where a strategy was trained with several."""
    spectra = [
        one
        for one in reading.spectra
        if (one.split, one.estimator, one.subset) == (SPLIT, "certified", subset)
    ]
    found = study.outcomes_of(study.alike(adapter, adapters), spectra)
    if all(one.accuracy.n < study.FEWEST_SEEDS for one in found):
        return
    show_table_frame(
        over_seeds(found),
        key="seeds_table",
        alt="One row per strategy: accuracy and synergy as means over seeds.",
    )
    drawn.show_caption(
        "Adapters trained as the one above but for strategy and seed: means over seeds with "
        "Student's 95 % interval, and the accuracy less that of uniform with the same seed. The "
        "seeds share their test samples, which the interval does not cover."
    )


def over_seeds(found: Sequence[study.Outcome]) -> pd.DataFrame:
    """Return one row per strategy, the base first."""
    return pd.DataFrame(
        [
            {
                "Strategy": one.strategy,
                "Seeds": "" if one.strategy == study.BASE else str(one.accuracy.n),
                "Accuracy (%)": study.written(one.accuracy, scale=100, digits=1),
                "Minus uniform (points)": ""
                if one.minus_uniform is None or one.strategy == study.BASELINE
                else study.written(one.minus_uniform, scale=100, digits=1, sign="+"),
                "Synergy (bits)": study.written(one.synergy, digits=3),
            }
            for one in found
        ]
    )


def strategies(
    subset: str, adapters: Sequence[tuple[AdapterRecord, Mapping[str, Pair]]]
) -> pd.DataFrame:
    """Return one row per base run, and one per adapter below it."""
    rows: list[dict[str, object]] = []
    seen: set[str] = set()
    for one, pairs in adapters:
        pair = pairs[subset]
        if pair.before.estimate_key not in seen:
            seen.add(pair.before.estimate_key)
            rows.append({"Strategy": "none (the base)"} | _measured(pair.before))
        rows.append(
            {"Strategy": strategy_of(one)}
            | _measured(pair.after)
            | {
                "Trained on": subset_of(one) or "every subset",
                "Train samples": f"{one.n_train:,}",
                "Epochs": str(one.options.get("epochs")),
                "Rank": str(one.options.get("rank")),
                "Seed": str(one.options.get("seed")),
                "Adapter": one.name,
            }
        )
    base = [row for row in rows if "Adapter" not in row]
    trained = sorted(
        (row for row in rows if "Adapter" in row), key=lambda row: str(row["Strategy"])
    )
    return pd.DataFrame([*base, *trained]).fillna("")


def _measured(record: SpectrumRecord) -> dict[str, object]:
    def with_interval(atom: str) -> str:
        text = f"{round(getattr(record, atom), 3) + 0.0:.3f}"
        low_high = record.interval.get(atom)
        return text if low_high is None else f"{text} ({low_high[0]:.3f} to {low_high[1]:.3f})"

    return {
        "Synergy (bits)": with_interval("synergy"),
        "Unique language (bits)": with_interval("unique_2"),
        "Accuracy (%)": f"{100 * record.accuracy:.1f}",
        "Test samples": f"{record.n:,}",
    }

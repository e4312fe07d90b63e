"""What a training changed everywhere it was measured: on what it was trained on, and elsewhere."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from data_cache.adapters import AdapterRecord
from model_runners.family_statistics import independent
from model_runners.findings.material import kind_of
from model_runners.finetuning.standings import Standing
from model_runners.finetuning.study import written
from pages.figures.correlation_dots import p_words
from pages.figures.rows import POOLED, subset_label
from pages.widgets import drawn
from pages.widgets.adapter_parts import EVERY, Shown, benchmarks_of
from pages.widgets.adapter_results import subset_of
from pages.widgets.adapter_strategies import read_standings
from pages.widgets.spectrum_choices import newest_of_each
from pages.widgets.stored import Stored
from pages.widgets.stored_adapters import SPLIT
from pages.widgets.tables import show_table_frame

NOBODY_KNOWS = "not known"


def show_transfer(
    adapter: AdapterRecord, adapters: Sequence[AdapterRecord], reading: Stored
) -> None:
    """Show accuracy before and after on every benchmark and subset, by what each of them asks for.

    Nothing is drawn where there is one row only.
    """
    frame = transfer(adapter, adapters, reading)
    if len(frame) < 2:
        return
    st.subheader("What it changed, task by task", anchor=False)
    show_table_frame(
        frame,
        key="transfer_table",
        alt="Accuracy before and after on every benchmark and subset that was measured.",
    )
    drawn.show_caption(
        f"{SPLIT.capitalize()} split; after is the mean over the seeds of this strategy, the "
        "interval is Student's over them, and p is the exact paired test over questions as above, "
        "not corrected for the number of rows. Asks for: what a paper says of a benchmark, or what "
        "it was built to ask, or what the models measured here say (synergy- or "
        "knowledge-driven). A training on what needs fusion may cost what needs knowledge."
    )
    if sentence := cost_in_words(frame):
        st.text(sentence)


def transfer(
    adapter: AdapterRecord, adapters: Sequence[AdapterRecord], reading: Stored
) -> pd.DataFrame:
    """Return one row per benchmark, and one per subset where it has several."""
    rows: list[dict[str, str]] = []
    for benchmark in benchmarks_of(adapter):
        by_subset = read_standings(adapter, adapters, reading, benchmark)
        single = sorted(subset for subset in by_subset if subset is not None)
        for subset in [None, *single] if len(single) > 1 else single:
            found = by_subset.get(subset, [])
            own = [one for one in found[1:] if one.strategy == adapter.strategy]
            if own:
                shown = Shown(adapter=adapter, benchmark=benchmark, subset=subset)
                rows.append(_row(adapter, shown, found[0], own[0], reading))
    return pd.DataFrame(rows)


def cost_in_words(frame: pd.DataFrame) -> str:
    """Say where a knowledge-driven task got worse; empty where none did.

    >>> cost_in_words(pd.DataFrame({"Task": ["a, b"], "Asks for": ["knowledge-driven (built)"],
    ...     "Change (points)": ["-2.5 (-4.0 to -1.0)"]}))
    'Cost on knowledge-driven tasks: a, b -2.5 points.'
    """
    lost = [
        f"{task} {change.split()[0]} points"
        for task, asks, change in zip(
            frame["Task"], frame["Asks for"], frame["Change (points)"], strict=True
        )
        if asks.startswith("knowledge-driven") and change.startswith("-")
    ]
    return f"Cost on knowledge-driven tasks: {'; '.join(lost)}." if lost else ""


def _row(
    adapter: AdapterRecord, shown: Shown, base: Standing, own: Standing, reading: Stored
) -> dict[str, str]:
    trained_on = shown.benchmark == adapter.benchmark and (
        subset_of(adapter) in (None, shown.subset)
    )
    part = EVERY if shown.subset in (None, POOLED) else subset_label(shown.subset)
    return {
        "Task": f"{shown.benchmark}, {part}",
        "Asks for": _asks_for(shown, reading),
        "Trained on": "yes" if trained_on else "no",
        "Test questions": f"{own.n:,}",
        "Before (%)": f"{100 * base.accuracy.mean:.1f}",
        "After (%)": f"{100 * own.accuracy.mean:.1f}",
        "Change (points)": ""
        if own.minus_base is None
        else written(own.minus_base, scale=100, digits=1, sign="+"),
        "Seeds": str(len(own.seeds)),
        "p": "" if own.over_base is None else p_words(own.over_base.p_value),
    }


def _asks_for(shown: Shown, reading: Stored) -> str:
    subset = POOLED if shown.subset is None else shown.subset
    records = independent(
        newest_of_each(
            one
            for one in reading.spectra
            if (one.benchmark, one.subset, one.split, one.estimator, one.layer)
            == (shown.benchmark, subset, SPLIT, "certified", -1)
        )
    )
    kind, origin = kind_of(shown.benchmark, subset, records, is_whole=subset == POOLED)
    return f"{kind} ({origin})" if kind else NOBODY_KNOWS

"""What an adapter changed on the test split: before and after, and beside other strategies."""

from collections.abc import Iterable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from data_cache.adapters import AdapterRecord
from pages.figures import before_after
from pages.figures.before_after import Pair
from pages.figures.pair_bars import RATES
from pages.figures.palette import ATOMS
from pages.figures.rows import subset_label
from pages.widgets import drawn, state
from pages.widgets.address import note_unknown
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_click
from pages.widgets.evidence import show_settings, show_warnings
from pages.widgets.job_cards import SPECTRA_PAGE, choose_models
from pages.widgets.job_words import number
from pages.widgets.pair_choices import Compared
from pages.widgets.pair_numbers import differing_settings
from pages.widgets.stored_adapters import SPLIT
from pages.widgets.tables import show_table_frame
from pages.widgets.wishes import clicked

SAMPLES_PAGE = "pages/samples.py"
COMPARE_PAGE = "pages/compare.py"

FIELDS = {one.label: one.field for one in (*ATOMS, *RATES)}
"""Under which name the interval of a difference is kept, by the label of what differs."""
UNFINISHED = {
    "training": "Its training has not ended: it was stopped, or goes on. What is saved is the "
    "state of step {steps:,} of {total:,}.",
    "trained": "It is trained and not measured yet; resume its job to measure it.",
    "diverged": "Its training diverged: the loss was no number any more. What is saved is the last "
    "good state, that of step {steps:,} of {total:,}.",
}


def choose_adapter(adapters: Sequence[AdapterRecord]) -> AdapterRecord:
    """Draw the picker for an adapter; one that was not there before is shown at once."""
    by_name = {one.name: one for one in reversed(adapters)}
    names = [*reversed(by_name)]
    before: frozenset[str] | None = st.session_state.get(state.ADAPTERS)
    new = [name for name in names if before is not None and name not in before]
    if new:
        st.session_state[state.ADAPTER] = new[0]
    st.session_state[state.ADAPTERS] = frozenset(names)
    note_unknown(state.ADAPTER, names)
    wanted = st.selectbox("Adapter", names, key=state.ADAPTER, bind="query-params", width=460)
    return by_name.get(wanted, adapters[0])


def subset_of(adapter: AdapterRecord) -> str | None:
    """Return the subset that it was trained on; None for all of them."""
    return adapter.options.get("subset")


def show_facts(adapter: AdapterRecord) -> None:
    """Say what was trained on what, and everything that went wrong."""
    sentence = unfinished(adapter)
    if sentence:
        st.warning("This adapter is not finished.", icon=":material/warning:")
        st.text(sentence)
    options = adapter.options
    rate = options.get("learning_rate")
    epochs = "epoch" if options.get("epochs") == 1 else "epochs"
    rest = [
        f"with {options['mix']}" if options.get("mix") else "",
        "only samples that weigh more or less" if options.get("select") == "topk" else "",
        f"alpha {options['alpha']:g}" if options.get("alpha") is not None else "",
        f"dropout {options['dropout']:g}" if options.get("dropout") else "",
        f"batch {options['batch_size']}" if options.get("batch_size") else "",
    ]
    st.text(
        f"{adapter.base} on {adapter.benchmark}, {subset_of(adapter) or 'every subset'}; strategy "
        f"{strategy_of(adapter)}; {adapter.steps:,} of {adapter.total_steps:,} steps, "
        f"{options.get('epochs')} {epochs}, rank {options.get('rank')}, "
        + "".join(f"{part}, " for part in rest if part)
        + f"learning rate {'automatic' if rate is None else number(rate)}, "
        f"seed {options.get('seed')}; adapter {adapter.key}."
    )
    for warning in adapter.warnings:
        st.text(f"Warning: {warning}")


def strategy_of(adapter: AdapterRecord) -> str:
    """Return the adapter's strategy, with the tag that it lifted, as plain text."""
    tag = adapter.options.get("lift_tag")
    return adapter.strategy if tag is None else f"{adapter.strategy} “{tag}”"


def unfinished(adapter: AdapterRecord) -> str:
    """Say how far an adapter is that is not finished; empty for a finished one."""
    words = UNFINISHED.get(adapter.state, "")
    return words.format(steps=adapter.steps, total=adapter.total_steps)


def show_before_after(adapter: AdapterRecord, pairs: Sequence[Pair]) -> None:
    """Draw the atoms and accuracies of each subset, and list the differences."""
    if not pairs:
        st.text(f"No estimates of before and after on the {SPLIT} split yet.")
        return
    atoms, accuracies = st.columns([3, 2])
    with atoms:
        show_figure(
            before_after.atoms_before_after(pairs),
            key="atoms_before_after",
            alt=before_after.describe(pairs),
            on_click=remember_click,
        )
    with accuracies:
        show_figure(
            before_after.accuracy_before_after(pairs),
            key="accuracy_before_after",
            alt=before_after.describe_accuracy(pairs),
            on_click=remember_click,
        )
    counts = ", ".join(f"{subset_label(pair.after.subset)} {pair.after.n:,}" for pair in pairs)
    drawn.show_caption(
        "Test split, none of it was trained on. Whiskers are 95 % intervals of each estimate; a "
        "point says what they cover. Click one to see the samples behind it."
    )
    st.text(f"Samples: {counts}.")
    for sentence in unlike(pairs):
        st.text(sentence)
    show_table_frame(
        changes(pairs),
        key="change_table",
        alt="After minus before, one row per subset and quantity.",
    )
    both = [record for pair in pairs for record in (pair.before, pair.after)]
    show_warnings(both)
    show_settings(both)


def changes(pairs: Iterable[Pair]) -> pd.DataFrame:
    """Return before, after and after minus before of everything that is drawn, as text."""
    rows: list[dict[str, str]] = []
    for pair in pairs:
        subset = subset_label(pair.after.subset)
        for quantity in (*before_after.QUANTITIES, *before_after.ACCURACIES):
            before, after = quantity.of(pair.before), quantity.of(pair.after)
            if before is None or after is None:
                continue
            digits = quantity.decimals + (quantity.unit == "bits")
            interval = pair.intervals.get(FIELDS.get(quantity.label, ""))
            rows.append(
                {
                    "Subset": subset,
                    "Quantity": f"{quantity.label} ({quantity.unit})",
                    "Before": f"{round(before, digits) + 0.0:.{digits}f}",
                    "After": f"{round(after, digits) + 0.0:.{digits}f}",
                    "Change": before_after.signed(after - before, digits),
                    "95 % interval": ""
                    if interval is None
                    else f"{interval[0]:+.{digits}f} to {interval[1]:+.{digits}f}",
                }
            )
    return pd.DataFrame(rows)


def unlike(pairs: Iterable[Pair]) -> list[str]:
    """Say where before and after were not estimated in the same way, each way once."""
    sentences: dict[str, list[str]] = {}
    for pair in pairs:
        different = differing_settings(Compared(a=pair.before, b=pair.after))
        if pair.before.n != pair.after.n:
            different.append(f"samples ({pair.before.n:,} and {pair.after.n:,})")
        if different:
            subset = subset_label(pair.after.subset)
            sentences.setdefault(", ".join(different), []).append(subset)
    return [
        "Before and after were estimated differently, and part of the difference may come from "
        f"that: {different}. Subsets: {', '.join(subsets)}."
        for different, subsets in sentences.items()
    ]


def show_ways_on(adapter: AdapterRecord) -> None:
    """Draw the buttons that lead to the samples, the comparison and the spectra."""
    both = (adapter.base, adapter.name)
    ways = (
        (
            "Show samples",
            "samples",
            ":material/image_search:",
            SAMPLES_PAGE,
            {state.MODEL: adapter.name},
        ),
        (
            "Compare with base",
            "compare",
            ":material/compare_arrows:",
            COMPARE_PAGE,
            {state.MODEL_A: adapter.base, state.MODEL_B: adapter.name},
        ),
        ("Show spectra", "spectra", ":material/stacked_bar_chart:", SPECTRA_PAGE, {}),
    )
    with st.container(horizontal=True):
        for label, key, icon, page, parameters in ways:
            if clicked(
                label,
                key=f"adapter_{key}",
                first=partial(choose_models, adapter.benchmark, *both),
                icon=icon,
                disabled=adapter.run_key is None,
            ):
                st.switch_page(page, query_params=parameters)

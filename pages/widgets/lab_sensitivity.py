"""What the spectrum of a cached run owes to a choice: pick what to vary, and see what moves."""

from typing import get_args

import streamlit as st

from model_runners.sensitivity import MEANINGS, Over, plan_sensitivity, verdict
from pages.figures import sensitivity_lines
from pages.figures.palette import in_words
from pages.widgets import empty_states, lab_table, state
from pages.widgets.address import note_unknown
from pages.widgets.charts import show_figure
from pages.widgets.lab_choices import Source
from pages.widgets.lab_rows import compute

NAMES: dict[str, Over] = {over.replace("_", " "): over for over in get_args(Over)}
"""By what a person reads, and the address says."""


def show_panel(source: Source) -> None:
    """Draw the picker, the meaning, and what moved; nothing for a problem of the bank."""
    if source.run is None or source.asked is None or source.cache is None:
        return
    st.subheader("What it depends on", anchor=False)
    names = list(NAMES)
    note_unknown(state.LAB_OVER, names)
    wanted = st.segmented_control(
        "Vary",
        names,
        default=names[0],
        required=True,
        key=state.LAB_OVER,
        bind="query-params",
    )
    name = wanted if wanted in NAMES else names[0]
    over = NAMES[name]
    st.text(MEANINGS[over])
    plan = plan_sensitivity(
        source.cache, source.run, source.asked.subset, over=over, options=source.asked
    )
    if plan.missing is not None and plan.remedy is None:
        st.text(plan.missing)
    if plan.missing is not None and plan.remedy is not None:
        st.text(f"{plan.missing} Make another, then reload:")
        empty_states.show_command(plan.remedy, source.cache)
    rows = compute(plan.tasks, key=f"lab_vary_{over}", type="secondary")
    if not rows:
        return
    show_figure(
        sensitivity_lines.sensitivity_lines(rows, setting=name.capitalize()),
        key="sensitivity_lines",
        alt=sensitivity_lines.describe(rows),
    )
    moved = verdict(rows)
    if moved:
        st.text(in_words(moved))
    lab_table.show_table(rows, key="sensitivity_table")
    lab_table.show_warnings(rows)

"""What size changes, on its page: steps within each series beside the published ones."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
import streamlit as st

from model_runners.scaling import CHANGING, StepChanges
from pages.figures.step_dots import LOOKS, describe, names_of, step_dots
from pages.widgets import drawn
from pages.widgets.charts import show_figure
from pages.widgets.tables import show_table_frame


def show_scaling(steps: Sequence[StepChanges]) -> None:
    """Show what changes from each model to the next larger one of its series."""
    st.subheader("What size changes", anchor=False)
    if not steps:
        st.text(
            "This takes two sizes of a series, such as fusion-small and fusion-large, with spectra "
            "on a synergy-driven task, and runs that counted the parameters."
        )
        return
    show_figure(step_dots(steps), key="step_dots", alt=describe(steps))
    drawn.show_caption(
        "Larger minus smaller, mean over the synergy-driven tasks, as in Xiu26, Table 3; shares "
        "are of the total. Lines are 95 % intervals over samples: both sizes answered the same "
        "questions, which are compared one by one. The table has the interval over benchmarks, "
        "too: would other tasks of the kind say the same? Diamonds are published."
    )
    frame = table(steps)
    show_table_frame(
        frame,
        column_config={
            name: st.column_config.NumberColumn(format="%+.1f")
            for name in frame.columns
            if name.endswith("(points)")
        },
        key="scaling_table",
        alt="Changes of accuracy and of the shares of synergy and unique language with size.",
    )
    st.download_button(
        "Download (CSV)",
        frame.to_csv(index=False).encode(),
        file_name="scaling.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_scaling",
    )


def table(steps: Sequence[StepChanges]) -> pd.DataFrame:
    """Return one row per step and quantity."""
    labels = names_of(steps)
    has_published = any(one.step.published is not None for one in steps)
    rows: list[dict[str, object]] = []
    for one in steps:
        for name in CHANGING:
            change, printed = one.mean[name], one.step.published
            row: dict[str, object] = {
                "From": labels[one.step.smaller.model],
                "To": labels[one.step.larger.model],
                "Family": one.step.family,
                "Changes": LOOKS[name][0],
                "Here (points)": change.value,
                "95 % over samples": _ends(change.over_samples),
                "95 % over benchmarks": _ends(change.over_benchmarks),
                "Tasks": ", ".join(one.tasks),
            }
            if has_published:
                row["Published (points)"] = None if printed is None else getattr(printed, name)
            rows.append(row)
    return pd.DataFrame(rows)


def _ends(interval: tuple[float, float]) -> str:
    low, high = interval
    return "" if isnan(low) or isnan(high) else f"{low:+.1f} to {high:+.1f}"

"""The two charts of the lab: what estimators find, and how they came to it."""

from collections.abc import Sequence

import streamlit as st

from model_runners.audit import AuditRow
from pages.figures import convergence, estimator_bars
from pages.figures.rows import POOLED
from pages.widgets import drawn
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_click
from pages.widgets.lab_choices import Source
from pages.widgets.spectrum_choices import newest_of_each
from pages.widgets.stored import current_reading
from pid_core import ESTIMATORS


def show_charts(rows: Sequence[AuditRow], source: Source) -> None:
    """Draw the atoms, and beside them the bounds over time where there are any."""
    if not any(row.atoms is not None for row in rows):
        st.text("None of the chosen estimators takes this problem; their reasons are below.")
        return
    behind = _stored_estimate(source)
    has_traces = bool(convergence.traced(rows))
    bars, traces = st.columns([3, 2]) if has_traces else (st.container(), None)
    with bars:
        show_figure(
            estimator_bars.estimator_bars(rows, source.truth, leads_to=behind),
            key="estimator_bars",
            alt=estimator_bars.describe(rows, source.truth),
            on_click=None if behind is None else remember_click,
        )
        drawn.show_caption(_below(rows, source))
    if traces is not None:
        with traces:
            show_figure(
                convergence.convergence(rows, list(ESTIMATORS)),
                key="convergence",
                alt=convergence.describe(rows),
            )
            words = [
                "Solid: the best upper bound on I* so far; dotted: the best lower bound. A trained "
                "network has only the first until its training ends."
            ]
            if source.run is not None and source.run.draws > 2:
                words.append("The curve is that of all draws; the jackknife solves it once more")
                words.append("without each of them.")
            drawn.show_caption(" ".join(words))


def _stored_estimate(source: Source) -> str | None:
    """Return the key of the newest stored estimate over the samples of a cached run, if any."""
    if source.run is None or source.asked is None:
        return None
    cell = (source.run.run_key, source.asked.subset or POOLED, source.asked.split)
    newest = newest_of_each(
        one for one in current_reading().spectra if (one.run_key, one.subset, one.split) == cell
    )
    return newest[0].estimate_key if newest else None


def _below(rows: Sequence[AuditRow], source: Source) -> str:
    words = ["Source 1 stands for vision, source 2 for language."]
    if source.truth is None:
        words.append("Whiskers are 95 % intervals (sampling only).")
    elif source.within > 0:
        words.append(f"The truth is known within {source.within:.1g} bits, from a certificate.")
    if _stored_estimate(source) is not None:
        words.append("Click a bar to see the samples behind it, with what is stored of them.")
    if any(row.is_published for row in rows):
        words.append("Pale: measured by others, on another draw of the same population.")
    return " ".join(words)

"""The two charts of Spectra: bars of atoms, and beside them accuracies or a second estimator."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.figures import accuracy_dots, estimator_differences, spectrum_bars
from pages.widgets import drawn
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_click
from pages.widgets.estimators_beside import Beside, show_notes_on
from pages.widgets.spectrum_choices import View
from pages.widgets.spectrum_table import as_frame
from pages.widgets.stored import Stored


def show_charts(
    rows: Sequence[SpectrumRecord], view: View, both: Beside | None, reading: Stored
) -> None:
    """Draw the rows; a click leads to their samples.

    Parameters
    ----------
    rows
        From top to bottom; where two estimators are compared, the second below the first.
    view
        How they are drawn.
    both
        What is compared; None shows accuracies beside the bars.
    reading
        What is stored.
    """
    bars, dots = st.columns([3, 2])
    with bars:
        show_figure(
            spectrum_bars.spectrum_bars(rows, unit=view.unit, layout=view.layout, group=view.group),
            key="spectrum_bars",
            alt=spectrum_bars.describe(rows),
            data=partial(as_frame, rows),
            on_click=remember_click,
        )
    with dots:
        if both is None:
            show_figure(
                accuracy_dots.accuracy_dots(rows, layout=view.layout, group=view.group),
                key="accuracy_dots",
                alt=accuracy_dots.describe(rows),
                data=partial(as_frame, rows),
                on_click=remember_click,
            )
        else:
            show_figure(
                estimator_differences.estimator_differences(
                    both.pairs, rows, unit=view.unit, layout=view.layout, group=view.group
                ),
                key="estimator_differences",
                alt=estimator_differences.describe(both.pairs),
                on_click=remember_click,
            )
    drawn.show_caption("Click a bar or a dot to see the samples behind it.")
    if both is not None:
        show_notes_on(both, reading)

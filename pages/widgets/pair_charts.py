"""The charts of two to four models: their numbers as bars, and how each differs from the first."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.figures import pair_bars
from pages.figures.model_styles import ModelStyle
from pages.figures.pair_bars import PARTS, RATES, Difference, Part
from pages.widgets import drawn
from pages.widgets.charts import show_figure
from pages.widgets.differing_choices import remember_part
from pages.widgets.drill_down import remember_click
from pages.widgets.pair_choices import Together
from pages.widgets.pair_numbers import Differences


def show_charts(
    together: Together, differences: Sequence[Differences], styles: Sequence[ModelStyle]
) -> None:
    """Show atoms, and below them how right the models are; bars and dots lead to samples."""
    _show(together, [one.parts for one in differences], styles, PARTS, "")
    _show(together, [one.rates for one in differences], styles, RATES, "_rates")
    drawn.show_caption(
        "A click on a bar opens the samples of that model. A click on a difference lists, below, "
        "the samples that differ most in that atom; on one of accuracy, those with another answer."
    )


def records_of(
    together: Together, differences: Sequence[dict[str, Difference]], parts: Sequence[Part]
) -> pd.DataFrame:
    """Return one row per model and number: its value, and its difference from A with both ends."""
    rows: list[dict[str, object]] = []
    for place, (letter, record) in enumerate(together.lettered()):
        for part in parts:
            found = differences[place - 1].get(part.field) if place else None
            low, high = (found and found.interval) or (None, None)
            rows.append(
                {
                    "letter": letter,
                    "model": record.model,
                    "quantity": part.field,
                    "unit": part.unit,
                    "value": part.of(record),
                    "minus A": None if found is None else found.value,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(rows)


def _show(
    together: Together,
    differences: Sequence[dict[str, Difference]],
    styles: Sequence[ModelStyle],
    parts: Sequence[Part],
    ending: str,
) -> None:
    def data() -> pd.DataFrame:
        return records_of(together, differences, parts)

    bars, dots = st.columns([3, 2])
    with bars:
        show_figure(
            pair_bars.model_bars(together.records, styles, parts=parts),
            key=f"pair_bars{ending}",
            alt=pair_bars.describe(together.records, parts=parts),
            on_click=remember_click,
            data=data,
        )
    with dots:
        if any(differences):
            show_figure(
                pair_bars.difference_dots(differences, parts=parts),
                key=f"difference_dots{ending}",
                alt=pair_bars.describe_differences(differences, parts=parts),
                on_click=remember_part,
                data=data,
            )

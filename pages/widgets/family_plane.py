"""The plane of families on its page: points, what they leave out, and the numbers behind them."""

from collections.abc import Iterable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.published import PublishedValue, find_value, published_values, settings_of
from pages.figures import family_scatter
from pages.figures.family_styles import family_styles
from pages.figures.palette import ATOMS
from pages.widgets import drawn, evidence, family_notes, spectrum_table
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_click
from pages.widgets.family_choices import Plane, hidden_families, parameters_of, show_only
from pages.widgets.stored import Stored
from pages.widgets.tables import show_table_frame


def show_plane(reading: Stored, benchmark: str, plane: Plane, *, whole: bool) -> None:
    """Show the scatter of families, what papers printed, and the table.

    Parameters
    ----------
    reading
        What is stored.
    benchmark
        The benchmark of the sidebar.
    plane
        Points and axes.
    whole
        Whether the points are about the whole benchmark, as published values are.
    """
    records = [point.record for point in plane.points]
    printed = published_values(benchmark) if whole else []
    show_scatter(reading, plane, printed)
    show_published(printed, records)
    counted = parameters_of(reading.runs)
    spectrum_table.show_table(records, unit=plane.axes.unit, parameters=counted)
    st.download_button(
        "Download with all settings (CSV)",
        spectrum_table.as_csv(records, parameters=counted),
        file_name=f"families-{benchmark}-{plane.subset}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_families",
    )


def show_scatter(reading: Stored, plane: Plane, printed: Sequence[PublishedValue] = ()) -> None:
    """Show one point per model, and say what is left out and how to read it."""
    family_notes.show_notes_on(plane)
    evidence.show_badges([point.record for point in plane.points], unit=plane.axes.unit)
    # Of all benchmarks: then a family has one colour on all of them.
    families = sorted({one.family for one in reading.spectra})
    show_figure(
        family_scatter.family_scatter(
            plane.points, family_styles(families), plane.axes, published=printed
        ),
        key="family_scatter",
        alt=family_scatter.describe(plane.points, plane.axes),
        data=partial(spectrum_table.as_frame, [point.record for point in plane.points]),
        on_click=partial(
            _follow, families={point.family for point in plane.points} | set(hidden_families())
        ),
    )
    family_notes.show_legend(plane.points)


def _follow(key: str, families: Iterable[str]) -> None:
    """Go to the samples of a point, or show the family of a median alone."""
    remember_click(key)
    show_only(key, families)


def show_published(printed: Sequence[PublishedValue], records: Sequence[SpectrumRecord]) -> None:
    """Show what papers printed of single models, measured here or not."""
    if not printed:
        return
    frame = published_table(printed, records)
    show_table_frame(
        frame,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("Published (bits)", "Measured here (bits)")
        },
        key="published_values",
        alt="Published values beside those measured here.",
    )
    for study in {one.study.key: one.study for one in printed}.values():
        drawn.show_caption(
            f"Published by {study.short} ({study.venue}), not measured here; "
            f"{settings_of(printed[0].benchmark, study.key)}; {study.settings}."
        )


def published_table(
    printed: Sequence[PublishedValue], records: Sequence[SpectrumRecord]
) -> pd.DataFrame:
    """Return one row per printed value, with ours beside it where that model was measured."""
    labels = {atom.field: atom.label for atom in ATOMS}
    rows: list[dict[str, object]] = []
    for value in printed:
        ours = [
            getattr(record, value.quantity)
            for record in records
            if find_value([value], model=record.model, quantity=value.quantity)
        ]
        rows.append(
            {
                "Published model": value.model,
                "Part": labels[value.quantity],
                "Published (bits)": value.bits,
                "Measured here (bits)": float(ours[0]) if ours else float("nan"),
                "Where": f"{value.study.short}, {value.at}",
            }
        )
    return pd.DataFrame(rows)

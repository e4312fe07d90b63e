"""What goes with accuracy over models, on its page: correlations, published ones beside them."""

from collections.abc import Sequence
from math import isnan

import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.published import PublishedCorrelation, published_correlations, settings_of
from model_runners import family_statistics
from model_runners.family_statistics import Correlation, independent
from pages.figures import correlation_dots
from pages.figures.correlation_dots import OUTCOME_LABELS, PART_LABELS
from pages.figures.quantities import QUANTITIES
from pages.widgets import drawn, state
from pages.widgets.charts import show_figure
from pages.widgets.family_choices import Chosen, choose_drawn, choose_plane
from pages.widgets.family_plane import show_scatter
from pages.widgets.stored import Stored
from pages.widgets.tables import show_table_frame
from pid_core.association import FEWEST, Correction

CORRECTIONS: dict[str, Correction] = {"Holm": "holm", "Benjamini-Hochberg": "bh"}


def choose_correction() -> Correction:
    """Draw the picker for the correction of p-values."""
    wanted = st.segmented_control(
        "Correction",
        list(CORRECTIONS),
        default="Holm",
        required=True,
        key=state.CORRECTION,
        bind="query-params",
        help="18 correlations are tested at once. Holm keeps the chance of even one false finding "
        "below 5 %; Benjamini-Hochberg the expected share of false ones among the findings.",
    )
    return CORRECTIONS.get(wanted or "", "holm")


def show_correlations(reading: Stored, benchmark: str, chosen: Chosen) -> None:
    """Show how parts of the information go with accuracy over the models of one task."""
    records = chosen.of_subset
    with st.container(horizontal=True, vertical_alignment="top"):
        correction, by_family = choose_correction(), choose_drawn() == "families"
    members = independent(records)
    if len(members) < FEWEST:
        too_few(len(members), "A correlation over models")
        return
    cells = _correlations(
        str(reading.cache),
        reading.version,
        tuple(record.estimate_key for record in members),
        members,
        correction=correction,
        by_family=by_family,
    )
    printed = published_correlations(benchmark) if chosen.is_whole else []
    show_figure(
        correlation_dots.correlation_dots(cells, printed),
        key="correlation_dots",
        alt=correlation_dots.describe(cells),
        on_click=_show_behind,
    )
    for sentence in notes(records, cells, printed, benchmark):
        drawn.show_caption(sentence)
    frame = table(cells, printed)
    show_table_frame(
        frame,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in frame.columns
            if frame[name].dtype == float
        },
        key="correlation_table",
        alt="Rank correlation of accuracies and D_vision with each quantity, over models.",
    )
    st.download_button(
        "Download (CSV)",
        frame.to_csv(index=False).encode(),
        file_name=f"correlations-{benchmark}-{chosen.subset}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_correlations",
    )
    st.subheader("The models behind one of them", anchor=False)
    with st.container(horizontal=True, vertical_alignment="top"):
        plane = choose_plane(reading, chosen)
    show_scatter(reading, plane)


def too_few(count: int, what: str) -> None:
    """Say that statistics need more models, and where they come from."""
    with st.container(border=True):
        st.subheader(f"At least {FEWEST} models are needed", anchor=False)
        have = "1 model has" if count == 1 else f"{count} models have"
        st.text(
            f"{what} needs at least {FEWEST} models; {have} a spectrum that fits the pickers. "
            "Adapted models do not count, because they are nearly their base."
        )
        st.page_link("pages/run.py", label="Measure another model", icon=":material/play_circle:")


def notes(
    records: Sequence[SpectrumRecord],
    cells: Sequence[Correlation],
    printed: Sequence[PublishedCorrelation],
    benchmark: str,
) -> list[str]:
    """Return how the figure is to be read, in sentences."""
    exact = any(cell.found.method == "exact" for cell in cells)
    by = "from all orders of the models" if exact else "by the t distribution"
    sentences = [
        "Rank correlation over models, with 95 % bootstrap intervals and p-values "
        f"{by}. Filled dots are below p = 0.05 when corrected for all rows. "
        "Click a dot to see its models below.",
        "Total is what image and text together tell of the answer; co-information is redundancy "
        "minus synergy. p-values take models as independent, which those of one family are not; "
        "intervals can be drawn over whole families instead.",
    ]
    unknown = {cell.found.note for cell in cells if cell.found.note}
    sentences += [f"Some rows are incomplete: {note}." for note in sorted(unknown)]
    adapted = len(records) - len(independent(records))
    if adapted:
        are = "1 adapted model is" if adapted == 1 else f"{adapted} adapted models are"
        sentences.append(f"{are} left out: nearly all of their weights are those of their base.")
    for study in {one.study.key: one.study for one in printed}.values():
        what = settings_of(benchmark, study.key)
        sentences.append(
            f"{study.short} is published, not measured here: {study.models} models"
            + (f", {what}" if what else "")
            + f"; {study.settings}."
        )
    return sentences


def table(
    cells: Sequence[Correlation], printed: Sequence[PublishedCorrelation] = ()
) -> pd.DataFrame:
    """Return one row per correlation, with what papers printed beside it."""
    rows: list[dict[str, object]] = []
    for cell in cells:
        found = cell.found
        words = [
            one.words for one in printed if (one.outcome, one.quantity) == (cell.outcome, cell.part)
        ]
        row: dict[str, object] = {
            "Outcome": OUTCOME_LABELS[cell.outcome],
            "Information": PART_LABELS[cell.part],
            "rho": _known(found.rho),
            "Low (95 %)": _known(found.interval[0]),
            "High (95 %)": _known(found.interval[1]),
            "p": _known(found.p_value),
            "p corrected": _known(cell.adjusted_p),
            "Models": found.n,
        }
        if printed:
            row["Published rho"] = "; ".join(words)
        rows.append(row)
    return pd.DataFrame(rows)


def clicked_axes(event: object) -> tuple[str, str] | None:
    """Return the labels of outcome and part of a clicked dot.

    >>> clicked_axes({"selection": {"points": [{"customdata": ["accuracy", "synergy"]}]}})
    ('Accuracy', 'Synergy')
    >>> clicked_axes({"selection": {"points": [{"x": 0.3}]}})
    """
    labels = {one.key: one.label for one in QUANTITIES}
    points: list[dict] = event["selection"]["points"]  # pyright: ignore[reportIndexIssue] -- a dict
    for point in points:
        data = point.get("customdata")
        if data and len(data) == 2 and data[0] in labels and data[1] in labels:
            return labels[data[0]], labels[data[1]]
    return None


def _show_behind(key: str) -> None:
    """Give the two of a correlation the axes of the plane below."""
    axes = clicked_axes(st.session_state[key])
    if axes is not None:
        st.session_state[state.UP], st.session_state[state.ACROSS] = axes


def _known(value: float) -> float | None:
    return None if isnan(value) else value


@st.cache_data(max_entries=32, show_spinner="Correlating")
def _correlations(
    cache: str,
    version: str,
    keys: tuple[str, ...],
    _records: Sequence[SpectrumRecord],
    *,
    correction: Correction,
    by_family: bool,
) -> list[Correlation]:
    return family_statistics.correlations(_records, correction=correction, by_family=by_family)

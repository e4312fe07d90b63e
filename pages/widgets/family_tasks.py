"""Tasks and regimes on their page: mean shares over models, and what families keep between them."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Literal

import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.published import published_regimes
from model_runners import family_statistics
from model_runners.family_statistics import Strategies, TaskShares
from pages.figures import regime_pairs, share_bars
from pages.figures.correlation_dots import p_words
from pages.figures.family_styles import family_styles
from pages.figures.rows import subset_label
from pages.widgets import drawn, state
from pages.widgets.address import note_unknown
from pages.widgets.charts import show_figure
from pages.widgets.family_choices import Chosen, choose_drawn, choose_unit, show_only
from pages.widgets.family_correlations import too_few
from pages.widgets.sample_choices import choice_of
from pages.widgets.sidebar import Selection, natural_order
from pages.widgets.stored import Stored, current_reading
from pages.widgets.tables import show_table_frame
from pid_core.association import FEWEST, Association

Tasks = Literal["benchmarks", "subsets"]


def show_tasks(reading: Stored, selection: Selection, chosen: Chosen, *, among_all: bool) -> None:
    """Show what tasks ask of models, and whether families keep their strategy between regimes.

    Parameters
    ----------
    reading
        What is stored.
    selection
        Benchmark and models of the sidebar.
    chosen
        The spectra that fit the pickers, on this benchmark.
    among_all
        Take all models, not only those of the sidebar.
    """
    benchmarks = {
        name: [
            record
            for record in records
            if record.family not in chosen.hidden
            and (among_all or record.model in selection.models)
        ]
        for name, records in family_statistics.by_benchmark(
            reading.spectra, split=chosen.split, estimator=chosen.estimator
        ).items()
    }
    with st.container(horizontal=True, vertical_alignment="top"):
        kind = _choose_tasks(several=len(benchmarks) > 1)
        by_family = choose_drawn() == "families"
    tasks = benchmarks if kind == "benchmarks" else by_subset(chosen.records)
    largest = max((len(family_statistics.independent(own)) for own in tasks.values()), default=0)
    if largest < FEWEST:
        too_few(largest, "A mean over models")
        return
    found = _task_shares(
        str(reading.cache),
        reading.version,
        {name: tuple(one.estimate_key for one in own) for name, own in tasks.items()},
        tasks,
        by_family=by_family,
    )
    labels = {name: name if kind == "benchmarks" else subset_label(name) for name in tasks}
    show_figure(
        share_bars.share_bars(found, labels),
        key=f"share_bars_{kind}",
        alt=share_bars.describe(found, labels),
        on_click=_to_plane,
    )
    drawn.show_caption(
        "Synergy-driven: over models, synergy's mean share exceeds that of unique language, and "
        "the 95 % bootstrap interval of the difference lies above zero; knowledge-driven: below "
        "zero; else undecided. Both are statements about these models, not about the task alone. "
        "Click a bar to see its models."
    )
    frame = table(found, labels, with_published=kind == "benchmarks")
    show_table_frame(
        frame,
        column_config={
            name: st.column_config.NumberColumn(format="%.1f")
            for name in frame.columns
            if "%" in name or "points" in name
        },
        key="task_table",
        alt="Mean shares of synergy and unique language over models, and the regime of each task.",
    )
    st.download_button(
        "Download (CSV)",
        frame.to_csv(index=False).encode(),
        file_name=f"regimes-{kind}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_tasks",
    )
    _show_strategies(reading, found)


def by_subset(records: Sequence[SpectrumRecord]) -> dict[str, list[SpectrumRecord]]:
    """Return the spectra of each subset, the pooled one last as they come."""
    found: dict[str, list[SpectrumRecord]] = {}
    for record in records:
        found.setdefault(record.subset, []).append(record)
    return found


def table(
    tasks: Sequence[TaskShares], labels: Mapping[str, str], *, with_published: bool
) -> pd.DataFrame:
    """Return one row per task: shares in per cent, intervals, and what papers call it."""
    said: dict[str, str] = {}
    for task in tasks if with_published else ():
        words = [f"{one.regime} ({one.study.short})" for one in published_regimes(task.task)]
        if words:
            said[task.task] = ", ".join(words)
    rows: list[dict[str, object]] = []
    for task in tasks:
        found = task.found
        row: dict[str, object] = {"Task": labels[task.task], "Regime": found.statement}
        if said:
            row["Published"] = said.get(task.task, "")
        row["Models"] = found.n
        for name, one, unit in (
            ("Synergy", found.synergy, "%"),
            ("Unique language", found.unique_2, "%"),
            ("Difference", found.difference, "points"),
        ):
            row[f"{name} ({unit})"] = _percent(one.mean)
            row[f"{name}, low ({unit})"] = _percent(one.interval[0])
            row[f"{name}, high ({unit})"] = _percent(one.interval[1])
        rows.append(row)
    return pd.DataFrame(rows)


def stability_words(what: str, found: Association) -> str:
    """Say how well families keep their order between the regimes.

    >>> from pid_core.association import spearman
    >>> stability_words("median synergy", spearman([1, 2], [1, 2]))
    'Families by median synergy: 2 have models under both regimes; an order needs at least 4.'
    """
    line = f"Families by {what}: "
    if isnan(found.rho):
        return line + (
            f"{found.n} have models under both regimes; an order needs at least {FEWEST}."
            if found.n < FEWEST
            else "all have the same, so there is no order."
        )
    line += f"Spearman's rho between the regimes {found.rho:+.2f}"
    if not isnan(found.interval[0]):
        line += f" (95 % interval {found.interval[0]:+.2f} to {found.interval[1]:+.2f})"
    return f"{line}, {p_words(found.p_value)}, {found.n} families."


def _show_strategies(reading: Stored, tasks: Sequence[TaskShares]) -> None:
    st.subheader("Do families keep their strategy?", anchor=False)
    unit = choose_unit()
    found: Strategies | None = family_statistics.strategies(tasks, shares=unit == "shares")
    if found is None:
        st.text(
            "This takes tasks of both regimes: at least one synergy-driven and one "
            "knowledge-driven task."
        )
        return
    families = sorted({record.family for record in reading.spectra})
    show_figure(
        regime_pairs.regime_pairs(found, family_styles(families), unit=unit),
        key="regime_pairs",
        alt=regime_pairs.describe(found, unit=unit),
        on_click=_to_family,
    )
    st.caption("Click a mark to see the models of that family.")
    st.text(stability_words("median synergy", found.synergy_stability))
    st.text(stability_words("median unique language", found.unique_2_stability))


def _choose_tasks(*, several: bool) -> Tasks:
    options: tuple[Tasks, ...] = ("benchmarks", "subsets")
    note_unknown(state.TASKS, options)
    wanted = st.segmented_control(
        "Tasks",
        options,
        default="benchmarks" if several else "subsets",
        required=True,
        key=state.TASKS,
        bind="query-params",
        help="All benchmarks, each pooled over its subsets; or the subsets of this one.",
    )
    return "benchmarks" if wanted == "benchmarks" else "subsets"


def _to_plane(key: str) -> None:
    """Show the models of the task that was clicked."""
    for point in st.session_state[key]["selection"]["points"]:
        data = point.get("customdata")
        if data:
            subsets = key.endswith("subsets")
            name = choice_of(data[0]) if subsets else data[0]
            st.session_state[state.SUBSET if subsets else state.BENCHMARK] = name
            st.session_state[state.FAMILIES_SHOW] = "Plane"


def _to_family(key: str) -> None:
    """Show the models of the family that was clicked."""
    families = {record.family for record in current_reading().spectra}
    for point in st.session_state[key]["selection"]["points"]:
        if point.get("customdata"):
            st.session_state[state.FAMILIES_SHOW] = "Plane"
            st.session_state[state.FAMILIES_HIDDEN] = []
            _choose_family(point["customdata"][1])
    show_only(key, families)


def _choose_family(family: str) -> None:
    """Choose its models in the sidebar: the plane shows what is chosen there."""
    benchmark = st.session_state.get(state.BENCHMARK)
    own = {
        record.model
        for record in current_reading().spectra
        if record.family == family and record.benchmark == benchmark
    }
    chosen: list[str] = list(st.session_state.get(state.MODELS, ()))
    st.session_state[state.MODELS] = [*chosen, *sorted(own - set(chosen), key=natural_order)]


def _percent(value: float) -> float | None:
    return None if isnan(value) else 100 * value


@st.cache_data(max_entries=32, show_spinner="Drawing models again and again")
def _task_shares(
    cache: str,
    version: str,
    keys: Mapping[str, tuple[str, ...]],
    _tasks: Mapping[str, Sequence[SpectrumRecord]],
    *,
    by_family: bool,
) -> list[TaskShares]:
    return family_statistics.task_shares(_tasks, by_family=by_family)

"""The Spectra page: what of an answer image and text share, one of them holds, or both together."""

import streamlit as st

from data_cache.estimates import INTERVENTIONAL
from pages.figures.row_order import sort_rows
from pages.widgets import (
    empty_states,
    estimators_beside,
    evidence,
    spectrum_rows,
    spectrum_table,
    state,
)
from pages.widgets.address import show_notes
from pages.widgets.drill_down import follow_click
from pages.widgets.entry import enter_through_app
from pages.widgets.family_choices import parameters_of
from pages.widgets.imported_runs import show_imported
from pages.widgets.self_tests import show_self_tests
from pages.widgets.sidebar import current_selection
from pages.widgets.spectrum_charts import show_charts
from pages.widgets.spectrum_choices import choose_view
from pages.widgets.stored import current_reading
from pages.widgets.swapped import show_swapped

enter_through_app()
follow_click(held=[state.MODEL])
st.title("Spectra", anchor=False)
st.caption(
    "What decides the model's answer: information that image and text share, that only one of them "
    "holds, or that appears only when both are there."
)

reading = current_reading()
if reading.condition != "ready":
    empty_states.nothing_stored(reading)
    st.stop()
if not reading.spectra:
    empty_states.no_estimates(reading)
    st.stop()
selection = current_selection()

pickers = st.container(horizontal=True, vertical_alignment="top")
with pickers:
    of_benchmarks = spectrum_rows.choose_rows(reading) == "benchmarks"
if not of_benchmarks and not selection.models:
    empty_states.nothing_selected()
    st.stop()
with pickers:
    if of_benchmarks:
        chosen = spectrum_rows.choose_benchmarks(reading, selection)
    else:
        chosen = spectrum_rows.choose_models(reading, selection)
    second = estimators_beside.choose_beside(reading, chosen.records)
    view = choose_view(chosen.records)
show_notes()

if of_benchmarks:
    empty_states.benchmarks_without_estimate(chosen.model, chosen.missing, cache=reading.cache)
else:
    empty_states.without_estimate(selection, chosen.records, cache=reading.cache)
if not chosen.records:
    st.stop()

counted = parameters_of(reading.runs) or None
rows = sort_rows(chosen.records, view.order, unit=view.unit, group=view.group, parameters=counted)
both = None
if second == INTERVENTIONAL:
    both = estimators_beside.swaps_beside(rows, reading)
elif second is not None:
    both = estimators_beside.beside(rows, second, reading.spectra)
if both is not None:
    rows = both.rows

evidence.show_badges(rows, unit=view.unit)
show_charts(rows, view, both, reading)
if both is not None and second == INTERVENTIONAL:
    show_swapped(both.pairs)
spectrum_table.show_table(rows, unit=view.unit, parameters=counted)
st.download_button(
    "Download with all settings (CSV)",
    spectrum_table.as_csv(rows, parameters=counted),
    file_name=f"spectra-{chosen.name}.csv",
    mime="text/csv",
    icon=":material/download:",
    on_click="ignore",
    key="download_spectra",
)
evidence.show_warnings(rows)
evidence.show_settings(rows)
shown = {record.run_key for record in rows}
behind = [run for run in reading.runs if run.run_key in shown]
show_imported(behind)
show_self_tests(behind)

"""The Spectra page: what of an answer image and text share, one of them holds, or both together."""

import streamlit as st

from pages.figures import accuracy_dots, spectrum_bars
from pages.widgets import empty_states, evidence, spectrum_table
from pages.widgets.address import show_notes
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import follow_click, remember_click
from pages.widgets.entry import enter_through_app
from pages.widgets.imported_runs import show_imported
from pages.widgets.self_tests import show_self_tests
from pages.widgets.sidebar import current_selection
from pages.widgets.spectrum_choices import choose_records, choose_view
from pages.widgets.stored import current_reading

enter_through_app()
follow_click()
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
if not selection.models:
    empty_states.nothing_selected()
    st.stop()

with st.container(horizontal=True, vertical_alignment="top"):
    records = choose_records(reading.spectra, selection)
    view = choose_view()
show_notes()

empty_states.without_estimate(selection, records, cache=reading.cache)
if not records:
    st.stop()

evidence.show_badges(records, unit=view.unit)
bars, dots = st.columns([3, 2])
with bars:
    show_figure(
        spectrum_bars.spectrum_bars(records, unit=view.unit, layout=view.layout, group=view.group),
        key="spectrum_bars",
        alt=spectrum_bars.describe(records),
        on_click=remember_click,
    )
with dots:
    show_figure(
        accuracy_dots.accuracy_dots(records, layout=view.layout, group=view.group),
        key="accuracy_dots",
        alt=accuracy_dots.describe(records),
        on_click=remember_click,
    )

st.caption("Click a bar to see the samples behind it.")

spectrum_table.show_table(records, unit=view.unit)
st.download_button(
    "Download with all settings (CSV)",
    spectrum_table.as_csv(records),
    file_name=f"spectra-{selection.benchmark}.csv",
    mime="text/csv",
    icon=":material/download:",
    on_click="ignore",
    key="download_spectra",
)
evidence.show_warnings(records)
evidence.show_settings(records)
shown = {record.run_key for record in records}
behind = [run for run in reading.runs if run.run_key in shown]
show_imported(behind)
show_self_tests(behind)

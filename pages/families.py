"""The Families page: where model families stand, and where they move as they grow."""

import streamlit as st

from pages.figures import family_scatter
from pages.figures.family_styles import family_styles
from pages.widgets import empty_states, evidence, family_notes, spectrum_table, state
from pages.widgets.address import show_notes
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import follow_click, remember_click
from pages.widgets.entry import enter_through_app
from pages.widgets.family_choices import choose_plane, parameters_of
from pages.widgets.sidebar import current_selection
from pages.widgets.stored import current_reading

enter_through_app()
follow_click(held=[state.SUBSET])
st.title("Families", anchor=False)
st.caption(
    "How models of one family use image and text, how families differ, and what size changes: "
    "one point per model."
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
    plane = choose_plane(reading, selection)
show_notes()
records = [] if plane is None else [point.record for point in plane.points]
empty_states.without_estimate(selection, records, cache=reading.cache)
if plane is None:
    st.stop()

family_notes.show_notes_on(plane)
evidence.show_badges(records, unit=plane.axes.unit)
here = {one.family for one in reading.spectra if one.benchmark == selection.benchmark}
show_figure(
    family_scatter.family_scatter(plane.points, family_styles(sorted(here)), plane.axes),
    key="family_scatter",
    alt=family_scatter.describe(plane.points, plane.axes),
    on_click=remember_click,
)
family_notes.show_legend(plane.points)

counted = parameters_of(reading.runs)
spectrum_table.show_table(records, unit=plane.axes.unit, parameters=counted)
st.download_button(
    "Download with all settings (CSV)",
    spectrum_table.as_csv(records, parameters=counted),
    file_name=f"families-{selection.benchmark}-{plane.subset}.csv",
    mime="text/csv",
    icon=":material/download:",
    on_click="ignore",
    key="download_families",
)
evidence.show_warnings(records)
evidence.show_settings(records)

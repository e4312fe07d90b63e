"""The Families page: where model families stand, what goes with accuracy, what tasks ask."""

import streamlit as st

from pages.widgets import empty_states, evidence, family_choices, state
from pages.widgets.address import show_notes
from pages.widgets.drill_down import follow_click
from pages.widgets.entry import enter_through_app
from pages.widgets.family_correlations import show_correlations
from pages.widgets.family_plane import show_plane
from pages.widgets.family_tasks import show_tasks
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

shown = family_choices.choose_shown()
with st.container(horizontal=True, vertical_alignment="top"):
    among = "chosen" if shown == "plane" else family_choices.choose_among()
    counted = selection
    if among == "all":
        counted = family_choices.everyone(reading, selection.benchmark)
    chosen = family_choices.choose_models(reading, counted, with_subset=shown != "tasks")
    plane = None
    if chosen is not None and shown == "plane":
        plane = family_choices.choose_plane(reading, chosen)
show_notes()
fitting = [] if chosen is None else chosen.fitting
if among == "chosen":
    of_subset = [one for one in fitting if chosen and chosen.subset in {None, one.subset}]
    empty_states.without_estimate(selection, of_subset, cache=reading.cache)
if chosen is None:
    st.stop()

if plane is not None:
    show_plane(reading, selection.benchmark, plane, whole=chosen.is_whole)
elif shown == "correlations":
    show_correlations(reading, selection.benchmark, chosen)
else:
    show_tasks(reading, selection, chosen, among_all=among == "all")
records = chosen.records if shown == "tasks" else chosen.of_subset
evidence.show_warnings(records)
evidence.show_settings(records)

"""The Findings page: what the papers found, held to what is stored here, and what size changes."""

import streamlit as st

from pages.widgets import empty_states
from pages.widgets.address import show_notes
from pages.widgets.entry import enter_through_app
from pages.widgets.evidence import show_settings
from pages.widgets.findings_choices import choose_asked, choose_finding, hold
from pages.widgets.findings_scaling import show_scaling
from pages.widgets.findings_tables import show_findings, show_statistics, show_tasks_held
from pages.widgets.sidebar import current_selection
from pages.widgets.stored import current_reading

enter_through_app()
st.title("Findings", anchor=False)
st.caption(
    "What two papers found about how models use image and text, held to all models that have a "
    "spectrum here: the statistic, the published value, ours, and whether the claim holds."
)

reading = current_reading()
if reading.condition != "ready":
    empty_states.nothing_stored(reading)
    st.stop()
if not reading.spectra:
    empty_states.no_estimates(reading)
    st.stop()

with st.container(horizontal=True, vertical_alignment="top"):
    asked = choose_asked(reading, current_selection().benchmark)
held, found = hold(reading, asked)
show_tasks_held(held.material)
show_findings(found)
opened = choose_finding(found)
show_notes()
if opened is not None:
    show_statistics(opened)
show_scaling(held.steps)
show_settings([record for task in held.material.tasks for record in task.records])

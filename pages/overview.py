"""The Overview page: what is measured, what is at work, and what can be done next."""

import streamlit as st

from pages.widgets import coverage_view, overview_lists
from pages.widgets.address import show_notes
from pages.widgets.entry import enter_through_app
from pages.widgets.missing_cells import show_missing
from pages.widgets.next_steps import show_next_steps
from pages.widgets.stored import current_reading
from pages.widgets.wishes import forget

enter_through_app()
coverage_view.follow_cell()
st.title("Overview", anchor=False)
st.caption("What has been measured, what is at work, and what can be done next.")
show_notes()

reading = current_reading()
if reading.condition != "ready":
    overview_lists.show_first_steps(reading)
    if overview_lists.read_jobs(reading.cache):
        overview_lists.show_jobs(reading)
    forget()
    st.stop()

overview_lists.show_numbers(reading)
cells = coverage_view.read_cells(reading, overview_lists.read_jobs(reading.cache))
coverage_view.show_matrix(cells)
coverage_view.show_table(cells)
show_missing(cells, reading)
show_next_steps(cells, reading.cache)
runs, jobs = st.columns(2, gap="large")
with runs:
    overview_lists.show_newest_runs(reading.runs)
with jobs:
    overview_lists.show_jobs(reading)
    overview_lists.show_adapters(reading)
forget()

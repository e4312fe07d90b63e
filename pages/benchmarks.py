"""The Benchmarks page: what is on this machine, what it holds, and how the rest is had."""

import streamlit as st

from data_cache.benchmarks.survey import survey
from pages.widgets.benchmark_list import show_list
from pages.widgets.benchmark_opened import show_opened
from pages.widgets.entry import enter_through_app
from pages.widgets.errors import sentence_instead
from pages.widgets.import_form import show_import
from pages.widgets.stored import current_reading
from pages.widgets.wishes import forget

enter_through_app()
st.title("Benchmarks", anchor=False)
st.caption(
    "Benchmarks are read from the files that their authors publish: where VLMEvalKit or the "
    "Hugging Face hub put them, or from a place that you name."
)

reading = current_reading()
show_list(survey(reading.cache), reading.cache)
st.subheader("Look into one", anchor=False)
with sentence_instead("This benchmark cannot be shown."):
    show_opened(reading.cache)
show_import(reading)
forget()

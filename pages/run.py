"""The Run page: choose a run, see its cost, start it, watch it, stop it, go on with it."""

import streamlit as st

from pages.widgets.bring_model import offer_self_test
from pages.widgets.entry import enter_through_app
from pages.widgets.errors import sentence_instead
from pages.widgets.import_form import show_import
from pages.widgets.job_cards import show_jobs
from pages.widgets.own_models import offer_to_keep
from pages.widgets.run_choices import choose_run
from pages.widgets.run_start import show_cost, show_start
from pages.widgets.stored import current_reading
from pages.widgets.times_shown import show_latest_times
from pages.widgets.visitors import told_instead

enter_through_app()
st.title("Run", anchor=False)
st.caption(
    "Measure a model on a benchmark. A run goes on when this window is closed; what is computed is "
    "kept and never computed twice."
)

reading = current_reading()
with sentence_instead("This run is not possible."):
    options = None if told_instead("Runs cannot be started here.") else choose_run()
    if options is not None:
        offer_self_test(
            options.model, options.device, reading.cache, trusted=options.trust_remote_code
        )
        offer_to_keep(options.model)
        show_cost(options, reading.cache)
        show_start(options, reading.cache)
show_import(reading)

st.subheader("Jobs", anchor=False)
show_jobs(reading)
show_latest_times(reading)

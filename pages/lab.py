"""The Estimator lab: which estimator to trust, on known atoms and on a run of one's own."""

import streamlit as st

from pages.widgets import lab_sensitivity, lab_table, state
from pages.widgets.address import show_notes
from pages.widgets.asked import show_template_of_run
from pages.widgets.drill_down import follow_click
from pages.widgets.entry import enter_through_app
from pages.widgets.errors import sentence_instead
from pages.widgets.lab_charts import show_charts
from pages.widgets.lab_choices import (
    choose_estimators,
    choose_options,
    choose_source,
    show_obstacles,
)
from pages.widgets.lab_rows import compute
from pages.widgets.lab_trust import show_trust
from pages.widgets.stored import current_reading
from pages.widgets.wishes import forget

enter_through_app()
follow_click(held=[state.SUBSET, state.MODEL], kinds=[state.SPLIT])
st.title("Estimator lab", anchor=False)
st.caption(
    "Every estimator on the same problem: what it says, how far from the truth, how surely, and in "
    "what time. Problems with known atoms need no cache."
)

with sentence_instead("This cannot be estimated."):
    source = choose_source(current_reading())
    show_notes()
    if source is None:
        forget()
        st.stop()
    if source.run is None:
        st.subheader(source.title, anchor=False)
    else:  # names of models and subsets, which a heading would take for Markdown
        st.subheader("A cached run", anchor=False)
        st.text(source.title)
    st.text(source.note)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = choose_estimators(source)
        options = choose_options(source)
    show_obstacles(source)
    rows = compute(source.tasks(names, options), key="lab_run")
    if rows:
        shown = [*rows, *source.published]
        show_charts(shown, source)
        lab_table.show_table(shown)
        lab_table.show_download(shown, source)
        lab_table.show_warnings(rows)
        show_trust(rows, source)
        show_template_of_run(source.run)
    lab_sensitivity.show_panel(source)
forget()

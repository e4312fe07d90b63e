"""The Training page: when in the course of a training each kind of information arises."""

from functools import partial

import streamlit as st

from data_cache.training_runs import training_runs
from data_cache.trajectories import trajectories
from pages.figures import training_curves
from pages.figures.model_styles import model_styles
from pages.widgets import drawn, spectrum_table, state, training_coverage
from pages.widgets.address import show_notes
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import follow_click, remember_click
from pages.widgets.entry import enter_through_app
from pages.widgets.evidence import show_settings, show_warnings
from pages.widgets.sidebar import natural_order
from pages.widgets.stored import current_reading
from pages.widgets.training_choices import choose_curves, choose_trainings
from pages.widgets.training_tables import show_courses
from pages.widgets.training_words import nothing_measured, nothing_shown, show_notes_on

ACROSS = 3  # so many trainings stand side by side; the next ones below

enter_through_app()
follow_click(held=[state.SUBSET], undrawn=[state.MODELS])
st.title("Training", anchor=False)
st.caption(
    "When in a training the answer's information arises: the checkpoints of one model, each "
    "measured as any other model is."
)

reading = current_reading()
known = trajectories(reading.cache)
runs = training_runs(reading.checkpoint_runs, known)
if not runs:
    nothing_measured(reading, known)
    st.stop()

with st.container(horizontal=True, vertical_alignment="top"):
    benchmark, chosen = choose_trainings(runs)
here = sorted(
    (one for one in runs if one.benchmark == benchmark),
    key=lambda one: natural_order(one.trajectory),
)
begun = {one.trajectory for one in here}
unmeasured = [one for one in known if one.name not in begun]
with st.container(horizontal=True, vertical_alignment="top"):
    shown = choose_curves(reading, benchmark, chosen)
show_notes()

curves = shown.curves
records = [record for one in curves for record in one.records]
if not curves:
    nothing_shown(chosen, reading)
    training_coverage.show_coverage(reading, here, unmeasured, benchmark)
    st.stop()
show_notes_on(chosen, curves)
if shown.panels == "atoms":
    styles = model_styles([one.trajectory for one in here])
    show_figure(
        training_curves.atoms_figure(curves, styles, along=shown.along),
        key="training_atoms_over_steps",
        alt=training_curves.describe(curves),
        on_click=remember_click,
        data=partial(spectrum_table.as_frame, records),
    )
else:
    span = training_curves.span_of(curves)
    for first in range(0, len(curves), ACROSS):
        row = curves[first : first + ACROSS]
        for column, curve in zip(st.columns(len(row)), row, strict=True):
            with column:
                show_figure(
                    training_curves.training_figure(curve, span=span, along=shown.along),
                    key=f"training_{first + row.index(curve) + 1}",
                    alt=training_curves.describe([curve]),
                    on_click=remember_click,
                    data=partial(spectrum_table.as_frame, curve.records),
                )
drawn.show_caption(
    "Bands are 95 % intervals; a point says what its own covers. A dotted line is where a stage of "
    "the training ends. Hollow points: more than 90 % of the samples fell back to uniform. "
    "D_vision is the accuracy with the image minus that without it. Click a point to see the "
    "samples of that checkpoint."
)
show_courses(reading, curves)
training_coverage.show_coverage(reading, here, unmeasured, benchmark)
st.download_button(
    "Download with all settings (CSV)",
    spectrum_table.as_csv(records),
    file_name=f"training-{benchmark}-{shown.subset}.csv",
    mime="text/csv",
    icon=":material/download:",
    on_click="ignore",
    key="download_training",
)
last = [one.records[-1] for one in curves]
show_warnings(last)
show_settings(records)

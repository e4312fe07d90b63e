"""The Layers page: in which layer of a model redundancy, unique information and synergy arise."""

from functools import partial

import streamlit as st

from pages.figures import layer_trajectories
from pages.figures.model_styles import model_styles
from pages.widgets import drawn, empty_states, layer_notes, layer_phases, spectrum_table, state
from pages.widgets.address import show_notes
from pages.widgets.causal_check import show_causal_check
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import follow_click, remember_click
from pages.widgets.entry import enter_through_app
from pages.widgets.evidence import show_settings, show_warnings
from pages.widgets.layer_choices import choose_trajectories, one_per_model
from pages.widgets.missing_layers import offer_missing_layers, show_missing_layers
from pages.widgets.sidebar import current_selection, natural_order
from pages.widgets.stored import current_reading
from pages.widgets.stored_layers import read_layers, trajectories_of

enter_through_app()
follow_click(held=[state.SUBSET])
st.title("Layers", anchor=False)
st.caption(
    "Where in the model the answer's information arises: every layer is read as if it were the "
    "last one (logit lens) or through a trained map (tuned lens), under the same conditions as the "
    "model's own output."
)

reading = current_reading()
if reading.condition != "ready":
    empty_states.nothing_stored(reading)
    st.stop()
selection = current_selection()
if not selection.models:
    empty_states.nothing_selected()
    st.stop()
stored = trajectories_of(reading.spectra, read_layers(reading, selection), reading.runs)
if not stored:
    show_notes()
    show_missing_layers(selection.models, selection.benchmark, reading)
    st.stop()

with st.container(horizontal=True, vertical_alignment="top"):
    shown = choose_trajectories(stored, selection)
show_notes()

lines = shown.trajectories
with_lines = {one.model for one in lines}
layer_notes.show_notes_on(lines, reading)
everyone = {run.model for run in reading.runs if run.benchmark == selection.benchmark}
styles = model_styles(sorted(everyone, key=natural_order))
records = [record for one in lines for record in (*one.layers, one.output)]
atoms, quality = st.columns([2, 1])
with atoms:
    show_figure(
        layer_trajectories.atom_trajectories(lines, styles, depth=shown.depth),
        key="atom_trajectories",
        alt=layer_trajectories.describe(lines),
        on_click=remember_click,
        data=partial(spectrum_table.as_frame, records),
    )
with quality:
    show_figure(
        layer_trajectories.quality_trajectories(lines, styles, depth=shown.depth),
        key="quality_trajectories",
        alt=layer_trajectories.describe_quality(lines),
        on_click=remember_click,
        data=partial(spectrum_table.as_frame, records),
    )
drawn.show_caption(
    "Bands are 95 % intervals; a point says what its own covers. A diamond is the model's own "
    "output: it lies on the last layer. Hollow points: more than 90 % of the samples fell back to "
    "uniform. Click a point to see the samples that it was read on."
)

offer_missing_layers(
    [model for model in selection.models if model not in with_lines], selection.benchmark, reading
)
layer_phases.show_phases(reading, lines)
show_causal_check(reading, one_per_model(lines), styles, depth=shown.depth)
st.download_button(
    "Download with all settings (CSV)",
    spectrum_table.as_csv(records),
    file_name=f"layers-{selection.benchmark}-{shown.subset}.csv",
    mime="text/csv",
    icon=":material/download:",
    on_click="ignore",
    key="download_layers",
)
show_warnings([one.output for one in lines])
show_settings([one.output for one in lines])

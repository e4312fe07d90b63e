"""The Sensory page: what of an answer is seen, heard, both, or only seen and heard together."""

from functools import partial

import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.figures import sensory_plane, spectrum_bars
from pages.figures.model_styles import model_styles
from pages.widgets import drawn, empty_states, evidence, sensory_table, state
from pages.widgets.address import show_notes
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import follow_click, remember_click
from pages.widgets.entry import enter_through_app
from pages.widgets.sidebar import current_selection, natural_order
from pages.widgets.spectrum_choices import choose_records, choose_view
from pages.widgets.stored import current_reading
from pages.widgets.tables import show_table_frame

SOURCES = "video-audio"

enter_through_app()
follow_click(held=[state.MODEL])
st.title("Sensory", anchor=False)
st.caption(
    "What decides the answer of a model that watches and listens: information that video and audio "
    "share, that only one of them holds, or that appears only when both are there. The question "
    "stays readable in every run: it is the condition, and no source."
)

reading = current_reading()
if reading.condition != "ready":
    empty_states.nothing_stored(reading)
    st.stop()
selection = current_selection()
sensory = [one for one in reading.spectra if one.settings.get("sources") == SOURCES]
there = sorted({one.benchmark for one in sensory})
if selection.benchmark not in there:
    show_notes()
    empty_states.no_sensory(there, reading)
    st.stop()
if not selection.models:
    empty_states.nothing_selected()
    st.stop()

with st.container(horizontal=True, vertical_alignment="top"):
    records: tuple[SpectrumRecord, ...] = choose_records(sensory, selection)
    view = choose_view(records)
show_notes()
if not records:
    empty_states.without_estimate(selection, records, cache=reading.cache)
    st.stop()

bars, plane = st.columns([3, 2])
with bars:
    show_figure(
        spectrum_bars.spectrum_bars(records, unit=view.unit, layout=view.layout, group=view.group),
        key="sensory_bars",
        alt=spectrum_bars.describe(records),
        data=partial(sensory_table.as_frame, records),
        on_click=remember_click,
    )
with plane:
    everyone = {run.model for run in reading.runs if run.benchmark == selection.benchmark}
    show_figure(
        sensory_plane.sensory_plane(records, model_styles(sorted(everyone, key=natural_order))),
        key="sensory_plane",
        alt=sensory_plane.describe(records),
        data=partial(sensory_table.as_frame, records),
        on_click=remember_click,
    )
unconditioned = [one for one in records if not one.settings.get("given")]
drawn.show_caption(
    (
        "Left: some of these atoms are not conditioned on the instruction, see their settings. "
        if unconditioned
        else "Left: atoms given the instruction, solved within each template and averaged. "
    )
    + "Right: below the dotted line a model owes more to video alone than to video and audio "
    "together (the vision-dominance bottleneck of MI26). Click a bar or a point to see the samples "
    "behind it."
)
show_table_frame(
    sensory_table.as_frame(records),
    key="sensory_table",
    alt="The atoms of video and audio of each model and subset, and what each medium is worth.",
)
drawn.show_caption(
    "D_video and D_audio are the points of accuracy that are lost where the medium is left out of "
    "the prompt."
)
evidence.show_warnings(records)
evidence.show_settings(records)

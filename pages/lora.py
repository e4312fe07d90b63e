"""The LoRA-PID page: train an adapter on samples that lack fusion, and see what it changed."""

import streamlit as st

from pages.widgets import adapter_results, empty_states, state
from pages.widgets.adapter_moved import show_moved
from pages.widgets.adapter_parts import choose_benchmark, choose_subset
from pages.widgets.adapter_strategies import show_strategies
from pages.widgets.adapter_transfer import show_transfer
from pages.widgets.adapter_weights import show_weights
from pages.widgets.address import show_notes
from pages.widgets.drill_down import follow_click
from pages.widgets.entry import enter_through_app
from pages.widgets.errors import sentence_instead
from pages.widgets.job_cards import show_jobs
from pages.widgets.lora_choices import choose_finetune
from pages.widgets.lora_origin import show_origin
from pages.widgets.lora_plan import show_plan
from pages.widgets.lora_start import KINDS, show_start, show_study
from pages.widgets.lora_weights import show_weights_before
from pages.widgets.loss_view import choose_axis, show_losses, show_losses_of
from pages.widgets.stored import current_reading
from pages.widgets.stored_adapters import read_adapters, read_pairs
from pages.widgets.visitors import told_instead
from pages.widgets.wishes import forget

enter_through_app()
follow_click(kinds=())
st.title("LoRA-PID", anchor=False)
st.caption(
    "Train a small adapter on the samples that could be answered by fusing image and text and are "
    "not, then measure on other samples what it changed."
)

reading = current_reading()
with sentence_instead("This training is not possible."):
    refused = told_instead("Trainings cannot be started here.")
    options = None if refused else choose_finetune(reading.cache)
    if options is not None:
        show_origin(options)
        plan = show_plan(options, reading)
        show_weights_before(options, plan, reading)
        show_start(options, reading)
        show_study(options, plan, reading)

st.subheader("Jobs", anchor=False)
adapters = read_adapters(reading)
if adapters:
    choose_axis()
show_jobs(reading, kind=KINDS, more=show_losses_of, buttons_follow=True)

st.subheader("Before and after", anchor=False)
if not adapters:
    empty_states.no_adapters(reading)
    forget()
    st.stop()
with st.container(horizontal=True, vertical_alignment="top"):
    chosen = adapter_results.choose_adapter(adapters)
    adapter = choose_benchmark(chosen)
    shown = choose_subset(adapter, reading)
show_notes()
adapter_results.show_facts(chosen)
pairs = read_pairs(reading, adapter)
adapter_results.show_before_after(adapter, pairs)
adapter_results.show_ways_on(adapter)
show_strategies(shown, adapters, reading)
show_transfer(chosen, adapters, reading)
show_moved(shown, pairs, adapters, reading)
show_weights(chosen, reading)
loss = st.expander(
    "Loss", icon=":material/trending_down:", key=state.LORA_LOSS_OPEN, on_change="rerun"
)
if loss.open:
    with loss:
        show_losses(chosen, reading, key="loss")
forget()

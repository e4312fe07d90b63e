"""The LoRA-PID page: train an adapter on samples that lack fusion, and see what it changed."""

import streamlit as st

from pages.widgets import adapter_results, empty_states
from pages.widgets.adapter_strategies import show_strategies
from pages.widgets.adapter_weights import show_weights
from pages.widgets.address import show_notes
from pages.widgets.drill_down import follow_click
from pages.widgets.entry import enter_through_app
from pages.widgets.errors import sentence_instead
from pages.widgets.job_cards import show_jobs
from pages.widgets.lora_choices import choose_finetune
from pages.widgets.lora_origin import show_origin
from pages.widgets.lora_start import KIND, show_plan, show_start
from pages.widgets.loss_view import choose_axis, show_losses, show_losses_of
from pages.widgets.stored import current_reading
from pages.widgets.stored_adapters import read_adapters, read_pairs
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
    options = choose_finetune(reading.cache)
    if options is not None:
        show_origin(options)
        show_plan(options, reading)
        show_start(options, reading.cache)

st.subheader("Jobs", anchor=False)
adapters = read_adapters(reading)
if adapters:
    choose_axis()
show_jobs(reading, kind=KIND, more=show_losses_of, buttons_follow=True)

st.subheader("Before and after", anchor=False)
if not adapters:
    empty_states.no_adapters(reading)
    forget()
    st.stop()
adapter = adapter_results.choose_adapter(adapters)
show_notes()
adapter_results.show_facts(adapter)
adapter_results.show_before_after(adapter, read_pairs(reading, adapter))
adapter_results.show_ways_on(adapter)
show_strategies(adapter, adapters, reading)
show_weights(adapter, reading)
with st.expander("Loss", icon=":material/trending_down:"):
    show_losses(adapter, reading, key="loss")
forget()

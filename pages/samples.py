"""The Samples page: the questions behind a spectrum, and what carried each answer."""

import streamlit as st

from pages.figures.meanings import OF_SAMPLES
from pages.widgets import (
    across_link,
    empty_states,
    lora_origin,
    sample_card,
    sample_filter,
    sample_list,
    sample_tags,
    saved_slices,
    slice_files,
)
from pages.widgets.address import note, show_notes
from pages.widgets.entry import enter_through_app
from pages.widgets.meanings_shown import show_meanings
from pages.widgets.opened_sample import forget_sample, opened_sample
from pages.widgets.provenance import show_runs
from pages.widgets.sample_choices import choose_estimates, choose_listing, choose_model
from pages.widgets.sidebar import current_selection
from pages.widgets.stored import current_reading
from pages.widgets.stored_samples import read_detail, read_place
from pages.widgets.wishes import forget

enter_through_app()
across_link.follow_across()
st.title("Samples", anchor=False)
st.caption("The questions behind a spectrum, and what carried each answer: image, text or both.")

reading = current_reading()
if reading.condition != "ready":
    empty_states.nothing_stored(reading)
    st.stop()
if not reading.spectra:
    empty_states.no_estimates(reading)
    st.stop()
selection = current_selection()
if not selection.models:
    empty_states.nothing_selected()
    st.stop()

with st.container(horizontal=True, vertical_alignment="top"):
    one = choose_model(selection)
    records = choose_estimates(reading, one)
    listing = choose_listing(reading, records) if records else None
if listing is None:
    empty_states.without_estimate(one, records, cache=reading.cache)
    st.stop()

with st.container(horizontal=True, vertical_alignment="center"):
    sample_filter.show_filters(reading, records, listing.order.filters)
    saved_slices.show_slices(reading, records, listing)
    slice_files.show_files(reading, records, listing)
    sample_filter.show_sentence(reading, records, listing.order.filters)

wanted = opened_sample()
place = read_place(reading, listing.order, wanted) if wanted else None
if wanted and place:
    show_notes()
    sample_card.show_steps(place, listing)
    detail = read_detail(reading, listing.order.estimate_keys, wanted)
    sample_tags.show_tags(reading, detail)
    with st.container(horizontal=True):
        across_link.show_button(reading, selection, detail.record, wanted)
        lora_origin.show_button(reading, one, detail=detail)
    sample_card.show_sample(detail, reading)
else:
    if wanted:
        note("sample", wanted)
        forget_sample()
    tagged = listing.order.filters.tags
    lora_origin.show_button(
        reading,
        one,
        subset=sample_list.subset_of(listing, records),
        tag=tagged[0] if len(tagged) == 1 else None,
    )
    sample_list.show_list(reading, listing)
show_meanings(OF_SAMPLES)
show_runs(record.run_key for record in records)
forget()

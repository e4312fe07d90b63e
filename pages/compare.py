"""The Compare page: two to four models side by side, and the samples that they see differently."""

import streamlit as st

from pages.figures.model_styles import styles_apart
from pages.widgets import (
    across_view,
    disagreement_list,
    empty_states,
    evidence,
    pair_charts,
    pair_numbers,
    spectrum_table,
    state,
)
from pages.widgets.address import note, say, show_notes
from pages.widgets.differing_choices import choose_differing
from pages.widgets.drill_down import follow_click
from pages.widgets.entry import enter_through_app
from pages.widgets.imported_runs import show_imported
from pages.widgets.opened_sample import forget_sample, opened_sample
from pages.widgets.pair_choices import choose_compared, choose_models, comparable, twice
from pages.widgets.sidebar import Selection, current_selection, natural_order
from pages.widgets.stored import current_reading
from pages.widgets.stored_pairs import (
    read_across,
    read_agreement,
    read_carried,
    read_paired_rows,
)

enter_through_app()
follow_click(held=[state.SUBSET])
st.title("Compare", anchor=False)
st.caption(
    "Two to four models on the same questions: what differs from the first, how surely, and where "
    "they disagree."
)

reading = current_reading()
if reading.condition != "ready":
    empty_states.nothing_stored(reading)
    st.stop()
if not reading.spectra:
    empty_states.no_estimates(reading)
    st.stop()
selection = current_selection()
models = comparable(reading, selection.benchmark)
if len(models) < 2:
    show_notes()
    empty_states.nothing_to_compare(models, selection.benchmark, reading)
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    chosen = choose_models(models, selection)
if sentence := twice(chosen):
    show_notes()
    say(sentence)
    st.stop()
with st.container(horizontal=True, vertical_alignment="top"):
    together, records = choose_compared(reading, selection.benchmark, chosen)
all_chosen = Selection(benchmark=selection.benchmark, models=chosen)
empty_states.without_estimate(all_chosen, records, cache=reading.cache)
if together is None:
    show_notes()
    if {record.model for record in records} == {*chosen}:
        empty_states.no_common_subset(*chosen)
    st.stop()

carried = read_carried(reading, together.estimate_keys)
wanted = opened_sample()
found = read_across(reading, together.estimate_keys, wanted) if wanted else None
if wanted and found:
    steps, view = st.container(), st.container()
    with st.expander("What Previous and Next go through", icon=":material/filter_list:"):
        listed = choose_differing(together, carried)
    show_notes()
    with steps:
        across_view.show_steps(reading, listed, wanted)
    with view:
        across_view.show_across(found, together, reading)
else:
    if wanted:
        note(state.SAMPLE, wanted)
        forget_sample()
    pair_numbers.show_warning(together)
    evidence.show_badges(together.records, unit="bits")
    everyone = {run.model for run in reading.runs if run.benchmark == selection.benchmark}
    differences = [
        pair_numbers.differences_of(pair, read_paired_rows(reading, pair.pair))
        for pair in together.pairs
    ]
    pair_charts.show_charts(
        together, differences, styles_apart(sorted(everyone, key=natural_order), chosen)
    )
    pair_numbers.show_captions(differences)
    pair_numbers.show_table(together, differences)
    st.download_button(
        "Download with all settings (CSV)",
        spectrum_table.as_csv(together.records),
        file_name=f"compare-{selection.benchmark}-{together.records[0].subset}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_compared",
    )

    st.subheader("Where they disagree", anchor=False)
    agreement = read_agreement(reading, together.estimate_keys)
    disagreement_list.show_counts(agreement)
    if agreement.common:
        disagreement_list.show_carriers(carried)
        disagreement_list.show_list(reading, together, choose_differing(together, carried))
    show_notes()
    evidence.show_warnings(together.records)
evidence.show_settings(together.records)
shown = {record.run_key for record in together.records}
show_imported(run for run in reading.runs if run.run_key in shown)

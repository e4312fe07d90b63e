"""The Compare page: two models side by side, and the samples on which they disagree."""

import streamlit as st

from pages.figures import pair_bars
from pages.figures.model_styles import two_styles
from pages.widgets import (
    disagreement_list,
    empty_states,
    evidence,
    pair_numbers,
    spectrum_table,
    state,
)
from pages.widgets.address import say, show_notes
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import follow_click
from pages.widgets.entry import enter_through_app
from pages.widgets.imported_runs import show_imported
from pages.widgets.pair_choices import choose_compared, choose_two, comparable
from pages.widgets.sidebar import Selection, current_selection, natural_order
from pages.widgets.stored import current_reading
from pages.widgets.stored_pairs import read_agreement, read_paired_rows

enter_through_app()
follow_click(held=[state.SUBSET])
st.title("Compare", anchor=False)
st.caption("Two models on the same questions: what differs, how surely, and where they disagree.")

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
    a, b = choose_two(models, selection)
if a == b:
    show_notes()
    say(f"A and B are both {a}; choose another model for one of them.")
    st.stop()
with st.container(horizontal=True, vertical_alignment="top"):
    compared, records = choose_compared(reading, selection.benchmark, (a, b))
both = Selection(benchmark=selection.benchmark, models=(a, b))
empty_states.without_estimate(both, records, cache=reading.cache)
if compared is None:
    show_notes()
    if {record.model for record in records} == {a, b}:
        empty_states.no_common_subset(a, b)
    st.stop()

pair_numbers.show_warning(compared)
shown = (compared.a, compared.b)
evidence.show_badges(shown, unit="bits")
differences = pair_numbers.differences_of(compared, read_paired_rows(reading, compared.pair))
everyone = {run.model for run in reading.runs if run.benchmark == selection.benchmark}
bars, dots = st.columns([3, 2])
with bars:
    show_figure(
        pair_bars.pair_bars(*shown, two_styles(sorted(everyone, key=natural_order), a, b)),
        key="pair_bars",
        alt=pair_bars.describe(*shown),
    )
with dots:
    show_figure(
        pair_bars.difference_dots(differences.parts),
        key="difference_dots",
        alt=pair_bars.describe_differences(differences.parts),
    )
st.caption(differences.caption)
pair_numbers.show_table(compared, differences)
st.download_button(
    "Download with all settings (CSV)",
    spectrum_table.as_csv(shown),
    file_name=f"compare-{selection.benchmark}-{compared.a.subset}.csv",
    mime="text/csv",
    icon=":material/download:",
    on_click="ignore",
    key="download_compared",
)

st.subheader("Where they disagree", anchor=False)
agreement = read_agreement(reading, compared.pair)
disagreement_list.show_counts(agreement)
if agreement.common:
    disagreement_list.show_list(reading, compared)
show_notes()
evidence.show_warnings(shown)
evidence.show_settings(shown)
keys = {record.run_key for record in shown}
show_imported(run for run in reading.runs if run.run_key in keys)

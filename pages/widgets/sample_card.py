"""One sample in full: its image, question and options, what carried the answer, its numbers."""

import json

import streamlit as st

from data_cache.conditions import Condition
from data_cache.sample_detail import SampleDetail
from data_cache.samples import letter_of
from data_cache.samples_view import Place
from pages.figures import atom_bars, distribution_bars
from pages.figures.rows import subset_label
from pages.figures.scores import SCORES
from pages.widgets import state
from pages.widgets.asked import show_asked
from pages.widgets.carrier import who_carried
from pages.widgets.charts import show_figure
from pages.widgets.evidence import settings_of
from pages.widgets.opened_sample import close_sample, open_sample
from pages.widgets.sample_choices import Listing
from pages.widgets.sample_images import show_images
from pages.widgets.sample_list import page_of
from pages.widgets.sample_noted import note_sample
from pages.widgets.split_badge import show_split
from pages.widgets.stored import Stored
from pages.widgets.why_hard import why_hard

REQUIRED = (Condition.FULL, Condition.ONLY_1, Condition.ONLY_2)
TAU = 0.3
"""Of estimates whose record does not say it, as `sample_detail` reads them."""


def show_steps(place: Place, listing: Listing) -> None:
    """Draw the way back, to the sample before and to the one after, with their keys."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "All samples",
            key="close_sample",
            icon=":material/grid_view:",
            shortcut="Esc",
            on_click=close_sample,
            args=(page_of(place, listing.view),),
        )
        for label, key, target, icon in (
            ("Previous", "Left", place.previous, ":material/arrow_back:"),
            ("Next", "Right", place.next, ":material/arrow_forward:"),
        ):
            st.button(
                label,
                key=f"step_{key.lower()}",
                icon=icon,
                shortcut=key,
                disabled=target is None,
                on_click=open_sample,
                args=(target,),
            )
        st.caption(f"{place.number + 1:,} of {place.total:,} by {listing.score.label}")


def show_sample(detail: SampleDetail, reading: Stored) -> None:
    """Show the sample; everything that comes from the benchmark is shown as plain text."""
    note_sample(detail, _show_sentences(detail))
    asked, answered = st.columns([2, 3], gap="large")
    with asked:
        _show_question(detail, reading)
        _show_scores(detail)
    with answered:
        _show_charts(detail)
    _show_origin(detail)


def _show_sentences(detail: SampleDetail) -> list[str]:
    found, answer = detail.distributions, detail.sample.answer
    if not all(condition in found for condition in REQUIRED):
        return []
    probabilities = {condition: one.probabilities for condition, one in found.items()}
    tau = float(detail.record.settings.get("tau", TAU))
    carried = who_carried(probabilities, answer)
    hard = " ".join(why_hard(detail.numbers, found, answer=answer, tau=tau))
    with st.container(border=True, gap="xsmall"):
        st.text(carried)
        st.text(hard)
    return [carried, hard]


def _show_question(detail: SampleDetail, reading: Stored) -> None:
    sample = detail.sample
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_split(sample.split)
        st.text(f"subset {sample.subset}")
    show_images(sample, reading)
    st.text(sample.question)
    full = detail.distributions.get(Condition.FULL)
    choice = None if full is None else full.strict_choice[0]
    colour = "green" if choice == sample.answer else "orange"
    with st.container(gap="xsmall"):
        for index, option in enumerate(sample.options):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.text(f"{letter_of(index)}  {option}")
                if index == sample.answer:
                    st.badge("right answer", icon=":material/check:", color="green")
                if index == choice:
                    st.badge("model's answer", color=colour)
    if choice is None:
        st.badge(
            "no option is known as the model's answer"
            if "imported" in detail.record.settings
            else "the model's first token is none of the options",
            color="orange",
        )


def _show_charts(detail: SampleDetail) -> None:
    found = detail.distributions
    show_figure(
        distribution_bars.distribution_bars(
            found, options=detail.sample.options, answer=detail.sample.answer
        ),
        key="distribution_bars",
        alt=distribution_bars.describe(found),
    )
    show_figure(
        atom_bars.atom_bars(detail.numbers, detail.record),
        key="atom_bars",
        alt=atom_bars.describe(detail.numbers),
    )


def _show_scores(detail: SampleDetail) -> None:
    with st.grid(2, min_column_width=140, gap="xsmall"):
        for score in SCORES:
            value = detail.numbers[score.field]
            shown = "undefined" if value is None else f"{round(value, 3) + 0.0:.3f} {score.unit}"
            with st.container(gap=None):
                st.metric(score.label, shown.strip(), help=score.help)
                st.caption(score.meaning)


def _show_origin(detail: SampleDetail) -> None:
    sample = detail.sample
    window = st.expander(
        "Where this comes from", key=state.ORIGIN_OPEN, icon=":material/tune:", on_change="rerun"
    )
    if not window.open:
        return
    with window:
        facts = {
            "sample": sample.sample_id,
            "group": sample.group_id,
            "subset": sample.subset,
            "split": sample.split,
            "place in the benchmark": str(sample.position + 1),
            "estimate of": subset_label(detail.record.subset),
        }
        lines = (facts | settings_of(detail.record)).items()
        st.code("\n".join(f"{name}: {value}" for name, value in lines), language=None)
        show_asked(sample, detail.record.settings)
        if sample.system is not None:
            st.text("System message")
            st.code(sample.system, language=None, wrap_lines=True)
        if sample.meta:
            st.text("From the benchmark")
            st.code(
                json.dumps(sample.meta, ensure_ascii=False, indent=1),
                language=None,
                wrap_lines=True,
            )

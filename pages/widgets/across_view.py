"""One sample across models, side by side: answers in every condition, atoms, and who carried it."""

from collections.abc import Sequence

import streamlit as st

from data_cache.across import Across, View
from data_cache.conditions import Condition
from data_cache.disagreement import Differing
from data_cache.queries import StoredSample
from data_cache.samples import letter_of
from pages.figures import atom_bars, distribution_bars
from pages.figures.rows import subset_label
from pages.widgets import drawn
from pages.widgets.across_words import in_a_sentence
from pages.widgets.carrier import who_carried
from pages.widgets.charts import show_figure
from pages.widgets.drill_down import remember_sample
from pages.widgets.opened_sample import forget_sample, open_sample
from pages.widgets.pair_choices import Together
from pages.widgets.sample_images import show_images
from pages.widgets.sample_noted import note_question
from pages.widgets.stored import Stored
from pages.widgets.stored_pairs import read_place
from pages.widgets.why_hard import why_hard

REQUIRED = {Condition.FULL, Condition.ONLY_1, Condition.ONLY_2}


def show_steps(reading: Stored, differing: Differing, sample_id: str) -> None:
    """Draw the way back, and to the neighbours in the list of samples, with their keys."""
    number, before, after = read_place(reading, differing, sample_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Comparison",
            key="close_across",
            icon=":material/compare_arrows:",
            shortcut="Esc",
            on_click=forget_sample,
        )
        for label, key, target, icon in (
            ("Previous", "Left", before, ":material/arrow_back:"),
            ("Next", "Right", after, ":material/arrow_forward:"),
        ):
            st.button(
                label,
                key=f"across_{key.lower()}",
                icon=icon,
                shortcut=key,
                disabled=target is None,
                on_click=open_sample,
                args=(target,),
            )
        st.caption(
            "not in the list below the comparison"
            if number < 0
            else f"place {number + 1:,} in the list below the comparison"
        )


def show_across(found: Across, together: Together, reading: Stored) -> None:
    """Show the sample once and each model beside the others; all of its texts are plain text."""
    sample = found.sample
    views = [(letter, found.views.get(one.estimate_key)) for letter, one in together.lettered()]
    sentence = in_a_sentence([(letter, view) for letter, view in views if view], sample.answer)
    with st.container(border=True):
        st.text(sentence)
    note_question(
        sample,
        {letter: view.choice for letter, view in views if view},
        [sentence],
        together.records,
    )
    picture, asked = st.columns([1, 3], gap="large")
    with picture:
        show_images(sample, reading)
    with asked, st.container(gap="xsmall"):
        st.text(sample.question)
        for place, option in enumerate(sample.options):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.text(f"{letter_of(place)}  {option}")
                if place == sample.answer:
                    st.badge("right answer", icon=":material/check:", color="green")
                for letter, view in views:
                    if view is not None and view.choice == place:
                        st.badge(letter, color="green" if place == sample.answer else "orange")
        st.text(f"Subset {sample.subset}, {sample.split} split, sample {sample.sample_id}")
    ends = reach([view for _, view in views if view])
    columns = st.columns(len(views), gap="small")
    for column, (letter, view), record in zip(columns, views, together.records, strict=True):
        with column:
            st.text(f"{letter}: {record.model}")
            if view is None:
                st.text("Its estimate does not have this sample.")
            else:
                _show_view(letter, view, sample, ends)
    drawn.show_caption(
        "Atoms are in bits of information about this answer; over all samples of an estimate they "
        "average to its spectrum (the strokes), and of one sample they can be negative."
    )


def reach(views: Sequence[View]) -> tuple[float, float]:
    """Return the ends of the axis, in bits, on which the atoms of all models fit."""
    names = atom_bars.NAMES
    values = [view.numbers.get(name) or 0.0 for view in views for name in names]
    values += [getattr(view.record, name) for view in views for name in names]
    return min([0.0, *values]), max([0.0, *values])


def _show_view(letter: str, view: View, sample: StoredSample, ends: tuple[float, float]) -> None:
    answer = sample.answer
    if view.choice is None:
        known = "imported" not in view.record.settings
        st.badge(
            "first token is no option" if known else "answer not known",
            color="orange",
        )
    else:
        is_right = view.choice == answer
        st.badge(
            f"{letter_of(view.choice)}, right" if is_right else f"{letter_of(view.choice)}, wrong",
            icon=":material/check:" if is_right else ":material/close:",
            color="green" if is_right else "orange",
        )
    key = letter.lower()
    show_figure(
        distribution_bars.distribution_bars(
            view.distributions, options=sample.options, answer=answer
        ),
        key=f"across_distributions_{key}",
        alt=f"{letter}: {distribution_bars.describe(view.distributions)}",
    )
    show_figure(
        atom_bars.atom_bars(view.numbers, view.record, reach=ends),
        key=f"across_atoms_{key}",
        alt=f"{letter}: {atom_bars.describe(view.numbers)}",
    )
    if set(view.distributions) >= REQUIRED:
        found = {condition: one.probabilities for condition, one in view.distributions.items()}
        st.text(who_carried(found, answer))
        tau = float(view.record.settings.get("tau", 0.3))
        st.text(" ".join(why_hard(view.numbers, view.distributions, answer=answer, tau=tau)))
    st.text(f"Estimate of {subset_label(view.record.subset)}, {view.record.n:,} samples")
    st.button(
        f"Open for {letter}",
        key=f"across_open_{key}",
        icon=":material/open_in_new:",
        on_click=remember_sample,
        args=(view.record, sample.sample_id),
    )

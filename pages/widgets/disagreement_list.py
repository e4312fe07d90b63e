"""The samples that models see differently: how many, which, and what carried each answer."""

from collections.abc import Mapping, Sequence
from math import ceil

import pandas as pd
import streamlit as st

from data_cache.conditions import Condition
from data_cache.disagreement import Agreement, Differing, DisagreementRow, Side
from data_cache.estimates import SpectrumRecord
from data_cache.samples import letter_of
from pages.figures import carrier_matrix
from pages.figures.palette import ATOMS
from pages.report.parts import Table
from pages.widgets import drawn, state
from pages.widgets.address import note_unknown, say, show_notes
from pages.widgets.carrier import IN_SHORT, carrier
from pages.widgets.charts import show_figure
from pages.widgets.differing_choices import DISTANCE_WORDS, remember_cell
from pages.widgets.drill_down import remember_sample
from pages.widgets.opened_sample import open_sample
from pages.widgets.pair_choices import LETTERS, Together
from pages.widgets.pictures import show_picture
from pages.widgets.stored import Stored
from pages.widgets.stored_pairs import read_disagreements
from pages.widgets.tables import show_table_frame

PER_PAGE = 10
PICTURE_PIXELS = 112
REQUIRED = {Condition.FULL, Condition.ONLY_1, Condition.ONLY_2}


def show_counts(found: Agreement) -> None:
    """Show who is right how often, and on how many samples all were asked."""
    st.text(in_common(found))
    if not found.common:
        return
    frame = counts(found) if len(found.samples) == 2 else standings(found)
    show_table_frame(
        frame,
        key="agreement",
        hide_index=False,
        column_config={
            name: st.column_config.TextColumn(alignment="right") for name in frame.columns
        },
        alt="How many samples all, some or none of the models answer right.",
        width="content",
    )


def in_common(found: Agreement) -> str:
    """Say how many samples the estimates share."""
    held = found.samples
    if {found.common} == set(held):
        who = "Both models" if len(held) == 2 else f"All {len(held)} models"
        return f"{who} answered the same {found.common:,} samples."
    told = [
        f"{letter} {'has ' if letter == 'A' else ''}{n:,}{' samples' if letter == 'A' else ''}"
        for letter, n in zip(LETTERS, held, strict=False)
    ]
    start = f"{', '.join(told[:-1])} and {told[-1]}"
    if not found.common:
        return (
            f"{start}, and none of them in common with their texts: they may come from different "
            "versions of the benchmark."
        )
    return f"{start}; {found.common:,} are in common, and only these are listed."


def counts(found: Agreement) -> pd.DataFrame:
    """Return the table of which of two models is right."""

    def count(a: bool, b: bool, same: bool | None = None) -> str:
        return f"{found.count(lambda one: one.right == (a, b) and same in (None, one.same[1])):,}"

    return pd.DataFrame(
        {
            "B right": [count(True, True), count(False, True)],
            "B wrong": [count(True, False), count(False, False)],
            "same answer": ["", count(False, False, True)],
            "another answer": [count(True, False), count(False, False, False)],
        },
        index=pd.Index(["A right", "A wrong"]),
    )


def standings(found: Agreement) -> pd.DataFrame:
    """Return the table of how three or four models stand to each other, in samples."""
    rows: dict[str, list[str]] = {}
    for place, letter in enumerate(LETTERS[: len(found.samples)]):
        claims = (
            lambda one, place=place: one.right[place],
            lambda one, place=place: one.right[place] and sum(one.right) == 1,
            lambda one, place=place: not one.right[place] and sum(one.right) == len(one.right) - 1,
            lambda one, place=place: one.right[place] and not one.right[0],
            lambda one, place=place: one.right[0] and not one.right[place],
            lambda one, place=place: one.same[place],
        )
        rows[letter] = [f"{found.count(claim):,}" for claim in claims]
        if place == 0:
            rows[letter][3:] = [""] * 3
    return pd.DataFrame.from_dict(
        rows,
        orient="index",
        columns=[
            "right",
            "only this one right",
            "only this one wrong",
            "right where A is wrong",
            "wrong where A is right",
            "same answer as A",
        ],
    )


def show_carriers(carried: Mapping[tuple[str, ...], int]) -> None:
    """Show which atoms were the largest for A and for each other model; a click lists the samples.

    Parameters
    ----------
    carried
        Samples of each combination of largest atoms.
    """
    others = len(next(iter(carried))) - 1
    columns = st.columns(others) if others > 1 else [st.container(width=520)]
    for place, column in enumerate(columns, start=1):
        counts = pair_of(carried, place)
        letter = LETTERS[place]
        with column:
            show_figure(
                carrier_matrix.carrier_matrix(counts, letter),
                key=f"carrier_matrix_{letter.lower()}",
                alt=carrier_matrix.describe(counts, letter),
                on_click=remember_cell,
                data=lambda counts=counts: pd.DataFrame(
                    [(one, two, count) for (one, two), count in counts.items()],
                    columns=["largest atom for A", "largest atom for the other", "samples"],
                ),
            )
    drawn.show_caption(
        "Which atom is the largest of a sample, for A and for the other model, in samples; off the "
        "diagonal something else carried the answer. A click lists these samples."
    )


def pair_of(carried: Mapping[tuple[str, ...], int], place: int) -> dict[tuple[str, str], int]:
    """Add up the samples by the largest atoms of the baseline and of one other model.

    >>> pair_of({("a", "x", "k"): 2, ("a", "y", "k"): 3, ("b", "x", "l"): 1}, 2)
    {('a', 'k'): 5, ('b', 'l'): 1}
    """
    found: dict[tuple[str, str], int] = {}
    for names, count in carried.items():
        pair = (names[0], names[place])
        found[pair] = found.get(pair, 0) + count
    return found


def show_list(
    reading: Stored, together: Together, differing: Differing, *, across: bool = True
) -> None:
    """Show one page of samples; everything of the benchmark is plain text.

    Parameters
    ----------
    reading, together, differing
        Where, of which estimates, and which samples.
    across
        Whether a button shows a sample across models; the page has to have that view.
    """
    start = read_disagreements(reading, differing, limit=PER_PAGE, offset=0)
    pages = max(ceil(start.total / PER_PAGE), 1)
    note_unknown(state.DIFFERING_PAGE, (str(number + 1) for number in range(pages)))
    show_notes()
    if not start.total:
        say(
            "The models give the same answer to every sample."
            if differing
            == Differing(estimate_keys=differing.estimate_keys, order_by=differing.order_by)
            else "No sample is of this kind; choose another one, or another subset."
        )
        return
    number = st.pagination(pages, key=state.DIFFERING_PAGE, bind="query-params") if pages > 1 else 1
    first = (number - 1) * PER_PAGE
    page = read_disagreements(reading, differing, limit=PER_PAGE, offset=first)
    drawn.show_caption(f"{first + 1:,} to {first + len(page.rows):,} of {page.total:,} samples")
    drawn.note(
        Table(name="differing", frame=as_frame(page.rows, together), alt="The samples listed.")
    )
    for place, row in enumerate(page.rows, start=first + 1):
        _show_row(row, together, place, differing.order_by, across=across)


def as_frame(rows: Sequence[DisagreementRow], together: Together) -> pd.DataFrame:
    """Return one row per sample, with each model's answer and pointwise atoms, in bits."""
    found: list[dict[str, object]] = []
    for row in rows:
        one: dict[str, object] = {
            "Sample": row.sample_id,
            "Subset": row.subset,
            "Question": row.question,
            "Right": letter_of(row.answer),
        }
        for (letter, record), side in zip(together.lettered(), row.sides, strict=True):
            one[f"Model {letter}"] = record.model
            one[f"{letter} answered"] = "-" if side.choice is None else letter_of(side.choice)
            one |= {f"{letter} {atom.label} (bits)": side.numbers[atom.field] for atom in ATOMS}
            one[f"{letter} GapScore (bits)"] = side.numbers["gap_score"]
        found.append(one)
    return pd.DataFrame(found)


def carried_by(numbers: Mapping[str, float | None]) -> str:
    """Name the largest atom of a sample.

    >>> carried_by({"redundancy": 0.1, "unique_1": 0.2, "unique_2": -1.0, "synergy": 1.5})
    'mostly synergy (1.50 bits)'
    """
    known = [(value, atom.label) for atom in ATOMS if (value := numbers[atom.field]) is not None]
    if not known:
        return "no atoms"
    value, label = max(known, key=lambda one: one[0])
    return f"mostly {label.lower()} ({value:.2f} bits)" if value > 0 else "no atom is positive"


def _show_row(
    row: DisagreementRow, together: Together, place: int, order_by: str, *, across: bool
) -> None:
    count = len(together.records)
    with st.container(border=True):
        if count == 2:
            picture, asked, *sides = st.columns([1, 3, 2, 2], gap="small")
        else:
            picture, asked = st.columns([1, 5], gap="small")
            sides = st.columns(count, gap="small")
        with picture:
            show_picture(row.thumbnail, side=PICTURE_PIXELS, alt=f"Image of sample {place}")
        with asked, st.container(gap="xsmall"):
            st.text(row.question)
            st.text(f"Right: {_option(row, row.answer)}")
            if row.distance is not None:
                st.caption(DISTANCE_WORDS[order_by].format(row.distance))
            if across:
                st.button(
                    "Across models",
                    key=f"across_{place}",
                    icon=":material/view_column:",
                    on_click=open_sample,
                    args=(row.sample_id,),
                    help="This sample with what every model makes of it, side by side.",
                )
        for column, (letter, record), side in zip(
            sides, together.lettered(), row.sides, strict=True
        ):
            with column, st.container(gap="xsmall"):
                _show_side(row, letter, side, record, place)


def _show_side(
    row: DisagreementRow, letter: str, side: Side, record: SpectrumRecord, place: int
) -> None:
    is_right = side.choice == row.answer
    st.badge(
        f"{letter} is right" if is_right else f"{letter} is wrong",
        icon=":material/check:" if is_right else ":material/close:",
        color="green" if is_right else "orange",
    )
    st.text("none of the options" if side.choice is None else _option(row, side.choice))
    gap = side.numbers["gap_score"]
    gap_words = "GapScore undefined" if gap is None else f"GapScore {round(gap, 2) + 0.0:.2f} bits"
    words = [carried_by(side.numbers), gap_words]
    if set(side.distributions) >= REQUIRED:
        found = {condition: one.probabilities for condition, one in side.distributions.items()}
        words.insert(0, f"carried by: {IN_SHORT[carrier(found)]}")
    st.caption(", ".join(words))
    st.button(
        f"Open for {letter}",
        key=f"open_{letter.lower()}_{place}",
        icon=":material/open_in_new:",
        on_click=remember_sample,
        args=(record, row.sample_id),
    )


def _option(row: DisagreementRow, place: int) -> str:
    return f"{letter_of(place)}  {row.options[place]}"

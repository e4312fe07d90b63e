"""The samples of a choice, one page at a time: as a grid of images or as a table."""

from collections.abc import Sequence
from math import ceil

import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from data_cache.samples import letter_of
from data_cache.samples_view import Place, SamplePage, SampleRow
from pages.figures.palette import ATOMS
from pages.figures.rows import POOLED
from pages.figures.scores import SCORES, SORTABLE, Score
from pages.report.parts import Table
from pages.widgets import drawn, state
from pages.widgets.address import note_unknown, say, show_notes
from pages.widgets.opened_sample import open_sample
from pages.widgets.pictures import show_picture
from pages.widgets.sample_choices import Listing, View
from pages.widgets.split_badge import show_split
from pages.widgets.stored import Stored
from pages.widgets.stored_samples import read_page
from pages.widgets.tables import show_table_frame

PER_PAGE: dict[View, int] = {"grid": 24, "table": 100}
CELL_PIXELS = 128
"""Side of an image in the grid."""
LONGEST_CAPTION = 64


def show_list(reading: Stored, listing: Listing) -> None:
    """Show the page of samples that is chosen, and the picker for pages."""
    size = PER_PAGE[listing.view]
    _begin_again_with_other_samples(listing)
    # The page that is chosen is read at once; where there is no such page, the first one.
    first = size * (_page_wanted() - 1)
    start = read_page(reading, listing.order, limit=size, offset=first)
    pages = max(ceil(start.total / size), 1)
    note_unknown(state.PAGE, (str(number + 1) for number in range(pages)))
    show_notes()
    if start.without_text:
        say(
            f"The text and images of {start.without_text:,} samples are not in this cache; profile "
            "the model again to add them: what is stored is not computed twice."
        )
    elif not start.total:
        say(
            "No sample fits these choices; choose other answers or another subset."
            if listing.order.filters.is_empty
            else "No sample passes the filters; clear them, or choose other answers or another "
            "subset."
        )
    if not start.total:
        return
    number = st.pagination(pages, key=state.PAGE, bind="query-params") if pages > 1 else 1
    first = (number - 1) * size
    page = read_page(reading, listing.order, limit=size, offset=first)
    st.caption(
        f"{first + 1:,} to {first + len(page.rows):,} of {start.total:,} samples "
        f"by {listing.score.label}{_of_all(start, listing)}"
    )
    if listing.view == "table":
        _show_table(page.rows, first)
    else:
        drawn.note(Table(name="samples", frame=table(page.rows, first), alt="These samples."))
        _show_grid(page.rows, listing.score, first)


def _page_wanted() -> int:
    """Return the page that the picker is about to show, from 1; it is drawn later."""
    wanted = str(st.session_state.get(state.PAGE) or st.query_params.get(state.PAGE, ""))
    return int(wanted) if wanted.isdecimal() and 0 < len(wanted) < 8 and int(wanted) else 1


def page_of(place: Place, view: View) -> int:
    """Return the page, from 1, that a sample is on."""
    return place.number // PER_PAGE[view] + 1


def subset_of(listing: Listing, records: Sequence[SpectrumRecord]) -> str | None:
    """Return the one subset that all samples of the list belong to; None where there are more."""
    if listing.order.subset is not None:
        return listing.order.subset
    keys = listing.order.estimate_keys
    found = {record.subset for record in records if record.estimate_key in keys} - {POOLED}
    return found.pop() if len(keys) == len(found) == 1 else None


def table(rows: Sequence[SampleRow], first: int) -> pd.DataFrame:
    """Return one row per sample; information in bits, all texts as they are."""
    records: list[dict[str, object]] = []
    for number, row in enumerate(rows, start=first + 1):
        record: dict[str, object] = {
            "#": number,
            "Subset": row.subset,
            "Split": row.split,
            "Question": row.question,
            "Right": letter_of(row.answer),
            "Answered": "-" if row.choice is None else letter_of(row.choice),
            "Correct": row.correct,
        }
        record |= {score.title: row.numbers[score.field] for score in SCORES}
        record |= {f"{atom.label} (bits)": row.numbers[atom.field] for atom in ATOMS}
        records.append(record | {"Sample": row.sample_id})
    return pd.DataFrame(records)


def score_text(score: Score, row: SampleRow, *, place: int) -> str:
    """Return what a cell's button says: the number it was sorted by, or its place in the list."""
    value = row.numbers.get(score.field)
    if value is None:
        return f"#{place}"
    # 0.0 is added so that nothing is shown as -0.00.
    return f"{round(value, 2) + 0.0:.2f}{' bits' if score.unit else ''}"


def _begin_again_with_other_samples(listing: Listing) -> None:
    """Show the first page where other samples, or the same in another order, are listed."""
    now = (listing.order, listing.view)
    before = st.session_state.get(state.LISTED)
    if before is not None and before != now:
        st.session_state[state.PAGE] = 1
    st.session_state[state.LISTED] = now


def _show_grid(rows: Sequence[SampleRow], score: Score, first: int) -> None:
    with st.grid(min_column_width=CELL_PIXELS + 34, gap="xsmall"):
        for place, row in enumerate(rows, start=first + 1):
            with st.container(border=True, gap="xsmall"):
                show_picture(row.thumbnail, side=CELL_PIXELS, alt=f"Image of sample {place}")
                st.text(_caption(row.question))
                show_split(row.split)
                st.button(
                    score_text(score, row, place=place),
                    key=f"open_{place}",
                    icon=":material/check:" if row.correct else ":material/close:",
                    on_click=open_sample,
                    args=(row.sample_id,),
                    width="stretch",
                )


def _of_all(page: SamplePage, listing: Listing) -> str:
    """Say how many samples there are without the filters, where there are any."""
    return "" if listing.order.filters.is_empty else f", out of {page.everything:,} unfiltered"


def _caption(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= LONGEST_CAPTION else f"{line[: LONGEST_CAPTION - 1]}…"


def _show_table(rows: Sequence[SampleRow], first: int) -> None:
    frame = table(rows, first)
    numbers = {score.title: score for score in SORTABLE}
    config = {
        name: st.column_config.NumberColumn(help=numbers[name].help, format="%.3f")
        for name in frame.columns
        if name in numbers
    }
    for name in config:
        frame[name] = frame[name].astype(float).round(3) + 0.0
    ids = [row.sample_id for row in rows]
    # A table that is drawn again would keep its selection, and a second click take it back.
    key = f"samples_table_{first}_{st.session_state.get(state.TABLES, 0)}"
    show_table_frame(
        frame,
        column_config=config,
        key=key,
        name="samples",
        on_select=lambda: _open_selected(key, ids),
        selection_mode=["single-row", "single-cell"],
        alt="Samples, one per row; select a row to open its sample.",
    )


def _open_selected(key: str, ids: Sequence[str]) -> None:
    selection = st.session_state[key]["selection"]
    rows: list[int] = [*selection["rows"], *(row for row, _ in selection["cells"])]
    if rows and 0 <= rows[0] < len(ids):
        st.session_state[state.TABLES] = st.session_state.get(state.TABLES, 0) + 1
        open_sample(ids[rows[0]])

"""What is on the page as files: pictures, data, one report, and the lines that give it again."""

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from pages.report import files
from pages.report.document import one_figure, words_of
from pages.report.parts import Figure, Part, Table
from pages.report.whole import report, reproduce
from pages.widgets import drawn, state
from pages.widgets.charts import PICTURES
from pages.widgets.sidebar import Selection
from pages.widgets.stored import Stored

MOST_PIXELS = 240
MOST_LINES = 8
"""More lines of code scroll in a box of this height."""
LABELS = {"html": "HTML", "csv": "CSV", "parquet": "Parquet"}
MIMES = {"html": "text/html", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def show_export(page: str, title: str, reading: Stored) -> None:
    """Draw the export, closed at first; nothing is made before it is open.

    Parameters
    ----------
    page
        The page's name in the address, and in the names of the files.
    title
        What it is called on screen.
    reading
        What the cache holds.
    """
    parts = drawn.parts()
    things = [one for one in parts if isinstance(one, Figure | Table)]
    if not things:
        return
    window = st.expander("Export", icon=":material/ios_share:", key=state.EXPORT, on_change="rerun")
    if not window.open:
        return
    with window:
        address = address_of(page)
        whole = partial(
            report, parts, title=title, address=address, cache=reading.cache, runs=reading.every_run
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            _download(
                "Report of this page (HTML)",
                whole,
                f"pidscope-{page}.html",
                key="export_report",
                icon=":material/download:",
            )
            if any(isinstance(one, Figure) for one in things):
                _choose_picture()
        for one in things:
            _show_files(page, one)
        _show_lines(parts, address, reading)


def address_of(page: str) -> str:
    """Return what the dashboard is asked for to show this view, without server and port.

    An address leaves out what nobody chose. Which benchmark and models those are depends on what
    the cache holds, so that these are named: others may be measured later.
    """
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    selection: Selection | None = st.session_state.get(state.SELECTION)
    if selection is not None:
        given.setdefault(state.BENCHMARK, [selection.benchmark])
        given.setdefault(state.MODELS, list(selection.models))
    return f"{page}?{urlencode(given, doseq=True)}" if given else page


def _choose_picture() -> None:
    """Draw the switch for the format of pictures; the browser itself makes them."""
    st.segmented_control(
        "The camera beside a figure saves",
        list(PICTURES),
        default="PNG",
        key=state.PICTURE_FORMAT,
        persist_state="session",
        required=True,
    )


def _show_files(page: str, part: Figure | Table) -> None:
    """Draw one line of buttons; what they give is made when one is clicked."""
    made: dict[str, Callable[[], bytes | str]] = {}
    if isinstance(part, Figure):
        made["html"] = partial(one_figure, part)
    made["csv"] = lambda: files.as_csv(files.records_behind(part))
    made["parquet"] = lambda: files.as_parquet(files.records_behind(part))
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.text(words_of(part.name), width="stretch")
        for kind, make in made.items():
            name = f"pidscope-{page}-{part.name}.{kind}"
            _download(LABELS[kind], make, name, key=f"export_{part.name}_{kind}")


def _download(
    label: str,
    make: Callable[[], bytes | str],
    file_name: str,
    *,
    key: str,
    icon: str | None = None,
) -> None:
    """Draw a button; what it gives is made when it is clicked, and not kept."""
    st.download_button(
        label,
        make,
        file_name=file_name,
        mime=MIMES[file_name.rsplit(".", 1)[-1]],
        icon=icon,
        on_click="ignore",
        key=key,
    )


def _show_lines(parts: Sequence[Part], address: str, reading: Stored) -> None:
    st.subheader("Reproduce", anchor=False)
    for words, code in reproduce(parts, address, reading.cache, reading.every_run).items():
        st.caption(words)
        language = "python" if words.startswith("Python") else "bash"
        is_long = code.count("\n") > MOST_LINES
        height = MOST_PIXELS if is_long else "content"
        st.code(code, language=language, wrap_lines=True, height=height)

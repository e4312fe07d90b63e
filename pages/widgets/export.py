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
from pages.widgets.stored import Stored

MIMES = {"html": "text/html", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def show_export(page: str, title: str, reading: Stored) -> None:
    """Draw the button that opens the export; nothing is made before it is open.

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
    window = st.popover("Export", icon=":material/ios_share:", key=state.EXPORT, on_change="rerun")
    if not window.open:
        return
    with window:
        address = address_of(page)
        _download(
            "Report of this page (HTML)",
            partial(
                report, parts, title=title, address=address, cache=reading.cache, runs=reading.runs
            ),
            file_name=f"pidscope-{page}.html",
            key="export_report",
            primary=True,
        )
        if any(isinstance(one, Figure) for one in things):
            st.segmented_control(
                "The camera of a figure saves",
                list(PICTURES),
                default="PNG",
                key=state.PICTURE_FORMAT,
                persist_state="session",
                required=True,
            )
        for one in things:
            _show_files(page, one)
        _show_lines(parts, address, reading)


def address_of(page: str) -> str:
    """Return what the dashboard is asked for to show this view, without server and port."""
    parameters = [(name, one) for name in st.query_params for one in st.query_params.get_all(name)]
    return f"{page}?{urlencode(parameters)}" if parameters else page


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
            _download(
                kind.upper() if kind != "parquet" else "Parquet",
                make,
                file_name=f"pidscope-{page}-{part.name}.{kind}",
                key=f"export_{part.name}_{kind}",
            )


def _download(
    label: str,
    make: Callable[[], bytes | str],
    *,
    file_name: str,
    key: str,
    primary: bool = False,
) -> None:
    st.download_button(
        label,
        make,
        file_name=file_name,
        mime=MIMES[file_name.rsplit(".", 1)[-1]],
        icon=":material/download:" if primary else None,
        type="primary" if primary else "secondary",
        on_click="ignore",
        key=key,
    )


def _show_lines(parts: Sequence[Part], address: str, reading: Stored) -> None:
    st.text("Reproduce")
    for words, code in reproduce(parts, address, reading.cache, reading.runs).items():
        st.caption(words)
        st.code(code, language="python" if words.startswith("Python") else "bash")

"""What the cells of the overview lack, and the command or page that gives it to them."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import streamlit as st

from data_cache.cells import Cell
from pages.widgets.empty_states import show_command

RUN_PAGE = "pages/run.py"


def show_next_steps(found: Sequence[Cell], cache: Path) -> None:
    """Say what can be done next; nothing where nothing is lacking."""
    lagging = [cell for cell in found if cell.measured and cell.spectra != "current"]
    stopped = [cell for cell in found if cell.work == "stopped"]
    if not lagging and not stopped:
        return
    with st.container(border=True, gap="small", key="next_steps"):
        if stopped:
            st.text(f"{_cells(len(stopped))}: the last job has stopped before its end.")
            st.page_link(RUN_PAGE, label="Resume it", icon=":material/play_circle:")
        if lagging:
            first = lagging[0]
            st.text(
                f"{_cells(len(lagging))}: samples are measured that no spectrum took. "
                f"Estimate {first.model} on {first.benchmark}, then reload:"
            )
            names = f"--model {quote(first.model)} --benchmark {quote(first.benchmark)}"
            show_command(f"estimate {names} --by subset", cache)


def _cells(count: int) -> str:
    return "One cell" if count == 1 else f"{count:,} cells"

"""How a table stands on a page: described, and kept for the export."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.report.parts import Table
from pages.widgets import drawn


def show_table_frame(
    frame: pd.DataFrame, *, key: str, alt: str, name: str | None = None, **look: Any
) -> None:
    """Show a table.

    Parameters
    ----------
    frame
        Its rows. The names of the rows are shown only with `hide_index=False`.
    key
        Its name in the session.
    alt
        What it shows, in words.
    name
        What its files are called, where the key changes from run to run.
    look
        More for `st.dataframe`.
    """
    look = {"hide_index": True, **look}
    note_table(frame, name=name or key, alt=alt, **look)
    st.dataframe(frame, key=key, alt=alt, **look)


def note_table(frame: pd.DataFrame, *, name: str, alt: str, **look: Any) -> None:
    """Keep a table for the export that the page does not show now, because its place is closed."""
    drawn.note(
        Table(
            name=name,
            frame=frame,
            alt=alt,
            formats=_formats(look.get("column_config") or {}),
            index=look.get("hide_index") is False,
        )
    )


def _formats(config: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, column in config.items():
        how = column.get("type_config") if isinstance(column, dict) else None
        pattern = how.get("format") if isinstance(how, dict) else None
        if isinstance(pattern, str) and "%" in pattern:
            found[name] = pattern
    return found

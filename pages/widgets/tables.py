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
    drawn.note(
        Table(
            name=name or key,
            frame=frame,
            alt=alt,
            formats=_formats(look.get("column_config") or {}),
            index=look["hide_index"] is False,
        )
    )
    st.dataframe(frame, key=key, alt=alt, **look)


def _formats(config: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, column in config.items():
        how = column.get("type_config") if isinstance(column, dict) else None
        pattern = how.get("format") if isinstance(how, dict) else None
        if isinstance(pattern, str) and "%" in pattern:
            found[name] = pattern
    return found

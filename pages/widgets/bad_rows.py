"""The rows of a benchmark that are no samples: file, row, column and reason, as plain text."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from data_cache.samples import RowProblem

LISTED = 200


def show_bad_rows(problems: Sequence[RowProblem], count: int) -> None:
    """Draw the table of bad rows; nothing where there are none.

    Parameters
    ----------
    problems
        Those that are known by name.
    count
        How many there are.
    """
    if not problems:
        return
    shown = problems[:LISTED]
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "File": problem.file,
                    "Row": problem.row,
                    "Column": problem.column,
                    "Reason": problem.reason,
                }
                for problem in shown
            ]
        ),
        hide_index=True,
        alt="Rows that are no samples, with the file, the row, the column and the reason.",
    )
    if count > len(shown):
        st.text(f"The first {len(shown)} of {count:,} are shown.")


def left_out_in_words(left_out: Mapping[str, int]) -> str:
    """Say which rows were left out on purpose; plain text, empty where there are none.

    >>> left_out_in_words({"open question": 53})
    'Left out on purpose: 53 rows (open question).'
    """
    if not left_out:
        return ""
    parts = ", ".join(
        f"{count:,} {'row' if count == 1 else 'rows'} ({reason})"
        for reason, count in left_out.items()
    )
    return f"Left out on purpose: {parts}."

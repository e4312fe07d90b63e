"""The samples that a run could not ask, and the rows that are none, with the reason of each."""

import pandas as pd
import streamlit as st

from data_cache.jobs import JobRow
from pages.widgets.bad_rows import left_out_in_words


def show_bad_rows_of(job: JobRow) -> None:
    """List the bad rows of a finished job's benchmark; nothing where there are none."""
    listed = job.result.get("bad_rows", [])
    words = left_out_in_words(job.result.get("left_out_rows", {}))
    if words:
        st.text(words)
    if not listed:
        return
    count = job.result.get("bad_row_count", len(listed))
    with st.expander(
        "1 bad row of the benchmark" if count == 1 else f"{count:,} bad rows of the benchmark",
        key=f"bad_rows_{job.job_key}",
        icon=":material/warning:",
        type="compact",
    ):
        st.dataframe(
            pd.DataFrame({"Bad row": listed}),
            hide_index=True,
            alt="Rows of the benchmark that are no samples, and why.",
        )
        if count > len(listed):
            st.text(f"The first {len(listed)} are shown.")


def show_left_out(job: JobRow) -> None:
    """List the bad samples of a finished job; nothing where there are none."""
    listed = job.result.get("bad_samples", [])
    if not listed:
        return
    count = job.result.get("bad_sample_count", len(listed))
    word = "sample" if count == 1 else "samples"
    with st.expander(
        f"{count:,} {word} left out",
        key=f"left_out_{job.job_key}",
        icon=":material/warning:",
        type="compact",
    ):
        st.text("They could not be run. The same run, started again, tries just these.")
        st.dataframe(
            pd.DataFrame([{"Sample": one["sample_id"], "Reason": one["reason"]} for one in listed]),
            hide_index=True,
            alt="Samples that could not be run, and why.",
        )
        if count > len(listed):
            st.text(f"The first {len(listed)} are shown.")

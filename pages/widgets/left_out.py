"""The samples that a run could not ask, with the reason of each."""

import pandas as pd
import streamlit as st

from data_cache.jobs import JobRow


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

"""A button that has something computed which a page lacks, and how far it is after that."""

from pathlib import Path

import streamlit as st

from data_cache import jobs
from data_cache.errors import DataError
from model_runners.errors import RunnerError
from model_runners.jobs import start
from model_runners.kinds import Options, requests_of
from pages.widgets.errors import sentence_instead
from pages.widgets.job_words import is_worked_on, outcome_of, progress_of, share_done
from pages.widgets.wishes import acted

RUN_PAGE = "pages/run.py"


def offer_job(
    options: Options, label: str, *, key: str, icon: str, cache: Path, on_run: bool = False
) -> None:
    """Draw the button, or the job where somebody has started it.

    Parameters
    ----------
    options
        What the job is to do.
    label, key, icon
        Of the button; the name of the icon alone.
    cache
        The cache folder.
    on_run
        The page is Run, which shows the job itself.
    """
    try:
        requests = requests_of(options.kind)
        known = jobs.job(cache, jobs.job_key(options.kind, requests.request_of(options)))
    except (DataError, RunnerError) as error:
        st.text(f"It cannot be started from here: {error}")
        return
    if known is not None and is_worked_on(known):
        st.progress(share_done(known), text=f"{known.title}: {progress_of(known)}")
        if not on_run:
            st.page_link(RUN_PAGE, label="Watch or stop it on Run", icon=":material/play_circle:")
        return
    if known is not None and known.state in {"failed", "cancelled", "lost"}:
        st.text(f"It was started before. {outcome_of(known)}")
    if acted(label, key=key, icon=f":material/{icon}:"):
        with sentence_instead("This cannot be started."):
            start(cache, options)
            st.rerun()

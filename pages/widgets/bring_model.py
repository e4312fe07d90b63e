"""Bring your model: what the self-test says of a folder or hub id, and a family file."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from data_cache import jobs
from data_cache.jobs import JobRow
from model_runners.check_words import claim_of, measured_of, where_of
from model_runners.examining import ExamineOptions
from model_runners.jobs import start
from model_runners.models import MODELS, lasting_name
from model_runners.skeleton import module_of
from pages.widgets import state
from pages.widgets.errors import sentence_instead
from pages.widgets.job_words import is_worked_on
from pages.widgets.tables import show_table_frame
from pages.widgets.wishes import acted

NEEDLESS = "demo"
"""Where models come from that were examined before they were shipped."""


def offer_self_test(model: str, device: str, cache: Path, *, trusted: bool = False) -> None:
    """Offer to examine a model before anything is run, and show what was found last.

    Parameters
    ----------
    model
        A name of the table, a folder or a hub id.
    device
        `auto`, `cpu` or `cuda`.
    cache
        The cache folder, which has the jobs.
    trusted
        Whether code that comes with this model may be run.

    Raises
    ------
    model_runners.errors.RunnerError
        If there is no such model.
    """
    entry = MODELS.get(model)
    if entry is not None and entry.origin == NEEDLESS:
        return
    job = last_examination(model, cache)
    window = st.expander(
        headline(job), key=state.BRING_OPEN, icon=":material/verified_user:", on_change="rerun"
    )
    if not window.open:
        return
    with window:
        st.text(
            "Before a run, every model must show on two samples that masking hides what it should. "
            "This shows it now, property by property, on samples that ship with PIDscope."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            wanted = acted(
                "Test this model",
                key="test_model",
                icon=":material/fact_check:",
                disabled=job is not None and is_worked_on(job),
            )
            if job is not None and is_worked_on(job):
                st.text(job.message or "It is being tested; see the jobs below.")
        if wanted:
            with sentence_instead("This model cannot be tested."):
                start(
                    cache,
                    ExamineOptions(
                        model=model, device=device, dtype="float32", trust_remote_code=trusted
                    ),
                )
                st.rerun()
        if job is not None and job.state == "done":
            _show_found(job.result)
        elif job is not None and job.state == "failed":
            st.text(job.error or job.message)


def last_examination(model: str, cache: Path) -> JobRow | None:
    """Return the newest self-test job of a model, or None."""
    name = lasting_name(model)
    found = [
        job
        for job in jobs.jobs(cache)
        if job.kind == ExamineOptions.kind and job.request.get("model") == name
    ]
    return max(found, key=lambda job: job.created, default=None)


def headline(job: JobRow | None) -> str:
    """Say how it stands with a model; every word is ours."""
    if job is None:
        return "Test this model before a run"
    if is_worked_on(job):
        return "Self-test of this model: running"
    if job.state != "done":
        return "Self-test of this model: not finished"
    checks = job.result["self_test"].get("checks", [])
    passed = sum(bool(check["passed"]) for check in checks)
    if job.result["refusal"] is None:
        return f"Self-test of this model: passed ({passed} checks)"
    return (
        f"Self-test of this model: failed ({passed} of {len(checks)} checks hold)"
        if checks
        else "Self-test of this model: it cannot be used"
    )


def rows(found: dict[str, Any]) -> pd.DataFrame:
    """Return one row a property, those that fail first, with where to look."""
    checks = sorted(found["self_test"].get("checks", ()), key=lambda check: bool(check["passed"]))
    frame = pd.DataFrame(
        [
            {
                "Holds": "yes" if check["passed"] else "NO",
                "Shown": claim_of(check),
                "Where to look": where_of(check),
                "Measured": measured_of(check),
            }
            for check in checks
        ]
    )
    return frame.drop(columns="Where to look") if all(c["passed"] for c in checks) else frame


def _show_found(found: dict[str, Any]) -> None:
    how = "described by a family file" if found["is_written"] else "no file describes its family"
    size = f", {found['layers']} layers" if found["layers"] else ""
    st.text(f"{found['family']} (type {found['model_type']}{size}): {how}.")
    if found["refusal"] is not None:
        st.text(f"It cannot be used yet: {found['refusal']}")
    if found["self_test"].get("checks"):
        alt = "What the self-test showed of this model, one row for each property."
        show_table_frame(rows(found), key="examined", alt=alt, height="content")
    if found["is_written"]:
        return
    file = f"{module_of(found['model_type'])}.py"
    st.text(
        "It needs no file of its own. With one it has the name that papers use, and may encode "
        "each image only once:"
        if found["refusal"] is None
        else "A family file may mend it. It begins like this:"
    )
    st.code(found["skeleton"], language="python", wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Save this file",
            found["skeleton"],
            file_name=file,
            mime="text/x-python",
            key="skeleton",
        )
        st.text(
            "It goes into model_runners/families; docs/adding-a-family.md says the rest. The line "
            f"that FAMILIES needs: {found['table_line']}"
        )

"""The proof that a model's masking is clean, as its run keeps it."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from data_cache.queries import RunRow
from model_runners.check_words import claim_of, measured_of
from pages.widgets import state
from pages.widgets.tables import note_table, show_table_frame


def show_self_test(report: Mapping[str, Any], *, key: str) -> None:
    """Show the report of one load; nothing where there is none."""
    if not report.get("checks"):
        return
    with st.expander(headline(report), key=key, icon=":material/verified_user:", type="compact"):
        st.dataframe(
            rows([report]).drop(columns="Model"),
            hide_index=True,
            alt="What the self-test showed of this model.",
        )


def show_self_tests(runs: Iterable[RunRow]) -> None:
    """Show the reports of the runs behind a page."""
    reports = [run.self_test | {"model": run.model} for run in runs if run.self_test.get("checks")]
    if not reports:
        return
    passed = sum(bool(report.get("passed")) for report in reports)
    title = f"Self-tests of the masking ({passed} of {len(reports)} passed)"
    alt = "What each model's self-test showed."
    window = st.expander(
        title, key=state.SELF_TESTS_OPEN, icon=":material/verified_user:", on_change="rerun"
    )
    if not window.open:
        note_table(rows(reports), name="self_test_table", alt=alt)
        return
    with window:
        st.text(
            "Before a run, every model shows on two samples that masking hides what it should, and "
            "that nothing else changes."
        )
        show_table_frame(rows(reports), key="self_test_table", alt=alt)


def headline(report: Mapping[str, Any]) -> str:
    """Say how a self-test ended; every word is ours.

    >>> headline({"passed": True, "checks": [{}, {}]})
    'Self-test passed (2 checks)'
    """
    count = len(report.get("checks", ()))
    return f"Self-test {'passed' if report.get('passed') else 'failed'} ({count} checks)"


def rows(reports: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return one row a check."""
    return pd.DataFrame(
        [
            {
                "Model": report.get("model", ""),
                "Shown": claim_of(check),
                "Measured": measured_of(check),
                "Holds": "yes" if check.get("passed") else "NO",
                "Precision": report.get("dtype", ""),
                "Device": report.get("device", ""),
            }
            for report in reports
            for check in report.get("checks", ())
        ]
    )

"""Which of the runs behind a page were computed elsewhere, and what is known of them."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from data_cache.conditions import PROBED, Condition
from data_cache.queries import RunRow
from pages.figures.palette import CONDITIONS
from pages.widgets.tables import show_table_frame

PROBES = (Condition.FULL, Condition.ONLY_1, Condition.ONLY_2)


def is_imported(run: RunRow) -> bool:
    """Tell whether a run's predictions came from a file."""
    return "imported" in run.config


def show_imported(runs: Iterable[RunRow]) -> None:
    """List the imported runs among those behind a page; nothing where there are none."""
    found = [run for run in runs if is_imported(run)]
    if not found:
        return
    word = "run was" if len(found) == 1 else "runs were"
    with st.expander(f"{len(found)} {word} imported", icon=":material/upload_file:"):
        st.text(
            "These predictions were computed elsewhere. PIDscope did not see the model: no "
            "self-test was made, and how it was masked and asked is not known."
        )
        show_table_frame(rows(found), key="imported_table", alt="Imported runs and their files.")
        bad = [line for run in found for line in run.environment.get("first_bad_rows", ())]
        if bad:
            st.text("Rows left out")
            st.code("\n".join(map(str, bad)), language=None, wrap_lines=True)


def rows(runs: Iterable[RunRow]) -> pd.DataFrame:
    """Return one row a run."""
    return pd.DataFrame(
        [
            {
                "Model": run.model,
                "Format": str(run.config["imported"]),
                "Files": ", ".join(map(str, run.environment.get("imported_from", ()))),
                "SHA-256": ", ".join(
                    str(digest)[:12] for digest in run.config.get("imported_sha256", ())
                ),
                "Samples": run.n_samples,
                "Rows left out": run.environment.get("bad_rows", 0),
                "tau": tau_in_words(run),
                "Not in the file": missing_in_words(run),
            }
            for run in runs
        ]
    )


def tau_in_words(run: RunRow) -> str:
    """Say whether tau has an effect on a run."""
    scales = run.config.get("probabilities", {})
    whole = [condition for condition in PROBES if scales.get(condition) == "vocabulary"]
    if len(whole) == len(PROBES):
        return "applies"
    if not whole:
        return "changes nothing: the file has no mass on other words"
    return "applies to: " + ", ".join(CONDITIONS[condition] for condition in whole)


def missing_in_words(run: RunRow) -> str:
    """Name the conditions that an imported run lacks."""
    scales = run.config.get("probabilities", {})
    lacking = [CONDITIONS[condition] for condition in PROBED if condition not in scales]
    return ", ".join(lacking) or "nothing"

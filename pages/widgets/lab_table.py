"""The numbers of the lab: a table on the page, a file with everything, and the warnings."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from model_runners.audit import AuditRow
from pages.figures.palette import ATOMS, in_words
from pages.widgets.asked import TEMPLATE, template_of_run
from pages.widgets.lab_choices import Source
from pages.widgets.tables import show_table_frame

HELPS = {
    "Error (bits)": "The largest distance of an atom from the truth.",
    "Gap (bits)": "No atom is further from its exact value. Empty: the method has no certificate.",
    "Seconds": "Wall time of this machine, whatever else it was doing.",
    "Steps": "Steps of the solver or epochs of the training.",
}


def table(rows: Sequence[AuditRow]) -> pd.DataFrame:
    """Return one row per estimator; what a method does not know is empty."""
    return pd.DataFrame(
        [
            {"Estimator": row.label}
            | {
                f"{atom.label} (bits)": None if row.atoms is None else row.atoms[atom.field]
                for atom in ATOMS
            }
            | {
                "Error (bits)": row.error_bits,
                "Gap (bits)": row.gap_bits,
                "Seconds": row.seconds,
                "Steps": str(len(row.trace) or row.iterations or ""),
                "Method": "published" if row.is_published else row.method or "refused",
                "Warnings": len(row.warnings),
            }
            for row in rows
        ]
    )


def show_table(rows: Sequence[AuditRow], *, key: str = "lab_table") -> None:
    """Show the table; with a key of its own where there are two of them."""
    frame = table(rows)
    atoms = [f"{atom.label} (bits)" for atom in ATOMS]
    for name in atoms:
        # With 0.0 added nothing is shown as -0.0000; the file has all digits and the sign.
        frame[name] = frame[name].astype(float).round(4) + 0.0
    for name in ("Error (bits)", "Gap (bits)"):
        frame[name] = [scientific(bits) for bits in frame[name].astype(float)]
    frame["Seconds"] = ["" if row.seconds is None else f"{row.seconds:.2f}" for row in rows]
    if not any(frame["Error (bits)"]):
        frame = frame.drop(columns="Error (bits)")
    config = {name: st.column_config.NumberColumn(format="%.4f") for name in atoms}
    for name, text in HELPS.items():
        config[name] = st.column_config.Column(help=text)
    show_table_frame(
        frame,
        key=key,
        column_config=config,
        alt="What each estimator found: atoms, error, certified gap, seconds and method.",
    )


def scientific(bits: float) -> str:
    """Write a small distance; what is below rounding is 0, what is unknown is empty.

    >>> scientific(0.0123), scientific(3e-14), scientific(float("nan"))
    ('1.2e-02', '0', '')
    """
    if bits != bits:
        return ""
    return "0" if bits < 1e-12 else f"{bits:.1e}"


def show_download(rows: Sequence[AuditRow], source: Source) -> None:
    """Draw the button for the file."""
    st.download_button(
        "Download with all digits (CSV)",
        as_csv(rows, source),
        file_name=f"lab-{source.name.replace('/', '-')}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_lab",
    )


def as_csv(rows: Sequence[AuditRow], source: Source) -> bytes:
    """Return the rows in bits and seconds, with truth, settings and warnings, as CSV in UTF-8."""
    truth = source.truth or {}
    asked = {} if source.run is None else {TEMPLATE: template_of_run(source.run)}
    return (
        pd.DataFrame(
            [
                {
                    "problem": source.name,
                    "estimator": row.estimator,
                    "row": row.label,
                    "published": row.is_published,
                }
                | asked
                | {f"{atom.field}_bits": (row.atoms or {}).get(atom.field) for atom in ATOMS}
                | {f"{atom.field}_truth_bits": truth.get(atom.field) for atom in ATOMS}
                | {
                    "total_bits": row.total,
                    "error_bits": row.error_bits,
                    "gap_bits": row.gap_bits,
                    "converged": row.converged,
                    "seconds": row.seconds,
                    "iterations": row.iterations,
                    "method": row.method,
                    "samples": row.samples,
                    "refusal": row.refusal,
                    "warnings": " | ".join(row.warnings),
                }
                for row in rows
            ]
        )
        .to_csv(index=False)
        .encode()
    )


def show_warnings(rows: Sequence[AuditRow]) -> None:
    """List what estimators warn of, and why some refuse, as plain text."""
    for row in rows:
        if row.refusal is not None:
            st.warning(f"{row.estimator} refuses.", icon=":material/block:")
            st.text(in_words(row.refusal))
    told = [(row.label, in_words(warning)) for row in rows for warning in row.warnings]
    if not told:
        return
    with st.expander(f"Warnings ({len(told)})", icon=":material/warning:"):
        for label, warning in told:
            st.text(f"{label}: {warning}")

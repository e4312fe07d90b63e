"""The numbers behind the bars: a table on the page, and the same rows with every setting as CSV."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from data_cache.estimates import SpectrumRecord
from pages.figures.meanings import MEANINGS, help_of
from pages.figures.palette import ATOMS, CONDITIONS
from pages.figures.rows import subset_label
from pages.figures.spectrum_bars import Unit, scale, synergy_at_most
from pages.widgets.asked import TEMPLATE, template_of
from pages.widgets.tables import show_table_frame


def table(
    records: Sequence[SpectrumRecord],
    *,
    unit: Unit = "bits",
    parameters: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Return one row per record; information in the unit of the bars, accuracies in per cent.

    With `parameters` (by run key), families and sizes come along.
    """
    suffix = "bits" if unit == "bits" else "%"
    circular = any(record.circular_accuracy is not None for record in records)
    benchmarks, estimators = (
        len({getattr(record, side) for record in records}) > 1
        for side in ("benchmark", "estimator")
    )
    rows: list[dict[str, object]] = []
    for record in records:
        factor = scale(record, unit)
        row: dict[str, object] = {**name_columns(record, several_benchmarks=benchmarks)}
        if estimators:
            row["Estimator"] = record.estimator
        if parameters is not None:
            size = parameters.get(record.run_key)
            row["Family"] = record.family
            row["Size (M parameters)"] = None if size is None else size / 1e6
        for atom in ATOMS:
            value = getattr(record, atom.field)
            row[f"{atom.label} ({suffix})"] = None if factor is None else value * factor
        row["Accuracy (%)"] = 100 * record.accuracy
        if circular:
            right = record.circular_accuracy
            row["In every order (%)"] = None if right is None else 100 * right
        row["D_vision (points)"] = None if record.d_vision is None else 100 * record.d_vision
        row["Confidence (%)"] = 100 * record.mean_confidence
        row["ECE (%)"] = 100 * record.calibration_error
        row["Total (bits)"] = record.total
        row["Gap (bits)"] = record.gap_bits
        row["Forced choice (%)"] = 100 * record.accuracy_forced
        row["Fall-back (%)"] = 100 * max(record.fallback_rate.values(), default=0.0)
        row["Vision alone (bits)"] = record.information_1
        row["Language alone (bits)"] = record.information_2
        row["Noise floor (bits)"] = record.noise_floor_bits
        row["Samples"] = record.n
        row["Options"] = record.candidates
        rows.append(row)
    return pd.DataFrame(rows)


def name_columns(record: SpectrumRecord, *, several_benchmarks: bool) -> dict[str, str]:
    """Return the columns that say which row of a table this is."""
    benchmark = {"Benchmark": record.benchmark} if several_benchmarks else {}
    return {"Model": record.model, **benchmark, "Subset": subset_label(record.subset)}


def show_table(
    records: Sequence[SpectrumRecord],
    *,
    unit: Unit,
    parameters: Mapping[str, int] | None = None,
) -> None:
    """Show the table; every column header carries its unit, and the less obvious ones a meaning."""
    frame = table(records, unit=unit, parameters=parameters)
    helps = {label: help_of(key) for key, label in column_labels(unit).items()}
    config = {
        name: st.column_config.NumberColumn(
            help=helps.get(name),
            format=f"%.{decimals_of(name)}f",
        )
        for name in frame.columns
        if "(" in name
    }
    for name in config:
        # With 0.0 added nothing is shown as -0.000; the CSV has all digits and the sign.
        frame[name] = frame[name].astype(float).round(decimals_of(name)) + 0.0
    show_table_frame(
        frame,
        key="spectrum_table",
        column_config=config,
        alt="The numbers behind the bars, one row each.",
    )


def column_labels(unit: Unit) -> dict[str, str]:
    """Return the header of each quantity that the page explains, by its key."""
    suffix = "bits" if unit == "bits" else "%"
    return (
        {atom.field: f"{atom.label} ({suffix})" for atom in ATOMS}
        | {"parameters": "Size (M parameters)"}
        | {
            key: f"{MEANINGS[key].label} ({MEANINGS[key].unit})"
            for key in (
                *("accuracy", "circular_accuracy", "accuracy_forced", "d_vision"),
                *("mean_confidence", "calibration_error", "fallback_rate"),
                *("total", "gap_bits", "information_1", "information_2", "noise_floor_bits"),
            )
        }
    )


def decimals_of(column: str) -> int:
    """Decimals shown in a column."""
    if column.startswith("Gap"):
        return 4
    if column.startswith("Size"):
        return 2
    return 3 if "bits" in column else 1


def as_csv(
    records: Sequence[SpectrumRecord], *, parameters: Mapping[str, int] | None = None
) -> bytes:
    """Return `as_frame` as CSV in UTF-8."""
    return as_frame(records, parameters=parameters).to_csv(index=False).encode()


def as_frame(
    records: Sequence[SpectrumRecord], *, parameters: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Return the records in bits, with intervals, settings, warnings and keys.

    Parameters
    ----------
    records
        One row each.
    parameters
        How many each run's model has, by run key, where a column of it is wanted.
    """
    rows: list[dict[str, object]] = []
    for record in records:
        row: dict[str, object] = {
            "model": record.model,
            "family": record.family,
            "benchmark": record.benchmark,
            "subset": record.subset,
            "split": record.split,
            "layer": record.layer,
            "estimator": record.estimator,
            "n": record.n,
            "candidates": record.candidates,
        }
        if parameters is not None:
            row["parameters"] = parameters.get(record.run_key)
        for atom in ATOMS:
            low, high = record.interval.get(atom.field, (None, None))
            row |= {
                f"{atom.field}_bits": getattr(record, atom.field),
                f"{atom.field}_low_bits": low,
                f"{atom.field}_high_bits": high,
            }
        row |= {
            "total_bits": record.total,
            "information_1_bits": record.information_1,
            "information_2_bits": record.information_2,
            "synergy_at_most_bits": synergy_at_most(record),
            "gap_bits": record.gap_bits,
            "noise_floor_bits": record.noise_floor_bits,
            "accuracy": record.accuracy,
            "circular_accuracy": record.circular_accuracy,
            "accuracy_forced": record.accuracy_forced,
            "d_vision": record.d_vision,
            "mean_confidence": record.mean_confidence,
            "calibration_error": record.calibration_error,
        }
        for condition in CONDITIONS:
            row[f"accuracy_{condition}"] = record.accuracy_by_condition.get(condition)
            row[f"fallback_rate_{condition}"] = record.fallback_rate.get(condition)
        row |= {f"setting_{key}": value for key, value in sorted(record.settings.items())}
        row[f"setting_{TEMPLATE}"] = template_of(record.settings)
        row |= {
            "warnings": " | ".join(record.warnings),
            "run_key": record.run_key,
            "estimate_key": record.estimate_key,
            "created": record.created,
        }
        rows.append(row)
    return pd.DataFrame(rows)

"""By how much two models differ, how sure that is, and what else there is to compare."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
import streamlit as st

from data_cache.disagreement import PairedRows
from data_cache.estimates import ATOMS, SpectrumRecord
from pages.figures.pair_bars import PARTS, Difference
from pages.widgets.pair_choices import Compared
from pid_core.paired import paired_difference

NORMAL = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, kw_only=True)
class Differences:
    """B minus A."""

    parts: dict[str, Difference]
    """By the name of the part."""
    groups: int | None
    """How many groups of samples were resampled; None where nothing was paired."""

    @property
    def caption(self) -> str:
        """Say where the intervals come from."""
        if self.groups is None:
            return (
                "The two estimates do not rest on the same samples, so the intervals of the "
                "difference add those of both in quadrature, as if the two were independent; the "
                "total has none."
            )
        return (
            "Intervals of the difference: both models answered the same samples, so a bootstrap "
            f"over {self.groups:,} groups of samples takes their pointwise differences. That holds "
            "both fitted decompositions fixed; what each model's own interval says beyond it is "
            "added in quadrature. They cover sampling only."
        )


def differences_of(compared: Compared, rows: PairedRows) -> Differences:
    """Return the differences of two estimates with 95 % intervals."""
    a, b = compared.a, compared.b
    values = {part.field: getattr(b, part.field) - getattr(a, part.field) for part in PARTS}
    if not rows.is_whole or len(set(rows.group_ids.tolist())) < 2:
        return Differences(
            parts={name: _apart(name, value, a, b) for name, value in values.items()}, groups=None
        )
    # The total of a sample is the divergence of its answer from p(y), and to first order no fit
    # moves it: the bootstrap says all about it.
    first, second = (
        np.column_stack([atoms, atoms.sum(axis=1)]) for atoms in (rows.atoms_a, rows.atoms_b)
    )
    own = [[*(_deviation(record, name) for name in ATOMS), float("nan")] for record in (a, b)]
    found = paired_difference(first, second, rows.group_ids, deviation_1=own[0], deviation_2=own[1])
    parts: dict[str, Difference] = {}
    for place, name in enumerate((*ATOMS, "total")):
        unknown = name in ATOMS and not (name in a.interval and name in b.interval)
        reach = NORMAL * float(found.deviation[place])
        value = values[name]
        parts[name] = Difference(
            value=value, interval=None if unknown else (value - reach, value + reach)
        )
    return Differences(parts=parts, groups=found.groups)


def differing_settings(compared: Compared) -> list[str]:
    """Return the settings that are not the same, in words.

    An estimate's own settings, and how many options its samples have.
    """
    a, b = (record.settings | {"options": record.candidates} for record in (compared.a, compared.b))
    return [
        f"{name.replace('_', ' ')} ({a.get(name, 'unset')} and {b.get(name, 'unset')})"
        for name in sorted({*a, *b})
        if a.get(name, "unset") != b.get(name, "unset")
    ]


def show_warning(compared: Compared) -> None:
    """Say so where the two estimates do not answer the same question."""
    differing = differing_settings(compared)
    if differing:
        with st.container(border=True):
            st.text(
                "A and B were estimated with different settings, and part of the difference may "
                f"come from that: {', '.join(differing)}."
            )


def table(compared: Compared, differences: Differences) -> pd.DataFrame:
    """Return one row per quantity, as text with units."""
    a, b = compared.a, compared.b
    rows: list[dict[str, str]] = []
    for part in PARTS:
        difference = differences.parts[part.field]
        low, high = difference.interval or (None, None)
        rows.append(
            {
                "": f"{part.label} (bits)",
                "A": _number(getattr(a, part.field), 3),
                "B": _number(getattr(b, part.field), 3),
                "B - A": _number(difference.value, 3, signed=True),
                "95 % interval": ""
                if low is None or high is None
                else f"{_number(low, 3, signed=True)} to {_number(high, 3, signed=True)}",
            }
        )
    for label, read in (
        ("Accuracy (%)", lambda record: record.accuracy),
        ("D_vision (points)", lambda record: record.d_vision),
        ("Mean confidence (%)", lambda record: record.mean_confidence),
        ("Fall-back (%)", lambda record: max(record.fallback_rate.values(), default=0.0)),
    ):
        one, two = read(a), read(b)
        rows.append(
            {
                "": label,
                "A": _percent(one),
                "B": _percent(two),
                "B - A": "" if one is None or two is None else _percent(two - one, signed=True),
                "95 % interval": "",
            }
        )
    rows.append({"": "Samples", "A": f"{a.n:,}", "B": f"{b.n:,}", "B - A": "", "95 % interval": ""})
    return pd.DataFrame(rows)


def show_table(compared: Compared, differences: Differences) -> None:
    """Show the numbers behind the bars, and how right and how sure both are."""
    st.dataframe(
        table(compared, differences),
        hide_index=True,
        column_config={
            "A": st.column_config.TextColumn(help=compared.a.model, alignment="right"),
            "B": st.column_config.TextColumn(help=compared.b.model, alignment="right"),
            "B - A": st.column_config.TextColumn(alignment="right"),
            "95 % interval": st.column_config.TextColumn(
                alignment="right", help="Of B minus A; sampling only."
            ),
        },
        alt="The numbers of both models and their differences.",
    )


def _apart(name: str, value: float, a: SpectrumRecord, b: SpectrumRecord) -> Difference:
    if name not in a.interval or name not in b.interval:
        return Difference(value=value)
    reach = NORMAL * sqrt(_deviation(a, name) ** 2 + _deviation(b, name) ** 2)
    return Difference(value=value, interval=(value - reach, value + reach))


def _deviation(record: SpectrumRecord, name: str) -> float:
    """Return the standard error that an interval of 95 % stands for."""
    if name not in record.interval:
        return float("nan")
    low, high = record.interval[name]
    return (high - low) / 2 / NORMAL


def _number(value: float, digits: int, *, signed: bool = False) -> str:
    # 0.0 is added so that nothing is shown as -0.000.
    shown = round(value, digits) + 0.0
    return f"{shown:+.{digits}f}" if signed else f"{shown:.{digits}f}"


def _percent(value: float | None, *, signed: bool = False) -> str:
    return "not run" if value is None else _number(100 * value, 1, signed=signed)

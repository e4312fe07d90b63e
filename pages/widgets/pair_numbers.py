"""By how much two models differ, how sure that is, and what else there is to compare."""

from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
import streamlit as st

from data_cache.disagreement import PairedRows
from data_cache.estimates import ATOMS, SpectrumRecord
from model_runners.certainty import SETTINGS as EVIDENCE_SETTINGS
from pages.figures.pair_bars import PARTS, Difference
from pages.figures.spectrum_bars import SMALLEST_TOTAL
from pages.widgets.asked import in_words
from pages.widgets.pair_choices import Compared
from pid_core.interval import hull_interval
from pid_core.paired import paired_difference, paired_influences
from pid_core.power import samples_for
from pid_core.spectrum import COLUMNS, influences_of

DELTA = 0.05
"""Bits: the difference in synergy whose sample size is told."""
NORMAL = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, kw_only=True)
class Differences:
    """B minus A."""

    parts: dict[str, Difference]
    """By the name of the part, bits."""
    shares: dict[str, Difference]
    """By the name of the atom, per cent of the total; empty where they were not measured."""
    groups: int | None
    """How many groups of samples were compared; None where nothing was paired."""
    exact: bool = False
    """Whether both fits' response to every sample was known."""
    needed: int | None = None
    """Samples that tell a synergy of `DELTA` bits more or less from none; None where unknown."""

    @property
    def caption(self) -> str:
        """Say where the intervals come from."""
        if self.groups is None:
            missing = "; the total has none" if self.parts["total"].interval is None else ""
            return (
                "The two estimates do not rest on the same samples, so the intervals of the "
                "difference add those of both in quadrature, as if the two were "
                f"independent{missing}."
            )
        if self.exact:
            return (
                "Intervals of the difference: both models answered the same samples, and what each "
                "sample adds to the two estimates, their fits included, is compared over "
                f"{self.groups:,} groups of samples. They cover sampling and, where it was "
                "measured, the bias of so few samples that the two do not share."
                + (
                    ""
                    if self.needed is None
                    else f" To tell a difference of {DELTA} bits in synergy from none it takes "
                    f"{self.needed:,} samples like these (power 0.8)."
                )
            )
        return (
            "Intervals of the difference: both models answered the same samples, so a bootstrap "
            f"over {self.groups:,} groups of samples takes their pointwise differences. That holds "
            "both fitted decompositions fixed; what each model's own interval says beyond it is "
            "added in quadrature. They cover sampling only; estimate again to have the rest."
        )


def differences_of(compared: Compared, rows: PairedRows) -> Differences:
    """Return the differences of two estimates with 95 % intervals."""
    a, b = compared.a, compared.b
    values = {part.field: getattr(b, part.field) - getattr(a, part.field) for part in PARTS}
    if not rows.is_whole or len(set(rows.group_ids.tolist())) < 2:
        return Differences(
            parts={name: _apart(name, value, a, b) for name, value in values.items()},
            shares={},
            groups=None,
        )
    if rows.influences_a is not None and rows.influences_b is not None:
        return _exact(a, b, rows.influences_a, rows.influences_b, rows.group_ids)
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
    return Differences(parts=parts, shares={}, groups=found.groups)


def _exact(
    a: SpectrumRecord,
    b: SpectrumRecord,
    influences_a: np.ndarray,
    influences_b: np.ndarray,
    group_ids: np.ndarray,
) -> Differences:
    """Compare what each sample adds to both estimates; shares too."""
    first, second = (
        influences_of(influences, [getattr(record, atom) for atom in ATOMS], record.total)
        for record, influences in ((a, influences_a), (b, influences_b))
    )
    found = paired_influences(
        first,
        second,
        group_ids,
        bias_1=[_bias(a, name) for name in COLUMNS],
        bias_2=[_bias(b, name) for name in COLUMNS],
    )
    differences: dict[str, Difference] = {}
    for place, (name, ends) in enumerate(zip(COLUMNS, found.interval(), strict=True)):
        # The stored influences are rounded; the values are those of the records.
        value = _value(b, name) - _value(a, name)
        low, high = (ends + value - found.difference[place]).tolist()
        factor = 100.0 if name.endswith("_share") else 1.0
        differences[name] = Difference(
            value=factor * value,
            interval=(factor * low, factor * high) if isfinite(low) and isfinite(high) else None,
        )
    spread = float(found.deviation[COLUMNS.index("synergy")])
    return Differences(
        parts={part.field: differences[part.field] for part in PARTS},
        shares={atom: differences[f"{atom}_share"] for atom in ATOMS},
        groups=found.groups,
        exact=True,
        needed=samples_for(len(first) * spread**2, delta=DELTA) if isfinite(spread) else None,
    )


def differing_settings(compared: Compared) -> list[str]:
    """Return the settings that are not the same, in words.

    An estimate's own settings but those of its evidence, and how many options its samples have.
    """
    a, b = (
        in_words(record.settings) | {"options": record.candidates}
        for record in (compared.a, compared.b)
    )
    return [
        f"{name.replace('_', ' ')} ({a.get(name, 'unset')} and {b.get(name, 'unset')})"
        for name in sorted({*a, *b} - EVIDENCE_SETTINGS)
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
    for part in PARTS:
        if part.field not in differences.shares or min(a.total, b.total) < SMALLEST_TOTAL:
            continue
        difference = differences.shares[part.field]
        shares = [100 * _value(record, f"{part.field}_share") for record in (a, b)]
        low, high = difference.interval or (None, None)
        rows.append(
            {
                "": f"{part.label} (% of total)",
                "A": _number(shares[0], 1),
                "B": _number(shares[1], 1),
                "B - A": _number(difference.value, 1, signed=True),
                "95 % interval": ""
                if low is None or high is None
                else f"{_number(low, 1, signed=True)} to {_number(high, 1, signed=True)}",
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
            # Help is Markdown, so it cannot name the models; the pickers do.
            "A": st.column_config.TextColumn(alignment="right"),
            "B": st.column_config.TextColumn(alignment="right"),
            "B - A": st.column_config.TextColumn(alignment="right"),
            "95 % interval": st.column_config.TextColumn(
                alignment="right", help="Of B minus A; the caption above says what it covers."
            ),
        },
        alt="The numbers of both models and their differences.",
    )


def _apart(name: str, value: float, a: SpectrumRecord, b: SpectrumRecord) -> Difference:
    if name not in a.interval or name not in b.interval:
        return Difference(value=value)
    deviation = sqrt(_deviation(a, name) ** 2 + _deviation(b, name) ** 2)
    bias = _bias(b, name) - _bias(a, name)
    ends = hull_interval(np.array([value]), np.array([bias]), np.array([deviation]), 0.95)
    low, high = ends[0].tolist()
    return Difference(value=value, interval=(low, high))


def _measured(record: SpectrumRecord, what: str, name: str) -> float | None:
    """Return the measured bias or deviation of a number; None where there is none."""
    return record.diagnostics.get("uncertainty", {}).get(what, {}).get(name)


def _bias(record: SpectrumRecord, name: str) -> float:
    found = _measured(record, "bias", name)
    return float("nan") if found is None else found


def _deviation(record: SpectrumRecord, name: str) -> float:
    """Return the standard error: as measured, or what an interval of 95 % stands for."""
    found = _measured(record, "deviation", name)
    if found is not None:
        return found
    if name not in record.interval:
        return float("nan")
    low, high = record.interval[name]
    return (high - low) / 2 / NORMAL


def _value(record: SpectrumRecord, name: str) -> float:
    if not name.endswith("_share"):
        return getattr(record, name)
    atom = getattr(record, name.removesuffix("_share"))
    return atom / record.total if record.total != 0.0 else float("nan")


def _number(value: float, digits: int, *, signed: bool = False) -> str:
    # 0.0 is added so that nothing is shown as -0.000.
    shown = round(value, digits) + 0.0
    return f"{shown:+.{digits}f}" if signed else f"{shown:.{digits}f}"


def _percent(value: float | None, *, signed: bool = False) -> str:
    return "not run" if value is None else _number(100 * value, 1, signed=signed)

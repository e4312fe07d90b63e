"""By how much models differ from the first, how sure that is, and what else can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, sqrt
from statistics import NormalDist

import numpy as np
import pandas as pd
import streamlit as st

from data_cache.estimates import ATOMS, SpectrumRecord
from data_cache.paired import PairedRows
from model_runners.certainty import SETTINGS as EVIDENCE_SETTINGS
from pages.figures.pair_bars import PARTS, RATES, Difference
from pages.figures.spectrum_bars import SMALLEST_TOTAL
from pages.widgets import drawn
from pages.widgets.asked import in_words
from pages.widgets.pair_choices import LETTERS, Compared, Together
from pages.widgets.tables import show_table_frame
from pid_core.interval import hull_interval
from pid_core.paired import paired_difference, paired_influences
from pid_core.power import samples_for
from pid_core.spectrum import COLUMNS, influences_of

DELTA = 0.05
"""Bits: the difference in synergy whose sample size is told."""
SAME_RATE = 0.01
"""Points by which a mean over stored answers may miss what the estimate says."""
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
    rates: dict[str, Difference] = field(default_factory=dict[str, Difference])
    """Accuracy and D_vision by name, points; without one that was not measured for both."""
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
            )
        return (
            "Intervals of the difference: both models answered the same samples, so a bootstrap "
            f"over {self.groups:,} groups of samples takes their pointwise differences. That holds "
            "both fitted decompositions fixed; what each model's own interval says beyond it is "
            "added in quadrature. They cover sampling only; estimate again to have the rest."
        )


def differences_of(compared: Compared, rows: PairedRows) -> Differences:
    """Return the differences of two estimates with 95 % intervals."""
    return replace(_of_atoms(compared, rows), rates=_rates(compared, rows))


def _rates(compared: Compared, rows: PairedRows) -> dict[str, Difference]:
    """Return the differences in accuracy and D_vision; intervals where all answers are known.

    Both models answered the same questions, so what counts is how their answers differ question by
    question, in groups; a share of right answers has no bias.
    """
    a, b = compared.a, compared.b
    found: dict[str, Difference] = {}
    for part in RATES:
        before, after = part.of(a), part.of(b)
        if before is not None and after is not None:
            found[part.field] = Difference(value=after - before)
    if rows.right_a is None or rows.right_b is None or not rows.is_whole:
        return found
    if len(set(rows.group_ids.tolist())) < 2:
        return found
    sides: list[np.ndarray] = []  # of each model one column per part
    for record, right in ((a, rows.right_a), (b, rows.right_b)):
        points = 100.0 * np.column_stack([right[:, 0], right[:, 0] - right[:, 1]])
        for place, part in enumerate(RATES):
            told = part.of(record)
            # Of imported answers some are unknown, and then the record says more than the rows.
            if told is None or not abs(points[:, place].mean() - told) < SAME_RATE:
                points[:, place] = np.nan
        sides.append(points)
    nothing = [0.0] * len(RATES)
    paired = paired_influences(sides[0], sides[1], rows.group_ids, bias_1=nothing, bias_2=nothing)
    for part, (low, high) in zip(RATES, paired.interval().tolist(), strict=True):
        if part.field in found and isfinite(low) and isfinite(high):
            found[part.field] = replace(found[part.field], interval=(low, high))
    return found


def _of_atoms(compared: Compared, rows: PairedRows) -> Differences:
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
    return _differing((compared.a, compared.b))


def _differing(records: Sequence[SpectrumRecord]) -> list[str]:
    settings = [in_words(record.settings) | {"options": record.candidates} for record in records]
    found: list[str] = []
    for name in sorted({name for one in settings for name in one} - EVIDENCE_SETTINGS):
        values = [one.get(name, "unset") for one in settings]
        if any(value != values[0] for value in values[1:]):
            found.append(f"{name.replace('_', ' ')} ({' and '.join(map(str, values))})")
    return found


def show_warning(together: Together) -> None:
    """Say so where the estimates do not answer the same question."""
    differing = _differing(together.records)
    if differing:
        names = _listed([letter for letter, _ in together.lettered()])
        with st.container(border=True):
            st.text(
                f"{names} were estimated with different settings, and part of the difference may "
                f"come from that: {', '.join(differing)}."
            )


def table(together: Together, differences: Sequence[Differences]) -> pd.DataFrame:
    """Return one row per quantity, as text with units.

    Parameters
    ----------
    together
        The estimates, the baseline first.
    differences
        Of each of the others from it.
    """
    records = together.records
    rows = [
        _row(
            f"{part.label} (bits)",
            [_number(getattr(record, part.field), 3) for record in records],
            [(one.parts[part.field], 3) for one in differences],
        )
        for part in PARTS
    ]
    for part in PARTS:
        if not all(part.field in one.shares for one in differences):
            continue
        if min(record.total for record in records) < SMALLEST_TOTAL:
            continue
        shares = [100 * _value(record, f"{part.field}_share") for record in records]
        rows.append(
            _row(
                f"{part.label} (% of total)",
                [_number(share, 1) for share in shares],
                [(one.shares[part.field], 1) for one in differences],
            )
        )
    rows += [
        _row(
            f"{part.label} ({part.unit})",
            [_rate(part.of(record)) for record in records],
            [(one.rates.get(part.field), 1) for one in differences],
        )
        for part in RATES
    ]
    for label, read in (
        ("Mean confidence (%)", lambda record: record.mean_confidence),
        ("Fall-back (%)", lambda record: max(record.fallback_rate.values(), default=0.0)),
    ):
        values = [100 * read(record) for record in records]
        rows.append(
            _row(
                label,
                [_number(value, 1) for value in values],
                [(Difference(value=value - values[0]), 1) for value in values[1:]],
            )
        )
    rows.append(
        _row("Samples", [f"{record.n:,}" for record in records], [(None, 0)] * len(differences))
    )
    return pd.DataFrame(rows)


def _row(
    label: str, values: Sequence[str], differences: Sequence[tuple[Difference | None, int]]
) -> dict[str, str]:
    row = {"": label} | dict(zip(LETTERS, values, strict=False))
    for letter, (difference, digits) in zip(LETTERS[1:], differences, strict=False):
        low, high = (difference and difference.interval) or (None, None)
        row[f"{letter} - A"] = (
            "" if difference is None else _number(difference.value, digits, signed=True)
        )
        row[f"95 % of {letter} - A"] = (
            ""
            if low is None or high is None
            else f"{_number(low, digits, signed=True)} to {_number(high, digits, signed=True)}"
        )
    return row


def show_table(together: Together, differences: Sequence[Differences]) -> None:
    """Show the numbers behind the bars, and how right and how sure all are."""
    frame = table(together, differences)
    show_table_frame(
        frame,
        key="compared",
        # Help is Markdown, so it cannot name the models; the pickers do.
        column_config={
            name: st.column_config.TextColumn(
                alignment="right",
                help="The caption above says what the interval covers."
                if name.startswith("95 %")
                else None,
            )
            for name in frame.columns
            if name
        },
        alt="The numbers of all models and their differences from A.",
    )


def show_captions(differences: Sequence[Differences]) -> None:
    """Say where the intervals come from; once where that is the same for all."""
    captions = [one.caption for one in differences]
    if len(set(captions)) == 1:
        drawn.show_caption(captions[0])
    else:
        for letter, caption in zip(LETTERS[1:], captions, strict=False):
            drawn.show_caption(f"{letter} - A. {caption}")
    if sentence := samples_needed(differences):
        drawn.show_caption(sentence)
    if any(rate.interval for one in differences for rate in one.rates.values()):
        drawn.show_caption(
            "Intervals of accuracy and D_vision: question by question, which of the two models is "
            "right, over the same groups; they cover sampling only."
        )


def samples_needed(differences: Sequence[Differences]) -> str:
    """Say how many samples tell a small difference from none; empty where it is not known."""
    known = [
        (letter, one.needed)
        for letter, one in zip(LETTERS[1:], differences, strict=False)
        if one.needed is not None
    ]
    if not known:
        return ""
    start = f"To tell a difference of {DELTA} bits in synergy from none it takes "
    if len(differences) == 1:
        return f"{start}{known[0][1]:,} samples like these (power 0.8)."
    told = _listed([f"{needed:,} for {letter}" for letter, needed in known])
    return f"{start}so many samples like these (power 0.8): {told}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), words[-1]])


def _rate(value: float | None) -> str:
    return "not run" if value is None else _number(value, 1)


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

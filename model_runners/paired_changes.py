"""By how much one spectrum differs from another of the same questions: accuracy, atoms, shares.

Where both rest on the same samples, what each sample adds to the two is compared (pid_core.paired),
so that a hard question, which is hard for both, costs no certainty. Where they do not, or where the
influences of samples were not stored, the errors of both are added in quadrature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from data_cache.records import ATOMS, SpectrumRecord
from data_cache.sample_rows import SampleRows, sample_rows
from pid_core.claims import Evidence, of_difference
from pid_core.paired import paired_influences
from pid_core.spectrum import COLUMNS, influences_of

RATES = ("accuracy", "d_vision")
QUANTITIES = (*RATES, *COLUMNS)
"""Rates and shares in points, atoms and the total in bits."""
SAME_RATE = 0.01
"""Points by which a mean over stored answers may miss what the estimate says."""
REACH = 1.959963984540054
"""Standard errors of a 95 % interval to either side."""

Both = tuple[SampleRows, SampleRows]


@dataclass(frozen=True, kw_only=True)
class PairedChange:
    """Second minus first, of one quantity."""

    value: float
    deviation: float
    """Standard error; nan where it is unknown."""
    bias: float
    """Difference of the biases; nan where it is unknown."""
    n: int
    """Samples that were paired; those of the smaller estimate where they were not."""
    is_paired: bool

    @property
    def evidence(self) -> Evidence:
        """The change as evidence for a claim about 0."""
        return of_difference(self.value, self.deviation, self.bias, n=self.n)


def paired_changes(
    cache: Path, first: SpectrumRecord, second: SpectrumRecord
) -> dict[str, PairedChange]:
    """Return the changes by quantity; without a rate that was not measured for both.

    Parameters
    ----------
    cache
        The cache folder that holds both.
    first, second
        Two estimates of one benchmark, subset and split.
    """
    rows = sample_rows(cache, [first.estimate_key, second.estimate_key])
    return changes_of(first, second, rows)


def changes_of(
    first: SpectrumRecord, second: SpectrumRecord, rows: Mapping[str, SampleRows]
) -> dict[str, PairedChange]:
    """Return the changes by quantity, from rows that were read for many estimates at once."""
    found = [rows.get(record.estimate_key) for record in (first, second)]
    one, two = found
    if one is None or two is None or not _are_the_same(one, two, first, second):
        return {**_rates(first, second, None), **_parts(first, second, None)}
    return {**_rates(first, second, (one, two)), **_parts(first, second, (one, two))}


def _are_the_same(
    one: SampleRows, two: SampleRows, first: SpectrumRecord, second: SpectrumRecord
) -> bool:
    """Whether both estimates rest on the same samples, all of them known, of several groups."""
    return (
        one.benchmark_key == two.benchmark_key
        and len(one.positions) == first.n == second.n
        and np.array_equal(one.positions, two.positions)
        and len(np.unique(one.group_ids)) > 1
    )


def value_of(record: SpectrumRecord, name: str) -> float | None:
    """Return a quantity of a spectrum: rates in per cent, shares in per cent of the total, bits.

    None where it was not measured, or where there is no total to have a share of.
    """
    if name in RATES:
        rate = getattr(record, name)
        return None if rate is None else 100.0 * float(rate)
    if not name.endswith("_share"):
        return float(getattr(record, name))
    if record.total == 0.0:
        return None
    return 100.0 * float(getattr(record, name.removesuffix("_share"))) / record.total


def _rates(
    first: SpectrumRecord, second: SpectrumRecord, rows: Both | None
) -> dict[str, PairedChange]:
    found: dict[str, PairedChange] = {}
    for place, name in enumerate(RATES):
        before, after = value_of(first, name), value_of(second, name)
        if before is None or after is None:
            continue
        deviation, is_paired = nan, False
        if rows is not None:
            sides = [_points(one.right, place) for one in rows]
            means = [float(side.mean()) for side in sides]
            # Of imported answers some are unknown, and then the record says more than the rows.
            if abs(means[0] - before) < SAME_RATE and abs(means[1] - after) < SAME_RATE:
                paired = paired_influences(sides[0][:, None], sides[1][:, None], rows[0].group_ids)
                deviation, is_paired = float(paired.deviation[0]), True
        if not is_paired and name == "accuracy":
            deviation = sqrt(_binomial(first) + _binomial(second))
        found[name] = PairedChange(
            value=after - before,
            deviation=deviation,
            bias=0.0,
            n=_samples(first, second, rows if is_paired else None),
            is_paired=is_paired,
        )
    return found


def _parts(
    first: SpectrumRecord, second: SpectrumRecord, rows: Both | None
) -> dict[str, PairedChange]:
    deviations: dict[str, float] = {}
    added = [] if rows is None else [one.influences for one in rows if one.influences is not None]
    paired = rows is not None and len(added) == 2 and min(first.total, second.total) > 0.0
    if paired and rows is not None:
        sides = [
            influences_of(influence, [getattr(record, atom) for atom in ATOMS], record.total)
            for record, influence in zip((first, second), added, strict=True)
        ]
        found = paired_influences(sides[0], sides[1], rows[0].group_ids)
        deviations = dict(zip(COLUMNS, found.deviation.tolist(), strict=True))
    changes: dict[str, PairedChange] = {}
    for name in COLUMNS:
        before, after = value_of(first, name), value_of(second, name)
        if before is None or after is None:
            continue
        factor = 100.0 if name.endswith("_share") else 1.0
        own = [measured(record, name) for record in (first, second)]
        bias = factor * (own[1][1] - own[0][1])
        changes[name] = PairedChange(
            value=after - before,
            deviation=factor * deviations.get(name, sqrt(own[0][0] ** 2 + own[1][0] ** 2)),
            bias=bias,
            n=_samples(first, second, rows if paired else None),
            is_paired=paired,
        )
    return changes


def _points(right: np.ndarray, place: int) -> np.ndarray:
    """Return what each sample adds to a rate, points: accuracy, or what the image adds to it."""
    return 100.0 * (right[:, 0] if place == 0 else right[:, 0] - right[:, 1])


def _binomial(record: SpectrumRecord) -> float:
    """Return the variance of an accuracy in per cent, over independent samples."""
    rate = record.accuracy
    return 100.0**2 * max(rate * (1.0 - rate), 0.0) / max(record.n, 1)


def _samples(first: SpectrumRecord, second: SpectrumRecord, rows: Both | None) -> int:
    return min(first.n, second.n) if rows is None else len(rows[0].group_ids)


def measured(record: SpectrumRecord, name: str) -> tuple[float, float]:
    """Return standard error and bias as the estimate measured them; what is unknown is nan.

    Parameters
    ----------
    record
        A spectrum.
    name
        An atom or the total, bits, or `<atom>_share`, as a fraction.
    """
    told: Any = record.diagnostics.get("uncertainty") or {}
    found: list[float] = []
    for kind in ("deviation", "bias"):
        value = (told.get(kind) or {}).get(name)
        found.append(nan if value is None or not isfinite(value) else float(value))
    if not isfinite(found[0]) and name in record.interval:
        low, high = record.interval[name]
        found[0] = (high - low) / 2.0 / REACH
    return found[0], found[1]

"""What of a record can be an axis: atoms, sums of them, accuracies, D_vision, with interval."""

from collections.abc import Callable
from dataclasses import dataclass

from data_cache.estimates import SpectrumRecord
from pages.figures.palette import ATOMS
from pages.figures.spectrum_bars import Unit, scale


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One number of a record, as an axis shows it."""

    key: str
    """Its name in a record."""
    label: str
    value: Callable[[SpectrumRecord, Unit], float | None]
    """None where it is not defined."""
    interval: Callable[[SpectrumRecord, Unit], tuple[float, float] | None]
    """95 %; None where there is none."""
    unit_name: Callable[[Unit], str]

    def title(self, unit: Unit) -> str:
        """Return label and unit."""
        return f"{self.label} ({self.unit_name(unit)})"

    def words(self, record: SpectrumRecord, unit: Unit) -> str:
        """Return label, value and interval in one line."""
        value, interval = self.value(record, unit), self.interval(record, unit)
        if value is None:
            return f"{self.label}: not defined"
        digits = 3 if self.unit_name(unit) == "bits" else 1
        line = f"{self.label} {value:.{digits}f} {self.unit_name(unit)}"
        if interval is not None:
            line += f" (95 % interval {interval[0]:.{digits}f} to {interval[1]:.{digits}f})"
        return line


def _atom(field: str, label: str) -> Quantity:
    def value(record: SpectrumRecord, unit: Unit) -> float | None:
        factor = scale(record, unit)
        return None if factor is None else factor * getattr(record, field)

    def interval(record: SpectrumRecord, unit: Unit) -> tuple[float, float] | None:
        factor = scale(record, unit)
        if factor is None or field not in record.interval:
            return None
        share = record.interval.get(f"{field}_share")
        if unit == "shares" and share is not None:
            return 100.0 * share[0], 100.0 * share[1]
        low, high = record.interval[field]
        return factor * low, factor * high

    return Quantity(
        key=field,
        label=label,
        value=value,
        interval=interval,
        unit_name=lambda unit: "bits" if unit == "bits" else "% of total",
    )


def _none(record: SpectrumRecord, unit: Unit) -> None:
    return None


QUANTITIES = (
    *(_atom(atom.field, atom.label) for atom in ATOMS),
    Quantity(
        key="total",
        label="Total",
        value=lambda record, unit: record.total,
        interval=lambda record, unit: record.interval.get("total"),
        unit_name=lambda unit: "bits",
    ),
    Quantity(
        key="coinformation",
        label="Co-information",
        value=lambda record, unit: record.redundancy - record.synergy,
        interval=_none,
        unit_name=lambda unit: "bits",
    ),
    Quantity(
        key="accuracy",
        label="Accuracy",
        value=lambda record, unit: 100 * record.accuracy,
        interval=_none,
        unit_name=lambda unit: "%",
    ),
    Quantity(
        key="accuracy_forced",
        label="Accuracy, forced choice",
        value=lambda record, unit: 100 * record.accuracy_forced,
        interval=_none,
        unit_name=lambda unit: "%",
    ),
    Quantity(
        key="d_vision",
        label="D_vision",
        value=lambda record, unit: None if record.d_vision is None else 100 * record.d_vision,
        interval=_none,
        unit_name=lambda unit: "points",
    ),
)
"""In the order of the pickers."""

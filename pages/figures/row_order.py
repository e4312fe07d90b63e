"""In which order the rows of a chart stand below their titles."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from data_cache.estimates import SpectrumRecord
from pages.figures.quantities import QUANTITIES
from pages.figures.rows import Group, sides_of
from pages.figures.spectrum_bars import Unit

AS_CHOSEN = "as chosen"
SIZE = "Size (parameters)"
SORTABLE = (AS_CHOSEN, *(one.label for one in QUANTITIES), SIZE)
"""In the order of the picker."""

Value = Callable[[SpectrumRecord], float | None]


@dataclass(frozen=True, kw_only=True)
class RowOrder:
    """What rows are sorted by."""

    label: str = AS_CHOSEN
    """One of `SORTABLE`."""
    highest_first: bool = True


def sort_rows(
    records: Sequence[SpectrumRecord],
    order: RowOrder,
    *,
    unit: Unit = "bits",
    group: Group = "subset",
    parameters: Mapping[str, int] | None = None,
) -> tuple[SpectrumRecord, ...]:
    """Sort rows within their titles; titles stay where they are.

    Parameters
    ----------
    records
        In the order in which they were chosen, which decides between equal ones.
    order
        By what; records without the number come last.
    unit
        Bits, or shares of the total: atoms are sorted by what is drawn.
    group
        What the rows are gathered by.
    parameters
        How many each run's model has, by run key.
    """
    value = _value(order.label, unit, parameters or {})
    if value is None:
        return tuple(records)
    outer, _ = sides_of(records, group=group)
    panels: dict[str, list[SpectrumRecord]] = {}
    for record in records:
        panels.setdefault(getattr(record, outer), []).append(record)
    return tuple(
        record
        for members in panels.values()
        for record in _sorted(members, value, highest_first=order.highest_first)
    )


def _value(label: str, unit: Unit, parameters: Mapping[str, int]) -> Value | None:
    if label == SIZE:
        return lambda record: parameters.get(record.run_key)
    for quantity in QUANTITIES:
        if quantity.label == label:
            return lambda record: quantity.value(record, unit)
    return None


def _sorted(
    records: Iterable[SpectrumRecord], value: Value, *, highest_first: bool
) -> list[SpectrumRecord]:
    keyed = [(value(record), record) for record in records]
    known = [(number, record) for number, record in keyed if number is not None]
    known.sort(key=lambda one: -one[0] if highest_first else one[0])
    return [record for _, record in known] + [record for number, record in keyed if number is None]

"""What an adapter changed: each atom, and each accuracy, before and after on the same samples."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import CLICKED
from pages.figures.palette import ATOMS, NEUTRAL
from pages.figures.row_chart import BOTTOM, empty_row_chart
from pages.figures.rows import TITLE_PIXELS, Arrangement, Row, subset_label
from pages.figures.spectrum_bars import covers

ROW_PIXELS = 30
OFFSET_PIXELS = 5
"""How far before stands above, and after below, the middle of their row."""
TOP = 40
"""Margin in pixels: the legend is one line."""
RIGHT = 52
"""Margin in pixels: the number beside the rightmost mark."""
INDENT = "\u00a0" * 4
"""Between a mark and the number beside it."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two estimates of one subset from the same samples of one split."""

    before: SpectrumRecord
    after: SpectrumRecord
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """95 % interval of after minus before by atom, bits, where it is known."""

    def change(self, atom: str) -> float:
        """Return after minus before, bits."""
        return getattr(self.after, atom) - getattr(self.before, atom)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One row of a subset: a number that both records have."""

    label: str
    colour: str
    of: Callable[[SpectrumRecord], float | None]
    unit: str
    decimals: int
    interval: Callable[[SpectrumRecord], tuple[float, float] | None] = lambda _: None


def _atom(name: str, label: str, colour: str) -> Quantity:
    return Quantity(
        label=label,
        colour=colour,
        of=lambda record: getattr(record, name),
        unit="bits",
        decimals=2,
        interval=lambda record: record.interval.get(name),
    )


QUANTITIES = tuple(_atom(atom.field, atom.label, atom.colour) for atom in ATOMS)
ACCURACIES = (
    Quantity(
        label="Accuracy",
        colour="#0072B2",
        of=lambda record: 100 * record.accuracy,
        unit="%",
        decimals=1,
    ),
    Quantity(
        label="D_vision",
        colour="#D55E00",
        of=lambda record: None if record.d_vision is None else 100 * record.d_vision,
        unit="points",
        decimals=1,
    ),
)


def atoms_before_after(pairs: Sequence[Pair]) -> go.Figure:
    """Draw the four atoms of each pair in bits: a hollow mark before, a filled one after.

    Parameters
    ----------
    pairs
        One group of rows each, in this order; whiskers are the 95 % intervals of each estimate.
    """
    return _dumbbells(pairs, QUANTITIES, x_title="Information about the answer (bits)")


def accuracy_before_after(pairs: Sequence[Pair]) -> go.Figure:
    """Draw accuracy (per cent) and D_vision (points) of each pair, as `atoms_before_after`."""
    return _dumbbells(pairs, ACCURACIES, x_title="Accuracy (%), D_vision (points)")


def describe(pairs: Sequence[Pair]) -> str:
    """Say in words what the marks show, for those who do not see them."""
    return " ".join(
        f"{subset_label(pair.after.subset)}: "
        + ", ".join(
            f"{atom.label.lower()} {getattr(pair.before, atom.field):.2f} to "
            f"{getattr(pair.after, atom.field):.2f}"
            for atom in ATOMS
        )
        + " bits."
        for pair in pairs
    )


def describe_accuracy(pairs: Sequence[Pair]) -> str:
    """Say in words how right the models are."""
    return " ".join(
        f"{subset_label(pair.after.subset)}: accuracy {pair.before.accuracy:.0%} to "
        f"{pair.after.accuracy:.0%}."
        for pair in pairs
    )


def signed(value: float, digits: int) -> str:
    """Write a change with its sign; what rounds to nothing has none.

    >>> signed(0.126, 2), signed(-0.001, 2)
    ('+0.13', '0.00')
    """
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


@dataclass(frozen=True, kw_only=True)
class _Place:
    pair: Pair
    quantity: Quantity
    middle: float
    """In pixels from the top."""
    before: float
    after: float


def _dumbbells(pairs: Sequence[Pair], quantities: Sequence[Quantity], *, x_title: str) -> go.Figure:
    arrangement, places = _arrange(pairs, quantities)
    figure = empty_row_chart(arrangement, x_title=x_title)
    figure.update_layout(
        height=round(TOP + BOTTOM + arrangement.height), margin={"t": TOP, "r": RIGHT}
    )
    figure.update_xaxes(rangemode="tozero")
    for quantity in quantities:
        here = [place for place in places if place.quantity is quantity]
        figure.add_trace(_line(here, quantity))
        figure.add_trace(_marks(here, quantity, after=False))
        figure.add_trace(_marks(here, quantity, after=True))
    figure.add_trace(_changes(places))
    for name, symbol in (("before", "circle-open"), ("after", "circle")):
        figure.add_trace(
            go.Scatter(
                name=name,
                mode="markers",
                x=[None],
                y=[None],
                marker={
                    "symbol": symbol,
                    "size": 10,
                    "color": NEUTRAL,
                    "line": {"width": 2.5, "color": NEUTRAL},
                },
            )
        )
    return figure


def _arrange(
    pairs: Sequence[Pair], quantities: Sequence[Quantity]
) -> tuple[Arrangement, list[_Place]]:
    rows: list[Row] = []
    titles: list[tuple[str, float]] = []
    places: list[_Place] = []
    top = 0.0
    for pair in pairs:
        titles.append((escape(subset_label(pair.after.subset)), top + TITLE_PIXELS / 2))
        top += TITLE_PIXELS
        for quantity in quantities:
            middle = top + ROW_PIXELS / 2
            rows.append(Row(record=pair.after, label=quantity.label, position=middle))
            before, after = quantity.of(pair.before), quantity.of(pair.after)
            if before is not None and after is not None:
                places.append(
                    _Place(pair=pair, quantity=quantity, middle=middle, before=before, after=after)
                )
            top += ROW_PIXELS
    arrangement = Arrangement(
        rows=tuple(rows),
        titles=tuple(titles),
        row_pixels=ROW_PIXELS,
        height=max(top, ROW_PIXELS),
    )
    return arrangement, places


def _line(places: Sequence[_Place], quantity: Quantity) -> go.Scatter:
    """Lines from before to after; gaps (None) keep the rows apart."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place in places:
        x += [place.before, place.after, None]
        y += [place.middle - OFFSET_PIXELS, place.middle + OFFSET_PIXELS, None]
    return go.Scatter(
        showlegend=False,
        mode="lines",
        x=x,
        y=y,
        line={"width": 3, "color": quantity.colour},
        opacity=0.5,
        hoverinfo="skip",
    )


def _marks(places: Sequence[_Place], quantity: Quantity, *, after: bool) -> go.Scatter:
    values = [place.after if after else place.before for place in places]
    above: list[float] = []
    below: list[float] = []
    for place, value in zip(places, values, strict=True):
        record = place.pair.after if after else place.pair.before
        low, high = quantity.interval(record) or (value, value)
        above.append(max(high - value, 0.0))
        below.append(max(value - low, 0.0))
    return go.Scatter(
        name=f"{quantity.label}, {'after' if after else 'before'}",
        showlegend=False,
        mode="markers",
        x=values,
        y=[place.middle + (OFFSET_PIXELS if after else -OFFSET_PIXELS) for place in places],
        marker={
            "symbol": "circle" if after else "circle-open",
            "size": 10,
            "color": quantity.colour,
            "line": {"width": 2.5, "color": quantity.colour},
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": above,
            "arrayminus": below,
            "color": NEUTRAL,
            "thickness": 1.2,
            "width": 3,
            "visible": any(above) or any(below),
        },
        cliponaxis=False,
        customdata=[
            [(place.pair.after if after else place.pair.before).estimate_key] for place in places
        ],
        hovertext=[_hover(place, after=after) for place in places],
        hoverinfo="text",
        **CLICKED,
    )


def _changes(places: Sequence[_Place]) -> go.Scatter:
    """Write after minus before at the right end of each row."""
    ends: list[float] = []
    for place in places:
        highs = [
            (place.quantity.interval(record) or (0.0, value))[1]
            for record, value in (
                (place.pair.before, place.before),
                (place.pair.after, place.after),
            )
        ]
        ends.append(max(*highs, place.before, place.after, 0.0))
    return go.Scatter(
        showlegend=False,
        mode="text",
        x=ends,
        y=[place.middle for place in places],
        text=[
            INDENT + signed(place.after - place.before, place.quantity.decimals) for place in places
        ],
        textposition="middle right",
        textfont={"size": 11},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _hover(place: _Place, *, after: bool) -> str:
    quantity, record = place.quantity, place.pair.after if after else place.pair.before
    value, digits = place.after if after else place.before, quantity.decimals + 1
    lines = [
        f"<b>{quantity.label} {value:.{digits}f} {quantity.unit}</b> "
        f"{'after' if after else 'before'}"
    ]
    interval = quantity.interval(record)
    if interval is not None:
        lines.append(f"95 % interval {interval[0]:.3f} to {interval[1]:.3f} ({covers(record)})")
    lines.append(
        f"from {place.before:.{digits}f} to {place.after:.{digits}f}: "
        f"{place.after - place.before:+.{digits}f} {quantity.unit}"
    )
    lines.append(
        f"{escape(record.model)}, {escape(subset_label(record.subset))}, {record.n} samples"
    )
    return "<br>".join(lines)

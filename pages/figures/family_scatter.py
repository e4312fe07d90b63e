"""Where models stand in a plane of two quantities, by family and size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import log10, sqrt
from statistics import median

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from data_cache.published import PublishedValue, find_value
from model_runners.scaling import series_of
from pages.figures.exactness import within
from pages.figures.frame import CLICKED, HOVER, LEGEND, STILL, VALUES
from pages.figures.model_styles import ModelStyle
from pages.figures.palette import NEUTRAL
from pages.figures.quantities import Quantity
from pages.figures.rows import subset_label
from pages.figures.spectrum_bars import Unit

FAMILY = "family"
"""What a mark that stands for a whole family leads to, before the family's name."""
HEIGHT = 560
SIZE_UNKNOWN = 10.0
"""Diameter in pixels of a model whose parameters were not counted."""
MEDIAN_SIZE = 26.0
TINT = 0.25
SMALLEST_SPAN, SMALLEST_PERCENT = 0.1, 5.0
"""What an axis shows at least, in bits and in per cent: less would blow noise up."""
SMALLEST_COUNTED = 1e5
"""Parameters; smaller models are drawn as large as one of this size."""


@dataclass(frozen=True, kw_only=True)
class FamilyPoint:
    """One model."""

    record: SpectrumRecord
    parameters: int | None
    """None where they were not counted."""

    @property
    def family(self) -> str:
        return self.record.family

    @property
    def is_adapted(self) -> bool:
        """Whether this is a fine-tuned adapter on a base model, `base+adapter`."""
        return "+" in self.record.model


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What the plane shows."""

    x: Quantity
    y: Quantity
    unit: Unit

    def place(self, record: SpectrumRecord) -> tuple[float, float] | None:
        """Return where a record stands; None where one of the two is not defined."""
        x, y = self.x.value(record, self.unit), self.y.value(record, self.unit)
        return None if x is None or y is None else (x, y)


def family_scatter(
    points: Sequence[FamilyPoint],
    styles: Mapping[str, ModelStyle],
    axes: Axes,
    *,
    published: Sequence[PublishedValue] = (),
) -> go.Figure:
    """Draw one point per model, the median of each family, and arrows from small to large.

    Parameters
    ----------
    points
        The models; those that have no place in the plane are left out.
    styles
        How each family is drawn.
    axes
        What the plane shows.
    published
        Values that papers printed of single models; each is drawn beside the model's own point.
    """
    placed = [point for point in points if axes.place(point.record) is not None]
    figure = go.Figure()
    families = dict.fromkeys(point.family for point in placed)
    medians = 0
    for family in families:
        members = [point for point in placed if point.family == family]
        centre = median_of(members, axes)
        if centre is not None:
            figure.add_trace(_median(family, centre, len(_own(members)), styles[family], axes))
            medians += 1
    for family in families:
        members = [point for point in placed if point.family == family]
        for adapted in (False, True):
            group = [point for point in members if point.is_adapted == adapted]
            if group:
                figure.add_trace(_points(group, styles[family], axes))
        figure.add_trace(_legend_entry(family, styles[family].symbol, styles[family].colour))
    if medians:
        figure.add_trace(_legend_entry("median of a family", "circle", NEUTRAL, tinted=True))
    if any(point.is_adapted for point in placed):
        figure.add_trace(_legend_entry("adapted (LoRA)", "circle-open", NEUTRAL))
    figure.add_traces(_published_marks(placed, axes, published))
    for small, large in arrows(placed):
        figure.add_annotation(_arrow(small, large, styles[small.family], axes))
    figure.update_layout(
        height=HEIGHT,
        margin={"t": 96, "b": 48, "l": 8, "r": 24},
        legend=LEGEND | STILL,
        **HOVER,
        dragmode=False,
        xaxis=VALUES | {"title": {"text": axes.x.title(axes.unit)}},
        yaxis=VALUES | {"title": {"text": axes.y.title(axes.unit)}},
    )
    records = [point.record for point in placed]
    figure.update_xaxes(range=_range(records, axes.x, axes.unit))
    figure.update_yaxes(range=_range(records, axes.y, axes.unit))
    return figure


def arrows(points: Sequence[FamilyPoint]) -> list[tuple[FamilyPoint, FamilyPoint]]:
    """Return from which model to which the arrows run: to the next larger of the same series.

    A series is what a family calls by one name but for the size (`model_runners.scaling`): two
    lines of training share a family and no arrow. Adapted models have none, and neither do models
    whose parameters were not counted. Models of one size share their arrows.
    """
    found: list[tuple[FamilyPoint, FamilyPoint]] = []
    for series in dict.fromkeys(_series(point) for point in points):
        by_size: dict[int, list[FamilyPoint]] = {}
        for point in points:
            if _series(point) == series and point.parameters and not point.is_adapted:
                by_size.setdefault(point.parameters, []).append(point)
        for small, large in pairwise(sorted(by_size)):
            found += [(one, other) for one in by_size[small] for other in by_size[large]]
    return found


def _series(point: FamilyPoint) -> tuple[str, str]:
    return point.family, series_of(point.record.model)


def median_of(points: Sequence[FamilyPoint], axes: Axes) -> tuple[float, float] | None:
    """Return the median in each direction over the models; None where fewer than two count.

    Adapted models do not count.
    """
    places = [place for point in _own(points) if (place := axes.place(point.record)) is not None]
    if len(places) < 2:
        return None
    return median(x for x, _ in places), median(y for _, y in places)


def diameter(parameters: int | None) -> float:
    """Return the diameter of a point, in pixels: its area grows with the logarithm of the size.

    >>> round(diameter(7_000_000_000)), round(diameter(300_000)), diameter(None)
    (19, 10, 10.0)
    """
    if parameters is None:
        return SIZE_UNKNOWN
    return sqrt(62 * (log10(max(parameters, SMALLEST_COUNTED)) - 4) + 0.0)


def size_words(parameters: int | None) -> str:
    """Return the number of parameters in words.

    >>> size_words(301_888), size_words(7_060_000_000), size_words(None)
    ('0.30 M parameters', '7.06 B parameters', 'parameters not counted')
    """
    if parameters is None:
        return "parameters not counted"
    billions = parameters >= 1e9
    return f"{parameters / (1e9 if billions else 1e6):.2f} {'B' if billions else 'M'} parameters"


def describe(points: Sequence[FamilyPoint], axes: Axes) -> str:
    """Say in words what the points show, for those who do not see them."""
    sentences = [
        f"{point.record.model} ({point.family}): {axes.x.words(point.record, axes.unit)}, "
        f"{axes.y.words(point.record, axes.unit)}."
        for point in points[:12]
    ]
    if len(points) > 12:
        sentences.append(f"And {len(points) - 12} more models, listed in the table.")
    return " ".join(sentences) or "No models."


def _range(
    records: Sequence[SpectrumRecord], quantity: Quantity, unit: Unit
) -> tuple[float, float] | None:
    """Return a range where the points' own would blow noise up; None leaves it to plotly."""
    ends: list[float] = []
    for record in records:
        value = quantity.value(record, unit)
        ends += [] if value is None else [value, *(quantity.interval(record, unit) or ())]
    smallest = SMALLEST_SPAN if quantity.unit_name(unit) == "bits" else SMALLEST_PERCENT
    if not ends or max(ends) - min(ends) >= smallest:
        return None
    middle = (max(ends) + min(ends)) / 2
    return middle - smallest / 2, middle + smallest / 2


def _own(points: Sequence[FamilyPoint]) -> list[FamilyPoint]:
    return [point for point in points if not point.is_adapted]


def _points(points: Sequence[FamilyPoint], style: ModelStyle, axes: Axes) -> go.Scatter:
    places = [axes.place(point.record) or (0.0, 0.0) for point in points]
    adapted = points[0].is_adapted
    return go.Scatter(
        name=points[0].family,
        showlegend=False,
        mode="markers",
        x=[x for x, _ in places],
        y=[y for _, y in places],
        error_x=_whiskers([point.record for point in points], axes.x, axes.unit, style),
        error_y=_whiskers([point.record for point in points], axes.y, axes.unit, style),
        marker={
            "symbol": f"{style.symbol}-open" if adapted else style.symbol,
            "color": style.colour,
            "size": [diameter(point.parameters) for point in points],
            "opacity": 1,
            "line": {"width": 2 if adapted else 0},
        },
        **CLICKED,
        customdata=[[point.record.estimate_key] for point in points],
        hovertext=[_hover(point, axes) for point in points],
        hoverinfo="text",
    )


def _whiskers(
    records: Sequence[SpectrumRecord], quantity: Quantity, unit: Unit, style: ModelStyle
) -> dict[str, object] | None:
    above: list[float] = []
    below: list[float] = []
    for record in records:
        value = quantity.value(record, unit) or 0.0
        low, high = quantity.interval(record, unit) or (value, value)
        above.append(max(high - value, 0.0))
        below.append(max(value - low, 0.0))
    if not any(above) and not any(below):
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": above,
        "arrayminus": below,
        "color": style.tint(0.6),
        "thickness": 1,
        "width": 0,
    }


def _median(
    family: str, centre: tuple[float, float], models: int, style: ModelStyle, axes: Axes
) -> go.Scatter:
    lines = [
        f"<b>Median of {models} models of {escape(family)}</b>",
        f"{axes.x.title(axes.unit)}: {centre[0]:.3f}",
        f"{axes.y.title(axes.unit)}: {centre[1]:.3f}",
    ]
    return go.Scatter(
        name="median",
        showlegend=False,
        mode="markers",
        x=[centre[0]],
        y=[centre[1]],
        marker={
            "symbol": style.symbol,
            "size": MEDIAN_SIZE,
            "color": style.tint(TINT),
            "opacity": 1,
            "line": {"width": 1.5, "color": style.colour},
        },
        customdata=[[FAMILY, family]],
        hovertext=["<br>".join(lines)],
        hoverinfo="text",
        **CLICKED,
    )


def _published_marks(
    points: Sequence[FamilyPoint], axes: Axes, published: Sequence[PublishedValue]
) -> list[go.Scatter]:
    """Draw hollow diamonds where models would stand by the printed value of one axis.

    A paper prints one atom of a model, so the other axis is ours; a dotted line joins the two.
    """
    if axes.unit != "bits":
        return []
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str | None] = []
    for point in points:
        own = axes.place(point.record)
        for vertical, quantity in ((True, axes.y), (False, axes.x)):
            value = find_value(published, model=point.record.model, quantity=quantity.key)
            if value is None or own is None:
                continue
            there = (own[0], value.bits) if vertical else (value.bits, own[1])
            x += [own[0], there[0], None]
            y += [own[1], there[1], None]
            words = (
                f"<b>Published, not measured here</b><br>{escape(value.model)}: {quantity.label} "
                f"{value.bits:.3f} bits<br>{escape(value.study.short)}, {escape(value.at)}"
            )
            text += [None, words, None]
    if not x:
        return []
    return [
        go.Scatter(
            name="published",
            mode="lines+markers",
            x=x,
            y=y,
            line={"color": NEUTRAL, "width": 1, "dash": "dot"},
            marker={
                "symbol": ["circle", "diamond-open", "circle"] * (len(x) // 3),
                "size": [0, 13, 0] * (len(x) // 3),
                "color": NEUTRAL,
                "line": {"width": 2, "color": NEUTRAL},
                "opacity": 1,
            },
            unselected={"marker": {"opacity": 1}},
            hovertext=text,
            hoverinfo="text",
        )
    ]


def _legend_entry(name: str, symbol: str, colour: str, *, tinted: bool = False) -> go.Scatter:
    """Draw nothing but a legend entry: that of the points would be as large as the first one."""
    marker: dict[str, object] = {"symbol": symbol, "color": colour, "size": 11, "opacity": 1}
    if tinted:
        grey = ", ".join(str(int(NEUTRAL[at : at + 2], 16)) for at in (1, 3, 5))
        marker |= {
            "size": 16,
            "color": f"rgba({grey}, {TINT})",
            "line": {"width": 1.5, "color": colour},
        }
    return go.Scatter(name=escape(name), mode="markers", x=[None], y=[None], marker=marker)


def _arrow(
    small: FamilyPoint, large: FamilyPoint, style: ModelStyle, axes: Axes
) -> dict[str, object]:
    (x0, y0), (x1, y1) = (axes.place(point.record) or (0.0, 0.0) for point in (small, large))
    return {
        "x": x1,
        "y": y1,
        "ax": x0,
        "ay": y0,
        "xref": "x",
        "yref": "y",
        "axref": "x",
        "ayref": "y",
        "text": "",
        "showarrow": True,
        "arrowhead": 2,
        "arrowsize": 1.1,
        "arrowwidth": 1.6,
        "arrowcolor": style.colour,
        "opacity": 0.75,
        "standoff": diameter(large.parameters) / 2 + 1,
        "startstandoff": diameter(small.parameters) / 2 + 1,
    }


def _hover(point: FamilyPoint, axes: Axes) -> str:
    record = point.record
    return "<br>".join(_hover_lines(point, record, axes))


def _hover_lines(point: FamilyPoint, record: SpectrumRecord, axes: Axes) -> Iterator[str]:
    yield f"<b>{escape(record.model)}</b>"
    adapted = ", adapted" if point.is_adapted else ""
    yield f"{escape(record.family)}, {size_words(point.parameters)}{adapted}"
    yield axes.y.words(record, axes.unit)
    yield axes.x.words(record, axes.unit)
    yield within(record.gap_bits)
    yield f"{escape(subset_label(record.subset))}, {record.n} samples"

"""What the estimator finds where there is nothing: outlined grey marks under the bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.palette import ATOMS, NEUTRAL

LABEL = "null: where there is nothing"
MEANING = {
    "exchange": "the two probes exchanged at random, so that nothing is unique to either",
    "noise": "draws of pure noise in the place of both probes",
    "permute": "embeddings dealt out anew, so that nothing depends on anything",
}


@dataclass(frozen=True, kw_only=True)
class Null:
    """What one atom would be, bits."""

    kind: str
    mean: float
    low: float
    """2.5 % quantile over replicates."""
    high: float
    replicates: int


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A null and where it is drawn."""

    record: SpectrumRecord
    atom: str
    """On screen."""
    null: Null
    start: float
    """Where its bar begins on the horizontal axis, in the chart's unit."""
    factor: float
    """From bits to the unit."""
    top: float
    bottom: float
    """Vertical extent, in pixels of the chart."""


def null_of(record: SpectrumRecord, atom: str) -> Null | None:
    """Return the null under which an atom is 0 but for the number of samples; None without one."""
    nulls: Mapping[str, Mapping[str, Any]] = record.diagnostics.get("null") or {}
    for kind in ("exchange", "permute", "noise"):
        found = nulls.get(kind)
        if found is not None and atom in found["zero"] and found["mean"][atom] is not None:
            return Null(
                kind=kind,
                mean=found["mean"][atom],
                low=found["low"][atom],
                high=found["high"][atom],
                replicates=found["replicates"],
            )
    return None


def has_null(record: SpectrumRecord) -> bool:
    """Tell whether any atom of a record has a null."""
    return any(null_of(record, atom.field) is not None for atom in ATOMS)


def null_marks(marks: Sequence[Mark]) -> list[go.Scatter]:
    """Return the hatched boxes, the points that answer the pointer, and nothing where none is."""
    if not marks:
        return []
    xs: list[float | None] = []
    ys: list[float | None] = []
    for mark in marks:
        end = mark.start + mark.factor * mark.null.mean
        xs += [mark.start, end, end, mark.start, mark.start, None]
        ys += [mark.top, mark.top, mark.bottom, mark.bottom, mark.top, None]
    boxes = go.Scatter(
        name=LABEL,
        legendgroup=LABEL,
        mode="lines",
        x=xs,
        y=ys,
        fill="toself",
        fillcolor="rgba(128,128,128,0.35)",
        fillpattern={"shape": "x", "size": 4, "solidity": 0.4, "fgcolor": NEUTRAL},
        line={"color": NEUTRAL, "width": 1},
        hoverinfo="skip",
    )
    points = go.Scatter(
        name=LABEL,
        legendgroup=LABEL,
        showlegend=False,
        mode="markers",
        x=[mark.start + mark.factor * mark.null.mean for mark in marks],
        y=[(mark.top + mark.bottom) / 2 for mark in marks],
        marker={"symbol": "line-ns", "size": 8, "line": {"width": 2, "color": NEUTRAL}},
        customdata=[[mark.record.estimate_key] for mark in marks],
        hovertext=[_hover(mark) for mark in marks],
        hoverinfo="text",
    )
    return [boxes, points]


def _hover(mark: Mark) -> str:
    null = mark.null
    return "<br>".join(
        (
            f"<b>{mark.atom}, null: {null.mean:.3f} bits</b>",
            f"2.5 to 97.5 %: {null.low:.3f} to {null.high:.3f} bits, {null.replicates} replicates",
            f"what {mark.record.n} samples make of nothing:",
            MEANING[null.kind],
        )
    )

"""What a dataset's pairing adds to a model's information: one dot per row, with its interval."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from data_cache.estimates import SpectrumRecord
from pages.figures.frame import CLICKED
from pages.figures.palette import NEUTRAL
from pages.figures.row_chart import BOTTOM, arrange_rows, empty_row_chart
from pages.figures.rows import Group, row_names

SMALLEST_REACH = 0.05
"""Bits that the axis shows on either side at least."""
QUANTITY = "correlation_part"
COLOUR = "#D55E00"
LEAST_TOP = 16
"""Margin in pixels."""


def pairing_dots(records: Sequence[SpectrumRecord], *, group: Group = "subset") -> go.Figure:
    """Draw the total of the observed pairs minus that of swapped ones.

    Parameters
    ----------
    records
        Of swapped pairs, one row each; those without the quantity keep an empty row.
    group
        What the rows are gathered by.
    """
    arrangement = arrange_rows(records, layout="stacked", group=group)
    figure = empty_row_chart(arrangement, x_title="Own image minus swapped (bits)")
    # There is no legend to leave room for.
    figure.update_layout(
        height=round(LEAST_TOP + BOTTOM + arrangement.height), margin={"t": LEAST_TOP}
    )
    known = [row for row in arrangement.rows if pairing_of(row.record) is not None]
    values = [pairing_of(row.record) or 0.0 for row in known]
    ends = [row.record.interval.get(QUANTITY) for row in known]
    names = row_names(records)
    reach = [
        abs(end) for value, both in zip(values, ends, strict=True) for end in (value, *(both or ()))
    ]
    edge = 1.1 * max([*reach, SMALLEST_REACH])
    figure.update_xaxes(range=[-edge, edge])
    figure.add_trace(
        go.Scatter(
            name="the dataset's pairing",
            showlegend=False,
            mode="markers",
            x=values,
            y=[row.position for row in known],
            marker={"symbol": "diamond", "size": 9, "color": COLOUR},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [
                    both[1] - value if both else 0.0
                    for value, both in zip(values, ends, strict=True)
                ],
                "arrayminus": [
                    value - both[0] if both else 0.0
                    for value, both in zip(values, ends, strict=True)
                ],
                "color": NEUTRAL,
                "thickness": 1.5,
                "width": 4,
            },
            cliponaxis=False,
            hovertext=[
                f"<b>{value:+.3f} bits</b><br>{escape(names[row.record.estimate_key])}<br>"
                f"own image {row.record.diagnostics['observed_total']:.3f} bits, swapped "
                f"{row.record.total:.3f} bits"
                for value, row in zip(values, known, strict=True)
            ],
            hoverinfo="text",
            **CLICKED,
        )
    )
    return figure


def pairing_of(record: SpectrumRecord) -> float | None:
    """Return what the dataset's pairing adds, bits; None where the observed pairs are not whole."""
    value = record.diagnostics.get(QUANTITY)
    return None if value is None else float(value)


def describe(records: Sequence[SpectrumRecord]) -> str:
    """Say in words what the dots show, for those who do not see them."""
    names = row_names(records)
    sentences = [
        f"{names[one.estimate_key]}: {value:+.3f} bits."
        for one in records[:12]
        if (value := pairing_of(one)) is not None
    ]
    more = f" And {len(records) - 12} more rows, listed in the table." if len(records) > 12 else ""
    return "What the dataset's pairing adds. " + " ".join(sentences) + more
